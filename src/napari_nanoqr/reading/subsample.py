"""Grey values of modules: the image under a grid, before anything is decided."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.interpolation import weighted_means

CELLS = 3
"""Cells a module and axis: finer ones tell no more, the image is soft within a third."""

MARGIN = 3
"""Modules sampled around the symbol on every side."""

_STEP_PX = 0.8
"""Points lie this close, so that all pixels count alike: at 1.4 a tenth of the dose was lost."""

_MOST_POINTS = 12
"""Points a cell and axis, so that very large modules take no longer than large ones."""


def sample_cells(image: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """Return the mean grey value of each ninth of a module.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is.

    Returns
    -------
    (3, 3, rows + 6, columns + 6) float32 array
        First the cell within the module (row, column), then the module, with a margin of three
        modules around the symbol; outside of the image its edge goes on.
    """
    rows, columns = grid.shape
    count = int(np.clip(np.ceil(grid.pitch_px / CELLS / _STEP_PX), 1, _MOST_POINTS))
    offsets = (np.arange(CELLS * count) + 0.5) / (CELLS * count) - 0.5
    centres: Points = (
        np.indices((rows + 2 * MARGIN, columns + 2 * MARGIN), dtype=float).transpose(1, 2, 0)
        + 0.5
        - MARGIN
    )
    # within one module the grid is straight
    middle = grid.to_pixels(centres)
    down = grid.to_pixels(centres + np.array([0.25, 0.0])) - middle
    right = grid.to_pixels(centres + np.array([0.0, 0.25])) - middle
    weights = np.repeat(np.eye(CELLS) / count, count, axis=1)
    return weighted_means(image, middle, down, right, 4 * offsets, weights)


def sample_modules(
    image: NDArray[np.float32], grid: Grid, sigma: float = 0.35
) -> NDArray[np.float32]:
    """Return a symbol's grey values, one a module, weighted by a Gaussian around its centre.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is.
    sigma : float
        Width of the Gaussian in modules.

    Returns
    -------
    (rows, columns) float32 array
        Grey values.
    """
    rows, columns = grid.shape
    # a point every other pixel: interpolation lets the pixels between them count too
    count = int(np.clip(np.ceil(grid.pitch_px * 4 * sigma / 1.8), 3, 11))
    offsets = np.linspace(-2 * sigma, 2 * sigma, count)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    centres: Points = np.indices((rows, columns), dtype=float).transpose(1, 2, 0) + 0.5
    # within one module the grid is straight
    middle = grid.to_pixels(centres)
    down = grid.to_pixels(centres + np.array([sigma, 0.0])) - middle
    right = grid.to_pixels(centres + np.array([0.0, sigma])) - middle
    means = weighted_means(image, middle, down, right, offsets / sigma, weights[None])
    return np.asarray(means[0, 0])


def fine(cells: NDArray[Any]) -> NDArray[Any]:
    """Return cells as a picture of three rows and columns a module.

    Parameters
    ----------
    cells : (3, 3, rows, columns) array
        One value a cell.

    Returns
    -------
    (3 rows, 3 columns) array
        The same values.
    """
    _, _, rows, columns = cells.shape
    return cells.transpose(2, 0, 3, 1).reshape(CELLS * rows, CELLS * columns)
