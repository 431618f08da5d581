"""Micro QR codes, M1 to M4: sizes, tables and where everything stands (ISO/IEC 18004:2015)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from napari_nanoqr.symbols.layout import (
    Layout,
    Modules,
    bit_table,
    finder_corner,
    finder_pattern,
    zigzag,
)
from napari_nanoqr.symbols.qr import mask_conditions
from napari_nanoqr.symbols.syntax import Syntax
from napari_nanoqr.symbols.tables import BlockStructure, bch

VERSIONS = ("M1", "M2", "M3", "M4")

# data codewords, parity codewords and correctable codewords (table 9); M1 has no level, it only
# detects errors, and is counted as L here
_BLOCKS = {
    ("M1", "L"): (3, 2, 0),
    ("M2", "L"): (5, 5, 1),
    ("M2", "M"): (4, 6, 2),
    ("M3", "L"): (11, 6, 2),
    ("M3", "M"): (9, 8, 4),
    ("M4", "L"): (16, 8, 3),
    ("M4", "M"): (14, 10, 5),
    ("M4", "Q"): (10, 14, 7),
}

# widths of the character counts (table 3)
_COUNT_BITS = {
    "M1": {"numeric": 3},
    "M2": {"numeric": 4, "alphanumeric": 3},
    "M3": {"numeric": 5, "alphanumeric": 4, "byte": 4, "kanji": 3},
    "M4": {"numeric": 6, "alphanumeric": 5, "byte": 5, "kanji": 4},
}

_MASKS = (1, 4, 6, 7)
"""Which of a QR code's masks are in use (table 10)."""

_FORMAT_MASK = 0b100010001000101


def micro_side(version: str) -> int:
    """Return the number of modules along one side."""
    return 11 + 2 * VERSIONS.index(version)


def micro_blocks(version: str) -> dict[str, BlockStructure]:
    """Return how codewords are divided into blocks, by error-correction level."""
    levels = [level for name, level in _BLOCKS if name == version]
    return {level: _structure(version, level) for level in levels}


def micro_syntax(version: str) -> Syntax:
    """Return how Micro QR codes of a version write their bit stream (tables 2 and 3)."""
    number = VERSIONS.index(version)
    indicators = {"numeric": 0, "alphanumeric": 1, "byte": 2, "kanji": 3}
    # what ends the stream is also a numeric segment of no digits
    return Syntax(number, indicators, _COUNT_BITS[version], 2 * number + 3)


@lru_cache(maxsize=4)
def micro_layout(version: str) -> Layout:
    """Return where everything stands in a Micro QR code.

    Parameters
    ----------
    version : {"M1", "M2", "M3", "M4"}
        Of 11, 13, 15 or 17 modules.
    """
    side, blocks = micro_side(version), micro_blocks(version)
    dark, reserved = _patterns(side)
    certain = reserved.copy()
    # bit 0 stands at the top (figure 26)
    down = np.arange(1, 9)
    rows, columns = np.append(down, [8] * 7), np.append([8] * 8, down[-2::-1])
    reserved[rows, columns] = True
    formats = tuple((error, mask) for error in blocks for mask in range(4))
    numbers = {key: number for number, key in enumerate(_BLOCKS)}
    words = [bch(numbers[version, error] << 2 | mask, 5, 0b10100110111) for error, mask in formats]
    return Layout(
        symbology="Micro QR",
        version=version,
        dark=dark,
        certain=certain,
        finders=finder_corner((side, side)),
        codeword_places=zigzag(reserved, range(side - 1, 0, -2)),
        masks=mask_conditions((side, side))[list(_MASKS)] & ~reserved,
        format_places=(rows, columns),
        formats=formats,
        format_words=bit_table([word ^ _FORMAT_MASK for word in words], 15),
        blocks=blocks,
        syntax=micro_syntax(version),
    )


def _patterns(side: int) -> tuple[Modules, Modules]:
    """Return the dark modules of finder, separator and timing patterns, and all of theirs."""
    dark, reserved = np.zeros((2, side, side), dtype=bool)
    dark[0, :] = dark[:, 0] = np.arange(side) % 2 == 0
    reserved[0, :] = reserved[:, 0] = True
    dark[:8, :8] = False
    dark[:7, :7] = finder_pattern()
    reserved[:8, :8] = True
    return dark, reserved


def _structure(version: str, error: str) -> BlockStructure:
    data, parity, correctable = _BLOCKS[version, error]
    last_bits = 4 if version in ("M1", "M3") else 8
    return BlockStructure((data,), parity, correctable, last_bits)
