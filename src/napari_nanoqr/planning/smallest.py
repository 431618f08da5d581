"""How small a symbol can be that holds a payload and will still be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from napari_nanoqr.design.density import RECORD_AREA_UM2
from napari_nanoqr.design.design import Mill
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.beam_choice import choose_beam
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.planning.channel import Cancelled, Channel, measure_channel, representative_plan
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.read_probability import Progress, ReadProbability, read_probability
from napari_nanoqr.symbols.candidates import SYMBOLOGIES, Candidate, candidates
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.tables import LEVELS
from napari_nanoqr.symbols.urls import upper_case_url

MOST_CHOICES = 20
"""Choices that are listed by default; a short text has more than a hundred."""

_DIGITS = 4
"""Decimals of a probability; two that agree so far count as the same."""


@dataclass(frozen=True)
class Choice:
    """A symbol that holds a payload, milled at one pitch.

    Parameters
    ----------
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    error : {"L", "M", "Q", "H"}
        Error-correction level.
    modules : tuple of int
        Rows and columns, without quiet zone.
    pitch_nm : float
        Side of a module.
    area_um2 : float
        Area of the symbol, without quiet zone.
    beam : Beam
        What mills it.
    beam_time_s : float
        Time with the beam on.
    reading : ReadProbability
        How probably an image of it is read.
    payload : bytes or str
        What is to be encoded: the one that was given, or its form in capital letters.
    mask : int
        Data mask.
    mill : {"dark", "light"}
        Which modules the beam removes.
    """

    symbology: str
    version: int | str
    error: str
    modules: tuple[int, int]
    pitch_nm: float
    area_um2: float
    beam: Beam
    beam_time_s: float
    reading: ReadProbability
    payload: bytes | str
    mask: int
    mill: Mill = "dark"

    @property
    def name(self) -> str:
        """Kind, version and level for people."""
        kind = "" if self.symbology == "rMQR" else f"{self.symbology} "
        return f"{kind}{self.version}-{self.error}"

    @property
    def times_record_area(self) -> float:
        """Area in units of the smallest QR code's on record."""
        return self.area_um2 / RECORD_AREA_UM2

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        text = self.payload if isinstance(self.payload, str) else None
        raw = self.payload.encode() if isinstance(self.payload, str) else self.payload
        return {
            "symbology": self.symbology,
            "version": self.version,
            "error": self.error,
            "modules": list(self.modules),
            "area_um2": round(self.area_um2, 6),
            "beam_time_s": float(f"{self.beam_time_s:.4g}"),
            **self.reading.to_dict(),
            "pitch_nm": self.pitch_nm,
            "times_record_area": round(self.times_record_area, 4),
            "beam_current_pa": self.beam.current_pa,
            "spot_nm": self.beam.spot_nm,
            "mask": self.mask,
            "mill": self.mill,
            "text": text,
            "payload_hex": raw.hex(),
        }


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


def smallest_symbols(
    payload: bytes | str,
    pitch_nm: float | Sequence[float] = 49.0,
    *,
    film: Film | None = None,
    beam: Beam | None = None,
    sem: SemCondition | None = None,
    allow_upper: bool = False,
    allow_eci: bool = False,
    symbologies: Sequence[str] = SYMBOLOGIES,
    least_probability: float = 0.0,
    dominated: bool = True,
    most: int | None = MOST_CHOICES,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Choice]:
    """Rank all symbols that hold a payload by their area.

    Parameters
    ----------
    payload : bytes or str
        What to store.
    pitch_nm : float or sequence of float
        Side of a module; several are compared with each other. Each takes about a second.
    film : Film, optional
        By default 15 nm of CrN on glass.
    beam : Beam, optional
        By default the fastest that resolves each pitch.
    sem : SemCondition, optional
        How the symbol will be imaged.
    allow_upper : bool
        Scheme and host of a URL may become capital letters where that makes it shorter; the URL
        stays the same.
    allow_eci : bool
        Text may be stored in another character set than UTF-8, named by an ECI.
    symbologies : sequence of {"QR", "Micro QR", "rMQR"}
        Kinds to choose from.
    least_probability : float
        Symbols that are read less often are left out.
    dominated : bool
        List also those that are read no more often than a smaller one, or one of that size.
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
    pitches = list(np.atleast_1d(np.asarray(pitch_nm, dtype=float)))
    if not pitches:
        raise ValueError("Give at least one pitch.")
    found = _holding(payload, allow_upper, allow_eci, symbologies)
    ranked = []
    for number, pitch in enumerate(pitches):
        milled = _mill(float(pitch), film, beam, sem or SemCondition(), cancelled)
        ranked += [
            _Ranked(
                candidate.modules * (milled.pitch_nm / 1000) ** 2,
                read_probability(milled.channel, candidate.version, candidate.error),
                candidate, form, milled,
            )
            for candidate, form in found
        ]  # fmt: skip
        if progress is not None:
            progress(number + 1, len(pitches), f"pitch {pitch:g} nm: {len(found)} symbols")
    ranked.sort(key=_order)
    kept = [each for each in ranked if each.reading.probability >= least_probability]
    if not dominated:
        kept = _front(kept)
    return [_choice(each, allow_eci) for each in kept[:most]]


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


def _mill(
    pitch_nm: float,
    film: Film | None,
    beam: Beam | None,
    sem: SemCondition,
    cancelled: Callable[[], bool] | None,
) -> _Milled:
    if cancelled is not None and cancelled():
        raise Cancelled
    beam = beam or choose_beam(pitch_nm).beam
    plan = representative_plan(pitch_nm, film, beam)
    channel = measure_channel(plan, sem, cancelled=cancelled)
    return _Milled(pitch_nm, beam, channel, plan.beam_on_time_s / plan.area_um2)


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
    area_um2, reading, candidate, payload, milled = ranked
    symbol = encode(payload, candidate.error, candidate.version, eci=eci)
    milled_um2 = np.count_nonzero(symbol.matrix) * (milled.pitch_nm / 1000) ** 2
    return Choice(
        candidate.symbology, candidate.version, candidate.error,
        (candidate.rows, candidate.columns), milled.pitch_nm, area_um2, milled.beam,
        milled_um2 * milled.seconds_per_um2, reading, payload, symbol.mask,
    )  # fmt: skip
