"""From the bit stream of a symbol to its payload (ISO/IEC 18004:2015, 7.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.charsets import ALPHANUMERIC_SET, SHIFT_JIS, text_in
from napari_nanoqr.symbols.segments import Bits, pad
from napari_nanoqr.symbols.syntax import Syntax


class BadStream(ValueError):
    """A bit stream that is not what the standard allows: the symbol was misread."""


@dataclass(frozen=True)
class Content:
    """What a symbol's bit stream says.

    Parameters
    ----------
    payload : bytes
        What all segments say, one after the other: bytes as they are, characters as UTF-8.
        Characters stand in numeric, alphanumeric and Kanji segments, and in byte segments whose
        character set is named.
    stored : bytes
        The same as the symbol stores it: Kanji as Shift JIS, other bytes as they are. Other
        readers give these, and the parity of a Structured Append set is theirs.
    eci : int or None
        Number of the last extended channel interpretation, None where there is none.
    structured_append : tuple of int or None
        Index, number of symbols and parity byte of a Structured Append set.
    filler_bits : int
        Bits at the end, terminator and padding, that hold nothing and are just as the standard
        wants them; 0 where they are not.
    """

    payload: bytes
    stored: bytes
    eci: int | None = None
    structured_append: tuple[int, int, int] | None = None
    filler_bits: int = 0


def read_stream(codewords: NDArray[np.uint8], syntax: Syntax, data_bits: int) -> Content:
    """Read the bit stream of a corrected symbol.

    Parameters
    ----------
    codewords : (n,) uint8 array
        Data codewords.
    syntax : Syntax
        Of the version.
    data_bits : int
        How many bits they hold: of the last codeword there may be only the first four.

    Returns
    -------
    Content
        The payload and what else the stream says.

    Raises
    ------
    BadStream
        Where the stream breaks the standard's rules.
    """
    reader = _Reader(codewords, data_bits)
    names = {indicator: name for name, indicator in syntax.indicators.items()}
    # a character may begin in one segment and end in the next
    parts: list[tuple[int | None, bytearray]] = []
    eci: int | None = None
    appended: tuple[int, int, int] | None = None
    while reader.peek(min(syntax.terminator_bits, reader.left)) != 0:
        indicator = reader.take(syntax.indicator_bits)
        name = names.get(indicator, "")
        count = reader.take(syntax.count_bits[name]) if name in syntax.count_bits else 0
        if name in _CHARACTERS:
            charset = {"kanji": SHIFT_JIS, "byte": eci}.get(name)
            if not parts or parts[-1][0] != charset:
                parts.append((charset, bytearray()))
            parts[-1][1].extend(_CHARACTERS[name](reader, count))
        elif name == "eci":
            eci = _read_eci(reader)
        elif name == "structured append":
            index, last, parity = reader.take(4), reader.take(4), reader.take(8)
            if index > last:
                raise BadStream("a symbol beyond the end of its Structured Append set")
            appended = (index, last + 1, parity)
        elif name == "second fnc1":
            reader.take(8)
        elif name != "first fnc1":
            raise BadStream(f"mode indicator {indicator:0{syntax.indicator_bits}b} is not in use")
    stream = reader.so_far()
    regular = np.array_equal(pad(stream, data_bits, syntax), codewords)
    stored = b"".join(data for _, data in parts)
    payload = b"".join(text_in(bytes(data), charset) for charset, data in parts)
    return Content(payload, stored, eci, appended, reader.left if regular else 0)


class _Reader:
    """Takes numbers off the front of a bit stream."""

    def __init__(self, codewords: NDArray[np.uint8], data_bits: int) -> None:
        self._bits = np.unpackbits(codewords)[:data_bits]
        self._value = int.from_bytes(codewords.tobytes(), "big") >> (8 * codewords.size - data_bits)
        self.left = data_bits

    def peek(self, bits: int) -> int:
        return self._value >> (self.left - bits) & ((1 << bits) - 1)

    def take(self, bits: int) -> int:
        if bits > self.left:
            raise BadStream("the stream ends in the middle of a segment")
        number = self.peek(bits)
        self.left -= bits
        return number

    def so_far(self) -> Bits:
        """Return what was taken."""
        return np.asarray(self._bits[: self._bits.size - self.left])


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
        characters += bytes((ALPHANUMERIC_SET[high], ALPHANUMERIC_SET[low]))
    if count % 2:
        last = reader.take(6)
        if last >= 45:
            raise BadStream("a character is out of range")
        characters.append(ALPHANUMERIC_SET[last])
    return bytes(characters)


def _read_bytes(reader: _Reader, count: int) -> bytes:
    return bytes(reader.take(8) for _ in range(count))


def _read_kanji(reader: _Reader, count: int) -> bytes:
    characters = bytearray()
    for _ in range(count):
        high, low = divmod(reader.take(13), 0xC0)
        code = high << 8 | low
        code += 0x8140 if code < 0x1F00 else 0xC140
        characters += code.to_bytes(2, "big")
    return bytes(characters)


_CHARACTERS: dict[str, Callable[[_Reader, int], bytes]] = {
    "numeric": _read_numeric,
    "alphanumeric": _read_alphanumeric,
    "byte": _read_bytes,
    "kanji": _read_kanji,
}


def _read_eci(reader: _Reader) -> int:
    first = reader.take(8)
    if first < 0x80:
        return first
    if first < 0xC0:
        return (first & 0x3F) << 8 | reader.take(8)
    if first < 0xE0:
        return (first & 0x1F) << 16 | reader.take(16)
    raise BadStream("an ECI designator is out of range")
