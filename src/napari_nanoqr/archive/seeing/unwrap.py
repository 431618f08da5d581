"""Put whole turns to phases that are known up to them, and smooth them."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.phases import BLOCK
from napari_nanoqr.codes.compiled import compiled

_SLOPES = 32.0
"""Modules: standard deviation of the weights with which lines around a block tell how steep
phases are."""

_SUM = 20.0
"""Modules: the same for lines that are added up."""


def unwrapped(lines: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Return phases in turns, smooth and without jumps.

    How steep phases are is told by products of neighbouring lines, averaged around each block:
    for that no phase has to be known. So turned, the lines of the blocks around are in phase and
    add up. Then blocks are taken one after the other, the surest of those beside known ones
    first; each has the whole turns that bring it nearest to what its neighbours foretell.

    Parameters
    ----------
    lines : (rows, columns, 2) complex64 array
        As of :class:`~napari_nanoqr.archive.seeing.phases.Phases`. Phases may change by less than
        half a turn from block to block.

    Returns
    -------
    (rows, columns, 2) float32 array
        Turns.
    """
    turns = np.zeros(lines.shape, np.float32)
    for axis in range(2):
        one = np.ascontiguousarray(lines[..., axis])
        size = np.abs(one)
        # a few blocks with an edge or a particle may not outweigh all around them
        one *= np.minimum(1, 2 * float(np.median(size)) / np.maximum(size, 1e-12))
        down = _spread(one[1:] * one[:-1].conj(), _SLOPES)
        right = _spread(one[:, 1:] * one[:, :-1].conj(), _SLOPES)
        steep = [np.pad(np.angle(down), ((1, 1), (0, 0)), mode="edge"),
                 np.pad(np.angle(right), ((0, 0), (1, 1)), mode="edge").T]  # fmt: skip
        # between two blocks each; a block has the mean of both sides
        slopes = np.stack([(steep[0][1:] + steep[0][:-1]) / 2,
                           ((steep[1][1:] + steep[1][:-1]) / 2).T], -1)  # fmt: skip
        slopes = slopes / (2 * np.pi)
        added = np.zeros_like(one)
        reach = np.array([max(1, round(1.6 * _SUM / size)) for size in BLOCK])
        steepness = slopes.astype(np.float32)
        _add_up(one, steepness, reach, np.array(BLOCK) / _SUM, added)
        grown = np.zeros(one.shape, np.float32)
        _grow(added, steepness, grown)
        turns[..., axis] = grown
    return turns


def smoothed(
    turns: NDArray[np.float32],
    weight: NDArray[np.float32],
    reach: int = 2,
    spreads: tuple[float, float] = (0.8, 0.5),
) -> NDArray[np.float32]:
    """Return what planes through the blocks around each one tell.

    Parameters
    ----------
    turns : (rows, columns, 2) float32 array
        Values.
    weight : (rows, columns) float32 array
        One over their variance, up to a factor.
    reach : int
        Blocks on either side that are used.
    spreads : (float, float)
        Blocks so far off the plane are left out of it: first, and when it is fitted again.

    Returns
    -------
    (rows, columns, 2) float32 array
        The heights of the planes.
    """
    out = np.empty_like(turns)
    _smooth(turns, weight, reach, spreads, out)
    return out


def _spread(values: NDArray[np.complex64], modules: float) -> NDArray[np.complex64]:
    """Return Gaussian means, nothing being outside."""
    from scipy.ndimage import gaussian_filter1d

    for axis, size in enumerate(BLOCK):
        values = gaussian_filter1d(values, modules / size, axis=axis, mode="constant", truncate=2.0)
    return values


@fast
def _add_up(
    lines: NDArray[np.complex64],
    slopes: NDArray[np.float32],
    reach: NDArray[np.int64],
    scale: NDArray[np.float64],
    added: NDArray[np.complex64],
) -> None:
    """Add up the lines around each block, turned by what lies between.

    Half of what lies between two blocks is told by the slopes of each: it is turned by its own
    half, all for one pair of distances, then added to the other.
    """
    rows, columns = lines.shape
    steps = np.empty((2, rows, columns), np.complex64)
    for axis in range(2):
        for y in range(rows):
            for x in range(columns):
                angle = -np.float32(np.pi) * slopes[y, x, axis]
                steps[axis, y, x] = np.complex64(np.cos(angle) + 1j * np.sin(angle))
    down, turns = np.ones_like(lines), np.empty_like(lines)
    turned = np.empty_like(lines)
    for _ in range(reach[0]):
        down *= np.conj(steps[0])
    for b in range(-reach[0], reach[0] + 1):
        turns[:] = down
        for _ in range(reach[1]):
            turns *= np.conj(steps[1])
        for a in range(-reach[1], reach[1] + 1):
            weight = np.float32(np.exp(-0.5 * ((b * scale[0]) ** 2 + (a * scale[1]) ** 2)))
            left, right = max(0, -a), min(columns, columns - a)
            for y in range(rows):
                for x in range(columns):
                    turned[y, x] = weight * lines[y, x] * turns[y, x]
            for y in range(max(0, -b), min(rows, rows - b)):
                here, other = turned[y + b, left + a : right + a], turns[y, left:right]
                line = added[y, left:right]
                for x in range(right - left):
                    line[x] += here[x] * other[x]
            turns *= steps[1]
        down *= steps[0]


