"""Where a symbol is covered or gone: areas that show one grey value instead of modules.

Masks see to it that data hardly ever form large even areas. Where one is seen nonetheless, a
particle, a tear or a scratch is the better explanation, and what its modules look like says
nothing about what was written.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.evidence import OUTLIERS, RANGE, Levels, Values

_WINDOWS = (5, 9)
"""Sides in modules of the areas that are looked at: smaller ones are even by chance."""

_AREAS_DIFFER = 0.25
"""Standard deviation by which large areas of written modules miss the levels, not by noise."""

_LEVELLED = ((1.0, 0.0),)
_UNEVEN = tuple((contrast, shift) for contrast in (1.0, 0.8) for shift in (-0.2, 0.0, 0.2))
"""Contrast and brightness that an area of written modules may have left over from evening out."""

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
        0 to 1, the greatest of all areas that hold the module.

    Notes
    -----
    Two hypotheses for each area: its values are those of modules, dark and light with equal
    probability; or one unknown level between -3 and 3 and noise (integrated over the level).
    """
    from scipy.special import logsumexp

    values = seen.values
    light_share = np.where(certain, np.where(dark, 0.0, 1.0), 0.5)
    left_over = _UNEVEN if np.ptp(seen.scale) > 0 else _LEVELLED
    written = [_log_written(seen, levels, light_share, *part) for part in left_over]
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
        log_written = logsumexp([_box(log, side) for log in written], axis=0, b=1 / len(written))
        odds = log_blank - log_written + _LOG_PRIOR
        probability = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        # each module takes the greatest of the areas that hold it
        padded = np.pad(probability, side - 1)
        rows, columns = values.shape
        down = np.max([padded[k : k + rows] for k in range(side)], axis=0)
        spread = np.max([down[:, k : k + columns] for k in range(side)], axis=0)
        result = np.maximum(result, spread)
    return result


def _log_written(
    seen: Values, levels: Levels, light_share: NDArray[np.float64], contrast: float, shift: float
) -> NDArray[np.float64]:
    """Return the log-density of values where modules were written, under one left-over field."""
    moved = replace(seen, values=(seen.values - shift) / contrast, scale=seen.scale / contrast)
    dark, light = levels.densities(moved, _AREAS_DIFFER)
    density = (light_share * light + (1 - light_share) * dark) / contrast
    result: NDArray[np.float64] = np.log((1 - OUTLIERS) * density + OUTLIERS / RANGE)
    return result


def _box(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the sums over all squares of a side that lie inside."""
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    result: NDArray[np.float64] = (
        sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    )
    return result
