"""Where a symbol is covered or gone: areas that show one grey value instead of modules.

Masks see to it that data hardly ever form large even areas. Where one is seen nonetheless, a
particle, a tear or a scratch is the better explanation, and what its modules look like says
nothing about what was written.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.evidence import OUTLIERS, RANGE, Levels, Values

_WINDOWS = (5, 9)
"""Sides in modules of the areas that are looked at: smaller ones are even by chance."""

_AREAS_DIFFER = 0.25
"""Standard deviation by which large areas of written modules miss the levels, not by noise."""

_SMOOTH = 2.0
"""Standard deviation in modules of the mean that tells the level of a blank area at a place."""

_HELD = 7.0
"""Logarithm of the odds with which modules of a blank area are held for blank."""

_LOG_PRIOR = float(np.log(1e-4))
"""Of an area of a given size and place to be blank."""


def blank_probability(
    seen: Values,
    levels: Levels,
    certain: NDArray[np.bool_],
    dark: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return how likely each module lies in a blank area.

    Parameters
    ----------
    seen : Values
        Equalised values.
    levels : Levels
        Means and noise of dark and light modules.
    certain, dark : (rows, columns) bool arrays
        Modules of which it is known what was written, and which of them are dark.

    Returns
    -------
    (rows, columns) float array
        0 to 1, the greatest of all areas that hold the module, unless what is next to it says
        that it was written.

    Notes
    -----
    Two hypotheses for each area: its values are those of modules, dark and light with equal
    probability; or one unknown level between -3 and 3 and noise (integrated over the level).
    """
    dark_density, light_density = levels.densities(seen, _AREAS_DIFFER)
    values = seen.values
    light_share = np.where(certain, np.where(dark, 0.0, 1.0), 0.5)
    written = light_share * light_density + (1 - light_share) * dark_density
    log_written = np.log((1 - OUTLIERS) * written + OUTLIERS / RANGE)
    noise = (levels.dark.sigma**2 + levels.light.sigma**2) / 2 + _AREAS_DIFFER**2
    variance = noise * seen.scale**2
    precision = 1 / variance
    result = np.zeros(values.shape)
    for side in _WINDOWS:
        if side > min(values.shape):
            continue
        total = _box(precision, side)
        mean = _box(precision * values, side) / total
        square = _box(precision * values**2, side) - total * mean**2
        log_blank = (
            -0.5 * side**2 * np.log(2 * np.pi)
            + 0.5 * _box(np.log(precision), side)
            - 0.5 * square
            + 0.5 * np.log(2 * np.pi / total)
            - np.log(RANGE)
        )
        odds = log_blank - _box(log_written, side) + _LOG_PRIOR
        probability = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        # each module takes the greatest of the areas that hold it
        padded = np.pad(probability, side - 1)
        rows, columns = values.shape
        down = np.max([padded[k : k + rows] for k in range(side)], axis=0)
        spread = np.max([down[:, k : k + columns] for k in range(side)], axis=0)
        result = np.maximum(result, spread)
    return np.minimum(result, _trimmed(values, variance, log_written, result > 0.5))


def _trimmed(
    values: NDArray[np.float64],
    variance: NDArray[np.float64],
    log_written: NDArray[np.float64],
    blank: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return how likely modules of blank areas are blank, by those next to them.

    Squares that are blank but for a rim take the rim with them. Now that the level of the area is
    known, a module and the eight around it tell whether they were written after all.
    """
    from scipy.ndimage import gaussian_filter

    weight = blank / variance
    level = gaussian_filter(weight * values, _SMOOTH) / np.maximum(
        gaussian_filter(weight, _SMOOTH), 1e-9
    )
    log_blank = -0.5 * (values - level) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)
    around = _box(np.pad(np.where(blank, log_blank - log_written, 0.0), 1), 3) + _HELD
    return np.where(blank, 1 / (1 + np.exp(-np.clip(around, -50, 50))), 1.0)


def _box(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the sums over all squares of a side that lie inside."""
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    result: NDArray[np.float64] = (
        sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    )
    return result
