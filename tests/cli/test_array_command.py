"""``nanoqr array`` takes lists and dose tests to files, and says what it did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.fib.pattern import ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.fib.sidecar import placed_designs

POINTS = ("--point-pitch", "24.5")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(*lines: str) -> str:
    Path("list.csv").write_text("\n".join(["payload,label,dose,pitch", *lines]), encoding="utf-8")
    return "list.csv"


def written(file: Path) -> list[bytes]:
    return [item.design.symbol.payload for item in placed_designs(read_pattern(file).metadata)]


def test_a_list_becomes_files_and_lists(capsys: pytest.CaptureFixture[str]) -> None:
    name = table("one,A,,", "two,B,0.8,40", "three,C,,")
    assert main(["array", name, "--to", "out", "--columns", "2", *POINTS]) == 0
    said = capsys.readouterr().out
    assert "3 symbols in 2 x 2 (rows x columns) · 1 field of 8 um" in said
    assert "field 1: stage 0, 0 um · 3 symbols (A to C)" in said
    assert "3 symbols decoded" in said
    assert written(Path("out/out-01_hfw8um.str")) == [b"one", b"two", b"three"]


def test_a_text_file_takes_all_of_a_symbol_from_the_options() -> None:
    Path("list.txt").write_text("one\ntwo\n", encoding="utf-8")
    options = ["--error", "H", "--pitch", "60", "--film", "TiN", "--mill", "light"]
    assert main(["array", "list.txt", "--to", "out", "--format", "gds", *options, *POINTS]) == 0
    (file,) = Path("out").glob("*.gds")
    for item in placed_designs(read_pattern(file).metadata):
        d = item.design
        assert (d.symbol.error, d.pitch_nm, d.film.material, d.mill) == ("H", 60, "TiN", "light")


def test_json_holds_the_stage_list_and_what_the_limits_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = table("one,A,,", "two,B,,", "three,C,,", "four,D,,")
    options = ["--hfw", "6", "--json", "--name", "job", *POINTS]
    assert main(["array", name, "--to", "out", *options]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values | {"folder": "", "instrument": "", "complaints": []} == json.loads(
        Path("out/stages.json").read_text(encoding="utf-8")
    ) | {"folder": "", "instrument": "", "complaints": []}
    assert len(values["fields"]) == 4
    assert values["folder"] == "out"
    # 24.5 nm from point to point is more than the spot
    assert [complaint["what"] for complaint in values["complaints"]] == ["point pitch"]
    assert {field["file"] for field in values["fields"]} == {
        f"job-0{n}_hfw6um.str" for n in (1, 2, 3, 4)
    }


def test_a_dose_test_stands_in_one_field_where_it_fits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["encode", "dose test", "--error", "L", "-o", "d.json"]) == 0
    options = ["--doses", "0.6:1.6:6", "--pitches", "40,50", "--json", *POINTS]
    capsys.readouterr()
    assert main(["array", "--wedge", "d.json", "--to", "wedge", *options]) == 0
    (field,) = json.loads(capsys.readouterr().out)["fields"]
    told = [(s["column"], s["row"], s["dose"], s["pitch_nm"]) for s in field["symbols"]]
    assert told == [
        (column + 1, row + 1, dose, pitch)
        for row, pitch in enumerate((40, 50))
        for column, dose in enumerate((0.6, 0.8, 1.0, 1.2, 1.4, 1.6))
    ]
    assert field["symbols"][0]["label"] == "40 0.6X"


class TestNothingIsWritten:
    def test_where_lines_are_bad(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["array", table("one,A,x,", "two,B,,", ",C,,"), "--to", "out"]) == 2
        said = capsys.readouterr().err.splitlines()
        assert said[0] == "nanoqr: list.csv cannot be used:"
        assert [line.split(":")[0] for line in said[1:]] == ["line 2", "line 4"]
        assert not Path("out").exists()

    def test_where_the_folder_holds_other_files(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["array", table("one,A,,"), "--to", "."]) == 2
        assert "other files, such as list.csv" in capsys.readouterr().err
        assert [path.name for path in Path().iterdir()] == ["list.csv"]

    def test_beyond_the_limits_of_an_instrument(self, capsys: pytest.CaptureFixture[str]) -> None:
        options = ["--instrument", "Thermo/FEI 12 bit", "--hfw", "60"]
        assert main(["array", table("one,A,,"), "--to", "out", *options]) == 2
        assert "Nothing was written. A step of the 12-bit deflection" in capsys.readouterr().err
        assert not Path("out").exists()

    @pytest.mark.parametrize("doses", ["1:2", "a,b", "1:2:0", ""])
    def test_for_doses_that_are_none(self, doses: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["array", "--wedge", "d.json", "--doses", doses, "--to", "out"])
        assert "neither FROM:TO:N nor numbers" in capsys.readouterr().err


def test_decode_asks_for_one_design_of_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["array", table("one,A,,", "two,B,,"), "--to", "out", *POINTS]) == 0
    (file,) = Path("out").glob("*.str")
    assert main(["decode", "seen.tif", "--design", str(file)]) == 2
    assert "holds 2 designs" in capsys.readouterr().err


def test_layers_below_the_film_and_polygons_are_taken(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("one\ntwo\n", encoding="utf-8")
    words = ["array", str(tmp_path / "list.txt"), "--to", str(tmp_path / "job"), "--format", "gds"]
    assert main([*words, "--below", "5 nm Cr", "--shapes", "polygons", "--no-labels"]) == 0
    (file,) = (tmp_path / "job").glob("*.gds")
    pattern = read_pattern(file)
    assert isinstance(pattern, ShapePattern)
    assert max(map(len, pattern.polygons_nm)) > 4
    designs = placed_designs(pattern.metadata)
    assert [str(item.design.film.below[0]) for item in designs] == ["5 nm Cr"] * 2
