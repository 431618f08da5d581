"""One value a module, where a mesh says that it lies."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast, gaussian_taps
from napari_nanoqr.archive.seeing.mesh import STEP, Mesh

WIDTH = 0.43
"""Standard deviation in modules of the Gaussian that modules are sampled with: for all that a
linear equaliser makes of the values, the best for blurs of 0.3 to 0.5 modules."""

RADIUS = 5
"""Pixels on either side that make a smoothed pixel."""

_SPLINE = 0.25
"""Variance in square pixels that quadratic B-splines add between pixels, the same everywhere."""


def smooth_pixels(
    image: NDArray[np.number], sizes: tuple[float, float], width: float = WIDTH
) -> NDArray[np.uint16]:
    """Smooth an image, so that few of its pixels tell a module's value.

    Parameters
    ----------
    image : (y, x) array
        With 2.3 to 8 pixels a module.
    sizes : (float, float)
        Pixels a module along y and x.
    width : float
        Standard deviation in modules that modules are to be sampled with.

    Returns
    -------
    (y, x) uint16 array
        Gaussian means on a scale of its own, which takes twice the memory of 8-bit grey values.
    """
    sigmas = [math.sqrt(max((size * width) ** 2 - _SPLINE, 0.1)) for size in sizes]
    taps = np.stack([gaussian_taps(sigma, RADIUS)[RADIUS:] for sigma in sigmas])
    low, high = float(image.min()), float(image.max())
    taps[0] *= np.float32(65535 / max(high - low, 1e-30))
    out = np.empty(image.shape, np.uint16)
    if min(image.shape) > 2 * RADIUS:
        _smooth(image, taps, np.float32(low), out)
    return out


def sampled(smooth: NDArray[np.uint16], mesh: Mesh) -> NDArray[np.float32]:
    """Return one value a module.

    Parameters
    ----------
    smooth : (y, x) uint16 array
        As :func:`smooth_pixels` returns.
    mesh : Mesh
        Where the modules lie.

    Returns
    -------
    (rows, columns) float32 array
        Gaussian means; not a number where the image does not show the module.
    """
    out = np.empty(mesh.shape, np.float32)
    _sample(smooth, mesh.nodes, out)
    return out


@fast
def _smooth(
    image: NDArray[np.number],
    taps: NDArray[np.float32],
    low: np.float32,
    out: NDArray[np.uint16],
) -> None:
    """Weigh 11 pixels below each other, then 11 side by side; the edge goes on outside."""
    height, width = image.shape
    last = height - 1
    column = np.empty(width + 10, np.float32)
    p0, p1, p2, p3, p4, p5 = taps[0]
    q0, q1, q2, q3, q4, q5 = taps[1]
    # parts of the row instead of x - 5: an index that might be negative keeps from vectors
    c0, c1, c2, c3 = column[:width], column[1:], column[2:], column[3:]
    c4, c5, c6, c7 = column[4:], column[5:], column[6:], column[7:]
    c8, c9, c10 = column[8:], column[9:], column[10:]
    offset = low * (p0 + 2 * (p1 + p2 + p3 + p4 + p5)) - np.float32(0.5)
    for y in range(height):
        m = image[y]
        a1, b1 = image[max(y - 1, 0)], image[min(y + 1, last)]
        a2, b2 = image[max(y - 2, 0)], image[min(y + 2, last)]
        a3, b3 = image[max(y - 3, 0)], image[min(y + 3, last)]
        a4, b4 = image[max(y - 4, 0)], image[min(y + 4, last)]
        a5, b5 = image[max(y - 5, 0)], image[min(y + 5, last)]
        for x in range(width):
            c5[x] = (
                p0 * np.float32(m[x])
                + p1 * (np.float32(a1[x]) + np.float32(b1[x]))
                + p2 * (np.float32(a2[x]) + np.float32(b2[x]))
                + p3 * (np.float32(a3[x]) + np.float32(b3[x]))
                + p4 * (np.float32(a4[x]) + np.float32(b4[x]))
                + p5 * (np.float32(a5[x]) + np.float32(b5[x]))
                - offset
            )
        for x in range(5):
            column[x] = column[5]
            column[width + 5 + x] = column[width + 4]
        line = out[y]
        for x in range(width):
            value = (
                q0 * c5[x]
                + q1 * (c4[x] + c6[x])
                + q2 * (c3[x] + c7[x])
                + q3 * (c2[x] + c8[x])
                + q4 * (c1[x] + c9[x])
                + q5 * (c0[x] + c10[x])
            )
            line[x] = np.uint16(np.int32(min(max(value, np.float32(0)), np.float32(65535))))


@fast
def _sample(
    image: NDArray[np.uint16], nodes: NDArray[np.float64], out: NDArray[np.float32]
) -> None:
    height, width = image.shape
    half, flat = np.float32(0.5), np.float32(0.75)
    one, two = np.uint64(1), np.uint64(2)
    for i in range(out.shape[0]):
        a = i // 32
        part = (i - 32 * a) / 32
        for b in range(nodes.shape[1] - 1):
            y = nodes[a, b, 0] * (1 - part) + nodes[a + 1, b, 0] * part
            x = nodes[a, b, 1] * (1 - part) + nodes[a + 1, b, 1] * part
            dy = (nodes[a, b + 1, 0] * (1 - part) + nodes[a + 1, b + 1, 0] * part - y) / 32
            dx = (nodes[a, b + 1, 1] * (1 - part) + nodes[a + 1, b + 1, 1] * part - x) / 32
            line = out[i, 32 * b : 32 * b + 32]
            for j in range(32):
                py, px = y + j * dy, x + j * dx
                if not (1.5 <= py < height - 2.5 and 1.5 <= px < width - 2.5):
                    line[j] = np.nan
                    continue
                # nearest pixel; unsigned, since an index that might be negative costs time
                t, s = np.uint64(py + 0.5), np.uint64(px + 0.5)
                v, u = np.float32(py - t), np.float32(px - s)
                u0, u1, u2 = half * (half - u) ** 2, flat - u * u, half * (half + u) ** 2
                v0, v1, v2 = half * (half - v) ** 2, flat - v * v, half * (half + v) ** 2
                t -= one
                s -= one
                line[j] = (
                    v0 * (u0 * image[t, s] + u1 * image[t, s + one] + u2 * image[t, s + two])
                    + v1
                    * (
                        u0 * image[t + one, s]
                        + u1 * image[t + one, s + one]
                        + u2 * image[t + one, s + two]
                    )
                    + v2
                    * (
                        u0 * image[t + two, s]
                        + u1 * image[t + two, s + one]
                        + u2 * image[t + two, s + two]
                    )
                )


assert STEP == 32, "the compiled loop has the number written out"
