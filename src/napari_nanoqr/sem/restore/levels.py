"""Two grey levels of a written film, each of which changes slowly over the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DEGREES = (0, 1, 2, 3, 4)
"""Of the polynomials, one after the other: what changes slowly is told first."""

_ROUNDS = 6
"""How often pixels are divided anew for each degree."""

_SIDE = 160
"""Blocks along the longer side of what the levels are fitted to."""

_CONTRAST_DEGREE = 2
_CONTRAST_HELD = 0.005
"""Degree of the polynomial of the contrast, and how strongly its terms are held at zero."""

_STEEP = 0.1
"""Slope, in contrasts a block, from which on a place is an edge."""

_MEDIAN_TO_SIGMA = 1.4826
"""Standard deviation over the median of the magnitudes of a normal distribution."""

_LEAST_CONTRAST = 0.15
"""The contrast is never taken to fall below this share of its mean."""


_Coefficients = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of dark and of light areas.

    Parameters
    ----------
    dark, light : (y, x) float32 arrays
        Grey values.
    """

    dark: NDArray[np.float32]
    light: NDArray[np.float32]

    @property
    def contrast(self) -> NDArray[np.float32]:
        """Their difference, everywhere above zero."""
        apart = self.light - self.dark
        return np.asarray(np.maximum(apart, _LEAST_CONTRAST * max(float(apart.mean()), 1e-9)))

    @property
    def middle(self) -> NDArray[np.float32]:
        """What lies between them."""
        return np.asarray((self.light + self.dark) / 2)


