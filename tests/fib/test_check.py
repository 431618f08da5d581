"""Every limit of an instrument is told with the number, the limit and the way out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_nanoqr.fib.check import check_exposure, check_plan
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.fib.complaint import Complaint, limits_met
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile, write_stream
from napari_nanoqr.fib.instruments import Instrument, InstrumentFormat, find_instrument, instruments
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.plan import MillPlan, plan_milling

THERMO = find_instrument("Thermo/FEI 16 bit")
RAITH = find_instrument("Raith")


def exposure(
    *doses: float, side: int = 20, pitch_nm: float = 10.0, per_module: int = 5, dwell_us: float = 1,
    hfw_um: float = 5.0, spot_nm: float = 15.0, top_nm: float | None = None,
) -> Exposure:  # fmt: skip
    """A square of points in the middle of the field, its doses one after the other."""
    dose = np.resize(np.array(doses or (1,), dtype=np.float32), (side, side))
    corner = -side * pitch_nm / 2
    top = corner if top_nm is None else top_nm
    lattice = Lattice(dose, pitch_nm, corner, top, points_per_module=per_module)
    volume = VolumePerDose.exactly(0.12)
    return Exposure((lattice,), Beam(26, spot_nm), hfw_um, dwell_us, 10, volume)


def only(found: list[Complaint], what: str) -> Complaint:
    (complaint,) = [each for each in found if each.what == what]
    return complaint


def test_all_is_well_with_a_usual_exposure() -> None:
    for instrument in instruments():
        for form in instrument.formats or (None,):
            assert check_exposure(exposure(), instrument, form and form.suffix) == []


@pytest.mark.parametrize(
    ("made", "suffix", "what", "severity", "value", "limit"),
    [
        ({"dwell_us": 6000}, ".str", "longest dwell", "error", 6000, 4500),
        ({"dwell_us": 0.03}, None, "shortest dwell", "error", 0.03, 0.05),
        ({"dwell_us": 0.04}, ".str", "dwell of nothing", "error", 0.04, 0.1),
        ({"dwell_us": 0.25, "per_module": 2}, ".str", "dwell step", "warning", 20, 10),
        ({"pitch_nm": 3e4, "hfw_um": 800}, None, "pattern size", "error", 600, 500),
        ({"pitch_nm": 30, "hfw_um": 0.5}, None, "field", "error", 0.285, 0.25),
        ({"hfw_um": 400}, ".str", "deflection step", "error", 400 / 65.536, 5),
        ({"spot_nm": 51}, None, "spot", "warning", 51, 50),
        ({"spot_nm": 9}, None, "point pitch", "warning", 10, 9),
        ({"pitch_nm": 30, "hfw_um": 0.7}, None, "screen", "warning", 0.3, 0.2333),
    ],
)
def test_each_limit(
    made: dict[str, Any], suffix: str | None, what: str, severity: str, value: float,
    limit: float,
) -> None:  # fmt: skip
    found = check_exposure(exposure(**made), THERMO, suffix)
    complaint = only(found, what)
    assert (complaint.severity, complaint.value) == (severity, pytest.approx(value, rel=1e-3))
    assert complaint.limit == pytest.approx(limit, rel=1e-3)
    # one sentence, with both numbers and a way out
    assert complaint.sentence.count(". ") == 0
    assert complaint.sentence.endswith(complaint.way_out + ".")
    assert sum(character.isdigit() for character in complaint.said) >= 2
    assert limits_met(found) == (severity == "warning")


def test_the_most_points_hold_for_files_of_points() -> None:
    few = replace(THERMO, most_points=399)
    complaint = only(check_exposure(exposure(), few, ".str"), "points")
    assert (complaint.value, complaint.limit) == (400, 399)
    assert "several files" in complaint.way_out
    assert check_exposure(exposure(), few, ".ptf") == []
    assert check_exposure(exposure(), replace(few, most_points=400), ".str") == []


@pytest.mark.parametrize("top_nm", [-2400.0, -100.0, 2100.0])
@pytest.mark.parametrize(("centre", "up"), [(28288, False), (2000, False), (2000, True)])
def test_the_range_of_y_is_the_profiles(
    centre: float, up: bool, top_nm: float, tmp_path: Path
) -> None:
    """The writer refuses what the check calls an error, and nothing else."""
    profile = StreamProfile(16, 100, 0, 56575, centre, up)
    ours = Instrument("ours", (InstrumentFormat(".str", {"stream": profile}),))
    found = check_exposure(exposure(top_nm=top_nm), ours, ".str")
    assert {each.what for each in found} <= {"range of y"}
    refused = pytest.raises(ValueError, match="outside") if found else nullcontext()
    with refused:
        write_stream(exposure(top_nm=top_nm), tmp_path / "a.str", stream=profile)


def test_options_that_are_given_win_over_the_instruments() -> None:
    made = exposure(hfw_um=40)
    assert check_exposure(made, THERMO, ".str") == []
    found = check_exposure(made, THERMO, ".str", stream="s")
    assert only(found, "deflection step").value == pytest.approx(40_000 / 4096)
    assert "16 bits" in only(found, "deflection step").way_out


def test_layers_and_dose_factors_of_raith() -> None:
    assert check_exposure(exposure(), RAITH, ".gds", layer=63, dose_factor=32.767) == []
    assert only(check_exposure(exposure(), RAITH, ".gds", layer=64), "layer").limit == 63
    corrected = check_exposure(exposure(1, 2), RAITH, ".gds", dose_factor=20)
    assert only(corrected, "dose factor").value == pytest.approx(40)


def test_a_format_that_is_not_taken() -> None:
    (complaint,) = check_exposure(exposure(), RAITH, ".str")
    assert complaint.sentence == "Raith takes no .str files: use .gds, .oas, .asc."


def test_an_overlap_has_to_be_below_its_limit() -> None:
    assert check_exposure(exposure(), replace(THERMO, largest_overlap_percent=34)) == []
    found = check_exposure(exposure(), replace(THERMO, largest_overlap_percent=33))
    assert only(found, "overlap").value == pytest.approx(100 / 3)


def test_doses_that_differ_are_rounded_where_they_are_lowest() -> None:
    assert check_exposure(exposure(1, 0.5), THERMO, ".str") == []
    assert only(check_exposure(exposure(1, 0.04), THERMO, ".str"), "dwell of nothing").value == (
        pytest.approx(0.04)
    )
    assert only(check_exposure(exposure(1, 5000), THERMO), "longest dwell").value == 5000


def test_a_whole_that_is_rounded_away_is_an_error() -> None:
    found = check_exposure(exposure(side=1, dwell_us=0.13, per_module=1), THERMO, ".str")
    assert only(found, "dose as a whole").value == pytest.approx(100 * 3 / 13, rel=1e-6)


def test_errors_come_first() -> None:
    found = check_exposure(exposure(spot_nm=51, dwell_us=6000), THERMO)
    assert [each.severity for each in found] == ["error", "warning"]


class TestPlans:
    def test_what_was_asked_for_is_compared(self, record: Any) -> None:
        plan = plan_milling(
            record, dwell_us=2, passes=10, volume_per_dose_um3_per_nc=0.15, over_etch=1
        )
        complaint = only(check_plan(plan), "dose")
        assert complaint.value == plan.ion_dose_nc_per_um2
        assert complaint.limit == plan.needed_dose_nc_per_um2
        assert "% less than" in complaint.sentence

    def test_how_well_the_dose_is_known(self, plan: MillPlan) -> None:
        (complaint,) = check_plan(plan, THERMO, ".str")
        assert (complaint.what, complaint.limit) == ("depth", 15)
        assert limits_met([complaint])

    def test_warnings_of_a_plan_are_the_sentences(self, record: Any) -> None:
        plan = plan_milling(record, find_beam("90 pA"), passes=1, point_pitch_nm=49)
        assert plan.warnings == [each.sentence for each in check_plan(plan)]

    def test_edges_that_are_corrected_pass(self, record: Any) -> None:
        plan = plan_milling(record, volume_per_dose_um3_per_nc=0.12, correct_edges=True)
        assert check_plan(plan, THERMO, ".str") == []


def test_a_complaint_is_plain_values_for_scripts() -> None:
    complaint = only(check_exposure(exposure(dwell_us=6000), THERMO), "longest dwell")
    assert complaint.to_dict() == {
        "severity": "error", "what": "longest dwell", "value": 6000, "limit": 4500, "unit": "us",
        "way_out": "use more passes",
        "sentence": "A dwell of 6 ms is longer than the 4.5 ms that Thermo/FEI 16 bit can do: "
        "use more passes.",
    }  # fmt: skip
