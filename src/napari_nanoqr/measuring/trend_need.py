"""How many more electrons a code takes the more of its modules are damaged."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.bounds import capacity_and_dispersion
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.reading.information import FAILURES, SURE_BITS, needed_rho
from napari_nanoqr.symbols.kinds import layout_named

HALF = 0.5
"""Share of the images that fail at the end of readability."""

_MOST = 0.3
"""Share of damaged modules that no level of error correction stands."""

_PLACES = 61
_RHO = (0.3, 6.0)
_SURE = 5.9
"""What is above is more than there can be."""

_TRIED = 301


@lru_cache(maxsize=32)
def _table(
    version: int | str, error: str, failures: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares of damaged modules, and the rho that the others need, ``(places,)`` each."""
    structure = layout_named(version).blocks[error]
    blocks = len(structure.data)
    bits = 8 * (max(structure.data) + structure.parity)
    shares = _MOST * np.linspace(0.0, 1.0, _PLACES) ** 2
    needed = np.full(_PLACES, np.inf)
    for place, share in enumerate(shares):
        low, high = _RHO
        while high - low > 1e-3:
            rho = (low + high) / 2
            # to so many thousandths the bounds remember what they reckoned
            lost = bits * round(_lost(round(rho, 4), float(share)), 5)
            enough = needed_rho(bits, structure.parity, blocks, lost, failures) <= rho
            low, high = (low, rho) if enough else (rho, high)
        spare = 8 * structure.parity - SURE_BITS - bits * _lost(round(high, 4), float(share))
        if high > _SURE or spare < 1:
            break
        needed[place] = high
    return shares, needed


@lru_cache(maxsize=8192)
def _lost(rho: float, share: float) -> float:
    """Return the bits a module tells less where a share of all modules is damaged."""
    noise = np.linspace(-8.0, 8.0, 801)
    weights = np.exp(-0.5 * noise**2)
    weights /= weights.sum()
    wrong = np.exp(-np.logaddexp(0.0, np.abs(2 * rho * (rho + noise))))
    doubted = np.maximum((1 - share) * wrong + share * (1 - wrong), 1e-300)
    told = 1 + doubted * np.log2(doubted) + (1 - doubted) * np.log2(1 - doubted)
    return max(0.0, capacity_and_dispersion(rho)[0] - float(weights @ told))


def log_dose_factor(
    share: NDArray[np.float64], version: int | str, error: str, failures: float = FAILURES
) -> NDArray[np.float64]:
    """Return how many times the electrons a damaged code takes.

    Parameters
    ----------
    share : float array
        Shares of the modules that do not show what was written.
    version : int or str
        Of the symbol.
    error : str
        Its error-correction level.
    failures : float
        Share of the images that may fail, up to a half.

    Returns
    -------
    float array
        Natural logarithm of the electrons, of the same shape, over those with which the intact
        code is read in 99 of 100 images; infinite where no electrons are enough.
    """
    shares, needed = _table(version, error, failures)
    intact = _table(version, error, FAILURES)[1][0]
    known = np.isfinite(needed)
    values = 2 * np.log(needed[known] / intact)
    found = np.interp(share, shares[known], values)
    return np.where(np.asarray(share) > shares[known][-1], np.inf, found)


def damaged_share(llr: NDArray[np.float32], written: NDArray[np.bool_]) -> Quantity:
    """Estimate how many modules show the opposite of what was written, noise left out.

    Parameters
    ----------
    llr : (rows, columns) float32 array
        Natural logarithm of P(light) / P(dark) for every module.
    written : (rows, columns) bool array
        The symbol, True = dark.

    Returns
    -------
    Quantity
        The likeliest share where each module is either damaged or not, up to 0.3, and its
        standard uncertainty.
    """
    right = np.where(written, -llr, llr).astype(np.float64).ravel()
    # how much likelier each module looks as it does if it is damaged
    odds = np.exp(np.clip(-right, -50.0, 50.0))
    shares = _MOST * np.linspace(0.0, 1.0, _TRIED) ** 2
    logs = np.array([np.log1p(share * (odds - 1)).sum() for share in shares])
    # not the curvature at the maximum, which says nothing where that is at 0
    chances = np.exp(logs - logs.max()) * np.gradient(shares)
    chances /= chances.sum()
    best = float(shares[logs.argmax()])
    return Quantity(best, float(np.sqrt(chances @ (shares - best) ** 2)))
