"""What each module of a milled film tells our reader, measured on predicted micrographs.

It hangs on pitch, film, ion beam and SEM, not on the symbol: one channel serves all symbols that
would be milled and imaged alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.bounds import rho_of_information
from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.design.record import record_design
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.sidecar import placed_designs
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.simulate import mill_pattern, pattern_of, simulate_micrograph
from napari_nanoqr.physics.sputtering import EXPECTED
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.progress import Cancelled as Cancelled
from napari_nanoqr.symbols.kinds import layout_of

_MODULES = 2200
"""Data modules of all images together: what they tell is then known to 1 %."""

_MOST_IMAGES = 8

_TURN_DEG = 7.0
"""First rotation, and from image to image: modules meet the pixels in ever other ways."""

_SLOPES = np.linspace(0.2, 1.4, 61)
_SLOPE_SPREAD = 0.15
"""Factors of the likelihoods that are compared, and how far from 1 they are expected."""


@dataclass(frozen=True)
class Channel:
    """What a module tells.

    Parameters
    ----------
    bits : float
        Information of a data module, 0 to 1 bit on average.
    slope : float
        By how much the reader's likelihoods had to be shrunk to be true; 1 where they are.
    """

    bits: float
    slope: float = 1.0

    @property
    def rho(self) -> float:
        """Amplitude over sigma of a binary symbol in Gaussian noise that tells as much."""
        return rho_of_information(self.bits) if self.bits > 0 else 0.0


def representative_plan(
    pitch_nm: float, film: Film | None = None, beam: Beam | None = None, *, over_etch: float = 1.0
) -> MillPlan:
    """Plan a symbol of middling size, that stands for all of this pitch, film and beam.

    Parameters
    ----------
    pitch_nm : float
        Side of a module.
    film : Film, optional
        By default 15 nm of CrN on glass.
    beam : Beam, optional
        By default that of `plan_milling`.
    over_etch : float
        Factor on the dose that mills through the film.
    """
    design = replace(record_design(), pitch_nm=pitch_nm, film=film or Film())
    return plan_milling(design, beam, over_etch=over_etch)


def measure_channel(
    source: MillPlan | Pattern,
    sem: SemCondition | None = None,
    *,
    film: Film | None = None,
    milled: FilmState | None = None,
    images: int | None = None,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Channel:
    """Predict a few micrographs and ask our reader what their modules say.

    Parameters
    ----------
    source : MillPlan or Pattern
        What is milled; `representative_plan` where no symbol is chosen yet. A pattern has to
        tell its design.
    sem : SemCondition, optional
        How it is imaged.
    film : Film, optional
        What really is there, milled with the dose of the plan; by default the plan's.
    milled : FilmState, optional
        The film after milling, where that is known already; see :func:`expected_film`.
    images : int, optional
        By default as many as give about 2200 data modules, 8 at most.
    seed : int
        Of the noise.
    cancelled : callable, optional
        Asked before each image.

    Returns
    -------
    Channel
        Nothing told where the image has no contrast.

    Raises
    ------
    Cancelled
        Where `cancelled` said so.
    ValueError
        Where the plan or the condition cannot be.

    Notes
    -----
    Modules are weighed on the true grid: finding symbols costs next to nothing (locating is
    surer than decoding but for the strongest levels). The likelihoods L tell 1 - h(p) bits each,
    h the binary entropy and p = 1 / (1 + exp |L|), if they are true. They are made so: the factor
    s that makes the mean of 1 - log2(1 + exp(-s L)) greatest, L that of what was written, is
    applied first. That mean is the information as well, but varies twice as much.
    """
    sem = sem or SemCondition()
    pattern = pattern_of(source) if isinstance(source, MillPlan) else source
    dark = design_of(pattern).symbol.matrix
    data = ~layout_of(dark.shape).certain
    count = images or min(_MOST_IMAGES, math.ceil(_MODULES / data.sum()))
    asked = sem.arguments() | {"milled": milled or expected_film(pattern, film)}
    said = []
    for number in range(count):
        if cancelled is not None and cancelled():
            raise Cancelled
        said.append(_weighed(pattern, dark, asked, (number + 1) * _TURN_DEG, seed + number)[data])
    right = np.concatenate(said)
    if not right.any():
        return Channel(0.0)
    slope = _true_slope(right)
    return Channel(float(_told(slope * right).mean()), slope)


def expected_film(pattern: Pattern, film: Film | None = None) -> FilmState:
    """Mill a pattern as is to be expected: with the angle of incidence, and what falls back.

    Parameters
    ----------
    pattern : Pattern
        As read from its file.
    film : Film, optional
        What really is there; by default what it was planned for.

    Returns
    -------
    FilmState
        The film that all predictions of reading look at.
    """
    return mill_pattern(pattern, film, sputtering=EXPECTED)


def design_of(pattern: Pattern) -> Design:
    """Return the design that a pattern's sidecar holds.

    Raises
    ------
    ValueError
        Where it holds none, or several.
    """
    placed = placed_designs(pattern.metadata)
    if not placed:
        raise ValueError(
            "This pattern does not tell which design it holds: keep its sidecar (.json) beside it."
        )
    if len(placed) > 1:
        raise ValueError(
            f"This pattern holds {len(placed)} designs, and can be predicted as a whole only: "
            "simulate its micrograph and decode that, or take the file of a single design."
        )
    return placed[0].design


def _weighed(
    pattern: Pattern, dark: NDArray[np.bool_], asked: dict[str, Any], turn_deg: float, seed: int
) -> NDArray[np.float64]:
    """Return log-likelihoods of what was written, from one image."""
    from napari_nanoqr.reading.equalise import module_likelihoods
    from napari_nanoqr.reading.grid import Grid

    micrograph = simulate_micrograph(pattern, rotation_deg=turn_deg, seed=seed, **asked)
    corners = np.array(micrograph.metadata["truth"]["corners_yx"])
    seen = module_likelihoods(
        micrograph.image.astype(np.float32), Grid.from_corners(corners, dark.shape)
    )
    return np.where(dark, -1.0, 1.0) * seen.llr


def _true_slope(right: NDArray[np.float64]) -> float:
    """Return the factor that makes likelihoods of what was written true."""
    likelihood = np.array([-np.logaddexp(0, -slope * right).sum() for slope in _SLOPES])
    likelihood -= 0.5 * ((_SLOPES - 1) / _SLOPE_SPREAD) ** 2
    return float(_SLOPES[likelihood.argmax()])


def _told(llr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits that likelihoods tell, if they are true."""
    wrong = 1 / (1 + np.exp(np.abs(llr)))
    return np.asarray(1 + wrong * np.log2(wrong) + (1 - wrong) * np.log2(1 - wrong))
