"""How likely a decoded symbol is wrong.

Two bounds hold for every answer, and the smaller one counts.

The first takes nothing for granted: among words that have nothing to do with any codeword, so
many lie as near to one as this block does (`napari_nanoqr.codes.soft`), times the number of
places in the image and of formats that are tried. Long blocks pass by it alone.

The second tells apart how an answer comes to be wrong, and adds up:

- Nothing is there. Then timing and alignment patterns, format information and codewords all fit
  by accident. Their modules are counted together as one word: error patterns that cost no more,
  times 2 to the minus number of all checks, times the number of places. Finder patterns do not
  count, since they are what led here, nor do as many modules as the grid's fit has parameters.
- A symbol is there and its likelihoods hold, but noise carried it nearer to another codeword.
  That is the probability of all others, given the likelihoods: codewords of a Reed-Solomon code
  differ in more than ``parity`` places, and fill the patterns beyond that evenly.
- A symbol is there, but what stands in its data modules is not what was written: the first bound
  again, once, times :data:`OVERWRITTEN`.

What a decoded stream leaves empty counts as well: filler bits that are as the standard wants them
are further checks. Not counted is that the segments themselves make sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.placement import bit_order, block_positions
from napari_nanoqr.symbols.stream import Content
from napari_nanoqr.symbols.symbol import Symbol

if TYPE_CHECKING:
    from napari_nanoqr.codes.soft import SoftDecoded

OVERWRITTEN = 0.01
"""Share of the symbols with intact fixed patterns and format whose data were overwritten so that
the likelihoods do not tell: a generous guess, for it counts only where redundancy is short."""

_FITTED = 8
"""Parameters that the fixed patterns were fitted with: six of the place, two levels."""


class Tried(NamedTuple):
    """How many chances an accident has."""

    places: int
    formats: int


@dataclass(frozen=True)
class BlockChance:
    """How likely the codeword found for a block is wrong.

    Parameters
    ----------
    plain : float
        The first bound, for one place.
    another : float
        Probability of all other codewords, given the likelihoods.
    """

    plain: float
    another: float

    def once_in(self, count: int) -> BlockChance:
        """Return the same where so many chances an accident has more."""
        return BlockChance(min(1.0, count * self.plain), self.another)

    def least(self, tried: Tried) -> float:
        """Return what the chance comes to at best, whatever else is known."""
        return min(tried.places * tried.formats * self.plain, self.another)


def chance_of_block(
    ratios: NDArray[np.float32], known: NDArray[np.bool_], decoded: SoftDecoded, parity: int
) -> BlockChance:
    """Return how likely the codeword found for a block is wrong.

    Parameters
    ----------
    ratios : (n, 8) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1).
    known : (n, 8) bool array
        Bits that cannot be wrong.
    decoded : SoftDecoded
        What was found.
    parity : int
        Parity codewords of the block.
    """
    another = chance_of_another(ratios, known, decoded.codeword, parity)
    return BlockChance(2.0 ** min(0.0, decoded.log2_chance), another)


def chance_in_turn(
    ratios: NDArray[np.float32],
    known: NDArray[np.bool_],
    codeword: NDArray[np.uint8],
    parity: int,
) -> float:
    """Return how likely a codeword is wrong, by bits that are weighed one after the other.

    Parameters
    ----------
    ratios : (n, 8) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1), each with bits that come earlier in some
        order as the codeword says.
    known : (n, 8) bool array
        Bits that cannot be wrong.
    codeword : (n,) uint8 array
        The codeword.
    parity : int
        Parity codewords of the block.

    Returns
    -------
    float
        At most 1.

    Notes
    -----
    The product of the probabilities that its bits are given, twice each, has the mean 1 over all
    words, however these probabilities come about, since they add up to one for each bit and hang
    on earlier bits alone. So it exceeds x for less than one word in x (Markov's inequality), and
    of 2^k codewords that have nothing to do with the image not even one is expected to where x is
    2^k times as large. This is the dependence-testing bound (Polyanskiy, Poor and Verdu, IEEE
    Trans. Inf. Theory 56 (2010) 2307, theorem 17).
    """
    # here, because it loads the compiler
    from napari_nanoqr.codes.search import SoftBlock

    checks = SoftBlock.of(ratios, parity, known).checks
    sure = 1 - np.unpackbits(codeword).reshape(-1, 8) * 2.0
    told = (1 - np.logaddexp(0.0, -sure * ratios) / np.log(2.0))[~known]
    return float(2.0 ** min(0.0, told.size - checks - told.sum()))


def chance_of_symbol(
    llr: NDArray[np.float32],
    symbol: Symbol,
    content: Content,
    blocks: list[BlockChance],
    tried: Tried,
) -> float:
    """Return how likely a decoded symbol is wrong: the smaller of the two bounds.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module, upright and not mirrored.
    symbol : Symbol
        What was decoded.
    content : Content
        What its stream says.
    blocks : list of BlockChance
        Of its blocks.
    tried : Tried
        How many places, and formats at each, are tried until one symbol is believed.

    Returns
    -------
    float
        At most 1.
    """
    plain = sum(block.plain for block in blocks)
    first = min(1.0, tried.places * tried.formats * plain)
    another = sum(block.another for block in blocks)
    # filler ends at some codeword: those after a shorter stream are as likely again at most
    filler = float(2.0 ** min(0, 1 - content.filler_bits))
    overwritten = OVERWRITTEN * plain * (filler if len(blocks) == 1 else 1.0)
    if first <= another + overwritten:
        return first
    accident = float(2.0 ** min(0.0, log2_accident_of_symbol(llr, symbol))) * filler
    # the formats to choose from are counted in it
    return min(first, tried.places * accident + another + overwritten)


def log2_accident_of_symbol(llr: NDArray[np.float32], symbol: Symbol) -> float:
    """Bound the probability that a place with nothing to say looks so much like a symbol.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module.
    symbol : Symbol
        What was decoded.

    Returns
    -------
    float
        Binary logarithm of the bound, for one place, seen upright or mirrored. Of several
        blocks the first one counts.
    """
    # here, because it loads the compiler
    from napari_nanoqr.codes.error_patterns import log2_accident

    layout = layout_of(llr.shape)
    structure = layout.blocks[symbol.error]
    counted = np.zeros(layout.shape, dtype=bool)
    counted[layout.format_places] = True
    # levels and masks to choose from, and which way round
    checks = layout.format_words.shape[1] - int(np.ceil(np.log2(2 * len(layout.formats))))
    fixed = layout.certain & ~layout.finders
    if (more := int(fixed.sum()) - _FITTED) > 0:
        counted |= fixed
        checks += more
    order = bit_order(structure)
    first = np.isin(order // 8, block_positions(structure)[0])
    rows, columns = (place[: order.size][first] for place in layout.codeword_places)
    counted[rows, columns] = True
    checks += 8 * structure.parity
    reliabilities = np.abs(llr[counted])
    cost = float(reliabilities[((llr < 0) != symbol.matrix)[counted]].sum())
    return log2_accident(reliabilities, cost, checks)


def chance_of_another(
    ratios: NDArray[np.float32],
    known: NDArray[np.bool_],
    codeword: NDArray[np.uint8],
    parity: int,
) -> float:
    """Return the probability of all other codewords of a block, given its likelihoods.

    Parameters
    ----------
    ratios : (n, 8) float32 array
        Natural logarithm of P(bit is 0) / P(bit is 1).
    known : (n, 8) bool array
        Bits that cannot be wrong.
    codeword : (n,) uint8 array
        The codeword that was found.
    parity : int
        Parity codewords of the block.

    Returns
    -------
    float
        Relative to that of the codeword found, and at most 1. The codewords of a maximum
        distance separable code that differ in w given places are ``255^w / 256^parity`` within
        half a percent, and taken to be spread evenly over all patterns there.
    """
    sure = np.unpackbits(codeword).reshape(-1, 8) * 2.0 - 1
    # how much likelier each bit is turned over than as it is in the codeword
    turned = np.where(known, 0.0, np.exp(np.clip(sure * ratios.astype(np.float64), -700, 700)))
    others = np.expm1(np.minimum(np.log1p(turned).sum(axis=1), 700))
    # sums over all sets of so many places, the last of them of as many as codewords differ in
    sums = np.zeros(parity + 2)
    sums[0] = 256.0**-parity
    with np.errstate(over="ignore"):
        for weight in others:
            sums[-1] += weight * (sums[-1] + sums[-2])
            sums[1:-1] += weight * sums[:-2]
    return float(min(1.0, sums[-1]))
