"""Frames of one field of view, brought into line and averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def registered_mean(frames: NDArray[Any], *, rounds: int = 2) -> NDArray[np.float32]:
    """Return the mean of frames after taking out their shifts.

    Each frame is compared with the mean of all, so that frames which show nothing by
    themselves find their place too.

    Parameters
    ----------
    frames : (frame, y, x) array
        Grey values, finite.
    rounds : int
        How often the mean is made anew from the shifts found so far.

    Returns
    -------
    (y, x) float32 array
        The mean, in the place of the first frame.
    """
    stack = frames.astype(np.float32)
    if len(stack) == 1:
        return np.asarray(stack[0])
    shifts = frame_shifts(stack, rounds=rounds)
    return _shifted_mean(stack, shifts - shifts[0])


def frame_shifts(frames: NDArray[np.float32], *, rounds: int = 2) -> NDArray[np.float64]:
    """Return how far each frame has to be moved to lie on the mean of all.

    Parameters
    ----------
    frames : (frame, y, x) float32 array
        Grey values, finite.
    rounds : int
        As in :func:`registered_mean`.

    Returns
    -------
    (frame, 2) float array
        y and x in pixels.
    """
    from scipy.ndimage import gaussian_filter

    height, width = frames.shape[1:]
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    window = window.astype(np.float32)
    # a band that holds modules of 4 to 40 pixels: no noise of single pixels, no slow charging
    banded = [gaussian_filter(f, 1.5) - gaussian_filter(f, 12.0) for f in frames]
    along_y = np.fft.fftfreq(height)[:, None]
    along_x = np.fft.rfftfreq(width)[None, :]
    shifts = np.zeros((len(frames), 2))
    for number in range(rounds + 1):
        # whole pixels are moved before the window is laid on, which else holds the frames back
        whole = np.rint(shifts).astype(int)
        spectra = [
            np.fft.rfft2(np.roll(frame, tuple(step), axis=(0, 1)) * window)
            for frame, step in zip(banded, whole, strict=True)
        ]
        rest = shifts - whole
        aligned = [
            spectrum * np.exp(-2j * np.pi * (along_y * dy + along_x * dx))
            for spectrum, (dy, dx) in zip(spectra, rest, strict=True)
        ]
        total = np.sum(aligned, axis=0)
        for i, spectrum in enumerate(spectra):
            if number == 0 and i == 0:
                continue
            # at first there is no mean worth the name: all are compared with the first frame
            other = spectra[0] if number == 0 else total - aligned[i]
            surface = np.fft.irfft2(other * spectrum.conj(), s=(height, width))
            shifts[i] = whole[i] + _peak(surface)
    return shifts


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
