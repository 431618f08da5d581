"""An order of points in which the beam jumps over little film.

What is milled is cut into strips: runs of points in a row, continued downwards as long as just one
run of the next row touches. A strip is milled as a serpentine, from either end, and the strips are
put one after the other by always going to the nearest end that is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ends = NDArray[np.float64]
"""``(n, 2)`` row and column of points."""


def shortest_travel(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """List the points of a mask so that the beam travels little between them.

    Parameters
    ----------
    mask : (rows, columns) bool array
        Points to visit.

    Returns
    -------
    (n,) int64 array
        Position of each point in the flattened mask.
    """
    row, start, end, strip = _strips(mask)
    if not row.size:
        return np.empty(0, dtype=np.int64)
    order = np.lexsort((row, strip))
    row, start, end, strip = row[order], start[order], end[order], strip[order]
    first = np.flatnonzero(np.diff(strip, prepend=-1))
    last = np.append(first[1:], row.size) - 1
    # a strip is entered at one of its four corners, and left at the end of its serpentine
    odd = (last - first) % 2 == 1
    corners = np.stack(
        (
            np.stack((row[first], start[first]), axis=1),
            np.stack((row[first], end[first]), axis=1),
            np.stack((row[last], start[last]), axis=1),
            np.stack((row[last], end[last]), axis=1),
        )
    ).astype(np.float64)
    # from the top left, an even number of rows ends at the left, an odd one at the right
    exits = np.where(odd[:, None], corners[[2, 3, 0, 1]], corners[[3, 2, 1, 0]])
    chosen, corner = _nearest_first(corners, exits)
    return _points(row, start, end, first, last, chosen, corner, mask.shape[1])


def _strips(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return row, first and last column, and strip of every run of points."""
    padded = np.pad(mask, ((0, 0), (1, 1)))
    row, start = np.nonzero(padded[:, 1:-1] & ~padded[:, :-2])
    end = np.nonzero(padded[:, 1:-1] & ~padded[:, 2:])[1]
    runs = row.size
    columns = mask.shape[1] + 1
    key_start, key_end = row * columns + start, row * columns + end
    # runs of the next row that touch lie between the first that ends after this one starts and
    # the last that starts before this one ends
    low = np.searchsorted(key_end, key_start + columns)
    high = np.searchsorted(key_start, key_end + columns, side="right")
    below = high - low
    above = np.zeros(runs + 1, dtype=np.int64)
    np.add.at(above, low[below > 0], 1)
    np.add.at(above, high[below > 0], -1)
    above = np.cumsum(above)[:runs]
    strip = np.arange(runs)
    single = np.flatnonzero(below == 1)
    single = single[above[low[single]] == 1]
    # rows come in order, so that a run's strip is known before that of the one below
    for run, under in zip(single.tolist(), low[single].tolist(), strict=True):
        strip[under] = strip[run]
    return row, start, end, strip


def _nearest_first(
    corners: NDArray[np.float64], exits: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return strips in the order in which they are visited, and the corner to enter each at.

    Parameters
    ----------
    corners, exits : (4, strips, 2) float64 array
        Where a strip can be entered, and where it is then left.
    """
    from scipy.spatial import cKDTree

    strips = corners.shape[1]
    entries = corners.reshape(-1, 2)
    left = np.ones(4 * strips, dtype=bool)
    index, tree = np.arange(4 * strips), cKDTree(entries)
    chosen, how = np.empty(strips, dtype=np.int64), np.empty(strips, dtype=np.int64)
    place, remaining = entries[0], strips
    for step in range(strips):
        if 2 * (strips - step) < remaining:
            # a tree of mostly visited strips is slow to search
            index = np.flatnonzero(left)
            tree, remaining = cKDTree(entries[index]), strips - step
        found = _nearest_left(tree, index, left, place)
        corner, strip = divmod(found, strips)
        chosen[step], how[step] = strip, corner
        left[strip::strips] = False
        place = exits[corner, strip]
    return chosen, how


def _nearest_left(
    tree: object, index: NDArray[np.int64], left: NDArray[np.bool_], place: NDArray[np.float64]
) -> int:
    """Find the nearest entry that is left, looking at more and more neighbours."""
    count = 8
    while True:
        _, near = tree.query(place, min(count, index.size))  # type: ignore[attr-defined]
        found = index[np.atleast_1d(near)]
        usable = found[left[found]]
        if usable.size:
            return int(usable[0])
        count *= 4


def _points(
    row: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64],
    first: NDArray[np.int64], last: NDArray[np.int64],
    chosen: NDArray[np.int64], corner: NDArray[np.int64], columns: int,
) -> NDArray[np.int64]:  # fmt: skip
    """List the points of strips, each as a serpentine from the corner where it is entered."""
    lengths = (last - first + 1)[chosen]
    position = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    from_top = np.repeat(corner < 2, lengths)
    runs = np.where(
        from_top,
        np.repeat(first[chosen], lengths) + position,
        np.repeat(last[chosen], lengths) - position,
    )
    rightwards = (np.repeat(corner % 2, lengths) + position) % 2 == 0
    points = (end - start + 1)[runs]
    along = np.arange(points.sum()) - np.repeat(np.cumsum(points) - points, points)
    here = np.repeat(rightwards, points)
    column = np.where(
        here, np.repeat(start[runs], points) + along, np.repeat(end[runs], points) - along
    )
    return np.asarray(np.repeat(row[runs], points) * columns + column)
