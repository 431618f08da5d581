"""Micro QR and rMQR symbols: the native reader's answer, held against the fixed patterns.

Their codewords are not decoded here. What a reader says is believed where the fixed patterns,
the format information and the error correction together leave chance no room.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.register import make_template, refine
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.tables import FORMAT_BITS, format_information

Modules = NDArray[np.bool_]

MOST_CHANCE_PLAIN = 1e-6
"""Accepted on the image as it is; 1e-2 of it after the image was worked on."""

_LEAST_CORRELATION = 0.4

# codewords, parity and correctable codewords (ISO/IEC 18004:2015, table 9)
_MICRO_BLOCKS = {
    ("M1", "L"): (5, 2, 0),
    ("M2", "L"): (10, 5, 1),
    ("M2", "M"): (10, 6, 2),
    ("M3", "L"): (17, 6, 2),
    ("M3", "M"): (17, 8, 4),
    ("M4", "L"): (24, 8, 3),
    ("M4", "M"): (24, 10, 5),
    ("M4", "Q"): (24, 14, 7),
}

# symbol numbers in the format information (table 13)
_MICRO_NUMBERS = {key: number for number, key in enumerate(_MICRO_BLOCKS)}


@dataclass(frozen=True, eq=False)
class ConfirmedSmall:
    """A Micro QR or rMQR symbol that can be believed.

    Parameters
    ----------
    grid : Grid
        Where it is, rows and columns as encoded.
    sampled : (rows, columns) bool array
        Modules as the reader saw them, upright and not mirrored.
    mirrored, inverted : bool
        How the image shows it.
    chance : float
        Upper bound on the probability that something else would have looked like it.
    """

    grid: Grid
    sampled: Modules
    mirrored: bool
    inverted: bool
    chance: float


def confirm_small(
    image: NDArray[np.float32], answer: NativeAnswer, plain: bool
) -> ConfirmedSmall | None:
    """Hold a decoded Micro QR or rMQR symbol against what every such symbol shows.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, best unprocessed.
    answer : NativeAnswer
        The reader's answer.
    plain : bool
        The reader saw the image nearly as it is.

    Returns
    -------
    ConfirmedSmall or None
        None where there is any doubt.
    """
    if not answer.payload or answer.matrix is None or answer.version is None:
        return None
    judged = _micro(answer) if answer.symbology == "Micro QR" else _rectangular(answer)
    if judged is None:
        return None
    modules, known, mirrored, chance = judged
    if chance > (MOST_CHANCE_PLAIN if plain else MOST_CHANCE_PLAIN / 100):
        return None
    try:
        grid = Grid.from_corners(answer.corners_yx, modules.shape)
        window = Window.around(image, answer.corners_yx, grid.pitch_px)
    except ValueError:
        return None
    fit = refine(window.softened, window.inside(grid), make_template(modules, known))
    if abs(fit.correlation) < _LEAST_CORRELATION:
        return None
    # the fixed patterns stand on two sides only; what was read holds the grid on the others
    whole = make_template(answer.matrix, np.ones_like(answer.matrix))
    fit = refine(window.softened, fit.grid, whole, degree=2)
    grid = window.outside(fit.grid)
    return ConfirmedSmall(
        grid.transposed() if mirrored else grid,
        answer.matrix.T if mirrored else answer.matrix,
        mirrored,
        fit.correlation < 0,
        chance,
    )


def _finder() -> Modules:
    ring = np.abs(np.arange(-3, 4))
    return np.asarray(np.maximum.outer(ring, ring) != 2)


def _accident(known: int, wrong: int) -> float:
    """Return the share of all patterns of some modules that differ in no more of them."""
    patterns: int = sum(comb(known, i) for i in range(wrong + 1))
    return float(patterns / 2**known)


def micro_patterns(side: int) -> tuple[Modules, Modules]:
    """Return the modules that all Micro QR symbols of a size share, and which they are.

    Parameters
    ----------
    side : int
        11, 13, 15 or 17.

    Returns
    -------
    dark, known : (side, side) bool arrays
        Finder, separator and timing patterns (ISO/IEC 18004:2015, figure 4).
    """
    dark, known = np.zeros((2, side, side), dtype=bool)
    dark[0, :] = dark[:, 0] = np.arange(side) % 2 == 0
    known[0, :] = known[:, 0] = True
    dark[:8, :8] = False
    dark[:7, :7] = _finder()
    known[:8, :8] = True
    return dark, known


def rectangular_patterns(rows: int, columns: int) -> tuple[Modules, Modules]:
    """Return modules that all rMQR symbols of a size share, and which they are.

    Parameters
    ----------
    rows, columns : int
        Size of the symbol.

    Returns
    -------
    dark, known : (rows, columns) bool arrays
        Finder, sub-finder and the timing patterns along the long edges without the alignment
        patterns (ISO/IEC 23941:2022, clause 5.3).
    """
    dark, known = np.zeros((2, rows, columns), dtype=bool)
    timing = np.arange(columns) % 2 == 0
    for row in (0, rows - 1):
        # an alignment pattern keeps the even columns dark, its middle column is an odd one
        dark[row] = known[row] = timing
    dark[:7, :8] = False
    dark[:7, :7] = _finder()
    known[:7, :8] = True
    ring = np.abs(np.arange(-2, 3))
    dark[-5:, -5:] = np.maximum.outer(ring, ring) != 1
    known[-5:, -5:] = True
    return dark, known


def _micro(answer: NativeAnswer) -> tuple[Modules, Modules, bool, float] | None:
    seen = answer.matrix
    key = (answer.version or "", answer.error or "")
    assert seen is not None
    if key not in _MICRO_BLOCKS or seen.shape != (side := 9 + 2 * int(key[0][1]), side):
        return None
    dark, known = micro_patterns(side)
    finder = np.zeros_like(known)
    finder[:8, :8] = True
    wrong = (seen != dark) & known
    timing = known & ~finder
    if (wrong & finder).sum() > 8:
        return None
    format_bits = {flag: _format_distance(seen.T if flag else seen, key, answer.mask)
                   for flag in (False, True)}  # fmt: skip
    mirrored = format_bits[True] < format_bits[False]
    codewords, parity, correctable = _MICRO_BLOCKS[key]
    repaired = sum(comb(codewords, e) * 255**e for e in range(correctable + 1)) / 256**parity
    chance = (
        repaired
        * _accident(int(timing.sum()), int((wrong & timing).sum()))
        * 2 * _accident(15, format_bits[mirrored]) * 32
    )  # fmt: skip
    return dark, known, mirrored, min(1.0, chance)


def _format_distance(seen: Modules, key: tuple[str, str], mask: int | None) -> int:
    """Return in how many of 15 modules the format information differs (7.9.2)."""
    bits = np.concatenate((seen[1:9, 8], seen[8, 7:0:-1]))
    expected = (
        micro_format(_MICRO_NUMBERS[key] << 2 | m) >> np.arange(15) & 1 == 1
        for m in (range(4) if mask is None else (mask,))
    )
    return min(int((bits != pattern).sum()) for pattern in expected)


def micro_format(data: int) -> int:
    """Return the 15 bits of a Micro QR symbol's format information, masked as they stand.

    Parameters
    ----------
    data : int
        Symbol number times 4 plus the mask, 0 to 31.
    """
    level = next(name for name, bits in FORMAT_BITS.items() if bits == data >> 3)
    # the same code as in QR symbols, under another mask (annex C)
    return format_information(level, data & 7) ^ 0b101010000010010 ^ 0b100010001000101


def _rectangular(answer: NativeAnswer) -> tuple[Modules, Modules, bool, float] | None:
    seen = answer.matrix
    assert seen is not None
    rows, columns = seen.shape
    if answer.version != f"R{rows}x{columns}" or rows < 7 or columns < 27:
        return None
    dark, known = rectangular_patterns(rows, columns)
    finder = np.zeros_like(known)
    finder[:7, :8] = True
    wrong = (seen != dark) & known
    if (wrong & finder).sum() > 8:
        return None
    others = known & ~finder
    chance = _accident(int(others.sum()), int((wrong & others).sum()))
    return dark, known, False, chance
