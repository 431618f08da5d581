"""From sampled modules to the payload, by hard decisions."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.symbols.encode import block_order, place_codewords
from napari_nanoqr.symbols.layout import (
    codeword_positions,
    mask_patterns,
    nearest_format,
    put_format,
)
from napari_nanoqr.symbols.segments import BadStream, Content, read_stream
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.tables import BlockStructure, block_structure


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
    wrong : (side, side) bool array
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
    """Decode a sampled QR code symbol.

    Parameters
    ----------
    sampled : (side, side) bool array
        Modules without quiet zone, True = dark, upright and not mirrored.

    Returns
    -------
    DecodedSymbol
        The payload and every error that was corrected.

    Raises
    ------
    Undecodable
        Where the side is no QR code's, or there are too many errors.
    """
    side = sampled.shape[0]
    version, odd = divmod(side - 17, 4)
    if sampled.shape != (side, side) or odd or not 1 <= version <= 40:
        raise Undecodable(f"{sampled.shape} modules are not a QR code")
    error, mask, _ = nearest_format(sampled, version)
    structure = block_structure(version, error)
    rows, columns = codeword_positions(version)
    bits = (sampled ^ mask_patterns(version)[mask])[rows, columns]
    order = block_order(version, error)
    flat = np.zeros(order.size, dtype=np.uint8)
    flat[order] = np.packbits(bits[: 8 * order.size])
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
    return assemble(corrected, sampled, version, error, mask, tuple(counts), chance)


def assemble(
    codewords: NDArray[np.uint8],
    sampled: NDArray[np.bool_],
    version: int,
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
    sampled : (side, side) bool array
        Modules as they were seen.
    version, error, mask : int, str, int
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
    structure = block_structure(version, error)
    try:
        content = read_stream(codewords[: structure.data_codewords], version)
    except BadStream as problem:
        raise Undecodable(f"The corrected codewords make no sense: {problem}.") from problem
    order = block_order(version, error)
    written = place_codewords(codewords[order], version) ^ mask_patterns(version)[mask]
    put_format(written, version, error, mask)
    symbol = Symbol(content.payload, written, version, error, mask)
    return DecodedSymbol(
        symbol, content, sampled ^ written, corrected, structure.correctable, min(1.0, chance)
    )


def block_positions(structure: BlockStructure) -> list[NDArray[np.int_]]:
    """Return where the codewords of each block stand, data of all blocks before all parity."""
    starts = np.cumsum((0, *structure.data))
    total, parity = starts[-1], structure.parity
    return [
        np.concatenate(
            (
                np.arange(start, start + length),
                total + np.arange(i * parity, (i + 1) * parity),
            )
        )
        for i, (start, length) in enumerate(zip(starts[:-1], structure.data, strict=True))
    ]


def _accident(length: int, parity: int, errors: int) -> float:
    """Share of all words of a length that lie within so many errors of some codeword."""
    ball: int = sum(comb(length, e) * 255**e for e in range(errors + 1))
    # the ratio of integers stays exact where floats would overflow
    return min(1.0, float(ball / 256**parity))