def two_levels(image: NDArray[np.float32]) -> Levels:
    """Fit the levels of dark and light areas to an image, as polynomials of degree 4.

    What is written does not count as uneven: every pixel is dark or light, and only how dark
    and how light it is may change over the image.

    Parameters
    ----------
    image : (y, x) float32 array
        Grey values, finite.

    Returns
    -------
    Levels
        Of an image with one level only, both lie a little beside it.

    Notes
    -----
    Division and fit take turns, as in W. M. Wells et al., IEEE Trans. Med. Imaging 15, 429
    (1996).
    """
    from napari_nanoqr.sem.restore.blocks import block_means

    size = min(-(-max(image.shape) // _SIDE), min(image.shape))
    small = block_means(image, size)
    # coordinates from -1 to 1 over the image, of the blocks' centres
    coarse = [((np.arange(n) + 0.5) * size) / full * 2 - 1
              for n, full in zip(small.shape, image.shape, strict=True)]  # fmt: skip
    fine = [(np.arange(n) + 0.5) / n * 2 - 1 for n in image.shape]
    values = small.ravel().astype(np.float64)
    steep = _steepness(small).ravel()
    best: tuple[float, _Coefficients] | None = None
    # from two even levels, and from what is above and below a surface through all of it
    for first in (0, _DEGREES[-1]):
        found, left = _divided(values, steep, coarse, first)
        if best is None or left < best[0]:
            best = left, found
    assert best is not None
    middle, apart = best[1]
    between, half = _surface(middle, fine), np.float32(0.5) * _surface(apart, fine)
    return Levels(np.asarray(between - half), np.asarray(between + half))


def _divided(
    values: NDArray[np.float64],
    steep: NDArray[np.float64],
    at: list[NDArray[np.float64]],
    first: int,
) -> tuple[_Coefficients, float]:
    """Return middle and contrast, and what they leave, beginning with a surface of a degree."""
    basis = _products(at, first)
    ground = basis @ np.linalg.lstsq(basis, values)[0]
    dark, light = (ground + level for level in _split(values - ground))
    for degree in _DEGREES[_DEGREES.index(first) :]:
        basis = _products(at, degree)
        # how much the contrast changes is told by few pixels where there is little of one level
        bent = basis[:, : _terms(min(degree, _CONTRAST_DEGREE))]
        for _ in range(_ROUNDS):
            # an edge belongs to neither level, nor does what is next to one
            flat = 1 / (1 + (steep / (_STEEP * np.maximum(light - dark, 1e-9))) ** 2)
            found = _fit(basis, bent, values, _likely_light(values, dark, light), flat)
            between, half = basis @ found[0], bent @ found[1] / 2
            dark, light = between - half, between + half
    left = np.minimum(np.abs(values - dark), np.abs(values - light))
    return found, float(left.mean())


def _steepness(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the slope at each pixel, in grey values a pixel."""
    slopes = [np.gradient(image, axis=axis) for axis in (0, 1) if image.shape[axis] > 1]
    squares = [np.asarray(slope, dtype=np.float64) ** 2 for slope in slopes]
    return np.asarray(np.sqrt(sum(squares, start=np.zeros(image.shape))))


def _split(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return two even levels to begin with."""
    from skimage.filters import threshold_otsu

    low, high = float(values.min()), float(values.max())
    limit = float(threshold_otsu(values)) if high > low else low  # type: ignore[no-untyped-call]
    below, above = values[values <= limit], values[values > limit]
    dark = float(below.mean()) if below.size else low
    return dark, float(above.mean()) if above.size else dark


def _likely_light(
    values: NDArray[np.float64], dark: NDArray[np.float64], light: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how likely each value belongs to the light areas."""
    from scipy.special import expit

    apart = np.maximum(light - dark, 1e-9)
    # edges between the levels tell little of either
    place = (values - dark) / apart - 0.5
    return np.asarray(expit(8 * place))


def _fit(
    basis: NDArray[np.float64],
    bent: NDArray[np.float64],
    values: NDArray[np.float64],
    is_light: NDArray[np.float64],
    flat: NDArray[np.float64],
) -> _Coefficients:
    """Return the coefficients of the middle and of the contrast, outliers counting little."""
    design = np.hstack((basis, bent * (is_light - 0.5)[:, None]))
    share = (2 * is_light - 1) ** 2 * flat**2
    held = np.full(design.shape[1], 1e-3 * len(values))
    held[basis.shape[1] :] = _CONTRAST_HELD * len(values)
    # nothing holds the mean of the middle, and next to nothing that of the contrast
    held[[0, basis.shape[1]]] = 0, 1e-6 * len(values)
    weight = share
    for _ in range(2):
        square = (design * weight[:, None]).T @ design
        # on an even image there is nothing that would tell the contrast
        found = np.linalg.lstsq(square + np.diag(held), design.T @ (weight * values))[0]
        left = values - design @ found
        spread = _MEDIAN_TO_SIGMA * float(np.median(np.abs(left)))
        if spread <= 0:
            break
        weight = share / (1 + (left / (3 * spread)) ** 2)
    return np.asarray(found[: basis.shape[1]]), np.asarray(found[basis.shape[1] :])


def _terms(degree: int) -> int:
    return (degree + 1) * (degree + 2) // 2


def _pairs(terms: int) -> list[tuple[int, int]]:
    """Return the degrees along y and x of each term, lower total degrees first."""
    degree = next(d for d in range(terms) if _terms(d) == terms)
    return [(i, d - i) for d in range(degree + 1) for i in range(d + 1)]


def _products(at: list[NDArray[np.float64]], degree: int) -> NDArray[np.float64]:
    """Return Legendre polynomials up to a total degree at all points, ``(n, terms)``."""
    from numpy.polynomial.legendre import legvander

    y, x = (legvander(along, degree) for along in at)
    pairs = _pairs(_terms(degree))
    return np.stack([np.multiply.outer(y[:, i], x[:, j]).ravel() for i, j in pairs], axis=-1)


def _surface(
    coefficients: NDArray[np.float64], at: list[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Return the sum of such polynomials, ``(y, x)``."""
    from numpy.polynomial.legendre import leggrid2d

    pairs = _pairs(len(coefficients))
    table = np.zeros((pairs[-1][0] + 1,) * 2)
    for c, (i, j) in zip(coefficients, pairs, strict=True):
        table[i, j] = c
    return np.asarray(leggrid2d(at[0], at[1], table), dtype=np.float32)
