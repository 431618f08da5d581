"""What two modules side by side show that neither shows alone.

Where milling is through, more dose removes no more, and a strip between two milled modules is
milled only if both are: the edge between two modules looks otherwise where they are equal than
the sum of two pulses says. A bond is added on each edge, once for equal modules and with the
other sign for unequal ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.subsample import CELLS

ALONG, ACROSS = 3, 2
"""How many cells a bond reaches along its edge, from the middle, and to each side of it."""

_EXPECTED = 0.15
"""Standard deviation of a bond beforehand, as a share of the pulse's amplitude."""

_SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))
"""Neighbours with whom a module has a bond, row and column: left, right, above, below."""


def no_bonds() -> NDArray[np.float64]:
    """Return bonds that add nothing, ``(3, 2)``."""
    return np.zeros((ALONG, ACROSS))


def beside(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of the four neighbours of each module: left, right, above, below.

    Parameters
    ----------
    values : (rows, columns) float array
        One value a module; beyond the edge it goes on.

    Returns
    -------
    (4, rows, columns) float array
        Theirs.
    """
    rows, columns = values.shape
    padded = np.pad(values, 1, mode="edge")
    return np.stack([padded[1 + r : 1 + r + rows, 1 + c : 1 + c + columns] for r, c in _SIDES])


def spread(edges: NDArray[np.float64], places: tuple[NDArray[Any], ...]) -> NDArray[np.float64]:
    """Return what each part of a bond adds to the cells, for a value at each edge.

    Parameters
    ----------
    edges : (4, rows, columns) float array
        Values of the edges on the left and right of each module, above and below.
    places : pair of (n,) int arrays
        Rows and columns of the modules whose cells are wanted.

    Returns
    -------
    (6, 9, n) float array
        For each distance along the edge and across it (3 x 2) the cells of these modules.
    """
    row, column = (place + 1 for place in places)
    padded = np.pad(edges, ((0, 0), (1, 1), (1, 1)))
    result = np.zeros((ALONG, ACROSS, CELLS, CELLS, row.size))
    _add_upright(result, *(padded[:2, row + step, column] for step in (-1, 0, 1)))
    # a bond lies across a horizontal edge as it does across an upright one
    lying = result.swapaxes(2, 3)
    _add_upright(lying, *(padded[2:, row, column + step] for step in (-1, 0, 1)))
    return result.reshape(ALONG * ACROSS, CELLS**2, -1)


def _add_upright(
    cells: NDArray[np.float64],
    before: NDArray[np.float64],
    own: NDArray[np.float64],
    after: NDArray[np.float64],
) -> None:
    """Add the bonds across two edges of each module, and of the ones that these go on to."""
    for along, row, (left, right) in (
        (0, 1, own), (1, 0, own), (1, 2, own),
        # two cells from the middle of an edge is the next module
        (2, 0, before), (2, 2, after),
    ):  # fmt: skip
        cells[along, 0, row, 0] += left
        cells[along, 0, row, 2] += right
        cells[along, 1, row, 1] += left + right


def added(bonds: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what bonds add to the cells: the sum of all parts that :func:`spread` tells apart.

    Parameters
    ----------
    bonds : (3, 2) float array
        By distance along the edge and across it.
    edges : (4, rows, columns) float array
        Values of the edges on the left and right of each module, above and below.

    Returns
    -------
    (3, 3, rows, columns) float32 array
        Cells by module.
    """
    left, right, above, below = edges.astype(np.float32)
    result = _added_upright(bonds, left, right)
    result += _added_upright(bonds, above.T, below.T).transpose(1, 0, 3, 2)
    return result


def _added_upright(
    bonds: NDArray[np.float64], left: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    near, far = bonds.astype(np.float32).T
    by_cell = np.stack((left, left + right, right))
    result = np.empty((CELLS, *by_cell.shape), dtype=np.float32)
    weights = np.stack((near, far, near))[:, :, None, None]
    result[1] = weights[:, 0] * by_cell
    result[0] = result[2] = weights[:, 1] * by_cell
    # two cells from the middle of an edge is the next module
    by_cell *= weights[:, 2]
    result[0, :, 1:] += by_cell[:, :-1]
    result[2, :, :-1] += by_cell[:, 1:]
    return result


def pictures(bonds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a bond with each of the four neighbours adds around a module.

    Parameters
    ----------
    bonds : (3, 2) float array
        By distance along the edge and across it.

    Returns
    -------
    (4, 3, 3, 3, 3) float array
        Cells of the modules around, ``[side, cell row, cell column, row, column]``.
    """
    result = []
    for side in range(len(_SIDES)):
        edges = np.zeros((len(_SIDES), CELLS, CELLS))
        edges[side, 1, 1] = 1.0
        # the same edge, as the neighbour sees it
        row, column = _SIDES[side]
        edges[side ^ 1, 1 + row, 1 + column] = 1.0
        result.append(added(bonds, edges).astype(np.float64))
    return np.stack(result)


def fit_bonds(
    parts: NDArray[np.float64],
    left: NDArray[np.float64],
    doubt: NDArray[np.float64],
    noise: float,
    amplitude: float,
) -> NDArray[np.float64]:
    """Fit bonds to what a sum of pulses leaves over.

    Parameters
    ----------
    parts : (6, n) float array
        See :func:`spread`, for the cells that are used.
    left : (n,) float array
        What is left over there.
    doubt : (6,) float array
        Sums of the variances of the parts, whose edges are not known for certain.
    noise : float
        Variance of a cell.
    amplitude : float
        The pulse's.

    Returns
    -------
    (3, 2) float array
        The most probable bonds.
    """
    normal = parts @ parts.T + np.diag(doubt + noise / max(_EXPECTED * abs(amplitude), 1e-12) ** 2)
    return np.asarray(np.linalg.solve(normal, parts @ left)).reshape(ALONG, ACROSS)
