"""Where the edges of modules come to lie in a predicted film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.placed import Placed
from napari_nanoqr.physics.milling import FilmState

REACH = 0.5
"""How far from its nominal place an edge is looked for, in modules."""

SAMPLES_PER_MODULE = 100


def edge_bias_nm(
    state: FilmState, placed: Sequence[Placed], along: float = 0.5
) -> NDArray[np.float64]:
    """Measure how far the edges of modules lie from their nominal places.

    Parameters
    ----------
    state : FilmState
        A predicted film, in cells well below the size of a module.
    placed : sequence of Placed
        Designs that were milled in it.
    along : float
        Where on its side each edge is measured, 0 to 1; 0.5 is the middle.

    Returns
    -------
    (n,) float64 array
        For every side between a milled and a kept module the distance in nm by which the milled
        one is too large there, negative where it is too small; nan where no edge was found. An
        edge is where half of the film is gone.
    """
    found = [_of_design(state, item, along, axis) for item in placed for axis in (0, 1)]
    return np.concatenate(found)


def _of_design(state: FilmState, item: Placed, along: float, axis: int) -> NDArray[np.float64]:
    """Edges between neighbours in a column (axis 0) or in a row (axis 1)."""
    from scipy.ndimage import map_coordinates

    pitch, grid = item.design.pitch_nm, state.grid
    milled = np.pad(item.design.milled, 1)
    modules = milled if axis == 1 else milled.T
    line, place = np.nonzero(modules[:, 1:] != modules[:, :-1])
    # outwards is away from the milled module of the two
    outwards = np.where(modules[line, place + 1], -1.0, 1.0)
    off = np.linspace(-REACH, REACH, SAMPLES_PER_MODULE + 1) * pitch
    across = (place[:, None] + 1) * pitch + outwards[:, None] * off
    beside = np.broadcast_to((line[:, None] + along) * pitch, across.shape)
    x, y = (across, beside) if axis == 1 else (beside, across)
    left, top = item.corner_nm
    rows = (y + top - pitch - grid.top_nm) / grid.cell_nm - 0.5
    columns = (x + left - pitch - grid.left_nm) / grid.cell_nm - 0.5
    depth = map_coordinates(state.depth_nm, [rows, columns], order=1)
    return _crossing(depth - state.film.thickness_nm / 2, off)


def _crossing(height: NDArray[np.float64], off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where rows of values fall through zero, nearest to the middle; nan where none."""
    falls = (height[:, :-1] > 0) & (height[:, 1:] <= 0)
    distance = np.where(falls, np.abs((off[:-1] + off[1:]) / 2), np.inf)
    at = np.argmin(distance, axis=1)
    row = np.arange(len(height))
    before, after = height[row, at], height[row, at + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = off[at] + before / (before - after) * (off[1] - off[0])
    return np.where(falls.any(axis=1), crossing, np.nan)
