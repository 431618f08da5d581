"""Many images are read in their order, by one process or several; none takes others along."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.batch import BatchItem, batch_item, images_in, read_batch
from napari_nanoqr.measuring.batch_files import BatchFiles
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

READ_ONLY = RecordSettings(measure=False, margin=False)
TEXTS = ("first", "second")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number, text in enumerate(TEXTS):
        image = simulate_micrograph(Design(encode(text, "L")), electrons_per_pixel=500, seed=number)
        write_micrograph(image, folder / f"{number} {text}.tif")
    noise = np.random.default_rng(0).integers(90, 110, (80, 80)).astype(np.uint8)
    write_micrograph(Micrograph(noise), folder / "2 noise.tif")
    (folder / "3 cut.tif").write_bytes((folder / "0 first.tif").read_bytes()[:3000])
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.tif").write_bytes(b"")
    return folder


def test_the_images_of_a_folder_are_those_by_name(images: Path, tmp_path: Path) -> None:
    names = [path.name for path in images_in(images)]
    assert names == ["0 first.tif", "1 second.tif", "2 noise.tif", "3 cut.tif"]
    shutil.copytree(images, tmp_path / "deep" / "below")
    assert images_in(tmp_path / "deep") == []
    assert len(images_in(tmp_path / "deep", subfolders=True)) == 4
    with pytest.raises(FileNotFoundError, match="no folder"):
        images_in(tmp_path / "none")


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_image_becomes_what_it_is(images: Path, jobs: int) -> None:
    first, second, noise, cut = read_batch(images_in(images), READ_ONLY, jobs=jobs)
    assert [item.rows[0]["text"] for item in (first, second)] == list(TEXTS)
    assert first.good
    assert second.good
    assert not noise.good
    assert noise.rows[0]["text"] is None
    assert not cut.good
    assert cut.record.error


def test_several_processes_find_what_one_does(images: Path) -> None:
    def values(jobs: int) -> list[dict[str, object]]:
        items = read_batch(images_in(images), READ_ONLY, jobs=jobs)
        return [{**item.record.to_dict(), "created": None} for item in items]

    assert json.dumps(values(2), sort_keys=True) == json.dumps(values(1), sort_keys=True)


def test_a_process_that_ends_is_a_file_that_cannot_be_read(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_nanoqr.measuring import batch_process

    monkeypatch.setattr(batch_process, "__name__", "napari_nanoqr.no_such_module")
    items = list(read_batch(images_in(images)[:2], READ_ONLY, jobs=2))
    assert [item.good for item in items] == [False, False]
    assert "ended the process" in items[0].verdict


@pytest.mark.parametrize("jobs", [1, 2])
def test_it_stops_where_it_is_no_longer_wanted(images: Path, jobs: int) -> None:
    with pytest.raises(Cancelled):
        list(read_batch(images_in(images), READ_ONLY, jobs=jobs, cancelled=lambda: True))


def test_no_process_is_refused(images: Path) -> None:
    with pytest.raises(ValueError, match="At least one"):
        list(read_batch(images_in(images), READ_ONLY, jobs=0))


def test_each_image_gets_its_report_and_files_of_one_name_get_two(
    images: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again" / "0 first.tif"
    again.parent.mkdir()
    shutil.copy(images / "0 first.tif", again)
    reports = tmp_path / "reports"
    items = list(read_batch([images / "0 first.tif", again], READ_ONLY, reports=reports, jobs=1))
    assert [item.page and item.page.name for item in items] == ["0 first.html", "0 first-2.html"]
    assert sorted(path.suffix for path in reports.iterdir()) == [".html"] * 2 + [".json"] * 2
    values = json.loads((reports / "0 first-2.json").read_text(encoding="utf-8"))
    assert values["file"] == str(again)


@pytest.fixture(scope="module")
def items(images: Path, tmp_path_factory: pytest.TempPathFactory) -> list[BatchItem]:
    reports = tmp_path_factory.mktemp("reports")
    paths = images_in(images)
    return [batch_item(path, READ_ONLY, reports / f"{path.stem}.html", True) for path in paths]


def test_table_and_page_hold_every_image(items: list[BatchItem], tmp_path: Path) -> None:
    table, page = tmp_path / "codes.csv", tmp_path / "report.html"
    with BatchFiles(table, page) as files:
        for item in items:
            files.add(item)
        assert list(tmp_path.iterdir()) == []
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [*TEXTS, "", ""]
    html = page.read_text(encoding="utf-8")
    assert "2 of 4 images give what they should" in html
    assert html.count("data:image/jpeg;base64,") == 3
    for item in items:
        assert item.path.name in html
        assert f"/{item.path.stem}.html" in html


def test_files_that_grow_are_there_at_any_time(items: list[BatchItem], tmp_path: Path) -> None:
    table = tmp_path / "codes.csv"
    with BatchFiles(table, growing=True) as files:
        files.add(items[0])
        assert TEXTS[0] in table.read_text(encoding="utf-8")
        assert TEXTS[1] not in table.read_text(encoding="utf-8")
        files.add(items[1])
        assert TEXTS[1] in table.read_text(encoding="utf-8")


def test_what_was_read_is_kept_where_the_work_stops(items: list[BatchItem], tmp_path: Path) -> None:
    def stopped() -> Iterator[BatchItem]:
        yield items[0]
        raise KeyboardInterrupt

    def work() -> None:
        with BatchFiles(tmp_path / "codes.csv", tmp_path / "report.html") as files:
            for item in stopped():
                files.add(item)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert TEXTS[0] in (tmp_path / "codes.csv").read_text(encoding="utf-8")
    assert TEXTS[0] in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_could_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="parquet"):
        BatchFiles(tmp_path / "codes.xls")
    with pytest.raises(ValueError, match="html"):
        BatchFiles(report=tmp_path / "report.pdf")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        BatchFiles(tmp_path / "none" / "codes.csv")
