"""Character sets in symbols: UTF-8, Shift JIS of the Kanji mode, and those that an ECI names."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.symbol import as_text

SHIFT_JIS = 20
"""ECI of the character set that the Kanji mode shortens."""

UTF_8 = 26
"""ECI of what stands in byte segments here without one."""

# AIM's register of extended channel interpretations; ISO/IEC 8859-12 was never published
CODECS = {
    0: "cp437", 1: "iso8859-1", 2: "cp437",
    **{number: f"iso8859-{number - 2}" for number in range(3, 19) if number != 14},
    3: "iso8859-1", SHIFT_JIS: "shift_jis", 21: "cp1250", 22: "cp1251", 23: "cp1252",
    24: "cp1256", 25: "utf-16-be", UTF_8: "utf-8", 27: "ascii", 28: "big5", 29: "gb18030",
    30: "euc_kr", 31: "gbk", 32: "gb18030",
}  # fmt: skip
"""Names of Python's codecs by ECI."""

_ONE_BYTE = (3, *range(4, 14), 15, 16, 17, 18, 21, 22, 23, 24)
"""ECIs of one byte a character, the most common first."""

NUMERIC, ALPHANUMERIC, BYTES, KANJI = range(4)
"""Classes of characters, by the most compact mode that holds them."""

ALPHANUMERIC_SET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_CLASSES = np.full(256, BYTES, dtype=np.uint8)
_CLASSES[list(ALPHANUMERIC_SET)] = ALPHANUMERIC
_CLASSES[list(b"0123456789")] = NUMERIC


class Characters(NamedTuple):
    """A payload as a sequence of characters, each in one segment as a whole.

    Parameters
    ----------
    text : str
        The characters; for bytes that may be no text one a byte.
    classes : (n,) uint8 array
        The class of each.
    sizes : (n,) int array
        How many bytes each takes in the byte mode.
    stored : bytes
        All of them as the byte mode stores them.
    eci : int or None
        What has to stand before them, None where nothing has to.
    """

    text: str
    classes: NDArray[np.uint8]
    sizes: NDArray[np.int_]
    stored: bytes
    eci: int | None


@lru_cache(maxsize=16)
def ways_to_store(payload: bytes | str, eci: bool) -> tuple[Characters, ...]:
    """Return the character sets in which a payload can be stored.

    Parameters
    ----------
    payload : bytes or str
        Bytes are stored as they are, text as UTF-8 and as Kanji.
    eci : bool
        Text may be stored in other character sets too.

    Returns
    -------
    tuple of Characters
        The one without ECI first. Of those of one byte a character there is one: all give the
        same lengths.
    """
    if isinstance(payload, bytes):
        codes = np.frombuffer(payload, dtype=np.uint8)
        sizes = np.ones(codes.size, dtype=int)
        return (Characters(payload.decode("latin-1"), _CLASSES[codes], sizes, payload, None),)
    codes = np.frombuffer(payload.encode("utf-32-le"), dtype=np.uint32)
    classes = _CLASSES[np.minimum(codes, 255)]
    sizes = 1 + (codes > 0x7F) + (codes > 0x7FF) + (codes > 0xFFFF)
    if payload.isascii():
        return (Characters(payload, classes, sizes, payload.encode(), None),)
    double = _in_kanji_mode()[np.minimum(codes, 0xFFFF)]
    with_kanji = np.where(double, KANJI, classes).astype(np.uint8)
    ways = [Characters(payload, with_kanji, sizes, payload.encode("utf-8"), None)]
    # control characters would come back as bytes, not as text
    if eci and as_text(ways[0].stored) is not None:
        for number in _ONE_BYTE:
            if (stored := _stored(payload, number)) is not None:
                ways.append(Characters(payload, classes, np.ones_like(sizes), stored, number))
                break
        # not all readers take the bytes of these two for what ASCII says
        stored = None if set("\\~") & set(payload) else _stored(payload, SHIFT_JIS)
        if stored is not None and len(stored) == len(payload) + np.count_nonzero(double):
            ways.append(Characters(payload, with_kanji, 1 + double, stored, SHIFT_JIS))
    return tuple(ways)


def text_in(data: bytes, eci: int | None) -> bytes:
    """Return bytes of a symbol as UTF-8.

    Parameters
    ----------
    data : bytes
        As the symbol stores them.
    eci : int or None
        Of their character set; None where the symbol does not tell.

    Returns
    -------
    bytes
        The bytes as they are where nothing is told of them, where the character set is not
        known or is UTF-8, or where they are no text in it.
    """
    if eci is None or eci == UTF_8 or eci not in CODECS:
        return data
    # Microsoft's variant of Shift JIS has more characters, such as digits in circles
    for codec in (CODECS[eci], *(["cp932"] if eci == SHIFT_JIS else [])):
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(codec).encode("utf-8")
            return data if as_text(text) is None else text
    return data


def _stored(text: str, eci: int) -> bytes | None:
    try:
        return text.encode(CODECS[eci])
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=1)
def _in_kanji_mode() -> NDArray[np.bool_]:
    """Return of which characters up to U+FFFF all readers agree that the Kanji mode holds them.

    Two bytes in Shift JIS, up to EBBF (ISO/IEC 18004:2015, 7.4.6), and the same two in
    Microsoft's variant of it, which some readers take it for: they differ in the wave dash and a
    few others. The full-width backslash is another one that not all readers agree on.
    """
    found = np.zeros(1 << 16, dtype=bool)
    for first in (*range(0x81, 0xA0), *range(0xE0, 0xEC)):
        for second in range(0x40, 0xFD):
            pair = bytes((first, second))
            one, other = (pair.decode(codec, "replace") for codec in ("shift_jis", "cp932"))
            # what is no pair is replaced, and the second byte may stand alone after it
            if pair <= b"\xeb\xbf" and one == other and len(one) == 1 and one != "\ufffd":
                found[ord(one)] = True
    found[ord("＼")] = False
    return found
