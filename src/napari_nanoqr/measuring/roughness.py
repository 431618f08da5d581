"""Line-edge roughness: how much edges wander, without what is only noise of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.edges import EdgeBits

_LAGS = 1.0
"""Modules along an edge up to which bits are compared."""

_LENGTHS = 24
"""Correlation lengths that are tried."""

_LEAST_PAIRS = 30
"""Pairs of bits that a lag needs to be looked at."""

_GROUPS = 20
"""Parts of the symbol whose scatter tells the uncertainty."""

_SAMPLES = 9
"""Points over the length of a bit when the model is averaged over it."""


@dataclass(frozen=True)
class Roughness:
    """How edges wander, in modules.

    Parameters
    ----------
    sigma : float
        Standard deviation of the edges.
    uncertainty : float
        Standard uncertainty of it.
    length : float
        Distance along the edge within which it keeps to itself (1/e).
    noise : float
        Standard deviation of a bit's place by noise alone.
    """

    sigma: float
    uncertainty: float
    length: float
    noise: float


def roughness_of(bits: EdgeBits, blur: float) -> Roughness | None:
    """Return the roughness of edges of one orientation.

    Parameters
    ----------
    bits : EdgeBits
        Where they lie.
    blur : float
        Standard deviation of the image's softness along the edges, in modules: it evens out what
        is finer.

    Returns
    -------
    Roughness or None
        None where edges are too few or modules too small.

    Notes
    -----
    Noise differs from bit to bit, roughness does not: in the power spectrum noise is an even
    floor, in the correlation of bits a lag apart it is in lag zero alone. A wander with
    exponential correlation, as it shows through blur and bits, is fitted to the lags above zero
    together with the floor. Without taking off the floor roughness comes out too large:
    J. S. Villarrubia and B. D. Bunday, Proc. SPIE 5752, 480 (2005).
    """
    left = _without_means(bits)
    if left is None:
        return None
    products, counts = _lag_products(bits, left)
    lags = np.arange(products.shape[1]) / bits.bits
    shapes = _shapes(lags, blur, 1 / bits.bits)
    whole = _fit(products.sum(axis=0), counts.sum(axis=0), shapes)
    if whole is None:
        return None
    variance, floor, length = whole
    # leave out one part of the symbol after the other (jackknife)
    found = []
    for group in range(len(products)):
        kept = np.arange(len(products)) != group
        part = _fit(products[kept].sum(axis=0), counts[kept].sum(axis=0), shapes)
        if part is not None:
            found.append(part[0])
    parts, n = np.array(found), len(found)
    doubt = float(np.sqrt((n - 1) / n * np.square(parts - parts.mean()).sum())) if n > 1 else 0.0
    sigma = float(np.sqrt(variance))
    # a variance that may as well be zero tells only how large it is at most
    uncertainty = doubt / (2 * sigma) if sigma**2 > doubt else float(np.sqrt(doubt))
    return Roughness(sigma, uncertainty, float(_lengths(1 / bits.bits)[length]), floor**0.5)


def _without_means(bits: EdgeBits) -> NDArray[np.float64] | None:
    """Take out what all edges share at the same place of a module: corners reach far.

    Apart for both sides of dark areas, and for where along a module a bit is.
    """
    if len(bits.outward) < 4 * bits.bits:
        return None
    kind = bits.bit * 2 + (bits.sign > 0)
    size = 2 * bits.bits
    weight = np.bincount(kind, bits.weight, size)
    mean = np.bincount(kind, bits.weight * bits.outward, size) / np.maximum(weight, 1e-30)
    return np.asarray(bits.outward - mean[kind])


def _lag_products(
    bits: EdgeBits, left: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sums of products of bits a lag apart on one edge, and their number, by part."""
    most = max(3, round(_LAGS * bits.bits))
    # edges one after another on one long line, with a gap that no lag bridges
    length = (int(bits.at.max()) + 2) * bits.bits + most + 1
    start = (bits.line - bits.line.min()) * 2 + (bits.sign > 0)
    place = start * length + (bits.at - bits.at.min()) * bits.bits + bits.bit
    value, weight = np.zeros((2, (int(start.max()) + 1) * length + most))
    value[place], weight[place] = left, 1.0
    # a lag goes from module to module only where the edge does: the bits between are all there
    run = np.cumsum(weight == 0)
    group = (np.arange(len(value)) // length // 2) % _GROUPS
    products, counts = np.zeros((2, _GROUPS, most + 1))
    for lag in range(most + 1):
        stop = len(value) - lag
        same = (weight[:stop] > 0) & (weight[lag:] > 0) & (run[:stop] == run[lag:])
        some = group[:stop][same]
        products[:, lag] = np.bincount(some, (value[:stop] * value[lag:])[same], _GROUPS)
        counts[:, lag] = np.bincount(some, minlength=_GROUPS)
    return products, counts


def _lengths(step: float) -> NDArray[np.float64]:
    return np.geomspace(0.5 * step, 3.0, _LENGTHS)


def _shapes(lags: NDArray[np.float64], blur: float, step: float) -> NDArray[np.float64]:
    """Return the correlation of bits at each lag for each length, ``(lengths, lags)``.

    The means of two bits of an edge that has been blurred: the exponential averaged over their
    lengths and over the Gaussian of the difference of two blurred places.
    """
    from scipy.special import erfcx

    within = ((np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5) * step
    apart = np.abs(lags[:, None, None] + within[:, None] - within)
    lengths = _lengths(step)[:, None, None, None]
    sigma = max(np.sqrt(2) * blur, 1e-6)
    # exp(-|x| / L) convolved with a Gaussian, written so that nothing overflows
    bell = np.exp(-0.5 * (apart / sigma) ** 2)
    root = np.sqrt(2) * sigma
    ahead = bell * erfcx(sigma**2 / lengths / root - apart / root).clip(0, 1e30)
    behind = bell * erfcx(sigma**2 / lengths / root + apart / root)
    far = apart / root - sigma**2 / lengths / root > 5
    plain = 2 * np.exp(0.5 * (sigma / lengths) ** 2 - apart / lengths)
    ahead = np.where(far, plain, np.nan_to_num(ahead, posinf=0.0))
    return np.asarray(((ahead + behind) / 2).mean(axis=(2, 3)))


def _fit(
    products: NDArray[np.float64], counts: NDArray[np.float64], shapes: NDArray[np.float64]
) -> tuple[float, float, int] | None:
    """Return variance, floor and the number of the length that fit best."""
    enough = counts >= _LEAST_PAIRS
    if not enough[0] or enough.sum() < 3:
        return None
    seen, weight = products[enough] / counts[enough], counts[enough]
    best: tuple[float, float, float, int] | None = None
    for number, shape in enumerate(shapes[:, enough]):
        lagged = weight[1:] * shape[1:]
        variance = max(float(lagged @ seen[1:] / max(lagged @ shape[1:], 1e-30)), 0.0)
        if variance * shape[0] > seen[0]:
            # no more than all there is: the floor is none
            variance = float(seen[0] / shape[0])
        cost = float(weight[1:] @ (seen[1:] - variance * shape[1:]) ** 2)
        if best is None or cost < best[0]:
            best = cost, variance, float(seen[0] - variance * shape[0]), number
    assert best is not None
    return best[1:]
