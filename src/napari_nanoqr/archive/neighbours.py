"""What modules add to each other: how deep a module is, and how it looks, among random ones."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.physics.sem import SemModel

SIDE = 52
"""Modules on a side of what is looked at: each of four levels occurs some 600 times."""

PLACES = 5
"""Places along a module at which its depth is told."""

REACH = 2
"""Modules on either side that the beam's tail reaches."""

LEFT = 0.5
"""Share that a reader leaves of what neighbours add to a module. Together with
`napari_nanoqr.archive.levels.PIXELS_TOLD` it foretells what soft bits tell to 2 % (standard
deviation, 32 simulated micrographs of 2 x 2 tiles: two beams, two escape depths, 20 to 30,000
electrons a pixel)."""


class Neighbourhood:
    """Random modules, to try doses on.

    Parameters
    ----------
    levels : int
        2 or 4.
    film : Film
        What is milled.
    model : SemModel
        Yields and escape depth.
    beam : Beam
        Its spot and its tail.
    pitch_nm : float
        Side of a module.
    spread : float
        Standard deviation of a module's dose, as a share.
    """

    def __init__(
        self, levels: int, film: Film, model: SemModel, beam: Beam, pitch_nm: float, spread: float
    ) -> None:
        rng = np.random.default_rng(1)
        drawn = rng.integers(0, levels, (SIDE, SIDE))
        off = 1 + spread * rng.standard_normal(drawn.shape)
        shares = _shares(beam, pitch_nm)
        self._film, self._model = film, model
        # depths are linear in the doses of the levels
        self._parts = np.stack([_spread((drawn == n) * off, shares) for n in range(1, levels)])
        inner = drawn[REACH:-REACH, REACH:-REACH]
        self._own = np.eye(levels)[inner.ravel()]
        around = [
            np.eye(levels)[np.roll(drawn, step, (0, 1))[REACH:-REACH, REACH:-REACH].ravel()]
            for step in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
        ]
        self._beside, self._across = sum(around[:4]), sum(around[4:])

    def seen(
        self, dose: NDArray[np.float64], left: float = LEFT
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return how levels look.

        Parameters
        ----------
        dose : (levels,) float64 array
            In units of that which just mills through a wide area; the first is 0.
        left : float
            Share that a reader leaves of what neighbours add.

        Returns
        -------
        depth_nm, signal, spread : (levels,) float64 arrays
            Mean depth and mean relative yield of modules of each level, and the standard
            deviation of that yield that a reader is left with.
        """
        film, model = self._film, self._model
        depth = np.minimum(np.tensordot(dose[1:], self._parts, 1), 1) * film.thickness_nm
        cover = np.expm1((depth - film.thickness_nm) / model.escape_nm)
        cover /= math.expm1(-film.thickness_nm / model.escape_nm)
        yields = model.floor_yield + (model.film_yield - model.floor_yield) * cover
        values, count = yields.mean(axis=1), self._own.sum(axis=0)
        means = values @ self._own / count
        # what neighbours add in proportion to their own signal is what a reader takes out
        added = np.stack(((self._beside @ means), (self._across @ means)), axis=1)
        added -= added.mean(axis=0)
        terms = np.column_stack((self._own, added))
        rest = values - terms @ np.linalg.solve(terms.T @ terms, terms.T @ values)
        spreads = [
            np.sqrt(each**2 @ self._own / count) for each in (values - self._own @ means, rest)
        ]
        spread = left * spreads[0] + (1 - left) * spreads[1]
        return depth.mean(axis=1) @ self._own / count, means, spread


def _shares(beam: Beam, pitch_nm: float) -> NDArray[np.float64]:
    """Share of each module's dose at places of the middle one, ``(places, modules)``."""
    at = (np.arange(PLACES) + 0.5) / PLACES
    edges = np.arange(-REACH, REACH + 2)[None] - at[:, None]
    total = np.zeros((PLACES, PLACES, 2 * REACH + 1, 2 * REACH + 1))
    for part, width in ((1 - beam.tail_fraction, 1.0), (beam.tail_fraction, beam.tail_width)):
        scale = pitch_nm / (beam.core_sigma_nm * width * math.sqrt(2))
        below = np.array([[0.5 * math.erf(edge * scale) for edge in row] for row in edges])
        line = np.diff(below, axis=1)
        total += part * np.einsum("ia,jb->ijab", line, line)
    return total.reshape(PLACES**2, -1)


def _spread(dose: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth at the places of all inner modules, ``(modules, places)``, in units of the film."""
    window = (2 * REACH + 1,) * 2
    around = np.lib.stride_tricks.sliding_window_view(dose, window)
    depth: NDArray[np.float64] = around.reshape(-1, window[0] ** 2) @ shares.T
    return depth


@cache
def neighbourhood(
    levels: int, film: Film, model: SemModel, beam: Beam, pitch_nm: float, spread: float
) -> Neighbourhood:
    """Return random modules, the same for the same arguments."""
    return Neighbourhood(levels, film, model, beam, pitch_nm, spread)
