"""Bring the frames of a stack into line, rigidly or row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.sem.restore.drift_path import RIGID, Motion, Seen, likely_motion, likely_way
from napari_nanoqr.sem.restore.mean import Frames, Held, Mean, noise_of
from napari_nanoqr.sem.restore.rows import Bands, seen_from
from napari_nanoqr.sem.restore.shifts import frame_shifts

_ROUNDS = ((1, 3.0), (4, 3.0), (4, 2.0), (128, 2.0))
"""Bands a frame, and the standard deviation in pixels of the smoothing before they are compared,
round by round: what is wrong at large is put right first."""

_SMOOTH_ROUNDS = ((16, 1.4), (16, 1.0))
_ROUGH_ROUNDS = ((128, 2.0), (128, 1.0), (128, 1.0))
"""Those that follow where the specimen drifts, and where there may be vibration."""

_RIGID_ROUNDS = ((1, 1.4), (1, 1.0))

_LEAST_ROWS = 4
"""Rows in a band; fewer have hardly an edge in them."""

_LEAST_SUPPORT = 30.0
"""Signal to noise of the slopes of the mean from which on they say more than the comparison of
whole frames, which looks at all there is."""

_BAND_SUPPORT = 12.0
"""The same for a band of rows."""

_DIFFERENT = 4.0
"""Variance of the frames' contrasts, over that by their noise, from which on they do differ: the
means that they are held against have noise, too."""

_LEAST_SIDE = 8
"""Pixels along each side, at least, for anything to be seen in frames."""

_FARTHEST = 1.5
"""Longest way in one round, in standard deviations of its smoothing: beyond an edge's width its
slope says nothing."""

_FOLLOWED = 5
"""Frames that it takes to see that each goes on where the one before it ended."""

_CONTINUOUS = 0.1
"""Variance of the jumps between frames over that of the ways from one to the next, up to which
there are no jumps; frames between which time went by have 1 and more."""


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the frames of a stack show what the first one shows.

    Parameters
    ----------
    path : (frame, rows, 2) float array
        How far (y, x) from each row of the result, in pixels, each frame shows what belongs
        there; in the mean over the rows 0 in the first frame.
    weights : (frame,) float array
        What each frame counts in the mean, 1 in the mean over the frames.
    motion : Motion
        How the specimen moved.
    """

    path: NDArray[np.float64]
    weights: NDArray[np.float64]
    motion: Motion

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Where each frame is as a whole, ``(frame, 2)``: y and x in pixels."""
        return np.asarray(self.path.mean(axis=1))

    @property
    def drift_px(self) -> float:
        """Greatest distance of two frames in pixels."""
        shifts = self.shifts
        apart = shifts[:, None] - shifts
        return float(np.hypot(apart[..., 0], apart[..., 1]).max())

    @property
    def within_px(self) -> float:
        """Greatest way within a frame, in pixels, against the frame as a whole."""
        apart = self.path - self.path.mean(axis=1, keepdims=True)
        return float(np.hypot(apart[..., 0], apart[..., 1]).max())


def register_frames(
    frames: Frames,
    *,
    rows: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Registration:
    """Find the displacement of each frame, and of the rows in it, and what each frame is worth.

    Parameters
    ----------
    frames : (frame, y, x) array, or as many (y, x) arrays
        Grey values, finite. They are looked at one by one, so that a file that is mapped into
        memory needs not be loaded.
    rows : bool
        Also find how the specimen moves while a frame is scanned.
    progress : callable, optional
        ``progress(done, planned, sentence)``, after each round.
    cancelled : callable, optional
        Asked between frames.

    Returns
    -------
    Registration
        In the place of the first frame.

    Raises
    ------
    ValueError
        Where there is no frame.
    Cancelled
        Where it was.

    Notes
    -----
    Frames are brought into line as a whole; then bands of rows are held against the mean of all
    frames, and the path through what they say is the most probable one of a specimen that moves
    as smoothly as the data tell. What all frames have in common, such as a field that is bent
    by the scan itself, cannot be seen here; a drift that goes on evenly from frame to frame can.
    """
    if len(frames) == 0:
        raise ValueError("There is no frame to bring into line.")
    height = frames[0].shape[0]
    if len(frames) == 1 or min(frames[0].shape) < _LEAST_SIDE:
        return Registration(np.zeros((len(frames), height, 2)), np.ones(len(frames)), RIGID)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, len(rounds) + 1, f"Bringing {len(frames)} frames into line")

    rounds = list(_ROUNDS if rows else _RIGID_ROUNDS)
    tell(0)
    shifts = -frame_shifts(frames, cancelled=cancelled)
    shifts -= shifts[0]
    tracks = np.repeat(shifts[:, None], height, axis=1)
    noise = np.array([noise_of(frame) for frame in frames])
    weights, motion = np.ones(len(frames)), RIGID
    # it may become longer on the way
    for number, (bands, smoothing) in enumerate(rounds):
        tell(number + 1)
        path = np.stack([seen_from(track) for track in tracks])
        slopes = Mean.of(frames, path, weights, cancelled).slopes(smoothing)
        if slopes.support < _LEAST_SUPPORT:
            break
        supported = int((slopes.support / _BAND_SUPPORT) ** 2)
        divided = Bands(height, max(1, min(bands, height // _LEAST_ROWS, supported)))
        held = []
        for i, frame in enumerate(frames):
            go_on(cancelled)
            held.append(slopes.against(frame, path[i], i))
        weights = _weights(held, noise)
        ways, motion = _ways(held, tracks - shifts[:, None], path, noise, divided)
        most = _FARTHEST * smoothing
        tracks += np.clip(ways + shifts[:, None] - tracks, -most, most)
        if rows and number + 1 == len(_ROUNDS):
            rounds += _ROUGH_ROUNDS if motion.rough else _SMOOTH_ROUNDS
    tracks += _common(tracks)
    tracks -= tracks[0].mean(axis=0)
    return Registration(np.stack([seen_from(track) for track in tracks]), weights, motion)


def registered_mean(
    frames: Frames,
    registration: Registration | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float32]:
    """Return the weighted mean of frames after taking out their displacements.

    Parameters
    ----------
    frames : (frame, y, x) array, or as many (y, x) arrays
        Grey values, finite.
    registration : Registration, optional
        By default found here.
    cancelled : callable, optional
        Asked between frames.

    Returns
    -------
    (y, x) float32 array
        The mean, in the place of the first frame. Where a frame shows nothing, it does not
        count.

    Raises
    ------
    Cancelled
        Where it was.
    """
    if len(frames) == 1:
        return np.asarray(frames[0], dtype=np.float32)
    if registration is None:
        registration = register_frames(frames, cancelled=cancelled)
    return Mean.of(frames, registration.path, registration.weights, cancelled).image


def _common(tracks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the even drift that all frames have in common, ``(rows, 2)``.

    What all of them have in common does not show when they are held against one another. But
    where each frame goes on where the one before it ended, the way from frame to frame tells.
    """
    frames, height = tracks.shape[:2]
    nothing = np.zeros((height, 2))
    if frames < _FOLLOWED:
        return nothing
    # from the last row of a frame to the first of the next, and from middle to middle
    gaps = tracks[1:, 0] - tracks[:-1, -1]
    ways = np.diff(tracks.mean(axis=1), axis=0)
    apart, moved = (float(each.var(axis=0).sum()) for each in (gaps, ways))
    if apart > _CONTINUOUS * moved:
        return nothing
    time = (np.arange(height) + 0.5) / height - 0.5
    return np.asarray(np.multiply.outer(time, gaps.mean(axis=0)))


