"""Tell how likely each level of a module is, from how all values around it are spread."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.codes.compiled import compiled

BINS = 256
"""Bins that values are counted in."""

RANGE = 3.0
"""Values from -3 to 3 are told apart; the extreme levels lie at about -1 and 1."""

BLOCK = 32
"""Modules on a side of the blocks whose noise is estimated."""

STRANGE = 0.004
"""Share of modules whose value says nothing, since something lies on them. An assumption; it
bounds what a single value may claim."""

UNSEEN = 10.0
"""The standard deviation where there are too few values to tell."""

_ROUNDS = 6
"""Steps of the estimation; from a start as good as ours it stands still after four."""


def counted(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Count the values of each block, and with them those of the blocks around it.

    Parameters
    ----------
    values : (512, 512) float32 array
        Values; exactly 0 where a module is not seen.

    Returns
    -------
    (16, 16, 64) float32 array
        Counts in 64 bins from -3 to 3; values outside are left out. The block itself counts
        four times, those beside it twice, those at its corners once. Every other row is enough.
    """
    rows, columns = (length // BLOCK for length in values.shape)
    counts = np.zeros((rows + 2, columns + 2, BINS // 4), np.float32)
    _count(values, counts)
    wide = counts[:-2] + 2 * counts[1:-1] + counts[2:]
    around: NDArray[np.float32] = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return around


def fitted(
    counts: NDArray[np.float32], means: NDArray[np.float64], sigma: float, move: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit Gaussians of equal weight and width to counts, by expectation and maximisation.

    Parameters
    ----------
    counts : (n, 64) float32 array
        Of n sets of values.
    means : (levels,) float64 array
        Where the levels lie, about.
    sigma : float
        Standard deviation, about.
    move : bool
        Let each level find its own mean; else all of a set move and stretch together.

    Returns
    -------
    means : (n, levels) float64 array
        Of each set.
    sigma : (n,) float64 array
        Of each set.
    """
    n = len(counts)
    all_means = np.repeat(means[None].astype(np.float64), n, axis=0)
    sigmas = np.full(n, float(sigma))
    _expect(counts, all_means, sigmas, move, _ROUNDS, STRANGE)
    return all_means, sigmas


def _likelihoods(
    means: NDArray[np.float64], sigmas: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Likelihoods of levels for values, ``(n, levels, 256)``, and of what says nothing."""
    middles = (((np.arange(BINS) + 0.5) / BINS * 2 - 1) * RANGE).astype(np.float32)
    scale = np.sqrt(0.5) / sigmas[:, None, None]
    off = middles * scale.astype(np.float32) - (means[..., None] * scale).astype(np.float32)
    off *= -off
    # what lies on a module may make any value, in the same way whatever the module is
    strange = STRANGE * sigmas[:, None] * np.sqrt(2 * np.pi) / (2 * RANGE)
    return np.exp(off, out=off), strange.astype(np.float32)


def soft_tables(
    means: NDArray[np.float64], sigmas: NDArray[np.float64], planes: int
) -> NDArray[np.int8]:
    """Return the soft bits of each value.

    Parameters
    ----------
    means : (n, 2 or 4) float64 array
        Of the levels, that of level 0 first.
    sigmas : (n,) float64 array
        Standard deviations.
    planes : int
        1 for two levels, 2 for four in Gray code.

    Returns
    -------
    (n, planes, 256) int8 array
        8 steps a nat, positive where bit 0 is likelier.
    """
    likely, strange = _likelihoods(means, sigmas)
    if planes == 1:
        soft = np.log((likely[:, 0] + strange) / (likely[:, 1] + strange))[:, None]
    else:
        high = (likely[:, 0] + likely[:, 1] + strange) / (likely[:, 2] + likely[:, 3] + strange)
        low = (likely[:, 0] + likely[:, 3] + strange) / (likely[:, 1] + likely[:, 2] + strange)
        soft = np.log(np.stack((high, low), axis=1))
    table: NDArray[np.int8] = np.clip(np.rint(soft * 8), -127, 127).astype(np.int8)
    return table


def mean_tables(
    means: NDArray[np.float64], sigmas: NDArray[np.float64], ideal: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return what a module is on average, for each value.

    Parameters
    ----------
    means, sigmas : arrays
        As for :func:`soft_tables`.
    ideal : (levels,) float64 array
        What each level counts as.

    Returns
    -------
    (n, 1, 256) float32 array
        Means.
    """
    likely, strange = _likelihoods(means, sigmas)
    total = likely.sum(axis=1) + len(ideal) * strange
    means_of: NDArray[np.float32] = np.einsum("l,nlb->nb", ideal.astype(np.float32), likely) / total
    return means_of[:, None]


Entry = TypeVar("Entry", np.int8, np.float32)


def looked_up(values: NDArray[np.float32], table: NDArray[Entry]) -> NDArray[Entry]:
    """Return what a table has for values.

    Parameters
    ----------
    values : (512, 512) float32 array
        Exactly 0 where a module is not seen.
    table : (16, 16, planes, 256) array
        For each block.

    Returns
    -------
    (planes, 512, 512) array
        0 where a module is not seen.
    """
    soft = np.empty((table.shape[2], *values.shape), table.dtype)
    _look_up(values, table, soft)
    return soft


@fast
def _count(
    values: NDArray[np.float32],
    counts: NDArray[np.float32],
) -> None:
    bins = counts.shape[2]
    scale = np.float32(bins / 6.0)
    half = np.float32(bins / 2)
    for i in range(0, values.shape[0], 2):
        for j in range(values.shape[1]):
            value = values[i, j]
            place = int(value * scale + half)
            if value != 0 and 0 < place < bins:
                counts[i // 32 + 1, j // 32 + 1, place] += 1


@fast
def _gaussian(half_square: np.float32) -> np.float32:
    """Return ``exp(-x)`` for x >= 0, right to 2 % where it is above 1e-8; vectors can do it."""
    t = min(half_square * np.float32(1 / 256), np.float32(1))
    t = np.float32(1) - t + np.float32(0.5) * t * t
    for _ in range(8):
        t *= t
    return t


@fast
def _expect(
    counts: NDArray[np.float32],
    means: NDArray[np.float64],
    sigmas: NDArray[np.float64],
    move: bool,
    rounds: int,
    strange: float,
) -> None:
    bins, levels = counts.shape[1], means.shape[1]
    weight, first = np.zeros(levels), np.zeros(levels)
    share, odds = np.zeros((levels, bins), np.float32), np.zeros(bins, np.float32)
    middles = np.empty(bins, np.float32)
    for k in range(bins):
        middles[k] = ((k + 0.5) / bins * 2 - 1) * 3.0
    start = np.empty(levels)
    for n in range(counts.shape[0]):
        own = counts[n]
        for a in range(levels):
            start[a] = means[n, a]
        if own.sum() < 100:
            sigmas[n] = 10.0
            continue
        for _ in range(rounds):
            ground = np.float32(strange * sigmas[n] * 2.5066 / 6.0 * levels)
            scale = np.float32(0.5 / sigmas[n] ** 2)
            odds[:] = ground
            for a in range(levels):
                mean, part = np.float32(means[n, a]), share[a]
                for k in range(bins):
                    off = middles[k] - mean
                    part[k] = _gaussian(scale * off * off)
                    odds[k] += part[k]
            for k in range(bins):
                odds[k] = own[k] / odds[k]
            second = total = 0.0
            for a in range(levels):
                part = share[a]
                s0 = s1 = s2 = np.float32(0)
                for k in range(bins):
                    here = part[k] * odds[k]
                    s0 += here
                    s1 += here * middles[k]
                    s2 += here * middles[k] * middles[k]
                weight[a], first[a] = s0, s1
                second += float(s2)
                total += float(s0)
            if total <= 0:
                break
            if move:
                for a in range(levels):
                    means[n, a] = first[a] / max(weight[a], 1e-9)
            else:
                # a straight line through the levels as they were told
                s = sx = sxx = sy = sxy = 0.0
                for a in range(levels):
                    s += weight[a]
                    sx += weight[a] * start[a]
                    sxx += weight[a] * start[a] ** 2
                    sy += first[a]
                    sxy += first[a] * start[a]
                slope = (s * sxy - sx * sy) / max(s * sxx - sx * sx, 1e-12)
                slope = min(max(slope, 0.05), 3.0)
                for a in range(levels):
                    means[n, a] = (sy - slope * sx) / s + slope * start[a]
            spread = second
            for a in range(levels):
                spread += weight[a] * means[n, a] ** 2 - 2 * first[a] * means[n, a]
            sigmas[n] = np.sqrt(max(spread / total, 1e-4))


@compiled
def _look_up(
    values: NDArray[np.float32],
    table: NDArray[np.generic],
    soft: NDArray[np.generic],
) -> None:
    scale, half = np.float32(256 / 6.0), np.float32(128)
    for plane in range(soft.shape[0]):
        for i in range(soft.shape[1]):
            for b in range(soft.shape[2] // 32):
                here = table[i // 32, b, plane]
                for j in range(32 * b, 32 * b + 32):
                    value = values[i, j]
                    place = min(max(int(value * scale + half), 0), 255)
                    soft[plane, i, j] = here[place] if value != 0 else here[place] * 0
