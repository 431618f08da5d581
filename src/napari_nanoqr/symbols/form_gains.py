"""What the bits of a stream say for a segment, or for an end, at each place.

Against bits that are as often 0 as 1, a bit that is to be 0 gains ln(2 P(0)): up to ln 2 where the
image agrees, and it loses without limit where the image is sure of a 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.syntax import Syntax

COMMON = {1: 0.75, 2: 0.95}
"""How often the second and the third bit of a character are 1 in texts of small letters with some
digits and signs: in this project's documentation 0.75 and 0.97, in the addresses there 0.78 and
0.99. The other bits are 1 in a quarter to three fifths and tell little."""

_PADS = (0xEC, 0x11)

_BITS_A_CHARACTER = {"numeric": 10 / 3, "alphanumeric": 11 / 2, "byte": 8.0}

_PREFIX_BITS = {"structured append": 16, "eci": 8}
"""Bits after the indicator of what has no count and no characters."""

Gains = NDArray[np.float64]
"""``(2, n)`` float array: what each bit gains by being 0, and by being 1."""


class Segments(NamedTuple):
    """Segments of one mode that may follow at one place.

    Parameters
    ----------
    mode : str
        Of all of them.
    characters : {"any", "text", "common"}
        Text has a first bit that is 0, common characters are mostly small letters.
    counts : (n,) int array
        Their numbers of characters.
    ends : (n,) int array
        The bits after their last ones.
    gains : (n,) float array
        What speaks for each.
    """

    mode: str
    characters: str
    counts: NDArray[np.int_]
    ends: NDArray[np.int_]
    gains: NDArray[np.float64]


def gains_of(ratios: NDArray[np.float32]) -> Gains:
    """Return what bits gain, from the natural logarithms of P(bit is 0) / P(bit is 1)."""
    clipped = ratios.astype(np.float64)
    result: Gains = np.log(2.0) - np.logaddexp(0.0, np.stack((-clipped, clipped)))
    return result


def segments_from(gains: Gains, start: int, syntax: Syntax) -> list[Segments]:
    """Return the segments that may begin at a bit, with what speaks for each of them."""
    found = []
    for mode in syntax.indicators:
        first = start + syntax.head_bits(mode)
        if mode in _PREFIX_BITS:
            counts, ends = np.zeros(1, dtype=int), np.array([first + _PREFIX_BITS[mode]])
        elif mode in _BITS_A_CHARACTER and mode in syntax.count_bits:
            bits = _BITS_A_CHARACTER[mode]
            most = min(int((gains.shape[1] - first) / bits), (1 << syntax.count_bits[mode]) - 1)
            counts = np.arange(1, most + 1)
            ends = first + np.ceil(counts * bits - 1e-6).astype(int)
        else:
            continue
        if not ends.size or ends[0] > gains.shape[1]:
            continue
        head = _head_gains(gains[:, start:first], counts, mode, syntax)
        found.append(Segments(mode, "any", counts, ends, head))
        if mode == "byte":
            text, common = _text_gains(gains[:, first : first + 8 * counts.size])
            found.append(Segments(mode, "text", counts, ends, head + text))
            found.append(Segments(mode, "common", counts, ends, head + text + common))
    return found


def head_of(mode: str, count: NDArray[np.int_], syntax: Syntax) -> NDArray[np.uint8]:
    """Return the bits of heads of segments, ``(..., bits)``."""
    heads: NDArray[np.int_] = np.asarray(
        syntax.indicators[mode] << syntax.count_bits.get(mode, 0) | count
    )
    width = syntax.head_bits(mode)
    return (heads[..., None] >> np.arange(width - 1, -1, -1) & 1).astype(np.uint8)


def _head_gains(
    gains: Gains, counts: NDArray[np.int_], mode: str, syntax: Syntax
) -> NDArray[np.float64]:
    """Return what the head of a segment of each length gains."""
    zero, one = gains
    result: NDArray[np.float64] = zero.sum() + head_of(mode, counts, syntax) @ (one - zero)
    return result


def _text_gains(
    gains: Gains,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what so many characters gain by being text, and further by being common ones."""
    common = np.zeros(gains.shape[1] // 8)
    for place, share in COMMON.items():
        zero, one = gains[:, place::8]
        common += np.logaddexp(np.log(1 - share) + zero, np.log(share) + one)
    return np.cumsum(gains[0, ::8]), np.cumsum(common)


def tail_gains(gains: Gains, syntax: Syntax) -> NDArray[np.float64]:
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
