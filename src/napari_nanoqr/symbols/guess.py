"""A symbol that is likely, but not yet likely enough: judged by a second look at its modules.

Modules weighed one by one say less than all of them together: where the image is soft, two
neighbours may only show that they differ. Once a symbol is guessed, each module can be weighed
with those before it in some order taken for what the guess says. By the chain rule that is the
likelihood of the whole symbol, as if the neighbours had been known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.block_search import FoundBlock
from napari_nanoqr.symbols.chance import BlockChance, Tried, chance_in_turn, chance_of_symbol
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.placement import block_positions
from napari_nanoqr.symbols.soft_bits import SoftBits
from napari_nanoqr.symbols.stream import Content
from napari_nanoqr.symbols.symbol import Symbol


@dataclass(frozen=True, eq=False)
class Guess:
    """A symbol of which some blocks are not sure.

    Parameters
    ----------
    decoded : DecodedSymbol
        What it would be.
    content : Content
        What of its stream may count as a check.
    found, unsure : dict of int to FoundBlock
        Its blocks.
    formats : int
        Combinations of level and mask that were tried.
    """

    decoded: DecodedSymbol
    content: Content
    found: dict[int, FoundBlock]
    unsure: dict[int, FoundBlock]
    formats: int

    @property
    def symbol(self) -> Symbol:
        """What it would be."""
        return self.decoded.symbol

    def chance(self, llr: NDArray[np.float32], in_turn: NDArray[np.float32], places: int) -> float:
        """Return how likely the guess is wrong, with what a second look says.

        Parameters
        ----------
        llr : (rows, columns) float32 array
            Natural logarithm of P(light) / P(dark) for every module, each for itself.
        in_turn : (rows, columns) float32 array
            The same with modules that come earlier in some order, the same for all symbols, taken
            for what the guess says; of each module nothing that depends on later ones.
        places : int
            How many places are tried until one is believed, this one counted anew.
        """
        symbol, layout = self.symbol, layout_of(llr.shape)
        structure = layout.blocks[symbol.error]
        seen = SoftBits.of(in_turn, layout, symbol.error, symbol.mask)
        positions = block_positions(structure)
        chances = [block.chance for block in self.found.values()]
        for number, block in self.unsure.items():
            looked = seen if block.form is None else seen.in_form(block.form)
            ratios, known = looked.block(positions[number])
            plain = chance_in_turn(ratios, known, block.decoded.codeword, structure.parity)
            # the bound holds for words that are noise and for those of another symbol
            chances.append(BlockChance(plain, plain).once_in(block.times))
        tried = Tried(places, self.formats)
        return chance_of_symbol(llr, symbol, self.content, chances, tried)
