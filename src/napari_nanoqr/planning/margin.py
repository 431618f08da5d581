"""How many times the electrons that a symbol takes there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.simulate import pattern_of
from napari_nanoqr.planning.channel import Channel, expected_film, measure_channel
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.read_probability import dose_margin

_MOST_STEPS = 5
"""Doses that are tried."""

_CLOSE = 1.25
"""Margin below which a channel tells of it: with more the modules are all but certain, and how
certain is hard to say."""


def measure_margin(
    source: MillPlan | Pattern,
    version: int | str,
    error: str,
    sem: SemCondition | None = None,
    *,
    film: Film | None = None,
    milled: FilmState | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Channel, float]:
    """Predict micrographs with ever fewer electrons, until a symbol is about to be lost.

    Parameters
    ----------
    source : MillPlan or Pattern
        What is milled.
    version : int or str
        Of the symbol; another one may stand for it in the source.
    error : {"L", "M", "Q", "H"}
        Its error-correction level.
    sem : SemCondition, optional
        How it is imaged.
    film : Film, optional
        What really is there; by default the source's.
    milled : FilmState, optional
        The film after milling, where that is known already.
    cancelled : callable, optional
        Asked before each image.

    Returns
    -------
    channel : Channel
        With all the electrons.
    margin : float
        1 where 99 of 100 images are expected to be read, 0 where nothing is told.

    Raises
    ------
    Cancelled
        Where `cancelled` said so.
    ValueError
        Where the source or the condition cannot be.
    """
    sem = sem or SemCondition()
    pattern = pattern_of(source) if isinstance(source, MillPlan) else source
    milled = milled or expected_film(pattern, film)
    channel = faint = measure_channel(pattern, sem, milled=milled, cancelled=cancelled)
    share = 1.0
    for _ in range(_MOST_STEPS - 1):
        margin = dose_margin(faint, version, error)
        if margin < _CLOSE:
            break
        share /= margin
        fewer = replace(sem, electrons_per_pixel=share * sem.electrons_per_pixel)
        faint = measure_channel(pattern, fewer, milled=milled, cancelled=cancelled)
    return channel, dose_margin(faint, version, error) / share
