"""Put whole turns to phases that are known up to them, and smooth them."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

_REACH = 3
"""Blocks around one that foretell its phase."""

_SLOPE = 0.02
"""How steep phases are before anything is known, as a standard deviation in turns a block: a
pitch that is wrong by 0.1 % does 0.03, drift more."""


def unwrapped(lines: NDArray[np.complex64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return phases in turns, without jumps, and how sure they are.

    Blocks are taken one after the other, the surest of those beside known ones first; each has
    the whole turns that bring it nearest to what a plane through the known ones around it tells.

    Parameters
    ----------
    lines : (rows, columns, 2) complex array
        As of :class:`~napari_nanoqr.archive.seeing.phases.Phases`.

    Returns
    -------
    turns : (rows, columns, 2) float32 array
        Their fractions are the angles of ``lines``.
    weight : (rows, columns) float32 array
        Proportional to one over the variance.
    """
    size = np.abs(lines)
    weight = np.minimum(size[..., 0], size[..., 1]) ** 2
    weight /= max(float(np.median(weight)), 1e-12)
    np.clip(weight, 1e-3, 4.0, out=weight)
    angles = (np.angle(lines) / (2 * np.pi)).astype(np.float32)
    turns = np.zeros_like(angles)
    _grow(angles, weight.astype(np.float32), turns, _REACH, 1 / _SLOPE**2 * 0.01)
    return turns, weight.astype(np.float32)


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


@compiled
def _plane(values, weight, known, y, x, reach, ridge, axis, centre, spread):  # type: ignore[no-untyped-def]
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
def _grow(angles, weight, turns, reach, ridge):  # type: ignore[no-untyped-def]
    rows, columns = weight.shape
    known = np.zeros((rows, columns), np.bool_)
    waiting = np.zeros((rows, columns), np.bool_)
    start = 0
    best = -1.0
    # the surest three by three
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for a in range(max(0, i - 1), min(rows, i + 2)):
                for b in range(max(0, j - 1), min(columns, j + 2)):
                    total += weight[a, b]
            if total > best:
                best = total
                start = i * columns + j
    queue = [(-1.0, start)]
    waiting.flat[start] = True
    while len(queue) > 0:
        _, place = heapq.heappop(queue)
        y, x = place // columns, place % columns
        for axis in range(2):
            told = _plane(turns, weight, known, y, x, reach, ridge, axis, 0.0, 0.0)
            turns[y, x, axis] = angles[y, x, axis] + np.round(told - angles[y, x, axis])
        known[y, x] = True
        for i in range(max(0, y - 1), min(rows, y + 2)):
            for j in range(max(0, x - 1), min(columns, x + 2)):
                if not waiting[i, j]:
                    waiting[i, j] = True
                    heapq.heappush(queue, (-np.float64(weight[i, j]), i * columns + j))


@compiled
def _smooth(turns, weight, reach, spreads, out):  # type: ignore[no-untyped-def]
    rows, columns = weight.shape
    known = np.ones((rows, columns), np.bool_)
    for y in range(rows):
        for x in range(columns):
            for axis in range(2):
                value = _plane(turns, weight, known, y, x, reach, 0.5, axis, 0.0, 0.0)
                for spread in spreads:
                    value = _plane(turns, weight, known, y, x, reach, 0.5, axis, value, spread)
                out[y, x, axis] = value
