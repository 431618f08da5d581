"""The loops of :mod:`.interpolation`, compiled; they do what those of numpy do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.reading.grid import Points


@compiled
def _value(image: NDArray[np.float32], y: float, x: float) -> np.float32:
    """Return the value at one place."""
    height, width = image.shape
    # what is no number is taken for 0 here
    down = min(y if y > 0 else 0.0, height - 1.0)
    over = min(x if x > 0 else 0.0, width - 1.0)
    # there is a pixel after each that is taken, but where the image has only one
    top, left = min(int(down), max(height - 2, 0)), min(int(over), max(width - 2, 0))
    step_y, step_x = (1 if height > 1 else 0), (1 if width > 1 else 0)
    below, beside = np.float32(down - top), np.float32(over - left)
    first, second = image[top, left], image[top + step_y, left]
    upper = first + (image[top, left + step_x] - first) * beside
    lower = second + (image[top + step_y, left + step_x] - second) * beside
    return np.float32(upper + (lower - upper) * below)


@compiled
def look(
    image: NDArray[np.float32],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    values: NDArray[np.float32],
) -> None:
    """Set the values at points in pixels."""
    for n in range(len(y)):
        values[n] = _value(image, y[n], x[n])


@compiled
def look_under(
    image: NDArray[np.float32],
    p: NDArray[np.float64],
    points: Points,
    values: NDArray[np.float32],
) -> None:
    """Set the values at the places to which a perspective takes points."""
    for n in range(len(points)):
        a, b = points[n, 0], points[n, 1]
        weight = p[2, 0] * a + p[2, 1] * b + p[2, 2]
        # what lies on the horizon is nowhere
        once = 1 / weight if weight != 0 else np.nan
        y = (p[0, 0] * a + p[0, 1] * b + p[0, 2]) * once
        x = (p[1, 0] * a + p[1, 1] * b + p[1, 2]) * once
        values[n] = _value(image, y, x)


@compiled
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
    count = len(weights)
    for n in range(len(vectors)):
        y, x = vectors[n, 0]
        down_y, down_x = vectors[n, 1]
        right_y, right_x = vectors[n, 2]
        for i in range(count):
            for j in range(count):
                total = np.float32(0)
                for v in range(spans[i, 0], spans[i, 1]):
                    from_y, from_x = y + offsets[v] * down_y, x + offsets[v] * down_x
                    line = np.float32(0)
                    for u in range(spans[j, 0], spans[j, 1]):
                        at_y, at_x = from_y + offsets[u] * right_y, from_x + offsets[u] * right_x
                        line += weights[j, u] * _value(image, at_y, at_x)
                    total += weights[i, v] * line
                means[i, j, n] = total
