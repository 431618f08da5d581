"""What is written is read back the same; what is wrong is refused and leaves nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib import pattern_files
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.describe import describe_pattern
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats import thermo_stream
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.pattern import BadPattern, PointPattern
from napari_nanoqr.fib.pattern_files import SUFFIXES, hfw_in_name, read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.fib.sidecar import FORMAT, sidecar_path
from napari_nanoqr.fib.verify import VerificationError
from napari_nanoqr.symbols.encode import byte_capacity, encode
from napari_nanoqr.symbols.tables import LEVELS

KINDS = [
    (".str", "s16"), (".str", "s"), (".str", "s16,25ns"),
    *((suffix, "s16") for suffix in SUFFIXES if suffix != ".str"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "stream"), KINDS)
class TestEveryFormat:
    def test_is_read_back_and_decoded(
        self, plan: MillPlan, tmp_path: Path, suffix: str, stream: str
    ) -> None:
        found = write_pattern(plan, tmp_path / f"a{suffix}", stream=stream)
        assert found.matches
        assert found.payload == plan.design.symbol.payload
        assert found.modules_wrong == 0
        assert found.dose_error_percent == pytest.approx(0, abs=1e-9)
        assert json.loads(json.dumps(found.to_dict()))["payload_hex"] == found.payload.hex()
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == [f"a{suffix}", f"a{suffix}.json"]

    @pytest.mark.parametrize(
        ("mill", "quiet_zone", "pitch_nm"),
        [*product(("dark", "light"), (0, 4), (33.3, 50.0)), ("dark", 0, 100.0)],
    )
    def test_holds_either_polarity_any_quiet_zone_and_pitch(
        self, tmp_path: Path, suffix: str, stream: str, mill: str, quiet_zone: int, pitch_nm: float
    ) -> None:
        design = Design(encode(b"\x00\xff"), pitch_nm, mill, quiet_zone)
        assert write_pattern(plan_milling(design), tmp_path / f"a{suffix}", stream=stream).matches

    def test_tells_time_size_and_beam(
        self, plan: MillPlan, tmp_path: Path, suffix: str, stream: str
    ) -> None:
        write_pattern(plan, tmp_path / f"a{suffix}", stream=stream)
        pattern = read_pattern(tmp_path / f"a{suffix}")
        said = json.loads(json.dumps(describe_pattern(pattern)))
        assert said["kind"] == "pattern"
        assert said["hfw_um"] == 5
        assert "sidecar" in said["hfw_source"]
        assert said["beam_on_time_s"] == pytest.approx(plan.beam_on_time_s)
        assert said["size_nm"] == pytest.approx([1421, 1421], abs=9)
        assert pattern.beam == plan.beam

    def test_that_is_damaged_never_crashes(
        self, plan: MillPlan, tmp_path: Path, suffix: str, stream: str
    ) -> None:
        path = tmp_path / f"a{suffix}"
        write_pattern(plan, path, stream=stream)
        whole = path.read_bytes()
        rng = np.random.default_rng(1)
        for length in (0, 1, 3, 10, 50, len(whole) // 2, len(whole) - 7):
            path.write_bytes(whole[:length])
            with pytest.raises(BadPattern):
                read_pattern(path)
        for _ in range(60):
            damaged = bytearray(whole)
            for at in rng.integers(0, min(len(whole), 2000), 3):
                damaged[at] = rng.integers(256)
            path.write_bytes(bytes(damaged))
            try:
                describe_pattern(read_pattern(path))
            except BadPattern as problem:
                assert str(problem)  # noqa: PT017


@settings(max_examples=25, deadline=None)
@given(
    version=st.integers(1, 12),
    error=st.sampled_from(LEVELS),
    kind=st.sampled_from(KINDS),
    data=st.data(),
)
def test_any_bytes_survive_every_format(
    tmp_path_factory: pytest.TempPathFactory,
    version: int, error: str, kind: tuple[str, str], data: st.DataObject,
) -> None:  # fmt: skip
    payload = data.draw(st.binary(min_size=1, max_size=byte_capacity(version, error)))
    design = Design(encode(payload, error, version))
    path = tmp_path_factory.mktemp("any") / f"a{kind[0]}"
    found = write_pattern(plan_milling(design, point_pitch_nm=24.5), path, stream=kind[1])
    assert found.payload == payload


class TestWhatCannotBeWritten:
    def test_deflection_too_coarse(self, record: Design, tmp_path: Path) -> None:
        plan = plan_milling(record, hfw_um=50)
        with pytest.raises(ValueError, match=r"12-bit deflection is 12.2 nm.*16 bits"):
            write_pattern(plan, tmp_path / "a.str", stream="s")
        assert list(tmp_path.iterdir()) == []
        assert write_pattern(plan, tmp_path / "a.str").matches

    def test_dwell_that_rounds_to_nothing(self, record: Design, tmp_path: Path) -> None:
        plan = plan_milling(record, dwell_us=0.05)
        with pytest.raises(ValueError, match="dwell of 50 ns rounds to nothing"):
            write_pattern(plan, tmp_path / "a.str", stream=StreamProfile())
        assert list(tmp_path.iterdir()) == []

    def test_points_outside_the_instruments_range_of_y(
        self, record: Design, tmp_path: Path
    ) -> None:
        tall = plan_milling(record, hfw_um=1.85)
        profile = StreamProfile(y_max=56575, y_centre=28288)
        assert write_pattern(tall, tmp_path / "a.str", stream=profile).matches
        narrow = StreamProfile(y_min=20_000, y_max=45_000)
        with pytest.raises(ValueError, match=r"outside 0..65535 and 20000..45000"):
            write_pattern(tall, tmp_path / "b.str", stream=narrow)
        assert not list(tmp_path.glob("*b.str*"))

    @pytest.mark.parametrize("suffix", [".gds", ".oas"])
    @pytest.mark.parametrize(("layer", "factor"), [(64, 1.0), (-1, 1.0), (0, 32.8), (0, 0.0)])
    def test_layers_and_dose_factors_that_raith_does_not_know(
        self, plan: MillPlan, tmp_path: Path, suffix: str, layer: int, factor: float
    ) -> None:
        with pytest.raises(ValueError, match="Raith takes"):
            write_pattern(plan, tmp_path / f"a{suffix}", layer=layer, dose_factor=factor)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["a.doc", "a", "a.json"])
    def test_unknown_suffixes(self, plan: MillPlan, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match=r"use one of \.str, \.bmp, \.gds, "):
            write_pattern(plan, tmp_path / name)
        with pytest.raises(BadPattern, match="not a pattern file"):
            read_pattern(tmp_path / name)

    def test_unknown_streams(self, plan: MillPlan, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'s12' does not exist"):
            write_pattern(plan, tmp_path / "a.str", stream="s12")

    def test_missing_folders(self, plan: MillPlan, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="does not exist"):
            write_pattern(plan, tmp_path / "none" / "a.str")


@pytest.mark.parametrize(("dwell_us", "stream"), [(0.16, "s16"), (0.16, "s16,25ns"), (1.37, "s")])
def test_a_dwell_between_two_units_costs_no_dose(
    record: Design, tmp_path: Path, dwell_us: float, stream: str
) -> None:
    plan = plan_milling(record, dwell_us=dwell_us)
    found = write_pattern(plan, tmp_path / "a.str", stream=stream)
    assert found.dose_error_percent == pytest.approx(0, abs=0.01)
    assert found.unevenness_percent < 10
    pattern = read_pattern(tmp_path / "a.str")
    assert isinstance(pattern, PointPattern)
    unit = {"s16,25ns": 0.025}.get(stream, 0.1)
    dwells = set(np.round(pattern.dwell_units[pattern.beam_on] * unit, 9))
    assert {round(np.floor(dwell_us / unit) * unit, 9)} < dwells
    assert len(dwells) == 2


def test_a_writer_that_goes_wrong_is_caught_and_the_old_file_stays(
    plan: MillPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.str"
    write_pattern(plan, path)
    before = path.read_bytes(), (tmp_path / "a.str.json").read_bytes()

    def one_module_short(exposure: Exposure, path: Path) -> dict[str, object]:
        said = thermo_stream.write_stream(exposure, path)
        lines = path.read_text().split("\n")
        x = sorted({int(line.split()[1]) for line in lines[3:-2]})[100]
        kept = [line for line in lines[3:-1] if abs(int(line.split()[1]) - x) > 300]
        path.write_text("\n".join([*lines[:2], str(len(kept)), *kept, ""]))
        return said

    wrong = replace(thermo_stream.FORMAT, write=one_module_short)
    monkeypatch.setattr(pattern_files, "FORMATS", (wrong,))
    with pytest.raises(VerificationError, match=r"was not written: .*not as in the design"):
        write_pattern(plan, path)
    assert (path.read_bytes(), (tmp_path / "a.str.json").read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


class TestSidecar:
    def test_the_file_tells_the_points_and_the_sidecar_the_rest(
        self, plan: MillPlan, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.str"
        write_pattern(plan, path)
        (tmp_path / "a.str.json").unlink()
        bare = read_pattern(path)
        assert isinstance(bare, PointPattern)
        assert (bare.hfw_um, bare.points_nm, bare.bounds_nm, bare.beam) == (None,) * 4
        assert len(bare.steps) == plan.n_points + 1
        assert bare.beam_on_time_s == pytest.approx(plan.beam_on_time_s)
        given_hfw = read_pattern(path, hfw_um=5)
        assert isinstance(given_hfw, PointPattern)
        points = given_hfw.points_nm
        assert points is not None
        assert np.abs(points[:-1] - plan.points_nm).max() <= 5000 / 65536

    def test_hfw_from_the_name_or_given(self, plan: MillPlan, tmp_path: Path) -> None:
        path = tmp_path / "a_hfw5um.str"
        write_pattern(plan, path)
        (tmp_path / "a_hfw5um.str.json").unlink()
        assert read_pattern(path).hfw_um == 5
        assert read_pattern(path).hfw_source == "file name"
        assert read_pattern(path, hfw_um=10).hfw_um == 10
        with pytest.raises(BadPattern, match="field width of 0"):
            read_pattern(path, hfw_um=0)

    def test_a_pattern_that_was_changed_is_noted(self, plan: MillPlan, tmp_path: Path) -> None:
        path = tmp_path / "a.str"
        write_pattern(plan, path)
        path.write_text(path.read_text().rstrip())
        assert "was changed since" in read_pattern(path).notes[0]

    @pytest.mark.parametrize(
        "text",
        ["{", "\udce4", f'{{"format": "{FORMAT}", "stream": {{"y_centre": [1]}}}}'],
    )  # fmt: skip
    def test_a_damaged_sidecar_is_named(self, plan: MillPlan, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.str"
        write_pattern(plan, path)
        (tmp_path / "a.str.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(BadPattern, match=r"a.str.json"):
            read_pattern(path)

    def test_another_programs_json_is_left_alone(self, plan: MillPlan, tmp_path: Path) -> None:
        path = tmp_path / "a.str"
        write_pattern(plan, path)
        (tmp_path / "a.str.json").write_text("[1]")
        pattern = read_pattern(path)
        assert pattern.hfw_um is None
        assert "was not used" in pattern.notes[0]


@pytest.mark.parametrize(
    ("name", "hfw_um"),
    [("a_hfw5um.str", 5), ("filename(HFW=12µm).str", 12), ("a HFW 2.5 um.str", 2.5),
     ("hfw-800nm.str", 0.8), ("hfw1p5um_2.str", 1.5), ("a.str", None), ("hfw.str", None),
     ("hfw0um.str", None)],
)  # fmt: skip
def test_field_widths_in_names(name: str, hfw_um: float | None) -> None:
    assert hfw_in_name(name) == hfw_um


def test_coordinates_mirror_neither_in_points_nor_in_shapes(tmp_path: Path) -> None:
    """The finder-free corner is at the lower right of the symbol, so x > 0 and y > 0."""
    design = Design(encode(b"corner", "L", 1), quiet_zone=0)
    plan = plan_milling(design, point_pitch_nm=49, dwell_us=1, passes=50)
    for suffix in SUFFIXES:
        write_pattern(plan, tmp_path / f"a{suffix}")
        pattern = read_pattern(tmp_path / f"a{suffix}")
        dose = pattern.rasterise(Grid(-10.5 * 49, -10.5 * 49, 49, 21, 21))
        milled = dose > dose.max() / 2
        # dark module of version 1 (ISO/IEC 18004, 7.9.1): row 13, column 8; and not mirrored
        assert milled[13, 8]
        assert np.array_equal(milled, design.milled)


def test_y_up_turns_the_steps_and_reads_back_the_same(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "down.str")
    write_pattern(plan, tmp_path / "up.str", stream=StreamProfile(y_up=True))
    down, up = read_pattern(tmp_path / "down.str"), read_pattern(tmp_path / "up.str")
    assert isinstance(down, PointPattern)
    assert isinstance(up, PointPattern)
    assert np.array_equal(down.steps[:, 1] - 32768, 32768 - up.steps[:, 1])
    assert np.allclose(down.points_nm, up.points_nm)


def test_a_beam_in_the_sidecar_that_makes_no_sense_is_named(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "a.str")
    pattern = read_pattern(tmp_path / "a.str")
    with pytest.raises(BadPattern, match="beam makes no sense"):
        replace(pattern, metadata={"beam": {"colour": "blue"}}).beam  # noqa: B018
    assert replace(pattern, metadata={"beam": {"current_pa": 1, "spot_nm": 5}}).beam == Beam(1, 5)


def test_the_sidecar_tells_planned_and_written_dose(plan: MillPlan, tmp_path: Path) -> None:
    for path in (tmp_path / "a.str", tmp_path / "a.bmp", tmp_path / "a.gds"):
        found = write_pattern(plan, path)
        values = json.loads(sidecar_path(path).read_text(encoding="utf-8"))
        assert values["ion_dose_nc_per_um2"] == pytest.approx(plan.ion_dose_nc_per_um2)
        assert values["written_dose_error_percent"] == found.dose_error_percent
        assert abs(values["written_dose_error_percent"]) < 0.5
