"""Marks of square cells, to find and to keep a place by.

Crosses and a corner tell where a field is and which way up. Drift is corrected by images of a
mark, so that mark is drawn to be told from itself moved: a modified uniformly redundant array
(Gottesman and Fenimore, Applied Optics 28, 4344, 1989), whose correlation has one sharp peak.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 13
"""Cells along each mark; a prime number, as the array needs."""


def cross() -> NDArray[np.bool_]:
    """Return an upright cross, ``(13, 13)``, True where it is milled."""
    cells = np.zeros((SIDE, SIDE), dtype=np.bool_)
    cells[SIDE // 2] = cells[:, SIDE // 2] = True
    return cells


def corner() -> NDArray[np.bool_]:
    """Return an L turned about the top left corner, ``(13, 13)``, with arms 3 cells wide."""
    cells = np.zeros((SIDE, SIDE), dtype=np.bool_)
    cells[:3] = cells[:, :3] = True
    return cells


def drift_mark() -> NDArray[np.bool_]:
    """Return a mark that images of it are aligned by, ``(13, 13)``; half of it is milled."""
    residues = {n * n % SIDE for n in range(1, SIDE)}
    sign = np.array([1 if n in residues else -1 for n in range(SIDE)])
    cells = np.asarray(sign[:, None] * sign > 0)
    cells[:, 0] = True
    cells[0] = False
    return cells
