"""An image as it looks at other places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Places = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_ROWS = 256
"""Rows that are worked out at a time, so that large images need little memory beside them."""


def warped(
    image: NDArray[np.float32], places: Places, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return an image resampled, by cubic splines.

    Parameters
    ----------
    image : (y, x) float32 array
        What is resampled.
    places : callable
        Takes ``(n, 2)`` float pixels (y, x) of the result and returns the pixels of the image
        that they show.
    shape : tuple of int
        Rows and columns of the result.

    Returns
    -------
    (y, x) float32 array
        The result; outside of the image its median.
    """
    from scipy.ndimage import map_coordinates, spline_filter

    knots = spline_filter(image, 3, mode="nearest", output=np.float32)
    result = np.empty(shape, dtype=np.float32)
    last, beyond = np.array(image.shape) - 0.5, np.median(image)
    for first in range(0, shape[0], _ROWS):
        part = result[first : first + _ROWS]
        pixels = np.indices(part.shape, dtype=np.float64).reshape(2, -1).T
        pixels[:, 0] += first
        at = places(pixels)
        values = map_coordinates(knots, at.T, order=3, mode="nearest", prefilter=False)
        values[((at < -0.5) | (at > last)).any(axis=1)] = beyond
        part[:] = values.reshape(part.shape)
    return result
