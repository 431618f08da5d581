"""Means over parts of an image: whole rows are added up, which is several times quicker.

For columns they are turned to rows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_REACH = 3.0
"""Standard deviations beyond which a Gaussian's weights are left out."""

_APART, _ASIDE = 128, 16
"""Pixels: rows of a multiple of so many are copied so many further apart before they are turned."""


def smoothed(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return Gaussian means.

    Parameters
    ----------
    image : (y, x) float32 array
        Its edge goes on outside.
    sigma : float
        Standard deviation in pixels; 0 leaves the image as it is.

    Returns
    -------
    (y, x) float32 array
        A new image.
    """
    down, right = (_weights(count, sigma) for count in image.shape)
    return turned(right @ turned(down @ image))


def block_means(image: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the means of square blocks, as a new image.

    Parameters
    ----------
    image : (y, x) float32 array
        What does not fill a block at its end is left out.
    factor : int
        Pixels along the side of a block.
    """
    if factor == 1:
        return image.copy()
    height, width = (n // factor * factor for n in image.shape)
    whole = image[:height, :width]
    rows = whole[::factor].copy()
    for first in range(1, factor):
        rows += whole[first::factor]
    means = rows[:, ::factor].copy()
    for first in range(1, factor):
        means += rows[:, first::factor]
    means *= np.float32(1 / factor**2)
    return means


def turned(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows as columns, as a new image."""
    rows, columns = image.shape
    if columns % _APART == 0:
        # such values would have to share a few places of the processor's cache
        apart = np.empty((rows, columns + _ASIDE), dtype=np.float32)[:, :columns]
        apart[...] = image
        image = apart
    return np.ascontiguousarray(image.T)


@lru_cache(maxsize=32)
def _weights(count: int, sigma: float) -> Any:
    """Return the sparse matrix that takes pixels to means."""
    from scipy.sparse import csr_array

    reach = int(_REACH * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / max(sigma, 1e-9)) ** 2)
    weights = np.tile((weights / weights.sum()).astype(np.float32), count)
    near = (np.arange(count)[:, None] + offsets).clip(0, count - 1).ravel()
    return csr_array((weights, near, np.arange(count + 1) * len(offsets)), shape=(count, count))
