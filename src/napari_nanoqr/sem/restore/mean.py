"""The mean of displaced frames, and what a displacement changes in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.progress import go_on
from napari_nanoqr.sem.restore.rows import moved_rows

Frames = NDArray[Any] | Sequence[NDArray[Any]]
"""``(frame, y, x)``, or as many ``(y, x)`` arrays, which may be made when they are asked for."""

_WIDE_PX = 25
"""Pixels along the side of the areas over which means are taken out: what is wider is charging,
not the specimen."""

_OUTSIDE = np.float32(1e-4)
"""What the edge of a frame counts beyond it: something only where no frame shows anything."""

_LEAST_CONTRAST = 0.05
"""A frame with less of the mean's contrast shows something else, or nothing."""

_SAMPLED = 3
"""Each so many rows tell the noise of a frame."""


@dataclass(frozen=True, eq=False)
class Mean:
    """The weighted mean of frames, each along its path.

    Parameters
    ----------
    halves : (2, y, x) float32 array
        The means of every other frame: what both of them show is no noise.
    counts : (2, y, x) float32 array
        Sums of weights.
    weights : (frame,) float array
        Of the frames.
    """

    halves: NDArray[np.float32]
    counts: NDArray[np.float32]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        frames: Frames,
        path: NDArray[np.float64],
        weights: NDArray[np.float64],
        cancelled: Callable[[], bool] | None = None,
    ) -> Mean:
        """Take the mean of frames, each along its ``(rows, 2)`` path."""
        shape = (2, path.shape[1], frames[0].shape[1])
        sums, counts = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for i, frame in enumerate(frames):
            go_on(cancelled)
            moved, inside = moved_rows(frame, path[i])
            share = np.where(inside, np.float32(max(weights[i], 1e-6)), _OUTSIDE)
            sums[i % 2] += share * moved
            counts[i % 2] += share
        return cls(np.asarray(sums / counts, np.float32), counts, weights)

    @property
    def image(self) -> NDArray[np.float32]:
        """The mean of all frames, ``(y, x)``."""
        return np.asarray((self.halves * self.counts).sum(axis=0) / self.counts.sum(axis=0))

    def slopes(self, smoothing_px: float) -> Slopes:
        """Return what displacements change in the mean, looked at with a Gaussian smoothing."""
        smooth = [_band(half, smoothing_px) for half in self.halves]
        image = self.image
        slopes = np.asarray(np.gradient(_band(image, smoothing_px)), np.float32)
        signal = np.zeros((image.shape[0], 2))
        for this, other in ((0, 1), (1, 0)):
            plain, looked = np.gradient(self.halves[this]), np.gradient(smooth[other])
            signal += 0.5 * np.stack([_row_sums(a, b) for a, b in zip(plain, looked, strict=True)],
                                     axis=-1)  # fmt: skip
        shown = 0.5 * sum(_row_sums(self.halves[i], smooth[1 - i]).sum() for i in (0, 1))
        shares = np.minimum(self.weights / self.weights.sum(), 0.9)
        return Slopes(
            image, slopes, signal, (smooth[0], smooth[1]), float(shown), shares, smoothing_px
        )


