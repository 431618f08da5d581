"""The covariance of a least-squares fit whose residuals are not independent of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TILE = 2
"""Modules a side of tiles within which pixels may be off together."""


def clustered_covariance(
    design: NDArray[np.float64],
    left: NDArray[np.float64],
    row: NDArray[np.intp],
    module: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the covariance of coefficients fitted by least squares.

    Parameters
    ----------
    design : (n, terms) float array
        Derivatives of the model at each pixel.
    left : (n,) float array
        Residuals.
    row : (n,) int array
        Rows of the image: a scan displaces whole ones.
    module : (n, 2) int array
        Modules: detector and specimen put neighbouring pixels off together.

    Returns
    -------
    (terms, terms) float array
        The covariance.

    Notes
    -----
    Clusters in two ways: rows of pixels, and tiles of two modules a side; what both count is
    taken off once. A. C. Cameron, J. B. Gelbach and D. L. Miller, J. Bus. Econ. Stat. 29, 238
    (2011). Where that leaves a direction without any variance, the larger of both counts.
    """
    size = np.sqrt((design**2).sum(axis=0))
    size[size == 0] = 1
    scaled = design / size
    scores = scaled * left[:, None]
    tile = (module - module.min(axis=0)) // TILE
    place = tile[:, 0] * (tile[:, 1].max() + 1) + tile[:, 1]
    line = row - row.min()
    both = place * (line.max() + 1) + line
    spread = _spread(scores, line) + _spread(scores, place) - _spread(scores, both)
    inverse = np.linalg.pinv(scaled.T @ scaled, hermitian=True)
    free = len(left) / max(len(left) - design.shape[1], 1)
    covariance = free * inverse @ spread @ inverse
    # the difference of three estimates may fall below zero in some direction
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    least = free * float((left**2).mean()) * np.linalg.eigvalsh(inverse).min()
    covariance = (vectors * np.maximum(values, least)) @ vectors.T
    return np.asarray(covariance / np.outer(size, size))


def _spread(scores: NDArray[np.float64], cluster: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sum of squares of what clusters add up to."""
    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=cluster[order[0]] - 1))
    sums = np.add.reduceat(scores[order], first)
    groups = len(sums)
    return np.asarray(groups / max(groups - 1, 1) * sums.T @ sums)
