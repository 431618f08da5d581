"""How symbols of a version write their bit stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Syntax:
    """How the symbols of a version write their bit stream.

    Parameters
    ----------
    indicator_bits : int
        Length of a mode indicator; 0 where there is only one mode.
    indicators : mapping of str to int
        Mode indicators by name.
    count_bits : mapping of str to int
        Length of the character count of each mode that has one.
    terminator_bits : int
        Zeros that end the stream, fewer where there is no more room.
    """

    indicator_bits: int
    indicators: Mapping[str, int]
    count_bits: Mapping[str, int]
    terminator_bits: int

    def head_bits(self, mode: str) -> int:
        """Return the length of a segment without its data."""
        return self.indicator_bits + self.count_bits.get(mode, 0)


_QR_INDICATORS = {
    "numeric": 0b0001, "alphanumeric": 0b0010, "byte": 0b0100, "kanji": 0b1000, "eci": 0b0111,
    "structured append": 0b0011, "first fnc1": 0b0101, "second fnc1": 0b1001,
}  # fmt: skip


@lru_cache(maxsize=40)
def qr_syntax(version: int) -> Syntax:
    """Return how QR codes of a version write their bit stream (tables 2 and 3)."""
    size = 0 if version <= 9 else 1 if version <= 26 else 2
    widths = {
        "numeric": (10, 12, 14), "alphanumeric": (9, 11, 13), "byte": (8, 16, 16),
        "kanji": (8, 10, 12),
    }  # fmt: skip
    return Syntax(4, _QR_INDICATORS, {mode: bits[size] for mode, bits in widths.items()}, 4)
