"""Micro QR and rMQR: believed only with their fixed patterns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.small import confirm_small
from napari_nanoqr.symbols.kinds import layout_named

segno = pytest.importorskip("segno")


def micro(text: str, version: str, error: str | None = None) -> np.ndarray:
    symbol = segno.make_micro(text, version=version, error=error, boost_error=False)
    return np.array([list(row) for row in symbol.matrix], dtype=bool)


def picture(modules: np.ndarray) -> np.ndarray:
    return np.where(np.kron(np.pad(modules, 4), np.ones((6, 6))), 30, 220).astype(np.uint8)


@pytest.mark.parametrize(
    ("text", "version", "error"),
    [("12345", "M1", None), ("ABC12", "M2", "M"), ("nanoqr", "M3", "L"), ("nanoqr", "M4", "Q")],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_micro_qr_is_read_with_all_it_says(
    text: str, version: str, error: str | None, mirrored: bool
) -> None:
    modules = micro(text, version, error)
    image = picture(modules.T if mirrored else modules)
    (reading,) = read_codes(image)
    assert reading.payload == text.encode()
    assert reading.text == text
    assert (reading.symbology, reading.version, reading.error) == ("Micro QR", version, error)
    assert reading.mirrored == mirrored
    assert reading.matrix is not None
    np.testing.assert_array_equal(reading.matrix, modules)
    start, end = 23.5, 23.5 + 6 * len(modules)
    corners = [[start, start], [start, end], [end, end], [end, start]]
    if mirrored:
        corners = [corners[i] for i in (0, 3, 2, 1)]
    np.testing.assert_allclose(reading.corners_yx, corners, atol=1.0)


def test_rmqr_is_read() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    code = zxingcpp.create_barcode("NANOQR", zxingcpp.BarcodeFormat.RMQRCode)
    modules = np.array(code.to_image(scale=1, add_quiet_zones=False)) == 0
    (reading,) = read_codes(picture(modules))
    assert reading.text == "NANOQR"
    assert reading.symbology == "rMQR"
    assert reading.version == f"R{modules.shape[0]}x{modules.shape[1]}"


def believable() -> tuple[np.ndarray, NativeAnswer]:
    modules = micro("nanoqr", "M4", "Q")
    image = picture(modules)
    (reading,) = read_codes(image)
    corners = reading.corners_yx
    answer = NativeAnswer(
        "zxing-cpp", "Micro QR", b"nanoqr", corners, "M4", "Q", reading.mask, modules
    )
    return image.astype(np.float32), answer


def test_a_symbol_without_its_patterns_is_not_believed() -> None:
    image, answer = believable()
    assert confirm_small(image, answer, plain=True) is not None
    assert answer.matrix is not None
    layout = layout_named("M4")
    broken = np.where(layout.certain, ~layout.dark, answer.matrix)
    assert confirm_small(image, replace(answer, matrix=broken), plain=True) is None


def test_a_symbol_that_the_image_does_not_show_is_not_believed() -> None:
    image, answer = believable()
    noise = np.random.default_rng(0).normal(size=image.shape).astype(np.float32)
    assert confirm_small(noise, answer, plain=True) is None


def test_an_answer_that_the_modules_do_not_hold_is_not_believed() -> None:
    image, answer = believable()
    assert confirm_small(image, replace(answer, payload=b"nanoqs"), plain=True) is None


def test_modules_of_another_size_are_not_believed() -> None:
    image, answer = believable()
    assert answer.matrix is not None
    for part in (answer.matrix[:15, :15], answer.matrix[:, :16]):
        assert confirm_small(image, replace(answer, matrix=part), plain=True) is None
