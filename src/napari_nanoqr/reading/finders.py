"""Find finder patterns: squares in squares, at any rotation, of either polarity, in noise.

The pattern's correlation with the image is wanted at every place and every angle. Around its
centre the pattern repeats every 90 degrees, so that it is a sum of angular harmonics 0, 4, 8
...; the first two hold 95 % of it. With those the best angle and the correlation there follow
from three convolutions in closed form (W. T. Freeman and E. H. Adelson, IEEE TPAMI 13, 1991:
steerable filters). Divided by the local spread, brightness and contrast do not matter.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.finder_set import STRONG, Finders, distinct, without_weak
from napari_nanoqr.reading.interpolation import interpolate_at
from napari_nanoqr.reading.scaled import Scaled
from napari_nanoqr.reading.smooth import block_means

_BLUR = 0.45
"""Standard deviation in modules: of the smoothed image, the probe and rounded corners."""

_RADIUS = {False: 4.6, True: 3.7}
"""Modules around the centre that count, with the separator and without."""

_APART = 2.0
"""Modules; peaks nearer to a higher one are part of it."""

_LEAST_PEAK = 0.35
"""Correlation before the fit."""

_TILES = (128, 160, 192, 256)
"""Pixels; transforms of these sizes are quick and stay within a processor's cache."""

_STEPS = 5
"""Iterations of the fit; it comes within a hundredth of a module in three or four."""

_LEAST_STEPS, _FURTHER = 3, 1e-3
"""Iterations after which those end that no longer gain so much correlation."""


def find_finders(scaled: Scaled, weak: int, *, least: float = 0.4, bare: bool = False) -> Finders:
    """Return the places that look most like finder patterns.

    Parameters
    ----------
    scaled : Scaled
        The image; a module may be 15 % larger or smaller than it says.
    weak : int
        How many to return at most whose correlation is below :data:`STRONG`.
    least : float
        Least correlation.
    bare : bool
        Nothing is expected around the 7 x 7 modules: without a quiet zone a finder pattern
        may stand in a dark ground.

    Returns
    -------
    Finders
        Best first.
    """
    y, x = _peaks(_surface(scaled.image, bare, scaled.per_module), weak, scaled.per_module)
    centres = np.stack((y, x), axis=-1).astype(np.float64)
    even, real, imaginary = _harmonics(scaled.image, y, x, bare, scaled.per_module)
    signs = np.where(even < 0, -1.0, 1.0)
    # where dark modules are bright, the pattern's sign turns, which the fourth harmonic has too
    turns = np.arctan2(-imaginary * signs, real * signs) / 4
    # where a fit went astray it ends on another's place or on nothing
    finders = _fit(scaled, centres, turns, signs, bare)
    finders = finders[np.abs(finders.correlation) >= least]
    return without_weak(distinct(finders), weak)


def _pattern(
    down: NDArray[np.float64], right: NDArray[np.float64], bare: bool
) -> NDArray[np.float64]:
    """Return the blurred pattern: light 1, dark -1, 0 where nothing is known.

    A sum of squares, each blurred along rows times blurred along columns.
    """
    from scipy.special import erf

    def square(half: float) -> NDArray[np.float64]:
        sides = [
            0.5 * (erf((half - a) / (_BLUR * 2**0.5)) + erf((half + a) / (_BLUR * 2**0.5)))
            for a in (down, right)
        ]
        result: NDArray[np.float64] = sides[0] * sides[1]
        return result

    ground = -square(3.5) if bare else square(4.5) - 2 * square(3.5)
    return ground + 2 * square(2.5) - 2 * square(1.5)


@lru_cache(maxsize=4)
def _kernels(bare: bool, per_module: int) -> NDArray[np.float32]:
    """Return the pattern's harmonic 0, and the real and imaginary part of 4, in a window."""
    edge = _RADIUS[bare]
    reach = int(np.ceil(edge * per_module)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] / per_module
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    # a soft edge: the window must look the same from all sides
    window = np.clip((edge - radius) * per_module / 2 + 0.5, 0, 1)
    turns = np.linspace(0, np.pi / 2, 48, endpoint=False)
    zero = np.zeros_like(radius)
    four = np.zeros_like(radius)
    for turn in turns:
        seen = _pattern(radius * np.sin(turn), radius * np.cos(turn), bare)
        zero += seen / len(turns)
        four += seen * np.cos(4 * turn) * 2 / len(turns)
    window /= window.sum()
    zero -= (window * zero).sum()
    energy = (window * (zero**2 + 0.5 * four**2)).sum()
    parts = (zero, four * np.cos(4 * angle), -four * np.sin(4 * angle))
    return np.asarray(np.stack(parts) * window / np.sqrt(energy), dtype=np.float32)


