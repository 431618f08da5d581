"""Points at even distances with a dose each, in the order in which the beam visits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.scan import ROW_BY_ROW, ScanOrder, scan_order

CHUNK = 1 << 16
"""Points that are made at a time, so that memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Points at even distances, each the middle of a square cell.

    Parameters
    ----------
    dose : (rows, columns) float32 array
        Dose of each cell in units of the base dose, 0 where the beam never goes.
    pitch_nm : float
        Distance of the points.
    left_nm, top_nm : float
        Outer corner of the first cell, the field's centre at 0, x to the right and y down.
    scan : ScanOrder
        Order in which the points are visited.
    points_per_module : int
        Points along a module, for orders that go module by module.
    """

    dose: NDArray[np.float32]
    pitch_nm: float
    left_nm: float
    top_nm: float
    scan: ScanOrder = "serpentine"
    points_per_module: int = 1

    @cached_property
    def n_points(self) -> int:
        """Number of points that are visited."""
        return int(np.count_nonzero(self.dose))

    @cached_property
    def total_dose(self) -> float:
        """Sum of the relative doses of all points."""
        return float(self.dose.sum(dtype=np.float64))

    @property
    def bounds_nm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the outermost visited points in nm."""
        rows = np.flatnonzero(self.dose.any(axis=1))
        columns = np.flatnonzero(self.dose.any(axis=0))
        x, y = self.left_nm + self.pitch_nm / 2, self.top_nm + self.pitch_nm / 2
        return (
            float(x + columns[0] * self.pitch_nm), float(y + rows[0] * self.pitch_nm),
            float(x + columns[-1] * self.pitch_nm), float(y + rows[-1] * self.pitch_nm),
        )  # fmt: skip

    def points(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Yield points in nm, ``(n, 2)`` x and y, and their doses, in the order of the scan."""
        rows, columns = self.dose.shape
        at_a_time = rows
        if self.scan in ROW_BY_ROW:
            # as many rows as make a chunk, an even number, so that all bands begin alike
            at_a_time = max(2, CHUNK // columns // 2 * 2)
        corner = np.array((self.left_nm, self.top_nm)) + self.pitch_nm / 2
        for top in range(0, rows, at_a_time):
            dose = self.dose[top : top + at_a_time]
            order = scan_order(dose > 0, self.scan, self.points_per_module)
            flat = dose.ravel()
            for start in range(0, order.size, CHUNK):
                index = order[start : start + CHUNK]
                row = index // columns
                points = np.empty((index.size, 2))
                points[:, 0] = index - row * columns
                points[:, 1] = row + top
                points *= self.pitch_nm
                points += corner
                yield points, flat[index].astype(np.float64)
