"""An image at so many pixels a module that shapes can be looked for in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Points
from napari_nanoqr.reading.smooth import block_means, turned

PER_MODULE = 3
"""Pixels a module: what is left of a module after smoothing has no more detail."""

_SMOOTHING = 0.28
"""Standard deviation in modules: noise goes down, neighbouring modules stay apart."""

_LEAST_SMOOTHING_PX = 0.5
"""Less would leave pixels out."""

_HALVED = 3.0
"""Pixels of the original for one of the result from which on pixels are averaged first."""

_FLAT = 4.0
"""Standard deviation in modules of what is taken out as uneven brightness."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """A smoothed and flattened image of so many pixels a module.

    Parameters
    ----------
    image : (y, x) float32 array
        The pixels.
    step : tuple of float
        Their distance in pixels of the original, y and x.
    per_module : int
        Pixels a module.
    origin : tuple of float
        How many pixels of the original are left out before the first one.
    """

    image: NDArray[np.float32]
    step: tuple[float, float]
    per_module: int = PER_MODULE
    origin: tuple[float, float] = (0.0, 0.0)

    @property
    def to_original(self) -> NDArray[np.float64]:
        """The (3, 3) matrix from its pixels (y, x, 1) to those of the original."""
        (y, x), (top, left) = self.step, self.origin
        return np.array([[y, 0, (y - 1) / 2 + top], [0, x, (x - 1) / 2 + left], [0, 0, 1]])

    def original(self, points: Points) -> Points:
        """Return points of this image in pixels of the original."""
        moved: Points = (points + 0.5) * np.array(self.step) - 0.5 + np.array(self.origin)
        return moved

    def scaled(self, points: Points) -> Points:
        """Return points of the original in pixels of this image."""
        moved: Points = (points - np.array(self.origin) + 0.5) / np.array(self.step) - 0.5
        return moved


def scale_image(
    image: NDArray[np.float32],
    pitch_px: float,
    stretch_y: float = 1.0,
    *,
    per_module: int = PER_MODULE,
) -> Scaled:
    """Smooth an image, change its size and even out its brightness and contrast.

    What is wider than the largest shape to be looked for, a finder pattern, tells of charging
    and of nothing else.

    Parameters
    ----------
    image : (y, x) float32 array
        The original.
    pitch_px : float
        Distance of modules along x in its pixels.
    stretch_y : float
        How much shorter it shows lengths along y.
    per_module : int
        Pixels a module in the result.

    Returns
    -------
    Scaled
        The smaller (or larger) image.
    """
    step = (pitch_px / stretch_y / per_module, pitch_px / per_module)
    sigmas = [max(_SMOOTHING * per_module * s, _LEAST_SMOOTHING_PX) for s in step]
    smaller, factor = image, 1
    while min(step) / factor >= _HALVED and min(smaller.shape) > 1:
        smaller, factor = block_means(smaller, 2), 2 * factor
    # what the means of blocks have smoothed already
    done = (factor**2 - 1) / 12
    steps, widths = [s / factor for s in step], [(s * s - done) ** 0.5 / factor for s in sigmas]
    smaller = _weights(smaller.shape[0], steps[0], widths[0]) @ smaller
    smaller = turned(_weights(smaller.shape[1], steps[1], widths[1]) @ turned(smaller))
    return Scaled(_flattened(smaller, per_module), step, per_module)


def scale_window(
    image: NDArray[np.float32], corners_yx: Points, pitch_px: float, stretch_y: float
) -> Scaled:
    """Return the part of an image around some points as :func:`scale_image` shows it.

    Parameters
    ----------
    image, pitch_px, stretch_y
        As there.
    corners_yx : (n, 2) float array
        Points in its pixels, of which at least one lies inside.

    Returns
    -------
    Scaled
        With a margin of eight modules.
    """
    margin = 8 * pitch_px
    low = np.floor(corners_yx.min(axis=0) - margin).astype(int).clip(0, np.array(image.shape) - 1)
    high = np.ceil(corners_yx.max(axis=0) + margin).astype(int).clip(low + 1)
    part = np.ascontiguousarray(image[low[0] : high[0], low[1] : high[1]])
    scaled = scale_image(part, pitch_px, stretch_y)
    return Scaled(scaled.image, scaled.step, origin=(float(low[0]), float(low[1])))


@lru_cache(maxsize=256)
def _weights(count: int, step: float, sigma: float) -> Any:
    """Return the sparse matrix that takes pixels to means around places a step apart."""
    from scipy.sparse import csr_array

    reach = int(np.ceil(2.8 * sigma))
    places = (np.arange(max(1, round(count / step))) + 0.5) * step - 0.5
    near = np.rint(places).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * ((near - places[:, None]) / sigma) ** 2)
    weights[(near < 0) | (near >= count)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(len(places) + 1) * near.shape[1]
    near = near.clip(0, count - 1)
    parts = (weights.astype(np.float32).ravel(), near.ravel(), starts)
    return csr_array(parts, shape=(len(places), count))


def _flattened(image: NDArray[np.float32], per_module: int) -> NDArray[np.float32]:
    """Take out the mean around each pixel and divide by the spread around it."""
    sigma = _FLAT * per_module
    flat = image - _wide_mean(image, sigma)
    spread = _wide_mean(flat * flat, 1.5 * sigma)
    # a perfectly even ground is not to be divided by
    spread = np.sqrt(np.maximum(spread, 0.01 * spread.mean() + 1e-12))
    result: NDArray[np.float32] = flat / spread
    return result


def _wide_mean(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return a Gaussian mean, worked out at a few places and interpolated between them."""
    step = sigma / 2
    # the mean is so wide that pixels may as well be taken two by two
    times = min(2, *image.shape)
    smaller = block_means(image, times)
    down, right = (_weights(n, step / times, sigma / times) for n in smaller.shape)
    coarse = right @ turned(down @ smaller)
    left, up = (_between(n, m, step) for n, m in zip(image.shape[::-1], coarse.shape, strict=True))
    return np.asarray(up @ turned(left @ coarse), dtype=np.float32)


@lru_cache(maxsize=256)
def _between(count: int, places: int, step: float) -> Any:
    """Return the sparse matrix that interpolates linearly between places a step apart."""
    from scipy.sparse import csr_array

    at = ((np.arange(count) + 0.5) / step - 0.5).clip(0, places - 1)
    before = np.minimum(at.astype(np.intp), max(places - 2, 0))
    share = (at - before).astype(np.float32)
    columns = np.stack((before, np.minimum(before + 1, places - 1)), axis=-1)
    weights = np.stack((1 - share, share), axis=-1)
    parts = (weights.ravel(), columns.ravel(), 2 * np.arange(count + 1))
    return csr_array(parts, shape=(count, places))
