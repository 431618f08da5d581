"""The noise of an image, and the same image with fewer electrons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DIFFERENCE = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
"""Fourth difference: what a probe has smoothed hardly shows in it, noise does."""

_MEDIAN_TO_SIGMA = 1.4826
"""Standard deviation over the median of the magnitudes of a normal distribution."""

_MOST_ALIKE = 0.6
"""Correlation of neighbours in a row, at most: three pixels that share a third each have 0.67."""

_SMOOTHING_PX = 1.2
"""Standard deviation of the Gaussian that tells what is drawn from noise."""

_EVEN = 0.3
"""Share of the pixels, those where what is drawn changes least, that the noise is taken from."""

_CHOSEN, _CHOSEN_ALIKE = 0.954, -0.05
"""What that choice makes of white noise of sigma 1, and of neighbours that are not alike: noise
itself takes part in it."""

_LEAST_SIGMA = 1e-3
"""Noise over the image's own spread below which there is none: drawn, not taken."""


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise of an image: its strength at each pixel, and how far pixels of a row share it.

    Parameters
    ----------
    sigma : (y, x) float32 array
        Standard deviation in grey values; it grows with the brightness.
    alike : float
        Correlation of neighbours in a row, which a slow detector makes.
    """

    sigma: NDArray[np.float32]
    alike: float

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return such noise, ``(y, x)`` float32."""
        drawn = rng.standard_normal(self.sigma.shape, dtype=np.float32)
        # of b, 1, b neighbours have the correlation 2 b / (1 + 2 b^2)
        r = self.alike
        b = (1 - np.sqrt(max(1 - 2 * r * r, 0.0))) / (2 * r) if r > 0 else 0.0
        padded = np.pad(drawn, ((0, 0), (1, 1)), mode="reflect")
        mixed = drawn + np.float32(b) * (padded[:, 2:] + padded[:, :-2])
        return np.asarray(self.sigma * mixed / np.float32(np.sqrt(1 + 2 * b * b)))


def measure_noise(image: NDArray[np.float32]) -> Noise | None:
    """Measure the noise of an image.

    Parameters
    ----------
    image : (y, x) float32 array
        Neither smoothed nor resampled.

    Returns
    -------
    Noise or None
        None where there is none that could be measured, as in a drawn picture.

    Notes
    -----
    Noise of one row has nothing to do with that of the next one, whatever detector and scan
    do along the row; so differences are taken across rows.
    """
    from scipy.ndimage import gaussian_filter

    if image.shape[0] < 12 or image.shape[1] < 8:
        return None
    smooth = gaussian_filter(image, _SMOOTHING_PX, mode="nearest")
    rough, shape = _across_rows(image), np.abs(_across_rows(smooth))
    # where what is drawn changes least: edges of small modules would count as noise
    even = shape <= np.quantile(shape, _EVEN)
    grey = smooth[2:-2]
    bright = grey > float(np.median(grey[even]))
    low, high = even & ~bright, even & bright
    if not low.any() or not high.any():
        return None
    levels = np.array([grey[low].mean(), grey[high].mean()])
    variances = np.array([_sigma(rough[low]) ** 2, _sigma(rough[high]) ** 2]) / _CHOSEN**2
    if variances.max() <= (_LEAST_SIGMA * float(image.std())) ** 2:
        return None
    slope = (variances[1] - variances[0]) / max(levels[1] - levels[0], 1e-9)
    variance = variances[0] + slope * (smooth - levels[0])
    sigma = np.sqrt(variance.clip(0.25 * variances.mean(), 4 * variances.mean()))
    return Noise(sigma.astype(np.float32), _alike(rough, even))


def _across_rows(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return fourth differences, scaled so that white noise keeps its standard deviation."""
    rows = len(image) - len(_DIFFERENCE) + 1
    weights = (_DIFFERENCE / np.sqrt((_DIFFERENCE**2).sum())).astype(np.float32)
    result = np.zeros((rows, image.shape[1]), dtype=np.float32)
    for i, weight in enumerate(weights):
        result += weight * image[i : i + rows]
    return result


def _sigma(values: NDArray[np.float32]) -> float:
    return _MEDIAN_TO_SIGMA * float(np.median(np.abs(values)))


def _alike(rough: NDArray[np.float32], even: NDArray[np.bool_]) -> float:
    """Return the correlation of neighbours in a row, large values left out."""
    limit = 3 * _sigma(rough[even])
    limited = rough.clip(-limit, limit)
    pairs = even[:, 1:] & even[:, :-1]
    first, second = limited[:, 1:][pairs], limited[:, :-1][pairs]
    power = float((first * first).mean() + (second * second).mean()) / 2 if len(first) else 0.0
    if power == 0:
        return 0.0
    return float(np.clip((first * second).mean() / power - _CHOSEN_ALIKE, 0.0, _MOST_ALIKE))
