"""What a symbol's bit stream may look like, told before it is decoded.

A payload hardly ever fills a symbol, and what follows it is given by the standard: a terminator
and pad codewords. Payloads are one segment or a few, whose heads tell mode and length, and most
are text, whose bytes begin with a 0 and are mostly small letters. Each such form fixes bits that
then need not be read, and leans others. How well these bits agree with the image tells whether a
form holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.form_gains import COMMON, gains_of, head_of, segments_from, tail_gains
from napari_nanoqr.symbols.segments import pad
from napari_nanoqr.symbols.syntax import Syntax

MOST_FORMS = 2
"""Forms that are tried, the likeliest first."""

_LEAST_ODDS = 4.0
"""Natural logarithm of the odds for a form against any other stream, from which on it is tried."""

_SURE_ODDS = 12.0
"""The same from which on what a form fixes is as good as known."""

_RANGE = 12.0
"""Forms less likely than the best by more than this (natural logarithm) are not tried."""

_MOST_SEGMENTS = 4
"""Segments that are told one after the other, prefixes such as that of a set counted in."""

_MORE = 0.1
"""Share of segments that are taken to be followed by another one."""

_OPEN = 10
"""Beginnings of a stream that are followed, the likeliest first."""

_LENGTHS = 4
"""Of each kind of segment at one place."""

_LEAST_BEFORE = -4.0
"""Odds of beginnings that are followed: what comes after a few digits can still speak for them."""


@dataclass(frozen=True, eq=False)
class Form:
    """Bits of a stream that are taken for granted.

    Parameters
    ----------
    fixed : (n,) bool array
        Which of the data bits.
    ones : (n,) bool array
        Those of them that are 1.
    leaning : (n,) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1) before anything is seen, of the others.
    odds : float
        Natural logarithm of the odds for the form against any other stream.
    """

    fixed: NDArray[np.bool_]
    ones: NDArray[np.bool_]
    leaning: NDArray[np.float32]
    odds: float


class _Segment(NamedTuple):
    """A segment of a stream: what :class:`~.form_gains.Segments` says of one."""

    mode: str
    characters: str
    length: int
    end: int


class _Stream(NamedTuple):
    """Segments one after the other, and the natural logarithm of the odds for them."""

    odds: float
    segments: tuple[_Segment, ...]

    @property
    def end(self) -> int:
        """The bit after the last segment."""
        return self.segments[-1].end if self.segments else 0


def likely_forms(ratios: NDArray[np.float32], syntax: Syntax) -> list[Form]:
    """Return forms that a stream has, as far as its bits tell.

    Parameters
    ----------
    ratios : (n,) float array
        Natural logarithm of P(bit is 0) / P(bit is 1) of the data bits.
    syntax : Syntax
        How streams of the version are written.

    Returns
    -------
    list of Form
        At most :data:`MOST_FORMS`, the likeliest first; none where the bits speak for none.

    Notes
    -----
    Before the image, all modes of a segment are as likely, and all its lengths.
    """
    if ratios.size % 8:
        # streams that end in half a codeword are too short to gain anything
        return []
    gains = gains_of(ratios)
    tails = tail_gains(gains, syntax)
    streams: list[_Stream] = []
    beginnings = [_Stream(0.0, ())]
    for _ in range(_MOST_SEGMENTS):
        further: list[_Stream] = []
        for before in beginnings:
            ended, going_on = _followed(before, gains, tails, syntax)
            streams += ended
            further += going_on
        worth_it = [stream for stream in further if stream.odds > _LEAST_BEFORE]
        beginnings = sorted(worth_it, key=lambda stream: -stream.odds)[:_OPEN]
    streams.sort(key=lambda stream: -stream.odds)
    return [
        _form(stream, ratios.size, syntax)
        for stream in streams[:MOST_FORMS]
        if stream.odds > _LEAST_ODDS and streams[0].odds - stream.odds < _RANGE
    ]


def _followed(
    before: _Stream, gains: NDArray[np.float64], tails: NDArray[np.float64], syntax: Syntax
) -> tuple[list[_Stream], list[_Stream]]:
    """Return the likeliest streams with one more segment, as they end there and as they go on."""
    last = before.segments[-1] if before.segments else None
    first = last is None or last.length == 0
    options = [
        option
        for option in segments_from(gains, before.end, syntax)
        # two segments of a mode could be one, and what has no characters comes first
        if last is None or (option.mode != last.mode and (first or option.counts[0] > 0))
    ]
    ended: list[_Stream] = []
    going_on: list[_Stream] = []
    for option in options:
        price = np.log(len(options)) + np.log(option.counts.size)
        # beside others, a segment of few characters would be longer than these as bytes
        as_bytes = option.ends - before.end >= 8 * option.counts
        pays = ~as_bytes | (option.mode == "byte") | (option.counts == 0)
        ends = (pays | first) & (option.counts > 0)
        for streams, may, more in (
            (ended, ends, tails[option.ends]),
            (going_on, pays, np.log(_MORE)),
        ):
            odds = np.where(may, before.odds + option.gains + more - price, -np.inf)
            for i in np.argsort(-odds, kind="stable")[:_LENGTHS]:
                segment = _Segment(
                    option.mode, option.characters, int(option.counts[i]), int(option.ends[i])
                )
                if may[i]:
                    streams.append(_Stream(float(odds[i]), (*before.segments, segment)))
    return ended, going_on


def fixed_by_all(forms: list[Form], size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which bits are as good as known, since all forms that may hold fix them alike.

    Parameters
    ----------
    forms : list of Form
        As :func:`likely_forms` returns them.
    size : int
        Number of data bits.

    Returns
    -------
    fixed, ones : (size,) bool arrays
        Which bits, none where no form is sure, and which of them are 1.
    """
    fixed, ones = np.zeros((2, size), dtype=bool)
    if forms and forms[0].odds > _SURE_ODDS:
        ones = forms[0].ones
        fixed = np.all([form.fixed & (form.ones == ones) for form in forms], axis=0)
    return fixed, ones & fixed


def _form(stream: _Stream, size: int, syntax: Syntax) -> Form:
    """Return the bits that a stream fixes."""
    bits, fixed = np.zeros(stream.end, dtype=np.uint8), np.ones(size, dtype=bool)
    leaning = np.zeros(size, dtype=np.float32)
    start = 0
    for mode, characters, length, end in stream.segments:
        head = head_of(mode, np.array(length), syntax)
        first = start + head.size
        bits[start:first] = head
        fixed[first:end] = False
        if characters != "any":
            fixed[first:end:8] = True
        if characters == "common":
            for place, share in COMMON.items():
                leaning[first + place : end : 8] = np.log((1 - share) / share)
        start = end
    ones = np.unpackbits(pad(bits, size, syntax)).astype(bool)
    return Form(fixed, ones, leaning, stream.odds)
