"""Cells on the specimen, and how much of a point or a polygon falls into each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPREAD_VARIANCE = 1 / 3
"""Variance of a cubic B-spline, in cells^2 along each axis."""


@dataclass(frozen=True)
class Grid:
    """Square cells on the specimen.

    Parameters
    ----------
    left_nm, top_nm : float
        Outer corner of the first cell, x to the right and y down, the field's centre at 0.
    cell_nm : float
        Side of a cell.
    rows, columns : int
        Number of cells.
    """

    left_nm: float
    top_nm: float
    cell_nm: float
    rows: int
    columns: int

    @classmethod
    def around(cls, bounds_nm: tuple[float, float, float, float], cell_nm: float) -> Grid:
        """Return the smallest grid that covers left, top, right and bottom, with its centre."""
        left, top, right, bottom = bounds_nm
        columns = max(1, int(np.ceil((right - left) / cell_nm - 1e-9)))
        rows = max(1, int(np.ceil((bottom - top) / cell_nm - 1e-9)))
        x, y = (left + right - columns * cell_nm) / 2, (top + bottom - rows * cell_nm) / 2
        return cls(x, y, cell_nm, rows, columns)


def polygon_area(polygon: NDArray[np.float64]) -> float:
    """Return the area of a ``(k, 2)`` polygon (shoelace formula), in its units squared."""
    x, y = polygon.T - polygon.T[:, :1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def spline_shares(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the four nearest cells for points a fraction t past the second, ``(4, n)``."""
    u = 1 - t
    return np.stack(
        (u**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * u**2 + 3 * u**3, t**3)
    ) / 6  # fmt: skip


def add_up(
    grid: Grid, rows: NDArray[np.int64], columns: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum weights by cell, leaving out what lies outside the grid."""
    inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
    cells = rows[inside] * grid.columns + columns[inside]
    sums = np.bincount(cells, weights[inside], grid.rows * grid.columns)
    return np.asarray(sums.reshape(grid.rows, grid.columns), dtype=np.float64)


def is_rectangle(polygon: NDArray[np.float64]) -> bool:
    """Whether a polygon is a rectangle along the axes."""
    moves = np.abs(np.diff(polygon, axis=0, append=polygon[:1])) > 0
    return len(polygon) == 4 and bool((moves.sum(axis=1) == 1).all() and moves[0, 0] != moves[1, 0])


def _cover(low: float, high: float, cells: int) -> tuple[int, NDArray[np.float64]]:
    """First of the cells that an interval meets, and how much of each it covers."""
    first, last = max(0, int(np.floor(low))), min(cells, int(np.ceil(high)))
    edges = np.arange(first, max(first, last) + 1)
    return first, np.diff(np.clip(edges, low, high))


def fill_rectangle(
    total: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], factor: float
) -> None:
    """Add a rectangle with corners in cells, exactly by the area of each cell it covers."""
    left, across = _cover(float(x.min()), float(x.max()), total.shape[1])
    top, down = _cover(float(y.min()), float(y.max()), total.shape[0])
    if across.size and down.size:
        total[top : top + down.size, left : left + across.size] += factor * np.outer(down, across)


def fill_polygon(
    total: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], factor: float
) -> None:
    """Add a polygon with corners in cells, sampled 4 x 4 times a cell."""
    from skimage.draw import polygon2mask

    fine = 4
    left, top = max(0, int(np.floor(x.min()))), max(0, int(np.floor(y.min())))
    right = min(total.shape[1], int(np.ceil(x.max())))
    bottom = min(total.shape[0], int(np.ceil(y.max())))
    if right <= left or bottom <= top:
        return
    # sample positions are cell centres, at integer coordinates for the drawing routine; a
    # hair beside, or edges through the samples would count on both sides
    corners = np.stack(((y - top) * fine - 0.5 + 1e-6, (x - left) * fine - 0.5 + 3e-6), axis=1)
    shape = ((bottom - top) * fine, (right - left) * fine)
    mask = polygon2mask(shape, corners)  # type: ignore[no-untyped-call]
    share = mask.reshape(bottom - top, fine, right - left, fine).mean(axis=(1, 3))
    total[top:bottom, left:right] += factor * share
