"""Recesses of several depths: which doses tell most in the SEM, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.neighbours import LEFT, neighbourhood
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.physics.sem import SemModel

END_POINT_SPREAD = 0.01
"""Standard deviation of a module's depth, as a share of it: current, dwell and film thickness. An
assumption for one field of view; a writer finds out its own from a verified sheet."""

ONE_BIT_DOSE = 1.1
"""In units of that which just mills through: what is usual, so that nothing is left anywhere."""

PIXELS_TOLD = 0.95
"""Share of the pixels of a module that together tell its level: neighbours blur into the others."""

DETECTED = 100.0
"""Detected electrons a pixel, at a relative yield of 1, for which doses are chosen: with fewer,
other doses would tell a percent more, and with more these are good enough."""

PIXELS = 16.0
"""Pixels of a module for which they are chosen."""

MOST_DOSE = 1.3
"""Of the deepest level: what more does, the beam's tail does to the neighbours."""

LEAST_STEP = 0.03
"""Between doses, so that pattern files tell them apart."""

FINEST = 0.002
"""Step at which the search for doses ends: layouts tell thousandths."""

GRAY = ((0, 0), (0, 1), (1, 1), (1, 0))
"""Bits of four levels."""


@dataclass(frozen=True, eq=False)
class LevelSet:
    """The levels of a module among random ones: how deep, with how much dose, how bright.

    Parameters
    ----------
    depth_nm : (levels,) float64 array
        Mean depth of modules, rising; that of level 0 is what neighbours mill.
    dose : (levels,) float64 array
        Dose in units of that which just mills through a wide area; the first is 0.
    signal : (levels,) float64 array
        Mean relative yield that the SEM sees of a module.
    spread : (levels,) float64 array
        Standard deviation of it: by modules milled too deep or too shallow, and by what a reader
        leaves of what neighbours add.
    """

    depth_nm: NDArray[np.float64]
    dose: NDArray[np.float64]
    signal: NDArray[np.float64]
    spread: NDArray[np.float64]

    @property
    def bits(self) -> int:
        """Bits that a module carries."""
        return round(math.log2(len(self.dose)))

    @property
    def full_dose(self) -> float:
        """Dose of the deepest level, which is the dose of 1 of a pattern file."""
        return float(self.dose[-1])

    @property
    def shares(self) -> tuple[float, ...]:
        """Dose of each level in units of the full one, to thousandths, as pattern files tell it."""
        return tuple(round(float(dose) / self.full_dose, 3) for dose in self.dose)

    @property
    def dose_per_bit(self) -> float:
        """Mean dose for each bit, all levels as frequent, in units of the end-point's dose."""
        return float(self.dose.mean() / self.bits)

    def error_rate(self, detected: float, pixels: float) -> float:
        """Predict how often a bit, decided alone, is not the one that was milled.

        Parameters
        ----------
        detected : float
            Detected electrons for each pixel at a relative yield of 1; may be infinite.
        pixels : float
            Pixels that a module has.

        Returns
        -------
        float
            Share of wrong bits, all levels as frequent: shot noise and spread are taken as
            Gaussians.

        Raises
        ------
        ValueError
            Where a number is not positive.
        """
        return self._foretold(detected, pixels)[0]

    def information(self, detected: float, pixels: float) -> float:
        """Predict what soft bits tell, for each bit: 1 where all is told, 0 where nothing is.

        Parameters
        ----------
        detected, pixels : float
            As for :meth:`error_rate`.

        Raises
        ------
        ValueError
            Where a number is not positive.
        """
        return self._foretold(detected, pixels)[1]

    def _foretold(self, detected: float, pixels: float) -> tuple[float, float]:
        if not (detected > 0 and pixels > 0):
            raise ValueError("Levels are told apart by positive numbers of electrons and pixels.")
        sigma = np.hypot(self.spread, np.sqrt(self.signal / (detected * pixels * PIXELS_TOLD)))
        sigma = np.maximum(sigma, 1e-3)
        reach = 5 * sigma.max()
        values = np.linspace(self.signal.min() - reach, self.signal.max() + reach, 1500)
        likely = np.exp(-0.5 * ((values - self.signal[:, None]) / sigma[:, None]) ** 2)
        likely *= (values[1] - values[0]) / sigma[:, None] / math.sqrt(2 * math.pi)
        likely /= len(likely)
        bits = np.array(GRAY if self.bits == 2 else ((0,), (1,))).T
        wrong = missing = 0.0
        for plane in bits:
            each = np.stack([likely[plane == bit].sum(axis=0) for bit in (0, 1)])
            wrong += float(each.min(axis=0).sum())
            share = each / np.maximum(each.sum(axis=0), 1e-300)
            missing -= float((each * np.log2(np.maximum(share, 1e-300))).sum())
        return wrong / len(bits), max(1 - missing / len(bits), 0.0)


