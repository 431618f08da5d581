"""Cells of a raster joined to polygons: the outlines of connected areas.

Every polygon is simple: it has no hole, and touches neither itself nor its own corners, so that
every reader takes it. Areas with holes are cut, and so are those with more corners than GDSII
allows. What only meets at a corner is kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Merged = Literal["rectangles", "polygons"]
"""To what the cells of a raster are joined."""

MOST_CORNERS = 199
"""Of a polygon: GDSII takes 200 with the first one repeated at the end."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons with a dose each, as formats of shapes take them.

    Parameters
    ----------
    corners_nm : (m, 2) float64 array
        x to the right and y down, of all polygons, one after the other.
    lengths : (n,) int64 array
        Number of corners of each; the first is not repeated.
    factors : (n,) float64 array
        Dose of each in units of the base dose, whole thousandths.
    """

    corners_nm: NDArray[np.float64]
    lengths: NDArray[np.int64]
    factors: NDArray[np.float64]

    @classmethod
    def of_rectangles(
        cls, rectangles: NDArray[np.float64], factors: NDArray[np.float64]
    ) -> Outlines:
        """Make them of left, top, right and bottom, ``(n, 4)``, beginning at the lower left."""
        corners = rectangles[:, [0, 3, 2, 3, 2, 1, 0, 1]].reshape(-1, 2)
        return cls(corners, np.full(len(factors), 4, dtype=np.int64), factors)

    def split(self, corners: NDArray[np.float64]) -> Iterator[list[list[float]]]:
        """Yield the corners of each, ``[[x, y], ...]``, from those of all in any unit."""
        everything = corners.tolist()
        first = 0
        for last in np.cumsum(self.lengths).tolist():
            yield everything[first:last]
            first = last


def merge_polygons(
    classes: NDArray[np.integer], most_corners: int = MOST_CORNERS
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cover all cells of equal class with polygons that do not overlap.

    Parameters
    ----------
    classes : (rows, columns) int array
        Class of each cell; cells of class 0 are left out.
    most_corners : int
        Of a polygon, at least 4.

    Returns
    -------
    corners : (m, 2) int64 array
        Rows and columns of the corners of all polygons, one polygon after the other, each
        starting at the left end of its top edge and going to the right.
    lengths : (n,) int64 array
        Number of corners of each.
    values : (n,) int64 array
        Class of each.

    Notes
    -----
    Runs of equal cells in a row are the pieces that are joined, from the top down. A run joins
    those above it that it meets along an edge, but no part twice: that would close a hole. Nor
    does it join two parts that were kept apart from each other before, or that meet at a corner
    elsewhere. So each polygon is a tree of runs, whose outline is one ring.
    """
    row, start, end, value = _runs(classes)
    if not row.size:
        empty = np.empty(0, dtype=np.int64)
        return np.empty((0, 2), dtype=np.int64), empty, empty
    part = _join(row, start, end, value, most_corners)
    rows, columns = classes.shape
    # a border, so that each corner has four cells around it
    label = np.zeros((rows + 2, columns + 2), dtype=np.int64)
    cells = np.arange((end - start).sum()) - np.repeat(
        np.cumsum(end - start) - (end - start), end - start
    )
    label[np.repeat(row + 1, end - start), np.repeat(start + 1, end - start) + cells] = np.repeat(
        part + 1, end - start
    )
    corners, lengths = _rings(label)
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return corners, lengths, classes[corners[first, 0], corners[first, 1]].astype(np.int64)


def _runs(classes: NDArray[np.integer]) -> tuple[NDArray[np.int64], ...]:
    """Row, start, end and class of the runs of equal cells, by row and column."""
    rows, columns = classes.shape
    padded = np.zeros((rows, columns + 2), dtype=classes.dtype)
    padded[:, 1:-1] = classes
    change = padded[:, 1:] != padded[:, :-1]
    row, start = np.nonzero(change[:, :-1] & (classes != 0))
    end = np.nonzero(change[:, 1:] & (classes != 0))[1] + 1
    return row, start, end, classes[row, start].astype(np.int64)


def _join(
    row: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64],
    value: NDArray[np.int64], most_corners: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Return to which part each run belongs, numbered as they first appear."""
    # runs above that a run meets, be it at a corner, are neighbours in the list
    width = int(end.max()) + 2
    above = (row - 1) * width
    first = np.searchsorted(row * width + end, above + start, side="left").tolist()
    last = np.searchsorted(row * width + start, above + end, side="right").tolist()
    starts, ends, values = start.tolist(), end.tolist(), value.tolist()
    parent = list(range(row.size))
    corners = [4] * row.size
    apart: list[set[int]] = [set() for _ in parent]

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    for run in range(row.size):
        met: dict[int, int] = {}
        for other in range(first[run], last[run]):
            if values[other] != values[run]:
                continue
            touches = starts[other] < ends[run] and starts[run] < ends[other]
            ends_alike = (starts[other] == starts[run]) + (ends[other] == ends[run])
            part = root(other)
            # -1: at a corner, or more than once
            met[part] = ends_alike if touches and part not in met else -1
        here = run
        joined: list[int] = []
        for part, ends_alike in met.items():
            total = corners[here] + corners[part] - 2 * ends_alike
            if ends_alike < 0 or total > most_corners or any(p in apart[part] for p in joined):
                continue
            joined.append(part)
            corners[here] = total
        for part in met:
            if part not in joined:
                apart[run].add(part)
                apart[part].add(run)
        for part in joined:
            # the smaller list of what is apart goes into the larger
            keep, gone = (here, part) if len(apart[here]) > len(apart[part]) else (part, here)
            corners[keep] = corners[here]
            parent[gone] = keep
            for far in apart[gone]:
                apart[far].discard(gone)
                apart[far].add(keep)
            apart[keep] |= apart[gone]
            apart[gone] = set()
            here = keep
    found = np.array([root(run) for run in range(row.size)])
    _, index, inverse = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(index))[inverse]


def _rings(label: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the corners of parts that are simple, and how many each has.

    A cell's part has a corner where an odd number of the four cells around a point are its own.
    Sorted by row, two successive corners of a part are the ends of a horizontal edge; sorted by
    column, of a vertical one.
    """
    around = (label[:-1, :-1], label[:-1, 1:], label[1:, :-1], label[1:, 1:])
    parts, rows, columns = [], [], []
    for number, own in enumerate(around):
        alike = sum((own == other).astype(np.int8) for other in around)
        is_corner = (own > 0) & (alike % 2 == 1)
        for other in around[:number]:
            is_corner &= own != other
        row, column = np.nonzero(is_corner)
        parts.append(own[row, column])
        rows.append(row)
        columns.append(column)
    part, row, column = (np.concatenate(each) for each in (parts, rows, columns))
    order = np.lexsort((column, row, part))
    part, row, column = part[order], row[order], column[order]
    by_column = np.lexsort((row, column, part))
    beside = np.empty(part.size, dtype=np.int64)
    beside[by_column] = by_column.reshape(-1, 2)[:, ::-1].ravel()
    lengths = np.bincount(part)[1:]
    down = beside.tolist()
    ring = []
    at = 0
    for length in lengths.tolist():
        # corners lie in pairs: left end and right end of a horizontal edge
        corner = at
        for _ in range(length // 2):
            ring.append(corner)
            corner ^= 1
            ring.append(corner)
            corner = down[corner]
        at += length
    return np.stack((row[ring], column[ring]), axis=1), lengths
