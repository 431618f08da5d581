"""The field GF(256) that QR codes count in: x^8 + x^4 + x^3 + x^2 + 1, generator 2.

Source of the polynomial: ISO/IEC 18004:2015, 7.5.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PRIMITIVE = 0x11D


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    exp = np.zeros(512, dtype=np.uint8)
    log = np.zeros(256, dtype=np.int16)
    value = 1
    for power in range(255):
        exp[power] = value
        log[value] = power
        value <<= 1
        if value & 0x100:
            value ^= PRIMITIVE
    # doubled, so that the sum of two logarithms needs no reduction
    exp[255:510] = exp[:255]
    return exp, log


EXP, LOG = _tables()


def multiply(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply elementwise, with broadcasting.

    Parameters
    ----------
    a, b : ndarray of uint8
        Field elements of shapes that broadcast.

    Returns
    -------
    ndarray of uint8
        The products.
    """
    product = EXP[LOG[a] + LOG[b]]
    return np.where((a == 0) | (b == 0), np.uint8(0), product).astype(np.uint8)


def evaluate(polynomial: NDArray[np.uint8], points: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Evaluate a polynomial at many points other than 0.

    Parameters
    ----------
    polynomial : (n,) uint8 array
        Coefficients, highest power first.
    points : (k,) uint8 array
        Where to evaluate; none is 0.

    Returns
    -------
    (k,) uint8 array
        The values.
    """
    exponents = np.arange(polynomial.size - 1, -1, -1)
    powers = EXP[np.multiply.outer(LOG[points].astype(np.intp), exponents) % 255]
    values: NDArray[np.uint8] = np.bitwise_xor.reduce(multiply(polynomial, powers), axis=1)
    return values
