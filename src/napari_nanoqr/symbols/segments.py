"""From a payload to the bit stream of a symbol (ISO/IEC 18004:2015, 7.4).

In the numeric, alphanumeric, byte and Kanji modes, divided so that the stream is shortest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.charsets import ALPHANUMERIC_SET, Characters, ways_to_store
from napari_nanoqr.symbols.charsets import KANJI as KANJI_CLASS
from napari_nanoqr.symbols.syntax import Syntax

Bits = NDArray[np.uint8]
"""``(n,)`` uint8 array of 0 and 1, in the order in which they are placed."""


class Mode(NamedTuple):
    """One of the modes that the encoder writes."""

    name: str
    # cost of one byte in sixths of a bit, so that 10/3 and 11/2 bits stay whole numbers
    sixths: int


NUMERIC = Mode("numeric", 20)
ALPHANUMERIC = Mode("alphanumeric", 33)
BYTE = Mode("byte", 48)
# 13 bits for the two bytes of a character
KANJI = Mode("kanji", 39)
# no characters: the number of the character set of the segments that follow
ECI = Mode("eci", 48)

# by the classes of characters
_MODES = (NUMERIC, ALPHANUMERIC, BYTE, KANJI)


class Segment(NamedTuple):
    """A part of the payload in one mode; its bytes as they are stored, Kanji as Shift JIS."""

    mode: Mode
    data: bytes


class NoMode(ValueError):
    """A version has no mode in which the payload could be written."""


def shortest_segments(payload: bytes | str, syntax: Syntax, eci: bool = False) -> list[Segment]:
    """Divide a payload into segments so that the bit stream is shortest.

    Parameters
    ----------
    payload : bytes or str
        What to store; may be empty. Bytes are stored as they are, text as UTF-8, or in the Kanji
        mode where that is shorter.
    syntax : Syntax
        Of the version.
    eci : bool
        Text may be stored in another character set than UTF-8, named by an ECI.

    Returns
    -------
    list of Segment
        Without Kanji and ECI, their data joined are the payload.

    Raises
    ------
    NoMode
        Where the version has no mode for some of the characters.
    """
    if not payload:
        return []
    ways = ways_to_store(payload, eci and ECI.name in syntax.indicators)
    found = [_divided(way, syntax) for way in ways]
    return min(found, key=lambda segments: stream_length(segments, syntax))


def least_bits(payload: bytes | str) -> int:
    """Return a length in bits that no stream with this payload falls below."""
    classes = ways_to_store(payload, False)[0].classes
    # a character outside of the alphanumeric mode takes a byte at least, whatever the ECI
    costs = np.array([NUMERIC.sixths, ALPHANUMERIC.sixths, BYTE.sixths, BYTE.sixths])
    return int(costs[classes].sum()) // 6


def _divided(characters: Characters, syntax: Syntax) -> list[Segment]:
    """Divide the characters of one character set."""
    classes, sizes = characters.classes, characters.sizes
    edges = np.flatnonzero((np.diff(classes) != 0) | (np.diff(sizes) != 0)) + 1
    starts = np.concatenate(([0], edges)).tolist()
    ends = np.concatenate((edges, [classes.size])).tolist()
    infinite = 1 << 60
    heads = [
        syntax.head_bits(mode.name) * 6 if mode.name in syntax.count_bits else infinite
        for mode in _MODES
    ]
    every = range(len(_MODES))
    # dynamic programme over runs of one class: the cheapest stream that ends in each mode
    costs = list(heads)
    choices: list[list[int]] = []
    for start, end in zip(starts, ends, strict=True):
        each = _costs(int(classes[start]), int(sizes[start]), infinite)
        grown = [min(infinite, costs[m] + (end - start) * each[m]) for m in every]
        # having written the run in mode m, the next segment may start in another mode
        rounded = [-(-cost // 6) * 6 for cost in grown]
        source = min(every, key=rounded.__getitem__)
        switched, choice = list(grown), list(every)
        for to in every:
            if rounded[source] + heads[to] < switched[to]:
                switched[to], choice[to] = rounded[source] + heads[to], source
        choices.append(choice)
        costs = switched
    final = min(every, key=lambda m: (grown[m], m))
    if grown[final] >= infinite:
        known = " and ".join(mode.name for mode in _MODES if mode.name in syntax.count_bits)
        raise NoMode(f"These bytes need another mode than {known}, which this version lacks.")
    modes = [final]
    for choice in reversed(choices[:-1]):
        modes.append(choice[modes[-1]])
    modes.reverse()
    segments = [] if characters.eci is None else [Segment(ECI, bytes([characters.eci]))]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    begin = 0
    for number, mode in enumerate(modes):
        if number + 1 == len(modes) or modes[number + 1] != mode:
            end = ends[number]
            data = (
                characters.text[begin:end].encode("shift_jis")
                if _MODES[mode] is KANJI
                else characters.stored[offsets[begin] : offsets[end]]
            )
            segments.append(Segment(_MODES[mode], data))
            begin = end
    return segments


def _costs(kind: int, size: int, infinite: int) -> list[int]:
    """Return what a character costs in each mode, in sixths of a bit."""
    costs = [infinite, infinite, BYTE.sixths * size, infinite]
    if kind == KANJI_CLASS:
        costs[kind] = KANJI.sixths * 2
    else:
        # what a mode holds, the modes after it hold too
        for mode in range(kind, 2):
            costs[mode] = _MODES[mode].sixths
    return costs


def stream_length(segments: list[Segment], syntax: Syntax) -> int:
    """Return the length in bits of the stream, without terminator and padding."""
    return sum(
        syntax.head_bits(mode.name) + -(-len(data) * mode.sixths // 6) for mode, data in segments
    )


def write_stream(segments: list[Segment], syntax: Syntax) -> Bits:
    """Write segments as bits, without terminator and padding."""
    parts = [np.zeros(0, dtype=np.uint8)]
    for mode, data in segments:
        count = 0 if mode is ECI else len(data) // 2 if mode is KANJI else len(data)
        head = syntax.indicators[mode.name] << syntax.count_bits.get(mode.name, 0) | count
        parts.append(_number(head, syntax.head_bits(mode.name)))
        if mode in (BYTE, ECI):
            parts.append(np.unpackbits(np.frombuffer(data, dtype=np.uint8)))
        elif mode is NUMERIC:
            for i in range(0, len(data), 3):
                group = data[i : i + 3]
                parts.append(_number(int(group), 3 * len(group) + 1))
        elif mode is KANJI:
            for i in range(0, len(data), 2):
                code = int.from_bytes(data[i : i + 2], "big")
                high, low = divmod(code - (0x8140 if code < 0xE000 else 0xC140), 256)
                parts.append(_number(high * 0xC0 + low, 13))
        else:
            values = [ALPHANUMERIC_SET.index(byte) for byte in data]
            for i in range(0, len(values) - 1, 2):
                parts.append(_number(values[i] * 45 + values[i + 1], 11))
            if len(values) % 2:
                parts.append(_number(values[-1], 6))
    return np.concatenate(parts)


def pad(bits: Bits, data_bits: int, syntax: Syntax) -> NDArray[np.uint8]:
    """Add terminator and pad codewords.

    Parameters
    ----------
    bits : (n,) uint8 array
        The stream; n at most ``data_bits``.
    data_bits : int
        Bits of the symbol's data codewords; of the last one there may be only four.
    syntax : Syntax
        Of the version.

    Returns
    -------
    (codewords,) uint8 array
        The data codewords; one of four bits has zeros after them.
    """
    terminator = min(syntax.terminator_bits, data_bits - bits.size)
    stream = np.concatenate((bits, np.zeros(terminator, dtype=np.uint8)))
    to_codeword = min(-stream.size % 8, data_bits - stream.size)
    stream = np.concatenate((stream, np.zeros(to_codeword, dtype=np.uint8)))
    whole, rest = divmod(data_bits - stream.size, 8)
    filler = np.unpackbits(np.resize(np.array([0xEC, 0x11], dtype=np.uint8), whole))
    stream = np.concatenate((stream, filler, np.zeros(rest, dtype=np.uint8)))
    return np.packbits(stream)


def _number(value: int, bits: int) -> Bits:
    return np.array([value >> (bits - 1 - i) & 1 for i in range(bits)], dtype=np.uint8)
