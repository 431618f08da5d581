"""Grey values between an image's pixels: what all reading of faint codes spends its time with."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading import interpolation_numpy
from napari_nanoqr.reading.grid import Points

_loops: ModuleType = interpolation_numpy


def load_compiled() -> None:
    """Compile from now on: several times quicker, but the compiler takes half a second to load.

    Codes that native readers read are looked at without it.
    """
    global _loops
    from napari_nanoqr.reading import interpolation_loops

    _loops = interpolation_loops


def interpolate(image: NDArray[np.float32], points: Points) -> NDArray[np.float32]:
    """Return an image's values between its pixels, bilinearly; outside, those of its edge.

    Parameters
    ----------
    image : (y, x) float32 array
        At least one pixel.
    points : (..., 2) float array
        y and x in pixels.

    Returns
    -------
    (...) float32 array
        The values.
    """
    return interpolate_at(image, points[..., 0], points[..., 1])


def interpolate_at(
    image: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the same as :func:`interpolate`, of coordinates that are told one by one."""
    values = np.empty(y.shape, dtype=np.float32)
    places = (np.ascontiguousarray(axis, dtype=np.float64).reshape(-1) for axis in (y, x))
    _loops.look(_plain(image), *places, values.reshape(-1))
    return values


def interpolate_under(
    image: NDArray[np.float32], perspective: NDArray[np.float64], points: Points
) -> NDArray[np.float32]:
    """Return an image's values at the places to which a perspective takes some points.

    Parameters
    ----------
    image : (y, x) float32 array
        At least one pixel.
    perspective : (3, 3) float array
        Takes points to pixels.
    points : (n, 2) float array
        In coordinates of their own.

    Returns
    -------
    (n,) float32 array
        The values.
    """
    values = np.empty(len(points), dtype=np.float32)
    flat = np.ascontiguousarray(points, dtype=np.float64)
    _loops.look_under(
        _plain(image), np.ascontiguousarray(perspective, dtype=np.float64), flat, values
    )
    return values


def weighted_means(
    image: NDArray[np.float32],
    middle: Points,
    down: Points,
    right: Points,
    offsets: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return means over lattices of points around some places.

    Parameters
    ----------
    image : (y, x) float32 array
        At least one pixel.
    middle, down, right : (rows, columns, 2) float arrays
        The places in pixels, and the two steps of each one's lattice.
    offsets : (n,) float array
        Places of the points along both axes, in steps.
    weights : (means, n) float array
        What each point counts in each mean along one axis; in a mean of both it is the product.

    Returns
    -------
    (means, means, rows, columns) float32 array
        For each mean along ``down`` and along ``right`` one value at each place.
    """
    rows, columns = middle.shape[:2]
    result = np.empty((len(weights), len(weights), rows, columns), dtype=np.float32)
    vectors = np.stack((middle, down, right), axis=-2).reshape(-1, 3, 2)
    # runs of points that count in a mean: most count in one alone
    counts = weights != 0
    spans = np.stack((counts.argmax(axis=1), counts.shape[1] - counts[:, ::-1].argmax(axis=1)), -1)
    _loops.gather(
        _plain(image), vectors, offsets, weights.astype(np.float32), spans,
        result.reshape(len(weights), len(weights), -1),
    )  # fmt: skip
    return result


def _plain(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image as loops take it: of one kind, so that they are compiled once."""
    if image.size == 0:
        # the loops do not look whether a pixel exists
        raise ValueError("an image without pixels has no grey values")
    return np.ascontiguousarray(image, dtype=np.float32)
