"""Decode the blocks of a symbol of one level and mask, each with the help of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.chance import BlockChance, Tried, chance_of_block
from napari_nanoqr.symbols.forms import Form, fixed_by_all, likely_forms
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.placement import block_positions
from napari_nanoqr.symbols.soft_bits import SoftBits
from napari_nanoqr.symbols.tables import BlockStructure

if TYPE_CHECKING:
    from napari_nanoqr.codes.soft import SoftDecoded

QUICK_EFFORT = 2
"""Effort with which every block is searched first."""


@dataclass(frozen=True, eq=False)
class FoundBlock:
    """The nearest codeword of a block.

    Parameters
    ----------
    decoded : SoftDecoded
        What was found.
    form : Form or None
        The form that was taken for granted.
    times : int
        How many chances an accident had, since several forms were tried.
    chance : BlockChance
        How likely it is wrong, with these.
    """

    decoded: SoftDecoded
    form: Form | None
    times: int
    chance: BlockChance


class BlockSearch:
    """The blocks of a symbol, and what was found for them.

    Parameters
    ----------
    seen : SoftBits
        The bits as the modules show them.
    layout : Layout
        Kind of symbol.
    error : str
        Its error-correction level.

    Attributes
    ----------
    positions : list of (n,) int arrays
        Where the codewords of each block are.
    found : dict of int to FoundBlock
        By their numbers, blocks of which the codeword is believed.
    unsure : dict of int to FoundBlock
        The likeliest codewords of others, where they are likelier than chance.
    """

    def __init__(self, seen: SoftBits, layout: Layout, error: str) -> None:
        self._seen, self._syntax = seen, layout.syntax
        self._structure: BlockStructure = layout.blocks[error]
        self._forms: list[Form] = []
        self.positions = block_positions(self._structure)
        self.found: dict[int, FoundBlock] = {}
        self.unsure: dict[int, FoundBlock] = {}

    def run(self, effort: int, most_chance: float, tried: Tried) -> None:
        """Search all blocks that are not found yet, each as long as may pay.

        Parameters
        ----------
        effort, most_chance
            As `napari_nanoqr.symbols.soft_decode.decode_likelihoods` takes them.
        tried : Tried
            How many chances an accident has.
        """
        # a block that is alone gets no help from others: it is searched for longest
        alone = effort > QUICK_EFFORT and len(self.positions) == 1
        # long searches only where quick ones have shown that there is a symbol at all
        for level in sorted({min(QUICK_EFFORT, effort), effort + 1 if alone else effort}):
            told = self._seen
            for number, block in self.found.items():
                told = told.told(self.positions[number], block.decoded.codeword)
            data = told.ratios[: self._structure.data_bits]
            self._forms = likely_forms(data, self._syntax)
            looks = (*self._forms, None)
            # long ones take only what is likeliest: three times as long would find hardly more
            for attempt, form in enumerate(looks if level <= QUICK_EFFORT else looks[:1], start=1):
                # the k-th counts as k (k + 1): together they are no likelier than one alone
                times = attempt * (attempt + 1) if self._forms else 1
                self._look(form, times, level, most_chance, tried)

    def _look(
        self, form: Form | None, times: int, effort: int, most_chance: float, tried: Tried
    ) -> None:
        from napari_nanoqr.codes.soft import decode_soft

        looked = self._seen if form is None else self._seen.in_form(form)
        parity = self._structure.parity
        for number, positions in enumerate(self.positions):
            if number in self.found:
                continue
            ratios, known = looked.block(positions)
            decoded = decode_soft(ratios, parity, effort=effort, known=known)
            if decoded is not None:
                one = chance_of_block(*self._seen.block(positions), decoded, parity)
                block = FoundBlock(decoded, form, times, one.once_in(times))
                # what all blocks add up to is looked at in the end
                if block.chance.least(tried) <= most_chance:
                    self.found[number] = block
                    self.unsure.pop(number, None)
                    continue
                before = self.unsure.get(number)
                if block.chance.plain < (1.0 if before is None else before.chance.plain):
                    self.unsure[number] = block
            if not self.found and number > len(self.positions) // 2:
                break

    def known(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return what is as good as known: blocks that are believed, and what a form fixes.

        Returns
        -------
        bits, known : (8 n,) bool arrays
            Bits of all codewords, and which of them are known.
        """
        codewords = np.zeros(self._structure.codewords, dtype=np.uint8)
        believed = np.zeros((codewords.size, 8), dtype=bool)
        for number, block in self.found.items():
            codewords[self.positions[number]] = block.decoded.codeword
            believed[self.positions[number]] = True
        bits, known = np.unpackbits(codewords).astype(bool), believed.ravel()
        fixed, ones = fixed_by_all(self._forms, self._structure.data_bits)
        data = np.s_[: fixed.size]
        bits[data] = np.where(known[data], bits[data], ones)
        known[data] |= fixed
        return bits, known
