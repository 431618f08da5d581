"""Grids the other way round, from pixels to modules, and the straight lattice nearest to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points, polynomials

_ROUNDS = 30
_STILL = 1e-9
"""Modules."""


def to_modules(grid: Grid, pixels: Points) -> Points:
    """Return which place of a symbol is seen at some pixels.

    Parameters
    ----------
    grid : Grid
        Where the symbol is; bent by less than a module in a module's distance.
    pixels : (n, 2) float array
        y and x.

    Returns
    -------
    (n, 2) float array
        Row and column in modules.
    """
    p = np.linalg.inv(grid.perspective)
    still: Points = pixels @ p[:2, :2].T + p[:2, 2]
    still /= (pixels @ p[2, :2] + p[2, 2])[:, None]
    if not grid.bend.any():
        return still
    modules = still
    # a polynomial runs away outside of the symbol, where nothing is looked at
    limit = np.array(grid.shape, dtype=float)
    for _ in range(_ROUNDS):
        within = np.clip(modules, -1, limit + 1)
        further = still - polynomials(grid.scaled(within), grid.degree) @ grid.bend
        moved = float(np.abs(further - modules).max(initial=0))
        modules = further
        if moved < _STILL:
            break
    return np.asarray(modules)


def as_bent_affine(grid: Grid, degree: int) -> Grid:
    """Return nearly the same grid as an affine one that is bent by a polynomial.

    Parameters
    ----------
    grid : Grid
        Any grid.
    degree : int
        Of the polynomial, 1 to 4; 1 for none.

    Returns
    -------
    Grid
        Least squares over all modules.
    """
    rows, columns = grid.shape
    modules = centres(grid.shape)
    pixels = grid.to_pixels(modules)
    design: Points = np.column_stack((modules, np.ones(len(modules))))
    solution = np.linalg.lstsq(design, pixels, rcond=None)[0]
    affine = np.vstack((solution.T, [0.0, 0.0, 1.0]))
    straight = Grid((rows, columns), affine, np.zeros((1, 2)))
    if degree < 2:
        return straight
    off = (pixels - solution[2]) @ np.linalg.inv(solution[:2]) - modules
    basis = polynomials(grid.scaled(modules), degree)
    return straight.bent(np.linalg.lstsq(basis, off, rcond=None)[0])


def straight_part(shape: tuple[int, int], degree: int) -> NDArray[np.float64]:
    """Return how the nearest straight lattice moves with each term of a bend.

    Parameters
    ----------
    shape : tuple of int
        Modules, rows and columns.
    degree : int
        Of the bend.

    Returns
    -------
    (2, terms) float array
        Change of the displacement from row to row and from column to column, in modules.
    """
    modules = centres(shape)
    basis = polynomials(2 * modules / np.array(shape, dtype=float) - 1, degree)
    design = np.column_stack((modules, np.ones(len(modules))))
    return np.asarray(np.linalg.lstsq(design, basis, rcond=None)[0][:2])


def centres(shape: tuple[int, int]) -> Points:
    """Return the centres of all modules, row by row, ``(n, 2)`` in modules."""
    return np.asarray(np.indices(shape, dtype=np.float64).reshape(2, -1).T + 0.5)