@lru_cache(maxsize=64)
def _spectra(bare: bool, per_module: int, shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Return what the spectrum of a tile is multiplied with."""
    from scipy.fft import rfft2

    spectra: NDArray[np.complex64] = np.conj(rfft2(_kernels(bare, per_module), shape))
    return spectra


def _harmonics(
    image: NDArray[np.float32],
    y: NDArray[np.intp],
    x: NDArray[np.intp],
    bare: bool,
    per_module: int,
) -> NDArray[np.float64]:
    """Return the image's products with the pattern's harmonics at some places, ``(3, n)``."""
    kernels = _kernels(bare, per_module)
    reach = kernels.shape[1] // 2
    steps = np.arange(-reach, reach + 1)
    rows = (y[:, None] + steps).clip(0, image.shape[0] - 1)
    columns = (x[:, None] + steps).clip(0, image.shape[1] - 1)
    around = image[rows[:, :, None], columns[:, None]].reshape(y.size, steps.size**2)
    return np.asarray(kernels.reshape(3, -1) @ around.T, dtype=np.float64)


def _strength(image: NDArray[np.float32], bare: bool, per_module: int) -> NDArray[np.float32]:
    """Return the product with the pattern at the best angle and sign, at all places."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    reach = _kernels(bare, per_module).shape[1] // 2
    padded = np.pad(image, reach, mode="edge")
    # tile by tile: short transforms are quick, and those of the pattern are at hand
    tile = [min(_tile(n, reach), next_fast_len(n, real=True)) for n in padded.shape]
    spectra = _spectra(bare, per_module, (tile[0], tile[1]))
    height, width = (n - 2 * reach for n in tile)
    strength = np.empty(image.shape, dtype=np.float32)
    for top in range(0, image.shape[0], height):
        for left in range(0, image.shape[1], width):
            part = padded[top : top + tile[0], left : left + tile[1]]
            target = strength[top : top + height, left : left + width]
            whole = irfft2(rfft2(part, tile) * spectra, tile)
            even, *four = whole[:, : target.shape[0], : target.shape[1]]
            np.sqrt(four[0] ** 2 + four[1] ** 2, out=target)
            target += np.abs(even)
    return strength


def _tile(count: int, reach: int) -> int:
    """Return the length of tiles that cover so many pixels with the least work."""
    return min(_TILES, key=lambda n: n * -(-(count - 2 * reach) // (n - 2 * reach)))


def _surface(image: NDArray[np.float32], bare: bool, per_module: int) -> NDArray[np.float32]:
    """Return the correlation at the best angle and sign."""
    from scipy.ndimage import uniform_filter

    surface = _strength(image, bare, per_module)
    # the square of about the window's area; the mean is nought in a flat image. It changes so
    # little from pixel to pixel that they may as well be taken two by two
    side = 2 * int(0.443 * _RADIUS[bare] * per_module) + 1
    power = np.pad(image, [(0, n % 2) for n in image.shape], mode="edge") ** 2
    spread = uniform_filter(block_means(power, 2), side, mode="nearest")
    np.sqrt(np.maximum(spread, 0, out=spread), out=spread)
    spread += np.float32(0.02 * spread.mean() + 1e-12)
    spread = spread.repeat(2, axis=0).repeat(2, axis=1)[: image.shape[0], : image.shape[1]]
    surface /= spread
    return surface


def _peaks(
    surface: NDArray[np.float32], weak: int, per_module: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the maxima are: all high ones, and the highest of the others.

    Blocks are compared, as wide as maxima are to be apart: between finder patterns there is
    much more.
    """
    block = int(_APART * per_module)
    tall, wide = (-(-n // block) for n in surface.shape)
    filled = np.zeros((tall * block, wide * block), dtype=np.float32)
    filled[: surface.shape[0], : surface.shape[1]] = surface
    rows = filled.reshape(tall, block, wide * block).max(axis=1)
    highest = np.full((tall + 2, wide + 2), np.float32(_LEAST_PEAK))
    highest[1:-1, 1:-1] = rows.reshape(tall, wide, block).max(axis=2)
    inside = highest[1:-1, 1:-1]
    top = inside > _LEAST_PEAK
    for down in range(3):
        for right in range(3):
            top &= inside >= highest[down : down + tall, right : right + wide]
    i, j = np.nonzero(top)
    order = np.argsort(-inside[i, j], kind="stable")
    order = order[: int((inside[i, j] > STRONG).sum()) + 2 * weak]
    i, j = i[order], j[order]
    within = (
        filled.reshape(tall, block, wide, block)[i, :, j]
        .reshape(len(i), block * block)
        .argmax(axis=1)
    )
    return i * block + within // block, j * block + within % block


@lru_cache(maxsize=2)
def _fitter(
    bare: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return points in modules, the pattern there, and the matrix that solves for its change.

    Image = a + b * (pattern - slope * shift), the shift an affine function of the place: one
    matrix gives a, b and -b * shift for every place in the image.
    """
    axis = (np.arange(14) - 6.5) / 2 if bare else (np.arange(18) - 8.5) / 2
    down, right = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    value = _pattern(down, right, bare)
    tiny = 1e-4
    slope = np.stack(
        (
            (_pattern(down + tiny, right, bare) - _pattern(down - tiny, right, bare)) / (2 * tiny),
            (_pattern(down, right + tiny, bare) - _pattern(down, right - tiny, bare)) / (2 * tiny),
        )
    )
    columns = [np.ones_like(value), value]
    columns += [slope[i] * c for i in (0, 1) for c in (np.ones_like(down), down, right)]
    design = np.stack(columns, axis=-1)
    # a pattern is hardly ever sheared or stretched by more than a fifth
    held = np.diag([0, 0, 0, 1, 1, 0, 1, 1]) * 0.02 * len(value)
    solve = np.linalg.solve(design.T @ design + held, design.T)
    return np.stack((down, right), axis=-1), value, solve.astype(np.float64)


def _fit(
    scaled: Scaled,
    centre: NDArray[np.float64],
    angle: NDArray[np.float64],
    sign: NDArray[np.float64],
    bare: bool,
) -> Finders:
    """Move, turn, scale and shear the pattern at all places at once until it fits best."""
    points, value, solve = _fitter(bare)
    # what is seen has no more digits than these
    solve = solve.astype(np.float32)
    cosine, sine = np.cos(angle) * scaled.per_module, np.sin(angle) * scaled.per_module
    frame = np.stack((np.stack((cosine, sine), -1), np.stack((-sine, cosine), -1)), -2)
    centred = (value - value.mean()).astype(np.float32)
    norm = float(np.sqrt((centred**2).sum()))
    best = np.full(len(centre), -2.0)
    best_centre, best_frame = centre.copy(), frame.copy()
    moving, single = np.arange(len(centre)), sign.astype(np.float32)
    for step in range(_STEPS + 1):
        # one product for all places, each coordinate in one piece of memory
        y, x = (centre[:, i, None] + np.ascontiguousarray(frame[:, i]) @ points.T for i in (0, 1))
        seen = interpolate_at(scaled.image, y, x) * single[moving, None]
        seen -= seen.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.einsum("np,np->n", seen, seen))
        fits = seen @ centred / np.maximum(spread * norm, 1e-12)
        gain = fits - best[moving]
        better = moving[gain > 0]
        best[better] = fits[gain > 0]
        best_centre[better], best_frame[better] = centre[gain > 0], frame[gain > 0]
        if step == _STEPS:
            break
        change = seen @ solve.T
        contrast = np.maximum(change[:, 1], 0.2 * spread / norm)
        shift = -change[:, 2:].reshape(-1, 2, 3) / np.maximum(contrast, 1e-12)[:, None, None]
        shift = np.clip(shift, -0.7, 0.7)
        shift[:, :, 1:] = np.clip(shift[:, :, 1:], -0.12, 0.12)
        # places that come no further are left after some steps
        on = (gain > _FURTHER) | (step < _LEAST_STEPS)
        moving, frame, shift = moving[on], frame[on], shift[on]
        centre = centre[on] + np.einsum("nij,nj->ni", frame, shift[:, :, 0])
        frame = frame @ (np.eye(2) + shift[:, :, 1:])
    scale = np.array(scaled.step)
    return Finders(scaled.original(best_centre), best_frame * scale[:, None], best * sign)
