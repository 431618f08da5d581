"""What a symbol's bit stream may look like, told before it is decoded.

A payload hardly ever fills a symbol, and what follows it is given by the standard: a terminator
and pad codewords. Nearly all payloads are one segment, whose head tells mode and length, and most
are text, whose bytes begin with a 0 and are mostly small letters. Each such form fixes bits that
then need not be read, and leans others. How well these bits agree with the image tells whether a
form holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.segments import pad
from napari_nanoqr.symbols.syntax import Syntax

MOST_FORMS = 2
"""Forms that are tried, the likeliest first."""

_LEAST_ODDS = 4.0
"""Natural logarithm of the odds for a form against any other stream, from which on it is tried."""

_RANGE = 12.0
"""Forms less likely than the best by more than this (natural logarithm) are not tried."""

_COMMON = {1: 0.75, 2: 0.95}
"""How often the second and the third bit of a character are 1 in texts of small letters with some
digits and signs: in this project's documentation 0.75 and 0.97, in the addresses there 0.78 and
0.99. The other bits are 1 in a quarter to three fifths and tell little."""

_PADS = (0xEC, 0x11)

_BITS_A_CHARACTER = {"numeric": 10 / 3, "alphanumeric": 11 / 2, "byte": 8.0}


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
    Against bits that are as often 0 as 1, a bit that is fixed gains 1 for certain where the image
    agrees, ln(2 P(bit)) in general. Before the image, all lengths of all modes are as likely.
    """
    if ratios.size % 8:
        # streams that end in half a codeword are too short to gain anything
        return []
    clipped = ratios.astype(np.float64)
    gains = np.log(2.0) - np.stack((np.logaddexp(0.0, -clipped), np.logaddexp(0.0, clipped)))
    tails = _tails(gains, syntax)
    found: list[tuple[float, _Segment]] = []
    total = 0
    for mode, width in syntax.count_bits.items():
        if mode not in _BITS_A_CHARACTER:
            continue
        head = syntax.head_bits(mode)
        most = int((ratios.size - head) / _BITS_A_CHARACTER[mode])
        counts = np.arange(1, min(most, (1 << width) - 1) + 1)
        ends = head + np.ceil(counts * _BITS_A_CHARACTER[mode] - 1e-6).astype(int)
        odds = _head_gains(gains, counts, mode, syntax) + tails[ends]
        ways = [(odds, "any")]
        if mode == "byte":
            text, common = _text_gains(gains[:, head : head + 8 * counts.size])
            ways += [(odds + text, "text"), (odds + text + common, "common")]
        for odds, characters in ways:
            total += counts.size
            for i in np.argsort(-odds, kind="stable")[:MOST_FORMS]:
                segment = _Segment(mode, int(counts[i]), int(ends[i]), characters)
                found.append((float(odds[i]), segment))
    before = float(np.log(max(total, 1)))
    found.sort(key=lambda pair: -pair[0])
    return [
        _form(segment, odds - before, ratios.size, syntax)
        for odds, segment in found[:MOST_FORMS]
        if odds - before > _LEAST_ODDS and found[0][0] - odds < _RANGE
    ]


class _Segment(NamedTuple):
    """The only one of a stream: its mode, length, last bit, and kind of characters.

    These are "any", "text" with a first bit that is 0, or "common" ones, mostly small letters.
    """

    mode: str
    length: int
    end: int
    characters: str


def _head_gains(
    gains: NDArray[np.float64], counts: NDArray[np.int_], mode: str, syntax: Syntax
) -> NDArray[np.float64]:
    """Return what the head of a segment of each length gains."""
    width = syntax.head_bits(mode)
    heads = syntax.indicators[mode] << syntax.count_bits[mode] | counts
    ones = heads[:, None] >> np.arange(width - 1, -1, -1) & 1
    zero, one = gains[:, :width]
    result: NDArray[np.float64] = zero.sum() + ones @ (one - zero)
    return result


def _text_gains(
    gains: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what so many characters gain by being text, and further by being common ones."""
    common = np.zeros(gains.shape[1] // 8)
    for place, share in _COMMON.items():
        zero, one = gains[:, place::8]
        common += np.logaddexp(np.log(1 - share) + zero, np.log(share) + one)
    return np.cumsum(gains[0, ::8]), np.cumsum(common)


def _tails(gains: NDArray[np.float64], syntax: Syntax) -> NDArray[np.float64]:
    """Return what follows the stream gains, for each number of bits after which it ends."""
    size = gains.shape[1]
    zeros = np.concatenate(([0.0], np.cumsum(gains[0])))
    # from each codeword to the last one, pad codewords by turns, from either of them on
    bits = np.unpackbits(np.array(_PADS, dtype=np.uint8)[:, None], axis=1)[:, None]
    by_codeword = gains.reshape(2, -1, 8)
    pads = np.where(bits, by_codeword[1], by_codeword[0]).sum(axis=-1)
    even = np.arange(size // 8) % 2 == 0
    first, second = (
        np.concatenate((np.cumsum(np.where(turn, pads[0], pads[1])[::-1])[::-1], [0.0]))
        for turn in (even, ~even)
    )
    ends = np.arange(size + 1)
    terminated = np.minimum(ends + syntax.terminator_bits, size)
    codeword = -(-terminated // 8)
    result: NDArray[np.float64] = (
        zeros[8 * codeword]
        - zeros[ends]
        + np.where(codeword % 2 == 0, first[codeword], second[codeword])
    )
    return result


def _form(segment: _Segment, odds: float, size: int, syntax: Syntax) -> Form:
    """Return the bits that a stream of one segment fixes."""
    width = syntax.head_bits(segment.mode)
    head = syntax.indicators[segment.mode] << syntax.count_bits[segment.mode] | segment.length
    stream = np.zeros(segment.end, dtype=np.uint8)
    stream[:width] = [head >> (width - 1 - i) & 1 for i in range(width)]
    ones = np.unpackbits(pad(stream, size, syntax)).astype(bool)
    fixed = np.ones(size, dtype=bool)
    fixed[width : segment.end] = False
    leaning = np.zeros(size, dtype=np.float32)
    if segment.characters != "any":
        fixed[width : segment.end : 8] = True
    if segment.characters == "common":
        for place, share in _COMMON.items():
            leaning[width + place : segment.end : 8] = np.log((1 - share) / share)
    return Form(fixed, ones, leaning, odds)
