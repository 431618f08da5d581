"""The command ``nanoqr``: the whole loop without a viewer, and clear words where it fails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from napari_nanoqr.cli import COMMANDS, main
from napari_nanoqr.cli.settings import save_settings
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern_files import SUFFIXES


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.json"
    assert main(["encode", "https://example.org", "--error", "H", "-o", str(path)]) == 0
    return path


def test_the_loop_closes(design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream, image = tmp_path / "a.str", tmp_path / "a.tif"
    others = [str(tmp_path / "a.bmp"), str(tmp_path / "a.gds")]
    assert main(["export", str(design), "--to", str(stream), *others]) == 0
    assert out(capsys).count("read back and decoded") == 3
    assert main(["simulate", str(stream), "-o", str(image), "--seed", "1"]) == 0
    out(capsys)
    assert main(["decode", "--json", str(image)]) == 0
    record = json.loads(out(capsys))
    (code,) = record["codes"]
    assert bytes.fromhex(code["payload_hex"]) == b"https://example.org"
    assert code["text"] == "https://example.org"
    assert record["pixel_size_nm"] == 6.125
    assert code["pitch_nm"] == pytest.approx(49, rel=0.01)


def test_decoding_gives_all_promised_fields(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = str(tmp_path / "code.png")
    main(["encode", "--hex", "00ff", "--error", "Q", "--mask", "5", "-o", picture])
    out(capsys)
    assert main(["decode", "--json", picture]) == 0
    record = json.loads(out(capsys))
    assert set(record) == {
        "file", "pixel_size_nm", "pixel_size_source", "codes", "unread", "sets", "comparisons",
        "failed_stage", "error",
    }  # fmt: skip
    assert (record["pixel_size_nm"], record["error"]) == (None, None)
    (code,) = record["codes"]
    assert code["payload_hex"] == "00ff"
    assert code["text"] is None
    assert (code["version"], code["error"], code["mask"]) == (1, "Q", 5)
    assert (code["mirrored"], code["inverted"], code["corrected_codewords"]) == (False, False, 0)
    assert code["pitch_nm"] is None
    assert 0 <= code["confidence"] <= 1
    # 8 px a module and 4 modules of quiet zone; the first pixel's centre is at 0, 0
    near, far = 31.5, 31.5 + 8 * 21
    expected = [[near, near], [near, far], [far, far], [far, near]]
    for corner, wanted in zip(code["corners_yx"], expected, strict=True):
        assert corner == pytest.approx(wanted, abs=1.0)


def test_a_given_pixel_size_wins_over_the_files(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "a.tif"
    main(["encode", "pixel size", "-o", str(picture)])
    out(capsys)
    main(["decode", "--json", "--pixel-size", "10", str(picture)])
    record = json.loads(out(capsys))
    assert (record["pixel_size_nm"], record["pixel_size_source"]) == (10.0, "given")
    assert record["codes"][0]["pitch_nm"] == pytest.approx(80, rel=0.01)


def test_one_bad_file_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, empty, broken = (tmp_path / n for n in ("good.png", "blank.png", "broken.tif"))
    main(["encode", "good", "-o", str(good)])
    from PIL import Image

    Image.new("L", (64, 64), 128).save(empty)
    broken.write_bytes(b"II*\0 nothing more")
    out(capsys)
    files = [str(broken), str(tmp_path / "missing.tif"), str(good), str(empty)]
    assert main(["decode", "--json", *files]) == 2
    captured = capsys.readouterr()
    records = [json.loads(line) for line in captured.out.splitlines()]
    assert [record["file"] for record in records] == files
    assert [len(record["codes"]) for record in records] == [0, 0, 1, 0]
    assert [record["error"] is None for record in records] == [False, False, True, False]
    assert "Traceback" not in captured.err
    assert "[1/4]" in captured.err
    assert main(["decode", "--json", str(good), str(empty)]) == 1


def test_what_was_seen_and_not_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design, image = tmp_path / "weak.json", tmp_path / "faint.tif"
    main(["encode", "a" * 50, "--error", "L", "-o", str(design)])
    main(["simulate", str(design), "-o", str(image), "--electrons", "8", "--seed", "1"])
    out(capsys)
    assert main(["decode", str(image), "--pitch", "49"]) == 1
    said = out(capsys)
    assert "A code was seen, but could not be read: version 3-L, pitch 4" in said
    assert " times as long, or average " in said
    assert main(["decode", "--json", str(image), "--pitch", "49"]) == 1
    record = json.loads(out(capsys))
    assert record["codes"] == []
    assert record["failed_stage"] == "decode"
    assert record["error"].startswith("A code was seen")
    (seen,) = record["unread"]
    assert (seen["version"], seen["error"]) == (3, "L")
    assert seen["needed_electrons_per_pixel"] > 9


def test_it_is_told_how_many_electrons_would_have_done(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "a.tif"
    main(["simulate", str(design), "-o", str(image), "--electrons", "200", "--seed", "1"])
    out(capsys)
    assert main(["decode", str(image)]) == 0
    assert re.search(r"readable with \d\.?\d?\s% of the electrons: ", out(capsys))
    main(["decode", "--json", str(image)])
    (code,) = json.loads(out(capsys))["codes"]
    assert 3 < code["margin"]["stop_electrons_per_pixel"] < 20
    assert len(code["margin"]["block_noise_factors"]) == 2
    main(["decode", "--json", "--no-margin", str(image)])
    (code,) = json.loads(out(capsys))["codes"]
    assert code["margin"] is None


def test_an_image_is_held_against_the_design(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream, image = tmp_path / "a.str", tmp_path / "a.tif"
    main(["export", str(design), "--to", str(stream)])
    main(["simulate", str(design), "-o", str(image), "--electrons", "300", "--seed", "1"])
    out(capsys)
    # the design, the pattern that holds it, and the pattern's sidecar say the same
    for file in (design, stream, tmp_path / "a.str.json"):
        assert main(["decode", str(image), "--design", str(file)]) == 0
        assert "of 841 modules differ" in out(capsys)
    other = tmp_path / "other.json"
    main(["encode", "something else", "--error", "H", "--version", "3", "-o", str(other)])
    out(capsys)
    main(["decode", str(image), "--design", str(other)])
    assert "The design was not found in this image." in out(capsys)
    main(["decode", "--json", str(image), "--design", str(design)])
    (found,) = json.loads(out(capsys))["comparisons"]
    assert found["readable"] is True
    (tmp_path / "a.str.json").unlink()
    assert main(["decode", str(image), "--design", str(stream)]) == 2
    assert "does not tell its design" in capsys.readouterr().err
    assert main(["decode", str(image), "--design", str(image)]) == 2


def test_patterns_are_expanded_where_the_shell_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b.png", "a.png", "[c].png"):
        main(["encode", name, "-o", str(tmp_path / name)])
    out(capsys)
    for pattern, names in (("?.png", ["a.png", "b.png"]), ("[c].png", ["[c].png"])):
        assert main(["decode", "--json", str(tmp_path / pattern)]) == 0
        records = [json.loads(line) for line in out(capsys).splitlines()]
        assert [record["codes"][0]["text"] for record in records] == names
    assert main(["decode", "--json", str(tmp_path / "*.gif")]) == 2


def test_exact_bytes_are_saved(tmp_path: Path) -> None:
    payload = bytes(range(256))
    (tmp_path / "data.bin").write_bytes(payload)
    picture = str(tmp_path / "data.png")
    assert main(["encode", "--file", str(tmp_path / "data.bin"), "-o", picture]) == 0
    assert main(["decode", picture, "--save", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "data.bin").read_bytes() == payload


@pytest.mark.parametrize("suffix", [".json", ".png", ".svg", ".tif"])
def test_a_design_is_saved_by_the_suffix(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    assert main(["encode", "x", "-o", str(path)]) == 0
    assert path.stat().st_size > 100


def test_without_a_file_the_symbol_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encode", "x"]) == 0
    assert "█" in out(capsys)


def test_settings_of_the_widget_are_taken(tmp_path: Path) -> None:
    settings = tmp_path / "s.json"
    save_settings(settings, "encode", {"": ["from a file"], "error": "H", "mill": "light"})
    target = tmp_path / "d.json"
    assert main(["encode", "--settings", str(settings), "--error", "L", "-o", str(target)]) == 0
    design = Design.load(target)
    assert design.symbol.payload == b"from a file"
    assert (design.mill, design.symbol.error) == ("light", "L")


def test_info_tells_what_each_file_holds(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream, image = tmp_path / "a.str", tmp_path / "a.tif"
    bitmap, picture = tmp_path / "a.bmp", tmp_path / "picture.bmp"
    main(["export", str(design), "--to", str(stream), str(bitmap)])
    main(["simulate", str(design), "-o", str(image)])
    from PIL import Image

    Image.effect_noise((40, 30), 50).convert("RGB").save(picture)
    out(capsys)
    kinds = {}
    for path in (design, stream, bitmap, image, picture):
        assert main(["info", "--json", str(path)]) == 0
        kinds[path.name] = json.loads(out(capsys))
    assert [values["kind"] for values in kinds.values()] == [
        "design", "pattern", "pattern", "micrograph", "micrograph",
    ]  # fmt: skip
    assert kinds["a.tif"]["pixel_size_nm"] == 6.125
    assert kinds["a.tif"]["pixel_size_source"] == "simulated"
    assert kinds["picture.bmp"]["pixel_size_nm"] is None
    assert kinds["picture.bmp"]["pixel_size_source"] is None
    assert main(["info", str(stream)]) == 0
    assert "hfw um" in out(capsys)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_info_tells_of_any_pattern_file_what_it_is_and_what_it_lacks(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    main(["export", str(design), "--to", str(path)])
    (tmp_path / f"a{suffix}.json").unlink()
    out(capsys)
    assert main(["info", "--json", str(path)]) == 0
    said = json.loads(out(capsys))
    assert said["file"] == str(path)
    assert said["kind"] == "pattern"
    count = said["points"] if said["holds"] == "points" else said["polygons"]
    assert count > 100
    if said["extent_nm"] is None:
        assert any("does not tell its scale" in note for note in said["complaints"])
    else:
        left, top, right, bottom = said["extent_nm"]
        assert [right - left, bottom - top] == pytest.approx(said["size_nm"])
        assert said["size_nm"] == pytest.approx([1421, 1421], abs=10)
    if said["beam_on_time_s"] is None:
        assert any("does not tell its" in note for note in said["complaints"]) or not said["beam"]


@pytest.mark.parametrize(
    ("words", "version", "text"),
    [
        (["sample 7", "--version", "R11x43"], "R11x43", "sample 7"),
        (["sample 7", "--version", "r11x43"], "R11x43", "sample 7"),
        (["sample 7", "--version", "m4"], "M4", "sample 7"),
        (["sample", "--symbol", "micro"], "M3", "sample"),
        (["sample 7", "--symbol", "rmqr"], "R13x27", "sample 7"),
        (["日本語です", "--symbol", "smallest"], "M4", "日本語です"),
        (["Жук и паук", "--error", "L"], 2, "Жук и паук"),
        (["Жук и паук", "--error", "L", "--eci"], 1, "Жук и паук"),
        (
            ["https://www.tuwien.at", "--symbol", "smallest", "--error", "L", "--allow-upper"],
            "M4", "HTTPS://WWW.TUWIEN.AT",
        ),
    ],
)  # fmt: skip
def test_a_kind_of_symbol_can_be_chosen(
    words: list[str], version: int | str, text: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "mark.json"
    assert main(["encode", *words, "-o", str(path)]) == 0
    design = Design.load(path)
    assert (design.symbol.version, design.symbol.text) == (version, text)
    rows, columns = design.symbol.matrix.shape
    assert f"{rows} x {columns} modules · version {version}-" in out(capsys)


def test_a_long_symbol_is_drawn_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encode", "sample 7", "--version", "R11x43"]) == 0
    drawing = [line for line in out(capsys).splitlines() if set(line) <= set(" ▄▀█")]
    # two rows of modules a line, two light ones around
    assert [len(line) for line in drawing] == [43 + 4] * 8


@pytest.mark.parametrize(
    "words",
    [
        ["encode", ""],
        ["encode", "--hex", "0"],
        ["encode", "a" * 3000],
        ["encode", "a", "--version", "50"],
        ["encode", "a", "--version", "R7x27"],
        ["encode", "a", "--version", "M4", "--symbol", "rmqr"],
        ["encode", "a", "--symbol", "rmqr", "--error", "L"],
        ["encode", "a" * 30, "--symbol", "micro"],
        ["encode", "a", "-o", "a.docx"],
        ["encode", "a", "-o", "nowhere/a.json"],
        ["encode", "--file", "missing.bin"],
        ["export", "missing.json", "--to", "a.str"],
        ["info", "missing.tif"],
        ["info", "missing.str"],
        ["simulate", "missing.json", "-o", "a.tif"],
        ["decode", "--settings", "missing.json", "a.tif"],
    ],
    ids=" ".join,
)
def test_bad_use_gets_a_sentence_and_status_2(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("nanoqr: ")
    assert "Error" not in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["nonsense"], ["encode"], ["decode"], ["encode", "a", "b"]])
def test_a_wrong_call_gets_a_usage_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: nanoqr" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*([command] if command else []), "--help"])
    assert ended.value.code == 0
    assert len(out(capsys).splitlines()) > 10


def test_the_demo_leaves_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-viewer", "-o", str(tmp_path / "demo")]) == 0
    report = out(capsys)
    assert "the payload is exact" in report
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {
        "record.json", "record.png", "record.str", "record.bmp", "record.gds", "predicted.tif",
        "reading.json",
    } <= names  # fmt: skip
    reading = json.loads((tmp_path / "demo" / "reading.json").read_text())
    assert reading["codes"][0]["text"].startswith("https://www.tuwien.at/")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"nanoqr \d+\.\d+.*\n", out(capsys))
