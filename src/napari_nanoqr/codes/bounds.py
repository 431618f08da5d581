"""How good any code of a length could be: the normal approximation."""

from __future__ import annotations

from functools import lru_cache
from math import log2, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=2048)
def capacity_and_dispersion(rho: float) -> tuple[float, float]:
    """Return what one binary symbol in Gaussian noise carries.

    Parameters
    ----------
    rho : float
        Amplitude over sigma: a bit is received as plus or minus ``rho`` with noise of sigma 1.

    Returns
    -------
    capacity : float
        Bits a channel use.
    dispersion : float
        Variance of the information density, in bits squared.
    """
    # the integrand is smooth: trapezoids on +-10 sigma are exact to 1e-12
    noise = np.linspace(-10.0, 10.0, 2001)
    weights = np.exp(-0.5 * noise**2)
    weights /= weights.sum()
    density = 1.0 - np.logaddexp(0.0, -2.0 * rho * (rho + noise)) / np.log(2.0)
    capacity = float(weights @ density)
    return capacity, float(weights @ (density - capacity) ** 2)


def rho_of_information(bits: float) -> float:
    """Return the rho at which one binary symbol in Gaussian noise carries so many bits.

    Parameters
    ----------
    bits : float
        Information a channel use, 0 to 1.

    Returns
    -------
    float
        Amplitude over sigma, 0 to 5; beyond nearly all is told, and it can not be told apart.
    """
    rho, carried = _table()
    return float(np.interp(bits, carried, rho))


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rho = np.linspace(0.0, 5.0, 201)
    return rho, np.array([capacity_and_dispersion(float(value))[0] for value in rho])


def normal_approximation_rho(n_bits: int, k_bits: float, error_probability: float = 0.01) -> float:
    """Return the least rho at which a code of this length and rate can work.

    The best code of ``n_bits`` for ``k_bits`` fails with ``error_probability`` about where
    ``k = n C - sqrt(n V) Qinv(error) + log2(n) / 2``.

    Parameters
    ----------
    n_bits : int
        Length of the code, bits.
    k_bits : float
        Information in it, bits. To ask that a wrong answer is also less likely than 2^-m, add
        m: that many bits of the redundancy then go into the check.
    error_probability : float, optional
        Share of the words that may fail.

    Returns
    -------
    float
        Amplitude over sigma of the bits.

    Raises
    ------
    ValueError
        Where the rate is not between 0 and 1, or the probability not between 0 and 0.5.

    References
    ----------
    Y. Polyanskiy, H. V. Poor, S. Verdu, Channel coding rate in the finite blocklength regime,
    IEEE Trans. Inf. Theory 56 (2010) 2307, equations 223 and 296.
    """
    if not 0 < k_bits < n_bits:
        raise ValueError(f"{k_bits} of {n_bits} bits is no rate between 0 and 1.")
    if not 0 < error_probability <= 0.5:
        raise ValueError(f"A word cannot fail with probability {error_probability} here.")
    low, high = 0.01, 6.0
    for _ in range(40):
        rho = 0.5 * (low + high)
        enough = word_failure(n_bits, k_bits, rho) <= error_probability
        low, high = (low, rho) if enough else (rho, high)
    return high


def word_failure(n_bits: int, k_bits: float, rho: float) -> float:
    """Return how probably the best code of a length and rate fails.

    Parameters
    ----------
    n_bits, k_bits
        As for :func:`normal_approximation_rho`, which is the inverse.
    rho : float
        Amplitude over sigma of the bits.

    Returns
    -------
    float
        ``Q((n C - k + log2(n) / 2) / sqrt(n V))``.
    """
    capacity, dispersion = capacity_and_dispersion(rho)
    spare = n_bits * capacity - k_bits + 0.5 * log2(n_bits)
    return NormalDist().cdf(-spare / sqrt(max(n_bits * dispersion, 1e-12)))
