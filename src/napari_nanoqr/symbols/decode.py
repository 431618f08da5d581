"""From sampled modules to the payload, by hard decisions."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.symbols.kinds import NoSymbol, layout_of
from napari_nanoqr.symbols.placement import bit_order, block_positions, place_codewords
from napari_nanoqr.symbols.stream import BadStream, Content, read_stream
from napari_nanoqr.symbols.symbol import Symbol


class Undecodable(ValueError):
    """The modules hold no symbol, or more errors than it can correct."""


@dataclass(frozen=True)
class DecodedSymbol:
    """A symbol that was decoded from sampled modules.

    Parameters
    ----------
    symbol : Symbol
        The symbol as it must have been written: every error mended.
    content : Content
        What its bit stream says.
    wrong : (rows, columns) bool array
        Modules that were sampled other than written.
    corrected : tuple of int
        Codewords that were corrected in each block.
    correctable : int
        Codewords that each block can correct.
    chance : float
        Upper bound on the probability that a block which holds something else would have been
        corrected with so few corrections, added up over the blocks.
    """

    symbol: Symbol
    content: Content
    wrong: NDArray[np.bool_]
    corrected: tuple[int, ...]
    correctable: int
    chance: float


def decode_modules(sampled: NDArray[np.bool_]) -> DecodedSymbol:
    """Decode a sampled symbol.

    Parameters
    ----------
    sampled : (rows, columns) bool array
        Modules without quiet zone, True = dark, upright and not mirrored.

    Returns
    -------
    DecodedSymbol
        The payload and every error that was corrected.

    Raises
    ------
    Undecodable
        Where no symbol has this size, or there are too many errors.
    """
    try:
        layout = layout_of(sampled.shape)
    except NoSymbol as problem:
        raise Undecodable(str(problem)) from problem
    error, mask, _ = layout.nearest_format(sampled)
    structure = layout.blocks[error]
    bits = np.zeros(8 * structure.codewords, dtype=bool)
    order = bit_order(structure)
    bits[order] = (sampled ^ layout.masks[mask])[layout.codeword_places][: order.size]
    flat = np.packbits(bits)
    corrected, counts, chance = flat.copy(), [], 0.0
    for positions in block_positions(structure):
        try:
            block, errors = reed_solomon.decode(
                flat[positions], structure.parity, max_errors=structure.correctable
            )
        except reed_solomon.Uncorrectable as problem:
            raise Undecodable(f"Too many errors: {problem}.") from problem
        corrected[positions] = block
        counts.append(errors)
        # one block corrected to a wrong codeword is enough to make the payload wrong
        chance += _accident(positions.size, structure.parity, errors)
    return assemble(corrected, sampled, error, mask, tuple(counts), chance)


def assemble(
    codewords: NDArray[np.uint8],
    sampled: NDArray[np.bool_],
    error: str,
    mask: int,
    corrected: tuple[int, ...],
    chance: float,
) -> DecodedSymbol:
    """Put a symbol together from its corrected blocks.

    Parameters
    ----------
    codewords : (n,) uint8 array
        Data codewords of all blocks one after the other, then all parity codewords.
    sampled : (rows, columns) bool array
        Modules as they were seen.
    error, mask : str, int
        What the symbol is.
    corrected : tuple of int
        Codewords that were corrected in each block.
    chance : float
        Upper bound on the probability that the answer is wrong.

    Returns
    -------
    DecodedSymbol
        The symbol as it must have been written.

    Raises
    ------
    Undecodable
        Where the bit stream makes no sense.
    """
    layout = layout_of(sampled.shape)
    structure = layout.blocks[error]
    try:
        content = read_stream(
            codewords[: structure.data_codewords], layout.syntax, structure.data_bits
        )
    except BadStream as problem:
        raise Undecodable(f"The corrected codewords make no sense: {problem}.") from problem
    written = place_codewords(codewords, layout, error) ^ layout.masks[mask]
    layout.put_format(written, error, mask)
    symbol = Symbol(content.payload, written, layout.version, error, mask)
    return DecodedSymbol(
        symbol, content, sampled ^ written, corrected, structure.correctable, min(1.0, chance)
    )


def _accident(length: int, parity: int, errors: int) -> float:
    """Share of all words of a length that lie within so many errors of some codeword."""
    ball: int = sum(comb(length, e) * 255**e for e in range(errors + 1))
    # the ratio of integers stays exact where floats would overflow
    return min(1.0, float(ball / 256**parity))
