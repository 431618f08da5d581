"""Frames brought into line: how near the truth, and what a bad frame is worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_nanoqr.progress import Cancelled
from napari_nanoqr.sem.restore.drift_path import RIGID
from napari_nanoqr.sem.restore.register import Registration, register_frames, registered_mean
from napari_nanoqr.sem.restore.shifts import frame_shifts
from napari_nanoqr.symbols.encode import encode

PITCH_PX = 6
ROWS = np.arange(210.0)


def scene() -> np.ndarray:
    """A symbol with its quiet zone, of contrast 1, its edges blurred."""
    modules = np.pad(encode("walk", version=3).matrix, 3)
    return gaussian_filter(np.kron(modules, np.full((PITCH_PX, PITCH_PX), -1.0)), 1.0)


def drifting(tracks: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    """Frames of the scene, each row scanned where the specimen was by then."""
    rng = np.random.default_rng(seed)
    image = scene()
    y, x = np.indices(image.shape, dtype=float)
    frames = [
        map_coordinates(image, [y - t[:, :1], x - t[:, 1:]], order=3, mode="nearest")
        for t in tracks
    ]
    return (np.stack(frames) + rng.normal(0, noise, (len(frames), *image.shape))).astype(np.float32)


def walk(frames: int, seed: int = 0, within: bool = True) -> np.ndarray:
    """Where the specimen is in each row: a random walk with steps of up to a module."""
    rng = np.random.default_rng(seed)
    lengths, turns = rng.uniform(0, PITCH_PX, frames), rng.uniform(0, 2 * np.pi, frames)
    steps = lengths * np.stack((np.sin(turns), np.cos(turns)))
    at = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0))).T
    time = ROWS / len(ROWS) if within else np.zeros(len(ROWS))
    return np.stack([at[i] + time[:, None] * (at[i + 1] - at[i]) for i in range(frames)])


def off_by(found: Registration, tracks: np.ndarray) -> np.ndarray:
    """How far the paths are from the truth, where the symbol is, but for a common shift."""
    tracks = tracks - tracks[0].mean(axis=0)
    path = np.empty_like(tracks)
    for i, track in enumerate(tracks):
        at = ROWS
        for _ in range(20):
            at = ROWS + np.interp(at, ROWS, track[:, 0])
        path[i] = np.stack([np.interp(at, ROWS, along) for along in track.T], axis=-1)
    apart = (found.path - path)[:, 30:-30]
    return apart - apart.mean(axis=(0, 1))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


class TestAtAContrastToNoiseOfOne:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_sixteen_frames_come_within_a_tenth_of_a_pixel(self, seed: int) -> None:
        tracks = walk(16, seed)
        found = register_frames(drifting(tracks, 1.0))
        apart = off_by(found, tracks)
        assert rms(apart.mean(axis=1)) < 0.1
        assert rms(apart) < 0.1
        assert rms(tracks - tracks.mean(axis=1, keepdims=True)) > 0.5

    def test_frames_that_stand_still_while_they_are_scanned_need_no_rows(self) -> None:
        tracks = walk(16, within=False)
        rigid = register_frames(drifting(tracks, 1.0), rows=False)
        assert rms(off_by(rigid, tracks)) < 0.1
        assert np.ptp(rigid.path, axis=1).max() == 0
        by_rows = register_frames(drifting(tracks, 1.0))
        assert rms(off_by(by_rows, tracks)) < 0.1


def test_vibration_of_each_frame_is_taken_out_where_the_noise_allows() -> None:
    time = np.arange(8 * len(ROWS)).reshape(8, -1)
    tracks = np.stack((0.5 * np.sin(time / 4.0), 1.5 * np.cos(time / 3.3)), axis=-1)
    found = register_frames(drifting(tracks, 0.2))
    assert rms(tracks) > 0.75
    assert rms(off_by(found, tracks)) < 0.25


def test_a_drift_that_goes_on_from_frame_to_frame_straightens_what_all_have_in_common() -> None:
    tracks = walk(12, seed=3) + np.linspace(0, 36, 12 * len(ROWS)).reshape(12, -1, 1)
    found = register_frames(drifting(tracks, 0.3))
    common = off_by(found, tracks).mean(axis=0)
    assert rms(common) < 0.1


def test_frames_between_which_time_went_by_are_not_taken_to_go_on() -> None:
    tracks = walk(12, seed=3, within=False)
    found = register_frames(drifting(tracks, 0.3))
    assert np.abs(np.ptp(found.path, axis=1)).max() < 0.2


def test_shifts_of_frames_are_found_between_pixels() -> None:
    rng = np.random.default_rng(1)
    scene = gaussian_filter(rng.normal(size=(96, 120)), 3.0) * 20
    spectrum = np.fft.fft2(scene)
    fy, fx = np.fft.fftfreq(96)[:, None], np.fft.fftfreq(120)[None, :]
    true = np.array([[0, 0], [2.5, -1.25], [-3.75, 4.0], [6.0, 0.5]])
    frames = [
        np.fft.ifft2(spectrum * np.exp(-2j * np.pi * (fy * dy + fx * dx))).real
        + rng.normal(0, 1, scene.shape)
        for dy, dx in true
    ]
    stack = np.stack(frames).astype(np.float32)
    shifts = frame_shifts(stack)
    np.testing.assert_allclose(shifts - shifts[0], -(true - true[0]), atol=0.2)
    refined = register_frames(stack, rows=False).shifts
    np.testing.assert_allclose(refined, true - true[0], atol=0.07)


class TestTheMean:
    def test_is_weighed_by_noise_and_contrast(self) -> None:
        tracks = np.zeros((6, len(ROWS), 2))
        frames = drifting(tracks, 0.5)
        rng = np.random.default_rng(5)
        frames[2] += rng.normal(0, 1.0, frames[2].shape)
        frames[4] = rng.normal(0, 0.5, frames[4].shape)
        found = register_frames(frames)
        good = found.weights[[0, 1, 3, 5]]
        assert np.ptp(good) < 0.2 * good.mean()
        # variances 0.25 and 1.25
        assert found.weights[2] == pytest.approx(good.mean() / 5, rel=0.2)
        assert found.weights[4] < 0.1 * good.mean()
        mean = registered_mean(frames, found)
        best = (4 / 0.25 + 1 / 1.25) ** -0.5
        assert rms(mean - scene()) < 1.02 * best < 0.9 * rms(frames.mean(axis=0) - scene())

    def test_lies_where_the_first_frame_lies(self) -> None:
        tracks = walk(6, within=False)
        frames = drifting(tracks, 0.05)
        assert rms(registered_mean(frames)[30:-30, 30:-30] - frames[0][30:-30, 30:-30]) < 0.1

    def test_leaves_out_what_a_frame_does_not_show(self) -> None:
        frames = drifting(np.zeros((2, len(ROWS), 2)), 0.01)
        moved = np.repeat([[[0.0, 0.0]], [[0.0, 100.0]]], len(ROWS), axis=1)
        mean = registered_mean(frames, Registration(moved, np.ones(2), RIGID))
        np.testing.assert_allclose(mean[:, 120:], frames[0][:, 120:], atol=0.01)


def test_frames_can_be_made_one_by_one() -> None:
    frames = drifting(walk(4), 0.3)

    class Lazy:
        most = 0

        def __len__(self) -> int:
            return len(frames)

        def __getitem__(self, index: int) -> np.ndarray:
            if index >= len(frames):
                raise IndexError(index)
            return frames[index].copy()

    np.testing.assert_array_equal(register_frames(Lazy()).path, register_frames(frames).path)


def test_it_can_be_cancelled_and_tells_how_far_it_is() -> None:
    frames = drifting(walk(3), 0.3)
    steps: list[tuple[int, int, str]] = []
    register_frames(frames, progress=lambda *step: steps.append(step))
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert all(done < total for done, total, _ in steps)
    with pytest.raises(Cancelled):
        register_frames(frames, cancelled=lambda: True)


@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 5, 300), (4, 9, 9)])
def test_frames_that_show_nothing_stay_where_they_are(shape: tuple[int, int, int]) -> None:
    found = register_frames(np.full(shape, 7, np.uint8))
    assert not found.shifts.any()
    np.testing.assert_array_equal(found.weights, 1)
    with pytest.raises(ValueError, match="no frame"):
        register_frames(np.zeros((0, 4, 4)))


def test_frames_that_show_nothing_by_themselves_find_their_place() -> None:
    rng = np.random.default_rng(2)
    scene = np.kron(np.pad(encode("walk", version=3).matrix, 6), np.full((6, 6), -1.0))
    true = np.cumsum(rng.uniform(-2, 2, (30, 2)).round().astype(int), axis=0)
    frames = np.stack([np.roll(scene, tuple(move), axis=(0, 1)) for move in true])
    noisy = frames + rng.normal(0, 6, frames.shape)
    shifts = frame_shifts(noisy.astype(np.float32))
    apart = shifts - shifts.mean(axis=0) + true - true.mean(axis=0)
    assert np.sqrt((apart**2).mean()) < 1.0  # a sixth of a module
    still = true - true.mean(axis=0)
    assert np.sqrt((still**2).mean()) > 2.0


def test_the_mean_of_one_frame_is_the_frame() -> None:
    frame = np.arange(12.0).reshape(1, 3, 4)
    np.testing.assert_array_equal(registered_mean(frame), frame[0])
