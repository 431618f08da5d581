"""One value a module, where a mesh says that it lies."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.mesh import STEP, Mesh
from napari_nanoqr.codes.compiled import compiled

TAPS = 8
"""Pixels on a side that make the value of a module."""

FRACTIONS = 32
"""Places between pixels that weights are tabulated for."""

WIDTH = 0.45
"""Standard deviation in modules of the Gaussian that modules are sampled with."""


def tap_table(size: float, width: float = WIDTH) -> NDArray[np.float32]:
    """Return weights of the pixels around a place, for places between two pixels.

    Parameters
    ----------
    size : float
        Pixels a module along this axis.
    width : float
        Standard deviation in modules.

    Returns
    -------
    (33, 8) float32 array
        Row k for a place k / 32 pixels behind pixel 3 of the 8; each adds up to 1.
    """
    places = np.arange(TAPS) - (TAPS // 2 - 1) - np.arange(FRACTIONS + 1)[:, None] / FRACTIONS
    weights = np.exp(-0.5 * (places / (size * width)) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def sampled(
    image: NDArray[np.number], mesh: Mesh, sizes: tuple[float, float]
) -> NDArray[np.float32]:
    """Return one value a module.

    Parameters
    ----------
    image : (y, x) array
        With 2.3 to 8 pixels a module.
    mesh : Mesh
        Where the modules lie.
    sizes : (float, float)
        Pixels a module along y and x.

    Returns
    -------
    (rows, columns) float32 array
        Gaussian means; not a number where the image does not show the module.
    """
    out = np.empty(mesh.shape, np.float32)
    tables = np.stack([tap_table(size) for size in sizes])
    _sample(image, mesh.nodes, tables, out)
    return out


@partial(compiled, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _sample(image, nodes, tables, out):  # type: ignore[no-untyped-def]
    height, width = image.shape
    before = 3
    down, right = tables[0], tables[1]
    for i in range(out.shape[0]):
        a = i // 32
        part = (i - 32 * a) / 32
        for b in range(nodes.shape[1] - 1):
            y = nodes[a, b, 0] * (1 - part) + nodes[a + 1, b, 0] * part
            x = nodes[a, b, 1] * (1 - part) + nodes[a + 1, b, 1] * part
            dy = (nodes[a, b + 1, 0] * (1 - part) + nodes[a + 1, b + 1, 0] * part - y) / 32
            dx = (nodes[a, b + 1, 1] * (1 - part) + nodes[a + 1, b + 1, 1] * part - x) / 32
            for j in range(32):
                # int() of what is above 0 is its floor, and cheaper
                y0, x0 = int(y + 64) - 64, int(x + 64) - 64
                top, left = y0 - before, x0 - before
                if top < 0 or left < 0 or top + 8 > height or left + 8 > width:
                    out[i, 32 * b + j] = np.nan
                else:
                    wy = down[np.uint64((y - y0) * 32 + 0.5)]
                    wx = right[np.uint64((x - x0) * 32 + 0.5)]
                    # unsigned: an index that might be negative keeps compilers from vectors
                    first, start = np.uint64(top), np.uint64(left)
                    total = np.float32(0)
                    for k in range(8):
                        row = np.float32(0)
                        for m in range(8):
                            row += wx[m] * np.float32(
                                image[first + np.uint64(k), start + np.uint64(m)]
                            )
                        total += wy[k] * row
                    out[i, 32 * b + j] = total
                y += dy
                x += dx


assert STEP == 32, "the compiled loop has the number written out"
