"""What README and the docs tell people to type works, and shows what they say it shows."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.record import record_design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "how-to").glob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


class Typed(NamedTuple):
    """A command, and the lines that a page shows below it."""

    words: list[str]
    to: str | None
    shown: list[str]


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def commands(console: str) -> Iterator[Typed]:
    """The commands ``nanoqr`` of a block, with the output that is shown."""
    for part in re.split(r"^\$ ", console.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        line, *shown = part.rstrip().splitlines()
        words = shlex.split(line)
        if words[0] != "nanoqr":
            continue
        to = None
        if ">" in words:
            at = words.index(">")
            words, to = words[:at], words[at + 1]
        yield Typed([file for word in words[1:] for file in matching(word)], to, shown)


def matching(word: str) -> list[str]:
    """What a shell makes of a word."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


def run(command: Typed) -> None:
    out, err = io.StringIO(), io.StringIO()
    # what waits for images would wait for ever
    words = [*command.words, "--for", "1"] if command.words[0] == "watch" else command.words
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    assert status == 0, f"nanoqr {shlex.join(command.words)}: {err.getvalue()}"
    if command.to is not None:
        Path(command.to).write_text(out.getvalue(), encoding="utf-8")
    if command.shown:
        # words have to agree; numbers may come out a little different elsewhere
        printed = [NUMBER.sub("#", line) for line in out.getvalue().splitlines()]
        assert [NUMBER.sub("#", line) for line in command.shown] == printed


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that the pages take for granted."""
    folder = tmp_path_factory.mktemp("files")
    write_micrograph(simulate_micrograph(record_design(), seed=1), folder / "image.tif")
    assert main(["encode", "plain", "-o", str(folder / "plain.png")]) == 0
    image = (folder / "image.tif").read_bytes()
    record_design().save(folder / "record.json")
    settings = {
        "format": "napari-nanoqr settings",
        "command": "export",
        "settings": {"": ["design.json"], "beam": "7 pA", "over_etch": 1.1, "to": "slow.str"},
    }
    return {
        "Image_012.tif": image,
        "images/1.tif": image,
        "series/1.tif": image,
        "series/2.tif": image,
        "record.json": (folder / "record.json").read_bytes(),
        "plain.png": (folder / "plain.png").read_bytes(),
        "samples.csv": b"payload,label,pitch,dose\none,A1,,\ntwo,A2,40,\nthree,A3,40,1.1\n",
        "other.str": b"s16\n1\n2\n10 100 100\n10 200 100\n",
        "slow-settings.json": json.dumps(settings).encode(),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_to_type_works(
    page: Path, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    # what a page loads is gone after it
    monkeypatch.setattr("napari_nanoqr.fib.materials._loaded", {})
    monkeypatch.setattr("napari_nanoqr.fib.columns._loaded", {})
    monkeypatch.setattr("napari_nanoqr.fib.instruments._loaded", {})
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.text, f"{page.name}, Python", "exec"), names)
        elif block.language == "console":
            for command in commands(block.text):
                # the demo opens a window, and has tests of its own
                if command.words != ["demo"]:
                    run(command)


def test_every_page_has_blocks_that_are_run() -> None:
    found = {page.stem for page in PAGES for block in blocks(page) if block.language == "python"}
    pages = {"README", "encode", "export", "materials", "predict", "open", "decode", "python"}
    assert pages | {"arrays", "grade", "restore"} <= found


def test_the_settings_file_that_is_shown_is_the_one_that_is_run(files: dict[str, bytes]) -> None:
    page = ROOT / "docs" / "how-to" / "command-line.md"
    shown = [json.loads(block.text) for block in blocks(page) if block.language == "json"]
    assert json.loads(files["slow-settings.json"]) in shown


def test_the_command_line_page_names_every_field() -> None:
    from napari_nanoqr.cli.decode_result import DecodeResult
    from napari_nanoqr.reading.append import AppendedSet
    from napari_nanoqr.reading.compare import compare_with_design
    from napari_nanoqr.reading.read import read_codes

    page = (ROOT / "docs" / "how-to" / "command-line.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    for electrons in (3000, 8):
        micrograph = simulate_micrograph(
            record_design(), electrons_per_pixel=electrons, rotation_deg=20, seed=1
        )
        readings = read_codes(micrograph, pitch_nm=49, margin=True)
        (compared,) = compare_with_design(micrograph, record_design())
        record = DecodeResult("a.tif", 6.125, "simulated", readings, (compared,)).to_dict()
        (entry,) = record["codes"] or record["unread"]
        (compared,) = record["comparisons"]
        fields = set(record) | set(entry) | set(entry.get("margin", ())) | set(compared)
        assert told >= fields | set(AppendedSet(0, (None,)).to_dict())


def test_the_command_line_page_names_every_field_of_a_plan(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "command-line.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    record_design().save(tmp_path / "record.json")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["plan", str(tmp_path / "record.json"), "--correct-edges", "--json"]) == 0
    said = json.loads(out.getvalue())
    inner = [said, *said["complaints"]] + [each for each in said.values() if isinstance(each, dict)]
    assert len(inner) >= 6
    assert told >= {name for each in inner for name in each}


def test_the_formats_page_names_every_key_of_an_instrument() -> None:
    from napari_nanoqr.fib.instruments import Instrument, instruments

    page = ROOT / "docs" / "formats.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    for instrument in instruments():
        values = instrument.to_dict()
        streams = [form["options"].get("stream", {}) for form in values["formats"]]
        assert told >= set(values).union({"suffix", "options"}, *streams)
    (shown,) = [json.loads(b.text) for b in blocks(page) if b.language == "json"]
    assert (shown.pop("format"), shown.pop("format_version")) == ("napari-nanoqr instrument", 1)
    assert Instrument.from_dict(shown).options_for(".gds") == {"layer": 3}


def test_the_formats_page_names_every_key_of_a_field_and_of_a_stage_list(tmp_path: Path) -> None:
    page = ROOT / "docs" / "formats.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    (tmp_path / "list.txt").write_text("one\ntwo\n", encoding="utf-8")
    assert main(["array", str(tmp_path / "list.txt"), "--to", str(tmp_path / "out")]) == 0
    stages = json.loads((tmp_path / "out" / "stages.json").read_text(encoding="utf-8"))
    (field,) = stages["fields"]
    inner = [stages, field, *field["symbols"], *field["drawings"]]
    sidecar = json.loads((tmp_path / "out" / f"{field['file']}.json").read_text(encoding="utf-8"))
    assert told >= {name for each in [*inner, sidecar, *sidecar["designs"]] for name in each}


def test_the_formats_page_names_every_key_of_a_grade_and_of_a_verdict() -> None:
    from napari_nanoqr.measuring.write_verify import write_verify

    page = ROOT / "docs" / "formats.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    verdict = write_verify(record_design(), simulate_micrograph(record_design(), seed=1)).to_dict()
    (place,) = verdict["places"]
    grade = place["grade"]
    lists = [grade["parameters"], grade["blocks"], grade["segments"], place["findings"]]
    inner = [verdict, place, grade, *(entry for each in lists for entry in each)]
    assert told >= {name for each in inner for name in each}


def test_the_formats_page_names_every_key_of_a_trend() -> None:
    from napari_nanoqr.measuring.trend import trend_of
    from napari_nanoqr.measuring.trend_point import TrendPoint

    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = page[page.index("## Trend") : page.index("## Pictures of a design")]
    values = trend_of([TrendPoint("a.tif", 0.0)]).to_dict()
    (point,) = values["points"]
    told = set(re.findall(r"`(\w+)`", section))
    assert told >= {*values, *values["settings"], *point}


def test_the_formats_page_names_every_key_of_an_archive(tmp_path: Path) -> None:
    from napari_nanoqr.archive.events import read_events
    from napari_nanoqr.archive.manifest import STAGE_COLUMNS
    from napari_nanoqr.archive.settings import ArchiveSettings
    from napari_nanoqr.archive.write import write_archive

    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = page[page.index("## Archive, ") : page.index("## Pictures of a design")]
    told = set(re.findall(r"`(\w+)`", section))
    (tmp_path / "a").write_bytes(b"a")
    settings = ArchiveSettings(suffix=".bmp", tile_loss=0.001, failure=0.01)
    manifest = write_archive([tmp_path / "a"], tmp_path / "new", settings)
    plan = json.loads((tmp_path / "new" / "plan.json").read_text(encoding="utf-8"))
    index, (event, *_) = manifest.index.to_dict(), read_events(tmp_path / "new")
    inner = [manifest.to_dict(), manifest.to_dict()["sheets"][0], index, index["stream"], event]
    inner += [index["stream"]["files"][0], index["settings"], index["settings"]["film"], plan]
    inner += [index["groups"], plan["figures"][0], plan["writing"]["other_beams"][0]]
    inner += [plan[key] for key in ("density", "efficiency", "writing", "reading", "energy")]
    assert told >= {name for each in inner for name in each} | set(STAGE_COLUMNS)


def test_the_formats_page_names_every_key_of_what_is_read_of_an_archive() -> None:
    from dataclasses import asdict
    from datetime import date

    from napari_nanoqr.archive.archive_reading import ArchiveReading
    from napari_nanoqr.archive.audit import COLUMNS, Audit, margin_trend, trend_dict
    from napari_nanoqr.archive.groups import GroupReport
    from napari_nanoqr.archive.tasks import UnreadImage
    from napari_nanoqr.archive.unpack import FileVerdict
    from napari_nanoqr.archive.verdict import TileVerdict, rewrite_list
    from napari_nanoqr.archive.verify import ArchiveVerification

    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = page[page.index("## Reading of an archive") : page.index("## Mosaics")]
    told = set(re.findall(r"`(\w+)`", section))
    group = GroupReport(0, 2, 1, 3, 0, 0, 0, 0, 0)
    unread = (UnreadImage("a.tif", "none"),)
    files = (FileVerdict("a", 1, "exact"),)
    reading = ArchiveReading("00", files, groups=(group,), unread=unread).to_dict()
    place = (0.0, 0.0, "data", 0, 0, "whole", 0, 9.0, 0.0, 1)
    tile = TileVerdict(0, 0, 0, 0, 0, *place)  # type: ignore[arg-type]
    verified = ArchiveVerification("00", (tile,), (), 1, unread).to_dict()
    audits = [Audit(date(2030 + n, 1, 1), 1, 4, 0, 0, 0, 5.0, 6.0) for n in range(3)]
    trend = trend_dict(audits, margin_trend(audits))
    inner = [reading, *reading["groups"], *reading["files"], *reading["unread"], reading["tiles"]]
    inner += [verified, *verified["tiles"], trend, *trend["audits"], trend["trend"], asdict(group)]
    columns = rewrite_list([]).strip().split(",")
    assert told >= {name for each in inner for name in each} | {*COLUMNS, *columns}


def test_pictures_are_there_made_by_the_script_and_small() -> None:
    script = (ROOT / "docs" / "make_pictures.py").read_text(encoding="utf-8")
    for page in PAGES:
        for link in PICTURE.findall(page.read_text(encoding="utf-8")):
            name = link.rpartition("/")[2]
            assert (ROOT / "docs" / "pictures" / name).stat().st_size < 400_000
            assert f'"{name.removesuffix(".png")}":' in script
