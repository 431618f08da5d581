"""Plans of archives: from a size alone, and true of what is written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from napari_nanoqr.archive import figures
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.plan import plan_archive, plan_written
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.write import write_archive
from napari_nanoqr.cli import main
from napari_nanoqr.cli.archive_plan import parse_size, table
from napari_nanoqr.fib.columns import find_beam


def test_an_a4_sheet_holds_what_is_promised() -> None:
    tb = 10**12
    assert plan_archive(2 * tb).density["full_tb_per_a4"] == pytest.approx(2.280, abs=0.001)
    of_255 = ArchiveSettings(tile_loss=0.017)
    plan = plan_archive(2 * tb, of_255)
    assert (plan.sheets.groups.parity, plan.sheets.groups.data_count(0)) == (25, 230)
    assert plan.density["net_tb_per_a4"] >= 2.27
    assert plan_archive(2 * tb, ArchiveSettings(bits_per_module=2)).density["net_tb_per_a4"] > 4
    assert plan_archive(2 * tb).sheets.sheets == 1


@pytest.mark.parametrize("size", [0, 1, 10**6, 10**9, 2 * 10**12, 10**16])
def test_every_size_can_be_planned(size: int) -> None:
    plan = plan_archive(size)
    values = plan.to_dict()
    json.dumps(values)
    assert plan.sheets.groups.data_tiles * 25600 >= plan.stream_bytes >= size
    shares = dict(values["efficiency"])
    total = shares.pop("total")
    assert total == pytest.approx(math.prod(shares.values()))
    net = 8 * size / (plan.area_mm2 * 1e6)
    assert values["density"]["net_bit_per_um2"] == pytest.approx(net, rel=1e-6)
    assert table(plan)


def test_a_plan_is_true_of_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 300)
    settings = ArchiveSettings(suffix=".bmp", tile_loss=0.001, failure=1e-3)
    needs = ArchiveNeeds(beam=find_beam("26 pA"))
    manifest = write_archive([tmp_path / "a"], tmp_path / "new", settings, needs=needs)
    told, planned = plan_written(manifest, needs), plan_archive(76_800, settings, needs)
    assert planned.sheets.groups.data_tiles == told.sheets.groups.data_tiles
    assert planned.sheets.all_fields == told.sheets.all_fields
    assert planned.files_bytes == pytest.approx(told.files_bytes, rel=0.01)
    # letters and empty space are milled less than data
    assert planned.writing()["beam_on_s"] == pytest.approx(told.writing()["beam_on_s"], rel=0.3)
    saved = json.loads((tmp_path / "new/plan.json").read_text(encoding="utf-8"))
    assert saved["writing"]["beam_on_s"] == pytest.approx(manifest.beam_on_time_s)
    assert saved == json.loads(json.dumps(told.to_dict()))


def test_beam_time_is_that_of_the_milling_plans() -> None:
    from napari_nanoqr.design.record import record_design
    from napari_nanoqr.fib.plan import plan_milling

    beam = find_beam("26 pA")
    milling = plan_milling(record_design(), beam)
    settings = ArchiveSettings(film=record_design().film)
    module_s = ArchiveNeeds(beam=beam).module_time_s(settings)
    expected = milling.beam_on_time_s / milling.milled_modules
    assert module_s == pytest.approx(expected, rel=0.01)


def test_more_beams_take_less_time_and_energy() -> None:
    one, many = (plan_archive(10**9, needs=ArchiveNeeds(beams=n, read_beams=n)) for n in (1, 100))
    assert many.writing()["total_s"] == pytest.approx(one.writing()["total_s"] / 100)
    assert many.reading()["total_s"] == pytest.approx(one.reading()["total_s"] / 100)
    assert many.energy()["write_j_per_bit"] < one.energy()["write_j_per_bit"] / 99
    assert many.energy()["film_j_per_bit"] == pytest.approx(one.energy()["film_j_per_bit"])


def test_jumps_count_where_their_times_are_known() -> None:
    still = plan_archive(10**6).writing()
    moving = plan_archive(10**6, needs=ArchiveNeeds(settling_us=2, blanking_us=0.5)).writing()
    assert still["settling_us"] is None
    assert still["jumps_s"] == 0
    assert moving["jumps_s"] == pytest.approx(moving["jumps"] * 2.5e-6)
    assert moving["total_s"] > still["total_s"]


def test_disk_and_tape_grow_with_the_years() -> None:
    assert figures.disk_j_per_bit(100) == pytest.approx(100 * figures.disk_j_per_bit(1))
    # 5.4 W times 1.58 for 20 TB
    assert figures.disk_j_per_bit(1) == pytest.approx(5.4 * 1.58 * 3.15576e7 / 1.6e14)
    assert figures.tape_j_per_bit(9) == figures.tape_j_per_bit(0)
    assert figures.tape_j_per_bit(10) == pytest.approx(3 * figures.tape_j_per_bit(0))
    assert all(figure.source for figure in figures.ALL)
    assert all("assumed" not in each.source for each in figures.ALL if each.certain)


def test_figures_that_are_given_are_told_as_given() -> None:
    told = {
        each.name: each for each in plan_archive(1, needs=ArchiveNeeds(stage_move_s=3)).figures()
    }
    assert told["stage move to the next field"].value == 3
    assert told["stage move to the next field"].source == "given"
    assert not told["power of a FIB-SEM"].certain


@pytest.mark.parametrize(
    "bad", [{"beams": 0}, {"years": -1}, {"px_per_module": 0}, {"read_dwell_us": math.inf}]
)
def test_needs_that_cannot_be_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"cannot|more than"):
        ArchiveNeeds(**bad)  # type: ignore[arg-type]


def test_sizes_as_people_write_them() -> None:
    sizes = {"2TB": 2 * 10**12, "1.5 GiB": 3 * 2**29, "512": 512, "7kb": 7000, "3 B": 3}
    assert {word: parse_size(word) for word in sizes} == sizes
    for word in ("", "TB", "-1", "2 tons", "1iB"):
        with pytest.raises(Exception, match="no size"):
            parse_size(word)


def test_the_command_plans_and_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archive", "plan", "--size", "2TB", "--column", "Zeiss", "--years", "10"]) == 0
    shown = capsys.readouterr().out
    assert "2.280" in shown
    assert "Zeiss" in shown
    assert "idles for 10 years" in shown
    assert main(["archive", "plan", "--size", "1MB", "--json", "--bits-per-pixel", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["bits_per_module"] == 2
    for words in (["--rate", "0.9"], ["--sheet", "A9"], ["--pitch", "5"], ["--tile-loss", "0.9"]):
        assert main(["archive", "plan", "--size", "1MB", *words]) == 2
        assert capsys.readouterr().err.startswith("nanoqr: ")


def test_the_command_writes_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "key").write_text("a phrase\n", encoding="utf-8")
    out = tmp_path / "new"
    words = ["archive", "write", str(tmp_path / "a.txt"), "-o", str(out), "--format", "bmp",
             "--tile-loss", "0.001", "--failure", "0.01"]  # fmt: skip
    assert main(words) == 0
    assert "1 file, 5 bytes, as a .tar" in capsys.readouterr().out
    assert main(words) == 2
    assert "--replace" in capsys.readouterr().err
    assert main([*words, "--replace", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["user_bytes"] == 5
    assert main([*words[:3], str(tmp_path / "none"), "-o", str(tmp_path / "other")]) == 2
    assert main([*words[:4], str(tmp_path / "x"), "--recipient", "bob"]) == 2
    assert not (tmp_path / "x").exists()
