"""From equalised values to log-likelihoods: two levels, their noise, and a few outliers.

What a module shows is not quite the sum of what it and its neighbours do: where milling is
through, more dose removes no more, and an edge glows by what lies on both of its sides. So the
level of dark and that of light modules each depend on how many neighbours are light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float64]
"""``(rows, columns)`` float array, one value a module."""

OUTLIERS = 0.004
"""Share of modules that scratches and particles cover, whatever was written there."""

RANGE = 6.0
"""An outlier can have any value between -3 and 3, where dark is -1 and light is 1."""

_LEAST_SIGMA = 0.12
"""Below this the model errs more than the image; likelihoods are bounded there anyway."""

_EXPECTED_SLOPE = 0.1
"""How much a level is expected to depend on the neighbours: bonds hold most of what does."""

_LEAST_DISTANCE = 0.4
"""Light modules are brighter than dark ones by at least this much, whatever is around."""

_LEARNED = 36
"""About how many numbers of pulse, levels and grid were fitted to the same modules."""

_STEPS = 12


@dataclass(frozen=True, eq=False)
class Values:
    """Equalised values and what they depend on.

    Parameters
    ----------
    values : (rows, columns) float array
        About -1 for dark and 1 for light.
    scale : (rows, columns) float array
        Noise of each value over that of the levels.
    beside, across : (rows, columns) float arrays
        Mean of the four neighbours at the sides, and of the four at the corners; -1 to 1.
    """

    values: Map
    scale: Map
    beside: Map
    across: Map


@dataclass(frozen=True)
class Level:
    """Dark or light modules.

    Parameters
    ----------
    mean : float
        Where half of the neighbours are light.
    beside, across : float
        By how much the mean differs where all neighbours at the sides, or at the corners, are
        light.
    sigma : float
        Standard deviation.
    """

    mean: float
    beside: float
    across: float
    sigma: float

    def means(self, seen: Values) -> Map:
        """Return the mean for each module."""
        return self.mean + self.beside * seen.beside + self.across * seen.across


@dataclass(frozen=True)
class Levels:
    """Dark and light modules."""

    dark: Level
    light: Level

    @property
    def rho(self) -> float:
        """Half the distance of the levels over the noise."""
        sigma = np.sqrt((self.dark.sigma**2 + self.light.sigma**2) / 2)
        return max(float((self.light.mean - self.dark.mean) / 2 / sigma), 0.0)

    def widened(self, factor: float) -> Levels:
        """Return the levels with more noise."""
        return Levels(
            replace(self.dark, sigma=factor * self.dark.sigma),
            replace(self.light, sigma=factor * self.light.sigma),
        )

    def densities(self, seen: Values, widened: float = 0.0) -> tuple[Map, Map]:
        """Return the probability densities of values of dark and of light modules.

        Parameters
        ----------
        seen : Values
            The values.
        widened : float
            Further standard deviation.
        """
        dark, light = self.dark.means(seen), self.light.means(seen)
        missing = np.maximum(_LEAST_DISTANCE - (light - dark), 0.0) / 2
        return (
            _normal(seen.values, dark - missing, np.hypot(self.dark.sigma, widened) * seen.scale),
            _normal(seen.values, light + missing, np.hypot(self.light.sigma, widened) * seen.scale),
        )

    def log_likelihood(self, seen: Values) -> Map:
        """Return ln P(light) / P(dark), positive = light, of all values."""
        dark, light = self.densities(seen)
        floor = OUTLIERS / RANGE
        result: Map = np.log((1 - OUTLIERS) * light + floor) - np.log((1 - OUTLIERS) * dark + floor)
        return result


def bounded(llr: Map) -> Map:
    """Return log-likelihoods with that of an outlier in mind, which says nothing."""
    light = (1 - OUTLIERS) / (1 + np.exp(-llr)) + OUTLIERS / 2
    result: Map = np.log(light / (1 - light))
    return result


def _normal(values: Map, mean: Map, sigma: Map) -> Map:
    result: Map = np.exp(-0.5 * ((values - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return result


def fit_levels(
    seen: Values, known: NDArray[np.bool_], light: NDArray[np.bool_], sigma: float
) -> Levels:
    """Fit two levels to values of which some are known to be dark or light.

    Parameters
    ----------
    seen : Values
        The values.
    known, light : (rows, columns) bool arrays
        Which values are known, and which of these are light.
    sigma : float
        Noise to begin with.

    Returns
    -------
    Levels
        By maximum likelihood (expectation maximisation), outliers left out by their
        probability; decisions are never taken, so the noise is not underestimated where the
        levels overlap.
    """
    sigma = max(sigma, _LEAST_SIGMA)
    found = Levels(Level(-1.0, 0.0, 0.0, sigma), Level(1.0, 0.0, 0.0, sigma))
    possible = ~(known & light), ~(known & ~light)
    prior = np.where(known, 1.0, 0.5) * (1 - OUTLIERS)
    for _ in range(_STEPS):
        shares = [
            prior * density * may for density, may in zip(found.densities(seen), possible,
                                                          strict=True)
        ]  # fmt: skip
        whole = shares[0] + shares[1] + OUTLIERS / RANGE
        dark, light_ = (
            _fit_level(seen, share / whole, level)
            for share, level in zip(shares, (found.dark, found.light), strict=True)
        )
        before = found.rho
        found = _held_together(dark, light_)
        if abs(found.rho - before) < 1e-3 * before:
            break
    # the modules fit what was learned from them better than others would (Akaike)
    return found.widened((1 + 2 * _LEARNED / seen.values.size) ** 0.5)


def _fit_level(seen: Values, share: Map, before: Level) -> tuple[float, Level]:
    """Fit one level by weighted least squares; returns also how many modules it has."""
    weight = share / seen.scale**2
    terms = np.stack((np.ones_like(share), seen.beside, seen.across)).reshape(3, -1)
    weighted = terms * weight.ravel()
    held = np.diag([1e-9, *(2 * [(before.sigma / _EXPECTED_SLOPE) ** 2])])
    solution = np.linalg.solve(weighted @ terms.T + held, weighted @ seen.values.ravel())
    mean, beside, across = (float(value) for value in solution)
    level = Level(mean, beside, across, before.sigma)
    total = max(float(share.sum()), 1e-9)
    spread = float((weight * (seen.values - level.means(seen)) ** 2).sum()) / total
    return total, replace(level, sigma=spread**0.5)


def _held_together(dark: tuple[float, Level], light: tuple[float, Level]) -> Levels:
    """Hold two variances together by as much as a dozen modules would."""
    (n_dark, d), (n_light, b) = dark, light
    both = (n_dark * d.sigma**2 + n_light * b.sigma**2) / (n_dark + n_light)

    def settled(count: float, level: Level) -> Level:
        sigma = ((count * level.sigma**2 + 12 * both) / (count + 12)) ** 0.5
        return replace(level, sigma=max(sigma, _LEAST_SIGMA))

    return Levels(settled(n_dark, d), settled(n_light, b))
