"""From a likelihood for every module to the payload."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.chance import BlockChance, Tried, chance_of_block, chance_of_symbol
from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, assemble
from napari_nanoqr.symbols.forms import Form, fixed_by_all, likely_forms
from napari_nanoqr.symbols.kinds import NoSymbol, layout_of
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.placement import bit_order, block_positions

MOST_FORMATS = 4
"""Combinations of level and mask that are tried, the most likely first."""

QUICK_EFFORT = 2
"""Effort with which every block is searched first."""

_SURE = 30.0
"""Logarithm of the odds of a bit that was decoded already, or is taken for granted."""

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
    dark, certain : (rows, columns) bool arrays
        Modules that are as good as known, True = dark, and which they are: those of the blocks
        that were decoded, and those that the stream's form fixes.
    """

    error: str
    mask: int
    failed_blocks: tuple[int, ...]
    blocks: int
    dark: NDArray[np.bool_] = field(repr=False)
    certain: NDArray[np.bool_] = field(repr=False)


def decode_likelihoods(
    llr: NDArray[np.float32], *, effort: int = 2, most_chance: float = 1e-6, places: int = 1
) -> DecodedSymbol | NotReadable:
    """Decode a symbol softly.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module, upright and not mirrored.
    effort : int
        How long the decoder of a block searches, see
        :func:`~napari_nanoqr.codes.soft.decode_soft`.
    most_chance : float
        Largest probability of a wrong answer that is accepted.
    places : int
        How many places are tried until one is believed: accidents are so many times likelier.
        For places tried one after the other, the k-th may count as k (k + 1): together they are
        then no likelier than one alone.

    Returns
    -------
    DecodedSymbol or NotReadable
        The symbol, with ``chance`` an upper bound on the probability that it is wrong
        (`napari_nanoqr.symbols.chance` says how it is counted); or why there is none.

    Raises
    ------
    Undecodable
        Where no symbol has this size.
    """
    try:
        layout = layout_of(llr.shape)
    except NoSymbol as problem:
        raise Undecodable(str(problem)) from problem
    formats = likely_formats(llr, layout)
    tried = Tried(places, len(formats))
    failure: NotReadable | None = None
    for error, mask in formats:
        result = _decode_blocks(llr, layout, error, mask, effort, most_chance, tried)
        if isinstance(result, DecodedSymbol):
            return result
        if failure is None or len(result.failed_blocks) < len(failure.failed_blocks):
            failure = result
    assert failure is not None  # there is always one format
    return failure


def likely_formats(llr: NDArray[np.float32], layout: Layout) -> list[tuple[str, int]]:
    """Return combinations of level and mask by falling likelihood.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark).
    layout : Layout
        Kind of symbol.

    Returns
    -------
    list of (str, int)
        At most :data:`MOST_FORMATS`, those within :data:`FORMAT_RANGE` of the best.
    """
    # log P of the modules up to a constant: half the ratio with the sign of each
    scores = (0.5 - layout.format_words) @ llr[layout.format_places].astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:MOST_FORMATS]
    return [layout.formats[i] for i in order if scores[order[0]] - scores[i] < FORMAT_RANGE]


def mirror_odds(llr: NDArray[np.float32], layout: Layout) -> float:
    """Return how much likelier a symbol is mirrored than not, by all but its data.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark).
    layout : Layout
        Kind of symbol.

    Returns
    -------
    float
        Natural logarithm of the ratio of likelihoods; -inf where rows are not as many as columns.
    """
    if layout.shape[0] != layout.shape[1]:
        return -np.inf
    upright, mirrored = (_without_data(way.astype(np.float64), layout) for way in (llr, llr.T))
    return mirrored - upright


def _without_data(llr: NDArray[np.float64], layout: Layout) -> float:
    """Return the log-likelihood of function patterns and any format, up to a constant."""
    function = float(((0.5 - layout.dark) * llr)[layout.certain].sum())
    formats = (0.5 - layout.format_words) @ llr[layout.format_places]
    return function + float(np.logaddexp.reduce(formats))


