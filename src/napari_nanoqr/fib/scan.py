"""The order in which the beam visits the points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

ScanOrder = Literal[
    "serpentine", "raster", "interlaced", "spiral out", "spiral in", "contour first",
    "module by module", "random", "shortest travel",
]  # fmt: skip
SCAN_ORDERS: tuple[ScanOrder, ...] = get_args(ScanOrder)

ROW_BY_ROW: frozenset[ScanOrder] = frozenset(("serpentine", "raster"))
"""Orders that may be listed a few rows at a time, an even number of them."""

SEED = 18004
"""Of the random order, so that a plan is written the same every time."""

Order = NDArray[np.int64]


def scan_order(mask: NDArray[np.bool_], order: ScanOrder, points_per_module: int = 1) -> Order:
    """List the points of a mask in the order in which the beam visits them.

    Parameters
    ----------
    mask : (rows, columns) bool array
        Points to visit.
    order : ScanOrder
        ``"raster"``: every row from left to right. ``"serpentine"``: every other row back from
        right to left. ``"interlaced"``: the rows 0, 2, 4 ..., then the others, so that what is
        milled cools and clears. ``"spiral out"`` and ``"spiral in"``: square rings about the
        middle. ``"contour first"``: the outline of what is milled, then layer by layer inwards.
        ``"module by module"``: each module wholly before the next. ``"random"``: a fixed random
        order. ``"shortest travel"``: patches that hang together one after the other, so that
        the beam jumps over as little film as possible.
    points_per_module : int
        Points along a module.

    Returns
    -------
    (n,) int64 array
        Position of each point in the flattened mask.

    Raises
    ------
    ValueError
        Where the order does not exist.
    """
    if order not in SCAN_ORDERS:
        raise ValueError(f"Scan order {order!r} does not exist: use {', '.join(SCAN_ORDERS)}.")
    if order == "module by module":
        return _module_by_module(mask, points_per_module)
    return _ORDERS[order](mask)


def _raster(mask: NDArray[np.bool_]) -> Order:
    return np.flatnonzero(mask)


def _serpentine(mask: NDArray[np.bool_]) -> Order:
    # flip every other row, list row by row, and flip the columns back
    columns = mask.shape[1]
    turned = mask.copy()
    turned[1::2] = turned[1::2, ::-1]
    points = np.flatnonzero(turned)
    row = points // columns
    return np.where(row & 1, (2 * row + 1) * columns - 1 - points, points)


def _interlaced(mask: NDArray[np.bool_]) -> Order:
    columns = mask.shape[1]
    found = []
    for first in (0, 1):
        points = _serpentine(mask[first::2])
        row, column = np.divmod(points, columns)
        found.append((2 * row + first) * columns + column)
    return np.concatenate(found)


def _spiral_out(mask: NDArray[np.bool_]) -> Order:
    points = np.flatnonzero(mask)
    row, column = np.divmod(points, mask.shape[1])
    y, x = row - (mask.shape[0] - 1) / 2, column - (mask.shape[1] - 1) / 2
    ring = np.maximum(np.abs(y), np.abs(x))
    return points[np.lexsort((np.arctan2(y, x), ring))]


def _spiral_in(mask: NDArray[np.bool_]) -> Order:
    return _spiral_out(mask)[::-1]


def _contour_first(mask: NDArray[np.bool_]) -> Order:
    from scipy.ndimage import distance_transform_cdt

    # the border counts as film that is kept
    layer = distance_transform_cdt(np.pad(mask, 1), "chessboard")[1:-1, 1:-1]
    found = [_shortest_travel(layer == depth) for depth in range(1, int(layer.max()) + 1)]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _module_by_module(mask: NDArray[np.bool_], k: int) -> Order:
    points = np.flatnonzero(mask)
    row, column = np.divmod(points, mask.shape[1])
    module_row, module_column = row // k, column // k
    # modules as a serpentine, and the points of each as one too
    across = np.where(module_row % 2 == 1, -module_column, module_column)
    inner_row = row % k
    inner = np.where(inner_row % 2 == 1, -column, column)
    return points[np.lexsort((inner, inner_row, across, module_row))]


def _random(mask: NDArray[np.bool_]) -> Order:
    return np.random.default_rng(SEED).permutation(np.flatnonzero(mask))


def _shortest_travel(mask: NDArray[np.bool_]) -> Order:
    from napari_nanoqr.fib.travel import shortest_travel

    return shortest_travel(mask)


_ORDERS: dict[str, Callable[[NDArray[np.bool_]], Order]] = {
    "serpentine": _serpentine,
    "raster": _raster,
    "interlaced": _interlaced,
    "spiral out": _spiral_out,
    "spiral in": _spiral_in,
    "contour first": _contour_first,
    "random": _random,
    "shortest travel": _shortest_travel,
}
