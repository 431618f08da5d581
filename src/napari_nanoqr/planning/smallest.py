"""How small a symbol can be that holds a payload and will still be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.beam_choice import choose_beam
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.planning.channel import Channel, measure_channel, representative_plan
from napari_nanoqr.planning.cheapest import cheapest_mask
from napari_nanoqr.planning.choice import Choice, Limit
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.needed import ENOUGH, least_rho
from napari_nanoqr.planning.pitch_sweep import PitchSweep
from napari_nanoqr.planning.read_probability import Progress, ReadProbability, read_probability
from napari_nanoqr.progress import go_on
from napari_nanoqr.symbols.candidates import SYMBOLOGIES, Candidate, candidates
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.tables import LEVELS
from napari_nanoqr.symbols.urls import upper_case_url

MOST_CHOICES = 20
"""Choices that are listed by default; a short text has more than a hundred."""

_DIGITS = 4
"""Decimals of a probability; two that agree so far count as the same."""


class _Milled(NamedTuple):
    """What all symbols of a pitch have in common."""

    pitch_nm: float
    beam: Beam
    channel: Channel
    seconds_per_um2: float


class _Ranked(NamedTuple):
    area_um2: float
    reading: ReadProbability
    candidate: Candidate
    payload: bytes | str
    milled: _Milled
    limited_by: Limit | None = None


def smallest_symbols(
    payload: bytes | str,
    pitch_nm: float | Sequence[float] | Literal["smallest"] = 49.0,
    *,
    film: Film | None = None,
    beam: Beam | None = None,
    sem: SemCondition | None = None,
    allow_upper: bool = False,
    allow_eci: bool = False,
    symbologies: Sequence[str] = SYMBOLOGIES,
    least_probability: float | None = None,
    dominated: bool = True,
    cheapest: bool = False,
    most: int | None = MOST_CHOICES,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Choice]:
    """Rank all symbols that hold a payload by their area.

    Parameters
    ----------
    payload : bytes or str
        What to store.
    pitch_nm : float, sequence of float or "smallest"
        Side of a module; several are compared with each other. Each takes about a second.
        ``"smallest"`` finds it for each symbol: the smallest pitch in whole nm that the beam
        resolves and that is read with `least_probability`, in about ten seconds.
    film : Film, optional
        By default 15 nm of CrN on glass.
    beam : Beam, optional
        By default the fastest that resolves each pitch; for the smallest pitch the one of the
        same column with the smallest spot.
    sem : SemCondition, optional
        How the symbol will be imaged.
    allow_upper : bool
        Scheme and host of a URL may become capital letters where that makes it shorter; the URL
        stays the same.
    allow_eci : bool
        Text may be stored in another character set than UTF-8, named by an ECI.
    symbologies : sequence of {"QR", "Micro QR", "rMQR"}
        Kinds to choose from.
    least_probability : float, optional
        Symbols that are read less often are left out; by default none is, or those that are read
        in fewer than 0.99 of the images where their pitch is the smallest.
    dominated : bool
        List also those that are read no more often than a smaller one, or one of that size.
    cheapest : bool
        Give each that is listed the mask and polarity that take the least beam time and keep the
        margin, see :func:`~napari_nanoqr.planning.cheapest.cheapest_mask`; a second or two each.
    most : int, optional
        Length of the list; None for all.
    progress : callable, optional
        Called after each pitch with the number done, the number planned, and a sentence.
    cancelled : callable, optional
        Asked now and then; True stops.

    Returns
    -------
    list of Choice
        Smallest first; of the same area those first that are read most often.

    Raises
    ------
    ValueError
        Where the payload is empty, a beam resolves the pitch not, or a value makes no sense.
    Cancelled
        Where `cancelled` said so.
    """
    sem = sem or SemCondition()
    found = _holding(payload, allow_upper, allow_eci, symbologies)
    if isinstance(pitch_nm, str):
        least = ENOUGH if least_probability is None else least_probability
        ranked = _at_smallest(found, pitch_nm, film, beam, sem, least, progress, cancelled)
    else:
        ranked = [
            each
            for each in _at_given(found, pitch_nm, film, beam, sem, progress, cancelled)
            if each.reading.probability >= (least_probability or 0.0)
        ]
    ranked.sort(key=_order)
    if not dominated:
        ranked = _front(ranked)
    choices = [_choice(each, allow_eci) for each in ranked[:most]]
    return _cheapest(choices, film, sem, allow_eci, progress, cancelled) if cheapest else choices


def _holding(
    payload: bytes | str, allow_upper: bool, allow_eci: bool, symbologies: Sequence[str]
) -> list[tuple[Candidate, bytes | str]]:
    """Return all symbols with what they are to hold: the payload itself where it fits."""
    forms = [payload]
    if allow_upper and isinstance(payload, str) and (upper := upper_case_url(payload)) != payload:
        forms.append(upper)
    found: dict[Candidate, bytes | str] = {}
    for form in forms:
        for candidate in candidates(form, symbologies, allow_eci):
            found.setdefault(candidate, form)
    return list(found.items())


def _at_given(
    found: list[tuple[Candidate, bytes | str]], pitch_nm: float | Sequence[float],
    film: Film | None, beam: Beam | None, sem: SemCondition,
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> Iterator[_Ranked]:  # fmt: skip
    """Yield all symbols at each of some pitches."""
    pitches = np.atleast_1d(np.asarray(pitch_nm, dtype=float)).tolist()
    if not pitches:
        raise ValueError("Give at least one pitch.")
    for number, pitch in enumerate(pitches, start=1):
        go_on(cancelled)
        plan = representative_plan(pitch, film, beam or choose_beam(pitch).beam)
        channel = measure_channel(plan, sem, cancelled=cancelled)
        milled = _Milled(pitch, plan.beam, channel, plan.beam_on_time_s / plan.area_um2)
        for candidate, form in found:
            yield _ranked(candidate, form, milled)
        if progress is not None:
            progress(number, len(pitches), f"pitch {pitch:g} nm: {len(found)} symbols")


def _at_smallest(
    found: list[tuple[Candidate, bytes | str]], asked: str,
    film: Film | None, beam: Beam | None, sem: SemCondition, least: float,
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> list[_Ranked]:  # fmt: skip
    """Return those symbols that have a smallest pitch, at that one."""
    if asked != "smallest":
        raise ValueError(f"A pitch of {asked!r} cannot be: give it in nm, or 'smallest'.")
    if not 0 < least < 1:
        raise ValueError(
            f"A read probability of {least:g} is no limit for the smallest pitch: it lies between "
            "0 and 1."
        )
    done = 0

    def told(pitch: float) -> None:
        if progress is not None:
            progress(done, len(found), f"Simulating micrographs at a pitch of {pitch:g} nm …")

    sweep = PitchSweep(film, beam, sem, told=told, cancelled=cancelled)
    ranked, known = [], {}
    for candidate, form in found:
        smallest = sweep.smallest(least_rho(candidate.version, candidate.error, least))
        done += 1
        if smallest is None:
            continue
        pitch, limited_by = smallest
        if pitch not in known:
            go_on(cancelled)
            plan = representative_plan(pitch, film, sweep.beam)
            seconds = plan.beam_on_time_s / plan.area_um2
            known[pitch] = _Milled(pitch, sweep.beam, sweep.channel(pitch), seconds)
        ranked.append(_ranked(candidate, form, known[pitch], limited_by))
    return ranked


def _ranked(
    candidate: Candidate, payload: bytes | str, milled: _Milled, limited_by: Limit | None = None
) -> _Ranked:
    area_um2 = candidate.modules * (milled.pitch_nm / 1000) ** 2
    reading = read_probability(milled.channel, candidate.version, candidate.error)
    return _Ranked(area_um2, reading, candidate, payload, milled, limited_by)


def _order(ranked: _Ranked) -> tuple[float, float, int]:
    """Smallest first, then what is read most often, then the stronger level."""
    read, level = ranked.reading.probability, LEVELS.index(ranked.candidate.error)
    return ranked.area_um2, -round(read, _DIGITS), -level


def _front(ranked: list[_Ranked]) -> list[_Ranked]:
    """Keep what is read more often than all that is no larger."""
    front: list[_Ranked] = []
    best = -1.0
    for each in ranked:
        probability = round(each.reading.probability, _DIGITS)
        if probability > best:
            best = probability
            front.append(each)
    return front


def _choice(ranked: _Ranked, eci: bool) -> Choice:
    area_um2, reading, candidate, payload, milled, limited_by = ranked
    symbol = encode(payload, candidate.error, candidate.version, eci=eci)
    milled_um2 = np.count_nonzero(symbol.matrix) * (milled.pitch_nm / 1000) ** 2
    return Choice(
        candidate.symbology, candidate.version, candidate.error,
        (candidate.rows, candidate.columns), milled.pitch_nm, area_um2, milled.beam,
        milled_um2 * milled.seconds_per_um2, reading, payload, symbol.mask,
        limited_by=limited_by,
    )  # fmt: skip


def _cheapest(
    choices: list[Choice], film: Film | None, sem: SemCondition, eci: bool,
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> list[Choice]:  # fmt: skip
    """Return the choices with the mask that takes the least time and keeps the margin."""
    found = []
    for number, choice in enumerate(choices, start=1):
        symbol = encode(choice.payload, choice.error, choice.version, eci=eci)
        design = Design(symbol, choice.pitch_nm, film=film or Film())
        option = cheapest_mask(design, choice.beam, sem, cancelled=cancelled).chosen
        found.append(
            replace(choice, mask=option.mask, mill=option.mill, beam_time_s=option.beam_time_s)
        )
        if progress is not None:
            progress(number, len(choices), f"mask {option.mask} of {choice.name}")
    return found
