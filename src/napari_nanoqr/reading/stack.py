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
    # a band that holds modules of 4 to 40 pixels: no noise of single pixels, no slow charging
    spectra = np.stack(
        [
            np.fft.rfft2((gaussian_filter(f, 1.5) - gaussian_filter(f, 12.0)) * window)
            for f in frames
        ]
    ).astype(np.complex64)
    shifts = np.zeros((len(frames), 2))
    along_y = np.fft.fftfreq(height)[:, None]
    along_x = np.fft.rfftfreq(width)[None, :]
    for number in range(rounds + 1):
        turns = [np.exp(-2j * np.pi * (along_y * dy + along_x * dx)) for dy, dx in shifts]
        moved = [s * turn for s, turn in zip(spectra, turns, strict=True)]
        total = np.sum(moved, axis=0)
        for i, spectrum in enumerate(spectra):
            # the first round has no mean worth the name if the drift is large: use the first frame
            other = spectra[0] if number == 0 else total - moved[i]
            if number == 0 and i == 0:
                continue
            surface = np.fft.irfft2(other * spectrum.conj(), s=(height, width))
            shifts[i] = _peak(surface)
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
