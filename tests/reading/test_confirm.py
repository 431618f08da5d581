"""Nothing is believed that was not decoded here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_nanoqr.reading.confirm import confirm
from napari_nanoqr.reading.image import open_source
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.prepare import Preparations
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.scene import Scene, inside
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.symbol import Symbol

SYMBOL = encode("confirmed", version=2, error="M")
SIDE = 25 * 6
CORNERS = np.array([[0, 0], [0, SIDE], [SIDE, SIDE], [SIDE, 0]]) + 24 - 0.5


def picture(symbol: Symbol = SYMBOL) -> np.ndarray:
    return np.where(np.kron(np.pad(symbol.matrix, 4), np.ones((6, 6))), 30, 220).astype(np.float32)


def answer(payload: bytes | None = b"confirmed") -> NativeAnswer:
    return NativeAnswer("zxing-cpp", "QR", payload, CORNERS, "2", "M", 0)


def test_a_right_answer_is_confirmed() -> None:
    confirmed = confirm(picture(), answer())
    assert confirmed is not None
    assert confirmed.agrees
    assert confirmed.decoded.symbol.payload == b"confirmed"


def test_a_place_alone_is_enough_for_our_own_eyes() -> None:
    confirmed = confirm(picture(), answer(None))
    assert confirmed is not None
    assert not confirmed.agrees
    assert confirmed.decoded.symbol == SYMBOL


def test_a_mangled_payload_gives_way_to_what_the_modules_say() -> None:
    confirmed = confirm(picture(), answer("conﬁrmed".encode()))
    assert confirmed is not None
    assert not confirmed.agrees
    assert confirmed.decoded.symbol.payload == b"confirmed"


def test_an_answer_that_the_image_does_not_bear_out_is_left_out() -> None:
    noise = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    assert confirm(noise, answer()) is None
    assert confirm(np.zeros((200, 200), np.float32), answer()) is None


def test_the_reader_s_own_modules_count_where_ours_cannot_be_seen() -> None:
    image = picture()
    image[40:160, 100:140] = image.mean()
    seen = replace(answer(), matrix=SYMBOL.matrix.copy())
    confirmed = confirm(image, seen)
    assert confirmed is not None
    assert confirmed.decoded.symbol == SYMBOL


def test_a_symbol_of_nothing_but_zeros_says_nothing() -> None:
    # an all-zero stream is a codeword: structures in an image could look like it
    blank = np.zeros((25, 25), dtype=bool)
    assert confirm(picture(), replace(answer(), matrix=blank)) is not None
    assert confirm(np.zeros((200, 200), np.float32), replace(answer(), matrix=blank)) is None


def test_points_inside_a_quadrangle() -> None:
    quad = np.array([[0, 0], [0, 10], [10, 12], [8, 0]], dtype=float)
    points = np.array([[5.0, 5.0], [-1.0, 5.0], [9.9, 1.0], [9.0, 11.0]])
    assert inside(points, quad).tolist() == [True, False, False, True]
    assert inside(points, quad[::-1]).tolist() == [True, False, False, True]


def found_at(corners: np.ndarray) -> Reading:
    return Reading(
        b"x", "x", "QR", 1, "M", 0, corners, False, False, 5.0, None, 0.0, 0, 1.0, "zxing-cpp", ""
    )


def scene(shape: tuple[int, int], *corners: np.ndarray) -> Scene:
    source = open_source(np.full(shape, 100, np.uint8))
    return Scene(source, Preparations(source), [found_at(np.array(c, float)) for c in corners])


def test_room_for_another_code() -> None:
    square = 100.0 * np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    beside = square + np.array([20, 130])
    assert not scene((140, 140), square + 20).room_for_another()
    assert scene((140, 240), square + 20).room_for_another()
    assert scene((260, 260), square + 20, beside).room_for_another()
    assert not scene((140, 260), square + 20, beside).room_for_another()


@pytest.mark.parametrize("change", ["a code", "noise", "a faint ramp"])
def test_what_lies_beside_the_codes_is_seen_however_faint(change: str) -> None:
    square = np.array([[60, 80], [60, 185], [165, 185], [165, 80]], dtype=float)
    image = np.full((301, 437), 200.0, dtype=np.float32)
    image[60:165, 80:185] = np.kron(
        np.random.default_rng(0).random((21, 21)) < 0.5, np.ones((5, 5))
    )
    source = open_source(image)
    assert Scene(source, Preparations(source), [found_at(square)]).even_beside(5.0)
    # what the code itself looks like does not count, all else does: a pixel at the far end
    image[-1, -1] = 190
    other = open_source(image)
    assert not Scene(other, Preparations(other), [found_at(square)]).even_beside(5.0)
    image[-1, -1] = 200
    if change == "noise":
        image += np.random.default_rng(1).normal(0, 3, image.shape).astype(np.float32)
    elif change == "a faint ramp":
        image += np.linspace(0, 60, 437, dtype=np.float32)
    else:
        image[200:284, 300:384] += 4 * np.kron(np.eye(21), np.ones((4, 4))).astype(np.float32)
    seen = open_source(image)
    assert not Scene(seen, Preparations(seen), [found_at(square)]).even_beside(5.0)


def test_a_second_code_is_read_beside_a_clean_one() -> None:
    # zxing-cpp reads the first; the other is there for us
    one = np.kron(~np.pad(SYMBOL.matrix, 4), np.ones((8, 8))) * 200.0
    rng = np.random.default_rng(0)
    faint = np.kron(~np.pad(SYMBOL.matrix, 4), np.ones((8, 8))) * 60 + rng.normal(0, 40, one.shape)
    readings = read_codes(np.hstack([one, 70 + faint, np.full((len(one), 300), 200.0)]))
    assert [reading.payload for reading in readings] == [SYMBOL.payload] * 2


def test_codes_that_were_read_are_painted_over() -> None:
    one = scene((60, 60), [[10, 10], [10, 40], [40, 40], [40, 10]])
    image = np.zeros((30, 60), np.uint8)
    image[5:20, 10:40] = 255
    covered = one.covered(image, (2.0, 1.0))
    assert (covered[6:19, 11:39] == 0).all()
    assert image.max() == 255
