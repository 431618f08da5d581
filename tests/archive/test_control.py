"""The control pages: plain text that comes back, whichever way the sheet lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.archive.control import control_text, draw_control
from napari_nanoqr.archive.control_page import ROWS, TextTooLong, draw_pages, fill_rows, read_page
from napari_nanoqr.archive.layout import RATES
from napari_nanoqr.archive.short_decoder import HEADER, TILE

ROOM = 15 * (ROWS - 1)


def soft_of(levels: np.ndarray) -> np.ndarray:
    return np.where(levels > 0, -20, 20).astype(np.int8)


def read_all(pages: list[np.ndarray]) -> str:
    """The text of all pages without the rows that number them."""
    texts = [read_page(soft_of(page)) for page in pages]
    for number, text in enumerate(texts):
        assert text is not None
        assert text.startswith(f"PAGE {number + 1} OF 4")
    return "".join(text[15:] for text in texts if text)


@settings(max_examples=15)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4 * ROOM))
def test_any_text_comes_back(text: str) -> None:
    assert read_all(draw_pages(text)) == text.ljust(4 * ROOM)


def test_letters_are_plain_ascii_that_the_eye_can_read() -> None:
    page = draw_pages("HI")[0]
    assert page.shape == (512, 512)
    row = page[4 * 5 + 1, 16:-16:4]
    assert row[:16].tolist() == [0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert (page.reshape(128, 4, 128, 4) == page[::4, None, ::4, None]).all()


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("negative", [1, -1])
def test_a_page_is_read_whichever_way_it_lies(turns: int, mirrored: bool, negative: int) -> None:
    soft = soft_of(draw_pages("this side up")[2]) * np.int8(negative)
    seen = np.rot90(soft, turns)[:: -1 if mirrored else 1]
    assert (read_page(seen) or "").startswith("PAGE 3 OF 4")


def test_a_page_is_read_through_noise_that_no_tile_would_bear() -> None:
    rng = np.random.default_rng(1)
    page = draw_control(0, 49.0, 2, 4, "4/5", 1)
    received = 1.2 * (1.0 - 2 * page) + rng.normal(size=page.shape)
    # every ninth module of a tile would be read wrongly
    assert ((received < 0) != page).mean() > 0.11
    soft = np.clip(np.rint(16 * 1.2 * received), -127, 127).astype(np.int8)
    assert read_page(soft) == read_page(soft_of(page))


def test_what_is_no_page_is_not_read() -> None:
    rng = np.random.default_rng(2)
    assert read_page(rng.integers(-100, 100, (1, 512, 512)).astype(np.int8)) is None
    assert read_page(np.zeros((512, 512), np.int8)) is None


def test_letters_that_are_spoilt_are_marked() -> None:
    page = draw_pages("A" * 30)[0]
    page[20:24, 16:48] = 1
    assert (read_page(soft_of(page)) or "")[15:18] == "?AA"


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("bits", [1, 2])
def test_all_that_a_reader_needs_fits(rate: str, bits: int) -> None:
    text = control_text(1234.567, 16, 1000, rate, bits)
    pages = [draw_control(page, 1234.567, 16, 1000, rate, bits) for page in range(4)]
    assert set(np.unique(pages)) == {0, 2**bits - 1}
    told = read_all(pages)
    assert told == text.ljust(4 * ROOM)
    assert "1234.57 nm" in told
    assert ("4 depths" in told) == (bits == 2)
    for table in (HEADER, *TILE):
        assert " ".join(table.split()) in told


def test_paragraphs_start_a_row_and_never_touch() -> None:
    assert fill_rows(["a" * 15, "b"]) == "a" * 15 + " " * 15 + "b" + " " * 14


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(TextTooLong, match=f"{4 * ROOM + 1} letters do not fit"):
        draw_pages("x" * (4 * ROOM + 1))
    with pytest.raises(ValueError, match="printable ASCII, not 'µ'"):
        draw_pages("49 µm")
