"""Tell from the data itself, block by block, how far the lattice of modules is displaced."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast, gaussian_taps
from napari_nanoqr.archive.seeing.lattice import Lattice

BLOCK = (8, 24)
"""Modules of a block along y and x. Drift bends an image along its slow axis, y: there phases are
taken so densely that they may change by 6 % of the pitch."""

_SMOOTH = 0.28
"""Standard deviation in modules of the Gaussian before squaring."""

_RADIUS = 3
"""Pixels on either side that it reaches."""

_BRIGHTEST = 6.0
"""Squares are cut at so many times their mean: no particle may outweigh what is regular."""


@dataclass(frozen=True)
class Phases:
    """How far the lattice is displaced, in blocks of an image.

    Attributes
    ----------
    block : tuple of int
        Pixels (y, x) of a block; the first one starts at pixel 0.
    lines : (rows, columns, 2) complex64 array
        Its angle is the phase of the lattice's rows and columns in the middle of each block, over
        that of the lattice as found; its magnitude, 0 to 1, how pure the line is.
    """

    block: tuple[int, int]
    lines: NDArray[np.complex64]


def block_phases(image: NDArray[np.number], lattice: Lattice) -> Phases:
    """Return the phase of the lattice in each block of an image.

    Parameters
    ----------
    image : (y, x) array
        With 2.3 to 8 pixels a module.
    lattice : Lattice
        As found in the same image; its pitches may be wrong by 5 % along y and 1.5 % along x in
        places.

    Returns
    -------
    Phases
        Where a module's middle lies, the phase of rows and columns is 0.
    """
    down, right = lattice.sizes
    block = tuple(
        max(8, round(length / max(1, round(length / (modules * size)))))
        for length, size, modules in zip(image.shape, (down, right), BLOCK, strict=True)
    )
    counts = tuple(length // size for length, size in zip(image.shape, block, strict=True))
    taps = np.stack([gaussian_taps(_SMOOTH * size, _RADIUS) for size in (down, right)])
    steps = np.array([max(1, round(0.45 * size)) for size in (down, right)])
    lines = np.zeros((*counts, 4), np.float32)
    places = np.arange(image.shape[1])
    waves = np.empty((4, image.shape[1]), np.float32)
    for axis in range(2):
        angle = 2 * math.pi * lattice.cycles[axis, 1] * places
        waves[2 * axis], waves[2 * axis + 1] = np.cos(angle), np.sin(angle)
    _demodulate(
        image, taps, steps, lattice.cycles[:, 0].copy(), waves, np.array(block), _BRIGHTEST, lines
    )
    return Phases((block[0], block[1]), lines.view(np.complex64))


def _demodulate(
    image: NDArray[np.number],
    taps: NDArray[np.float32],
    steps: NDArray[np.int64],
    down: NDArray[np.float64],
    waves: NDArray[np.float32],
    block: NDArray[np.int64],
    brightest: float,
    lines: NDArray[np.float32],
) -> None:
    """Square the band-passed image and correlate it with both lines, block by block."""
    width = image.shape[1]
    reach, rows = taps.shape[1] // 2, int(block[0])
    margin = int(steps[0])
    smooth = np.empty((rows + 2 * margin, width), np.float32)
    column, square = np.empty(width, np.float32), np.empty(width, np.float32)
    weights = np.ascontiguousarray(taps[:, reach:])
    limit = np.float32(np.inf)
    for place in range(lines.shape[0]):
        limit = _block_row(
            image, weights, steps, down, waves, block, brightest, limit, place, smooth, column,
            square, lines,
        )  # fmt: skip


@fast
def _smoothed_row(
    image: NDArray[np.number],
    y: int,
    weights: NDArray[np.float32],
    column: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write one row of the image, smoothed; the image's edge goes on outside."""
    height, width = image.shape
    last = height - 1
    y = min(max(y, 0), last)
    a = image[max(y - 3, 0)]
    b = image[max(y - 2, 0)]
    c = image[max(y - 1, 0)]
    d = image[y]
    e = image[min(y + 1, last)]
    f = image[min(y + 2, last)]
    g = image[min(y + 3, last)]
    w0, w1, w2, w3 = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3]
    for x in range(width):
        column[x] = (
            w0 * np.float32(d[x])
            + w1 * (np.float32(c[x]) + np.float32(e[x]))
            + w2 * (np.float32(b[x]) + np.float32(f[x]))
            + w3 * (np.float32(a[x]) + np.float32(g[x]))
        )
    w0, w1, w2, w3 = weights[1, 0], weights[1, 1], weights[1, 2], weights[1, 3]
    # parts instead of x - 3: an index that might be negative keeps compilers from vectors
    inner = out[3 : width - 3]
    p, q, r = column[: width - 6], column[1 : width - 5], column[2 : width - 4]
    s = column[3 : width - 3]
    t, u, v = column[4 : width - 2], column[5 : width - 1], column[6:width]
    for x in range(width - 6):
        inner[x] = w0 * s[x] + w1 * (r[x] + t[x]) + w2 * (q[x] + u[x]) + w3 * (p[x] + v[x])
    out[:3] = out[3]
    out[width - 3 :] = out[width - 4]