@dataclass(frozen=True, eq=False)
class Slopes:
    """What a displacement of frames changes against their mean.

    Parameters
    ----------
    image : (y, x) float32 array
        The mean.
    slopes : (2, y, x) float32 array
        Its slopes along y and x, looked at twice with the smoothing.
    signal : (y, 2) float array
        Sums over each row of the slopes and what they are of, without the noise.
    bands : tuple of (y, x) float32 arrays
        The halves, smoothed.
    shown : float
        Sum of their products without the noise.
    shares : (frame,) float array
        How much of the mean each frame is.
    smoothing_px : float
        Standard deviation of the smoothing.
    """

    image: NDArray[np.float32]
    slopes: NDArray[np.float32]
    signal: NDArray[np.float64]
    bands: tuple[NDArray[np.float32], NDArray[np.float32]]
    shown: float
    shares: NDArray[np.float64]
    smoothing_px: float

    @property
    def support(self) -> float:
        """Signal to noise of the slopes along the rows: what tells where frames are."""
        along = self.signal[:, 1]
        # a row shows nearly what the next one does, but for its noise
        noise = 0.5 * float((np.diff(along) ** 2).mean()) * len(along)
        return float(along.sum() / noise**0.5) if noise > 0 else 0.0

    def against(self, frame: NDArray[Any], path: NDArray[np.float64], number: int) -> Held:
        """Hold a frame, told which, along its path against the mean."""
        moved, inside = moved_rows(frame, path)
        within = inside.astype(np.float32)
        other = self.bands[1 - number % 2] * within
        contrast = float(_row_sums(other, moved).sum()) / self.shown if self.shown > 0 else 0.0
        doubt = float(_row_sums(other, other).sum()) ** 0.5 / max(self.shown, 1e-30)
        if not _LEAST_CONTRAST < contrast < 1 / _LEAST_CONTRAST:
            nothing = np.zeros_like(self.signal)
            return Held(nothing, nothing, nothing, 0.0, doubt)
        left = self.image - moved / np.float32(contrast)
        left -= (_row_sums(left, within) / np.maximum(within.sum(axis=1), 1))[:, None]
        left *= within
        # a frame is part of the mean that it is held against
        pull = np.stack([_row_sums(slope, left) for slope in self.slopes], axis=-1)
        pull /= 1 - self.shares[number]
        whole = np.stack([_row_sums(slope, slope) for slope in self.slopes], axis=-1)
        part = [slope * within for slope in self.slopes]
        spread = np.stack([_row_sums(slope, slope) for slope in part], axis=-1)
        signal = self.signal * spread / np.maximum(whole, 1e-30)
        return Held(pull, signal, spread / contrast**2, contrast, doubt)


@dataclass(frozen=True, eq=False)
class Held:
    """A frame held against the mean.

    Parameters
    ----------
    pull : (rows, 2) float array
        Along the slopes, what the mean has more than the frame.
    signal : (rows, 2) float array
        The pull of a displacement by one pixel.
    spread : (rows, 2) float array
        The variance of the pull by noise of variance 1 in each pixel of the frame.
    contrast : float
        That of the frame against the mean; 0 where it does not agree with it.
    doubt : float
        Standard deviation of the contrast by noise of variance 1 in each pixel of the frame.
    """

    pull: NDArray[np.float64]
    signal: NDArray[np.float64]
    spread: NDArray[np.float64]
    contrast: float
    doubt: float


def noise_of(frame: NDArray[Any]) -> float:
    """Return the standard deviation of a frame's noise, at least that of its rounding.

    Notes
    -----
    By the second differences across rows, whose noises have nothing to do with one another;
    their median leaves out edges.
    """
    rows = np.asarray(frame, dtype=np.float32)
    if len(rows) < 3:
        return 1.0
    middle = rows[1:-1:_SAMPLED]
    rough = rows[:-2:_SAMPLED] - 2 * middle + rows[2::_SAMPLED]
    sigma = 1.4826 * float(np.median(np.abs(rough))) / 6**0.5
    return max(sigma, 1e-3 * float(rows.std()), 1e-6)


def _band(image: NDArray[np.float32], smoothing_px: float) -> NDArray[np.float32]:
    """Return an image smoothed twice, without what is wide."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    fine = gaussian_filter(image, 2**0.5 * smoothing_px, mode="nearest", truncate=3.0)
    wide = uniform_filter(uniform_filter(image, _WIDE_PX, mode="nearest"), _WIDE_PX, mode="nearest")
    return np.asarray(fine - wide, dtype=np.float32)


def _row_sums(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("yx,yx->y", one, other), dtype=np.float64)
