"""Sampled modules drawn where they lie in the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.widgets.layers import DARK, LIGHT

Raster = tuple[NDArray[np.uint8], float, tuple[float, float]]
"""A picture, the size of its pixels and the centre of its first one in pixels of the image."""

_PIXELS_PER_MODULE = 8
_RASTER_LIMIT = 4096


def module_map(reading: Reading) -> NDArray[np.float64]:
    """Return the projective map of a symbol, fixed by its four corners.

    Returns
    -------
    (3, 3) float array
        From ``(row, column, 1)`` of the grid of modules, whose outer corners are 0 and the
        number of rows and columns, to homogeneous ``(y, x, w)`` pixels of the image.
    """
    assert reading.matrix is not None
    rows, columns = reading.matrix.shape
    grid = np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=np.float64)
    equations, values = [], []
    for (v, u), (y, x) in zip(grid, reading.corners_yx, strict=True):
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
    known = [reading for reading in readings if reading.matrix is not None]
    if not known:
        return np.zeros((1, 1), np.uint8), 1.0, (0.0, 0.0)
    corners = np.concatenate([reading.corners_yx for reading in known])
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = min(reading.pitch_px for reading in known) / _PIXELS_PER_MODULE
    step = max(step, float((high - low).max()) / _RASTER_LIMIT)
    rows, columns = (max(1, int(n)) for n in np.ceil((high - low) / step))
    labels = np.zeros((rows, columns), np.uint8)
    first = (float(low[0] + step / 2), float(low[1] + step / 2))
    for reading in known:
        assert reading.matrix is not None
        box = np.stack([reading.corners_yx.min(axis=0), reading.corners_yx.max(axis=0)])
        (top, left), (bottom, right) = np.rint((box - low) / step).astype(int)
        y, x = np.mgrid[top : min(bottom, rows), left : min(right, columns)]
        places = np.stack([y * step + first[0], x * step + first[1]], axis=-1)
        cells = np.floor(in_image(np.linalg.inv(module_map(reading)), places)).astype(int)
        inside = ((cells >= 0) & (cells < reading.matrix.shape)).all(axis=-1)
        row, column = cells[inside].T
        labels[y[inside], x[inside]] = np.where(reading.matrix[row, column], DARK, LIGHT)
    return labels, step, first
