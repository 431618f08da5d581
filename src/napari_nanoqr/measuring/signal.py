"""Contrast, noise and electrons: what the grey values of a code say of the detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.pixels import PixelNoise
from napari_nanoqr.measuring.quantity import Quantity

_MOST_ALIKE = 0.4
"""Correlation of neighbours from which on a slow detector has smoothed too much to reckon back."""

_CONVINCING = 3.0
"""Standard deviations by which light areas have to be noisier than dark ones for a gain."""

_ROUNDING = 1 / 12
"""Variance of rounding to whole grey values."""


def contrast_of(light: float, dark: float, covariance: NDArray[np.float64]) -> Quantity:
    """Return the Michelson contrast of two levels.

    Parameters
    ----------
    light, dark : float
        Grey values of light and dark areas.
    covariance : (2, 2) float array
        Of these.

    Returns
    -------
    Quantity
        ``|light - dark| / (light + dark)``; a plain number.

    References
    ----------
    A. A. Michelson, Studies in Optics (1927): the visibility of fringes.
    """
    total = max(light + dark, 1e-12)
    sign = 1.0 if light >= dark else -1.0
    gradient = 2 * sign * np.array([dark, -light]) / total**2
    doubt = float(np.sqrt(max(float(gradient @ covariance @ gradient), 0.0)))
    return Quantity(abs(light - dark) / total, doubt)


def snr_of(
    light: float, dark: float, noise: PixelNoise | None, sigma: float, pixels_per_module: float
) -> tuple[Quantity, Quantity]:
    """Return the difference of light and dark over the noise of a pixel, and of a module.

    Parameters
    ----------
    light, dark : float
        Grey values of light and dark areas.
    noise : PixelNoise or None
        Of the pixels inside modules, where there are enough of them.
    sigma : float
        What a fit leaves over at each pixel, for where there are not.
    pixels_per_module : float
        Pixels on a module.

    Returns
    -------
    tuple of Quantity
        Plain numbers; infinite for a drawn picture without noise.
    """
    alike, relative = 0.0, None
    if noise is not None:
        sigma = float(np.sqrt((noise.variance_light + noise.variance_dark) / 2))
        alike = max(noise.alike, 0.0)
        # of a variance the relative uncertainty is the root of 2 / n, of its root half of that
        relative = float(np.sqrt(0.5 / (noise.freedom_light + noise.freedom_dark)))
    per_pixel = abs(light - dark) / sigma if sigma > 0 else float("inf")
    per_module = per_pixel * float(np.sqrt(pixels_per_module / (1 + 2 * alike)))

    def stated(value: float) -> Quantity:
        return Quantity(value, None if relative is None else relative * value)

    return stated(per_pixel), stated(per_module)


def photon_transfer(noise: PixelNoise, electrons_per_pixel: float, whole: bool) -> Quantity | None:
    """Return how many electrons are detected for each primary one, in light areas.

    Parameters
    ----------
    noise : PixelNoise
        Of one frame as it was taken.
    electrons_per_pixel : float
        Primary electrons for each of its pixels.
    whole : bool
        Grey values are whole numbers.

    Returns
    -------
    Quantity or None
        A plain number; None where the noise does not tell: light areas no noisier than dark
        ones, or a detector that is slow against the dwell time.

    Notes
    -----
    Photon transfer: variance = gain x (mean - black) + read noise. The gain is the slope between
    light and dark areas. Black is not known, as operators set it at will, so that the electrons
    come from the variance, as if read noise were small: electrons = variance / gain^2. With read
    noise they are fewer. J. R. Janesick, Photon Transfer, SPIE Press (2007).
    """
    if noise.alike > _MOST_ALIKE:
        return None
    bright, dim = sorted(
        ((noise.light, noise.variance_light, noise.freedom_light),
         (noise.dark, noise.variance_dark, noise.freedom_dark)), reverse=True,
    )  # fmt: skip
    # what a detector that lags behind shares among neighbours it takes from the variance
    b = _lag(noise.alike)
    restored = (1 + 2 * b) ** 2 / (1 + 2 * b * b)
    rounding = _ROUNDING if whole else 0.0
    variances = [(v - rounding) * restored for _, v, _ in (bright, dim)]
    doubts = [v * np.sqrt(2 / n) for v, n in zip(variances, (bright[2], dim[2]), strict=True)]
    difference = variances[0] - variances[1]
    if difference < _CONVINCING * np.hypot(*doubts):
        return None
    gain = difference / (bright[0] - dim[0])
    electrons = variances[0] / gain**2
    # by both variances: electrons = v0 (level difference)^2 / (v0 - v1)^2
    by_first = 1 / variances[0] - 2 / difference
    by_second = 2 / difference
    relative = float(np.hypot(by_first * doubts[0], by_second * doubts[1]))
    share = float(electrons / electrons_per_pixel)
    return Quantity(share, share * relative)


def _lag(alike: float) -> float:
    """Return the share b of neighbours, of b, 1, b, whose correlation is 2 b / (1 + 2 b^2)."""
    if alike <= 0:
        return 0.0
    return float((1 - np.sqrt(max(1 - 2 * alike**2, 0.0))) / (2 * alike))
