"""``nanoqr plan`` tells all of a milling before anything is written; export keeps to the limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.cli.settings import save_settings
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib import columns as column_library
from napari_nanoqr.fib import instruments as instrument_library
from napari_nanoqr.fib import materials as material_library
from napari_nanoqr.fib.columns import Column, save_column
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.instruments import Instrument, InstrumentFormat, save_instrument
from napari_nanoqr.fib.material import Material, VolumePerDose
from napari_nanoqr.fib.materials import save_materials
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.symbols.encode import encode


@pytest.fixture(autouse=True)
def _own_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in (column_library, instrument_library, material_library):
        monkeypatch.setattr(library, "_loaded", {})


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.json"
    Design(encode("CrN 15", "M", 1)).save(path)
    return path


def planned(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["plan", *map(str, words), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_json_has_the_numbers_of_the_plan(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = planned(capsys, design, "--over-etch", "1.2", "--scan", "contour-first")
    plan = plan_milling(Design.load(design), over_etch=1.2, scan="contour first")
    for name in ("passes", "dwell_us", "point_pitch_nm", "ion_dose_nc_per_um2", "scan", "hfw_um",
                 "needed_dose_nc_per_um2", "depth_nm", "beam_on_time_s"):  # fmt: skip
        assert said[name] == getattr(plan, name)
    assert said["points"] == plan.n_points
    assert said["depth_range_nm"] == list(plan.depth_range_nm)
    assert said["beam"]["current_pa"] == 26
    assert said["times"]["beam_on_s"] == plan.beam_on_time_s
    assert said["times"]["total_s"] is None
    assert said["edge_correction"] is None
    assert said["limits_met"] is True
    assert [each["sentence"] for each in said["complaints"]] == plan.warnings


def test_times_are_added_up_where_they_are_given(
    design: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = planned(capsys, design, "--settling", "2", "--blanking", "0.5")["times"]
    assert times["total_s"] == pytest.approx(times["beam_on_s"] + times["jumps"] * 2.5e-6)


def test_edges_are_corrected(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = planned(capsys, design, "--correct-edges")["edge_correction"]
    assert said["lowest_dose"] < 0.9 < 1.1 < said["highest_dose"]


class TestBeams:
    def test_the_fastest_is_chosen_with_a_reason(
        self, design: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = planned(capsys, design, "--beam", "fastest")
        assert said["beam"]["current_pa"] == 90
        assert said["beam_reason"].startswith("90 pA: fastest of Helios G4")
        assert planned(capsys, design)["beam_reason"] is None

    def test_a_column_gives_its_own(
        self, design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lab = Column("lab", ((5, 8), (30, 16), (200, 60)), settling_us=1, blanking_us=1)
        save_column(tmp_path / "lab.json", lab)
        assert planned(capsys, design, "--column", "zeiss")["beam"]["column"] == "Zeiss"
        said = planned(capsys, design, "--column", tmp_path / "lab.json")
        assert (said["beam"]["column"], said["beam"]["current_pa"]) == ("lab", 30)
        assert said["times"]["total_s"] > said["beam_on_time_s"]
        slow = planned(capsys, design, "--column", tmp_path / "lab.json", "--beam", "5 pA")
        assert (slow["beam"]["spot_nm"], slow["beam_reason"]) == (8, None)


def test_materials_of_a_file_are_used(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibrated = Material("CrN", volumes={"Ga": VolumePerDose.exactly(0.15)})
    save_materials(tmp_path / "own.json", [calibrated])
    said = planned(capsys, design, "--materials", tmp_path / "own.json")
    assert said["needed_dose_nc_per_um2"] == pytest.approx(0.1)
    assert said["complaints"] == []


class TestInstruments:
    def test_a_limit_that_is_not_met_is_told(
        self, design: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = [design, "--instrument", "thermo/fei 12 bit", "--hfw", "60"]
        said = planned(capsys, *words)
        assert (said["limits_met"], said["format"]) == (False, ".str")
        (error,) = [each for each in said["complaints"] if each["severity"] == "error"]
        assert error["what"] == "deflection step"
        assert error["value"] == pytest.approx(60_000 / 4096)
        assert planned(capsys, *words, "--to", "a.bmp")["limits_met"] is True
        assert main(["plan", *map(str, words)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "    limits  NOT MET" in lines
        assert max(map(len, lines)) <= 100

    def test_the_field_is_chosen_for_its_screen(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "large.json"
        Design(encode(bytes(900), "L", 24), 49).save(path)
        assert planned(capsys, path)["hfw_um"] == 8
        said = planned(capsys, path, "--instrument", "Thermo/FEI 16 bit")
        assert said["hfw_um"] == 10
        assert "screen" not in [each["what"] for each in said["complaints"]]
        held = planned(capsys, path, "--instrument", "Thermo/FEI 16 bit", "--hfw", "8")
        assert "screen" in [each["what"] for each in held["complaints"]]
        assert held["limits_met"] is True

    def test_export_writes_as_it_takes_it(
        self, design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stream = StreamProfile(16, 25, 0, 56575, 28288.0, y_up=True)
        ours = Instrument("ours", (InstrumentFormat(".str", {"stream": stream}),))
        save_instrument(tmp_path / "ours.json", ours)
        target = tmp_path / "a.str"
        words = ["--instrument", str(tmp_path / "ours.json"), "--to", str(target)]
        assert main(["export", str(design), *words]) == 0
        assert "dose within 0.01 % of the planned" in capsys.readouterr().out
        pattern = read_pattern(target)
        assert pattern.y_up  # type: ignore[attr-defined]
        assert pattern.centre_step == (32768, 28288)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["Thermo/FEI 12 bit", "--hfw", "60"], "A step of the 12-bit deflection is 14.6 nm"),
            (["Raith"], "Raith takes no .str files: use .gds"),
            (["Thermo/FEI 16 bit", "--passes", "1", "--beam", "1 pA", "--point-pitch", "49",
              "--over-etch", "20"], "use more passes"),
            (["mine"], "The instrument mine is not known. Known: generic;"),
        ],
    )  # fmt: skip
    def test_export_keeps_to_its_limits(
        self, design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        words: list[str], said: str,
    ) -> None:  # fmt: skip
        target = tmp_path / "a.str"
        assert main(["export", str(design), "--to", str(target), "--instrument", *words]) == 2
        assert said in capsys.readouterr().err
        assert not target.exists()


def test_settings_carry_the_options(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "": [str(design)], "beam": "fastest", "column": "Zeiss", "correct_edges": True,
        "instrument": "Thermo/FEI 16 bit, 25 ns", "scan": "spiral out", "json": True,
    }  # fmt: skip
    save_settings(tmp_path / "s.json", "plan", settings)
    assert main(["plan", "--settings", str(tmp_path / "s.json")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["beam"]["column"] == "Zeiss"
    assert said["edge_correction"] is not None
    assert said["instrument"] == settings["instrument"]
    assert said["scan"] == "spiral out"


@pytest.mark.parametrize(
    "wrong",
    [["--column", "none"], ["--column", "none.json"], ["--materials", "none.json"],
     ["--instrument", "none.json"], ["--settling", "-1"], ["--scan", "zigzag"], ["--to", "str"],
     ["--hfw", "0.5"]],
)  # fmt: skip
def test_bad_use_is_told(
    design: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(design), *wrong]) == 2
    assert capsys.readouterr().err.startswith("nanoqr: ")


def test_info_holds_a_file_against_an_instrument(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.str"
    assert main(["export", str(design), "--to", str(path)]) == 0
    save_instrument(tmp_path / "small.json", Instrument("small", most_points=100))
    capsys.readouterr()
    for words, told in [([], 0), (["--instrument", str(tmp_path / "small.json")], 1)]:
        assert main(["info", str(path), "--json", *words]) == 0
        said = json.loads(capsys.readouterr().out)["complaints"]
        assert len([each for each in said if "than the 100 that small" in each]) == told
