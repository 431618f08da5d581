"""How much the modules of each block tell, against what the block needs to be decoded."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.bounds import normal_approximation_rho, rho_of_information
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.placement import bit_order, block_positions

SURE_BITS = 27.0
"""Bits of a block's redundancy that go into not being wrong: our reader asks for a probability
under 1e-6, shared by some candidates and formats. Weighing modules by turns gives some of them
back, which makes up for what the likelihoods of one image promise too much."""

SEARCH_LOSS = 1.04
"""What our decoder needs beyond the best one, as a factor of rho, where the likelihoods of one
image are all that is known: these promise a little too much."""

_SEARCH_LOSSES = ((70.0, 148.0), (1.0, 1.09))
"""The same where they are true: for blocks of up to 70 codewords and for those of 148, measured at
99 % success."""

LEAST_SURPLUS = 0.1
"""What is below says only that there is next to nothing."""

FAILURES = 0.01
"""Share of the images that may fail at a dose that is said to be enough."""

_SURPRISE = float(np.log(200.0))
"""Log-likelihood with which the image says what was not written, where that is damage and no
noise."""

_TINY = 1e-300


def surplus(
    llr: NDArray[np.float32], error: str, damaged: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return how far the blocks of a symbol are from the limit of decoding.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module, upright and not mirrored; its
        shape tells the kind of symbol.
    error : str
        Error-correction level.
    damaged : (rows, columns) bool array, optional
        Modules that do not show what was written, as `damaged_modules` finds them.

    Returns
    -------
    (blocks,) float array
        For each block the signal over noise of modules that tell as much as these do on
        average, over what the block needs: 1 is the limit. Electrons go with the square.

    Notes
    -----
    What a module is expected to tell follows from its own likelihood, and varies less from image
    to image than what it told. Where few modules are wrong these values say less and less: from
    about 2 on they only say that there is plenty.
    """
    layout = layout_of(llr.shape)
    structure = layout.blocks[error]
    order = bit_order(structure)
    # bits that are not placed are not sent
    told = np.full((2, 8 * structure.codewords), np.nan)
    for bits, hurt in zip(told, (None, damaged), strict=True):
        bits[order] = _told(llr.astype(np.float64), hurt)[layout.codeword_places][: order.size]
    blocks = [told.reshape(2, -1, 8)[:, positions] for positions in block_positions(structure)]
    left = []
    for block in blocks:
        sent = int(np.isfinite(block[0]).sum())
        lost = float(np.nansum(block[0] - block[1]))
        needed = needed_rho(sent, structure.parity, len(blocks), max(lost, 0.0))
        left.append(rho_of_information(float(np.nanmean(block[0]))) / needed)
    return np.array(left)


def dose_factors(llr: NDArray[np.float32], error: str) -> tuple[float, ...]:
    """Return how many times the electrons each block of a symbol needs, which is not known.

    Parameters
    ----------
    llr, error
        As for :func:`surplus`.

    Returns
    -------
    tuple of float
        For each block; none where the modules tell nothing at all.
    """
    if not llr.any():
        return ()
    left = surplus(llr, error).clip(LEAST_SURPLUS)
    return tuple(float(factor) for factor in left**-2)


@lru_cache(maxsize=256)
def needed_rho(
    bits: int, parity: int, blocks: int = 1, lost: float = 0.0, failures: float = FAILURES
) -> float:
    """Return the signal over noise of a bit that a Reed-Solomon block needs.

    Parameters
    ----------
    bits : int
        Bits of the block.
    parity : int
        Its parity codewords.
    blocks : int
        Blocks of the symbol, all of which have to be decoded.
    lost : float
        Bits of its redundancy that damage takes.
    failures : float
        Share of the images that may fail, up to a half.

    Returns
    -------
    float
        Amplitude over sigma; 6 times `SEARCH_LOSS` stands for more than there can be.
    """
    carried = min(bits - 8 * parity + SURE_BITS + lost, bits - 1.0)
    return SEARCH_LOSS * normal_approximation_rho(bits, carried, failures / blocks)


def search_loss(bits: int) -> float:
    """Return what our decoder needs beyond the best one for a block of so many bits.

    As a factor of rho, where the likelihoods are true.
    """
    return float(np.interp(bits / 8, *_SEARCH_LOSSES))


def damaged_modules(llr: NDArray[np.float32], written: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the modules that say what was not written more surely than noise would.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module.
    written : (rows, columns) bool array
        The symbol, True = dark.

    Returns
    -------
    (rows, columns) bool array
        True where something is damaged or covered.
    """
    return np.asarray(np.where(written, -llr, llr) < -_SURPRISE)


def _told(llr: NDArray[np.float64], damaged: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return the bits that each module tells."""
    wrong = np.exp(-np.logaddexp(0.0, np.abs(llr)))
    share = 0.0 if damaged is None else float(damaged.mean())
    # what the look of a module is worth to whoever knows how many are damaged, but not which
    doubted = ((1 - share) * wrong + share * (1 - wrong)).clip(_TINY)
    if damaged is not None:
        wrong = np.where(damaged, 1 - wrong, wrong)
    return np.asarray(1 + (1 - wrong) * np.log2(1 - doubted) + wrong * np.log2(doubted))
