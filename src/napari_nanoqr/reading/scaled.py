"""An image at so many pixels a module that shapes can be looked for in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Points

PER_MODULE = 3
"""Pixels a module: what is left of a module after smoothing has no more detail."""

_SMOOTHING = 0.28
"""Standard deviation in modules: noise goes down, neighbouring modules stay apart."""

_FLAT = 4.0
"""Standard deviation in modules of what is taken out as uneven brightness."""

_LEAST_SMOOTHING_PX = 0.5
"""Less would leave pixels out."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """A smoothed and flattened image of :data:`PER_MODULE` pixels a module.

    Parameters
    ----------
    image : (y, x) float32 array
        The pixels.
    step : tuple of float
        Their distance in pixels of the original, y and x.
    """

    image: NDArray[np.float32]
    step: tuple[float, float]

    @property
    def to_original(self) -> NDArray[np.float64]:
        """The (3, 3) matrix from its pixels (y, x, 1) to those of the original."""
        (y, x) = self.step
        return np.array([[y, 0, (y - 1) / 2], [0, x, (x - 1) / 2], [0, 0, 1]])

    def original(self, points: Points) -> Points:
        """Return points of this image in pixels of the original."""
        moved: Points = (points + 0.5) * np.array(self.step) - 0.5
        return moved

    def scaled(self, points: Points) -> Points:
        """Return points of the original in pixels of this image."""
        moved: Points = (points + 0.5) / np.array(self.step) - 0.5
        return moved


def scale_image(image: NDArray[np.float32], pitch_px: float, stretch_y: float = 1.0) -> Scaled:
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

    Returns
    -------
    Scaled
        The smaller (or larger) image.
    """
    step = (pitch_px / stretch_y / PER_MODULE, pitch_px / PER_MODULE)
    smaller = _weights(image.shape[0], step[0]) @ image
    smaller = np.ascontiguousarray(smaller.T)
    smaller = _weights(image.shape[1], step[1]) @ smaller
    return Scaled(_flattened(np.ascontiguousarray(smaller.T, dtype=np.float32)), step)


def _flattened(image: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    sigma = _FLAT * PER_MODULE
    flat = image - gaussian_filter(image, sigma, mode="nearest", truncate=2.5)
    spread = gaussian_filter(flat * flat, 2 * sigma, mode="nearest", truncate=2.5)
    # a perfectly even ground is not to be divided by
    spread = np.sqrt(np.maximum(spread, 0.01 * spread.mean() + 1e-12))
    result: NDArray[np.float32] = flat / spread
    return result


def _weights(count: int, step: float) -> Any:
    """Return the sparse matrix that takes pixels to means around places a step apart."""
    from scipy.sparse import csr_array

    sigma = max(_SMOOTHING * PER_MODULE * step, _LEAST_SMOOTHING_PX)
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
