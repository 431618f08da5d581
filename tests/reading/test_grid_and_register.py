"""Grids: where modules are, and fitting them to an image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.grid import Grid, homography, polynomials
from napari_nanoqr.reading.interpolation import interpolate
from napari_nanoqr.reading.register import refine
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.reading.template import function_template, make_template
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.qr import qr_layout

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
near = st.floats(-0.2, 0.2)


@given(st.lists(st.tuples(near, near), min_size=4, max_size=4))
def test_a_homography_takes_each_corner_to_its_place(moves: list[tuple[float, float]]) -> None:
    target = 100 * (SQUARE + np.array(moves))
    matrix = homography(SQUARE, target)
    mapped = np.column_stack((SQUARE, np.ones(4))) @ matrix.T
    np.testing.assert_allclose(mapped[:, :2] / mapped[:, 2:], target, atol=1e-6)


def test_a_homography_of_points_on_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match="line"):
        homography(np.zeros((4, 2)), 10 * SQUARE)


def test_polynomials_of_a_higher_degree_begin_with_those_of_a_lower() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (7, 2))
    cubic = polynomials(points, 3)
    assert cubic.shape == (7, 10)
    np.testing.assert_allclose(cubic[:, :6], polynomials(points, 2))
    a, b = points.T
    expected = [1 + 0 * a, a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3]
    np.testing.assert_allclose(cubic.T, expected)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_transposed_grid_shows_the_same_places(degree: int) -> None:
    rng = np.random.default_rng(degree)
    grid = Grid.from_corners(20 + 50 * SQUARE + rng.normal(0, 2, (4, 2)), (21, 21))
    grid = grid.bent(rng.normal(0, 0.3, ((degree + 1) * (degree + 2) // 2, 2)))
    points = rng.uniform(0, 21, (30, 2))
    np.testing.assert_allclose(
        grid.to_pixels(points), grid.transposed().to_pixels(points[:, ::-1]), atol=1e-9
    )


def test_interpolation_is_exact_on_a_plane_and_stays_inside() -> None:
    y, x = np.mgrid[:5, :7].astype(np.float32)
    image = 2 * y - 3 * x
    np.testing.assert_allclose(interpolate(image, np.array([1.25, 4.5])), 2.5 - 13.5)
    np.testing.assert_allclose(interpolate(image, np.array([-9.0, 99.0])), -18.0)
    assert interpolate(np.ones((1, 1), np.float32), np.zeros((3, 2))).tolist() == [1, 1, 1]


def test_sampling_gives_each_module_its_value() -> None:
    modules = encode("sampled").matrix
    image = np.kron(~modules, np.ones((7, 7))).astype(np.float32)
    corners = modules.shape[0] * 7 * SQUARE - 0.5
    values = sample_modules(image, Grid.from_corners(corners, modules.shape))
    np.testing.assert_array_equal(values < 0.5, modules)


@given(
    shift=st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
    turn=st.floats(-0.015, 0.015),
    light=st.sampled_from([50.0, 200.0]),
)
@settings(max_examples=25, deadline=None)
def test_fitting_finds_back_a_shifted_and_turned_symbol(
    shift: tuple[float, float], turn: float, light: float
) -> None:
    symbol = encode("found back", version=3, error="M")
    pitch, side = 8, symbol.modules
    image = np.kron(np.pad(symbol.matrix, 4), np.ones((pitch, pitch)))
    image = np.where(image, 120.0, light) + np.random.default_rng(0).normal(0, 20, image.shape)
    right = 4 * pitch - 0.5 + pitch * side * SQUARE
    middle = right.mean(axis=0)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    wrong = (right - middle) @ rotation.T + middle + np.array(shift) * pitch
    window = Window.around(image.astype(np.float32), wrong, pitch)
    start = window.inside(Grid.from_corners(wrong, (side, side)))
    fit = refine(window.softened, start, function_template(qr_layout(3)))
    assert np.sign(fit.correlation) == (1 if light > 120 else -1)
    distance = np.linalg.norm(window.outside(fit.grid).corners_yx - right, axis=1) / pitch
    assert distance.max() < 0.15


def test_fitting_never_ends_worse_than_it_began() -> None:
    rng = np.random.default_rng(5)
    image = rng.normal(size=(100, 100)).astype(np.float32)
    grid = Grid.from_corners(10 + 70 * SQUARE, (21, 21))
    template = function_template(qr_layout(1))
    before = refine(image, grid, template, steps=0).correlation
    after = refine(image, grid, template, degree=3).correlation
    assert abs(after) >= abs(before)


def test_a_template_of_known_modules_only_speaks_of_them() -> None:
    modules = np.ones((6, 6), dtype=bool)
    known = np.zeros((6, 6), dtype=bool)
    known[2, 3] = True
    template = make_template(modules, known)
    assert (np.floor(template.points) == [2, 3]).all()
    assert (template.value < 0).all()


@pytest.mark.parametrize("version", [1, 3])
def test_a_thinned_template_says_the_same_at_every_fourth_point(version: int) -> None:
    layout = qr_layout(version)
    full = make_template(layout.dark, layout.certain)
    few = make_template(layout.dark, layout.certain, thinned=True)
    assert 4 * len(few.points) == len(full.points)
    again = full.thinned()
    np.testing.assert_array_equal(few.points, again.points)
    np.testing.assert_array_equal(few.value, again.value)
    np.testing.assert_array_equal(few.slope, again.slope)


def test_a_template_is_the_blurred_symbol_with_its_slope() -> None:
    modules = np.random.default_rng(0).random((9, 11)) < 0.5
    template = make_template(modules, np.ones_like(modules))
    blurred = gaussian_filter(
        np.kron(np.where(np.pad(modules, 3), -1.0, 1.0) * np.pad(np.ones_like(modules), 3),
                np.ones((4, 4))), 1.6, truncate=3.0,
    )  # fmt: skip
    row, column = (np.rint(4 * template.points.T - 0.5) + 12).astype(int)
    np.testing.assert_allclose(template.value, blurred[row, column], atol=1e-9)
    inner = ((template.points > 0.25) & (template.points < [8.75, 10.75])).all(axis=1)
    down, right = np.gradient(blurred, 0.25)
    np.testing.assert_allclose(template.slope[inner, 0], down[row, column][inner], atol=1e-9)
    np.testing.assert_allclose(template.slope[inner, 1], right[row, column][inner], atol=1e-9)


def test_a_fit_can_be_held_to_some_ways_of_bending() -> None:
    side = 29
    matrix = encode(b"rows only", version=3).matrix
    template = make_template(matrix, np.ones_like(matrix))
    grid = Grid.from_corners(10 + 6.0 * side * SQUARE, (side, side))
    image = np.full((200, 200), 0.0, dtype=np.float32)
    y, x = np.indices(image.shape)
    # an image scanned with a parabola along its rows
    column = (x - 10 - 5 * ((y - 97) / 87.0) ** 2) / 6.0
    rows, columns = np.floor((y - 10) / 6.0).astype(int), np.floor(column).astype(int)
    seen = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    image[seen] = np.where(matrix[rows[seen], columns[seen]], -1.0, 1.0)
    along_rows = np.zeros((6, 4))
    along_rows[:4, :4] = np.eye(4)  # 1, a, b and a squared
    both = np.kron(along_rows, np.eye(2))
    held = refine(image, grid, template, degree=2, steps=12, stiffness=1e-3, within=both)
    assert held.correlation > 0.85
    assert not held.grid.bend[4:].any()
    # 5 pixels at both ends, none in the middle
    assert held.grid.bend[3, 1] == pytest.approx(5 / 6, abs=0.1)
