"""Payload bytes to the bit stream of a QR symbol and back (ISO/IEC 18004:2015, 7.4).

Writing uses the numeric, alphanumeric and byte modes, divided so that the stream is shortest.
Reading knows Kanji, ECI, Structured Append and FNC1 too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

Bits = NDArray[np.uint8]
"""``(n,)`` uint8 array of 0 and 1, in the order in which they are placed."""


class Mode(NamedTuple):
    """One of the modes that the encoder writes."""

    name: str
    indicator: int
    count_bits: tuple[int, int, int]
    # cost of one character in sixths of a bit, so that 10/3 and 11/2 bits stay whole numbers
    sixths: int


NUMERIC = Mode("numeric", 0b0001, (10, 12, 14), 20)
ALPHANUMERIC_MODE = Mode("alphanumeric", 0b0010, (9, 11, 13), 33)
BYTE = Mode("byte", 0b0100, (8, 16, 16), 48)
_MODES = (NUMERIC, ALPHANUMERIC_MODE, BYTE)
_KANJI_COUNT_BITS = (8, 10, 12)

# the first mode of _MODES that can hold a byte; the modes after it can hold it too
_CLASS = np.full(256, 2, dtype=np.uint8)
_CLASS[list(ALPHANUMERIC)] = 1
_CLASS[list(b"0123456789")] = 0


class Segment(NamedTuple):
    """A part of the payload in one mode."""

    mode: Mode
    data: bytes


class BadStream(ValueError):
    """A bit stream that is not what the standard allows: the symbol was misread."""


@dataclass(frozen=True)
class Content:
    """What a symbol's bit stream says.

    Parameters
    ----------
    payload : bytes
        The bytes of all segments, one after the other. Kanji segments give Shift JIS.
    eci : int or None
        Number of the last extended channel interpretation, None where there is none.
    structured_append : tuple of int or None
        Index, number of symbols and parity byte of a Structured Append set.
    """

    payload: bytes
    eci: int | None = None
    structured_append: tuple[int, int, int] | None = None


def version_range(version: int) -> int:
    """Return 0, 1 or 2: which of the three widths the character counts have."""
    return 0 if version <= 9 else 1 if version <= 26 else 2


def shortest_segments(payload: bytes, size: int) -> list[Segment]:
    """Divide a payload into segments so that the bit stream is shortest.

    Parameters
    ----------
    payload : bytes
        What to store; may be empty.
    size : int
        :func:`version_range` of the version.

    Returns
    -------
    list of Segment
        Their data joined are the payload.
    """
    if not payload:
        return []
    classes = _CLASS[np.frombuffer(payload, dtype=np.uint8)]
    edges = np.flatnonzero(np.diff(classes)) + 1
    starts = np.concatenate(([0], edges)).tolist()
    ends = np.concatenate((edges, [len(payload)])).tolist()
    heads = [(4 + mode.count_bits[size]) * 6 for mode in _MODES]
    # dynamic programme over runs of one class: the cheapest stream that ends in each mode
    infinite = 1 << 60
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


def stream_length(segments: list[Segment], size: int) -> int:
    """Return the length in bits of the stream, without terminator and padding."""
    return sum(4 + s.mode.count_bits[size] + -(-len(s.data) * s.mode.sixths // 6) for s in segments)


def write_stream(segments: list[Segment], size: int) -> Bits:
    """Write segments as bits, without terminator and padding."""
    parts = [np.zeros(0, dtype=np.uint8)]
    for mode, data in segments:
        head = mode.indicator << mode.count_bits[size] | len(data)
        parts.append(_number(head, 4 + mode.count_bits[size]))
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


def pad(bits: Bits, codewords: int) -> NDArray[np.uint8]:
    """Add terminator and pad codewords.

    Parameters
    ----------
    bits : (n,) uint8 array
        The stream; n at most ``8 * codewords``.
    codewords : int
        Data codewords of the symbol.

    Returns
    -------
    (codewords,) uint8 array
        The data codewords.
    """
    terminator = min(4, 8 * codewords - bits.size)
    stream = np.packbits(np.concatenate((bits, np.zeros(terminator, dtype=np.uint8))))
    missing = codewords - stream.size
    filler = np.resize(np.array([0xEC, 0x11], dtype=np.uint8), missing)
    return np.concatenate((stream, filler))


def read_stream(codewords: NDArray[np.uint8], version: int) -> Content:
    """Read the bit stream of a corrected symbol.

    Parameters
    ----------
    codewords : (n,) uint8 array
        Data codewords.
    version : int
        1 to 40.

    Returns
    -------
    Content
        The payload and what else the stream says.

    Raises
    ------
    BadStream
        Where the stream breaks the standard's rules.
    """
    size = version_range(version)
    reader = _Reader(codewords)
    payload = bytearray()
    eci: int | None = None
    appended: tuple[int, int, int] | None = None
    while reader.left >= 4:
        indicator = reader.take(4)
        if indicator == 0b0000:
            break
        if indicator == NUMERIC.indicator:
            payload += _read_numeric(reader, reader.take(NUMERIC.count_bits[size]))
        elif indicator == ALPHANUMERIC_MODE.indicator:
            payload += _read_alphanumeric(reader, reader.take(ALPHANUMERIC_MODE.count_bits[size]))
        elif indicator == BYTE.indicator:
            payload += bytes(reader.take(8) for _ in range(reader.take(BYTE.count_bits[size])))
        elif indicator == 0b1000:
            payload += _read_kanji(reader, reader.take(_KANJI_COUNT_BITS[size]))
        elif indicator == 0b0111:
            eci = _read_eci(reader)
        elif indicator == 0b0011:
            index, last, parity = reader.take(4), reader.take(4), reader.take(8)
            if index > last:
                raise BadStream("a symbol beyond the end of its Structured Append set")
            appended = (index, last + 1, parity)
        elif indicator == 0b1001:
            reader.take(8)
        elif indicator != 0b0101:
            raise BadStream(f"mode indicator {indicator:04b} is not in use")
    return Content(bytes(payload), eci, appended)


def _number(value: int, bits: int) -> Bits:
    return np.array([value >> (bits - 1 - i) & 1 for i in range(bits)], dtype=np.uint8)


class _Reader:
    """Takes numbers off the front of a bit stream."""

    def __init__(self, codewords: NDArray[np.uint8]) -> None:
        self._value = int.from_bytes(codewords.tobytes(), "big")
        self.left = 8 * codewords.size

    def take(self, bits: int) -> int:
        if bits > self.left:
            raise BadStream("the stream ends in the middle of a segment")
        self.left -= bits
        return self._value >> self.left & ((1 << bits) - 1)


def _read_numeric(reader: _Reader, count: int) -> bytes:
    digits = ""
    while count:
        group = min(3, count)
        text = str(reader.take(3 * group + 1)).zfill(group)
        if len(text) > group:
            raise BadStream("a group of digits is out of range")
        digits += text
        count -= group
    return digits.encode()


def _read_alphanumeric(reader: _Reader, count: int) -> bytes:
    characters = bytearray()
    for _ in range(count // 2):
        high, low = divmod(reader.take(11), 45)
        if high >= 45:
            raise BadStream("a pair of characters is out of range")
        characters += bytes((ALPHANUMERIC[high], ALPHANUMERIC[low]))
    if count % 2:
        last = reader.take(6)
        if last >= 45:
            raise BadStream("a character is out of range")
        characters.append(ALPHANUMERIC[last])
    return bytes(characters)


def _read_kanji(reader: _Reader, count: int) -> bytes:
    characters = bytearray()
    for _ in range(count):
        high, low = divmod(reader.take(13), 0xC0)
        code = high << 8 | low
        code += 0x8140 if code < 0x1F00 else 0xC140
        characters += code.to_bytes(2, "big")
    return bytes(characters)


def _read_eci(reader: _Reader) -> int:
    first = reader.take(8)
    if first < 0x80:
        return first
    if first < 0xC0:
        return (first & 0x3F) << 8 | reader.take(8)
    if first < 0xE0:
        return (first & 0x1F) << 16 | reader.take(16)
    raise BadStream("an ECI designator is out of range")
