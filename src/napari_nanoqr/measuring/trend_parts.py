"""What a code's margin is lost by: its signal fades, and its modules are damaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.trend_need import log_dose_factor

DRAWS = 2000
"""Courses that are drawn."""

_SCATTER, _WEIGHT = 0.15, 4.0
"""Of the logarithm of a dose at which a code is lost, and how many dates this is worth beside those
of the series."""

_MODULES_PER_PIT = 2.0
"""Modules that a pit takes: they do not come one by one."""

_FIRST_DAMAGE, _MOST_DAMAGE = 0.01, 0.05
"""Shares of the modules, 1 sigma of what may be expected: damaged from the start, and in the course
of a series."""


@dataclass(frozen=True, eq=False)
class Observations:
    """A series as numbers.

    Parameters
    ----------
    time : (n,) float array
        Since the first date, in years, or in years at the temperature that is asked for.
    log_dose : (n,) float array
        Natural logarithm of each image's dose over the one that is asked for.
    log_share : (n,) float array
        Of the share of the electrons at which the code is lost; nan where it was not read.
    damaged, damaged_doubt : (n,) float array
        Share of damaged modules and its standard uncertainty; nan where not known.
    group : (n,) int array
        Number of the specimen.
    modules : int
        Modules of the symbol.
    version, error
        Of the symbol.
    """

    time: NDArray[np.float64]
    log_dose: NDArray[np.float64]
    log_share: NDArray[np.float64]
    damaged: NDArray[np.float64]
    damaged_doubt: NDArray[np.float64]
    group: NDArray[np.int_]
    modules: int
    version: int | str
    error: str


@dataclass(frozen=True, eq=False)
class Damage:
    """Share of damaged modules: some from the start, more at random times of constant rate.

    All of it is one normal distribution: the share at each date, and the rate.
    """

    mean: NDArray[np.float64]
    """Share at the last date, and rate."""
    covariance: NDArray[np.float64]
    at: float
    step: float
    """What one event takes."""
    fitted: NDArray[np.float64]
    doubt: NDArray[np.float64]
    deviance: float

    @classmethod
    def of(cls, seen: Observations) -> Damage:
        """Estimate it from the share of damaged modules at each date."""
        known = np.isfinite(seen.damaged)
        time, group = seen.time[known], seen.group[known]
        share, doubt = seen.damaged[known], seen.damaged_doubt[known]
        step, span = _MODULES_PER_PIT / seen.modules, float(seen.time.max())
        same = group[:, None] == group[None, :]
        pace = _MOST_DAMAGE / span
        with_rate = pace**2 * time
        rate = 0.0
        for _ in range(5):
            # losses go on from date to date, doubts do not
            lost = max(rate, step / span / 10) * step * np.minimum(time[:, None], time[None, :])
            true = same * (_FIRST_DAMAGE**2 + lost) + np.outer(with_rate, time)
            covariance = true + np.diag(doubt**2)
            inverse = np.linalg.inv(covariance)
            rate = max(float(with_rate @ inverse @ share), 0.0)
        fitted, left = true @ inverse @ share, true - true @ inverse @ true
        last = int(np.flatnonzero(group == seen.group[-1])[-1])
        cross = with_rate[last] - with_rate @ inverse @ true[:, last]
        variance = pace**2 - with_rate @ inverse @ with_rate
        everywhere = np.zeros((2, len(seen.time)))
        everywhere[:, known] = np.maximum(fitted, 0.0), np.sqrt(np.maximum(np.diag(left), 0.0))
        _, logdet = np.linalg.slogdet(covariance)
        return cls(
            np.array([fitted[last], rate]),
            np.array([[left[last, last], cross], [cross, variance]]), float(time[last]), step,
            everywhere[0], everywhere[1], float(share @ inverse @ share + logdet),
        )  # fmt: skip

    def draw(self, rng: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draw courses, ``(draws, times)``."""
        values = rng.multivariate_normal(
            self.mean, self.covariance, DRAWS, method="eigh"
        )  # fmt: skip
        # neither is negative, and most codes that show no damage have none
        now, rate = np.maximum(values[:DRAWS], 0.0).T
        after = np.diff(np.maximum(time - self.at, 0.0), prepend=0.0)
        events = rng.poisson(rate[:, None] * after[None, :] / self.step)
        later = np.cumsum(events, axis=1) * self.step
        past = np.minimum(time - self.at, 0.0)
        return np.asarray(np.maximum(now[:, None] + rate[:, None] * past, 0.0) + later)


@dataclass(frozen=True, eq=False)
class Level:
    """Logarithm of the dose at which a code without damage would be lost: a line in time."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    freedom: float
    deviance: float

    @classmethod
    def of(cls, seen: Observations, damage: Damage) -> Level:
        """Fit it to the doses at which the code is lost, what is lost by damage left out."""
        read = np.isfinite(seen.log_share)
        extra = damage.fitted[read]
        factor = log_dose_factor(extra, seen.version, seen.error)
        steep = log_dose_factor(extra + damage.doubt[read], seen.version, seen.error)
        usable = np.isfinite(factor)
        steep = np.where(np.isfinite(steep), steep, factor + 1.0)
        level = (seen.log_share + seen.log_dose)[read][usable] - factor[usable]
        # where damage counts for much, its doubt does
        doubt = np.hypot(_SCATTER, steep[usable] - factor[usable])
        groups, place = np.unique(seen.group[read][usable], return_inverse=True)
        own = int(np.flatnonzero(groups == seen.group[-1])[0])
        time = seen.time[read][usable]
        design = np.column_stack((place[:, None] == np.arange(len(groups)), time)).astype(float)
        scaled, target = design / doubt[:, None], level / doubt
        spread = np.linalg.pinv(scaled.T @ scaled)
        mean = spread @ scaled.T @ target
        rest = float(np.sum((target - scaled @ mean) ** 2))
        freedom = _WEIGHT + max(len(level) - design.shape[1], 0)
        variance = (_WEIGHT + rest) / freedom
        pick = [own, design.shape[1] - 1]
        return cls(
            mean[pick], variance * spread[np.ix_(pick, pick)], freedom,
            float(freedom * np.log(variance)),
        )  # fmt: skip

    def draw(self, rng: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draw courses, ``(draws, times)``; a code does not get better with the years."""
        root = np.linalg.cholesky(self.covariance + 1e-15 * np.eye(2))
        normal = rng.normal(size=(DRAWS, 2)) @ root.T
        normal *= np.sqrt(self.freedom / rng.chisquare(self.freedom, DRAWS))[:, None]
        values = self.mean + normal
        return np.asarray(values[:, :1] + np.maximum(values[:, 1:], 0.0) * time[None, :])
