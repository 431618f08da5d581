"""How regular a symbol's grid is, and how much its dark modules have grown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.interpolation import interpolate

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
) -> tuple[float | None, float | None]:
    """Return by how much dark areas came out too wide, and too high, in modules.

    The mean grey value on the way from the centre of a dark module to that of a light one beside
    it, over all such pairs, passes the threshold at the edge. An element has two edges, so that
    it grows by twice what that edge is displaced. Where the mean is taken first, noise does not
    move the edge.

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

    Returns
    -------
    across, down : float or None
        Negative where dark areas came out too small; None where there is no such edge, or none
        that passes the threshold.
    """
    found = []
    for axis in (1, 0):
        along: NDArray[np.float64] = np.eye(2)[axis]
        dark, light = modules & usable, ~modules & usable
        # from each dark module to the light one after it, and to the one before it
        after = dark & _moved(light, axis, -1)
        before = dark & _moved(light, axis, 1)
        starts = np.concatenate((np.argwhere(after), np.argwhere(before))).astype(np.float64) + 0.5
        signs = np.repeat(np.array([1.0, -1.0]), [after.sum(), before.sum()])[:, None]
        found.append(_growth(image, grid, starts, signs * along, along[::-1], threshold))
    return found[0], found[1]


def _moved(modules: NDArray[np.bool_], axis: int, by: int) -> NDArray[np.bool_]:
    """Return the modules one place on, with none coming in."""
    moved = np.roll(modules, by, axis)
    edge = 0 if by > 0 else -1
    moved[(slice(None), edge) if axis else edge] = False
    return moved


def _growth(
    image: NDArray[np.float32],
    grid: Grid,
    starts: NDArray[np.float64],
    ways: NDArray[np.float64],
    beside: NDArray[np.float64],
    threshold: float,
) -> float | None:
    """Return twice the displacement of the mean edge, in modules."""
    if not len(starts):
        return None
    profile = [
        np.mean(
            [
                interpolate(image, grid.to_pixels(starts + ways * (n / STEPS) + beside * line))
                for line in LINES
            ]
        )
        for n in range(STEPS + 1)
    ]
    level = np.array(profile) - threshold
    passes = np.flatnonzero((level[:-1] < 0) != (level[1:] < 0))
    if not len(passes):
        return None
    # the one nearest to where it belongs
    n = passes[np.abs(passes + 0.5 - STEPS / 2).argmin()]
    place = (n + level[n] / (level[n] - level[n + 1])) / STEPS
    return float(2 * (place - 0.5))
