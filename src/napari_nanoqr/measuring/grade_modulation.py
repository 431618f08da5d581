"""Grades of codewords: modulation, reflectance margin and unused error correction, by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.grade_limits import LETTERS, LIMITS
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.placement import bit_order, block_positions


@dataclass(frozen=True)
class Level:
    """One row of the overlay: what if every codeword below a grade of modulation were an error.

    Parameters
    ----------
    grade : int
        Grade of modulation, 4 to 0.
    below : int
        Codewords of the block that do not reach it.
    unused : float
        Share of the error correction that these would leave.
    notional : int
        Grade of that share.
    """

    grade: int
    below: int
    unused: float
    notional: int

    @property
    def reached(self) -> int:
        """The lower of the two grades."""
        return min(self.grade, self.notional)


@dataclass(frozen=True)
class BlockGrade:
    """The grades of one block of codewords.

    Parameters
    ----------
    codewords, correctable : int
        How many it has, and how many of them it can correct.
    wrong : int
        Codewords in which the threshold takes at least one module for the other kind.
    lowest, lowest_margin : float
        Modulation of its worst module, and reflectance margin of that.
    modulation_levels, margin_levels : tuple of Level
        The overlays, best grade first.
    """

    codewords: int
    correctable: int
    wrong: int
    lowest: float
    lowest_margin: float
    modulation_levels: tuple[Level, ...]
    margin_levels: tuple[Level, ...]

    @property
    def unused(self) -> float:
        """Share of the error correction that is left, 0 to 1."""
        return unused_share(self.wrong, self.correctable)

    @property
    def unused_grade(self) -> int:
        """Grade of that share."""
        return LIMITS["unused error correction"].grade(self.unused)

    @property
    def modulation(self) -> int:
        """Grade of the modulation: the best that a row of its overlay reaches."""
        return max(level.reached for level in self.modulation_levels)

    @property
    def margin(self) -> int:
        """Grade of the reflectance margin."""
        return max(level.reached for level in self.margin_levels)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "codewords": self.codewords,
            "correctable": self.correctable,
            "wrong": self.wrong,
            "unused": round(self.unused, 4),
            "unused_letter": LETTERS[self.unused_grade],
            "modulation_letter": LETTERS[self.modulation],
            "margin_letter": LETTERS[self.margin],
        }


def unused_share(wrong: int, correctable: int) -> float:
    """Return the share of the error correction that errors leave.

    ``1 - 2 t / (d - p)`` of ISO/IEC 15415:2011 without erasures, where (d - p) / 2 codewords can
    be corrected. What can correct nothing has all of it left until its first error.
    """
    if wrong > correctable:
        return 0.0
    return 1.0 - wrong / correctable if correctable else 1.0


def codeword_numbers(
    shape: tuple[int, int], error: str
) -> tuple[NDArray[np.int_], list[NDArray[np.int_]]]:
    """Return which codeword each module belongs to, and which codewords each block has.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the symbol.
    error : str
        Error-correction level.

    Returns
    -------
    numbers : (rows, columns) int array
        Codewords count through the data of all blocks, then through all parity; -1 elsewhere.
    blocks : list of int arrays
        The numbers of each block's codewords.
    """
    layout = layout_of(shape)
    structure = layout.blocks[error]
    order = bit_order(structure)
    numbers = np.full(shape, -1)
    rows, columns = layout.codeword_places
    numbers[rows[: order.size], columns[: order.size]] = order // 8
    return numbers, block_positions(structure)


def grade_blocks(
    modulation: NDArray[np.float64], wrong: NDArray[np.bool_], error: str
) -> tuple[BlockGrade, ...]:
    """Grade the codewords of each block.

    Parameters
    ----------
    modulation : (rows, columns) float array
        Modulation of each module, 0 to 1.
    wrong : (rows, columns) bool array
        Modules that the threshold takes for the other kind: for the reflectance margin their
        modulation is 0.
    error : str
        Error-correction level of the symbol.

    Returns
    -------
    tuple of BlockGrade
        In the order of the blocks.
    """
    shape = modulation.shape[0], modulation.shape[1]
    numbers, blocks = codeword_numbers(shape, error)
    correctable = layout_of(shape).blocks[error].correctable
    in_codeword = numbers >= 0
    count = int(numbers.max()) + 1
    # a codeword is as good as its worst module
    lowest, margin = np.full((2, count), np.inf)
    np.minimum.at(lowest, numbers[in_codeword], modulation[in_codeword])
    np.minimum.at(margin, numbers[in_codeword], np.where(wrong, 0.0, modulation)[in_codeword])
    bad = np.zeros(count, dtype=bool)
    bad[numbers[in_codeword & wrong]] = True
    return tuple(
        BlockGrade(
            codewords=len(own),
            correctable=correctable,
            wrong=int(bad[own].sum()),
            lowest=float(lowest[own].min()),
            lowest_margin=float(margin[own].min()),
            modulation_levels=_overlay(lowest[own], correctable),
            margin_levels=_overlay(margin[own], correctable),
        )
        for own in blocks
    )


def _overlay(values: NDArray[np.float64], correctable: int) -> tuple[Level, ...]:
    grades = np.array([LIMITS["modulation"].grade(float(value)) for value in values])
    levels = []
    for grade in (4, 3, 2, 1, 0):
        below = int((grades < grade).sum())
        unused = unused_share(below, correctable)
        notional = LIMITS["unused error correction"].grade(unused)
        levels.append(Level(grade, below, unused, notional))
    return tuple(levels)
