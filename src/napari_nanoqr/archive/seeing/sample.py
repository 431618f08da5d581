"""One value a module, where a mesh says that it lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.mesh import STEP, Mesh


def sampled(
    smooth: NDArray[np.uint16],
    mesh: Mesh,
    values: NDArray[np.float32] | None = None,
    blocks: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Return one value a module.

    Parameters
    ----------
    smooth : (y, x) uint16 array
        As :func:`~napari_nanoqr.archive.seeing.smooth.smooth_pixels` returns.
    mesh : Mesh
        Where the modules lie.
    values : (rows, columns) float32 array or None
        What is known from before; it is changed.
    blocks : (rows / 32, columns / 32) bool array or None
        Those to be sampled, with 32 x 32 modules each; None for all.

    Returns
    -------
    (rows, columns) float32 array
        Gaussian means; not a number where the image does not show the module.
    """
    if values is None:
        values = np.empty(mesh.shape, np.float32)
    if blocks is None:
        blocks = np.ones((mesh.nodes.shape[0] - 1, mesh.nodes.shape[1] - 1), np.bool_)
    if min(smooth.shape) > 1:
        _sample(smooth, mesh.nodes, blocks, values)
    else:
        values[:] = np.nan
    return values


@fast
def _touched(image: NDArray[np.uint16], corners: NDArray[np.float64]) -> int:
    """Ask for the pixels around four corners.

    Memory brings many of them together in the time of one, but one after the other while each is
    waited for. What is returned only keeps compilers from leaving this out.
    """
    height, width = image.shape
    top, bottom = max(int(corners[..., 0].min()), 0), min(int(corners[..., 0].max()) + 2, height)
    left, right = max(int(corners[..., 1].min()), 0), min(int(corners[..., 1].max()) + 2, width)
    total = 0
    for y in range(top, bottom):
        for x in range(left, right, 32):
            total += image[y, x]
    return total


@fast
def _sample(
    image: NDArray[np.uint16],
    nodes: NDArray[np.float64],
    blocks: NDArray[np.bool_],
    out: NDArray[np.float32],
) -> int:
    """Fill in 32 modules at a time: places first, then pixels, then means, as vectors can.

    Only in the middle step every module is on its own.
    """
    height, width = image.shape
    flat = image.reshape(-1)
    across, one = np.uint64(width), np.uint64(1)
    index = np.empty(32, np.int64)
    down, right = np.empty(32, np.float32), np.empty(32, np.float32)
    upper, lower = np.empty((2, 32), np.uint16), np.empty((2, 32), np.uint16)
    u0, u1, l0, l1 = upper[0], upper[1], lower[0], lower[1]
    total = 0
    for place in range(blocks.size):
        a, b = place // blocks.shape[1], place % blocks.shape[1]
        if not blocks[a, b]:
            continue
        corners = nodes[a : a + 2, b : b + 2]
        if not np.abs(corners).max() < 1e6:
            out[32 * a : 32 * a + 32, 32 * b : 32 * b + 32] = np.nan
            continue
        total += _touched(image, corners)
        for i in range(32):
            line = out[32 * a + i, 32 * b : 32 * b + 32]
            part = i / 32
            y = corners[0, 0, 0] * (1 - part) + corners[1, 0, 0] * part
            x = corners[0, 0, 1] * (1 - part) + corners[1, 0, 1] * part
            dy = (corners[0, 1, 0] * (1 - part) + corners[1, 1, 0] * part - y) / 32
            dx = (corners[0, 1, 1] * (1 - part) + corners[1, 1, 1] * part - x) / 32
            # from a whole pixel on: fractions are exact enough in 32 bits
            top, left = int(np.floor(y)), int(np.floor(x))
            first_y, first_x = np.float32(y - top), np.float32(x - left)
            step_y, step_x = np.float32(dy), np.float32(dx)
            for j in range(32):
                py, px = first_y + np.float32(j) * step_y, first_x + np.float32(j) * step_x
                fy, fx = np.floor(py), np.floor(px)
                t, s = top + int(fy), left + int(fx)
                seen = (t >= 0) & (t < height - 1) & (s >= 0) & (s < width - 1)
                down[j] = py - fy if seen else np.float32(np.nan)
                right[j] = px - fx
                index[j] = t * width + s if seen else 0
            for j in range(32):
                k = np.uint64(index[j])
                u0[j], u1[j] = flat[k], flat[k + one]
                l0[j], l1[j] = flat[k + across], flat[k + across + one]
            for j in range(32):
                p, q = np.float32(u0[j]), np.float32(l0[j])
                p += right[j] * (np.float32(u1[j]) - p)
                q += right[j] * (np.float32(l1[j]) - q)
                line[j] = p + down[j] * (q - p)
    return total


assert STEP == 32, "the compiled loop has the number written out"
