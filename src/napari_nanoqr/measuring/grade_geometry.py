"""How regular a symbol's grid is, and how much its dark modules have grown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, interpolate

STEPS = 16
"""Intervals into which the way from one module's centre to the next is divided."""

LINES = (-0.25, 0.0, 0.25)
"""Offsets, in modules, of the lines along which the edge between two modules is looked at."""


@dataclass(frozen=True)
class Regularity:
    """How regular a grid is.

    Parameters
    ----------
    across, down : float
        Mean distance from column to column, and from row to row.
    farthest : float
        How far the module centre that is farthest from its place in an even grid lies from it.
    """

    across: float
    down: float
    farthest: float

    @property
    def module(self) -> float:
        """Mean distance from module to module."""
        return (self.across + self.down) / 2

    @property
    def axial(self) -> float:
        """Axial non-uniformity: difference of the two distances over their mean."""
        return abs(self.across - self.down) / self.module

    @property
    def uneven(self) -> float:
        """Grid non-uniformity: the farthest module centre, in modules."""
        return self.farthest / self.module


def regularity(grid: Grid, pixel: tuple[float, float]) -> Regularity:
    """Measure how regular a grid is.

    Parameters
    ----------
    grid : Grid
        Where the symbol is.
    pixel : tuple of float
        Size of a pixel, y and x, in whatever unit the distances are to have; tilt taken out
        where it is to be.

    Returns
    -------
    Regularity
        The even grid is the one nearest to all module centres by least squares: any two axes,
        even steps along each. ISO/IEC 15415:2011 takes even steps, too, from the places that the
        reference decode algorithm finds.
    """
    rows, columns = grid.shape
    centres = np.indices((rows, columns), dtype=float).transpose(1, 2, 0) + 0.5
    places = grid.to_pixels(centres) * np.array(pixel)
    across = float(np.linalg.norm(np.diff(places, axis=1), axis=-1).mean())
    down = float(np.linalg.norm(np.diff(places, axis=0), axis=-1).mean())
    terms = np.column_stack((centres.reshape(-1, 2), np.ones(rows * columns)))
    flat = places.reshape(-1, 2)
    even = terms @ np.linalg.lstsq(terms, flat, rcond=None)[0]
    return Regularity(across, down, float(np.linalg.norm(flat - even, axis=1).max()))


def print_growth(
    image: NDArray[np.float32],
    grid: Grid,
    modules: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    threshold: float,
    inverted: bool,
) -> tuple[float | None, float | None]:
    """Return by how much dark areas came out too wide, and too high, in modules.

    Every edge between a dark module and a light one beside it is looked for where the grey
    value passes the threshold on the way from the one's centre to the other's. An element has
    two edges, so that it grows by twice the mean displacement.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is.
    modules : (rows, columns) bool array
        What is written, True = dark.
    usable : (rows, columns) bool array
        Modules that look like what is written.
    threshold : float
        Grey value between dark and light.
    inverted : bool
        Dark modules are the brighter ones.

    Returns
    -------
    across, down : float or None
        Negative where dark areas came out too small; None where there is no such edge.
    """
    found: list[float | None] = []
    for across in (True, False):
        if across:
            first, second = np.s_[:, :-1], np.s_[:, 1:]
            along, beside = np.array([0.0, 1.0]), np.array([1.0, 0.0])
        else:
            first, second = np.s_[:-1], np.s_[1:]
            along, beside = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        edges = (modules[first] != modules[second]) & usable[first] & usable[second]
        starts = np.argwhere(edges) + 0.5
        if not len(starts):
            found.append(None)
            continue
        profile = np.zeros((STEPS + 1, len(starts)))
        for step in range(STEPS + 1):
            for line in LINES:
                points = starts + along * (step / STEPS) + beside * line
                profile[step] += interpolate(image, grid.to_pixels(points))
        darker = (threshold - profile / len(LINES)) * (-1 if inverted else 1)
        share = _share_above_zero(darker[:-1], darker[1:]).mean(axis=0)
        found.append(float(2 * (share - 0.5).mean()))
    return found[0], found[1]


def _share_above_zero(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each straight line from one value to another that is above zero."""
    above, span = np.maximum(start, 0) + np.maximum(end, 0), np.abs(start) + np.abs(end)
    same = np.where(start > 0, 1.0, 0.0)
    mixed = (start > 0) != (end > 0)
    return np.where(mixed, above / np.where(span > 0, span, 1.0), same)
