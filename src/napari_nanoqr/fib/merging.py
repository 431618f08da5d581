"""Cells of a raster joined to as few rectangles as a quick look finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def merge_rectangles(
    classes: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cover all cells of equal class with rectangles that do not overlap.

    Parameters
    ----------
    classes : (rows, columns) int array
        Class of each cell; cells of class 0 are left out.

    Returns
    -------
    rectangles : (n, 4) int64 array
        Top, left, bottom and right of each in cells, the last two exclusive: runs of equal cells
        in a row, joined with those of the rows below that begin and end alike. Sorted.
    values : (n,) int64 array
        Class of each.
    """
    rows, columns = classes.shape
    padded = np.zeros((rows, columns + 2), dtype=classes.dtype)
    padded[:, 1:-1] = classes
    change = padded[:, 1:] != padded[:, :-1]
    row, starts = np.nonzero(change[:, :-1] & (classes != 0))
    ends = np.nonzero(change[:, 1:] & (classes != 0))[1] + 1
    value = classes[row, starts].astype(np.int64)
    # runs that begin, end and are classed alike lie behind one another, from the top down
    if not row.size:
        return np.empty((0, 4), dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.lexsort((row, value, ends, starts))
    row, starts, ends, value = row[order], starts[order], ends[order], value[order]
    same = (
        (np.diff(row) == 1) & (np.diff(starts) == 0) & (np.diff(ends) == 0) & (np.diff(value) == 0)
    )
    first = np.flatnonzero(np.concatenate(([True], ~same)))
    last = np.append(first[1:], row.size) - 1
    found = np.stack((row[first], starts[first], row[last] + 1, ends[first]), axis=1)
    order = np.lexsort((found[:, 1], found[:, 0]))
    return found[order], value[first][order]
