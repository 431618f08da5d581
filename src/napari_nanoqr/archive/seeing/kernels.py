"""Weights of the Gaussians that images are smoothed with, and how loops over pixels compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def fast(function: Kernel) -> Kernel:
    """Compile a function so that sums may be taken in any order, but NaN stays what it is.

    Parameters
    ----------
    function : callable
        Loops over numpy arrays.

    Returns
    -------
    callable
        The same, as machine code; compiled when first called, and kept on disk.
    """
    flags = {"contract", "reassoc", "nsz", "arcp"}
    return cast(Kernel, numba.njit(nogil=True, cache=True, fastmath=flags)(function))


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
    scaled: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return scaled
