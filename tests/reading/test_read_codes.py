"""read_codes: from pixels to exact bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.symbol import Symbol


def picture(symbol: Symbol, pixels: int = 5, quiet: int = 4) -> np.ndarray:
    """Dark modules 20, light ones 200."""
    modules = np.pad(symbol.matrix, quiet)
    return np.where(np.kron(modules, np.ones((pixels, pixels))), 20, 200).astype(np.uint8)


def test_gives_back_the_bytes_and_all_that_the_symbol_says() -> None:
    payload = bytes(range(256))
    symbol = encode(payload, error="Q", mask=5)
    (reading,) = read_codes(picture(symbol))
    assert reading.payload == payload
    assert reading.text is None
    assert (reading.version, reading.error, reading.mask) == (symbol.version, "Q", 5)
    assert reading.corrected_codewords == 0
    assert reading.matrix is not None
    np.testing.assert_array_equal(reading.matrix, symbol.matrix)
    assert not reading.mirrored
    assert not reading.inverted
    assert reading.confidence > 1 - 1e-9


def test_corners_count_from_the_centre_of_the_first_pixel() -> None:
    symbol = encode("corner", error="H")
    (reading,) = read_codes(picture(symbol, pixels=6, quiet=4))
    near, far = 24 - 0.5, 24 + 6 * symbol.modules - 0.5
    expected = [[near, near], [near, far], [far, far], [far, near]]
    np.testing.assert_allclose(reading.corners_yx, expected, atol=0.3)
    assert reading.pitch_px == pytest.approx(6, abs=0.03)
    assert reading.rotation_deg == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_corners_follow_a_turned_symbol(turns: int) -> None:
    symbol = encode("turned", error="M")
    image = np.rot90(picture(symbol), -turns)
    (reading,) = read_codes(image)
    assert reading.payload == b"turned"
    # the first corner goes where the symbol's top left went
    top_left = np.roll([[0, 0], [0, 1], [1, 1], [1, 0]], -turns, axis=0)[0]
    middle = np.array(image.shape) / 2
    assert ((reading.corners_yx[0] > middle) == (top_left == 1)).all()
    assert abs(reading.rotation_deg) == pytest.approx([0, 90, 180, 90][turns], abs=0.5)


def test_a_mirrored_symbol_is_told_and_its_corners_run_the_other_way() -> None:
    symbol = encode("mirror", error="M")
    image = picture(symbol)[:, ::-1]
    (reading,) = read_codes(image)
    assert reading.payload == b"mirror"
    assert reading.mirrored
    top_left, top_right, _, bottom_left = reading.corners_yx
    assert top_left[1] > top_right[1]
    assert bottom_left[0] > top_left[0]
    assert reading.matrix is not None
    np.testing.assert_array_equal(reading.matrix, symbol.matrix)


def test_bright_dark_modules_are_told() -> None:
    (reading,) = read_codes(255 - picture(encode("inverted")))
    assert reading.payload == b"inverted"
    assert reading.inverted


def test_tells_which_modules_were_repaired() -> None:
    symbol = encode("repaired", error="H")
    image = picture(symbol)
    row, column = 12, 16
    image[(row + 4) * 5 : (row + 5) * 5, (column + 4) * 5 : (column + 5) * 5] ^= 0xFF
    (reading,) = read_codes(image)
    assert reading.payload == b"repaired"
    assert reading.corrected_codewords == 1
    assert reading.wrong is not None
    assert np.argwhere(reading.wrong).tolist() == [[row, column]]


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_reads_any_real_numbers(dtype: type) -> None:
    image = picture(encode("numbers")).astype(dtype)
    if np.dtype(dtype).kind == "f":
        image = image / 1e6 - 3
    (reading,) = read_codes(image)
    assert reading.payload == b"numbers"


def test_reads_a_noisy_image() -> None:
    rng = np.random.default_rng(1)
    noisy = picture(encode("noise", error="M"), pixels=8) + rng.normal(0, 150, 1)
    noisy = noisy + rng.normal(0, 150, noisy.shape)
    (reading,) = read_codes(noisy)
    assert reading.payload == b"noise"


def test_reads_every_code_of_an_image_once() -> None:
    tiles = [picture(encode(text)) for text in ("one", "two", "three", "four")]
    image = np.block([[tiles[0], tiles[1]], [tiles[2], tiles[3]]])
    readings = read_codes(image)
    assert sorted(r.payload for r in readings) == [b"four", b"one", b"three", b"two"]


def test_averages_a_drifting_stack() -> None:
    rng = np.random.default_rng(2)
    image = picture(encode("stack", error="M"), pixels=6).astype(float)
    frames = [
        np.roll(image, (3 * i, -2 * i), (0, 1)) + rng.normal(0, 250, image.shape) for i in range(8)
    ]
    (reading,) = read_codes(np.stack(frames))
    assert reading.payload == b"stack"
    # corners as in the first frame
    np.testing.assert_allclose(reading.corners_yx[0], [23.5, 23.5], atol=1.5)


def test_measures_the_pitch_where_the_pixel_size_is_known() -> None:
    micrograph = Micrograph(picture(encode("pitch"), pixels=7), (7.0, 7.0), "test")
    (reading,) = read_codes(micrograph)
    assert reading.pitch_nm == pytest.approx(49, rel=0.01)
    (reading,) = read_codes(micrograph, pixel_size_nm=10)
    assert reading.pitch_nm == pytest.approx(70, rel=0.01)
    (reading,) = read_codes(micrograph.image)
    assert reading.pitch_nm is None


def test_to_dict_is_json_with_the_fields_of_the_command() -> None:
    (reading,) = read_codes(picture(encode("https://example.org")))
    code = json.loads(json.dumps(reading.to_dict()))
    assert code["payload_hex"] == b"https://example.org".hex()
    assert code["text"] == "https://example.org"
    assert np.shape(code["corners_yx"]) == (4, 2)
    assert {
        "version", "error", "mask", "mirrored", "inverted", "pitch_nm",
        "corrected_codewords", "confidence", "reader",
    } <= set(code)  # fmt: skip


def test_an_image_without_a_code_gives_an_empty_list() -> None:
    noise = np.random.default_rng(3).normal(size=(200, 220))
    assert read_codes(noise) == []
    assert read_codes(np.zeros((50, 60), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 5)), "empty"),
        (np.zeros(5), "not an array of shape"),
        (np.zeros((2, 2, 2, 2)), "not an array of shape"),
        (np.full((20, 20), np.nan), "no number"),
        (np.zeros((20, 20), complex), "real numbers"),
    ],
)
def test_what_is_no_image_is_refused_with_a_sentence(image: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_codes(image)


@pytest.mark.parametrize("size", [0, -1, np.nan, (1, 2, 3)])
def test_a_pixel_size_has_to_be_positive(size: float) -> None:
    with pytest.raises(ValueError, match="pixel size"):
        read_codes(np.zeros((20, 20)), pixel_size_nm=size)


def test_pixels_without_a_number_are_passed_over() -> None:
    image = picture(encode("holes", error="H")).astype(float)
    image[50:56, 60:66] = np.nan
    (reading,) = read_codes(image)
    assert reading.payload == b"holes"


def test_progress_reaches_its_end_and_cancel_stops_the_search() -> None:
    calls: list[tuple[int, int, str]] = []
    noise = np.random.default_rng(4).normal(size=(100, 100))
    read_codes(noise, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1]
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    calls.clear()
    read_codes(noise, progress=lambda *call: calls.append(call), cancelled=lambda: len(calls) >= 2)
    assert len(calls) == 3
