"""Tell from the data itself, block by block, how far the lattice of modules is displaced."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.lattice import Lattice

BLOCK = (8, 24)
"""Modules of a block along y and x. Drift bends an image along its slow axis, y: there phases are
taken so densely that they may change by 6 % of the pitch."""

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


def block_phases(smooth: NDArray[np.uint16], lattice: Lattice) -> Phases:
    """Return the phase of the lattice in each block of an image.

    Parameters
    ----------
    smooth : (y, x) uint16 array
        As :func:`~napari_nanoqr.archive.seeing.smooth.smooth_pixels` returns: about what a matched
        filter makes of modules, so that noise is least. 2.3 to 8 pixels a module.
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
        for length, size, modules in zip(smooth.shape, (down, right), BLOCK, strict=True)
    )
    counts = tuple(length // size for length, size in zip(smooth.shape, block, strict=True))
    steps = np.array([max(1, round(0.5 * size)) for size in (down, right)])
    lines = np.zeros((*counts, 4), np.float32)
    places = np.arange(smooth.shape[1])
    waves = np.empty((4, smooth.shape[1]), np.float32)
    for axis in range(2):
        angle = 2 * math.pi * lattice.cycles[axis, 1] * places
        waves[2 * axis], waves[2 * axis + 1] = np.cos(angle), np.sin(angle)
    _demodulate(
        smooth, steps, lattice.cycles[:, 0].copy(), waves, np.array(block), _BRIGHTEST, lines
    )
    return Phases((block[0], block[1]), lines.view(np.complex64))


@fast
def _squares(
    smooth: NDArray[np.uint16],
    y: int,
    steps: NDArray[np.int64],
    limit: np.float32,
    square: NDArray[np.float32],
) -> None:
    """Square how much the pixels of a row differ from those around them, half a module off."""
    height, width = smooth.shape
    down, right = steps
    inside = width - 2 * right
    upper, middle, lower = smooth[max(y - down, 0)], smooth[y], smooth[min(y + down, height - 1)]
    above, below = upper[right : right + inside], lower[right : right + inside]
    before, behind = middle[:inside], middle[2 * right : 2 * right + inside]
    here, inner = middle[right : right + inside], square[right : right + inside]
    for x in range(inside):
        around = np.int32(above[x]) + np.int32(below[x]) + np.int32(before[x]) + np.int32(behind[x])
        value = np.float32(np.int32(4) * np.int32(here[x]) - around)
        inner[x] = min(value * value, limit)


@fast
def _demodulate(
    smooth: NDArray[np.uint16],
    steps: NDArray[np.int64],
    down: NDArray[np.float64],
    waves: NDArray[np.float32],
    block: NDArray[np.int64],
    brightest: float,
    lines: NDArray[np.float32],
) -> None:
    """Square the band-passed image and correlate it with both lines, block by block."""
    width = smooth.shape[1]
    rows, columns = block
    square = np.zeros(width, np.float32)
    weight = np.zeros(lines.shape[1], np.float32)
    limit = np.float32(np.inf)
    for place in range(lines.shape[0]):
        weight[:] = 0
        for y in range(place * rows, place * rows + rows):
            _squares(smooth, y, steps, limit, square)
            turns0, turns1 = 2 * np.pi * down[0] * y, 2 * np.pi * down[1] * y
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
        total = 0.0
        for k in range(lines.shape[1]):
            total += weight[k]
            for part in range(4):
                lines[place, k, part] /= max(weight[k], np.float32(1e-20))
        # a charge may grow along an image: the rows before tell what is bright
        limit = np.float32(brightest * max(total, 1e-9) / (rows * width))