@fast
def _block_row(
    image: NDArray[np.number],
    weights: NDArray[np.float32],
    steps: NDArray[np.int64],
    down: NDArray[np.float64],
    waves: NDArray[np.float32],
    block: NDArray[np.int64],
    brightest: float,
    limit: np.float32,
    place: int,
    smooth: NDArray[np.float32],
    column: NDArray[np.float32],
    square: NDArray[np.float32],
    lines: NDArray[np.float32],
) -> np.float32:
    """Fill one row of blocks; returns where squares are cut in the next."""
    width = image.shape[1]
    rows, columns = block
    dy, dx = steps
    start = place * rows
    for y in range(rows + 2 * dy):
        _smoothed_row(image, start + y - dy, weights, column, smooth[y])
    total = 0.0
    weight = np.zeros(lines.shape[1], np.float32)
    for y in range(rows):
        inside = width - 2 * dx
        above, here = smooth[y, dx : dx + inside], smooth[y + dy, dx : dx + inside]
        below = smooth[y + 2 * dy, dx : dx + inside]
        left, right = smooth[y + dy, :inside], smooth[y + dy, 2 * dx : 2 * dx + inside]
        inner = square[dx : dx + inside]
        for x in range(inside):
            value = np.float32(4) * here[x] - above[x] - below[x] - left[x] - right[x]
            inner[x] = min(value * value, limit)
        square[:dx] = 0
        square[width - dx :] = 0
        turns0 = 2 * np.pi * down[0] * (start + y)
        turns1 = 2 * np.pi * down[1] * (start + y)
        c0, s0 = np.float32(np.cos(turns0)), np.float32(np.sin(turns0))
        c1, s1 = np.float32(np.cos(turns1)), np.float32(np.sin(turns1))
        for k in range(lines.shape[1]):
            x0 = k * columns
            p0 = p1 = p2 = p3 = p4 = np.float32(0)
            own = square[x0 : x0 + columns]
            wave0, wave1 = waves[0, x0 : x0 + columns], waves[1, x0 : x0 + columns]
            wave2, wave3 = waves[2, x0 : x0 + columns], waves[3, x0 : x0 + columns]
            for x in range(columns):
                value = own[x]
                p0 += value * wave0[x]
                p1 += value * wave1[x]
                p2 += value * wave2[x]
                p3 += value * wave3[x]
                p4 += value
            # conjugate of the wave: cos - i sin
            lines[place, k, 0] += p0 * c0 - p1 * s0
            lines[place, k, 1] -= p1 * c0 + p0 * s0
            lines[place, k, 2] += p2 * c1 - p3 * s1
            lines[place, k, 3] -= p3 * c1 + p2 * s1
            weight[k] += p4
    for k in range(lines.shape[1]):
        total += weight[k]
        for part in range(4):
            lines[place, k, part] /= max(weight[k], np.float32(1e-20))
    return np.float32(brightest * total / (rows * width))
