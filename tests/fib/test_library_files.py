"""A laboratory keeps its own materials and columns in files; bad ones are refused in words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib import columns as column_library
from napari_nanoqr.fib import materials as material_library
from napari_nanoqr.fib.columns import (
    Column,
    columns,
    find_beam,
    find_column,
    load_column,
    save_column,
)
from napari_nanoqr.fib.library_files import BadLibraryFile
from napari_nanoqr.fib.material import Material, VolumePerDose, calibrate
from napari_nanoqr.fib.materials import (
    find_material,
    load_materials,
    materials,
    save_materials,
    volume_per_dose,
)
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.symbols.encode import encode

MATERIALS = "napari-nanoqr materials"
COLUMN = "napari-nanoqr column"


@pytest.fixture(autouse=True)
def _own_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test loads is gone after it."""
    monkeypatch.setattr(material_library, "_loaded", {})
    monkeypatch.setattr(column_library, "_loaded", {})


def written(path: Path, format_name: str, **values: Any) -> Path:
    path.write_text(json.dumps({"format": format_name, **values}), encoding="utf-8")
    return path


class TestMaterials:
    def test_a_file_comes_back_as_it_was_written(self, tmp_path: Path) -> None:
        own = Material(
            "ZrN", "ZrN", 7.09, {"Ga": VolumePerDose(0.2, 0.15, 0.25, "AFM")}, ("nitride",), "XRR"
        )
        bare = Material("mystery")
        save_materials(tmp_path / "own.json", [own, bare])
        assert load_materials(tmp_path / "own.json") == (own, bare)
        assert find_material("Nitride") == own
        assert volume_per_dose("zrn").value == 0.2
        assert bare in materials()

    def test_the_whole_library_can_be_written_and_read(self, tmp_path: Path) -> None:
        known = materials()
        save_materials(str(tmp_path / "all.json"), known)
        assert load_materials(str(tmp_path / "all.json")) == known
        assert materials() == known

    def test_a_calibration_changes_nothing_else(self, tmp_path: Path) -> None:
        before = find_material("CrN")
        calibrated = calibrate(0.1, 15, 1)
        save_materials(tmp_path / "own.json", [Material("crn", volumes={"Ga": calibrated})])
        load_materials(tmp_path / "own.json")
        after = find_material("CrN")
        assert after.volumes == {"Ga": calibrated}
        assert (after.name, after.density_g_cm3, after.also, after.source) == (
            before.name, before.density_g_cm3, before.also, before.source
        )  # fmt: skip
        # what was carried over from gallium follows it
        assert volume_per_dose("CrN", "Xe").value == pytest.approx(0.15 * 1.24, rel=0.01)

    def test_a_plan_uses_the_calibrated_value(self, tmp_path: Path) -> None:
        save_materials(
            tmp_path / "own.json", [Material("CrN", volumes={"Ga": VolumePerDose.exactly(0.15)})]
        )
        load_materials(tmp_path / "own.json")
        plan = plan_milling(Design(encode("own"), film=Film("CrN", 15)))
        assert plan.needed_dose_nc_per_um2 == pytest.approx(0.1)

    def test_a_hand_written_file_needs_little(self, tmp_path: Path) -> None:
        path = written(
            tmp_path / "own.json", MATERIALS,
            materials=[{"name": "ITO", "volume_per_dose_um3_per_nc": {"Ga": {"value": 0.3}}}],
        )  # fmt: skip
        load_materials(path)
        assert volume_per_dose("ito") == VolumePerDose(0.3, 0.3, 0.3)

    def test_the_file_that_the_docs_show_can_be_loaded(self, tmp_path: Path) -> None:
        page = Path(__file__).parents[2] / "docs" / "how-to" / "materials.md"
        (shown,) = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        (tmp_path / "own.json").write_text(shown, encoding="utf-8")
        assert [material.name for material in load_materials(tmp_path / "own.json")] == ["ZrN"]
        assert volume_per_dose("zirconium nitride").high == 0.25

    @pytest.mark.parametrize(
        ("listed", "wrong"),
        [
            ([{"formula": "CrN"}], r'material 1: "name" has to be a text'),
            ([{"name": "A"}, 7], r"material 2 is not an object"),
            ([{"name": "A", "density": 3}], r'A: "density" is not known here'),
            ([{"name": "A", "density_g_cm3": "3"}], r'A: "density_g_cm3" has to be a number.*"3"'),
            ([{"name": "A", "density_g_cm3": -3}], r"A: A density of -3 g/cm\^3 cannot be"),
            ([{"name": "A", "formula": "Cr(N)"}], r"A: 'Cr\(N\)' is not a formula"),
            ([{"name": "A", "also": "B"}], r'A: "also" has to be a list'),
            ([{"name": "A", "also": [1]}], r'A: "also" has to be a list of texts'),
            ([{"name": "A", "volume_per_dose_um3_per_nc": 0.1}], r"A: .* is not an object"),
            ([{"name": "A", "volume_per_dose_um3_per_nc": {"Ga": {}}}], r'A, Ga: "value" has to'),
            (
                [{"name": "A", "volume_per_dose_um3_per_nc": {"Ga": {"value": 1, "low": 2}}}],
                r"A, Ga: A volume per dose of 1 .* low <= value",
            ),
            (
                [{"name": "A", "volume_per_dose_um3_per_nc": {"Ga": {"value": True}}}],
                r"has to be a number, not true",
            ),
            (
                [{"name": "A", "volume_per_dose_um3_per_nc": {"Ga": {"value": 1, "estimate": 0}}}],
                r"true or false",
            ),
            ([{"name": "A"}, {"name": "a"}], r"has A more than once"),
            ({"name": "A"}, r'"materials" has to be a list'),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_used(
        self, tmp_path: Path, listed: Any, wrong: str
    ) -> None:
        before = materials()
        path = written(tmp_path / "own.json", MATERIALS, materials=listed)
        with pytest.raises(BadLibraryFile, match=rf"own\.json.*{wrong}"):
            load_materials(path)
        assert materials() == before

    def test_the_line_of_a_slip_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "own.json"
        path.write_text('{"format": "napari-nanoqr materials",\n"materials": [{"name": "A",}]\n}')
        with pytest.raises(BadLibraryFile, match=r"own\.json, line 2: "):
            load_materials(path)

    @pytest.mark.parametrize("content", [b"[]", b'{"format": "other"}', b"\xff\xfe", b""])
    def test_another_file_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "own.json").write_bytes(content)
        with pytest.raises(BadLibraryFile, match=r"own\.json"):
            load_materials(tmp_path / "own.json")

    def test_a_later_version_is_refused(self, tmp_path: Path) -> None:
        path = written(tmp_path / "own.json", MATERIALS, format_version=2, materials=[])
        with pytest.raises(BadLibraryFile, match="version 2; only 1 is known"):
            load_materials(path)

    def test_a_missing_folder_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="does not exist"):
            save_materials(tmp_path / "none" / "own.json", [])


