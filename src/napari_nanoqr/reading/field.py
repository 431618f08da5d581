"""Uneven brightness under a symbol: charging, shading, contamination.

What the known modules do not explain is divided into a smooth field and the rest by the
likelihood of its spectrum. Nothing is subtracted that depends on what is written; where the
brightness is even the field comes out as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.pulse import Pulse, inner
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import CELLS, MARGIN

_LENGTHS = (5.0, 7.0, 10.0, 15.0, 22.0)
"""Lengths in modules over which a field changes; shorter ones cannot be told from modules."""

_RATIOS = np.geomspace(1e-2, 1e2, 13)
"""Mean square of the field over that of the rest."""

_MOST_WAVES = 64
"""Faster waves along an axis hold no field and are left out."""

_LEAST_GAIN = 25.0
"""Log-likelihood that a field has to gain: one that matters gains a hundred.

Damage and words that repeat can look like a weak field over some five modules.
"""

_LEAST_CONTRAST = 0.2
"""The contrast is never taken to fall below this share."""


@dataclass(frozen=True, eq=False)
class Field:
    """Brightness and contrast over a symbol.

    Parameters
    ----------
    brightness : (rows, columns) float array
        Grey values to subtract, the margin included.
    contrast : (rows, columns) float array
        Relative contrast, 1 in the mean.
    """

    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]

    def removed(self, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return cells without the uneven brightness, ``(3, 3, rows, columns)``."""
        if not self.brightness.any():
            return cells
        down, right = np.gradient(self.brightness)
        steps = (np.arange(CELLS) - CELLS // 2) / CELLS
        local = (
            self.brightness + steps[:, None, None, None] * down + steps[None, :, None, None] * right
        )
        return np.asarray(cells - local, dtype=np.float32)


def even(shape: tuple[int, int]) -> Field:
    """Return no field at all."""
    return Field(np.zeros(shape), np.ones(shape))


def fit_field(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    open_share: float,
    before: Field,
) -> Field:
    """Fit the brightness that modules do not explain.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values as sampled.
    pulse : Pulse
        What a module does to them under even brightness.
    signs : (rows, columns) float array
        Expectation of each module, the margin included.
    open_share : float
        Mean variance of the modules.
    before : Field
        What was found before: where the contrast is low, modules explain less.

    Returns
    -------
    Field
        Zero and one where the likelihood does not call for more.

    Notes
    -----
    The residuals' cosine transform is taken as independent normal values: a field with a
    Gaussian spectrum, plus what undecided modules and noise leave. Length and strength are those
    of the greatest likelihood; the field is the Wiener estimate.
    """
    from scipy.fft import dctn, idctn

    explained = inner(pulse.expected(signs, before.contrast).mean(axis=(0, 1)))
    # without the margin: there a field cannot be told from another ground
    means = inner(cells.mean(axis=(0, 1)))
    left = means - explained
    waves = min(left.shape[0], _MOST_WAVES), min(left.shape[1], _MOST_WAVES)
    seen = dctn(left, norm="ortho")[: waves[0], : waves[1]]
    power = seen**2
    frequency = [np.pi * np.arange(n) / size for n, size in zip(waves, left.shape, strict=True)]
    rest = _rest_spectrum(pulse, open_share, *frequency)
    square = np.add.outer(frequency[0] ** 2, frequency[1] ** 2)
    best, kept = float(_log_likelihood(power, rest[None])[0]) + _LEAST_GAIN, None
    for length in _LENGTHS:
        shape = np.exp(-0.5 * length**2 * square) * length**2 / 2 * np.pi
        whole = rest + _RATIOS[:, None, None] * float(rest.mean()) * shape
        gains = _log_likelihood(power, whole)
        ratio = int(np.argmax(gains))
        if gains[ratio] > best:
            best, kept = float(gains[ratio]), 1 - rest / whole[ratio]
    if kept is None:
        return even(signs.shape)
    spread = np.zeros(left.shape)
    kept[0, 0] = 0.0  # the mean is the pulse's offset
    spread[: waves[0], : waves[1]] = kept * seen
    brightness = idctn(spread, norm="ortho")
    signal = inner(pulse.expected(signs).mean(axis=(0, 1))) - pulse.offset
    above_black = pulse.offset - float(cells.min())
    unexplained = means - pulse.offset - brightness - signal
    contrast = _contrast(unexplained, signal, brightness, above_black)
    return Field(np.pad(brightness, MARGIN, mode="edge"), np.pad(contrast, MARGIN, mode="edge"))


def _rest_spectrum(
    pulse: Pulse, open_share: float, down: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the spectrum of what undecided modules and noise leave in the module means."""
    kernel = pulse.taps.mean(axis=(0, 1))
    places = np.arange(-REACH, REACH + 1)
    transfer = np.abs(
        np.exp(1j * np.outer(down, places)) @ kernel @ np.exp(1j * np.outer(places, right))
    )
    result: NDArray[np.float64] = open_share * transfer**2 + pulse.noise / CELLS**2
    return result


def _log_likelihood(
    power: NDArray[np.float64], spectra: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return that of a power spectrum without its mean under each spectrum, scales free."""
    flat = spectra.reshape(len(spectra), -1)[:, 1:]
    scale = np.maximum((power.ravel()[1:] / flat).mean(axis=1), 1e-300)
    result: NDArray[np.float64] = -0.5 * np.log(flat).sum(axis=1) - 0.5 * flat.shape[1] * np.log(
        scale
    )
    return result


def _contrast(
    left: NDArray[np.float64],
    signal: NDArray[np.float64],
    brightness: NDArray[np.float64],
    above_black: float,
) -> NDArray[np.float64]:
    """Return the relative contrast, taken as linear in the brightness.

    A gain that varies acts on both: the contrast then goes to zero with the brightness, at
    black. An offset that varies acts on the brightness alone.
    """
    most = 1 / max(above_black, 1e-9)
    product = signal * brightness
    # beforehand anything between the two is as likely; the image decides so far as it can
    held = 4 * float((left**2).mean()) / most**2
    slope = (float((product * left).sum()) + held * most / 2) / (
        float((product**2).sum()) + held + 1e-12
    )
    contrast = np.maximum(1 + np.clip(slope, 0, most) * brightness, _LEAST_CONTRAST)
    return np.asarray(contrast, dtype=np.float64)
