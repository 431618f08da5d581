"""Move a grid to where all modules, as far as they are known by now, fit the image best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, polynomials
from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.subsample import CELLS, MARGIN, fine

_DEGREE = 3

_EXPECTED = np.array([0.1] + 2 * [0.08] + 3 * [0.05] + 4 * [0.03])
"""How far off a grid is beforehand, in modules at the symbol's edge, by polynomial term.

Registration by function patterns errs by about a tenth of a module; bends of higher degree
are weaker in all scans.
"""


def settled(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    variance: float,
    grid: Grid,
    contrast: NDArray[np.float64],
) -> Grid:
    """Return the grid after one step of Gauss and Newton, the most probable one.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values sampled with the grid, the margin included.
    pulse : Pulse
        What a module does to them.
    signs : (rows, columns) float array
        Expectation of each module, -1 to 1.
    variance : float
        Mean variance of the modules.
    grid : Grid
        The grid they were sampled with, off by no more than a few tenths of a module.
    contrast : (rows, columns) float array
        By how much less than usual modules show.

    Returns
    -------
    Grid
        Bent by a polynomial of degree 3, held back as far as the image does not call for it.
    """
    expected = pulse.expected(signs, contrast)
    picture = fine(expected).astype(float)
    down, across = np.gradient(picture, 1 / CELLS)
    slopes = np.stack((down, across))
    rows, columns = grid.shape
    by_module = (len(slopes), rows, CELLS, columns, CELLS)
    inside = np.s_[..., MARGIN * CELLS : -MARGIN * CELLS, MARGIN * CELLS : -MARGIN * CELLS]
    left = (fine(cells) - picture)[inside]
    left = (left - left.mean()).reshape(by_module[1:])
    slope = slopes[inside].reshape(by_module)
    # a bend hardly differs within a module
    indices = np.indices((rows, columns), dtype=np.float64)
    centres: NDArray[np.float64] = indices.transpose(1, 2, 0).reshape(-1, 2) + 0.5
    basis = polynomials(grid.scaled(centres), _DEGREE)
    weight = np.einsum("prcsd,qrcsd->pqrs", slope, slope).reshape(2, 2, -1)
    # normal equations by blocks: rows, columns, and both
    blocks = [[(basis * weight[p, q][:, None]).T @ basis for q in (0, 1)] for p in (0, 1)]
    right = (np.einsum("prcsd,rcsd->prs", slope, left).reshape(2, -1) @ basis).ravel()
    # edges that are not decided yet would hold the grid as well
    single = np.gradient(np.pad(pulse.picture, 1), 1 / CELLS)
    for block, one in zip((blocks[0][0], blocks[1][1]), single, strict=True):
        block += variance * float((one**2).sum()) * (basis.T @ basis)
    held = np.tile(pulse.noise / _EXPECTED**2, 2)
    shift = np.linalg.solve(np.block(blocks) + np.diag(held), right)
    # cells show what is expected further on by the shift: go back by it
    return grid.bent(-shift.reshape(2, -1).T)
