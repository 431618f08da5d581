"""Cells become polygons that every reader takes, and that cover what they should exactly once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.fib.merging import merge_rectangles
from napari_nanoqr.fib.outlining import MOST_CORNERS, merge_polygons
from napari_nanoqr.fib.pattern import ShapePattern
from napari_nanoqr.fib.pattern_files import FORMATS, read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.raster import Grid, fill_along_axes

POLYGONS = [form.suffix for form in FORMATS if "shapes" in form.options]


def rings(classes: np.ndarray, **options: int) -> list[tuple[np.ndarray, int]]:
    corners, lengths, values = merge_polygons(classes, **options)
    found = np.split(corners, np.cumsum(lengths)[:-1]) if lengths.size else []
    return list(zip(found, values.tolist(), strict=True))


def filled(ring: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Cells within a ring, by crossing upright edges from the left."""
    inside = np.zeros(shape, dtype=int)
    for (row, column), (next_row, next_column) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if column == next_column:
            inside[min(row, next_row) : max(row, next_row), column:] += 1
    return inside % 2 == 1


def assert_simple(ring: np.ndarray) -> None:
    """One way round, turning at every corner, and no corner met twice."""
    moves = np.roll(ring, -1, axis=0) - ring
    across = moves[:, 1] != 0
    assert ((moves != 0).sum(axis=1) == 1).all()
    assert (across[::2] & ~across[1::2]).all()
    assert len(np.unique(ring, axis=0)) == len(ring)


@given(
    seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 14), columns=st.integers(1, 14),
    kinds=st.integers(1, 3), share=st.floats(0, 1), most=st.sampled_from([4, 8, 20, MOST_CORNERS]),
)  # fmt: skip
def test_polygons_cover_each_class_exactly_once_and_are_simple(
    seed: int, rows: int, columns: int, kinds: int, share: float, most: int
) -> None:
    rng = np.random.default_rng(seed)
    classes = rng.integers(1, kinds + 1, (rows, columns)) * (rng.random((rows, columns)) < share)
    covered = np.zeros(classes.shape, dtype=int)
    for ring, value in rings(classes, most_corners=most):
        assert len(ring) <= most
        assert_simple(ring)
        inside = filled(ring, classes.shape)
        assert not covered[inside].any()
        covered[inside] = value
    assert np.array_equal(covered, classes)


def test_an_area_that_hangs_together_is_one_polygon() -> None:
    letter = np.array([[1, 0, 1], [1, 0, 1], [1, 1, 1]])
    ((ring, value),) = rings(letter)
    assert (len(ring), value) == (8, 1)
    assert ring[0].tolist() == [0, 0]


def test_what_meets_at_a_corner_only_is_kept_apart() -> None:
    assert len(rings(np.eye(3, dtype=int))) == 3


def test_a_ring_is_cut_so_that_none_of_its_parts_has_a_hole() -> None:
    finder = np.ones((7, 7), dtype=int)
    finder[1:-1, 1:-1] = 0
    found = rings(finder)
    assert sorted(len(ring) for ring, _ in found) == [4, 8]


def test_a_ring_that_is_closed_by_a_corner_is_cut_as_well() -> None:
    # the upper right and the lower left cell meet at a corner, and hang together elsewhere
    snail = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]])
    assert len(rings(snail)) == 2


def test_there_are_fewer_polygons_than_rectangles() -> None:
    modules = (np.random.default_rng(0).random((120, 120)) < 0.5).astype(int)
    assert 2 * len(rings(modules)) < len(merge_rectangles(modules)[1])


def test_nothing_milled_is_no_polygon() -> None:
    assert rings(np.zeros((3, 4), dtype=int)) == []


@pytest.mark.parametrize("suffix", POLYGONS)
def test_a_design_is_read_back_from_polygons(plan: MillPlan, suffix: str, tmp_path: Path) -> None:
    uneven = replace(plan, relative_dose=np.where(plan.lattice.dose > 0, 1.0, 0).astype(np.float32))
    uneven.relative_dose[: len(uneven.relative_dose) // 2] *= np.float32(0.75)
    found = write_pattern(uneven, tmp_path / f"a{suffix}", shapes="polygons")
    assert found.matches
    assert abs(found.dose_error_percent) < 1e-3
    by_polygons = read_pattern(tmp_path / f"a{suffix}")
    write_pattern(uneven, tmp_path / f"b{suffix}")
    by_rectangles = read_pattern(tmp_path / f"b{suffix}")
    assert isinstance(by_polygons, ShapePattern)
    assert isinstance(by_rectangles, ShapePattern)
    assert len(by_polygons.polygons_nm) < len(by_rectangles.polygons_nm)
    grid = Grid.around(plan.exposure.outline_nm, 3.1)
    one, other = by_polygons.rasterise(grid), by_rectangles.rasterise(grid)
    assert np.abs(one - other).max() < 1e-6


def test_corrected_doses_are_kept_in_polygons(plan: MillPlan, tmp_path: Path) -> None:
    corrected = plan_milling(plan.design, plan.beam, correct_edges=True)
    assert write_pattern(corrected, tmp_path / "a.gds", shapes="polygons").matches


def test_shapes_that_do_not_exist_are_refused(plan: MillPlan, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use rectangles or polygons"):
        write_pattern(plan, tmp_path / "a.gds", shapes="circles")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gds", ".oas"])
def test_klayout_finds_the_area_and_no_overlap(plan: MillPlan, suffix: str, tmp_path: Path) -> None:
    klayout = pytest.importorskip("klayout.db")
    write_pattern(plan, tmp_path / f"a{suffix}", shapes="polygons")
    layout = klayout.Layout()
    layout.read(str(tmp_path / f"a{suffix}"))
    region = klayout.Region(layout.top_cell().begin_shapes_rec(layout.layer_indexes()[0]))
    region.merged_semantics = False
    area = round(plan.design.pitch_nm / (1000 * layout.dbu)) ** 2 * plan.milled_modules
    assert region.area() == region.merged().area() == area
    assert all(polygon.num_points() <= 199 for polygon in region.each())
    assert all(polygon.holes() == 0 for polygon in region.each())


@given(
    st.lists(st.integers(-6, 16), min_size=8, max_size=8), st.booleans(), st.floats(0.2, 3.0)
)  # fmt: skip
def test_a_polygon_along_the_axes_fills_cells_by_the_area_it_covers(
    sides: list[int], reverse: bool, factor: float
) -> None:
    # an L of two rectangles that share an edge, at thirds of a cell
    x, y = sorted(np.array(sides[:3]) / 3), sorted(np.array(sides[3:6]) / 3)
    ring = np.array(
        [(x[0], y[0]), (x[2], y[0]), (x[2], y[1]), (x[1], y[1]), (x[1], y[2]), (x[0], y[2])]
    )
    grid = Grid(0.0, 0.0, 1.0, 4, 5)
    found = fill_along_axes(
        grid, ring[::-1] if reverse else ring, np.array([6]), np.array([factor])
    )

    def covered(left: float, top: float, right: float, bottom: float) -> np.ndarray:
        across = np.diff(np.clip(np.arange(6), left, right))
        down = np.diff(np.clip(np.arange(5), top, bottom))
        return factor * np.outer(down, across)

    wanted = covered(x[0], y[0], x[2], y[1]) + covered(x[0], y[1], x[1], y[2])
    assert found == pytest.approx(wanted, abs=1e-8)
