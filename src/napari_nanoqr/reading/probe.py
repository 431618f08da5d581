"""Look at a place where a symbol may be, before anything is fitted."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.interpolation import interpolate
from napari_nanoqr.reading.register import Fit
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.tables import side_modules

_MOVE = 0.6
"""Modules between the places tried for a finder pattern that was lost."""

_MOST_MOVES = 5
"""Most such steps to each side."""


def corner(version: int, which: int) -> NDArray[np.bool_]:
    """Return the modules of one finder pattern: top left, top right or bottom left."""
    side = side_modules(version)
    corner = np.zeros((side, side), dtype=bool)
    rows = slice(side - 8, None) if which == 2 else slice(0, 8)
    columns = slice(side - 8, None) if which == 1 else slice(0, 8)
    corner[rows, columns] = True
    return corner


@lru_cache(maxsize=80)
def _centres(version: int, lost: int | None) -> tuple[Points, NDArray[np.float64]]:
    """Return the centres of known modules and their brightness, its mean taken out."""
    modules, known = qr_layout(version).dark, qr_layout(version).certain
    if lost is not None:
        known = known & ~corner(version, lost)
    value = np.where(modules[known], -1.0, 1.0)
    return (np.argwhere(known) + 0.5).astype(np.float64), np.asarray(value - value.mean())


def probe(
    image: NDArray[np.float32], corners: NDArray[np.float64], version: int, lost: int | None
) -> list[tuple[float, int, Grid]]:
    """Return the correlation at module centres for each parallelogram, without a fit."""
    side = side_modules(version)
    points, value = _centres(version, lost)
    # columns: down, right, first corner
    affine = np.stack(
        ((corners[:, 3] - corners[:, 0]) / side, (corners[:, 1] - corners[:, 0]) / side,
         corners[:, 0]), axis=-1,
    )  # fmt: skip
    places = points @ affine[:, :, :2].transpose(0, 2, 1) + affine[:, None, :, 2]
    seen = interpolate(image, places).astype(float)
    seen -= seen.mean(axis=1, keepdims=True)
    norm = np.sqrt((seen**2).sum(axis=1) * (value @ value))
    fits = seen @ value / np.maximum(norm, 1e-12)
    return [
        (float(fit), version, Grid((side, side), np.vstack((a, (0, 0, 1))), np.zeros((1, 2))))
        for fit, a in zip(fits, affine, strict=True)
    ]


def nearby(corners: Points, lost: int, side: int) -> NDArray[np.float64]:
    """Return corners with the one whose finder pattern was lost moved about.

    The other two leave it open by some percent of a side: the fit's reach is less.
    """
    down, right = (corners[3] - corners[0]) / side, (corners[1] - corners[0]) / side
    count = min(int(np.ceil(1 + 0.05 * side)), _MOST_MOVES)
    moves = np.arange(-count, count + 1) * _MOVE
    y, x = (m.reshape(-1, 1) for m in np.meshgrid(moves, moves))
    move = y * down + x * right
    moved = np.repeat(corners[None], len(move), axis=0)
    # the fourth corner follows, as in a parallelogram
    moved[:, (0, 1, 3)[lost]] += move
    moved[:, 2] += -move if lost == 0 else move
    return moved


def looks_mirrored(image: NDArray[np.float32], fit: Fit, version: int) -> bool:
    """Return whether the format information fits better with rows and columns exchanged.

    But for one dark module, all else is its own mirror image.
    """
    layout = qr_layout(version)
    places = np.stack(layout.format_places, axis=-1) + 0.5
    signs = 1.0 - 2.0 * layout.format_words
    dark = np.array([side_modules(version) - 7.5, 8.5])
    fits = []
    for exchanged in (False, True):
        step = -1 if exchanged else 1
        at = np.concatenate((places, dark[None]))[:, ::step].astype(np.float64)
        seen = interpolate(image, fit.grid.to_pixels(at)).astype(float) * np.sign(fit.correlation)
        fits.append(float((signs @ seen[:-1]).max()) - float(seen[-1]))
    return fits[1] > fits[0]
