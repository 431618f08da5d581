"""How small the modules of a symbol can be: what the beam resolves, and what is still read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from napari_nanoqr.codes.bounds import capacity_and_dispersion
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.beam_choice import finest_beam, resolved_pitch_nm
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.planning.channel import Channel, measure_channel, representative_plan
from napari_nanoqr.planning.choice import Limit
from napari_nanoqr.planning.condition import SemCondition

PITCH_STEP_NM = 1.0
"""Pitches are whole nm: layouts hold them exactly, and so does the field of a stream to a tenth."""

_FIRST_PIXELS = 4.0
"""Pixels a module of the first pitch that is looked at."""

_MOST_PIXELS = 16.0
"""With as many pixels a module, larger modules are no way to be read: electrons are."""

_RATIO = 1.25
"""Farthest that two pitches lie apart between which the channel is interpolated. Its rho bends so
that a straight line in logarithms is up to 1 % too low, by what the simulation is uncertain."""


class SmallestPitch(NamedTuple):
    """The smallest pitch of a symbol.

    Parameters
    ----------
    pitch_nm : float
        A multiple of :data:`PITCH_STEP_NM`.
    limited_by : {"beam spot", "reading dose"}
        What keeps it from being smaller.
    """

    pitch_nm: float
    limited_by: Limit


class PitchSweep:
    """What modules of any pitch tell, simulated at no more pitches than it takes.

    Parameters
    ----------
    film : Film, optional
        By default 15 nm of CrN on glass.
    beam : Beam, optional
        By default the one with the smallest spot: none other mills as small.
    sem : SemCondition, optional
        How the symbols will be imaged.
    told : callable, optional
        Called with each pitch in nm before it is simulated.
    cancelled : callable, optional
        Asked now and then; True stops.

    Notes
    -----
    With beam, film and SEM given, rho grows with the pitch, nearly as one of its powers. So
    whatever is asked, it lies between two pitches that are known, and these are brought together.
    """

    def __init__(
        self,
        film: Film | None = None,
        beam: Beam | None = None,
        sem: SemCondition | None = None,
        *,
        told: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.beam = beam or finest_beam()
        self._film, self._sem = film, sem or SemCondition()
        self._told, self._cancelled = told, cancelled
        self._rho: dict[float, float] = {}
        self.resolved_nm = _whole(resolved_pitch_nm(self.beam))
        """Smallest pitch that the beam resolves."""
        self._largest_nm = max(self.resolved_nm, _whole(_MOST_PIXELS * self._sem.pixel_size_nm))

    def smallest(self, rho: float) -> SmallestPitch | None:
        """Return the smallest pitch at which modules tell enough.

        Parameters
        ----------
        rho : float
            See :func:`~napari_nanoqr.planning.needed.least_rho`.

        Returns
        -------
        SmallestPitch or None
            None where not even 16 pixels a module would do.

        Raises
        ------
        Cancelled
            Where the sweep's `cancelled` said so.
        ValueError
            Where film, beam or SEM cannot be.
        """
        low, high = self._between(rho)
        if high is None:
            return None
        if low is None:
            return SmallestPitch(high, "beam spot")
        root = low + PITCH_STEP_NM
        while root < high and self.channel(root).rho < rho:
            root += PITCH_STEP_NM
        return SmallestPitch(root, "reading dose")

    def channel(self, pitch_nm: float) -> Channel:
        """Return what modules of a pitch that :meth:`smallest` gave tell."""
        return Channel(capacity_and_dispersion(self._interpolated(pitch_nm))[0])

    def _between(self, rho: float) -> tuple[float | None, float | None]:
        """Return the next pitches that tell less and enough, close to each other."""
        while True:
            less = [pitch for pitch, tells in self._rho.items() if tells < rho]
            enough = [pitch for pitch, tells in self._rho.items() if tells >= rho]
            low, high = max(less, default=None), min(enough, default=None)
            if low is not None and high is not None and low > high:
                # the noise of simulations; to be on the safe side
                high = min((pitch for pitch in enough if pitch > low), default=None)
            if low == self._largest_nm or high == self.resolved_nm:
                return (low, None) if high is None else (None, high)
            if low is None and high is None:
                middle = _whole(_FIRST_PIXELS * self._sem.pixel_size_nm)
                self._simulate(max(self.resolved_nm, min(middle, self._largest_nm)))
            elif low is None:
                assert high is not None
                self._simulate(max(self.resolved_nm, _step_down(high)))
            elif high is None:
                self._simulate(min(self._largest_nm, _step_up(low)))
            elif high <= _step_up(low):
                return low, high
            else:
                self._simulate(_step_up(low))

    def _simulate(self, pitch_nm: float) -> None:
        if self._told is not None:
            self._told(pitch_nm)
        plan = representative_plan(pitch_nm, self._film, self.beam)
        self._rho[pitch_nm] = measure_channel(plan, self._sem, cancelled=self._cancelled).rho

    def _interpolated(self, pitch_nm: float) -> float:
        # nothing told has no logarithm
        known = sorted((at, max(rho, 1e-6)) for at, rho in self._rho.items())
        pitches, rhos = np.log(np.array(known)).T
        return float(np.exp(np.interp(math.log(pitch_nm), pitches, rhos)))


def _whole(pitch_nm: float) -> float:
    """Round up to a pitch that is written."""
    return PITCH_STEP_NM * math.ceil(pitch_nm / PITCH_STEP_NM - 1e-9)


def _step_up(pitch_nm: float) -> float:
    """Return the next larger pitch that is simulated."""
    return max(pitch_nm + PITCH_STEP_NM, PITCH_STEP_NM * math.floor(pitch_nm * _RATIO))


def _step_down(pitch_nm: float) -> float:
    """Return the next smaller pitch that is simulated."""
    return min(pitch_nm - PITCH_STEP_NM, _whole(pitch_nm / _RATIO))
