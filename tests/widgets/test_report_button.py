"""The report of SEM decode: what is in the image, on a page and as values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.files import file_hash
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.readers import read_micrograph_layers
from napari_nanoqr.widgets.sem_decode import SemDecode


@pytest.fixture
def image(tmp_path: Path) -> Path:
    micrograph = simulate_micrograph(Design(encode("lab book", "L")), seed=1)
    return write_micrograph(micrograph, tmp_path / "image.tif")


@pytest.fixture
def widget(image: Path, qtbot) -> SemDecode:  # type: ignore[no-untyped-def]
    viewer = ViewerModel()
    for data, options, _ in read_micrograph_layers(image):
        viewer.add_image(data, **options)
    made = SemDecode(viewer)
    qtbot.addWidget(made)
    return made


def write(widget: SemDecode, path: Path, qtbot: Any) -> None:
    widget.report.write(path)
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


def test_the_report_tells_the_payload_and_the_file(
    widget: SemDecode,
    image: Path,
    tmp_path: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    write(widget, tmp_path / "report.html", qtbot)
    assert "Report written: report.html" in widget.status.text()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "lab book" in page
    values = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert values["sha256"] == file_hash(image)
    assert values["codes"][0]["text"] == "lab book"
    assert values["measurements"][0]["pitch_nm"]["x"] == pytest.approx(49, abs=0.2)


def test_what_the_user_knows_better_is_in_it(
    widget: SemDecode,
    tmp_path: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    before = [layer.name for layer in widget.viewer.layers]
    widget.pixel_size.value = 12.25
    write(widget, tmp_path / "report.html", qtbot)
    values = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert values["pixel_size_nm"] == 12.25
    assert values["measurements"][0]["pitch_nm"]["x"] == pytest.approx(98, abs=0.4)
    assert [layer.name for layer in widget.viewer.layers] == before


def test_a_report_that_cannot_be_written_says_so(
    widget: SemDecode,
    tmp_path: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    write(widget, tmp_path / "none" / "report.html", qtbot)
    assert "does not exist" in widget.status.text()


def test_without_an_image_there_is_nothing_to_report(qtbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    widget = SemDecode(ViewerModel())
    qtbot.addWidget(widget)
    widget.report.write(tmp_path / "report.html")
    assert "Open a micrograph" in widget.status.text()
    assert list(tmp_path.iterdir()) == []
