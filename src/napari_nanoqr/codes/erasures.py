"""Errors and erasures in a Reed-Solomon block, tried for several numbers of erasures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.codes.gf256 import EXP, LOG

_EXP = EXP.astype(np.int64)
_LOG = LOG.astype(np.int64)


@compiled
def _times(a: int, b: int, exp: NDArray[np.int64], log: NDArray[np.int64]) -> int:
    return exp[log[a] + log[b]] if a and b else 0


@compiled
def _syndromes(
    word: NDArray[np.uint8],
    syndromes: NDArray[np.int64],
    exp: NDArray[np.int64],
    log: NDArray[np.int64],
) -> bool:
    """Fill in the syndromes of a word, and tell whether it is no codeword."""
    wrong = 0
    for i in range(syndromes.size):
        value = 0
        for codeword in word:
            value = (exp[log[value] + i] if value else 0) ^ codeword
        syndromes[i] = value
        wrong |= value
    return wrong != 0


@compiled
def _correct(
    word: NDArray[np.uint8],
    syndromes: NDArray[np.int64],
    erased: NDArray[np.int64],
    exp: NDArray[np.int64],
    log: NDArray[np.int64],
) -> bool:
    """Correct a word in place: Berlekamp-Massey begun with the erasures, Chien, Forney."""
    n, parity, count = word.size, syndromes.size, erased.size
    locator = np.zeros(parity + 2, dtype=np.int64)
    locator[0] = 1
    for i in range(count):
        power = n - 1 - erased[i]
        for j in range(i + 1, 0, -1):
            if locator[j - 1]:
                locator[j] ^= exp[log[locator[j - 1]] + power % 255]
    previous = locator.copy()
    length = count
    for step in range(count, parity):
        discrepancy = 0
        for i in range(length + 1):
            discrepancy ^= _times(locator[i], syndromes[step - i], exp, log)
        for i in range(parity + 1, 0, -1):
            previous[i] = previous[i - 1]
        previous[0] = 0
        if not discrepancy:
            continue
        longer = 2 * length <= step + count
        inverse = exp[255 - log[discrepancy]]
        for i in range(parity + 2):
            old = locator[i]
            locator[i] ^= _times(discrepancy, previous[i], exp, log)
            if longer:
                previous[i] = _times(old, inverse, exp, log)
        if longer:
            length = step + 1 + count - length
            if 2 * (length - count) > parity - count:
                return False
    degree = 0
    for i in range(parity + 2):
        if locator[i]:
            degree = i
    if degree != length or 2 * (degree - count) > parity - count:
        return False
    evaluator = np.zeros(parity, dtype=np.int64)
    for i in range(parity):
        for j in range(min(i, degree) + 1):
            evaluator[i] ^= _times(locator[j], syndromes[i - j], exp, log)
    # the locator's terms at the inverse of each position's power, as logarithms: from one
    # position to the next term i grows by the factor 2^i
    terms = np.zeros(degree + 1, dtype=np.int64)
    for i in range(degree + 1):
        terms[i] = (log[locator[i]] + i * (255 - (n - 1) % 255)) % 255 if locator[i] else -1
    found = 0
    for index in range(n):
        value, slope = 0, 0
        for i in range(degree + 1):
            if terms[i] >= 0:
                term = exp[terms[i]]
                value ^= term
                if i & 1:
                    # times 1/X too many, which the factor X of Forney's formula takes away
                    slope ^= term
                terms[i] += i
                if terms[i] >= 255:
                    terms[i] -= 255
        if value:
            continue
        found += 1
        if not slope:
            return False
        inverse = (255 - (n - 1 - index) % 255) % 255
        numerator = 0
        for i in range(degree):
            if evaluator[i]:
                numerator ^= exp[(log[evaluator[i]] + inverse * i) % 255]
        if numerator:
            word[index] ^= exp[(log[numerator] + 255 - log[slope]) % 255]
    return found == degree


@compiled
def _try_erasures(
    hard: NDArray[np.uint8],
    parity: int,
    worst_first: NDArray[np.int64],
    erasures: NDArray[np.int64],
    reliabilities: NDArray[np.float32],
    exp: NDArray[np.int64],
    log: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], float, int]:
    best, best_cost, best_count = hard.copy(), np.inf, -1
    syndromes = np.zeros(parity, dtype=np.int64)
    check = np.zeros(parity, dtype=np.int64)
    wrong_word = _syndromes(hard, syndromes, exp, log)
    for count in erasures:
        word = hard.copy()
        if wrong_word and not _correct(word, syndromes, worst_first[:count], exp, log):
            continue
        if _syndromes(word, check, exp, log):
            continue
        cost = 0.0
        for index in range(word.size):
            wrong = word[index] ^ hard[index]
            for bit in range(8):
                if wrong >> (7 - bit) & 1:
                    cost += reliabilities[index, bit]
        if cost < best_cost:
            best, best_cost, best_count = word, cost, count
    return best, best_cost, best_count


def nearest_of_erasures(
    hard: NDArray[np.uint8],
    parity: int,
    reliabilities: NDArray[np.float32],
    erasures: tuple[int, ...],
) -> tuple[NDArray[np.uint8], float, int] | None:
    """Erase the worst codewords, correct the rest, and keep the nearest of all results.

    Parameters
    ----------
    hard : (n,) uint8 array
        Hard decisions.
    parity : int
        Parity codewords at the end of the block.
    reliabilities : (n, 8) float32 array
        Magnitudes of the bits' log-likelihood ratios.
    erasures : tuple of int
        Numbers of codewords to erase, each at most ``parity``.

    Returns
    -------
    (n,) uint8 array, float, int; or None
        The nearest codeword, its cost and how many codewords were erased for it; nothing
        where all attempts failed.

    References
    ----------
    G. D. Forney, Generalized minimum distance decoding, IEEE Trans. Inf. Theory 12 (1966) 125;
    R. E. Blahut, Algebraic Codes for Data Transmission, Cambridge 2003, chapter 7.
    """
    # the most doubtful codeword is the one whose bits are least likely to be all right
    right = -np.log1p(np.exp(-reliabilities.astype(np.float64))).sum(axis=1)
    # where that is too near to certainty for a float, the worst bit decides
    worst_first = np.lexsort((reliabilities.min(axis=1), right))
    counts = np.array(erasures, dtype=np.int64)
    word, cost, count = _try_erasures(hard, parity, worst_first, counts, reliabilities, _EXP, _LOG)
    return None if count < 0 else (word, float(cost), int(count))