def _decode_blocks(
    llr: NDArray[np.float32],
    layout: Layout,
    error: str,
    mask: int,
    effort: int,
    most_chance: float,
    tried: Tried,
) -> DecodedSymbol | NotReadable:
    from napari_nanoqr.codes.soft import decode_soft

    structure = layout.blocks[error]
    parity = structure.parity
    seen = _Bits.of(llr, layout, error, mask)
    blocks = block_positions(structure)
    found: dict[int, SoftDecoded] = {}
    chances: dict[int, BlockChance] = {}
    assumed = False
    # a block that is alone gets no help from others: it is searched for longest
    longest = effort + 1 if effort > QUICK_EFFORT and len(blocks) == 1 else effort
    # long searches only where quick ones have shown that there is a symbol at all
    for level in sorted({min(QUICK_EFFORT, effort), longest}):
        told = seen
        for number, answer in found.items():
            told = told.told(blocks[number], answer.codeword)
        forms = likely_forms(told.ratios[: structure.data_bits], layout.syntax)
        # long ones take only what is likeliest: three times as long would find hardly more
        looks = (*forms, None) if level <= QUICK_EFFORT else (*forms, None)[:1]
        for attempt, form in enumerate(looks, start=1):
            looked = seen if form is None else seen.in_form(form)
            for number in [number for number in range(len(blocks)) if number not in found]:
                ratios, known = looked.block(blocks[number])
                decoded = decode_soft(ratios, parity, effort=level, known=known)
                if decoded is not None:
                    # the k-th counts as k (k + 1): together they are no likelier than one alone
                    one = chance_of_block(*seen.block(blocks[number]), decoded, parity)
                    chances[number] = one.once_in(attempt * (attempt + 1) if forms else 1)
                    # what all blocks add up to is looked at in the end
                    if chances[number].least(tried) <= most_chance:
                        found[number] = decoded
                        assumed |= form is not None
                        continue
                if not found and number > len(blocks) // 2:
                    break
    failed = tuple(number for number in range(len(blocks)) if number not in found)
    corrected = np.zeros(layout.blocks[error].codewords, dtype=np.uint8)
    for number, decoded in found.items():
        corrected[blocks[number]] = decoded.codeword
    if failed:
        known = np.zeros((corrected.size, 8), dtype=bool)
        for number in found:
            known[blocks[number]] = True
        fixed, ones = fixed_by_all(forms, structure.data_bits)
        data = np.s_[: fixed.size]
        bits = np.unpackbits(corrected).astype(bool)
        bits[data] = np.where(known.ravel()[data], bits[data], ones)
        known.ravel()[data] |= fixed
        dark, certain = _modules_of(bits, known.ravel(), layout, error, mask)
        return NotReadable(error, mask, failed, len(blocks), dark, certain)
    # bits that were taken for granted may have looked otherwise as well
    looked_like = np.packbits(seen.ratios < 0)
    counts = tuple(int((corrected[at] != looked_like[at]).sum()) for at in blocks)
    nothing = np.zeros(layout.dark.shape, dtype=bool)
    try:
        result = assemble(corrected, llr < 0, error, mask, counts, 1.0)
    except Undecodable:
        return NotReadable(error, mask, (), len(blocks), nothing, nothing)
    # filler that was taken for granted is no further check
    content = replace(result.content, filler_bits=0) if assumed else result.content
    chance = chance_of_symbol(llr, result.symbol, content, list(chances.values()), tried)
    if chance > most_chance:
        every = tuple(range(len(blocks)))
        return NotReadable(error, mask, every, len(blocks), nothing, nothing)
    return replace(result, chance=chance)


def _modules_of(
    bits: NDArray[np.bool_], known: NDArray[np.bool_], layout: Layout, error: str, mask: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the modules of those bits that are known, True = dark, and which they are."""
    order = bit_order(layout.blocks[error])
    places = tuple(place[: order.size] for place in layout.codeword_places)
    dark, certain = np.zeros((2, *layout.dark.shape), dtype=bool)
    dark[places], certain[places] = bits[order], known[order]
    return (dark ^ layout.masks[mask]) & certain, certain


@dataclass(frozen=True, eq=False)
class _Bits:
    """The bits of all codewords, data before parity.

    Parameters
    ----------
    ratios : (8 n,) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1).
    known : (8 n,) bool array
        Bits that are certain.
    """

    ratios: NDArray[np.float32]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, llr: NDArray[np.float32], layout: Layout, error: str, mask: int) -> _Bits:
        """Return the bits as the modules show them."""
        structure = layout.blocks[error]
        order = bit_order(structure)
        # a dark module is a 1 where the mask is not set: its ratio counts for the bit as it is
        turned = np.where(layout.masks[mask], -llr, llr)[layout.codeword_places]
        # bits that are not placed are zero
        bits = np.ones(8 * structure.codewords, dtype=np.float32)
        known = np.ones(bits.shape, dtype=bool)
        bits[order], known[order] = turned[: order.size], False
        return cls(bits, known)

    def block(self, positions: NDArray[np.int_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return those of some codewords, ``(n, 8)``."""
        return self.ratios.reshape(-1, 8)[positions], self.known.reshape(-1, 8)[positions]

    def told(self, positions: NDArray[np.int_], codewords: NDArray[np.uint8]) -> _Bits:
        """Return the bits with some codewords as certain as can be."""
        ratios = self.ratios.reshape(-1, 8).copy()
        ratios[positions] = np.where(np.unpackbits(codewords).reshape(-1, 8), -_SURE, _SURE)
        return _Bits(ratios.ravel(), self.known)

    def in_form(self, form: Form) -> _Bits:
        """Return the bits with those that a form fixes."""
        ratios, known = self.ratios.copy(), self.known.copy()
        data = np.s_[: form.fixed.size]
        ratios[data] += form.leaning
        ratios[data][form.fixed] = np.where(form.ones[form.fixed], -_SURE, _SURE)
        known[data] |= form.fixed
        return _Bits(ratios, known)
