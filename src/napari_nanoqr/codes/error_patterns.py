"""Count error patterns by their cost: what a bound on accidents is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

_CHERNOFF_STEPS = 4
"""Steps of Newton's method; any number of them gives a bound."""


@compiled
def cost_histogram(
    reliabilities: NDArray[np.float32], unit: float, cells: int, start: float
) -> NDArray[np.float64]:
    """Count the subsets of bits by the sum of their reliabilities.

    Parameters
    ----------
    reliabilities : (m,) float32 array
        Cost of flipping each bit, not negative.
    unit : float
        Width of a cell. Every bit is rounded down, so that the sums up to a cell count at
        least all subsets that cost no more.
    cells : int
        Number of cells; costlier subsets are not counted.
    start : float
        What one subset counts.

    Returns
    -------
    (cells,) float64 array
        The counts of the subsets in each cell, times ``start``.
    """
    counts = np.zeros(cells)
    other = np.zeros(cells)
    counts[0] = start
    for reliability in reliabilities:
        if reliability >= unit * cells:
            continue
        step = int(reliability / unit)
        for cell in range(step):
            other[cell] = counts[cell]
        # without the bit and with it; as views, since sums of indices keep loops from being
        # turned into vector instructions
        without, flipped, both = counts[step:], counts[: cells - step], other[step:]
        for i in range(both.size):
            both[i] = without[i] + flipped[i]
        counts, other = other, counts
    return counts


def log2_accident(
    reliabilities: NDArray[np.float32], cost: float, checks: int, *, cells: int = 2048
) -> float:
    """Bound the probability that a word with nothing to say lies so near to a codeword.

    A word whose bits are random satisfies ``checks`` parity checks after each single error
    pattern with probability 2^-checks. So the expected number of codewords that cost no more
    than ``cost`` is the number of error patterns that cost no more, times 2^-checks.

    Parameters
    ----------
    reliabilities : (m,) float32 array
        Magnitudes of the log-likelihood ratios of the bits that may be wrong.
    cost : float
        Sum of the reliabilities of the flipped bits.
    checks : int
        Independent parity checks on these bits.
    cells : int, optional
        Resolution of the count; too few make the bound looser, never wrong.

    Returns
    -------
    float
        Binary logarithm of the bound. Above 0 such codewords are to be expected by accident.
    """
    bits = reliabilities.size
    unit = cost * (1 + 1e-9) / (cells - 1)
    # also where the cost is so small that nothing is left of its share
    if unit <= 0:
        return float(np.count_nonzero(reliabilities <= max(cost, 0.0)) - checks)
    start = 2.0 ** -min(checks, 1000)
    expected = cost_histogram(reliabilities, unit, cells, start).sum()
    counted = float(np.log2(expected)) - max(checks - 1000, 0)
    # where many bits are flipped, what is lost by rounding exceeds what the other bound loses
    return min(counted, float(bits - checks), log2_accident_at_most(reliabilities, cost, checks))


@compiled
def log2_accident_at_most(reliabilities: NDArray[np.float32], cost: float, checks: int) -> float:
    """Bound the same probability in less time, by a few bits more.

    Parameters
    ----------
    reliabilities, cost, checks
        As :func:`log2_accident` takes them.

    Returns
    -------
    float
        Binary logarithm of the bound.

    References
    ----------
    H. Chernoff, Annals of Mathematical Statistics 23 (1952) 493: patterns weighed by
    exp(s (cost - theirs)) are at least as many as those that cost no more, whatever s is.
    """
    # at s = 1 patterns cost in the mean what the right one does
    s, best = 1.0, float(np.inf)
    for _ in range(_CHERNOFF_STEPS):
        total, slope, curve = s * cost, cost, 0.0
        for reliability in reliabilities:
            share = np.exp(-s * reliability)
            wrong = share / (1 + share)
            total += np.log1p(share)
            slope -= reliability * wrong
            curve += reliability * reliability * wrong * (1 - wrong)
        best = min(best, total)
        if curve <= 0:
            break
        s = min(max(s - slope / curve, s / 4), 4 * s)
    return float(best / np.log(2.0) - checks)