def level_set(
    bits: int = 1,
    film: Film | None = None,
    model: SemModel | None = None,
    beam: Beam | None = None,
    pitch_nm: float = 49.0,
    *,
    over_etch: float | None = None,
    end_point_spread: float = END_POINT_SPREAD,
) -> LevelSet:
    """Choose doses so that the levels tell most.

    Parameters
    ----------
    bits : int
        Bits a module.
    film : Film, optional
        By default 15 nm of CrN on glass.
    model : SemModel, optional
        Yields and escape depth.
    beam : Beam, optional
        That mills; its spot and its tail reach into neighbours.
    pitch_nm : float
        Side of a module.
    over_etch : float, optional
        Dose of the deepest level, in units of that which just mills through; by default 1 for one
        bit, and the best for two.
    end_point_spread : float
        Standard deviation of a module's dose or of the film's thickness, as a share.

    Returns
    -------
    LevelSet
        Of 2 or 4 levels.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    The signal of a film of which r nm remain is
    ``floor + (film - floor) (1 - exp(-r / escape)) / (1 - exp(-thickness / escape))``, as
    `napari_nanoqr.physics.sem` takes it. It falls only where little is left, and there the tail
    of the beam that mills the neighbours moves it most. Doses that would make the signals of wide
    areas equally far apart let the middle levels run into each other; those chosen here lie
    closer where the signal is steady and farther apart where it is not.
    """
    if bits not in (1, 2):
        raise ValueError(f"A module carries 1 or 2 bits, not {bits}.")
    if not 1 <= (over_etch or 1) <= 3 or not 0 <= end_point_spread < 0.5:
        raise ValueError("An over-etch is from 1 to 3, and a spread of depths from 0 to 0.5.")
    return _chosen(
        bits, film or Film(), model or SemModel(), beam or find_beam(), pitch_nm, over_etch,
        end_point_spread,
    )  # fmt: skip


def levels_of(
    dose: NDArray[np.float64],
    film: Film,
    model: SemModel,
    beam: Beam,
    pitch_nm: float = 49.0,
    *,
    end_point_spread: float = END_POINT_SPREAD,
    left: float = LEFT,
) -> LevelSet:
    """Return the levels that some doses make.

    Parameters
    ----------
    dose : (levels,) float64 array
        In units of that which just mills through; 2 or 4 of them, the first is 0.
    film, model, beam, pitch_nm, end_point_spread
        As for :func:`level_set`.
    left : float
        Share that a reader leaves of what neighbours add.
    """
    modules = neighbourhood(len(dose), film, model, beam, pitch_nm, end_point_spread)
    depth, signal, spread = modules.seen(dose, left)
    return LevelSet(depth, dose, signal, spread)


@cache
def _chosen(
    bits: int, film: Film, model: SemModel, beam: Beam, pitch_nm: float, over_etch: float | None,
    spread: float,
) -> LevelSet:  # fmt: skip
    def of(dose: NDArray[np.float64]) -> LevelSet:
        # as for a reader that takes nothing out: one that does is read more easily still, while
        # doses that count on it lose more where it does not go as well as foretold
        return levels_of(dose, film, model, beam, pitch_nm, end_point_spread=spread, left=1.0)

    if bits == 1:
        dose = np.array([0.0, over_etch or 1.0])
        return levels_of(dose, film, model, beam, pitch_nm, end_point_spread=spread)
    # equally far apart in wide areas, to begin with
    cover = np.array([2 / 3, 1 / 3])
    whole = -math.expm1(-film.thickness_nm / model.escape_nm)
    left = -model.escape_nm * np.log1p(-cover * whole) / film.thickness_nm
    best = of(np.array([0.0, *(1 - left), over_etch or 1.2]))
    told, step = best.information(DETECTED, PIXELS), 0.064
    free = (1, 2) if over_etch else (1, 2, 3)
    while step >= FINEST:
        better = False
        for level in free:
            for way in (step, -step):
                dose = best.dose.copy()
                dose[level] += way
                if np.diff(dose).min() < LEAST_STEP or dose[-1] > max(MOST_DOSE, over_etch or 0):
                    continue
                tried = of(dose)
                value = tried.information(DETECTED, PIXELS)
                if value > told:
                    best, told, better = tried, value, True
        if not better:
            step /= 2
    return levels_of(best.dose, film, model, beam, pitch_nm, end_point_spread=spread)
