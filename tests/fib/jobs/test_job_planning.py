"""Jobs are laid out so that every symbol has its place, and every field holds what it can."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.jobs.entries import JobEntry, dose_test
from napari_nanoqr.fib.jobs.job import Job, plan_job
from napari_nanoqr.fib.jobs.layout import Cells, JobLayout, divide
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.symbols.encode import encode


def entries(count: int, **design: float) -> list[JobEntry]:
    return [
        JobEntry(Design(encode(f"symbol {n}", "L"), name=f"{n}", **design), f"N{n}")
        for n in range(count)
    ]


def boxes(job: Job) -> list[tuple[str, float, float, float, float]]:
    """Left, top, right and bottom of all that stands in the first field, with 4 light modules."""
    found = []
    plan = job.fields[0].plan
    for symbol in job.fields[0].symbols:
        d, x, y = symbol.entry.design, symbol.item.x_nm, symbol.item.y_nm
        height, width = np.array(d.size_nm) / 2 + 4 * d.pitch_nm - 1e-6
        found.append((symbol.entry.label, x - width, y - height, x + width, y + height))
    for drawing in plan.drawings:
        height, width = np.array(drawing.size_nm(plan.base_plan.point_pitch_nm)) / 2 - 1e-6
        x, y = drawing.x_nm, drawing.y_nm
        found.append((drawing.name, x - width, y - height, x + width, y + height))
    return found


@pytest.mark.parametrize("quiet_zone", [0, 1, 4])
@pytest.mark.parametrize("columns", [1, 3, None])
def test_nothing_touches_a_symbol_or_its_light_border(quiet_zone: int, columns: int | None) -> None:
    job = plan_job(entries(6, quiet_zone=quiet_zone), JobLayout(columns), point_pitch_nm=24.5)
    assert len(job.fields) == 1
    standing = boxes(job)
    assert len(standing) == 6 + 6 + 5
    symbols = {symbol.entry.label for symbol in job.symbols}
    for one, other in combinations(standing, 2):
        apart = one[1] >= other[3] or other[1] >= one[3] or one[2] >= other[4] or other[2] >= one[4]
        # the light borders of two symbols may be one and the same
        if one[0] not in symbols or other[0] not in symbols or one[0] == other[0]:
            assert apart, (one, other)


def test_symbols_stand_row_by_row() -> None:
    job = plan_job(entries(7), JobLayout(columns=3), point_pitch_nm=24.5)
    assert (job.rows, job.columns) == (3, 3)
    for number, symbol in enumerate(job.symbols):
        assert symbol.entry.label == f"N{number}"
        assert (symbol.row, symbol.column) == divmod(number, 3)
    x = np.array([s.item.x_nm for s in job.symbols])
    y = np.array([s.item.y_nm for s in job.symbols])
    assert np.ptp(x[[0, 3, 6]]) < 1
    assert np.ptp(y[[0, 1, 2]]) < 1
    assert x[0] < x[1] < x[2]
    assert y[0] < y[3] < y[6]


def test_without_labels_and_marks_there_are_only_symbols() -> None:
    job = plan_job(entries(4), JobLayout(labels=False, marks=False), point_pitch_nm=24.5)
    assert job.fields[0].plan.drawings == ()


def test_the_field_is_the_smallest_usual_one_that_holds_all() -> None:
    small = plan_job(entries(1), point_pitch_nm=24.5)
    large = plan_job(entries(16), point_pitch_nm=24.5)
    assert small.hfw_um == 5
    for job in (small, large):
        assert max(map(abs, job.fields[0].plan.bounds_nm)) <= 0.8 * job.hfw_um * 500
    assert max(map(abs, large.fields[0].plan.bounds_nm)) > 0.8 * 500 * large.hfw_um * 0.7


class TestFields:
    def test_are_as_many_as_the_given_width_needs(self) -> None:
        job = plan_job(entries(20), JobLayout(5, hfw_um=10), point_pitch_nm=24.5)
        assert len(job.fields) > 1
        assert sum(len(field.symbols) for field in job.fields) == 20
        for field in job.fields:
            assert field.plan.hfw_um == 10
            assert max(map(abs, field.plan.bounds_nm)) <= 4000 + 1e-6

    def test_hold_no_more_points_than_a_file_may(self) -> None:
        whole = plan_job(entries(12), JobLayout(4), point_pitch_nm=24.5)
        most = whole.n_points // 3
        job = plan_job(entries(12), JobLayout(4, most_points=most), point_pitch_nm=24.5)
        assert all(field.plan.n_points <= most for field in job.fields)
        assert len(job.fields) >= 4

    def test_stand_beside_each_other_and_the_stage_goes_to_and_fro(self) -> None:
        job = plan_job(entries(36), JobLayout(6, hfw_um=8), point_pitch_nm=24.5)
        places = [(field.x_um, field.y_um) for field in job.fields]
        assert places[0] == (0, 0)
        assert len(set(places)) == len(places) > 4
        for (x, y), (x_next, y_next) in pairwise(places):
            assert abs(x - x_next) + abs(y - y_next) == 8

    def test_do_not_depend_on_the_dose_of_the_first_symbol(self) -> None:
        design = entries(1)[0].design
        rising = plan_job(dose_test(design, [0.5, 1, 2], [49]))
        falling = plan_job(dose_test(design, [2, 1, 0.5], [49]))
        assert rising.base.ion_dose_nc_per_um2 == falling.base.ion_dose_nc_per_um2
        doses = [symbol.item.plan.ion_dose_nc_per_um2 for symbol in rising.symbols]
        usual = rising.base.ion_dose_nc_per_um2
        # passes and a dwell in whole steps are sought for the usual dose alone
        assert np.array(doses) / usual == pytest.approx([0.5, 1, 2], rel=0.005)

    @pytest.mark.parametrize(
        ("layout", "said"),
        [
            (JobLayout(hfw_um=2), "um wide with quiet zone and label"),
            (JobLayout(most_points=100), "A symbol alone has"),
        ],
    )
    def test_that_hold_no_symbol_are_refused(self, layout: JobLayout, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            plan_job(entries(2), layout)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_a_grid_is_divided_without_rest(data: st.DataObject, rows: int, columns: int) -> None:
    sizes = st.floats(0.5, 3)
    cells = Cells(
        np.array(data.draw(st.lists(sizes, min_size=rows, max_size=rows))),
        np.array(data.draw(st.lists(sizes, min_size=columns, max_size=columns))),
        data.draw(st.floats(0, 1)),
    )
    points = np.array(
        data.draw(st.lists(st.integers(0, 9), min_size=rows * columns, max_size=rows * columns))
    ).reshape(rows, columns)
    points[0, 0] = 5
    side, most = data.draw(st.floats(3, 20)), data.draw(st.integers(9, 60))
    blocks = divide(cells, points, side, most)
    seen = np.zeros_like(points)
    for block in blocks:
        seen[block] += 1
        assert points[block].sum() <= most
        assert max(cells.part(*block).size_nm) <= side * (1 + 1e-6)
    assert seen.max() == 1
    assert (seen[points > 0] == 1).all()


def test_planning_tells_how_far_it_is_and_can_be_stopped() -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        plan_job(
            entries(4),
            progress=lambda *said: told.append(said[2]),
            cancelled=lambda: len(told) == 2,
        )
    assert told == ["Planning N0 …", "Planning N1 …"]


def test_a_job_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no symbol"):
        plan_job([])


@pytest.mark.parametrize(
    "values",
    [{"columns": 0}, {"spacing_nm": -1}, {"hfw_um": 0}, {"used": 1.1}, {"most_points": 0}],
)
def test_layouts_that_cannot_be_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|field is filled|at least one point"):
        JobLayout(**values)
