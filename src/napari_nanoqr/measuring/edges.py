"""Each edge between a dark and a light module: how far it lies from its place, bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.fitted import SymbolFit, drawing_of
from napari_nanoqr.measuring.inverse import to_modules
from napari_nanoqr.measuring.surround import AROUND
from napari_nanoqr.measuring.symbol_pixels import pixels_of

_ACROSS = 0.45
"""Modules to each side of an edge that are looked at: beyond is the next edge's place."""

_CORNER = 0.2
"""Modules at the end of an edge that are left out: beams and blur round the corners."""

_SIGMAS = 4.0
"""As far as an edge of this many sigmas says something of its place."""


@dataclass(frozen=True, eq=False)
class EdgeBits:
    """Places of edges, in bits about a pixel long.

    All of one orientation: edges between rows (0) or between columns (1). Bits are named by
    numbers: ``line`` of the lattice, the modules ``at`` along it, the ``bit`` along each module.

    Parameters
    ----------
    orientation : int
        0 for edges between rows, 1 for edges between columns.
    line, at, bit : (n,) int arrays
        Where each bit is.
    sign : (n,) int array
        1 where dark comes before the edge, -1 where it comes after.
    outward : (n,) float array
        How far dark reaches beyond the mean edge, in modules.
    weight : (n,) float array
        Inverse of its variance, in units of the pixels' variance.
    bits : int
        Bits along a module.
    """

    orientation: int
    line: NDArray[np.intp]
    at: NDArray[np.intp]
    bit: NDArray[np.intp]
    sign: NDArray[np.intp]
    outward: NDArray[np.float64]
    weight: NDArray[np.float64]
    bits: int

    @property
    def side(self) -> NDArray[np.intp]:
        """Number of the side of a module that each bit belongs to."""
        return np.asarray(self.line * (int(self.at.max(initial=0)) + 1) + self.at)


def edge_bits(image: NDArray[np.float32], fit: SymbolFit, orientation: int) -> EdgeBits:
    """Return how far each bit of each edge lies from where the mean edge would be.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    fit : SymbolFit
        Of the symbol in it.
    orientation : int
        0 for edges between rows, 1 for those between columns.

    Returns
    -------
    EdgeBits
        Corners and modules that show something else are left out.

    Notes
    -----
    What the mean edge leaves over is held against its own gradient, pixel by pixel: the best
    linear estimate of a small displacement.
    """
    pixels = pixels_of(image.shape, fit.grid)
    places = to_modules(fit.grid, pixels)
    across, along = places[:, orientation], places[:, 1 - orientation]
    line, at = np.rint(across).astype(np.intp), np.floor(along).astype(np.intp)
    before, after = (_looks(fit, line - 1, at, orientation),
                     _looks(fit, line, at, orientation))  # fmt: skip
    off, sigma = across - line, fit.shape.sigma[orientation]
    sign = before - after
    near = (np.abs(off) < _ACROSS) & (np.abs(sign) == 2) & _free_of_corners(
        fit, line, at, along - at, orientation
    )  # fmt: skip
    places, line, at, sign, off = places[near], line[near], at[near], sign[near] // 2, off[near]
    along = along[near] - at
    seen = image[tuple(pixels[near].astype(np.intp).T)].astype(np.float64)
    levels = fit.levels(places)
    drawn = drawing_of(fit.around, fit.shape, places)
    left = seen - fit.expected(places, drawn)
    z = (off - sign * fit.shape.bias[orientation]) / sigma
    slope = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) / sigma * (levels[1] - levels[0])
    slope[np.abs(z) > _SIGMAS] = 0
    bits = max(2, round(float(np.linalg.norm(fit.steps[:, 1 - orientation]))))
    bit = np.minimum((along * bits).astype(np.intp), bits - 1)
    columns = int(max(fit.grid.shape)) + 1
    number = ((line * columns + at) * bits + bit) * 2 + (sign > 0)
    names, member = np.unique(number, return_inverse=True)
    weight = np.asarray(np.bincount(member, slope**2, len(names)), dtype=np.float64)
    outward = np.bincount(member, slope * left, len(names)) / np.maximum(weight, 1e-30)
    side, kind = np.divmod(names, 2)
    side, bit = np.divmod(side, bits)
    line, at = np.divmod(side, columns)
    # a bit with a pixel or two beside the edge says nothing
    good = weight > 0.3 * np.median(weight) if len(weight) else weight > 0
    return EdgeBits(
        orientation, line[good], at[good], bit[good], (2 * kind - 1)[good], outward[good],
        weight[good], bits,
    )  # fmt: skip


def edge_profile(image: NDArray[np.float32], fit: SymbolFit) -> NDArray[np.float64]:
    """Return how the grey value goes from dark to light, the mean over all edges.

    Parameters
    ----------
    image, fit
        As for :func:`edge_bits`.

    Returns
    -------
    (2, n) float array
        Distance from the edge's nominal place in modules, positive on the light side, and the
        mean grey value there; corners are left out.
    """
    pixels = pixels_of(image.shape, fit.grid)
    places = to_modules(fit.grid, pixels)
    seen = image[tuple(pixels.astype(np.intp).T)].astype(np.float64)
    offs, values = [], []
    for orientation in (0, 1):
        across, along = places[:, orientation], places[:, 1 - orientation]
        line, at = np.rint(across).astype(np.intp), np.floor(along).astype(np.intp)
        sign = _looks(fit, line - 1, at, orientation) - _looks(fit, line, at, orientation)
        near = (np.abs(sign) == 2) & _free_of_corners(fit, line, at, along - at, orientation)
        offs.append(((across - line) * np.sign(sign))[near])
        values.append(seen[near])
    off, value = np.concatenate(offs), np.concatenate(values)
    bins = max(4, min(4 * round(float(np.linalg.norm(fit.steps, axis=0).mean())), 80))
    number = np.floor((off + 0.5) * bins).astype(np.intp).clip(0, bins - 1)
    count = np.bincount(number, minlength=bins)
    mean = np.bincount(number, value, bins) / np.maximum(count, 1)
    place = (np.arange(bins) + 0.5) / bins - 0.5
    return np.stack((place, mean))[:, count > 0]


def _looks(
    fit: SymbolFit,
    line: NDArray[np.intp],
    at: NDArray[np.intp],
    orientation: int,
) -> NDArray[np.intp]:
    """Return 1 for dark and -1 for light modules, 0 for those that show something else."""
    table = np.where(fit.around, 1, -1)[AROUND - 2 : 2 - AROUND, AROUND - 2 : 2 - AROUND]
    table[2:-2, 2:-2][fit.strange] = 0
    first, second = (line, at) if orientation == 0 else (at, line)
    return np.asarray(
        table[(first + 2).clip(0, table.shape[0] - 1), (second + 2).clip(0, table.shape[1] - 1)]
    )


def _free_of_corners(
    fit: SymbolFit,
    line: NDArray[np.intp],
    at: NDArray[np.intp],
    along: NDArray[np.float64],
    orientation: int,
) -> NDArray[np.bool_]:
    """Return where an edge goes straight on, or does not end within a fifth of a module."""
    own = [_looks(fit, line - k, at, orientation) for k in (1, 0)]
    result = np.ones(len(line), dtype=bool)
    for end, step in ((along < _CORNER, -1), (along > 1 - _CORNER, 1)):
        beside = [_looks(fit, line - k, at + step, orientation) for k in (1, 0)]
        result &= ~end | ((own[0] == beside[0]) & (own[1] == beside[1]))
    return result
