"""Smooth a micrograph, so that few of its pixels tell a module's value."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast, gaussian_taps

WIDTH = 0.43
"""Standard deviation in modules of the Gaussian that modules are sampled with: for all that a
linear equaliser makes of the values, the best for blurs of 0.3 to 0.5 modules."""

RADIUS = 5
"""Pixels on either side that make a smoothed pixel."""

BETWEEN = 1 / 6
"""Variance in square pixels that straight lines between pixels add on average; at a pixel none, in
the middle between two 1/4, which makes up to 4 % of the whole where a module has 4 pixels."""

_DOWN, _ACROSS = 128, 65536 - 16
"""What weights of pixels below each other, and side by side, add up to: as whole numbers the sums
of 8-bit grey values stay below 2**15, and those of two of them below 2**16."""

_STRANGE = 0.001
"""Share of pixels at both ends that may be anything: hot pixels, the glare of a particle."""

_SOME = 200_000
"""So many pixels tell what grey values an image has."""


def eight_bits(image: NDArray[np.number]) -> NDArray[np.uint8]:
    """Return an image in 8 bits, which hold all that tells modules apart.

    Parameters
    ----------
    image : (y, x) array
        A micrograph, or means of its pixels.

    Returns
    -------
    (y, x) uint8 array
        The same if it has 8 bits. Else what all but few pixels have lies in the middle half of the
        grey values; a step is then a hundredth of how far those spread.
    """
    if image.dtype == np.uint8:
        return image  # type: ignore[return-value]
    step = max(1, math.isqrt(image.size // _SOME))
    some = np.asarray(image[::step, ::step], np.float32)
    some = some[np.isfinite(some)]
    low, high = np.quantile(some, (_STRANGE, 1 - _STRANGE)) if some.size else (0.0, 1.0)
    scale = 128 / max(float(high - low), 1e-30)
    out = np.empty(image.shape, np.uint8)
    _reduce(image, np.float32(low), np.float32(scale), out)
    return out


def smooth_pixels(
    image: NDArray[np.uint8], sizes: tuple[float, float], width: float = WIDTH
) -> NDArray[np.uint16]:
    """Smooth an image.

    Parameters
    ----------
    image : (y, x) uint8 array
        With 2.3 to 8 pixels a module.
    sizes : (float, float)
        Pixels a module along y and x.
    width : float
        Standard deviation in modules that modules are to be sampled with.

    Returns
    -------
    (y, x) uint16 array
        Gaussian means, 128 to a grey value.
    """
    sigmas = [math.sqrt(max((size * width) ** 2 - BETWEEN, 0.1)) for size in sizes]
    taps = np.stack(
        [_whole(sigma, total) for sigma, total in zip(sigmas, (_DOWN, _ACROSS), strict=True)]
    )
    out = np.zeros(image.shape, np.uint16)
    if min(image.shape) > 2 * RADIUS:
        _smooth(image, taps, out)
    return out


def _whole(sigma: float, total: int) -> NDArray[np.uint16]:
    """Return the weights of a Gaussian from its middle on, as whole numbers."""
    weights = np.rint(gaussian_taps(sigma, RADIUS)[RADIUS:] * total).astype(np.int64)
    weights[0] = total - 2 * weights[1:].sum()
    return weights.astype(np.uint16)


@fast
def _reduce(
    image: NDArray[np.number], low: np.float32, scale: np.float32, out: NDArray[np.uint8]
) -> None:
    for y in range(image.shape[0]):
        here, line = image[y], out[y]
        for x in range(image.shape[1]):
            value = (np.float32(here[x]) - low) * scale + np.float32(64.5)
            # written so that what is not a number becomes 0
            value = value if value > 0 else np.float32(0)
            line[x] = np.uint8(np.int32(min(value, np.float32(255))))


@fast
def _two(one: int, other: int) -> np.uint16:
    return np.uint16(np.uint16(one) + np.uint16(other))


@fast
def _part(weight: np.uint16, value: np.uint16) -> np.uint16:
    """Return a product over 2**16: processors have an instruction for many of these at once."""
    return np.uint16((np.uint32(weight) * np.uint32(value)) >> np.uint32(16))


@fast
def _smooth(
    image: NDArray[np.uint8],
    taps: NDArray[np.uint16],
    out: NDArray[np.uint16],
) -> None:
    """Weigh 11 pixels below each other, then 11 side by side; the edge goes on outside."""
    height, width = image.shape
    last = height - 1
    column = np.empty(width + 10, np.uint16)
    p0, p1, p2, p3, p4, p5 = taps[0]
    q0, q1, q2, q3, q4, q5 = taps[1]
    # parts of the row instead of x - 5: an index that might be negative keeps from vectors
    c0, c1, c2, c3 = column[:width], column[1:], column[2:], column[3:]
    c4, c5, c6, c7 = column[4:], column[5:], column[6:], column[7:]
    c8, c9, c10 = column[8:], column[9:], column[10:]
    for y in range(height):
        m = image[y]
        a1, b1 = image[max(y - 1, 0)], image[min(y + 1, last)]
        a2, b2 = image[max(y - 2, 0)], image[min(y + 2, last)]
        a3, b3 = image[max(y - 3, 0)], image[min(y + 3, last)]
        a4, b4 = image[max(y - 4, 0)], image[min(y + 4, last)]
        a5, b5 = image[max(y - 5, 0)], image[min(y + 5, last)]
        for x in range(width):
            c5[x] = np.uint16(
                p0 * np.uint16(m[x])
                + p1 * _two(a1[x], b1[x])
                + p2 * _two(a2[x], b2[x])
                + p3 * _two(a3[x], b3[x])
                + p4 * _two(a4[x], b4[x])
                + p5 * _two(a5[x], b5[x])
            )
        for x in range(5):
            column[x] = column[5]
            column[width + 5 + x] = column[width + 4]
        line = out[y]
        for x in range(width):
            line[x] = np.uint16(
                _part(q0, c5[x])
                + _part(q1, _two(c4[x], c6[x]))
                + _part(q2, _two(c3[x], c7[x]))
                + _part(q3, _two(c2[x], c8[x]))
                + _part(q4, _two(c1[x], c9[x]))
                + _part(q5, _two(c0[x], c10[x]))
            )
