"""A record says what was found in a micrograph, with what program, in which file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.record import record_design
from napari_nanoqr.files import file_hash
from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.recording import record_file, record_micrograph
from napari_nanoqr.measuring.table import COLUMNS, rows_of
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

READ_ONLY = RecordSettings(measure=False, margin=False)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "image 1.tif"
    write_micrograph(simulate_micrograph(record_design(), electrons_per_pixel=300, seed=1), path)
    return path


@pytest.fixture(scope="module")
def record(image: Path) -> Record:
    return record_file(image)


def test_it_tells_the_file_and_the_program(record: Record, image: Path) -> None:
    values = record.to_dict()
    assert values["file"] == str(image)
    assert values["sha256"] == file_hash(image)
    assert values["program"].startswith("napari-nanoqr ")
    assert values["created"][:2] == "20"
    assert values["settings"]["measure"] is True
    assert json.loads(json.dumps(values)) == values


def test_it_holds_what_was_read_and_measured(record: Record) -> None:
    assert record.good
    assert record.verdict == "1 code read."
    [reading], [measured] = record.readings, record.measurements
    assert reading.payload == record_design().symbol.payload
    assert record.measurement_of(reading) is measured
    assert measured.pitch_nm is not None
    assert measured.pitch_nm.value == pytest.approx(49, abs=0.2)


def test_a_design_is_what_the_image_should_show(image: Path) -> None:
    right = RecordSettings(design=record_design(), measure=False, margin=False)
    assert record_file(image, right).good
    other = Design(encode("something else", "L"))
    record = record_file(image, RecordSettings(design=other, measure=False, margin=False))
    assert not record.good
    assert "not what the design says" in record.verdict


def test_a_file_that_cannot_be_opened_gives_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cut.tif"
    path.write_bytes(b"II*\0" + bytes(20))
    record = record_file(path)
    assert not record.good
    assert record.error is not None
    assert record.verdict == record.error
    assert record.to_dict()["sha256"] == file_hash(path)
    assert "could not be opened" in record.to_html()


def test_a_missing_file_gives_a_sentence(tmp_path: Path) -> None:
    record = record_file(tmp_path / "gone.tif")
    assert record.error is not None
    assert record.sha256 is None


def test_it_stops_where_it_is_no_longer_wanted(image: Path) -> None:
    with pytest.raises(Cancelled):
        record_file(image, READ_ONLY, cancelled=lambda: True)


def test_the_page_needs_no_other_file_and_holds_the_numbers(record: Record) -> None:
    page = record.to_html()
    assert record_design().symbol.text in page
    assert "src=" in page
    assert 'src="data:image/png;base64,' in page
    assert "href=" not in page
    assert record.sha256 is not None
    assert record.sha256 in page
    for name in ("Pitch", "Edge bias", "electrons/nm²", "Pixel size", "SHA-256"):
        assert name in page


def test_what_stands_in_the_image_cannot_become_part_of_the_page() -> None:
    design = Design(encode("<script>alert(1)</script>", "L"))
    image = simulate_micrograph(design, electrons_per_pixel=300, seed=2)
    page = record_micrograph(image, READ_ONLY, name="<b>").to_html()
    assert "<script>" not in page
    assert "<b>" not in page


def test_it_is_saved_as_page_and_values(record: Record, tmp_path: Path) -> None:
    html, values = record.save(tmp_path / "report.html")
    assert (html.name, values.name) == ("report.html", "report.json")
    assert json.loads(values.read_text(encoding="utf-8"))["codes"] == record.to_dict()["codes"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_a_row_tells_the_code_and_its_measures(record: Record) -> None:
    [row] = rows_of(record)
    assert tuple(row) == COLUMNS
    assert row["text"] == record_design().symbol.text
    assert row["version"] == "3"
    assert row["result"] == "read"
    [measured] = record.measurements
    assert measured.pitch_x_nm is not None
    assert row["pitch_x_nm"] == measured.pitch_x_nm.value
    assert row["pitch_x_nm_uncertainty"] == measured.pitch_x_nm.expanded


def test_an_image_without_a_code_has_a_row_too() -> None:
    noise = np.random.default_rng(1).normal(100, 10, (200, 200)).astype(np.float32)
    from napari_nanoqr.sem.micrograph import Micrograph

    [row] = rows_of(record_micrograph(Micrograph(noise), READ_ONLY, name="noise"))
    assert row["file"] == "noise"
    assert row["code"] is None
    assert row["payload_hex"] is None
    assert row["result"]
