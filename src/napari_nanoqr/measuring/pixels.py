"""The noise of pixels inside modules, where the image should be even."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.inverse import to_modules
from napari_nanoqr.measuring.symbol_pixels import pixels_of
from napari_nanoqr.reading.grid import Grid, polynomials

_INNER = 0.3
"""Modules from the centre within which pixels count."""

_TERMS = 6
"""Of a polynomial of degree 2, which is taken out of each module: soft edges reach inside."""

_LEAST_PIXELS = 10
"""In a module, so that noise is left to be seen."""

_LEAST = 200
"""Degrees of freedom of each kind of modules, for a variance to 10 %."""


@dataclass(frozen=True)
class PixelNoise:
    """Noise of single pixels in light and in dark modules.

    Parameters
    ----------
    light, variance_light, freedom_light : float
        Mean grey value of the pixels that were looked at in light modules, their variance, and
        its degrees of freedom.
    dark, variance_dark, freedom_dark : float
        The same of dark modules.
    alike : float
        Correlation of neighbours along the fast axis.
    """

    light: float
    variance_light: float
    freedom_light: float
    dark: float
    variance_dark: float
    freedom_dark: float
    alike: float


def pixel_noise(
    image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_]
) -> PixelNoise | None:
    """Measure the noise of pixels inside the modules of a symbol.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor resampled.
    grid : Grid
        Where the symbol is.
    modules : (rows, columns) bool array
        What is written, True = dark.

    Returns
    -------
    PixelNoise or None
        None where modules are too small for it.
    """
    pixels = pixels_of(image.shape, grid, beyond=0.0)
    places = to_modules(grid, pixels)
    offset = places - np.floor(places) - 0.5
    inner = (np.abs(offset) < _INNER).all(axis=1)
    pixels, offset = pixels[inner].astype(np.intp), offset[inner] / _INNER
    module = np.floor(places[inner]).astype(np.intp)
    number = module[:, 0] * modules.shape[1] + module[:, 1]
    seen = image[pixels[:, 0], pixels[:, 1]].astype(np.float64)
    basis = polynomials(offset, 2)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(number, values, modules.size), dtype=np.float64)

    count = total(np.ones(len(seen)))
    normal = np.empty((modules.size, _TERMS, _TERMS))
    for i in range(_TERMS):
        for j in range(i + 1):
            normal[:, i, j] = normal[:, j, i] = total(basis[:, i] * basis[:, j])
    right = np.stack([total(basis[:, i] * seen) for i in range(_TERMS)], axis=-1)
    enough = count >= _LEAST_PIXELS
    solution = np.zeros((modules.size, _TERMS))
    solution[enough] = np.einsum("nij,nj->ni", np.linalg.pinv(normal[enough]), right[enough])
    left = seen - (basis * solution[number]).sum(axis=1)
    rest = total(left**2)
    kinds = []
    for kind in (~modules.ravel(), modules.ravel()):
        some = kind & enough
        freedom = float((count[some] - _TERMS).sum())
        if freedom < _LEAST:
            return None
        # what belongs to something else in a few modules must not count as noise
        each = rest[some] / (count[some] - _TERMS)
        usual = each < 4 * np.median(each)
        variance = float(rest[some][usual].sum() / (count[some] - _TERMS)[usual].sum())
        mean = float(total(seen)[some].sum() / count[some].sum())
        kinds.append((mean, variance, freedom))
    used = enough[number]
    return PixelNoise(*kinds[0], *kinds[1], _alike(left[used], pixels[used], number[used]))


def _alike(left: NDArray[np.float64], pixels: NDArray[np.intp], number: NDArray[np.intp]) -> float:
    """Return the correlation of neighbours in a row, of what is left within modules.

    Taking a polynomial out makes neighbours a little unlike, in rows as in columns; but only in
    a row do they share noise.
    """
    at = pixels - pixels.min(axis=0)
    picture = np.zeros(at.max(axis=0) + 1)
    module = np.full(picture.shape, -1)
    picture[at[:, 0], at[:, 1]], module[at[:, 0], at[:, 1]] = left, number
    found = []
    for axis in (0, 1):
        one, other = np.moveaxis(picture, axis, 0)[:-1], np.moveaxis(picture, axis, 0)[1:]
        same = np.diff(module, axis=axis) == 0
        same &= (module[:-1] if axis == 0 else module[:, :-1]) >= 0
        pairs = np.moveaxis(same, axis, 0)
        first, second = one[pairs], other[pairs]
        power = float(np.sqrt((first @ first) * (second @ second)))
        found.append(float(first @ second) / power if power > 0 else 0.0)
    return found[1] - found[0]
