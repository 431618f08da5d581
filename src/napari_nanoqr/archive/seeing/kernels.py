"""Weights of the Gaussians that images are sampled and smoothed with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gaussian_taps(sigma: float, radius: int) -> NDArray[np.float32]:
    """Return the weights of a Gaussian at whole pixels.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels.
    radius : int
        Pixels on either side.

    Returns
    -------
    (2 * radius + 1,) float32 array
        Their sum is 1.
    """
    places = np.arange(-radius, radius + 1) / sigma
    weights = np.exp(-0.5 * places**2)
    return (weights / weights.sum()).astype(np.float32)
