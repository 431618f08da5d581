"""The order in which the beam visits the points."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

ScanOrder = Literal["serpentine", "raster"]
SCAN_ORDERS: tuple[ScanOrder, ...] = get_args(ScanOrder)


def scan_order(
    mask: NDArray[np.bool_], order: ScanOrder, points_per_module: int = 1
) -> NDArray[np.int64]:
    """List the points of a mask in the order in which the beam visits them.

    Parameters
    ----------
    mask : (rows, columns) bool array
        Points to visit.
    order : {"serpentine", "raster"}
        Every row from left to right, or every other one back from right to left.
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
        raise ValueError(f"Scan order {order!r} does not exist: use {' or '.join(SCAN_ORDERS)}.")
    if order == "raster":
        return np.flatnonzero(mask)
    # flip every other row, list row by row, and flip the columns back
    columns = mask.shape[1]
    turned = mask.copy()
    turned[1::2] = turned[1::2, ::-1]
    points = np.flatnonzero(turned)
    row, column = np.divmod(points, columns)
    return np.where(row % 2 == 1, row * columns + columns - 1 - column, points)
