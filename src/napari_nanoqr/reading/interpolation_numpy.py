"""The loops of :mod:`.interpolation` without a compiler: slower, but there at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Points


def look(
    image: NDArray[np.float32],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    values: NDArray[np.float32],
) -> None:
    """Set the values at points in pixels."""
    height, width = image.shape
    # what is no number is taken for 0 here
    down = np.fmin(np.fmax(y, 0), height - 1.0)
    over = np.fmin(np.fmax(x, 0), width - 1.0)
    # there is a pixel after each that is taken, but where the image has only one
    top = np.minimum(down.astype(np.intp), max(height - 2, 0))
    left = np.minimum(over.astype(np.intp), max(width - 2, 0))
    below, beside = (down - top).astype(np.float32), (over - left).astype(np.float32)
    flat, corner = image.reshape(-1), top * width + left
    step_y, step_x = (width if height > 1 else 0), (1 if width > 1 else 0)
    upper, lower = flat[corner], flat[corner + step_y]
    upper += (flat[corner + step_x] - upper) * beside
    lower += (flat[corner + step_y + step_x] - lower) * beside
    np.add(upper, (lower - upper) * below, out=values)


def look_under(
    image: NDArray[np.float32],
    perspective: NDArray[np.float64],
    points: Points,
    values: NDArray[np.float32],
) -> None:
    """Set the values at the places to which a perspective takes points."""
    homogeneous = points @ perspective[:, :2].T + perspective[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        y, x = (homogeneous[:, :2] / homogeneous[:, 2:]).T
    look(image, y, x, values)


def gather(
    image: NDArray[np.float32],
    vectors: NDArray[np.float64],
    offsets: NDArray[np.float64],
    weights: NDArray[np.float32],
    spans: NDArray[np.int64],
    means: NDArray[np.float32],
) -> None:
    """Set the means, ``(means, means, places)``, around places with two steps each.

    ``vectors`` are ``(places, 3, 2)``: place, step down, step right; ``spans`` are the first
    point that counts in each mean along an axis, and the one after the last.
    """
    middle, down, right = vectors.swapaxes(0, 1)
    across = middle + offsets[:, None, None] * right
    values = np.empty(across.shape[:2], dtype=np.float32)
    means[...] = 0
    for number, offset in enumerate(offsets):
        y, x = (across + offset * down).reshape(-1, 2).T
        look(image, y, x, values.reshape(-1))
        means += weights[:, number, None, None] * (weights @ values)
