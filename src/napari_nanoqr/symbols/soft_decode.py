"""From a likelihood for every module to the payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, assemble, block_positions
from napari_nanoqr.symbols.encode import block_order
from napari_nanoqr.symbols.layout import codeword_positions, format_positions, mask_patterns
from napari_nanoqr.symbols.tables import LEVELS, block_structure, format_information

MOST_FORMATS = 4
"""Combinations of level and mask that are tried, the most likely first."""

QUICK_EFFORT = 2
"""Effort with which every block is searched first."""

FORMAT_RANGE = 12.0
"""Combinations that are less likely than the best by more than this (natural logarithm) are
not tried: together they hold less than 31 e^-12, or 0.02 %, of the probability."""

if TYPE_CHECKING:
    from napari_nanoqr.codes.soft import SoftDecoded


@dataclass(frozen=True)
class NotReadable:
    """How far a symbol was from being readable.

    Parameters
    ----------
    error : str
        Most likely error-correction level.
    mask : int
        Most likely mask.
    failed_blocks : tuple of int
        Blocks that could not be decoded.
    blocks : int
        Number of blocks.
    """

    error: str
    mask: int
    failed_blocks: tuple[int, ...]
    blocks: int


def decode_likelihoods(
    llr: NDArray[np.float32], *, effort: int = 2, most_chance: float = 1e-6
) -> DecodedSymbol | NotReadable:
    """Decode a QR code symbol softly.

    Parameters
    ----------
    llr : (side, side) float32 array
        Natural logarithm of P(light) / P(dark) for every module, upright and not mirrored.
    effort : int
        How long the decoder of a block searches, see
        :func:`~napari_nanoqr.codes.soft.decode_soft`.
    most_chance : float
        Largest probability of a wrong answer that is accepted.

    Returns
    -------
    DecodedSymbol or NotReadable
        The symbol, with ``chance`` an upper bound on the probability that it is wrong; or why
        there is none.

    Raises
    ------
    Undecodable
        Where the side is no QR code's.
    """
    side = llr.shape[0]
    version, odd = divmod(side - 17, 4)
    if llr.shape != (side, side) or odd or not 1 <= version <= 40:
        raise Undecodable(f"{llr.shape} modules are not a QR code")
    formats = likely_formats(llr, version)
    failure: NotReadable | None = None
    for error, mask in formats:
        result = _decode_blocks(llr, version, error, mask, effort, most_chance / len(formats))
        if isinstance(result, DecodedSymbol):
            return result
        failure = failure or result
    assert failure is not None  # there is always one format
    return failure


def likely_formats(llr: NDArray[np.float32], version: int) -> list[tuple[str, int]]:
    """Return combinations of level and mask by falling likelihood.

    Parameters
    ----------
    llr : (side, side) float32 array
        Natural logarithm of P(light) / P(dark).
    version : int
        1 to 40.

    Returns
    -------
    list of (str, int)
        At most :data:`MOST_FORMATS`, those within :data:`FORMAT_RANGE` of the best.
    """
    seen = np.concatenate([llr[rows, columns] for rows, columns in format_positions(version)])
    scored = []
    for error in LEVELS:
        for mask in range(8):
            dark = (format_information(error, mask) >> np.arange(15)) & 1
            # log P of the modules up to a constant: half the ratio with the sign of each
            score = float((seen * (0.5 - np.tile(dark, 2))).sum())
            scored.append((score, error, mask))
    scored.sort(reverse=True)
    best = scored[0][0]
    return [(e, m) for score, e, m in scored[:MOST_FORMATS] if best - score < FORMAT_RANGE]


def _decode_blocks(
    llr: NDArray[np.float32],
    version: int,
    error: str,
    mask: int,
    effort: int,
    most_chance: float,
) -> DecodedSymbol | NotReadable:
    from napari_nanoqr.codes.soft import decode_soft

    structure = block_structure(version, error)
    rows, columns = codeword_positions(version)
    order = block_order(version, error)
    # a dark module is a 1 where the mask is not set: its ratio counts for the bit as it is
    turned = np.where(mask_patterns(version)[mask], -llr, llr)[rows, columns]
    placed = turned[: 8 * order.size].reshape(-1, 8)
    bits = np.empty_like(placed)
    bits[order] = placed
    blocks = [
        (positions, np.ascontiguousarray(bits[positions]))
        for positions in block_positions(structure)
    ]
    allowed = np.log2(most_chance / len(blocks))
    found: dict[int, SoftDecoded] = {}
    # long searches only where quick ones have shown that there is a symbol at all
    for level in range(min(QUICK_EFFORT, effort), effort + 1):
        missing = [number for number in range(len(blocks)) if number not in found]
        for number in missing:
            decoded = decode_soft(blocks[number][1], structure.parity, effort=level)
            if decoded is not None and decoded.log2_chance <= allowed:
                found[number] = decoded
            elif len(blocks) - len(found) > len(blocks) // 2 and number > len(blocks) // 2:
                break
    failed = tuple(number for number in range(len(blocks)) if number not in found)
    if failed:
        return NotReadable(error, mask, failed, len(blocks))
    corrected = np.zeros(order.size, dtype=np.uint8)
    for number, (positions, _) in enumerate(blocks):
        corrected[positions] = found[number].codeword
    counts = tuple(found[number].wrong_codewords for number in range(len(blocks)))
    # one block decoded to a wrong codeword is enough to make the payload wrong
    chance = sum(2.0**decoded.log2_chance for decoded in found.values())
    try:
        return assemble(corrected, llr < 0, version, error, mask, counts, chance)
    except Undecodable:
        return NotReadable(error, mask, (), len(structure.data))
