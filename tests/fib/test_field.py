"""Many symbols in a field: each keeps its place, its size and its dose in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.lettering import lettering
from napari_nanoqr.fib.column import Beam
from napari_nanoqr.fib.cutting import by_parts, cut_out
from napari_nanoqr.fib.field import Drawing, FieldPlan, PlacedPlan
from napari_nanoqr.fib.pattern import PointPattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.fib.sidecar import placed_designs
from napari_nanoqr.fib.verify import verify_placed
from napari_nanoqr.symbols.encode import encode

SUFFIXES = (".str", ".gds")


def design(payload: str, pitch_nm: float = 49.0) -> Design:
    return Design(encode(payload, "L"), pitch_nm, name=payload)


def field(doses: tuple[float, ...] = (1.0, 0.8, 1.5), hfw_um: float = 10.0) -> FieldPlan:
    """Three symbols of different pitch and dose in a row, and a label."""
    plans = [
        plan_milling(design(f"number {n}", pitch), over_etch=dose)
        for n, (dose, pitch) in enumerate(zip(doses, (49.0, 33.3, 60.0), strict=True))
    ]
    places = ((-2500.0, 300.0), (10.0, -20.0), (2600.0, 0.0))
    symbols = tuple(PlacedPlan(plan, *at) for plan, at in zip(plans, places, strict=True))
    return FieldPlan(symbols, hfw_um, (Drawing(lettering("A1"), 5, 0.0, 2000.0, "A1"),))


@pytest.mark.parametrize("suffix", SUFFIXES)
class TestEveryFormat:
    def test_holds_all_symbols(self, tmp_path: Path, suffix: str) -> None:
        found = write_pattern(field(), tmp_path / f"a{suffix}")
        assert found.payloads == (b"number 0", b"number 1", b"number 2")
        assert found.dose_error_percent == pytest.approx(0, abs=0.1)
        assert found.unevenness_percent < 5

    def test_gives_each_symbol_the_dose_of_its_plan(self, tmp_path: Path, suffix: str) -> None:
        plan = field()
        write_pattern(plan, tmp_path / f"a{suffix}")
        pattern = read_pattern(tmp_path / f"a{suffix}")
        for item in plan.symbols:
            d = item.plan.design
            rows, columns = d.modules.shape
            grid = Grid(*item.placed.corner_nm, d.pitch_nm, rows, columns)
            dose = pattern.rasterise(grid)[d.milled].mean()
            if isinstance(pattern, PointPattern):
                dose *= plan.beam.current_pa / 1000 / (d.pitch_nm / 1000) ** 2
            else:
                dose *= pattern.base_dose_nc_per_um2
            assert dose == pytest.approx(item.plan.ion_dose_nc_per_um2, rel=2e-3)

    def test_tells_designs_and_places_beside_it(self, tmp_path: Path, suffix: str) -> None:
        plan = field()
        write_pattern(plan, tmp_path / f"a{suffix}")
        metadata = read_pattern(tmp_path / f"a{suffix}").metadata
        assert [
            (item.design.symbol.payload, item.x_nm, item.y_nm) for item in placed_designs(metadata)
        ] == [(b"number 0", -2500, 300), (b"number 1", 10, -20), (b"number 2", 2600, 0)]
        doses = [values["ion_dose_nc_per_um2"] for values in metadata["designs"]]
        assert doses == pytest.approx([i.plan.ion_dose_nc_per_um2 for i in plan.symbols])

    def test_notices_a_symbol_that_is_missing_moved_or_underdosed(
        self, tmp_path: Path, suffix: str
    ) -> None:
        plan = field()
        write_pattern(plan, tmp_path / f"a{suffix}")
        pattern = read_pattern(tmp_path / f"a{suffix}")
        assert verify_placed(pattern, plan.placed, plan.exposure).matches
        weaker = field((1.0, 0.64, 1.5))
        assert not verify_placed(pattern, plan.placed, weaker.exposure).matches
        (left, top), (height, width) = plan.placed[1].corner_nm, plan.placed[1].design.field_size_nm
        where = (left, top, left + width, top + height)
        only = replace(cut_out(pattern, where), metadata={})
        assert verify_placed(only, [plan.placed[1]]).payloads == (b"number 1",)
        assert not verify_placed(only, plan.placed, plan.exposure).matches
        moved = [replace(item, x_nm=item.x_nm + 49) for item in plan.placed[1:]]
        assert not verify_placed(pattern, [plan.placed[0], *moved], plan.exposure).matches


@settings(max_examples=20, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12, unique=True
    )
)
def test_each_symbol_is_looked_for_in_a_part_that_holds_it_whole(
    places: list[tuple[int, int]],
) -> None:
    plan = plan_milling(design("part"), point_pitch_nm=24.5)
    many = FieldPlan(
        tuple(PlacedPlan(plan, 2000.0 * x - 9000, 2000.0 * y - 9000) for x, y in places), 25.0
    )
    points = np.concatenate([points for points, _ in many.exposure.points()])
    pattern = PointPattern(
        format="", steps=np.rint(points * 4).astype(np.int64), step_nm=0.25, passes=1,
        dwell_units=np.ones(len(points), dtype=np.int64), dwell_unit_s=1e-6,
        beam_on=np.ones(len(points), dtype=np.bool_), centre_step=(0.0, 0.0),
    )  # fmt: skip
    parts = dict(by_parts(pattern, many.placed))
    assert sorted(parts) == list(range(len(places)))
    for index, part in parts.items():
        side = many.placed[index].design.field_size_nm[0]
        grid = Grid(*many.placed[index].corner_nm, side, 1, 1)
        assert part.rasterise(grid).sum() == pytest.approx(plan.n_points * 1e-6)


def test_points_time_and_charge_are_those_of_all_together() -> None:
    plan = field()
    exposure = plan.exposure
    assert plan.n_points == exposure.n_points
    assert plan.beam_on_time_s == pytest.approx(exposure.beam_on_time_s, rel=1e-6)
    drawn = plan.beam_on_time_s - sum(item.plan.beam_on_time_s for item in plan.symbols)
    base = plan.base_plan
    cells = np.count_nonzero(lettering("A1")) * 25
    assert drawn == pytest.approx(cells * base.dwell_us * base.passes * 1e-6)


def test_a_plan_in_the_middle_of_a_field_is_written_as_it_is_alone(tmp_path: Path) -> None:
    plan = plan_milling(design("alone"))
    write_pattern(plan, tmp_path / "a.str")
    write_pattern(FieldPlan((PlacedPlan(plan),), plan.hfw_um, name="alone"), tmp_path / "b.str")
    assert (tmp_path / "a.str").read_bytes() == (tmp_path / "b.str").read_bytes()
    one, other = (json.loads((tmp_path / f"{name}.str.json").read_text()) for name in "ab")
    assert one | {"pattern": "b.str"} == other


class TestWhatCannotBe:
    def test_nothing(self) -> None:
        with pytest.raises(ValueError, match="holds no symbol"):
            FieldPlan((), 10)

    def test_a_symbol_out_of_the_field(self) -> None:
        with pytest.raises(ValueError, match=r"reach 3\.\d+ um from the centre, out of a field"):
            field(hfw_um=6)

    def test_two_beams(self) -> None:
        one, other = plan_milling(design("a")), plan_milling(design("b"), Beam(7, 9.5))
        with pytest.raises(ValueError, match="same beam"):
            FieldPlan((PlacedPlan(one, -2000), PlacedPlan(other, 2000)), 10)
