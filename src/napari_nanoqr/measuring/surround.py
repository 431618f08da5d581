"""What lies around a symbol: a light quiet zone, or film that is as dark as the dark modules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.subsample import sample_modules

AROUND = 3
"""Modules around a symbol that count for how its edges look."""


def surrounded(
    image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return a symbol's modules with what lies around it.

    Where the light modules were milled and no quiet zone was, the untouched film around the symbol
    looks as its dark modules do, and the outermost edges are not where a quiet zone would put them.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is, to a fifth of a module.
    modules : (rows, columns) bool array
        What is written, True = dark.

    Returns
    -------
    (rows + 6, columns + 6) bool array
        Each of the four sides is as dark as the mean of what is seen next to the symbol there.
        Outside of the image all is light.
    """
    shift = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    rows, columns = modules.shape
    wider = Grid((rows + 2, columns + 2), grid.perspective @ shift, np.zeros((1, 2)))
    values = sample_modules(image, wider)
    centres = np.indices(values.shape, dtype=float).transpose(1, 2, 0) + 0.5
    at = wider.to_pixels(centres)
    there = ((at >= 0) & (at <= np.array(image.shape) - 1.0)).all(axis=-1)
    inside = values[1:-1, 1:-1]
    light, dark = float(inside[~modules].mean()), float(inside[modules].mean())
    result = np.pad(modules, AROUND)
    for axis, first in ((0, True), (0, False), (1, True), (1, False)):
        ring = np.take(values, 0 if first else -1, axis)[1:-1]
        seen = ring[np.take(there, 0 if first else -1, axis)[1:-1]]
        if len(seen) and abs(seen.mean() - dark) < abs(seen.mean() - light):
            side = slice(0, AROUND) if first else slice(-AROUND, None)
            result[(side, slice(None)) if axis == 0 else (slice(None), side)] = True
    return result
