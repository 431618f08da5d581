"""How far a codeword is from being lost: what its soft bits tell, against what its code needs.

Soft bits tell I bits of information each. White Gaussian noise that lets just as much through
has a certain ratio of signal to noise; the margin is how many decibels that lies above the ratio
at which half of the codewords that are told as much are lost. A few tenths of a decibel above it
none are any more. A margin of 6 dB bears half the contrast, or twice the noise.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.bounds import rho_of_information
from napari_nanoqr.codes.compiled import compiled

STEPS_A_NAT: Final = 8
"""Soft bits count log-likelihood ratios in eighths of a nat."""

SCALES: Final = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""What soft bits that are too sure, or not sure enough, may be multiplied by."""

THRESHOLD_DB: Final = {"1/2": 0.59, "2/3": 1.41, "4/5": 2.40, "0.88": 3.32}
"""Eb/N0 of the noise that tells as much as a codeword was told of which every second is lost.

Measured on 2800 codewords of each rate, sorted by what their soft bits told.
"""

CODE_RATE: Final = {"1/2": 1 / 2, "2/3": 2 / 3, "4/5": 4 / 5, "0.88": 53 / 60}
"""Information bits of the code a bit of the codeword."""


def threshold_rho(rate: str) -> float:
    """Return amplitude over sigma of a bit that tells what a codeword needs at least."""
    return float(np.sqrt(2 * CODE_RATE[rate] * 10 ** (THRESHOLD_DB[rate] / 10)))


@compiled
def _count(soft: NDArray[np.int8], bits: NDArray[np.uint8], counts: NDArray[np.int32]) -> None:
    for word in range(soft.shape[0]):
        for place in range(soft.shape[1]):
            value = np.int64(soft[word, place])
            if bits[word, place]:
                value = min(-value, np.int64(127))
            counts[word, value + 128] += 1


@cache
def _lost() -> NDArray[np.float64]:
    """Bits that are not told by a soft bit of -128 .. 127 in the right sense, ``(256, scales)``."""
    nats = np.arange(-128, 128)[:, None] * np.array(SCALES) / STEPS_A_NAT
    lost: NDArray[np.float64] = np.logaddexp(0, -nats) / np.log(2)
    return lost


def told(
    soft: NDArray[np.int8], bits: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what soft bits told of bits that are known by now.

    Parameters
    ----------
    soft : (w, n) int8 array
        Soft bits as they were received, :data:`STEPS_A_NAT` a nat, positive for 0.
    bits : (w, n) uint8 array
        The bits that were sent.

    Returns
    -------
    information : (w,) float64 array
        Bits of information each, at the best of :data:`SCALES`: 1 where all is told, 0 where
        nothing is.
    wrong : (w,) int64 array
        Soft bits that had the wrong sign.
    """
    counts = np.zeros((len(soft), 256), np.int32)
    _count(np.ascontiguousarray(soft), np.ascontiguousarray(bits), counts)
    missing = (counts @ _lost()).min(axis=1) / soft.shape[1]
    return np.maximum(1 - missing, 0), counts[:, :128].sum(axis=1)


def expected(soft: NDArray[np.int8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what soft bits claim to tell where the bits are not known.

    Parameters
    ----------
    soft : (w, n) int8 array
        Soft bits.

    Returns
    -------
    information : (w,) float64 array
        Bits of information each.
    wrong : (w,) float64 array
        Share that should have the wrong sign.
    """
    nats = np.abs(np.arange(-128, 128)) / STEPS_A_NAT
    wrong = 1 / (1 + np.exp(nats))
    entropy = -(wrong * np.log2(wrong) + (1 - wrong) * np.log2(1 - wrong))
    counts = np.zeros((len(soft), 256), np.int32)
    _count(np.ascontiguousarray(soft), np.zeros(soft.shape, np.uint8), counts)
    return 1 - counts @ entropy / soft.shape[1], counts @ wrong / soft.shape[1]


def margin_db(information: NDArray[np.float64], rate: str) -> NDArray[np.float64]:
    """Return how far codewords are from being lost.

    Parameters
    ----------
    information : (w,) float64 array
        What each soft bit told, bits.
    rate : str
        Of the code: one of :data:`~napari_nanoqr.archive.layout.RATES`.

    Returns
    -------
    (w,) float64 array
        Decibels of signal over noise above the threshold; below 0 a codeword is most likely
        lost. At most 8 to 13, by the rate: beyond, so few bits are in doubt that more cannot be
        told.
    """
    rho = np.array([rho_of_information(float(bits)) for bits in information])
    decibels: NDArray[np.float64] = 20 * np.log10(np.maximum(rho, 1e-3) / threshold_rho(rate))
    return decibels
