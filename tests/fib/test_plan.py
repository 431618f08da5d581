"""A plan mills the film's thickness, and its numbers are those of the hand calculation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.plan import MillPlan, plan_milling, usual_hfw_um
from napari_nanoqr.fib.scan import ScanOrder, scan_order
from napari_nanoqr.symbols.encode import encode

HALF = 29 * 29 / 2
"""Modules of the hand calculation, which takes half of the symbol as milled."""


class TestTheRecord:
    def test_volume_and_points(self, plan: MillPlan) -> None:
        share = HALF / plan.milled_modules
        assert plan.volume_um3 * share == pytest.approx(0.0151, abs=5e-5)
        assert plan.point_pitch_nm == pytest.approx(7)
        assert plan.n_points * share == pytest.approx(20_600, rel=1e-3)

    @pytest.mark.parametrize(
        ("current", "volume", "seconds"),
        [("1 pA", 0.10, 151), ("7 pA", 0.10, 21.6), ("26 pA", 0.10, 5.8), ("41 pA", 0.10, 3.7),
         ("1 pA", 0.15, 101), ("7 pA", 0.15, 14.4), ("26 pA", 0.15, 3.9), ("41 pA", 0.15, 2.5)],
    )  # fmt: skip
    def test_dose_and_beam_time(
        self, record: Design, current: str, volume: float, seconds: float
    ) -> None:
        plan = plan_milling(
            record, find_beam(current), point_pitch_nm=7, volume_per_dose_um3_per_nc=volume
        )
        assert plan.ion_dose_nc_per_um2 == pytest.approx(0.015 / volume, rel=0.01)
        time_s = plan.beam_on_time_s * HALF / plan.milled_modules
        assert time_s == pytest.approx(seconds, rel=0.02)

    def test_time_at_each_point(self, record: Design) -> None:
        plan = plan_milling(
            record, find_beam("41 pA"), point_pitch_nm=7, volume_per_dose_um3_per_nc=0.15
        )
        assert plan.dwell_us == 1
        assert plan.passes == pytest.approx(120, abs=1)

    def test_field(self, plan: MillPlan) -> None:
        assert plan.hfw_um == 5


def test_depth_is_dose_times_volume_per_dose(plan: MillPlan) -> None:
    charge_nc = plan.beam.current_pa * plan.beam_on_time_s / 1000
    assert charge_nc / plan.area_um2 == pytest.approx(plan.ion_dose_nc_per_um2)
    assert plan.depth_nm == pytest.approx(15, rel=0.01)
    low, high = plan.depth_range_nm
    assert (low, high) == pytest.approx((15 * 0.10 / 0.12, 15 * 0.28 / 0.12), rel=0.01)


def test_points_lie_in_the_milled_modules_and_nowhere_else(plan: MillPlan) -> None:
    side = plan.design.field_size_nm[0]
    column, row = np.floor((plan.points_nm + side / 2) / plan.design.pitch_nm).astype(int).T
    counts = np.zeros(plan.design.milled.shape, dtype=int)
    np.add.at(counts, (row, column), 1)
    assert np.array_equal(counts, 49 * plan.design.milled)


@given(dose=st.floats(0.005, 5), current=st.sampled_from([1, 7, 26, 41, 90]))
def test_the_planned_dose_is_the_one_that_was_asked_for(dose: float, current: float) -> None:
    """Whatever the dose, dwell and passes that the tool chooses make it within 0.5 %."""
    beam = find_beam(current)
    # points a good half of a spot apart, visited for at least the shortest dwell
    assume(dose * (0.4 * beam.spot_nm / 1000) ** 2 / current * 1e9 > 0.05)
    plan = plan_milling(SMALL, beam, ion_dose_nc_per_um2=dose)
    assert plan.ion_dose_nc_per_um2 == pytest.approx(dose, rel=0.005)
    if plan.passes > 1:
        assert plan.dwell_us < 2


def test_neighbours_are_one_point_pitch_apart(plan: MillPlan) -> None:
    x = np.unique(np.round(plan.points_nm[:, 0], 6))
    assert np.diff(x) == pytest.approx(7)
    assert x[0] + x[-1] == pytest.approx(0, abs=1e-9)


def test_serpentine_turns_at_the_end_of_a_row() -> None:
    mask = np.array([[1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]], dtype=bool)
    assert visited(mask, "raster") == np.argwhere(mask).tolist()
    assert visited(mask, "serpentine") == [
        [0, 0], [0, 2], [0, 3], [1, 3], [1, 1], [1, 0], [2, 1], [2, 2],
    ]  # fmt: skip


@given(
    mask=st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).random((seed % 7 + 1, seed % 5 + 1)) < 0.5
    )
)
def test_serpentine_visits_the_same_points_as_raster(mask: np.ndarray) -> None:
    assert sorted(visited(mask, "serpentine")) == visited(mask, "raster")


SMALL = Design(encode("1", "L", "M1"))


def visited(mask: np.ndarray, order: ScanOrder) -> list[list[int]]:
    return np.stack(np.divmod(scan_order(mask, order), mask.shape[1]), axis=1).tolist()


@settings(max_examples=40)
@given(
    pitch_nm=st.floats(20, 500), current=st.sampled_from([1, 7, 26, 90]),
    point_nm=st.one_of(st.none(), st.floats(4, 100)),
)  # fmt: skip
def test_the_dose_is_met_whatever_the_pitch(
    pitch_nm: float, current: float, point_nm: float | None
) -> None:
    design = Design(encode(b"x", "L", 1), pitch_nm)
    plan = plan_milling(design, find_beam(current), point_pitch_nm=point_nm)
    assert plan.points_per_module * plan.point_pitch_nm == pytest.approx(pitch_nm)
    assert plan.ion_dose_nc_per_um2 == pytest.approx(plan.needed_dose_nc_per_um2, rel=0.03)


class TestWhatIsAskedFor:
    def test_point_pitch_is_adjusted_to_the_module(self, record: Design) -> None:
        assert plan_milling(record, point_pitch_nm=10).point_pitch_nm == pytest.approx(49 / 5)
        assert plan_milling(record, point_pitch_nm=1e6).points_per_module == 1

    def test_overlap_is_in_percent_of_the_spot(self, record: Design) -> None:
        plan = plan_milling(record, overlap_percent=0)
        assert plan.point_pitch_nm == pytest.approx(49 / 4)
        assert plan.overlap_percent == pytest.approx(2)
        assert plan_milling(record, overlap_percent=-100).points_per_module == 2

    def test_passes_divide_the_dose(self, record: Design) -> None:
        plan = plan_milling(record, passes=1)
        assert plan.dwell_us == pytest.approx(235.6, abs=0.1)
        assert plan.ion_dose_nc_per_um2 == pytest.approx(plan.needed_dose_nc_per_um2)

    def test_dwell_and_passes_are_taken_as_they_are(self, record: Design) -> None:
        plan = plan_milling(record, dwell_us=2, passes=10)
        assert (plan.dwell_us, plan.passes) == (2, 10)
        assert any("% less than" in said for said in plan.warnings)

    def test_dose_and_over_etch(self, record: Design) -> None:
        assert plan_milling(record, ion_dose_nc_per_um2=0.3).ion_dose_nc_per_um2 == pytest.approx(
            0.3, rel=0.01
        )
        assert plan_milling(record, over_etch=2).depth_nm == pytest.approx(30, rel=0.01)

    def test_calibrated_volume_has_no_bracket(self, record: Design) -> None:
        plan = plan_milling(record, volume_per_dose_um3_per_nc=0.2)
        assert plan.depth_range_nm[0] == plan.depth_range_nm[1]
        assert plan.warnings == []
        bracket = VolumePerDose(0.2, 0.1, 0.3, "my calibration")
        assert plan_milling(record, volume_per_dose_um3_per_nc=bracket).volume_per_dose == bracket


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"point_pitch_nm": 7, "overlap_percent": 50}, "not both"),
        ({"point_pitch_nm": -1}, "point pitch of -1 nm"),
        ({"overlap_percent": 100}, "below 100"),
        ({"passes": 0}, "0 passes"),
        ({"passes": 1.5}, "1.5 passes"),
        ({"dwell_us": 0}, "dwell of 0 us"),
        ({"dwell_us": 0.01}, "shorter than the 50 ns"),
        ({"passes": 100_000}, "shorter than the 50 ns"),
        ({"scan": "spiral"}, "'spiral' does not exist"),
        ({"volume_per_dose_um3_per_nc": 0}, "positive"),
        ({"ion_dose_nc_per_um2": -1}, "not positive"),
        ({"over_etch": 0}, "over-etch of 0"),
        ({"hfw_um": 1.5}, "does not fit into a field"),
        ({"hfw_um": 5000}, "more than the 800 um"),
    ],
)
def test_what_cannot_work_is_refused(record: Design, asked: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan_milling(record, **asked).points_nm  # noqa: B018


def test_an_unknown_film_needs_a_volume_per_dose() -> None:
    design = Design(encode(b"x"), film=Film("Unobtainium"))
    with pytest.raises(ValueError, match="volume per dose of Unobtainium"):
        plan_milling(design)
    assert plan_milling(design, volume_per_dose_um3_per_nc=0.2).depth_nm == pytest.approx(
        15, rel=0.01
    )


def test_a_careful_operator_is_told(record: Design) -> None:
    coarse = " ".join(plan_milling(record, Beam(260, 60)).warnings)
    assert "spot of 60 nm is larger than the module" in coarse
    assert "point pitch of 49 nm is larger" in " ".join(
        plan_milling(record, point_pitch_nm=49).warnings
    )
    assert "volume per dose is uncertain" in " ".join(plan_milling(record).warnings)
    slow = plan_milling(record, find_beam("1 pA"), passes=1, point_pitch_nm=49)
    assert "longer than the 4.5 ms" in " ".join(slow.warnings)


def test_too_many_points_are_told_and_far_too_many_refused() -> None:
    large = Design(encode(b"x", "L", 40))
    assert "8,000,000" in " ".join(plan_milling(large, point_pitch_nm=49 / 24).warnings)
    with pytest.raises(ValueError, match="more than any instrument takes"):
        plan_milling(large, point_pitch_nm=0.1)


def test_usual_fields_leave_a_margin() -> None:
    assert usual_hfw_um(100) == 5
    assert usual_hfw_um(9065) == 12
    assert usual_hfw_um(80_000) == 100
    for side in np.geomspace(10, 6e5, 50):
        assert side / 1000 / usual_hfw_um(side) <= 0.8 + 1e-9


def test_version_40_plans_in_well_under_a_second() -> None:
    design = Design(encode(bytes(2000), "L", 40))
    start = time.perf_counter()
    plan = plan_milling(design)
    assert len(plan.points_nm) == plan.n_points > 700_000
    assert time.perf_counter() - start < 1
