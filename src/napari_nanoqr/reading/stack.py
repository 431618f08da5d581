"""Frames of one field of view, brought into line and averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BANDS = ((10.0, 40.0), (5.0, 24.0), (2.5, 16.0), (1.5, 12.0))
"""Standard deviations in pixels between which images are compared, coarse ones first: where
frames show nothing by themselves, a mean of frames not yet in line still shows the symbol's
outline, then its finder patterns, then its modules. No noise of single pixels, no slow charging.
"""

_ROUNDS = 2
"""How often the mean is made anew in each band, and once more in the last."""

_STEP_PX = 4.0
"""Standard deviation of the way from one frame to the next: where frames show something it hardly
matters, and where they do not it keeps them from being lost."""


def registered_mean(frames: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of frames after taking out their shifts.

    Each frame is compared with the mean of all others, so that frames which show nothing by
    themselves find their place too.

    Parameters
    ----------
    frames : (frame, y, x) array
        Grey values, finite.

    Returns
    -------
    (y, x) float32 array
        The mean, in the place of the first frame.
    """
    stack = frames.astype(np.float32)
    if len(stack) == 1:
        return np.asarray(stack[0])
    shifts = frame_shifts(stack)
    return _shifted_mean(stack, shifts - shifts[0])


def frame_shifts(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how far each frame has to be moved to lie on the mean of all.

    Parameters
    ----------
    frames : (frame, y, x) float32 array
        Grey values, finite.

    Returns
    -------
    (frame, 2) float array
        y and x in pixels.

    Notes
    -----
    The most probable place: the likelihood of a shift is the correlation with the other frames
    over its noise, and frames lie near those before and after.
    """
    shifts = np.zeros((len(frames), 2))
    for band in _BANDS:
        for _ in range(_ROUNDS + (band == _BANDS[-1])):
            shifts = _better(frames, shifts, band)
    return shifts


def _better(
    frames: NDArray[np.float32], shifts: NDArray[np.float64], band: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the shifts after each frame was compared with the mean of the others."""
    from scipy.fft import irfft2, rfft2

    height, width = frames.shape[1:]
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
    surfaces = [irfft2((total - one) * one.conj(), s=(height, width)) for one in aligned]
    noise = float(np.mean([surface.var() for surface in surfaces]))
    peak = float(np.mean([surface[0, 0] for surface in surfaces]))
    found = shifts.copy()
    offsets = [np.fft.fftfreq(n, 1 / n) for n in (height, width)]
    for i, surface in enumerate(surfaces):
        near = found[max(i - 1, 0) : i + 2 : 2] if i else found[1:2]
        expected = near.mean(axis=0) - shifts[i]
        far = [(o - e) ** 2 for o, e in zip(offsets, expected, strict=True)]
        held = len(near) / (2 * _STEP_PX**2) * np.add.outer(*far)
        found[i] = shifts[i] + _peak(max(peak, 0.0) / max(noise, 1e-30) * surface - held)
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


def _shifted_mean(frames: NDArray[np.float32], shifts: NDArray[np.float64]) -> NDArray[np.float32]:
    from scipy.ndimage import shift

    total = np.zeros(frames.shape[1:], dtype=np.float32)
    for frame, (dy, dx) in zip(frames, shifts, strict=True):
        total += shift(frame, (dy, dx), order=1, mode="nearest")
    return total / np.float32(len(frames))
