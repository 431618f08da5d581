"""From a likelihood for every module to the payload."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.block_search import BlockSearch
from napari_nanoqr.symbols.chance import Tried, chance_of_symbol
from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, assemble
from napari_nanoqr.symbols.guess import Guess
from napari_nanoqr.symbols.kinds import NoSymbol, layout_of
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.soft_bits import SoftBits, modules_of

MOST_FORMATS = 4
"""Combinations of level and mask that are tried, the most likely first."""

FORMAT_RANGE = 12.0
"""Combinations that are less likely than the best by more than this (natural logarithm) are
not tried: together they hold less than 31 e^-12, or 0.02 %, of the probability."""


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
    guess : Guess or None
        What it may be, where for each block that failed a codeword was found that is nearer than
        one is by accident.
    """

    error: str
    mask: int
    failed_blocks: tuple[int, ...]
    blocks: int
    dark: NDArray[np.bool_] = field(repr=False)
    certain: NDArray[np.bool_] = field(repr=False)
    guess: Guess | None = field(default=None, repr=False)

    def far(self) -> tuple[int, float]:
        """Return how far it was from being read, to compare with others."""
        return len(self.failed_blocks), 1.0 if self.guess is None else self.guess.decoded.chance


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
        result = _decoded(llr, layout, error, mask, effort, most_chance, tried)
        if isinstance(result, DecodedSymbol):
            return result
        if failure is None or result.far() < failure.far():
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


def _decoded(
    llr: NDArray[np.float32],
    layout: Layout,
    error: str,
    mask: int,
    effort: int,
    most_chance: float,
    tried: Tried,
) -> DecodedSymbol | NotReadable:
    """Decode a symbol of one level and mask."""
    seen = SoftBits.of(llr, layout, error, mask)
    search = BlockSearch(seen, layout, error)
    search.run(effort, most_chance, tried)
    blocks, nothing = search.positions, np.zeros(layout.dark.shape, dtype=bool)
    failed = tuple(number for number in range(len(blocks)) if number not in search.found)
    not_yet = NotReadable(error, mask, failed, len(blocks), nothing, nothing)
    if failed:
        dark, certain = modules_of(*search.known(), layout, error, mask)
        not_yet = replace(not_yet, dark=dark, certain=certain)
    unsure = {number: search.unsure[number] for number in failed if number in search.unsure}
    if len(unsure) < len(failed):
        return not_yet
    answers = search.found | unsure
    codewords = np.zeros(layout.blocks[error].codewords, dtype=np.uint8)
    for number, block in answers.items():
        codewords[blocks[number]] = block.decoded.codeword
    # bits that were taken for granted may have looked otherwise as well
    looked_like = np.packbits(seen.ratios < 0)
    counts = tuple(int((codewords[at] != looked_like[at]).sum()) for at in blocks)
    try:
        result = assemble(codewords, llr < 0, error, mask, counts, 1.0)
    except Undecodable:
        return not_yet
    # filler that was taken for granted is no further check
    assumed = any(block.form is not None for block in answers.values())
    content = replace(result.content, filler_bits=0) if assumed else result.content
    chances = [block.chance for block in answers.values()]
    chance = chance_of_symbol(llr, result.symbol, content, chances, tried)
    result = replace(result, chance=chance)
    if chance <= most_chance:
        return result
    if not failed:
        # each block alone was believed, but not all of them
        every = tuple(range(len(blocks)))
        not_yet = replace(not_yet, failed_blocks=every)
        unsure = answers
    found = {number: answers[number] for number in answers if number not in unsure}
    return replace(not_yet, guess=Guess(result, content, found, unsure, tried.formats))
