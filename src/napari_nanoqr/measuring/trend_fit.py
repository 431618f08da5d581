"""When a code stops being readable: its ageing, drawn many times as the data allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.trend_need import HALF, log_dose_factor
from napari_nanoqr.measuring.trend_parts import DRAWS, Damage, Level, Observations
from napari_nanoqr.reading.information import FAILURES

LEAST_DATES = 3
"""Times at which a code has to be read before anything is extrapolated."""

HORIZON = 30.0
"""Lengths of the series that are looked ahead."""

MOST_SAFE = 2.0
"""Lengths of the series for which it is said at most that a code will stay readable: damage that
hardly shows in half of a life may end it."""

MOST_DOUBT = 10.0
"""Where the ends of the interval differ by more than this factor no end is told."""

_STEPS = (240, 240)
"""Times that are looked at within the first three lengths, and beyond."""

_FADING_OUT = 0.15
"""Of the logarithm of the dose, 1 sigma: how sharply reading ends."""

_BAD_IMAGE = 0.05
"""Share of images that show nothing for another reason than age."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is to be expected of a series.

    Parameters
    ----------
    end, low, high : float or None
        When half of the images are no longer read, and the interval that holds this at 95 %, on
        the scale of the observations. None where the data do not tell.
    later_than : float
        It ends later than this, at 95 %; no more than `MOST_SAFE` times the length of the series.
    good_until : float or None
        Until when 99 of 100 images are read, where an end is told.
    time, expected : (m,) float array
        Times, and the logarithm of the dose at which half of the images are read, over the one
        that is asked for: 0 is the end.
    below, above : (m,) float array
        What holds it at 95 %.
    rate : float
        Growth of the logarithm of the dose with time, damage left out.
    rate_doubt : float
        Its standard uncertainty.
    damage_rate : float
        Growth of the share of damaged modules.
    ends, good : (DRAWS,) float array
        Times of the end, and until when 99 of 100 images are read, in each draw; infinite where
        these do not come.
    """

    end: float | None
    low: float | None
    high: float | None
    later_than: float
    good_until: float | None
    time: NDArray[np.float64] = field(repr=False)
    expected: NDArray[np.float64] = field(repr=False)
    below: NDArray[np.float64] = field(repr=False)
    above: NDArray[np.float64] = field(repr=False)
    rate: float
    rate_doubt: float
    damage_rate: float
    ends: NDArray[np.float64] = field(repr=False)
    good: NDArray[np.float64] = field(repr=False)


def forecast(seen: Observations, *, seed: int = 0) -> Forecast:
    """Extrapolate a series.

    Parameters
    ----------
    seen : Observations
        At least `LEAST_DATES` times at which the code was read.
    seed : int
        Of the draws.

    Returns
    -------
    Forecast
        For the specimen of the last date.

    Raises
    ------
    ValueError
        Where there are too few dates.

    Notes
    -----
    Two things take a code's margin. The modules' signal fades against the noise, and the electrons
    that make up for it grow exponentially: exactly so where the contrast falls as a reaction of
    first order, and nearly so where edges spread by diffusion, since every spatial frequency falls
    as exp(-(2 pi f)^2 D t). And modules are lost one by one, at random times of constant rate. The
    dose at which the code is lost follows from both by the normal approximation, see
    `log_dose_factor`; it is taken apart into the two, each is extrapolated linearly in time, and
    they are put together again.

    What the data leave open is drawn `DRAWS` times: level and slope with the scatter of the points
    about them, the rate of losing modules and what is lost by chance later on. Images in which
    nothing was read weigh the draws by how likely these say so.
    """
    _check(seen)
    rng = np.random.default_rng(seed)
    span = float(seen.time.max())
    damage = Damage.of(seen)
    level = Level.of(seen, damage)
    time = np.concatenate(
        (np.linspace(0, 3 * span, _STEPS[0], endpoint=False),
         np.geomspace(3 * span, HORIZON * span, _STEPS[1]))
    )  # fmt: skip
    levels = level.draw(rng, time)
    shares = damage.draw(rng, time)
    paths = levels + log_dose_factor(shares, seen.version, seen.error, HALF)
    chosen = rng.choice(DRAWS, DRAWS, p=_weights(seen, time, paths))
    paths, levels, shares = paths[chosen], levels[chosen], shares[chosen]
    safe = levels + log_dose_factor(shares, seen.version, seen.error, FAILURES)
    below, expected, above = np.quantile(paths, (0.025, 0.5, 0.975), axis=0, method="nearest")
    ends, good = _crossing(time, paths), _crossing(time, safe)
    return Forecast(
        **_told(ends, good, span), time=time, expected=expected, below=below, above=above,
        rate=float(level.mean[-1]), rate_doubt=float(np.sqrt(level.covariance[-1, -1])),
        damage_rate=float(damage.mean[1]), ends=ends, good=good,
    )  # fmt: skip


def pooled(made: Sequence[Forecast]) -> Forecast:
    """Join forecasts that are equally likely; of the middle one of them what is no time."""
    middle = made[len(made) // 2]
    ends = np.concatenate([each.ends for each in made])
    good = np.concatenate([each.good for each in made])
    span = max(float(each.time[-1]) for each in made) / HORIZON
    return replace(middle, **_told(ends, good, span), ends=ends, good=good)


def misfit(seen: Observations) -> float:
    """Return twice the negative logarithm of the likelihood of a series, up to a constant."""
    _check(seen)
    damage = Damage.of(seen)
    return Level.of(seen, damage).deviance + damage.deviance


def _check(seen: Observations) -> None:
    """Raise where there are too few dates."""
    count = len(np.unique(seen.time[np.isfinite(seen.log_share)]))
    if count < LEAST_DATES:
        times = "one time" if count == 1 else f"{count} times"
        raise ValueError(
            f"The code is read, and its margin known, at {times}: {LEAST_DATES} are needed to "
            "extrapolate."
        )


def _told(ends: NDArray[np.float64], good: NDArray[np.float64], span: float) -> dict[str, Any]:
    """Return what is said of the end: nothing where the draws are far apart."""
    low, later, middle, high = np.quantile(ends, (0.025, 0.05, 0.5, 0.975), method="nearest")
    later = min(float(later), MOST_SAFE * span)
    if not (isfinite(high) and high <= MOST_DOUBT * max(low, span / MOST_DOUBT)):
        nothing: dict[str, Any] = dict.fromkeys(("end", "low", "high", "good_until"))
        return nothing | {"later_than": later}
    return {
        "end": float(middle), "low": float(low), "high": float(high), "later_than": later,
        "good_until": float(np.median(good)),
    }  # fmt: skip


def _crossing(time: NDArray[np.float64], paths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when each path first comes to 0, ``(draws,)``, infinite where it does not."""
    over = paths >= 0
    first = over.argmax(axis=1)
    rows = np.arange(len(paths))
    before = np.maximum(first - 1, 0)
    low, high = paths[rows, before], np.minimum(paths[rows, first], 50.0)
    part = np.where(first > 0, -low / np.maximum(high - low, 1e-12), 0.0).clip(0, 1)
    return np.where(over.any(axis=1), time[before] + part * (time[first] - time[before]), np.inf)


def _weights(
    seen: Observations, time: NDArray[np.float64], paths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how likely each draw makes the images in which nothing was read, of sum 1."""
    from scipy.special import log_ndtr

    logs = np.zeros(len(paths))
    last = seen.group[-1]
    for when, dose in zip(
        *(values[~np.isfinite(seen.log_share) & (seen.group == last)]
          for values in (seen.time, seen.log_dose)), strict=True,
    ):  # fmt: skip
        step = int(np.searchsorted(time, when).clip(0, len(time) - 1))
        missing = (np.minimum(paths[:, step], 50.0) - dose) / _FADING_OUT
        logs += np.logaddexp(log(1 - _BAD_IMAGE) + log_ndtr(missing), log(_BAD_IMAGE))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
