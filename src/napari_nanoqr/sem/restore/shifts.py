"""How far whole frames of one field of view are displaced, however little each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.progress import go_on
from napari_nanoqr.sem.restore.blocks import halved

_BANDS = ((10.0, 40.0), (5.0, 24.0), (2.5, 16.0), (1.5, 12.0))
"""Standard deviations in pixels between which images are compared, coarse ones first: where
frames show nothing by themselves, a mean of frames not yet in line still shows the symbol's
outline, then its finder patterns, then its modules. No noise of single pixels, no slow charging.
"""

_HELD = 1.25
"""Standard deviation of a band, in pixels, that its smaller images still have."""

_LEAST_SIDE = 24
"""Pixels that a smaller image has at least along each side."""

_ROUNDS = 2
"""How often the mean is made anew in each band, and once more in the last."""

_STEP_PX = 4.0
"""Standard deviation of the way from one frame to the next: where frames show something it hardly
matters, and where they do not it keeps them from being lost."""


def frame_shifts(
    frames: NDArray[Any] | Sequence[NDArray[Any]],
    *,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float64]:
    """Return how far each frame has to be moved to lie on the mean of all.

    Parameters
    ----------
    frames : (frame, y, x) array, or as many (y, x) arrays
        Grey values, finite.
    cancelled : callable, optional
        Asked between frames.

    Returns
    -------
    (frame, 2) float array
        y and x in pixels.

    Raises
    ------
    Cancelled
        Where it was.

    Notes
    -----
    The most probable place: the likelihood of a shift is the correlation with the other frames
    over its noise, and frames lie near those before and after. Each band is worked out on images
    that are as small as the band allows, and of these it keeps one spectrum a frame: all in all
    less memory than frames of 8 bits take.
    """
    shifts = np.zeros((len(frames), 2))
    smaller: list[NDArray[np.float32]] = []
    made = 0
    for band in _BANDS:
        times = _times(band[0], np.shape(frames[0]))
        if times != made:
            smaller, made = [], times
            for frame in frames:
                go_on(cancelled)
                smaller.append(_smaller(frame, times))
        for _ in range(_ROUNDS + (band == _BANDS[-1])):
            go_on(cancelled)
            scaled = (band[0] / times, band[1] / times)
            shifts = times * _better(smaller, shifts / times, scaled, _STEP_PX / times)
    return shifts


def _times(sigma_px: float, shape: tuple[int, ...]) -> int:
    """Return by how many times images can be made smaller for a band."""
    # in the finest band half of the pixels along each side are left: what is finer than that
    # the band takes out anyhow
    times = max(2, int(2 ** np.floor(np.log2(sigma_px / _HELD))))
    while times > 1 and min(shape) < times * _LEAST_SIDE:
        times //= 2
    return times


def _smaller(frame: NDArray[Any], times: int) -> NDArray[np.float32]:
    """Return a frame so many times smaller, a power of two."""
    result = np.asarray(frame, dtype=np.float32)
    while times > 1:
        result, times = halved(result), times // 2
    return result


def _better(
    frames: Sequence[NDArray[np.float32]],
    shifts: NDArray[np.float64],
    band: tuple[float, float],
    step: float,
) -> NDArray[np.float64]:
    """Return the shifts after each frame was compared with the mean of the others."""
    from scipy.fft import irfft2, rfft2

    height, width = frames[0].shape
    along_y, along_x = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    square = 2 * np.pi**2 * np.add.outer(along_y**2, along_x**2)
    passed = np.exp(-square * band[0] ** 2) - np.exp(-square * band[1] ** 2)
    passed = passed.astype(np.float32)
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    window = window.astype(np.float32)
    # whole pixels are moved before the window is laid on, which else holds the frames back
    whole = np.rint(shifts).astype(int)
    aligned = []
    for frame, there, (dy, dx) in zip(frames, whole, shifts - whole, strict=True):
        rolled = np.roll(frame - frame.mean(), tuple(there), axis=(0, 1)) * window
        turns = [np.exp(-2j * np.pi * f * d) for f, d in ((along_y, dy), (along_x, dx))]
        phase = np.multiply.outer(*turns).astype(np.complex64)
        aligned.append(rfft2(rolled) * phase * passed)
    total = np.sum(aligned, axis=0)
    # how often a frequency of half a spectrum stands in the whole
    often = np.where((along_x == 0) | (along_x == 0.5), 1.0, 2.0) / (height * width)
    sums, powers = [], []
    for one in aligned:
        product = (total - one) * one.conj()
        sums.append((product.real @ often).sum())
        powers.append(((product.real**2 + product.imag**2) @ often).sum())
    noise, peak = float(np.mean(powers)) / (height * width), float(np.mean(sums))
    trust = max(peak, 0.0) / max(noise, 1e-30)
    found = shifts.copy()
    offsets = [np.fft.fftfreq(n, 1 / n) for n in (height, width)]
    for i, one in enumerate(aligned):
        surface = irfft2((total - one) * one.conj(), s=(height, width))
        near = found[max(i - 1, 0) : i + 2 : 2] if i else found[1:2]
        expected = near.mean(axis=0) - shifts[i]
        far = [(o - e) ** 2 for o, e in zip(offsets, expected, strict=True)]
        held = len(near) / (2 * step**2) * np.add.outer(*far)
        found[i] = shifts[i] + _peak(trust * surface - held)
    return found


def _peak(surface: NDArray[np.float64]) -> tuple[float, float]:
    """Return the maximum of a circular correlation, between pixels by a parabola."""
    height, width = surface.shape
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
    around_y = surface[[(row - 1) % height, row, (row + 1) % height], column]
    around_x = surface[row, [(column - 1) % width, column, (column + 1) % width]]
    y, x = row + _vertex(around_y), column + _vertex(around_x)
    return (
        float(y - height if y > height / 2 else y),
        float(x - width if x > width / 2 else x),
    )


def _vertex(three: NDArray[np.float64]) -> float:
    before, top, after = three
    curvature = before - 2 * top + after
    return float(0.5 * (before - after) / curvature) if curvature < 0 else 0.0
