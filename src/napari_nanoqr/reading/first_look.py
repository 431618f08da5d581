"""A symbol before anything is learned: what surrounds it, and the levels of large areas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse import Pulse, inner, neighbours
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import CELLS, MARGIN


def padded(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return signs of modules, ``(rows, columns)``, with a quiet zone around them."""
    return np.pad(signs, MARGIN, constant_values=1.0)


def set_surround(cells: NDArray[np.float32], signs: NDArray[np.float64], pulse: Pulse) -> None:
    """Set the margin's modules to what the image shows there, one value for each side, in place.

    A symbol without a quiet zone may stand on a dark ground, or beside something else.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values, the margin included.
    signs : (rows, columns) float array
        Expectation of each module, -1 to 1; the margin's are set.
    pulse : Pulse
        What a module does to the cells.
    """
    if pulse.amplitude == 0:
        return
    seen = (cells - pulse.expected(signs)).mean(axis=(0, 1)) / pulse.amplitude + signs
    for _ in range(4):
        # the four sides in turn; each corner follows the side that comes later
        for ring in range(MARGIN):
            # untouched film around the symbol can be brighter than light modules between dark
            value = np.median(seen[ring, MARGIN:-MARGIN])
            signs[ring, :] = np.clip(value, -3, 3)
        seen, signs = np.rot90(seen), np.rot90(signs)


def rough_pulse(cells: NDArray[np.float32], signs: NDArray[np.float64]) -> Pulse:
    """Return the levels of large areas, from modules whose neighbours in the symbol are known.

    Without the margin, about which nothing is known yet.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values, the margin included.
    signs : (rows, columns) float array
        -1 and 1 where modules are known, 0 elsewhere.

    Returns
    -------
    Pulse
        The same in all cells of a module, and a little of it in those of its neighbours.
    """
    inside = inner(signs)
    around = neighbours(inside, 1)[:, :, 1:-1, 1:-1]
    use = (around != 0).all(axis=(0, 1))
    own, others = around[1, 1][use], around.sum(axis=(0, 1))[use] - around[1, 1][use]
    design = np.stack((np.ones_like(own), own, others / 8), axis=1)
    seen = inner(cells.mean(axis=(0, 1)))[1:-1, 1:-1][use]
    offset, near, far = np.linalg.lstsq(design, seen, rcond=None)[0]
    taps = np.zeros((CELLS, CELLS, 2 * REACH + 1, 2 * REACH + 1))
    taps[:, :, 1:-1, 1:-1] = far / 8
    taps[:, :, REACH, REACH] = near
    return Pulse(taps, float(offset), 1.0)
