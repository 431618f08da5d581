"""A job is written whole or not at all, and its lists say where everything is."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.jobs import files
from napari_nanoqr.fib.jobs.entries import JobEntry, dose_test
from napari_nanoqr.fib.jobs.files import write_job
from napari_nanoqr.fib.jobs.job import Job, plan_job
from napari_nanoqr.fib.jobs.layout import JobLayout
from napari_nanoqr.fib.jobs.overview import overview_png
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.fib.sidecar import placed_designs
from napari_nanoqr.fib.verify import verify_placed
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.symbols.encode import encode


@pytest.fixture(scope="module")
def job() -> Job:
    """Six symbols in two fields."""
    entries = [
        JobEntry(Design(encode(f"sample {n}", "L"), name=f"{n}"), f"S{n}", dose)
        for n, dose in enumerate((1, 1, 0.8, 1.2, 1, 1))
    ]
    return plan_job(entries, JobLayout(6, hfw_um=10), name="demo", point_pitch_nm=24.5)


@pytest.fixture(scope="module")
def folder(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_job(job, tmp_path_factory.mktemp("written") / "demo").folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_job_is_a_pattern_file_a_field_with_lists_and_an_overview(folder: Path) -> None:
    patterns = ["demo-01_hfw10um.str", "demo-02_hfw10um.str"]
    assert names(folder) == sorted(
        [*patterns, *(f"{name}.json" for name in patterns), "overview.png", "overview.svg",
         "stages.csv", "stages.json", "symbols.csv"]
    )  # fmt: skip


def test_the_lists_say_where_everything_is(job: Job, folder: Path) -> None:
    stages = json.loads((folder / "stages.json").read_text(encoding="utf-8"))
    assert stages["beam_on_time_s"] == pytest.approx(job.beam_on_time_s)
    assert [(f["x_um"], f["y_um"]) for f in stages["fields"]] == [(0, 0), (10, 0)]
    told = [symbol for field in stages["fields"] for symbol in field["symbols"]]
    assert [(s["text"], s["label"], s["row"], s["column"], s["dose"]) for s in told] == [
        (f"sample {n}", f"S{n}", 1, n + 1, dose) for n, dose in enumerate((1, 1, 0.8, 1.2, 1, 1))
    ]
    for field in stages["fields"]:
        pattern = read_pattern(folder / field["file"])
        assert pattern.notes == ()
        assert pattern.metadata["sha256"] == field["sha256"]
        assert pattern.beam_on_time_s == pytest.approx(field["beam_on_time_s"], rel=1e-3)
        placed = placed_designs(pattern.metadata)
        assert [(p.x_nm, p.y_nm) for p in placed] == [
            (s["x_nm"], s["y_nm"]) for s in field["symbols"]
        ]
        assert verify_placed(pattern, placed).matches
        drawn = [drawing["name"] for drawing in field["drawings"]]
        assert drawn == ["drift mark", "corner", *["cross"] * 3] + [
            s["label"] for s in field["symbols"]
        ]


def test_the_tables_say_the_same(folder: Path) -> None:
    stages = json.loads((folder / "stages.json").read_text(encoding="utf-8"))
    with (folder / "stages.csv").open(encoding="utf-8-sig", newline="") as file:
        fields = list(csv.DictReader(file))
    assert [(f["file"], float(f["x_um"]), int(f["symbols"])) for f in fields] == [
        (f["file"], f["x_um"], len(f["symbols"])) for f in stages["fields"]
    ]
    with (folder / "symbols.csv").open(encoding="utf-8-sig", newline="") as file:
        symbols = list(csv.DictReader(file))
    assert [(s["payload_hex"], float(s["x_nm"]), s["file"]) for s in symbols] == [
        (s["payload_hex"], s["x_nm"], f["file"]) for f in stages["fields"] for s in f["symbols"]
    ]


@pytest.mark.parametrize("suffix", ["gds", ".ptf", ".bmp"])
def test_other_formats_are_written_too(job: Job, tmp_path: Path, suffix: str) -> None:
    written = write_job(job, tmp_path / "job", suffix)
    assert [path.suffix for path in written.files] == ["." + suffix.lstrip(".")] * 2
    assert [len(found.payloads) for found in written.found] == [3, 3]


class TestNothingHalfWrittenStays:
    def test_where_it_is_cancelled(self, job: Job, tmp_path: Path) -> None:
        told: list[str] = []
        with pytest.raises(Cancelled):
            write_job(
                job,
                tmp_path / "job",
                progress=lambda *said: told.append(said[2]),
                cancelled=lambda: len(told) == 1,
            )
        assert told == ["Writing demo-01_hfw10um.str, reading it back …"]
        assert names(tmp_path) == []

    def test_where_a_field_fails(
        self, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(plan: object, path: Path, **_: object) -> object:
            if "-02" in path.name:
                raise OSError(28, "No space left on device")
            return real(plan, path)

        real = files.write_pattern
        monkeypatch.setattr(files, "write_pattern", fail)
        with pytest.raises(OSError, match="No space"):
            write_job(job, tmp_path / "job")
        assert names(tmp_path) == []

    def test_where_the_format_cannot_hold_it(self, tmp_path: Path) -> None:
        uneven = plan_job(dose_test(Design(encode("a", "L")), [1.0], [49, 33.3]))
        with pytest.raises(ValueError, match="one pitch, or write a stream or a layout"):
            write_job(uneven, tmp_path / "job", ".bmp")
        with pytest.raises(ValueError, match="no suffix of a pattern file"):
            write_job(uneven, tmp_path / "job", ".pdf")
        assert names(tmp_path) == []

    def test_and_an_earlier_job_stays_as_it_was(
        self, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_job(job, tmp_path / "job")
        before = {path.name: path.read_bytes() for path in (tmp_path / "job").iterdir()}
        with pytest.raises(Cancelled):
            write_job(job, tmp_path / "job", cancelled=lambda: True)
        monkeypatch.setattr(Path, "rename", _refused_once(Path.rename))
        with pytest.raises(OSError, match="refused"):
            write_job(job, tmp_path / "job", ".gds")
        assert names(tmp_path) == ["job"]
        assert {path.name: path.read_bytes() for path in (tmp_path / "job").iterdir()} == before


def _refused_once(real):  # type: ignore[no-untyped-def]
    """Let the second rename fail: the earlier job has been moved away by then."""
    count = iter(range(100))

    def rename(self: Path, target: Path) -> Path:
        if next(count) == 1:
            raise OSError("refused")
        return real(self, target)  # type: ignore[no-any-return]

    return rename


class TestFolders:
    def test_an_earlier_job_is_replaced(self, job: Job, tmp_path: Path) -> None:
        write_job(job, tmp_path / "job", ".gds")
        write_job(job, tmp_path / "job", ".str")
        assert not list((tmp_path / "job").glob("*.gds*"))
        assert names(tmp_path) == ["job"]

    def test_an_empty_folder_is_filled(self, job: Job, tmp_path: Path) -> None:
        (tmp_path / "job").mkdir()
        assert len(write_job(job, tmp_path / "job").files) == 2

    def test_other_files_are_never_touched(self, job: Job, tmp_path: Path) -> None:
        write_job(job, tmp_path / "job")
        (tmp_path / "job" / "notes.txt").write_text("mine")
        with pytest.raises(FileExistsError, match=r"other files, such as notes\.txt"):
            write_job(job, tmp_path / "job")
        assert (tmp_path / "job" / "notes.txt").read_text() == "mine"

    @pytest.mark.parametrize("name", ["a/b", "a:b", "..\\a", " "])
    def test_names_that_no_file_can_have_are_refused(
        self, job: Job, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises(ValueError, match="cannot be a file's"):
            write_job(replace(job, name=name), tmp_path / "job")
        assert names(tmp_path) == []

    def test_a_file_is_no_folder(self, job: Job, tmp_path: Path) -> None:
        (tmp_path / "job").write_text("mine")
        with pytest.raises(FileExistsError, match="is a file"):
            write_job(job, tmp_path / "job")

    def test_a_folder_in_a_missing_one_is_not_made(self, job: Job, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="does not exist"):
            write_job(job, tmp_path / "no" / "job")


class TestOverviews:
    def test_show_each_module_that_is_milled(self, folder: Path, job: Job) -> None:
        root = ET.fromstring((folder / "overview.svg").read_text(encoding="utf-8"))
        left, top, width, height = map(float, root.attrib["viewBox"].split())
        picture = np.array(overview_png(job, 3000).convert("L"), dtype=float)
        scale = picture.shape[1] / width
        assert picture.shape[0] / height == pytest.approx(scale, rel=1e-2)
        for field in job.fields:
            for symbol in field.symbols:
                d = symbol.entry.design
                rows, columns = np.indices(d.modules.shape) + 0.5
                corner = symbol.item.placed.corner_nm
                x = (field.x_um - left + (corner[0] + columns * d.pitch_nm) / 1000) * scale
                y = (field.y_um - top + (corner[1] + rows * d.pitch_nm) / 1000) * scale
                seen = picture[y.astype(int), x.astype(int)] < 160
                assert (seen == d.milled).all()

    def test_colour_symbols_by_their_dose(self) -> None:
        design = Design(encode("dose", "L"))
        job = plan_job(dose_test(design, [0.25, 1, 4], [49]), JobLayout(3), point_pitch_nm=24.5)
        colours = set(overview_png(job, 600).getcolors(10**6))
        assert {(0x4C, 0x9B, 0xD9), (27, 27, 27), (0xB8, 0x3A, 0x1B)} <= {c for _, c in colours}
