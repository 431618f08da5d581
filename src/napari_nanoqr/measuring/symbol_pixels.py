"""The pixels that show a symbol."""

from __future__ import annotations

import numpy as np

from napari_nanoqr.measuring.inverse import to_modules
from napari_nanoqr.reading.grid import Grid, Points

MOST_PIXELS = 80_000
"""Of larger symbols about so many are looked at: uncertainties are far below any need."""

_TILE = 8
"""Modules a side of the tiles that are chosen for that."""

BEYOND = 0.4
"""Modules around the symbol that are looked at: its outer edges are there."""

_BAND = 400_000
"""Pixels that are looked through at a time, so that memory stays small."""


def pixels_of(shape: tuple[int, ...], grid: Grid, beyond: float = BEYOND) -> Points:
    """Return the pixels on a symbol and a little around it, row by row.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    grid : Grid
        Where the symbol is.
    beyond : float
        How far around, in modules.

    Returns
    -------
    (n, 2) float array
        y and x; of symbols with more than `MOST_PIXELS` those of some tiles, drawn at random.
    """
    rows, columns = grid.shape
    t = np.linspace(0, 1, 33)
    down, right = -beyond + (rows + 2 * beyond) * t, -beyond + (columns + 2 * beyond) * t
    rim = np.concatenate(
        [np.column_stack(pair) for pair in (
            (down, np.full_like(t, -beyond)), (down, np.full_like(t, columns + beyond)),
            (np.full_like(t, -beyond), right), (np.full_like(t, rows + beyond), right),
        )]
    )  # fmt: skip
    edge = grid.to_pixels(rim)
    low = np.maximum(np.floor(edge.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(edge.max(axis=0)).astype(int) + 1, shape[:2])
    if (high <= low).any():
        return np.empty((0, 2))
    tiles = -(-rows // _TILE), -(-columns // _TILE)
    share = MOST_PIXELS / (rows * columns * grid.pitch_px**2)
    chosen = np.random.default_rng(0).random(tiles) < share
    chosen[:: tiles[0] - 1 or 1, :: tiles[1] - 1 or 1] = True
    found = []
    step = max(1, _BAND // int(high[1] - low[1]))
    for top in range(low[0], high[0], step):
        bottom = min(top + step, int(high[0]))
        y, x = np.mgrid[top:bottom, low[1] : high[1]].reshape(2, -1)
        pixels = np.column_stack((y, x)).astype(np.float64)
        places = to_modules(grid, pixels)
        on = ((places > -beyond) & (places < np.array([rows, columns]) + beyond)).all(axis=1)
        at = np.floor(places[on] / _TILE).astype(np.intp).clip(0, np.array(tiles) - 1)
        found.append(pixels[on][chosen[at[:, 0], at[:, 1]]])
    return np.concatenate(found)
