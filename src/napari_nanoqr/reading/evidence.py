"""From equalised values to log-likelihoods: two levels, their noise, and a few outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTLIERS = 0.004
"""Share of modules that scratches and particles cover, whatever was written there."""

RANGE = 6.0
"""An outlier can have any value between -3 and 3, where dark is -1 and light is 1."""

_LEAST_SIGMA = 0.12
"""Below this the model errs more than the image; likelihoods are bounded there anyway."""


@dataclass(frozen=True)
class Levels:
    """Mean and standard deviation of dark and of light modules.

    Parameters
    ----------
    dark, light : float
        Means.
    dark_sigma, light_sigma : float
        Standard deviations.
    """

    dark: float
    light: float
    dark_sigma: float
    light_sigma: float

    @property
    def rho(self) -> float:
        """Half the distance of the levels over the noise."""
        sigma = np.sqrt((self.dark_sigma**2 + self.light_sigma**2) / 2)
        return max(float((self.light - self.dark) / 2 / sigma), 0.0)

    def densities(
        self, values: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probability densities of values of dark and of light modules."""
        return _normal(values, self.dark, self.dark_sigma * scale), _normal(
            values, self.light, self.light_sigma * scale
        )

    def log_likelihood(
        self, values: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return ln P(light) / P(dark), positive = light.

        Parameters
        ----------
        values : float array
            Any shape.
        scale : float array
            Noise of each value over that of the levels.
        """
        dark, light = self.densities(values, scale)
        floor = OUTLIERS / RANGE
        result: NDArray[np.float64] = np.log((1 - OUTLIERS) * light + floor) - np.log(
            (1 - OUTLIERS) * dark + floor
        )
        return result


def _normal(
    values: NDArray[np.float64], mean: float, sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.exp(-0.5 * ((values - mean) / sigma) ** 2) / (
        sigma * np.sqrt(2 * np.pi)
    )
    return result


def fit_levels(
    values: NDArray[np.float64],
    scale: NDArray[np.float64],
    known: NDArray[np.bool_],
    light: NDArray[np.bool_],
    sigma: float,
    steps: int = 12,
) -> Levels:
    """Fit two levels to values of which some are known to be dark or light.

    Parameters
    ----------
    values : float array
        About -1 for dark, about 1 for light; any shape.
    scale : float array
        Noise of each value over that of the levels; where it is not 1 everywhere.
    known, light : bool arrays
        Which values are known, and which of these are light.
    sigma : float
        Noise to begin with.
    steps : int
        Of expectation maximisation.

    Returns
    -------
    Levels
        By maximum likelihood, outliers left out by their probability; decisions are never
        taken, so the noise is not underestimated where the levels overlap.
    """
    found = Levels(-1.0, 1.0, max(sigma, _LEAST_SIGMA), max(sigma, _LEAST_SIGMA))
    dark_certain, light_certain = known & ~light, known & light
    for _ in range(steps):
        dark_density, light_density = found.densities(values, scale)
        dark_density = np.where(light_certain, 0.0, dark_density)
        light_density = np.where(dark_certain, 0.0, light_density)
        prior = np.where(known, 1.0, 0.5) * (1 - OUTLIERS)
        whole = prior * (dark_density + light_density) + OUTLIERS / RANGE
        before = found
        moments = []
        for density in (dark_density, light_density):
            share = prior * density / whole
            weight = share / scale**2
            total = max(float(share.sum()), 1e-9)
            mean = float((weight * values).sum() / max(float(weight.sum()), 1e-9))
            spread = float((weight * (values - mean) ** 2).sum() / total)
            moments.append((total, mean, spread))
        (n_dark, mean_dark, var_dark), (n_light, mean_light, var_light) = moments
        # the two variances are held together by as much as a dozen modules would
        both = (n_dark * var_dark + n_light * var_light) / (n_dark + n_light)
        var_dark = (n_dark * var_dark + 12 * both) / (n_dark + 12)
        var_light = (n_light * var_light + 12 * both) / (n_light + 12)
        found = Levels(
            mean_dark,
            mean_light,
            max(float(np.sqrt(var_dark)), _LEAST_SIGMA),
            max(float(np.sqrt(var_light)), _LEAST_SIGMA),
        )
        if abs(found.rho - before.rho) < 1e-3 * before.rho:
            break
    return found
