"""Faults of a scan: each displaces or charges as much as was asked for, and where it should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel, image_film
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.physics.view import View

PLAIN = SemModel(topography=0, edge=0, read_noise_electrons=0, bits=16)


def displaced(view: View, frame: int = 0) -> np.ndarray:
    """By how much each pixel looks beside where it should, along y and x."""
    still = View(view.pixel_size_nm, view.rows, view.columns, view.rotation_deg, view.tilt_deg)
    return -(view.to_specimen(frame) - still.to_specimen())[::-1]


def hole() -> FilmState:
    """A square hole of 100 nm in the middle of a film."""
    depth = np.zeros((300, 300))
    depth[125:175, 125:175] = 15
    return FilmState(depth, Grid(-300, -300, 2, 300, 300), Film())


def seen(faults: ScanFaults, electrons: float = 3e5, **view: float) -> np.ndarray:
    micrograph = image_film(
        hole(), View(2, 240, 250, **view, faults=faults), electrons_per_pixel=electrons,
        model=PLAIN, seed=1,
    )  # fmt: skip
    return micrograph.image.astype(float)


class TestWarp:
    @pytest.mark.parametrize("seed", range(5))
    def test_the_greatest_displacement_is_the_amplitude(self, seed: int) -> None:
        moved = displaced(View(5, 200, 300, faults=ScanFaults(warp_nm=49, seed=seed)))
        assert np.hypot(*moved).max() == pytest.approx(49, rel=0.02)

    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_smooth_and_nothing_of_it_is_linear(self, seed: int) -> None:
        moved = displaced(View(5, 200, 200, faults=ScanFaults(warp_nm=49, seed=seed)))
        # from pixel to pixel it changes by little
        assert np.abs(np.diff(moved, axis=1)).max() < 3
        y, x = np.mgrid[:200, :200].reshape(2, -1)
        plane = np.stack((np.ones(y.size), y, x), axis=1)
        linear = np.linalg.lstsq(plane, moved.reshape(2, -1).T, rcond=None)[0]
        assert np.abs(plane @ linear).max() < 1.5

    def test_corners_of_a_symbol_are_where_it_appears(self, record: Design) -> None:
        straight, bent = (
            simulate_micrograph(record, seed=1, faults=faults, shape=(400, 400))
            for faults in (None, ScanFaults(warp_nm=120, seed=3))
        )
        corners = [np.array(image.metadata["truth"]["corners_yx"]) for image in (straight, bent)]
        apart = np.hypot(*(corners[1] - corners[0]).T) * 6.125
        assert 10 < apart.max() <= 120

    @given(seed=st.integers(0, 99), row=st.integers(5, 54), column=st.integers(5, 64))
    def test_there_and_back(self, seed: int, row: int, column: int) -> None:
        faults = ScanFaults(warp_nm=12, wander_nm=20, seed=seed)
        view = View(5, 60, 70, 25, 40, (10, -20), 3, faults)
        x, y = view.to_specimen(2)
        there = view.to_pixels(np.array([[x[row, column], y[row, column]]]), 2)[0]
        assert there == pytest.approx([row, column], abs=1e-3)


class TestVibration:
    @pytest.mark.parametrize("seed", range(5))
    def test_rows_move_to_and_fro_by_the_amplitude(self, seed: int) -> None:
        moved = displaced(View(5, 400, 300, faults=ScanFaults(vibration_nm=24, seed=seed)))
        assert 10 < np.hypot(*moved).max() < 24 * 1.6
        assert np.abs(moved.mean(axis=(1, 2))).max() < 4

    def test_it_goes_along_the_slow_axis(self) -> None:
        moved = displaced(View(5, 400, 300, faults=ScanFaults(vibration_nm=24, seed=1)))
        down, along = (np.abs(np.diff(moved, axis=axis)).max() for axis in (1, 2))
        assert down > 5
        assert along < 0.1

    def test_rows_jump_by_a_little_of_their_own(self) -> None:
        moved = displaced(View(5, 2000, 3, faults=ScanFaults(vibration_nm=100, seed=2)))[:, :, 0]
        # sines of 8 rows and more have next to nothing left in the third difference
        jumps = np.diff(moved, 4, axis=1).std(axis=1) / np.sqrt(70)
        assert jumps == pytest.approx(10, rel=0.5)

    def test_another_frame_shakes_otherwise(self) -> None:
        view = View(5, 100, 50, frames=2, faults=ScanFaults(vibration_nm=24, seed=1))
        assert np.abs(displaced(view, 0) - displaced(view, 1)).max() > 5

    def test_true_places_are_those_without_it(self) -> None:
        point = np.array([[30.0, -70.0]])
        shaken = View(5, 90, 90, faults=ScanFaults(vibration_nm=24)).to_pixels(point)
        assert shaken == pytest.approx(View(5, 90, 90).to_pixels(point))


class TestWandering:
    def test_each_frame_starts_elsewhere_by_no_more_than_a_step(self) -> None:
        view = View(5, 60, 60, frames=200, faults=ScanFaults(wander_nm=25, seed=4))
        start = np.array([displaced(view, frame)[:, 0, 0] for frame in range(200)])
        steps = np.hypot(*np.diff(start, axis=0).T)
        assert start[0] == pytest.approx([0, 0], abs=1e-9)
        assert steps.max() <= 25
        assert steps.mean() == pytest.approx(12.5, rel=0.15)
        directions = np.diff(start, axis=0) / steps[:, None]
        assert np.abs(directions.mean(axis=0)).max() < 0.2

    def test_frames_show_it(self) -> None:
        faults = ScanFaults(wander_nm=60, seed=1)
        view = View(2, 240, 250, frames=4, faults=faults)
        stack = seen(faults, frames=4)
        for frame, image in enumerate(stack):
            dark = np.argwhere(image < (image.min() + image.max()) / 2)
            there = view.to_pixels(np.zeros((1, 2)), frame)[0]
            assert dark.mean(axis=0) == pytest.approx(there, abs=0.6)

    def test_a_default_image_holds_the_symbol_however_far_it_walks(self, record: Design) -> None:
        for seed in range(3):
            faults = ScanFaults(wander_nm=80, seed=seed)
            stack = simulate_micrograph(record, frames=30, faults=faults, pixel_size_nm=24.5)
            dark = stack.image < 100
            edges = (dark[:, 0], dark[:, -1], dark[:, :, 0], dark[:, :, -1])
            assert max(edge.mean() for edge in edges) < 0.1


class TestCharging:
    @pytest.mark.parametrize("strength", [0.1, 0.4])
    def test_brightness_varies_by_its_strength(self, strength: float) -> None:
        even = np.full((200, 220), 50.0)
        charged = ScanFaults(charging=strength, seed=2).charge(even, 5)
        assert charged.max() / 50 == pytest.approx(1 + strength, rel=0.01)
        assert charged.min() / 50 == pytest.approx(1 - strength, rel=0.01)
        assert np.abs(np.diff(charged, axis=0)).max() < 50 * strength / 10

    def test_tails_follow_along_the_row_and_fade(self) -> None:
        even = np.full((200, 400), 50.0)
        bright = even.copy()
        bright[80:120, 100:120] = 100
        faults = ScanFaults(charging=0.4, tail_nm=200, seed=1)
        change = faults.charge(bright, 5) / faults.charge(even, 5) - 1
        rows = change[80:120].mean(axis=0)
        # darker behind it, and only there: not before it, nor in the rows above and below
        assert rows[121] < -0.05
        assert rows[121 + 40] == pytest.approx(rows[121] / np.e, rel=0.01)
        assert rows[:100] == pytest.approx(0)
        assert change[:80] == pytest.approx(0)
        assert change[120:] == pytest.approx(0)
        dark = even.copy()
        dark[80:120, 100:120] = 25
        brighter = faults.charge(dark, 5) / faults.charge(even, 5) - 1
        assert brighter[80:120, 121:140].min() > 0

    def test_an_image_has_them(self) -> None:
        change = seen(ScanFaults(charging=0.4, seed=3)) - seen(ScanFaults())
        assert change.std() > 0.03 * 65535

    def test_no_signal_is_negative(self) -> None:
        stripes = np.where(np.arange(300) % 100 < 50, 100.0, 0.0) * np.ones((50, 1))
        assert ScanFaults(charging=0.9).charge(stripes, 5).min() >= 0


def test_the_same_seed_gives_the_same_faults() -> None:
    asked = {"warp_nm": 20, "vibration_nm": 10, "charging": 0.3}
    first, same, other = (seen(ScanFaults(**asked, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_no_fault_changes_nothing() -> None:
    assert not displaced(View(5, 30, 40, 10, 20, faults=ScanFaults())).any()
    even = np.ones((5, 6))
    assert ScanFaults().charge(even, 5) is even


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"warp_nm": -1}, "lengths in nm"),
        ({"vibration_nm": float("nan")}, "lengths in nm"),
        ({"wander_nm": 1e7}, "lengths in nm"),
        ({"charging": 1.0}, "0.4 strong"),
        ({"charging": -0.1}, "0.4 strong"),
        ({"tail_nm": 0}, "tail"),
        ({"seed": -1}, "seed"),
    ],
)
def test_faults_that_cannot_be_are_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ScanFaults(**values)
