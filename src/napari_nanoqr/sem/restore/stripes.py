"""Stripes: rows or columns that are brighter or darker as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.restore.levels import Levels

_SMOOTHING_PX = 1.5
"""Standard deviation of the smoothing after which dark and light areas are told apart."""

_SURE = 0.25
"""Contrasts beside the middle from which on a pixel is taken to be dark or light."""

_EDGE_PX = 5
"""Side of the square within which all has to be dark, or light: the rows along an edge are
neither, and would be taken for stripes."""

_SLOW_PX = 32.0
"""What is wider is no stripe: that is left to flattening."""

_LEAST_SHARE = 0.1
"""Share of a row's pixels that have to be known to be dark or light."""

_SIGNIFICANT = 1.5
"""Variance of the rows' means over that by noise, from which on there are stripes: of a few
hundred rows without any, it hardly ever is more than 1.3."""

_ROUNDS = 2
"""Stripes disturb the division into dark and light: it is made anew without them."""


def stripes_of(image: NDArray[np.float32], levels: Levels, axis: int) -> NDArray[np.float32]:
    """Return how much each row, or column, is too bright.

    Parameters
    ----------
    image : (y, x) float32 array
        Grey values.
    levels : Levels
        Of dark and light areas.
    axis : int
        0 for rows, 1 for columns.

    Returns
    -------
    (y,) or (x,) float32 array
        Grey values, nothing slow among them; zero where there is nothing beyond noise.
    """
    if axis == 1:
        turned = Levels(levels.dark.T, levels.light.T)
        return stripes_of(np.ascontiguousarray(image.T), turned, 0)
    stripes = np.zeros(len(image), dtype=np.float32)
    for _ in range(_ROUNDS):
        stripes += _left_in_rows(image - stripes[:, None], levels)
    return stripes


def _left_in_rows(image: NDArray[np.float32], levels: Levels) -> NDArray[np.float32]:
    """Return what rows differ by from the levels of the areas that they go through."""
    from scipy.ndimage import gaussian_filter, gaussian_filter1d

    smooth = gaussian_filter(image, _SMOOTHING_PX, mode="nearest")
    place = (smooth - levels.middle) / levels.contrast
    known = _inside_areas(place)
    left = np.where(known, image - np.where(place > 0, levels.light, levels.dark), 0)
    count = known.sum(axis=1)
    told = count > _LEAST_SHARE * image.shape[1]
    if told.sum() < 8:
        return np.zeros(len(image), dtype=np.float32)
    mean = left.sum(axis=1) / np.maximum(count, 1)
    # outliers, particles and edges, count little
    spread = np.abs(np.where(known, left - mean[:, None], 0)).sum(axis=1) / np.maximum(count, 1)
    limit = 4 * spread[:, None]
    trimmed = known & (np.abs(left - mean[:, None]) < limit)
    left = np.where(trimmed, left, 0)
    count = trimmed.sum(axis=1)
    mean = left.sum(axis=1) / np.maximum(count, 1)
    variance = (left**2).sum(axis=1) / np.maximum(count, 1) - mean**2
    doubt = np.maximum(variance, 0) / np.maximum(count, 1)
    weight = told.astype(np.float64)
    slow = gaussian_filter1d(mean * weight, _SLOW_PX, mode="nearest")
    slow /= np.maximum(gaussian_filter1d(weight, _SLOW_PX, mode="nearest"), 1e-6)
    apart = np.where(told, mean - slow, 0)
    seen, noise = float((apart[told] ** 2).mean()), float(doubt[told].mean())
    if seen <= _SIGNIFICANT * noise:
        return np.zeros(len(image), dtype=np.float32)
    # the most probable stripe, where stripes vary by so much and means by noise
    real = seen - noise
    return np.asarray(apart * real / (real + doubt), dtype=np.float32)


def _inside_areas(place: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pixels surely lie inside of dark or of light areas."""
    from scipy.ndimage import binary_erosion

    square = np.ones((_EDGE_PX, _EDGE_PX), dtype=bool)
    dark, light = (binary_erosion(side > _SURE, square, border_value=1) for side in (-place, place))
    return np.asarray(dark | light)