class TestColumns:
    own = Column(
        "Lab", ((2.0, 6.0), (30.0, 14.0)), "Ga", 30.0, 0.05, 3.0, 0.5, 0.1, "knife edge, May"
    )

    def test_a_file_comes_back_as_it_was_written(self, tmp_path: Path) -> None:
        save_column(tmp_path / "lab.json", self.own)
        assert load_column(tmp_path / "lab.json") == self.own
        assert columns()[-1] == find_column("lab") == self.own
        beam = find_beam(30, "Lab")
        assert (beam.spot_nm, beam.tail_fraction, beam.tail_width) == (14, 0.05, 3)
        assert find_beam(str(beam)) == beam

    def test_every_known_column_can_be_written_and_read(self, tmp_path: Path) -> None:
        known = columns()
        for column in known:
            save_column(str(tmp_path / "c.json"), column)
            assert load_column(str(tmp_path / "c.json")) == column
        assert columns() == known

    def test_measured_spots_take_the_place_of_nominal_ones(self, tmp_path: Path) -> None:
        save_column(tmp_path / "mine.json", Column("Helios G4", ((26, 17),)))
        load_column(tmp_path / "mine.json")
        assert find_beam().spot_nm == 17
        with pytest.raises(ValueError, match="Known: 26 pA"):
            find_beam("41 pA", "Helios G4")

    @pytest.mark.parametrize(
        ("values", "wrong"),
        [
            ({"name": ""}, r'the column: "name" has to be a text'),
            ({"currents": []}, r"Lab has no current"),
            ({"currents": 26}, r'Lab: "currents" has to be a list'),
            ({"currents": [{"current_pa": 26}]}, r'Lab, current 1: "spot_nm" has to be a number'),
            ({"currents": [{"current_pa": 1, "spot_nm": 2, "x": 3}]}, r'current 1: "x" is not'),
            ({"currents": [{"current_pa": 0, "spot_nm": 2}]}, r"current is a positive number"),
            (
                {"currents": [{"current_pa": 2, "spot_nm": 2}, {"current_pa": 2, "spot_nm": 3}]},
                r"do not rise",
            ),
            ({"energy_kev": None}, r'Lab: "energy_kev" has to be a number, not null'),
            ({"tail_fraction": 1}, r"tail holds from 0 to below 1"),
            ({"tail_width": "4"}, r'Lab: "tail_width" has to be a number'),
            ({"settling_us": -1}, r"settling time of -1 us cannot be"),
            ({"spots": 1}, r'Lab: "spots" is not known here'),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_used(
        self, tmp_path: Path, values: dict[str, Any], wrong: str
    ) -> None:
        before = columns()
        good = {
            "name": "Lab", "ion": "Ga", "energy_kev": 30,
            "currents": [{"current_pa": 26, "spot_nm": 12}],
        }  # fmt: skip
        path = written(tmp_path / "lab.json", COLUMN, **{**good, **values})
        with pytest.raises(BadLibraryFile, match=rf"lab\.json: .*{wrong}"):
            load_column(path)
        assert columns() == before

    def test_a_file_of_materials_is_no_column(self, tmp_path: Path) -> None:
        save_materials(tmp_path / "own.json", [])
        with pytest.raises(BadLibraryFile, match='no "format": "napari-nanoqr column"'):
            load_column(tmp_path / "own.json")


class TestCalibrate:
    def test_depth_over_dose(self) -> None:
        found = calibrate(0.1, 15, 1)
        assert found.value == pytest.approx(0.15)
        assert (found.low, found.high) == pytest.approx((0.14, 0.16))
        assert "15 ± 1 nm at 0.1 nC/um^2" in found.source
        assert not found.estimate

    def test_uncertainties_add_in_quadrature(self) -> None:
        found = calibrate(0.1, 15, 0.45, dose_error_percent=4)
        assert found.high / found.value - 1 == pytest.approx(0.05)

    @given(st.floats(1e-3, 10), st.floats(1, 1000), st.floats(0, 0.9))
    def test_the_dose_mills_the_depth_again(self, dose: float, depth: float, error: float) -> None:
        found = calibrate(dose, depth, error * depth)
        assert found.value * dose * 1000 == pytest.approx(depth)
        assert found.low * dose * 1000 == pytest.approx(depth * (1 - error))

    @pytest.mark.parametrize(
        "values", [(0, 15, 1), (0.1, 0, 1), (0.1, -3, 1), (float("nan"), 15, 1), (0.1, 15, -1)]
    )
    def test_values_that_cannot_be_are_refused(self, values: tuple[float, float, float]) -> None:
        with pytest.raises(ValueError, match=r"have to be positive|cannot be negative"):
            calibrate(*values)

    def test_a_depth_as_uncertain_as_it_is_large_calibrates_nothing(self) -> None:
        with pytest.raises(ValueError, match=r"uncertain by 100 %"):
            calibrate(0.1, 15, 15)
