"""Take the brightness and the contrast of its surroundings out of each module's value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast

BLOCK = 32
"""Modules on a side of the blocks whose mean and spread are taken; the scrambler makes both
levels as frequent in each."""

_FAR = 2.2
"""Values farther from the mean of a block than so many standard deviations are left out of both:
what is so far off is a scratch or a particle, if it is no more than 17 % of the block."""

TRIMMED = 3
"""Times that means are taken, first of all values."""

MOST = 3.0
"""What a level is cut to, lest a glaring line outweigh all modules around it."""


def block_sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how many modules of each block are seen, their sum and the sum of their squares.

    Parameters
    ----------
    values : (rows, columns) float32 array
        Multiples of 32 of both; not a number where a module is not seen.

    Returns
    -------
    (rows / 32, columns / 32, 3) float32 array
        Counts, sums, sums of squares, without the few values that are far from all others.
    """
    shape = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    sums = np.zeros((*shape, 3), np.float32)
    middle, reach = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    for _ in range(TRIMMED):
        _sums(values, middle, reach, sums)
        count = np.maximum(sums[..., 0], 1)
        middle = sums[..., 1] / count
        reach = _FAR * np.sqrt(np.maximum(sums[..., 2] / count - middle**2, 1e-9))
    return sums


def levelled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values less the mean of their surroundings, in units of their spread.

    Parameters
    ----------
    values : (rows, columns) float32 array
        Multiples of 32 of both; not a number where a module is not seen.

    Returns
    -------
    (rows, columns) float32 array
        0 where a module is not seen.
    """
    sums = block_sums(values)
    own = np.maximum(sums[..., 0], 1)
    power = sums[..., 2] / own - (sums[..., 1] / own) ** 2
    full = power[sums[..., 0] > BLOCK**2 / 2]
    if len(full):
        # what surrounds a tile, without a pattern, has no part in the mean of its edge
        share = np.clip((power / max(float(np.median(full)), 1e-9) - 0.2) / 0.3, 1e-4, 1)
        sums *= share[..., None].astype(np.float32)
    # three by three blocks, the middle one most: 1024 modules make a mean good to 3 %
    padded = np.pad(sums, ((1, 1), (1, 1), (0, 0)))
    wide = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    wide = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    count = np.maximum(wide[..., 0], 1e-3)
    mean = wide[..., 1] / count
    spread = np.sqrt(np.maximum(wide[..., 2] / count - mean**2, 0))
    least = 0.05 * float(np.median(spread[wide[..., 0] > 500])) if (count > 500).any() else 1.0
    scale = np.where(spread > max(least, 1e-6), 1 / np.maximum(spread, 1e-6), 0)
    out = np.empty_like(values)
    _apply(values, mean.astype(np.float32), scale.astype(np.float32), out)
    return out


@fast
def _sums(
    values: NDArray[np.float32],
    middle: NDArray[np.float32],
    reach: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    sums[:] = 0
    for i in range(values.shape[0]):
        a = i // 32
        for b in range(sums.shape[1]):
            count = total = squares = np.float32(0)
            mean, far = middle[a, b], reach[a, b]
            for j in range(32 * b, 32 * b + 32):
                value = values[i, j]
                seen = abs(value - mean) <= far
                value = value if seen else np.float32(0)
                count += np.float32(seen)
                total += value
                squares += value * value
            sums[a, b, 0] += count
            sums[a, b, 1] += total
            sums[a, b, 2] += squares


@fast
def _apply(
    values: NDArray[np.float32],
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Subtract and multiply what is between the middles of blocks, along straight lines."""
    rows, columns = mean.shape
    across = np.empty((2, columns), np.float32)
    for i in range(values.shape[0]):
        y = (i + 0.5) / 32 - 0.5
        a = min(max(int(np.floor(y)), 0), rows - 1)
        c = min(a + 1, rows - 1)
        part = np.float32(min(max(y - a, 0.0), 1.0))
        for b in range(columns):
            across[0, b] = mean[a, b] + part * (mean[c, b] - mean[a, b])
            across[1, b] = scale[a, b] + part * (scale[c, b] - scale[a, b])
        for half in range(2 * columns):
            b = (half + 1) // 2 - 1
            left, right = max(b, 0), min(b + 1, columns - 1)
            step0 = (across[0, right] - across[0, left]) / np.float32(32)
            step1 = (across[1, right] - across[1, left]) / np.float32(32)
            shift = np.float32(0.5 if half % 2 else 16.5)
            for k in range(16):
                value = values[i, 16 * half + k]
                place = np.float32(k) + shift
                level = (value - across[0, left] - step0 * place) * (
                    across[1, left] + step1 * place
                )
                level = min(max(level, np.float32(-3)), np.float32(3))
                out[i, 16 * half + k] = level if value == value else np.float32(0)


assert (BLOCK, MOST) == (32, 3), "the compiled loops have the numbers written out"
