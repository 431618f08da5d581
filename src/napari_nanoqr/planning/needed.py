"""How much the modules of an image have to tell for a symbol to be read."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import exp, inf, log, sqrt
from statistics import NormalDist

import numpy as np

from napari_nanoqr.codes.bounds import word_failure
from napari_nanoqr.reading.information import search_loss
from napari_nanoqr.symbols.kinds import layout_named

ENOUGH = 0.99
"""Share of the images that are read where the electrons are enough."""

_SURE_BITS = 20.0
"""Bits of a block's redundancy that go into not being wrong, for a probability under 1e-6. That
several places and formats are tried takes some more; weighing modules by turns gives them back.
"""

_FOUND, _FOUND_SPREAD = 7.8, 1.8
"""Standard deviations by which finder patterns have to stand out to be found, and how much that
varies from image to image."""

_LOWEST, _HIGHEST = log(0.01), log(100)
"""Logarithms between which the rho is looked for that a symbol takes."""


@lru_cache(maxsize=4096)
def least_rho(version: int | str, error: str, probability: float = ENOUGH) -> float:
    """Return what a channel's modules have to tell for a symbol to be read.

    Parameters
    ----------
    version : int or str
        1 to 40, ``"M1"`` to ``"M4"``, or e.g. ``"R13x43"``.
    error : {"L", "M", "Q", "H"}
        Error-correction level.
    probability : float
        Share of the images that are to be read, below 1.

    Returns
    -------
    float
        The :attr:`~napari_nanoqr.planning.channel.Channel.rho` from which on they are; it grows
        as the square root of the electrons. Infinite where no image is good enough.
    """
    if share_read(exp(_HIGHEST), version, error) < probability:
        return inf
    low, high = _LOWEST, _HIGHEST
    for _ in range(30):
        middle = (low + high) / 2
        enough = share_read(exp(middle), version, error) >= probability
        low, high = (low, middle) if enough else (middle, high)
    return exp(high)


def share_read(rho: float, version: int | str, error: str) -> float:
    """Return how probably a symbol is read.

    Parameters
    ----------
    rho : float
        What its modules tell: amplitude over sigma of a binary symbol in Gaussian noise.
    version, error
        As for :func:`least_rho`.

    Returns
    -------
    float
        The product of being found and of all blocks being decoded; see
        :func:`~napari_nanoqr.planning.read_probability.read_probability`.
    """
    seen = rho * sqrt(np.count_nonzero(layout_named(version).finders))
    read = NormalDist(_FOUND, _FOUND_SPREAD).cdf(seen)
    for (bits, data_bits), blocks in _block_bits(version, error).items():
        carried = min(data_bits + _SURE_BITS, bits - 1.0)
        read *= (1 - word_failure(bits, carried, rho / search_loss(bits))) ** blocks
    return read


def _block_bits(version: int | str, error: str) -> Counter[tuple[int, int]]:
    """Return the bits of blocks that are placed, how many of them are data, and how many such."""
    structure = layout_named(version).blocks[error]
    lengths = [8 * data for data in structure.data]
    # the zeros after a short codeword are not placed
    lengths[-1] -= 8 - structure.last_bits
    return Counter((length + 8 * structure.parity, length) for length in lengths)
