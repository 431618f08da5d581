"""Time is the beam on the film, and what jumps cost; what is not known is not made up."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.fib import columns as column_library
from napari_nanoqr.fib.columns import Beam, Column, load_column, save_column
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.scan import SCAN_ORDERS, ScanOrder
from napari_nanoqr.fib.timing import times_of, travel_of


def exposure(*masks: np.ndarray, scan: ScanOrder = "raster", passes: int = 3) -> Exposure:
    lattices = tuple(
        Lattice(mask.astype(np.float32), 10.0, 1000.0 * i, 0.0, scan)
        for i, mask in enumerate(masks)
    )
    return Exposure(lattices, Beam(26, 15), 50.0, 2.0, passes, VolumePerDose.exactly(0.12))


def test_a_row_has_no_jump_and_a_gap_is_one() -> None:
    row = travel_of(exposure(np.ones((1, 5))))
    assert (row.jumps, row.travel_um, row.return_um) == (
        0,
        pytest.approx(0.04),
        pytest.approx(0.04),
    )
    assert row.return_jumps
    gap = travel_of(exposure(np.array([[1, 1, 0, 1]])))
    assert (gap.jumps, gap.travel_um) == (1, pytest.approx(0.03))


def test_a_corner_is_no_jump_and_the_flyback_of_a_raster_is() -> None:
    assert travel_of(exposure(np.eye(4))).jumps == 0
    assert travel_of(exposure(np.ones((3, 4)))).jumps == 2
    assert travel_of(exposure(np.ones((3, 4)), scan="serpentine")).jumps == 0


def test_the_way_between_lattices_counts() -> None:
    two = travel_of(exposure(np.ones((1, 2)), np.ones((1, 2))))
    assert (two.jumps, two.travel_um) == (1, pytest.approx((10 + 990 + 10) / 1000))
    assert two.return_um == pytest.approx(1.01)


@settings(deadline=None)  # the first order may have to be compiled
@given(
    seed=st.integers(0, 1000), scan=st.sampled_from(SCAN_ORDERS), rows=st.integers(1, 12)
)  # fmt: skip
def test_chunks_add_up_to_the_whole(seed: int, scan: ScanOrder, rows: int) -> None:
    mask = np.random.default_rng(seed).random((rows, 9)) < 0.6
    mask[0, 0] = True
    made = exposure(mask, scan=scan)
    points = np.concatenate([points for points, _ in made.points()])
    steps = np.hypot(*np.diff(points, axis=0).T)
    found = travel_of(made)
    assert found.travel_um == pytest.approx(steps.sum() / 1000)
    assert found.jumps == np.count_nonzero(steps > 15)
    assert found.return_um == pytest.approx(math.dist(points[0], points[-1]) / 1000)


def test_points_are_made_a_chunk_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(1).random((40, 40)) < 0.5
    whole = travel_of(exposure(mask))
    monkeypatch.setattr("napari_nanoqr.fib.lattice.CHUNK", 50)
    assert len(list(exposure(mask).points())) > 10
    parts = travel_of(exposure(mask))
    assert parts.jumps == whole.jumps
    assert parts.travel_um == pytest.approx(whole.travel_um)


def test_every_jump_costs_settling_and_blanking() -> None:
    made = exposure(np.array([[1, 1, 0, 1]]), passes=3)
    times = times_of(made, settling_us=5, blanking_us=2)
    # one in each pass, and two back to the start
    assert times.jumps == 5
    assert times.beam_on_s == pytest.approx(3 * 3 * 2e-6)
    assert times.settling_s == pytest.approx(25e-6)
    assert times.blanking_s == pytest.approx(10e-6)
    assert times.total_s == pytest.approx((18 + 25 + 10) * 1e-6)


def test_what_is_not_known_is_told_as_unknown(plan: MillPlan) -> None:
    times = times_of(plan.exposure)
    assert times.beam_on_s == plan.beam_on_time_s
    assert (times.settling_s, times.blanking_s, times.total_s) == (None, None, None)
    half = times_of(plan.exposure, settling_us=1)
    assert half.settling_s == pytest.approx(half.jumps * 1e-6)
    assert half.total_s is None


def test_the_columns_own_times_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_library, "_loaded", {})
    own = Column("lab", ((26, 15),), settling_us=3, blanking_us=0)
    save_column(tmp_path / "lab.json", own)
    load_column(tmp_path / "lab.json")
    made = exposure(np.ones((2, 2)))
    made = Exposure(made.lattices, own.beams[0], 50.0, 2.0, 3, made.volume_per_dose)
    times = times_of(made)
    assert (times.settling_us, times.blanking_us) == (3, 0)
    assert times.total_s == pytest.approx(times.beam_on_s + times.jumps * 3e-6)
    assert times_of(made, settling_us=7).settling_us == 7


@pytest.mark.parametrize("wrong", [{"settling_us": -1}, {"blanking_us": math.inf}])
def test_a_time_that_cannot_be_is_refused(wrong: dict[str, float], plan: MillPlan) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        times_of(plan.exposure, **wrong)
