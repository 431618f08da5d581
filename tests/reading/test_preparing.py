"""Versions of an image: what they keep, and what they bring out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, rotate

from napari_nanoqr.reading.image import open_source
from napari_nanoqr.reading.prepare import Attempt, Preparations, as_bytes
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import encode


def attempts(shape: tuple[int, ...], **known: float) -> list[Attempt]:
    return list(Preparations(open_source(np.zeros(shape, np.uint8)), **known).attempts())


def test_the_image_comes_first_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 255, (30, 40)).astype(np.uint8)
    first = next(Preparations(open_source(image)).attempts())
    np.testing.assert_array_equal(first.make(), image)
    assert first.plain


@pytest.mark.parametrize("shape", [(90, 120), (401, 503), (3, 64, 66)])
def test_every_version_is_8_bit_and_covers_the_image(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    preparations = Preparations(open_source(image))
    for attempt in preparations.attempts():
        made = attempt.make()
        assert made.dtype == np.uint8
        end = attempt.to_source(np.array(made.shape, dtype=float) - 0.5)
        # what does not fill a block at the lower and right edge may be missing
        np.testing.assert_allclose(end, np.array(shape[-2:]) - 0.5, atol=max(attempt.stretch))


def test_points_go_back_to_where_they_were() -> None:
    attempt = Attempt("zxing-cpp", "", lambda: np.zeros((1, 1), np.uint8), (2.0, 0.5))
    np.testing.assert_allclose(attempt.to_source(np.array([[-0.5, -0.5], [0, 0]])),
                               [[-0.5, -0.5], [0.5, -0.25]])  # fmt: skip


def test_a_told_tilt_is_taken_out_before_anything_is_guessed() -> None:
    micrograph = Micrograph(np.zeros((60, 60), np.uint8), metadata={"tilt_deg": 52})
    words = [a.preparation for a in Preparations(open_source(micrograph)).attempts()]
    assert any("stretched by 1.62 x 1" in w for w in words)
    assert not any("stretched by 1 x" in w for w in words)


def test_large_modules_are_made_smaller_where_the_pitch_is_known() -> None:
    assert {a.stretch for a in attempts((600, 600), pitch_px=30)} >= {(5.0, 5.0)}


def test_conversion_to_bytes_spans_the_range_and_survives_a_constant() -> None:
    ramp = np.linspace(-1e-6, 1e-6, 10_000, dtype=np.float32).reshape(100, 100)
    made = as_bytes(ramp)
    assert (made.min(), made.max()) == (0, 255)
    assert as_bytes(np.full((9, 9), 7.0, np.float32)).shape == (9, 9)


@pytest.mark.parametrize("turn", [0, 17, 45])
@pytest.mark.parametrize("inverted", [False, True])
def test_milled_light_modules_need_no_quiet_zone(turn: float, inverted: bool) -> None:
    modules = np.pad(encode("milled light", version=3).matrix, 14, constant_values=True)
    image = np.where(np.kron(modules, np.ones((8, 8))), 60.0, 190.0)
    image = gaussian_filter(rotate(image, turn, reshape=False, order=1, cval=60.0), 2.0)
    image += np.random.default_rng(0).normal(0, 10, image.shape)
    (reading,) = read_codes(-image if inverted else image)
    assert reading.payload == b"milled light"
    assert reading.inverted == inverted


def test_uneven_brightness_is_flattened() -> None:
    modules = np.pad(encode("shade", version=3).matrix, 6)
    image = np.where(np.kron(modules, np.ones((8, 8))), 40.0, 60.0)
    y, x = np.indices(image.shape) / image.shape[0]
    shaded = image * (1 + 6 * x * y) + np.random.default_rng(0).normal(0, 6, image.shape)
    (reading,) = read_codes(shaded)
    assert reading.payload == b"shade"


@pytest.mark.parametrize("tilt", [40, 52])
def test_an_untold_tilt_is_read(tilt: float) -> None:
    modules = np.pad(encode("tilted", version=4).matrix, 5)
    image = np.where(np.kron(modules, np.ones((10, 10))), 40.0, 200.0)
    rows = np.arange(0, image.shape[0] - 1, 1 / np.cos(np.deg2rad(tilt)))
    squeezed = gaussian_filter(image, 2.0)[rows.astype(int)]
    squeezed += np.random.default_rng(0).normal(0, 40, squeezed.shape)
    (reading,) = read_codes(squeezed)
    assert reading.payload == b"tilted"
    micrograph = Micrograph(squeezed, (4.9, 4.9), "test", {"tilt_deg": tilt})
    (reading,) = read_codes(micrograph)
    assert reading.pitch_nm == pytest.approx(49, rel=0.02)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colour_is_weighed_like_the_eye_does(channels: int, dtype: type) -> None:
    full = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    image = np.zeros((5, 6, channels), dtype)
    image[..., 1] = full
    image[..., 3:] = full
    assert open_source(image).frames[0, 0, 0] == pytest.approx(0.587 * full, rel=0.01)


def test_what_is_transparent_is_white() -> None:
    assert (open_source(np.zeros((5, 6, 4), np.uint8)).frames == 255).all()


def test_an_image_that_was_stretched_is_not_taken_to_be_tilted() -> None:
    facts = {"tilt_deg": 52.0}
    image = np.random.default_rng(0).normal(size=(8, 8))
    assert open_source(Micrograph(image, (6.0, 6.0), "", facts)).tilt_deg == 52
    corrected = facts | {"tilt_correction": True}
    assert open_source(Micrograph(image, (6.0, 6.0), "", corrected)).tilt_deg == 0
