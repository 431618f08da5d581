"""Sampled modules drawn where they lie in the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.widgets.layers import DARK, LIGHT

Raster = tuple[NDArray[Any], float, tuple[float, float]]
"""A picture, the size of its pixels and the centre of its first one in pixels of the image."""

_PIXELS_PER_MODULE = 8
_RASTER_LIMIT = 4096


class Placed(Protocol):
    """A symbol with a place in an image."""

    @property
    def corners_yx(self) -> NDArray[np.float64]:
        """Corners in pixels."""
        ...

    @property
    def pitch_px(self) -> float:
        """Distance of modules in pixels."""
        ...


def module_map(corners_yx: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the projective map of a symbol, fixed by its four corners.

    Parameters
    ----------
    corners_yx : (4, 2) float array
        Top left, top right, bottom right, bottom left in pixels.
    shape : tuple of int
        Modules, rows and columns.

    Returns
    -------
    (3, 3) float array
        From ``(row, column, 1)`` of the grid of modules, whose outer corners are 0 and the
        number of rows and columns, to homogeneous ``(y, x, w)`` pixels of the image.
    """
    rows, columns = shape
    grid = np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=np.float64)
    equations, values = [], []
    for (v, u), (y, x) in zip(grid, corners_yx, strict=True):
        equations += [[v, u, 1, 0, 0, 0, -v * y, -u * y], [0, 0, 0, v, u, 1, -v * x, -u * x]]
        values += [y, x]
    solved = np.linalg.solve(np.array(equations), np.array(values))
    return np.append(solved, 1.0).reshape(3, 3)


def in_image(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points after a projective map."""
    moved = np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(moved[..., :2] / moved[..., 2:])


def module_raster(readings: Sequence[Reading]) -> Raster:
    """Draw the sampled modules of all codes where they lie in the image.

    Returns
    -------
    labels : (y, x) uint8 array
        `LIGHT` and `DARK` within codes, 0 beside them; 1 x 1 where no modules are known.
    step : float
        Size of its pixels in pixels of the image.
    corner : (float, float)
        Centre of its first pixel, y and x in pixels of the image.
    """
    drawn = [
        (reading, np.where(reading.matrix, DARK, LIGHT))
        for reading in readings
        if reading.matrix is not None
    ]
    return draw(drawn, np.uint8(0))


def confidence_raster(readings: Sequence[Reading]) -> Raster:
    """Draw how surely each module of all codes was told, where they lie in the image.

    Returns
    -------
    confidence : (y, x) float32 array
        Probability that the module is what it looks like, 0.5 to 1, by the image alone; NaN
        beside the codes, and where modules were not weighed.
    step, corner
        As of :func:`module_raster`.
    """
    drawn = [
        (reading, 1 / (1 + np.exp(-np.abs(reading.likelihoods))))
        for reading in readings
        if reading.likelihoods is not None
    ]
    return draw(drawn, np.float32(np.nan))


def difference_raster(comparisons: Sequence[Comparison]) -> Raster:
    """Draw how likely each module is as it was designed, where a design was found.

    Returns
    -------
    probability : (y, x) float32 array
        0 to 1; 0 where the module is covered or gone, NaN beside the symbols.
    step, corner
        As of :func:`module_raster`.
    """
    drawn = [(found, (1 - found.covered) / (1 + np.exp(-found.evidence))) for found in comparisons]
    return draw(drawn, np.float32(np.nan))


def draw(drawn: Sequence[tuple[Placed, NDArray[Any]]], empty: np.generic) -> Raster:
    """Draw a value for each module of symbols where they lie in the image.

    Parameters
    ----------
    drawn : sequence of (Reading or the like, (rows, columns) array)
        Symbols, and the values of their modules.
    empty : numpy scalar
        What stands beside them; gives the type.

    Returns
    -------
    Raster
        1 x 1 where nothing is to be drawn.
    """
    if not drawn:
        return np.full((1, 1), empty), 1.0, (0.0, 0.0)
    corners = np.concatenate([symbol.corners_yx for symbol, _ in drawn])
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = min(symbol.pitch_px for symbol, _ in drawn) / _PIXELS_PER_MODULE
    step = max(step, float((high - low).max()) / _RASTER_LIMIT)
    rows, columns = (max(1, int(n)) for n in np.ceil((high - low) / step))
    result = np.full((rows, columns), empty)
    first = (float(low[0] + step / 2), float(low[1] + step / 2))
    for symbol, values in drawn:
        box = np.stack([symbol.corners_yx.min(axis=0), symbol.corners_yx.max(axis=0)])
        (top, left), (bottom, right) = np.rint((box - low) / step).astype(int)
        y, x = np.mgrid[top : min(bottom, rows), left : min(right, columns)]
        places = np.stack([y * step + first[0], x * step + first[1]], axis=-1)
        back = np.linalg.inv(module_map(symbol.corners_yx, values.shape))
        cells = np.floor(in_image(back, places)).astype(int)
        inside = ((cells >= 0) & (cells < values.shape)).all(axis=-1)
        row, column = cells[inside].T
        result[y[inside], x[inside]] = values[row, column]
    return result, step, first