@compiled
def _grow(
    lines: NDArray[np.complex64],
    slopes: NDArray[np.float32],
    turns: NDArray[np.float32],
) -> None:
    rows, columns = lines.shape
    known = np.zeros((rows, columns), np.bool_)
    waiting = np.zeros((rows, columns), np.bool_)
    start = 0
    best = -1.0
    for y in range(rows):
        for x in range(columns):
            if abs(lines[y, x]) > best:
                best = abs(lines[y, x])
                start = y * columns + x
    queue = [(-1.0, start)]
    waiting.flat[start] = True
    while len(queue) > 0:
        _, place = heapq.heappop(queue)
        y, x = place // columns, place % columns
        told = weight = 0.0
        for i in range(max(0, y - 1), min(rows, y + 2)):
            for j in range(max(0, x - 1), min(columns, x + 2)):
                if known[i, j]:
                    b, a = y - i, x - j
                    share = abs(lines[i, j]) / (a * a + b * b)
                    weight += share
                    told += share * (
                        turns[i, j]
                        + b * (slopes[y, x, 0] + slopes[i, j, 0]) / 2
                        + a * (slopes[y, x, 1] + slopes[i, j, 1]) / 2
                    )
                elif not waiting[i, j]:
                    waiting[i, j] = True
                    heapq.heappush(queue, (-np.float64(abs(lines[i, j])), i * columns + j))
        angle = np.arctan2(lines[y, x].imag, lines[y, x].real) / (2 * np.pi)
        turns[y, x] = angle + (np.round(told / weight - angle) if weight > 0 else 0.0)
        known[y, x] = True


@compiled
def _plane(
    values: NDArray[np.float32],
    weight: NDArray[np.float32],
    known: NDArray[np.bool_],
    y: int,
    x: int,
    reach: int,
    ridge: float,
    axis: int,
    centre: float,
    spread: float,
) -> float:
    """Return the height at (y, x) of a plane through the known values around it."""
    rows, columns = weight.shape
    s = sy = sx = syy = sxx = syx = v = vy = vx = 0.0
    for i in range(max(0, y - reach), min(rows, y + reach + 1)):
        for j in range(max(0, x - reach), min(columns, x + reach + 1)):
            if not known[i, j]:
                continue
            b, a = i - y, j - x
            w = weight[i, j] / (1.0 + 0.3 * (a * a + b * b))
            if spread > 0:
                off = (values[i, j, axis] - centre) / spread
                if off * off >= 1:
                    continue
                w *= (1 - off * off) ** 2
            s += w
            sy += w * b
            sx += w * a
            syy += w * b * b
            sxx += w * a * a
            syx += w * b * a
            value = values[i, j, axis]
            v += w * value
            vy += w * b * value
            vx += w * a * value
    if s <= 0:
        return 0.0
    # slopes are held near 0 by the ridge, the height is free
    my, mx, mv = sy / s, sx / s, v / s
    cyy, cxx, cyx = syy - s * my * my + ridge, sxx - s * mx * mx + ridge, syx - s * my * mx
    cy, cx = vy - s * my * mv, vx - s * mx * mv
    det = cyy * cxx - cyx * cyx
    if det <= 1e-12:
        return mv
    by = (cxx * cy - cyx * cx) / det
    bx = (cyy * cx - cyx * cy) / det
    return mv - by * my - bx * mx


@compiled
def _smooth(
    turns: NDArray[np.float32],
    weight: NDArray[np.float32],
    reach: int,
    spreads: tuple[float, float],
    out: NDArray[np.float32],
) -> None:
    rows, columns = weight.shape
    known = np.ones((rows, columns), np.bool_)
    for y in range(rows):
        for x in range(columns):
            for axis in range(2):
                value = _plane(turns, weight, known, y, x, reach, 0.5, axis, 0.0, 0.0)
                for spread in spreads:
                    value = _plane(turns, weight, known, y, x, reach, 0.5, axis, value, spread)
                out[y, x, axis] = value
