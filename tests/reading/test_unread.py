"""Symbols that were seen and could not be read say why, and what would help."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import byte_capacity, encode


@pytest.fixture(scope="module")
def design() -> Design:
    return Design(encode(np.random.default_rng(1).bytes(byte_capacity(3, "L")), "L", 3, mask=5))


def faint(design: Design, electrons: float = 8, **conditions: object) -> Micrograph:
    return simulate_micrograph(
        design, electrons_per_pixel=electrons, rotation_deg=20, seed=1, **conditions
    )


def seen_in(micrograph: Micrograph, **options: object) -> Unread:
    readings = read_codes(micrograph, pitch_nm=49, **options)
    assert readings == []
    (unread,) = readings.unread
    assert unread.advice in readings.advice
    return unread


def test_a_code_too_faint_to_be_read_is_seen(design: Design) -> None:
    micrograph = faint(design)
    seen = seen_in(micrograph)
    truth = np.array(micrograph.metadata["truth"]["corners_yx"])
    assert np.abs(seen.corners_yx - truth).max() < 4
    assert (seen.version, seen.error, seen.mask) == (3, "L", 5)
    assert seen.pitch_nm == pytest.approx(49, rel=0.01)
    assert seen.rotation_deg == pytest.approx(-20, abs=1)
    assert seen.failed_stage == "decode"
    assert (seen.blocks, seen.failed_blocks) == (1, (0,))
    assert 0.05 < seen.expected_error_rate < 0.2


def test_the_dose_that_it_needs_is_the_dose_at_which_it_is_read(design: Design) -> None:
    seen = seen_in(faint(design))
    assert seen.needed.per_pixel is not None
    assert 10 < seen.needed.per_pixel < 30
    assert seen.dose_factor == pytest.approx(seen.needed.per_pixel / 8)
    assert re.search(r"Dwell [1-4].* times as long, or average [2-4] such frames", seen.advice)
    (reading,) = read_codes(faint(design, 1.4 * seen.needed.per_pixel), pitch_nm=49)
    assert reading.payload == design.symbol.payload


def test_a_stack_is_told_how_many_frames_it_takes(design: Design) -> None:
    seen = seen_in(faint(design, 2.25, frames=4))
    assert seen.dose.per_pixel == pytest.approx(9)
    count = int(seen.advice.rpartition("average ")[2].split()[0])
    assert 5 <= count <= 13


def test_it_is_json_with_all_that_is_known(design: Design) -> None:
    told = json.loads(json.dumps(seen_in(faint(design)).to_dict()))
    assert told["failed_stage"] == "decode"
    assert np.shape(told["corners_yx"]) == (4, 2)
    assert told["dose_factor"] == max(told["block_dose_factors"])
    assert told["needed_electrons_per_nm2"] == pytest.approx(
        told["needed_electrons_per_pixel"] / 6.125**2, rel=1e-3
    )


def test_a_code_that_is_read_later_is_not_called_unread(design: Design) -> None:
    readings = read_codes(faint(design, 40), pitch_nm=49)
    assert len(readings) == 1
    assert readings.unread == ()
    assert readings.failed_stage is None
    assert readings.advice == ""


def test_of_two_codes_the_one_that_could_not_be_read_is_told(design: Design) -> None:
    clear, dim = faint(design, 60), faint(design, 8)
    # the same brightness, so that the pair is one image
    parts = [np.asarray(m.image, float) for m in (clear, dim)]
    image = np.hstack([(p - p.mean()) / p.std() for p in parts])
    readings = read_codes(Micrograph(image, (6.125, 6.125)), pitch_nm=49)
    assert [r.payload for r in readings] == [design.symbol.payload]
    (unread,) = readings.unread
    assert unread.corners_yx[:, 1].min() > clear.image.shape[1]
    assert readings.failed_stage is None


def test_noise_and_textures_are_no_symbols() -> None:
    rng = np.random.default_rng(5)
    y, x = np.indices((260, 260)) / 8.0
    images = [
        rng.normal(size=(260, 260)),
        gaussian_filter(rng.normal(size=(260, 260)), 3.0),
        np.sin(np.pi * y) * np.sin(np.pi * x) + 0.2 * rng.normal(size=(260, 260)),
        np.kron(rng.random((33, 33)) < 0.5, np.ones((8, 8)))[:260, :260] * 1.0,
    ]
    for image in images:
        readings = read_codes(image)
        assert readings.unread == ()
        assert readings.failed_stage == "locate"
        assert readings.advice.startswith("No code was found. Try this: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda i: np.clip((i.astype(float) - 190) * 4, 0, 255).astype(np.uint8), "black or white"),
        (lambda i: _covered(i), "covered or gone"),
    ],
)
def test_what_is_wrong_with_the_image_is_said(design: Design, change: object, words: str) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=100, seed=3)
    assert callable(change)
    assert words in seen_in(replace(micrograph, image=change(micrograph.image))).advice


def test_modules_that_are_too_small_are_said_to_be(design: Design) -> None:
    seen = seen_in(faint(design, 60, pixel_size_nm=17.0))
    assert "only 2.9 pixels wide" in seen.advice


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((40, 90), {}, "40 are too few"),
        ((90, 90), {}, "enter the pixel size and the pitch"),
        ((90, 90), {"pixel_size_nm": 6.0}, "Try this: enter the pitch;"),
        ((90, 90), {"pixel_size_nm": 20.0, "pitch_nm": 40.0}, "would be 2.0 pixels wide"),
        ((90, 90), {"pixel_size_nm": 6.0, "pitch_nm": 49.0}, "check pitch and pixel size"),
    ],
)
def test_where_nothing_was_seen_it_is_said_what_to_try(
    shape: tuple[int, int], options: dict[str, float], words: str
) -> None:
    readings = read_codes(np.random.default_rng(0).normal(size=shape), **options)
    assert words in readings.advice


def _covered(image: np.ndarray) -> np.ndarray:
    result = image.copy()
    third = len(image) // 3
    result[third : 2 * third, third : 2 * third] = 200
    return result
