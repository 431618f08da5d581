"""The order in which the beam visits the points."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

ScanOrder = Literal["serpentine", "raster"]
SCAN_ORDERS: tuple[ScanOrder, ...] = get_args(ScanOrder)


def scan_points(mask: NDArray[np.bool_], order: ScanOrder) -> NDArray[np.int64]:
    """List the points of a mask in the order in which the beam visits them.

    Parameters
    ----------
    mask : (rows, columns) bool array
        Points to visit.
    order : {"serpentine", "raster"}
        Every row from left to right, or every other one back from right to left.

    Returns
    -------
    (n, 2) int64 array
        Row and column of each point.

    Raises
    ------
    ValueError
        Where the order does not exist.
    """
    if order not in SCAN_ORDERS:
        raise ValueError(f"Scan order {order!r} does not exist: use {' or '.join(SCAN_ORDERS)}.")
    if order == "raster":
        return np.argwhere(mask)
    # flip every other row, list row by row, and flip the columns back
    turned = mask.copy()
    turned[1::2] = turned[1::2, ::-1]
    points = np.argwhere(turned)
    back = points[:, 0] % 2 == 1
    points[back, 1] = mask.shape[1] - 1 - points[back, 1]
    return points