def _ways(
    held: Sequence[Held],
    tracks: NDArray[np.float64],
    path: NDArray[np.float64],
    noise: NDArray[np.float64],
    bands: Bands,
) -> tuple[NDArray[np.float64], Motion]:
    """Return the most probable tracks after each frame was held against the mean."""
    at, weight = np.zeros((2, len(held), bands.count, 2))
    rows = np.arange(bands.rows)
    for i, one in enumerate(held):
        pull, signal, spread = (
            bands.sums(each, rows + path[i, :, 0]) for each in (one.pull, one.signal, one.spread)
        )
        known = (signal > 0) & (spread > 0)
        at[i] = bands.means(tracks[i])
        at[i] += np.divide(pull, signal, out=np.zeros_like(pull), where=known)
        square = signal**2
        np.divide(square, noise[i] ** 2 * spread, out=weight[i], where=known)
    seen = tuple(Seen(at[..., axis], weight[..., axis]) for axis in (0, 1))
    motion = likely_motion(seen)
    found = np.stack([likely_way(one, motion) for one in seen], axis=-1)
    return np.stack([bands.spread(one) for one in found]), motion


def _weights(held: Sequence[Held], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each frame counts in the mean with the least noise, 1 in the mean."""
    contrast = np.array([one.contrast for one in held])
    doubt = np.array([one.doubt for one in held]) * noise
    for half in (slice(0, None, 2), slice(1, None, 2)):
        # every other frame is held against the same mean, whose noise they have in common
        most = contrast[half].max()
        contrast[half] /= most if most > 0 else 1.0
    spread = float(contrast.var())
    # contrasts that differ by no more than their noise are one and the same
    real = max(0.0, 1 - _DIFFERENT * float((doubt**2).mean()) / spread) if spread > 0 else 0.0
    contrast = contrast.mean() + real * (contrast - contrast.mean())
    weights = np.maximum(contrast, 0) / noise**2
    # where no frame agrees with the others, none is better than another
    if not weights.any():
        return np.ones(len(held))
    result: NDArray[np.float64] = weights / weights.mean()
    return result
