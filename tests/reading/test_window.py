"""What is looked at around one symbol."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.window import Window

CORNERS = np.array([[30.0, 40.0], [32.0, 140.0], [131.0, 138.0], [129.0, 39.0]])


@given(pitch=st.floats(2, 40))
def test_a_grid_comes_back_from_a_window_as_it_went_in(pitch: float) -> None:
    window = Window.around(np.zeros((200, 200), np.float32), CORNERS, pitch)
    grid = Grid.from_corners(CORNERS, (21, 21))
    assert np.allclose(window.outside(window.inside(grid)).corners_yx, CORNERS)
    assert np.allclose(window.inside(grid).corners_yx, window.points(CORNERS))


@pytest.mark.parametrize("pitch", [5.0, 13.0, 26.0])
def test_a_window_shows_at_a_point_what_the_image_shows_there(pitch: float) -> None:
    y, x = np.mgrid[:400, :500]
    image = (2 * y + 3 * x).astype(np.float32)
    window = Window.around(image, CORNERS, pitch)
    row, column = np.array(window.part.shape) // 2
    point = window.points(np.array([[150.0, 200.0]]))[0]
    slope = window.step * np.array([2, 3])
    shown = window.part[row, column] + (point - (row, column)) @ slope
    assert shown == pytest.approx(2 * 150 + 3 * 200, abs=0.5)


def test_a_window_of_large_modules_has_fewer_pixels() -> None:
    image = np.zeros((2000, 2000), np.float32)
    small = Window.around(image, CORNERS, 5.0)
    large = Window.around(image, 10 * CORNERS, 50.0)
    assert small.step == 1
    assert large.part.size < 2 * small.part.size


@pytest.mark.parametrize("shift", [(-900.0, 0.0), (0.0, 900.0), (900.0, -900.0)])
def test_a_symbol_outside_of_the_image_has_no_window(shift: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        Window.around(np.zeros((200, 200), np.float32), CORNERS + shift, 5.0)
