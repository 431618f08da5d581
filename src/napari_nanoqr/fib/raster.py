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


def along_axes(corners: NDArray[np.float64], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which polygons have no edge but along the axes, ``(n,)``.

    Parameters
    ----------
    corners : (m, 2) float64 array
        x and y of all polygons, one after the other.
    lengths : (n,) int64 array
        Number of corners of each, at least one.
    """
    first = np.cumsum(lengths) - lengths
    along = (corners == corners[_following(lengths)]).any(axis=1)
    return np.asarray(np.logical_and.reduceat(along, first))


def fill_along_axes(
    grid: Grid, corners: NDArray[np.float64], lengths: NDArray[np.int64],
    factors: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Fill polygons with edges along the axes, exactly by the area of each cell they cover.

    Parameters
    ----------
    grid : Grid
        Cells.
    corners, lengths
        As for :func:`along_axes`.
    factors : (n,) float64 array
        What each polygon adds to the cells that it covers.

    Returns
    -------
    (rows, columns) float64 array
        Sum over all polygons, of the factor times the share of the cell.

    Notes
    -----
    A polygon is the sum of quadrants that begin at the ends of its upright edges, to the right
    and down, with opposite signs at the two ends. Of a quadrant, the shares of all cells are the
    running sums, along both axes, of the shares of the four cells around its corner.
    """
    x = np.clip((corners[:, 0] - grid.left_nm) / grid.cell_nm, 0, grid.columns)
    y = np.clip((corners[:, 1] - grid.top_nm) / grid.cell_nm, 0, grid.rows)
    after = _following(lengths)
    # the area tells which way round a polygon goes
    first = np.cumsum(lengths) - lengths
    origin = np.repeat(first, lengths)
    u, v = corners[:, 0] - corners[origin, 0], corners[:, 1] - corners[origin, 1]
    around = np.sign(np.add.reduceat(u * v[after] - u[after] * v, first))
    sign = np.repeat(factors * around, lengths)
    upright = corners[:, 0] == corners[after, 0]
    starts, ends = np.flatnonzero(upright), after[upright]
    at = np.concatenate((starts, ends))
    weight = np.concatenate((-sign[starts], sign[starts]))
    column, row = np.floor(x[at]).astype(np.int64), np.floor(y[at]).astype(np.int64)
    across, down = x[at] - column, y[at] - row
    rows, columns = grid.rows + 2, grid.columns + 2
    total = np.zeros(rows * columns)
    for i, share_y in ((0, 1 - down), (1, down)):
        for j, share_x in ((0, 1 - across), (1, across)):
            total += np.bincount(
                (row + i) * columns + column + j, weight * share_x * share_y, rows * columns
            )
    total = total.reshape(rows, columns).cumsum(axis=0).cumsum(axis=1)[:-2, :-2]
    # what sums of many numbers leave is nothing
    total[np.abs(total) < 1e-9 * np.abs(factors).max(initial=0.0)] = 0.0
    return total


def _following(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the corner after each, the first one after the last."""
    last = np.cumsum(lengths) - 1
    after = np.arange(1, lengths.sum() + 1)
    after[last] = last + 1 - lengths
    return after


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
