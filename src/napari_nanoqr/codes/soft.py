"""Soft-decision decoding of one Reed-Solomon block.

What limits the answers is stated, not guessed: every answer comes with a bound on the
probability that a word which has nothing to do with any codeword would have been given one so
near. Of the 8 ``parity`` bits of redundancy a noisy block uses up nearly all to tell the right
codeword from others; what is left is this margin. The best code of ``n`` bits for ``k`` bits
that is to leave ``m`` bits of margin needs the signal of one for ``k + m`` bits
(`napari_nanoqr.codes.bounds`, after Polyanskiy et al. 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_nanoqr.codes.search import SoftBlock

SAFE_BITS = 24.0
"""An answer is taken as the nearest where one so near is this rare by accident (log2)."""

BASES = {2: 5, 3: 48, 4: 192}
"""Number of bases that are searched with each effort. Many bases with short lists find more in
the same time than one with a long list: measured on blocks of 25 to 148 codewords."""

SHORT_BLOCK, SHORT_BASES = 26, 4
"""So many codewords and fewer are searched from so many bases at most: from two of them all was
found that 48 find (blocks of 10 to 26 codewords, 60 words each near their limit)."""

PATTERNS = 2**16
"""Length of the list of likely sets of flips; a longer one no longer fits into a core's cache."""

FIRST_PATTERNS = 2**12
"""The same for a first glance, which costs no more than ordered statistics of order 1."""


@dataclass(frozen=True)
class SoftDecoded:
    """The nearest codeword that was found for a block.

    Parameters
    ----------
    codeword : (n,) uint8 array
        Data codewords followed by parity codewords.
    log2_chance : float
        Binary logarithm of an upper bound on the probability that random signs with the same
        reliabilities would have given any codeword this near: the number of error patterns
        that cost no more, times 2 to the minus number of checks. Above 0 the answer says
        nothing by itself. Whoever tries several readings of one image has to add the
        logarithm of their number, and signs that are all alike are not random: all zeros are
        a codeword.
    cost : float
        Sum of the magnitudes of the log-likelihood ratios of the bits in which the codeword
        differs from the hard decisions.
    flips : int
        Number of these bits.
    wrong_codewords : int
        Number of codewords with such bits.
    stage : str
        What found it: "errors", "erasures", "ordered statistics 1", "matched patterns, basis
        1" and so on.
    """

    codeword: NDArray[np.uint8]
    log2_chance: float
    cost: float
    flips: int
    wrong_codewords: int
    stage: str


def decode_soft(
    llr: NDArray[np.float32],
    parity: int,
    *,
    effort: int = 2,
    known: NDArray[np.bool_] | None = None,
) -> SoftDecoded | None:
    """Find the most likely codeword of a Reed-Solomon block.

    The stages run from cheap to dear and stop where no nearer codeword can be expected:
    errors; errors and erasures (Forney 1966); ordered statistics, which flip the most reliable
    bits of the code's binary image and let the others follow (Fossorier and Lin 1995); joined
    pairs of likely sets of flips (after Valembois and Fossorier 2004); the same from bases
    with other bits solved for.

    Parameters
    ----------
    llr : (n, 8) float array
        Natural logarithm of P(bit is 0) / P(bit is 1): positive where 0 is more likely. The
        highest bit of a codeword comes first, as `numpy.unpackbits` orders them. 0 stands for
        a bit of which nothing is known. A common factor changes no answer, but blocks whose
        ratios say that the right codeword cannot be told from chance are given up early.
    parity : int
        Parity codewords at the end of the block.
    effort : int, optional
        0: errors and erasures; 1: and ordered statistics of order 1; 2: and joined sets from
        a few bases, more than order 2 would find; 3: and from many bases; 4: from four times as
        many.
    known : (n, 8) bool array, optional
        Bits that are known for sure to be as the sign of their ``llr`` says.

    Returns
    -------
    SoftDecoded or None
        The nearest codeword that was found, however far: look at ``log2_chance``. None where
        no stage found any.

    Raises
    ------
    ValueError
        Where shapes do not fit, or a ratio is not a number.

    References
    ----------
    M. P. C. Fossorier, S. Lin, IEEE Trans. Inf. Theory 41 (1995) 1379; A. Valembois,
    M. Fossorier, IEEE Trans. Inf. Theory 50 (2004) 796; Y. Polyanskiy, H. V. Poor, S. Verdu,
    IEEE Trans. Inf. Theory 56 (2010) 2307.
    """
    ratios = np.ascontiguousarray(llr, dtype=np.float32)
    if ratios.ndim != 2 or ratios.shape[1] != 8 or not 0 < parity < ratios.shape[0] <= 255:
        raise ValueError(
            f"A block of shape {ratios.shape} with {parity} parity codewords is not (n, 8) with "
            "more than these codewords and at most 255."
        )
    if np.isnan(ratios).any():
        raise ValueError("A log-likelihood ratio is not a number.")
    if known is not None and known.shape != ratios.shape:
        raise ValueError(f"known has the shape {known.shape}, the ratios {ratios.shape}.")
    # here, because it loads the compiler
    from napari_nanoqr.codes.search import SoftBlock

    block = SoftBlock.of(ratios, parity, known)
    _search(block, effort)
    if block.flips is None:
        return None
    codeword = np.packbits(block.hard ^ block.flips)
    wrong = int(block.flips.reshape(-1, 8).any(axis=1).sum())
    return SoftDecoded(
        codeword, block.log2_chance, block.cost, int(block.flips.sum()), wrong, block.stage
    )


def _search(block: SoftBlock, effort: int) -> None:
    block.try_erasures((0,), "errors")
    if block.nearest_is_sure(SAFE_BITS):
        return
    block.try_erasures(tuple(range(2 - block.parity % 2, block.parity + 1, 2)), "erasures")
    if block.nearest_is_sure(SAFE_BITS) or effort < 1:
        return
    basis = block.basis()
    block.try_flips(basis, 1, "ordered statistics 1")
    if block.nearest_is_sure(SAFE_BITS) or effort < 2 or block.is_hopeless():
        return
    block.try_matches(basis, FIRST_PATTERNS, "matched patterns, basis 1")
    bases = BASES[min(effort, max(BASES))]
    if block.hard.size <= 8 * SHORT_BLOCK:
        bases = min(bases, SHORT_BASES)
    for number in range(1, bases + 1):
        if block.nearest_is_sure(SAFE_BITS):
            return
        if number == BASES[2] + 1 and block.is_out_of_reach(basis, PATTERNS):
            return
        if number > 1:
            basis = block.basis(number)
        block.try_matches(basis, PATTERNS, f"matched patterns, basis {number}")
