"""Reed-Solomon codes over GF(256) as QR symbols use them (first root 2^0)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.gf256 import EXP, LOG, evaluate, multiply


class Uncorrectable(ValueError):
    """A block holds more errors than its parity codewords can correct."""


@lru_cache(maxsize=64)
def generator_polynomial(parity: int) -> NDArray[np.uint8]:
    """Return the product of (x - 2^i) for i in 0 .. parity - 1, highest power first.

    Parameters
    ----------
    parity : int
        Number of parity codewords, 1 to 254.

    Returns
    -------
    (parity + 1,) uint8 array
        The coefficients; the first is 1.
    """
    polynomial = np.array([1], dtype=np.uint8)
    for power in range(parity):
        shifted = np.append(polynomial, np.uint8(0))
        shifted[1:] ^= multiply(polynomial, EXP[power : power + 1])
        polynomial = shifted
    polynomial.setflags(write=False)
    return polynomial


def encode(data: NDArray[np.uint8], parity: int) -> NDArray[np.uint8]:
    """Compute the parity codewords of one or several blocks of equal length.

    Parameters
    ----------
    data : (k,) or (b, k) uint8 array
        Data codewords.
    parity : int
        Number of parity codewords.

    Returns
    -------
    (parity,) or (b, parity) uint8 array
        The parity codewords.
    """
    blocks = np.atleast_2d(data)
    tail = generator_polynomial(parity)[1:]
    remainder = np.zeros((blocks.shape[0], parity + 1), dtype=np.uint8)
    for column in blocks.T:
        factor = column ^ remainder[:, 0]
        remainder[:, :-1] = remainder[:, 1:]
        remainder[:, :-1] ^= multiply(factor[:, None], tail[None, :])
    result = remainder[:, :-1]
    return result[0] if data.ndim == 1 else result


def decode(
    received: NDArray[np.uint8], parity: int, *, max_errors: int | None = None
) -> tuple[NDArray[np.uint8], int]:
    """Correct the errors of one block: Berlekamp-Massey, Chien search, Forney.

    Parameters
    ----------
    received : (n,) uint8 array
        Data codewords followed by parity codewords, n at most 255.
    parity : int
        Number of parity codewords at the end.
    max_errors : int, optional
        Correct at most so many errors; by default ``parity // 2``. The standard keeps some
        parity back in small symbols (ISO/IEC 18004:2015, table 9, misdecode protection).

    Returns
    -------
    corrected : (n,) uint8 array
        The codeword.
    errors : int
        How many of its codewords differ from ``received``.

    Raises
    ------
    Uncorrectable
        Where no codeword lies within ``max_errors`` errors.

    References
    ----------
    R. E. Blahut, Algebraic Codes for Data Transmission, Cambridge 2003, chapter 7.
    """
    limit = parity // 2 if max_errors is None else max_errors
    syndromes = evaluate(received, EXP[:parity])
    if not syndromes.any():
        return received.copy(), 0
    locator = _error_locator([int(value) for value in syndromes])
    errors = len(locator) - 1
    if errors > limit:
        raise Uncorrectable(f"more than {limit} wrong codewords in a block of {received.size}")
    n = received.size
    # the error at index i of the block sits at power n - 1 - i; its locator root is 2^-(n-1-i)
    powers = np.arange(n - 1, -1, -1)
    inverse_roots = EXP[(255 - powers) % 255]
    polynomial = np.array(locator, dtype=np.uint8)
    (indices,) = np.nonzero(evaluate(polynomial[::-1], inverse_roots) == 0)
    if indices.size != errors:
        raise Uncorrectable("the error positions lie outside the block")
    corrected = received.copy()
    corrected[indices] ^= _magnitudes(syndromes, polynomial, powers[indices])
    if evaluate(corrected, EXP[:parity]).any():
        raise Uncorrectable("the corrected block is not a codeword")
    return corrected, int(errors)


def _error_locator(syndromes: list[int]) -> list[int]:
    """Berlekamp-Massey; coefficients lowest power first, without trailing zeros."""
    exp, log = EXP.tolist(), LOG.tolist()
    current, previous = [1], [1]
    length, shift, last = 0, 1, 1
    for step, syndrome in enumerate(syndromes):
        discrepancy = syndrome
        for i in range(1, min(length, len(current) - 1) + 1):
            a, b = current[i], syndromes[step - i]
            if a and b:
                discrepancy ^= exp[log[a] + log[b]]
        if not discrepancy:
            shift += 1
            continue
        factor = (log[discrepancy] - log[last]) % 255
        update = current + [0] * max(0, len(previous) + shift - len(current))
        for i, value in enumerate(previous):
            if value:
                update[i + shift] ^= exp[factor + log[value]]
        if 2 * length <= step:
            previous, last, shift = current, discrepancy, 1
            length = step + 1 - length
        else:
            shift += 1
        current = update
    while len(current) > 1 and current[-1] == 0:
        current.pop()
    if len(current) - 1 != length:
        raise Uncorrectable("the syndromes fit no error pattern")
    return current


def _magnitudes(
    syndromes: NDArray[np.uint8], locator: NDArray[np.uint8], powers: NDArray[np.int_]
) -> NDArray[np.uint8]:
    """Forney's algorithm for first root 2^0: e = X * omega(1/X) / locator'(1/X)."""
    count = locator.size - 1
    omega = np.zeros(count, dtype=np.uint8)
    for i in range(count):
        omega[i] = np.bitwise_xor.reduce(multiply(locator[: i + 1], syndromes[i::-1][: i + 1]))
    inverse = EXP[(255 - powers) % 255]
    numerator = evaluate(omega[::-1], inverse)
    # the formal derivative keeps the odd powers only
    derivative = locator[1:].copy()
    derivative[1::2] = 0
    denominator = evaluate(derivative[::-1], inverse)
    if (denominator == 0).any():
        raise Uncorrectable("two error positions coincide")
    quotient = multiply(numerator, EXP[(255 - LOG[denominator]) % 255])
    return multiply(EXP[powers % 255], quotient)
