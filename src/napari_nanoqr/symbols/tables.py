"""The tables of ISO/IEC 18004:2015 for QR codes, versions 1 to 40.

Block structure from table 9, alignment patterns from annex E (by the rule that reproduces it),
generator polynomials of the format and version information from annexes C and D.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

LEVELS = ("L", "M", "Q", "H")
"""Error-correction levels, weakest first."""

FORMAT_BITS = {"L": 0b01, "M": 0b00, "Q": 0b11, "H": 0b10}
"""Two-bit indicators of the error-correction levels (table 12)."""

# parity codewords in each block, versions 1 to 40
_PARITY = {
    "L": (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
          28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30),
    "M": (10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
          26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28),
    "Q": (13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
          28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30),
    "H": (17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
          30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30),
}  # fmt: skip

# number of blocks, versions 1 to 40
_BLOCKS = {
    "L": (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
          8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25),
    "M": (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
          17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49),
    "Q": (1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
          23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68),
    "H": (1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
          25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81),
}  # fmt: skip

# codewords that the standard keeps back against miscorrection (table 9, notes)
_MISDECODE = {(1, "L"): 3, (1, "M"): 2, (1, "Q"): 1, (1, "H"): 1, (2, "L"): 2, (3, "L"): 1}


@dataclass(frozen=True)
class BlockStructure:
    """How the codewords of a symbol are divided into Reed-Solomon blocks.

    Parameters
    ----------
    data : tuple of int
        Data codewords of each block.
    parity : int
        Parity codewords of each block.
    correctable : int
        Wrong codewords that each block can correct.
    last_bits : int
        Bits of the last data codeword: 4 in some Micro QR symbols. In the block it stands with
        four zeros after them.
    """

    data: tuple[int, ...]
    parity: int
    correctable: int
    last_bits: int = 8

    @property
    def data_codewords(self) -> int:
        """Data codewords of the whole symbol."""
        return sum(self.data)

    @property
    def data_bits(self) -> int:
        """Bits of all data codewords."""
        return 8 * (self.data_codewords - 1) + self.last_bits

    @property
    def codewords(self) -> int:
        """Data and parity codewords of the whole symbol."""
        return self.data_codewords + self.parity * len(self.data)


def side_modules(version: int) -> int:
    """Return the number of modules along one side."""
    return 17 + 4 * version


def alignment_centres(version: int) -> tuple[int, ...]:
    """Return the row (and column) coordinates of the alignment patterns' centres."""
    if version == 1:
        return ()
    count = version // 7 + 2
    last = side_modules(version) - 7
    # even steps, largest gap first; version 32 is the one exception of annex E
    step = 26 if version == 32 else (last - 6 + count - 2) // (count - 1)
    step += step % 2
    return (6, *sorted(last - i * step for i in range(count - 1)))


@cache
def block_structure(version: int, error: str) -> BlockStructure:
    """Return how a symbol's codewords are divided into blocks.

    Parameters
    ----------
    version : int
        1 to 40.
    error : {"L", "M", "Q", "H"}
        Error-correction level.

    Returns
    -------
    BlockStructure
        Shorter blocks come first, as in the standard.
    """
    total = data_modules(version) // 8
    blocks, parity = _BLOCKS[error][version - 1], _PARITY[error][version - 1]
    short, longer = divmod(total - blocks * parity, blocks)
    data = (short,) * (blocks - longer) + (short + 1,) * longer
    kept_back = _MISDECODE.get((version, error), 0)
    return BlockStructure(data, parity, (parity - kept_back) // 2)


def data_modules(version: int) -> int:
    """Return the modules that carry codewords or remainder bits."""
    side = side_modules(version)
    finders, format_and_dark = 3 * 64, 31
    timing = 2 * (side - 16)
    centres = len(alignment_centres(version))
    alignment = 25 * max(0, centres * centres - 3)
    # alignment patterns on a timing pattern share 5 modules with it
    shared = 5 * 2 * max(0, centres - 2)
    version_information = 36 if version >= 7 else 0
    function = finders + format_and_dark + timing + alignment - shared + version_information
    return side * side - function


def bch(data: int, data_bits: int, generator: int) -> int:
    """Return some bits with the check bits of a cyclic code after them (annex C).

    Parameters
    ----------
    data : int
        The bits.
    data_bits : int
        How many there are.
    generator : int
        Coefficients of the generator polynomial, as many as there are check bits, plus one.
    """
    parity_bits = generator.bit_length() - 1
    remainder = data << parity_bits
    for bit in range(data_bits - 1, -1, -1):
        if remainder >> (bit + parity_bits) & 1:
            remainder ^= generator << bit
    return data << parity_bits | remainder


def format_information(error: str, mask: int) -> int:
    """Return the 15 bits of format information, masked as they stand in the symbol."""
    return bch(FORMAT_BITS[error] << 3 | mask, 5, 0b10100110111) ^ 0b101010000010010


def version_information(version: int) -> int:
    """Return the 18 bits of version information of versions 7 to 40, or of six other bits."""
    return bch(version, 6, 0b1111100100101)
