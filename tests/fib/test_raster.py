"""Exposure on cells: charge and area are kept, wherever points and corners lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.fib.pattern import PointPattern, ShapePattern
from napari_nanoqr.fib.raster import SPREAD_VARIANCE, Grid, polygon_area

GRID = Grid(-50, -40, 10, 8, 10)


def points(steps: list[tuple[int, int]], dwell: list[int]) -> PointPattern:
    return PointPattern(
        format="test", steps=np.array(steps), dwell_units=np.array(dwell),
        beam_on=np.ones(len(steps), dtype=bool), passes=3, centre_step=(100, 100),
        step_nm=0.1, dwell_unit_s=1e-7,
    )  # fmt: skip


def shapes(*polygons: list[tuple[float, float]]) -> ShapePattern:
    return ShapePattern(
        format="test", polygons_nm=tuple(np.array(p, dtype=float) for p in polygons),
        dose_factors=np.full(len(polygons), 2.0), layers=np.zeros(len(polygons), dtype=int),
    )  # fmt: skip


def test_a_point_counts_for_its_cell() -> None:
    seconds = points([(151, 49)], [10]).rasterise(GRID)
    assert np.argwhere(seconds).tolist() == [[3, 5]]
    assert seconds.sum() == pytest.approx(3e-6)


@given(st.lists(st.tuples(st.integers(-200, 400), st.integers(-100, 300)), min_size=1, max_size=9))
def test_spreading_keeps_charge_and_centre_and_widens_as_stated(
    steps: list[tuple[int, int]],
) -> None:
    pattern = points(steps, [7] * len(steps))
    share = pattern.spread(GRID)
    assert share.sum() == pytest.approx(len(steps) * 2.1e-6)
    x = GRID.left_nm + (np.arange(GRID.columns) + 0.5) * GRID.cell_nm
    across = share.sum(axis=0) / share.sum()
    where = pattern.points_nm
    assert where is not None
    assert (across * x).sum() == pytest.approx(where[:, 0].mean(), abs=1e-9)
    variance = (across * x**2).sum() - (across * x).sum() ** 2
    assert variance == pytest.approx(where[:, 0].var() + SPREAD_VARIANCE * GRID.cell_nm**2)


def test_what_lies_outside_the_grid_is_left_out() -> None:
    far = points([(5000, 100), (100, -9000)], [1, 1])
    assert far.rasterise(GRID).sum() == far.spread(GRID).sum() == 0
    assert shapes([(200, 0), (300, 0), (300, 50), (200, 50)]).rasterise(GRID).sum() == 0


def test_without_a_scale_or_a_dwell_unit_nothing_is_placed() -> None:
    bare = PointPattern(
        format="test", steps=np.zeros((1, 2), dtype=int), dwell_units=np.ones(1, dtype=int),
        beam_on=np.ones(1, dtype=bool), passes=1, centre_step=(0, 0), dwell_unit_s=1e-7,
    )  # fmt: skip
    with pytest.raises(ValueError, match="give the horizontal field width"):
        bare.rasterise(GRID)


@given(
    left=st.floats(-60, 60), top=st.floats(-60, 60),
    width=st.floats(0.1, 90), height=st.floats(0.1, 90),
)  # fmt: skip
def test_rectangles_are_exact(left: float, top: float, width: float, height: float) -> None:
    right, bottom = left + width, top + height
    share = shapes([(left, top), (right, top), (right, bottom), (left, bottom)]).rasterise(GRID)
    inside = max(0, min(right, 50) - max(left, -50)) * max(0, min(bottom, 40) - max(top, -40))
    assert share.sum() * 100 == pytest.approx(2 * inside, abs=1e-6)


def test_other_polygons_are_close() -> None:
    turned = [(0.0, -30.0), (30.0, 0.0), (0.0, 30.0), (-30.0, 0.0)]
    share = shapes(turned).rasterise(GRID)
    assert share.sum() * 100 == pytest.approx(2 * 1800, rel=0.03)
    assert share[4, 5] == share[3, 4] == 2
    assert polygon_area(np.array(turned) + 1e6) == pytest.approx(1800)


def test_a_grid_covers_its_bounds_around_their_centre() -> None:
    grid = Grid.around((-10, 0, 15, 31), 10)
    assert (grid.rows, grid.columns) == (4, 3)
    assert (grid.left_nm + 15, grid.top_nm + 20) == (2.5, 15.5)
