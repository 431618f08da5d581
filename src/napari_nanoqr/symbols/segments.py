"""From payload bytes to the bit stream of a symbol (ISO/IEC 18004:2015, 7.4).

In the numeric, alphanumeric and byte modes, divided so that the stream is shortest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.syntax import Syntax

ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

Bits = NDArray[np.uint8]
"""``(n,)`` uint8 array of 0 and 1, in the order in which they are placed."""


class Mode(NamedTuple):
    """One of the modes that the encoder writes."""

    name: str
    # cost of one character in sixths of a bit, so that 10/3 and 11/2 bits stay whole numbers
    sixths: int


NUMERIC = Mode("numeric", 20)
ALPHANUMERIC_MODE = Mode("alphanumeric", 33)
BYTE = Mode("byte", 48)
_MODES = (NUMERIC, ALPHANUMERIC_MODE, BYTE)


# the first mode of _MODES that can hold a byte; the modes after it can hold it too
_CLASS = np.full(256, 2, dtype=np.uint8)
_CLASS[list(ALPHANUMERIC)] = 1
_CLASS[list(b"0123456789")] = 0


class Segment(NamedTuple):
    """A part of the payload in one mode."""

    mode: Mode
    data: bytes


class NoMode(ValueError):
    """A version has no mode in which the payload could be written."""


def shortest_segments(payload: bytes | str, syntax: Syntax) -> list[Segment]:
    """Divide a payload into segments so that the bit stream is shortest.

    Parameters
    ----------
    payload : bytes or str
        What to store; may be empty. Text is stored as UTF-8.
    syntax : Syntax
        Of the version.

    Returns
    -------
    list of Segment
        Their data joined are the payload.

    Raises
    ------
    NoMode
        Where the version has no mode for some of the bytes.
    """
    if isinstance(payload, str):
        payload = payload.encode("utf-8")
    if not payload:
        return []
    classes = _CLASS[np.frombuffer(payload, dtype=np.uint8)]
    edges = np.flatnonzero(np.diff(classes)) + 1
    starts = np.concatenate(([0], edges)).tolist()
    ends = np.concatenate((edges, [len(payload)])).tolist()
    infinite = 1 << 60
    heads = [
        syntax.head_bits(mode.name) * 6 if mode.name in syntax.count_bits else infinite
        for mode in _MODES
    ]
    # dynamic programme over runs of one class: the cheapest stream that ends in each mode
    costs = list(heads)
    choices: list[list[int]] = []
    for start, end, kind in zip(starts, ends, classes[starts].tolist(), strict=True):
        grown = [
            costs[m] + (end - start) * _MODES[m].sixths if m >= kind else infinite for m in range(3)
        ]
        choice = [0, 1, 2]
        # having written the run in mode m, the next segment may start in another mode
        switched = list(grown)
        for to in range(3):
            for source in range(3):
                rounded = -(-grown[source] // 6) * 6
                if rounded + heads[to] < switched[to]:
                    switched[to], choice[to] = rounded + heads[to], source
        choices.append(choice)
        costs = switched
    final = min(range(3), key=lambda m: (grown[m], m))
    if grown[final] >= infinite:
        known = " and ".join(mode.name for mode in _MODES if mode.name in syntax.count_bits)
        raise NoMode(f"These bytes need another mode than {known}, which this version lacks.")
    modes = [final]
    for choice in reversed(choices[:-1]):
        modes.append(choice[modes[-1]])
    modes.reverse()
    segments: list[Segment] = []
    begin = 0
    for number, mode in enumerate(modes):
        if number + 1 == len(modes) or modes[number + 1] != mode:
            segments.append(Segment(_MODES[mode], payload[begin : ends[number]]))
            begin = ends[number]
    return segments


def stream_length(segments: list[Segment], syntax: Syntax) -> int:
    """Return the length in bits of the stream, without terminator and padding."""
    return sum(
        syntax.head_bits(mode.name) + -(-len(data) * mode.sixths // 6) for mode, data in segments
    )


def write_stream(segments: list[Segment], syntax: Syntax) -> Bits:
    """Write segments as bits, without terminator and padding."""
    parts = [np.zeros(0, dtype=np.uint8)]
    for mode, data in segments:
        head = syntax.indicators[mode.name] << syntax.count_bits[mode.name] | len(data)
        parts.append(_number(head, syntax.head_bits(mode.name)))
        if mode is BYTE:
            parts.append(np.unpackbits(np.frombuffer(data, dtype=np.uint8)))
        elif mode is NUMERIC:
            for i in range(0, len(data), 3):
                group = data[i : i + 3]
                parts.append(_number(int(group), 3 * len(group) + 1))
        else:
            values = [ALPHANUMERIC.index(byte) for byte in data]
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
