"""Steps of restoring: what they mend, what they leave alone, and what they write down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, shift

from napari_nanoqr.sem.electrons import electrons_per_pixel
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.sem.restore.provenance import in_words, steps_of
from napari_nanoqr.sem.restore.steps import correct_tilt, destripe, flatten, register_stack
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

ACQUIRED = {"vendor": "test", "beam_current_a": 1e-10, "dwell_s": 1e-6, "tilt_deg": 52.0}


def scene() -> np.ndarray:
    modules = np.pad(encode("restored", version=2).matrix, 5)
    return gaussian_filter(np.kron(np.where(modules, 60.0, 160.0), np.ones((6, 6))), 1.0)


def noisy(image: np.ndarray, noise: float = 5.0, seed: int = 0) -> np.ndarray:
    return image + np.random.default_rng(seed).normal(0, noise, image.shape)


def taken(image: np.ndarray, **facts: object) -> Micrograph:
    return Micrograph(image, (6.0, 6.0), "user", ACQUIRED | facts)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


class TestRegistering:
    def test_gives_one_image_with_the_dose_of_all_frames(self) -> None:
        moved = [noisy(shift(scene(), (i, -2 * i), mode="nearest"), 20, i) for i in range(4)]
        before = taken(np.stack(moved))
        after = register_stack(before)
        assert after.image.shape == scene().shape
        assert rms(after.image - scene()) < 0.65 * rms(moved[0] - scene())
        each, together = (electrons_per_pixel(m.metadata) for m in (before, after))
        assert together == pytest.approx(4 * each, rel=0.05)
        (entry,) = steps_of(after)
        assert entry["found"]["drift_px"] == pytest.approx(3 * 5**0.5, abs=0.2)
        assert in_words(entry).startswith("drift 6.")
        assert "over 4 frames" in in_words(entry)

    def test_tells_of_frames_that_hardly_count(self) -> None:
        frames = np.stack([noisy(scene(), 10, i) for i in range(5)])
        frames[3] = noisy(np.full(scene().shape, 100.0), 10, 9)
        (entry,) = steps_of(register_stack(taken(frames)))
        assert entry["found"]["light_frames"] == 1
        assert in_words(entry).endswith("1 frame hardly counted")

    def test_frames_stay_in_their_file_until_they_are_needed(self) -> None:
        import dask.array as da

        frames = np.stack([noisy(scene(), 20, i) for i in range(3)]).clip(0, 255).astype(np.uint8)
        lazy = da.from_array(frames, chunks=(1, -1, -1))
        np.testing.assert_array_equal(
            register_stack(taken(lazy)).image, register_stack(taken(frames)).image
        )

    def test_needs_a_stack(self) -> None:
        with pytest.raises(ValueError, match="single image"):
            register_stack(taken(scene()))


class TestFlattening:
    def test_evens_out_brightness_and_contrast(self) -> None:
        y, x = (np.linspace(-1, 1, n) for n in scene().shape)
        gain = 1 + 0.25 * x + 0.2 * y[:, None] ** 2
        after = flatten(taken(noisy(scene() * gain)))
        middle = slice(25, -25)
        left = (after.image - scene())[middle, middle]
        assert np.polynomial.polynomial.polyfit(x[middle], left.mean(axis=0), 1)[1] < 4
        assert gaussian_filter(left, 12).std() < 4
        assert steps_of(after)[0]["found"]["brightness"] > 0.3

    def test_hardly_changes_what_is_even(self) -> None:
        image = noisy(scene())
        assert rms(flatten(taken(image)).image - image) < 3

    def test_treats_frames_alike(self) -> None:
        stack = np.stack([noisy(scene(), 5, i) for i in range(2)])
        after = flatten(taken(stack)).image
        assert after.shape == stack.shape
        one, other = (a / b for a, b in zip(np.diff(after, axis=0), np.diff(stack, axis=0),
                                             strict=True)), 1  # fmt: skip
        assert np.median(next(one)) == pytest.approx(other, abs=0.1)


class TestDestriping:
    @pytest.mark.parametrize("axis", [0, 1])
    def test_takes_stripes_out(self, axis: int) -> None:
        stripes = np.random.default_rng(3).normal(0, 20, scene().shape[0])
        striped = noisy(scene()) + np.expand_dims(stripes, 1 - axis)
        after = destripe(taken(striped)).image
        left = (after - scene()).mean(axis=1 - axis)
        assert left.std() < 0.3 * stripes.std()

    @pytest.mark.parametrize("noise", [0.5, 5.0, 40.0])
    def test_leaves_the_rows_of_the_symbol_alone(self, noise: float) -> None:
        image = noisy(scene(), noise)
        after = destripe(taken(image))
        assert rms(after.image - image) < 0.01 * 100
        assert scene().mean(axis=1).std() > 10

    def test_stripes_of_each_frame_are_its_own(self) -> None:
        stripes = np.random.default_rng(3).normal(0, 20, (2, scene().shape[0], 1))
        stack = np.stack([noisy(scene(), 5, i) for i in range(2)]) + stripes
        left = (destripe(taken(stack)).image - scene()).mean(axis=2)
        assert left.std() < 0.3 * stripes.std()

    def test_something_has_to_be_looked_for(self) -> None:
        with pytest.raises(ValueError, match="rows, columns"):
            destripe(taken(scene()), rows=False, columns=False)


class TestTheTilt:
    def test_is_stretched_to_square_pixels(self) -> None:
        before = taken(scene())
        after = correct_tilt(before)
        factor = 1 / np.cos(np.deg2rad(52))
        assert after.image.shape == (round(scene().shape[0] * factor), scene().shape[1])
        assert after.pixel_size_nm == (6.0, 6.0)
        # as many electrons as before, on more pixels
        dose = [electrons_per_pixel(m.metadata) * m.image.size for m in (before, after)]
        assert dose[1] == pytest.approx(dose[0], rel=0.01)

    @given(tilt=st.floats(-70, 70), rows=st.integers(4, 40))
    @settings(max_examples=25, deadline=None)
    def test_a_ramp_stays_a_ramp(self, tilt: float, rows: int) -> None:
        image = np.add.outer(np.arange(rows, dtype=float), np.zeros(5))
        after = correct_tilt(taken(image), tilt).image
        cosine = np.cos(np.deg2rad(tilt))
        expected = (np.arange(len(after)) + 0.5) * cosine - 0.5
        inside = (expected > 2) & (expected < rows - 3)
        np.testing.assert_allclose(after[inside, 0], expected[inside], atol=0.1)

    def test_pixels_that_are_not_square_become_square(self) -> None:
        after = correct_tilt(replace(taken(scene()), pixel_size_nm=(12.0, 6.0)), 0.0)
        assert after.image.shape == (2 * scene().shape[0], scene().shape[1])
        about_y = correct_tilt(taken(scene()), 60, axis="y")
        assert about_y.image.shape == (scene().shape[0], 2 * scene().shape[1])

    @pytest.mark.parametrize(
        ("facts", "tilt", "complaint"),
        [
            ({"tilt_correction": True}, None, "already"),
            ({"tilt_correction": True}, 52.0, "already"),
            ({"tilt_deg": None}, None, "enter it"),
            ({}, float("nan"), "enter it"),
            ({}, 85.0, "more than 80"),
        ],
    )
    def test_is_refused_where_it_would_be_wrong(
        self, facts: dict[str, object], tilt: float | None, complaint: str
    ) -> None:
        with pytest.raises(ValueError, match=complaint):
            correct_tilt(taken(scene(), **facts), tilt)

    def test_the_axis_is_one_of_two(self) -> None:
        with pytest.raises(ValueError, match="x or y"):
            correct_tilt(taken(scene()), 5, axis="z")


def test_steps_add_up_leave_what_they_were_given_and_are_kept_in_the_file(tmp_path: Path) -> None:
    image = noisy(scene())
    before = taken(image.copy())
    after = correct_tilt(destripe(flatten(before)))
    np.testing.assert_array_equal(before.image, image)
    assert steps_of(before) == []
    assert [entry["step"] for entry in steps_of(after)] == [
        "flattened", "destriped", "tilt-corrected",
    ]  # fmt: skip
    assert json.loads(json.dumps(after.metadata)) == after.metadata
    again = read_micrograph(write_micrograph(after, tmp_path / "restored.tif"))
    np.testing.assert_array_equal(again.image, after.image)
    assert again.metadata == after.metadata
    assert all(in_words(entry) for entry in steps_of(again))


@pytest.mark.parametrize("step", [flatten, destripe, correct_tilt])
def test_an_image_without_numbers_is_refused(step: object) -> None:
    with pytest.raises(ValueError, match="no number"):
        step(taken(np.full((9, 9), np.nan)))
    holed = scene()
    holed[3, 4] = np.nan
    assert np.isfinite(step(taken(holed)).image).all()
