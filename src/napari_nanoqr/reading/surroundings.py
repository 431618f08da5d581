"""What the image of a module depends on: its sign, those around it, and pairs of neighbours.

A module's picture is not one pulse. Milling ends at the floor of the film, however much more
dose there is, and the beam's width wears away what stands alone: the strip between two milled
modules is gone, and that beside a single one stays. So the picture has, besides a pulse for
each module, a bond for each pair of neighbours, which counts with the product of their signs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

REACH = 2
"""Modules to each side on which a pulse acts."""

SIDE = 2 * REACH + 1

BONDS_RIGHT = tuple((k, m) for k in (-1, 0, 1) for m in (-1, 0))
BONDS_DOWN = tuple((k, m) for k in (-1, 0) for m in (-1, 0, 1))
"""Displacements of the modules whose bond to the right, or down, acts on a module."""

BONDS = len(BONDS_RIGHT) + len(BONDS_DOWN)


def neighbours(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return for each module those around it.

    Parameters
    ----------
    values : (rows, columns) float array
        One value a module.
    reach : int
        Modules to each side.

    Returns
    -------
    (2 reach + 1, 2 reach + 1, rows, columns) float array
        A copy of the values for each displacement; outside, the edge goes on.
    """
    rows, columns = values.shape
    padded = np.pad(values, reach, mode="edge")
    side = 2 * reach + 1
    result = np.empty((side, side, rows, columns), dtype=values.dtype)
    for k in range(side):
        for m in range(side):
            result[k, m] = padded[k : k + rows, m : m + columns]
    return result


def surroundings(signs: NDArray[Any]) -> NDArray[Any]:
    """Return all that the cells of each module depend on.

    Parameters
    ----------
    signs : (rows, columns) float array
        -1 for dark to 1 for light.

    Returns
    -------
    (37, rows, columns) float array
        The signs of 5 x 5 modules, the module's own in the middle; then the products of pairs
        near it, side by side and one below the other. Outside, the edge goes on.
    """
    near = neighbours(signs, REACH).reshape(SIDE**2, *signs.shape)
    return np.concatenate((near, _bonds(signs)))


def doubts(signs: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of each of the surroundings.

    Parameters
    ----------
    signs, variance : (rows, columns) float arrays
        Expectation and variance of each module, taken as independent.

    Returns
    -------
    (37, rows, columns) float array
        As :func:`surroundings`.
    """
    near = neighbours(variance, REACH).reshape(SIDE**2, *signs.shape)
    return np.concatenate((near, _bonds(signs**2 + variance) - _bonds(signs) ** 2))


def beside(signs: NDArray[Any]) -> NDArray[Any]:
    """Return the signs right, left, below and above of each module, ``(4, rows, columns)``."""
    around = neighbours(signs, 1)
    return np.stack((around[1, 2], around[1, 0], around[2, 1], around[0, 1]))


def _bonds(values: NDArray[Any]) -> NDArray[Any]:
    """Return the products of pairs near each module, ``(12, rows, columns)``."""
    right, _, below, _ = (neighbours(values * other, 1) for other in beside(values))
    return np.stack(
        [right[k + 1, m + 1] for k, m in BONDS_RIGHT] + [below[k + 1, m + 1] for k, m in BONDS_DOWN]
    )
