"""Proximity correction: the dose with which every module comes out at its nominal size.

A beam of finite width rounds and moves the edges of what it mills: over-etching widens modules,
the tail of the beam adds to dense areas and starves lonely modules. Both are taken back by a dose
for each point, found by iteration: points near an edge are scaled until half of the film goes
where the edge is meant to be, points inside until the middle of their module has the dose that
was planned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.column import Beam

HALF = 0.5
"""Share of the film that is gone where a module ends."""

ITERATIONS = 30
SETTLED_NM = 0.1
"""Root mean square of the distance of edges from their places below which it ends."""

STEP = 0.02
"""Doses are rounded to this, so that shapes of equal dose can be joined. An edge moves by less
than 0.02 times the core's sigma."""

LEAST, MOST = 0.3, 4.0
"""Doses are kept between these; beyond them the beam is too wide for the pitch."""


def corrected_dose(
    milled: NDArray[np.bool_],
    points_per_module: int,
    point_pitch_nm: float,
    beam: Beam,
    over_etch: float = 1.0,
) -> NDArray[np.float32]:
    """Find the dose of each point with which modules keep their size.

    Parameters
    ----------
    milled : (rows, columns) bool array
        Modules to be milled.
    points_per_module : int
        Points along one side of a module.
    point_pitch_nm : float
        Distance of the points.
    beam : Beam
        Its core and tail.
    over_etch : float
        Planned dose over the one that just mills through the film.

    Returns
    -------
    (rows * points, columns * points) float32 array
        Dose in units of the planned one, 0 where the beam never goes.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    k = points_per_module
    # a border of cells that are not milled, so that the outermost edges are like all others
    visited = np.pad(milled.repeat(k, axis=0).repeat(k, axis=1), 1)
    core = beam.core_sigma_nm / point_pitch_nm
    dose = visited.astype(np.float64)
    sides = _sides(visited)
    lined = np.sum(list(sides.values()), axis=0)
    depth = distance_transform_edt(visited) - 0.5
    near = np.where(visited, np.exp(-0.5 * (depth / core) ** 2), 0.0)
    weight = gaussian_filter(lined.astype(np.float64), core) + 1e-12
    edge_dose = HALF / over_etch
    for _ in range(ITERATIONS):
        spread = Spread(dose, point_pitch_nm, beam)
        wanted = np.zeros_like(dose)
        for side, of_cell in sides.items():
            wanted[of_cell] += np.log(edge_dose / spread.at(side)[of_cell])
        along = gaussian_filter(wanted, core) / weight
        inside = np.log(1 / _middles(spread.centres[1:-1, 1:-1], k))
        step = near * along + (visited - near) * np.pad(inside, 1)
        dose = np.where(visited, np.clip(dose * np.exp(step), LEAST, MOST), 0.0)
        # an edge is off by the share that its dose is off over the relative slope of the dose
        off_nm = (wanted / np.maximum(lined, 1))[lined > 0] * beam.core_sigma_nm
        if np.sqrt(np.mean(off_nm**2) * np.pi / 2) < SETTLED_NM:
            break
    rounded = np.maximum(np.rint(dose / STEP) * STEP, LEAST)
    return np.where(visited, rounded, 0.0)[1:-1, 1:-1].astype(np.float32)


class Spread:
    """The dose that a beam makes of points, at their places and between them.

    Parameters
    ----------
    dose : (rows, columns) float64 array
        Dose of each point.
    pitch_nm : float
        Distance of the points.
    beam : Beam
        Its core and tail.
    """

    def __init__(self, dose: NDArray[np.float64], pitch_nm: float, beam: Beam) -> None:
        from scipy.ndimage import correlate1d

        self._dose = dose
        core = beam.core_sigma_nm / pitch_nm
        self._here, self._between = _kernel(core, 0.0), _kernel(core, 0.5)
        self._core_share = 1 - beam.tail_fraction
        tail = _kernel(core * beam.tail_width, 0.0)
        across = correlate1d(dose, tail, axis=1, mode="constant")
        self._tail = beam.tail_fraction * correlate1d(across, tail, axis=0, mode="constant")

    @property
    def centres(self) -> NDArray[np.float64]:
        """Dose at the points themselves, ``(rows, columns)``."""
        return np.asarray(self._core(self._here, self._here) + self._tail)

    def at(self, side: str) -> NDArray[np.float64]:
        """Return the dose in the middle of one side of each cell.

        Parameters
        ----------
        side : {"left", "right", "top", "bottom"}
            Which.

        Returns
        -------
        (rows, columns) float64 array
            Of the tail, the mean of both cells: it changes slowly.
        """
        axis, after = (1, side == "right") if side in ("left", "right") else (0, side == "bottom")
        kernels = (self._between, self._here) if axis == 0 else (self._here, self._between)
        tail = (self._tail + np.roll(self._tail, 1, axis)) / 2
        found = self._core(*kernels) + tail
        return np.asarray(np.roll(found, -1, axis) if after else found)

    def _core(self, down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.ndimage import correlate1d

        found = correlate1d(self._dose, across, axis=1, mode="constant")
        found = correlate1d(found, down, axis=0, mode="constant")
        return np.asarray(self._core_share * found)


def _kernel(sigma: float, shift: float) -> NDArray[np.float64]:
    """Gaussian, sampled at the points or, with a shift of a half, midway before each."""
    reach = max(1, int(np.ceil(4 * sigma)))
    at = np.arange(-reach, reach + (shift == 0)) + shift
    return np.asarray(np.exp(-0.5 * (at / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)))


def _sides(visited: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return, for each side, the visited cells that have no visited neighbour there."""
    return {
        "left": visited & ~np.roll(visited, 1, 1),
        "right": visited & ~np.roll(visited, -1, 1),
        "top": visited & ~np.roll(visited, 1, 0),
        "bottom": visited & ~np.roll(visited, -1, 0),
    }


def _middles(dose: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return, for each cell, the dose in the middle of its module."""
    rows, columns = dose.shape[0] // k, dose.shape[1] // k
    blocks = dose.reshape(rows, k, columns, k)
    low, high = (k - 1) // 2, k // 2 + 1
    middle = blocks[:, low:high, :, low:high].mean(axis=(1, 3))
    return np.asarray(np.maximum(middle, 0.05).repeat(k, axis=0).repeat(k, axis=1))
