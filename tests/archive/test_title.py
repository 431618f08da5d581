"""The title of a sheet is legible, true to scale, and fits whatever it has to say."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.archive.title import draw_title
from napari_nanoqr.design.lettering import lettering


def squares(levels: np.ndarray, side: int) -> np.ndarray:
    """The field in squares of which each is all milled or not at all."""
    blocks = levels.reshape(len(levels) // side, side, -1, side).swapaxes(1, 2)
    assert (blocks == blocks[:, :, :1, :1]).all()
    return blocks[:, :, 0, 0]


def test_the_letters_are_wide_enough_for_an_optical_microscope() -> None:
    cells = squares(draw_title()[:288], 16)
    assert (cells[2:9, 2:61] == lettering("DATA FILES")).all()
    assert (cells[11:18, 2:55] == lettering("DOT 49 NM")).all()
    assert 16 * 49 >= 750


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    levels = draw_title(pitch_nm=49.0)
    bar = levels[121 * 8]
    assert (squares(levels[832:944, 32:496], 16) == lettering("20 UM")).all()
    assert bar[:600].sum() == round(20_000 / 49)


def test_what_is_milled_is_as_deep_as_the_deepest_level() -> None:
    assert set(np.unique(draw_title(bits=1))) == {0, 1}
    assert set(np.unique(draw_title(bits=2))) == {0, 3}
    assert (draw_title(bits=2) == 3 * draw_title(bits=1)).all()


@pytest.mark.parametrize("tiles", [1, 2, 5])
def test_it_fills_a_field_of_any_size(tiles: int) -> None:
    levels = draw_title(tiles)
    assert levels.shape == (512 * tiles, 512 * tiles)
    assert levels[:, -2 * tiles :].sum() == 0


@pytest.mark.parametrize("pitch", [5.0, 49.5, 100.0, 1234.0])
@pytest.mark.parametrize(("sheet", "sheets"), [(0, 1), (98, 99), (65_534, 65_535)])
@pytest.mark.parametrize("onward", ["right", "down"])
def test_long_numbers_fit(pitch: float, sheet: int, sheets: int, onward: str) -> None:
    levels = draw_title(2, pitch, sheet, sheets, onward=onward)
    # nothing touches the edge, nor do the sheet's number and the arrow touch one another
    assert not levels[:16].any()
    assert not levels[:, -16:].any()
    assert not levels[100 * 8 : 102 * 8].any()
    # nor the scale and the arrow
    assert not levels[102 * 8 :, 84 * 8 : 86 * 8].any()


def test_the_arrow_points_at_the_next_field() -> None:
    right, down = (draw_title(onward=onward)[816:, 688:] for onward in ("right", "down"))
    assert right.any(axis=0).nonzero()[0].max() > 36 * 8
    assert right.sum(axis=0)[280] < right.sum(axis=0)[210]
    assert down.any(axis=1).nonzero()[0].max() > 22 * 8
    with pytest.raises(ValueError, match="right or down, not 'left'"):
        draw_title(onward="left")
