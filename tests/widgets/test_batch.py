"""Batch: what a folder holds becomes a table and a report, and nothing else is touched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_nanoqr.cli.settings import load_settings, save_settings
from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.batch import BOTH, COMING, PAGE, TABLE, Batch


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "image.tif"
    micrograph = simulate_micrograph(Design(encode("batch", "L")), electrons_per_pixel=500, seed=1)
    write_micrograph(micrograph, path)
    return path


@pytest.fixture
def folder(image: Path, tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    shutil.copy(image, made / "a.tif")
    (made / "b.tif").write_bytes(b"no image at all")
    return made


@pytest.fixture
def widget(folder: Path, qtbot) -> Batch:  # type: ignore[no-untyped-def]
    made = Batch(ViewerModel())
    qtbot.addWidget(made)
    made.folder.value = folder
    made.measure.value = made.margin.value = False
    return made


def read(widget: Batch, qtbot: Any) -> None:
    widget.read()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


def test_each_image_has_a_row_and_its_reason(widget: Batch, qtbot) -> None:  # type: ignore[no-untyped-def]
    read(widget, qtbot)
    first, second = widget.table.texts()
    assert first[:2] == ["a.tif", "batch"]
    assert second[0] == "b.tif"
    assert second[1]
    assert "1 of 2 images" in widget.status.text()


def test_results_lie_beside_the_images_and_are_not_read_again(
    widget: Batch,
    folder: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    widget.subfolders.value = True
    for _ in range(2):
        read(widget, qtbot)
        assert widget.table.rowCount() == 2
    names = {path.name for path in (folder / "nanoqr").iterdir()}
    assert names == {TABLE, PAGE, "reports"}
    assert "batch" in (folder / "nanoqr" / TABLE).read_text(encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["a.tif", "b.tif", "nanoqr"]
    assert widget.page_button.isEnabled()


def test_a_selected_row_shows_its_picture_and_a_double_click_opens_it(
    widget: Batch,
    qtbot,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(widget, qtbot)
    widget.table.selectRow(0)
    assert not widget.picture.pixmap().isNull()
    assert "1 code read" in widget.words.text()
    widget.table.selectRow(1)
    assert widget.picture.pixmap().isNull()
    opened: list[str] = []
    monkeypatch.setattr(ViewerModel, "open", lambda _, path, plugin: opened.append(path))
    widget.table.cellDoubleClicked.emit(0, 0)
    assert [Path(path).name for path in opened] == ["a.tif"]


def test_new_images_are_read_as_they_come_until_it_is_stopped(
    widget: Batch,
    image: Path,
    folder: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    widget.which.value = COMING
    assert widget.run_button.text() == "Watch"
    widget.read()
    qtbot.waitUntil(lambda: "Waiting" in widget.status.text(), timeout=10_000)
    qtbot.wait(300)
    shutil.copy(image, folder / "new.tif")
    qtbot.waitUntil(lambda: widget.table.rowCount() == 1, timeout=30_000)
    assert widget.table.texts()[0][:2] == ["new.tif", "batch"]
    assert "batch" in (folder / "nanoqr" / TABLE).read_text(encoding="utf-8")
    widget.cancel()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=10_000)
    assert "Stopped: 1 of 1 images" in widget.status.text()


def test_without_a_folder_it_asks_for_one(qtbot) -> None:  # type: ignore[no-untyped-def]
    widget = Batch(ViewerModel())
    qtbot.addWidget(widget)
    widget.read()
    assert "Choose the folder" in widget.status.text()


def test_a_folder_without_images_and_a_bad_design_are_said(
    widget: Batch,
    folder: Path,
    tmp_path: Path,
    qtbot,  # type: ignore[no-untyped-def]
) -> None:
    (tmp_path / "design.json").write_text("{}")
    widget.design.value = tmp_path / "design.json"
    widget.read()
    assert widget.worker is None
    assert "design" in widget.status.text()
    widget.design.line_edit.value = ""
    for path in folder.glob("*.tif"):
        path.unlink()
    widget.read()
    assert "no image" in widget.status.text()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("which", [BOTH, COMING])
def test_settings_come_back(widget: Batch, folder: Path, tmp_path: Path, which: str, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.which.value, widget.pitch.value, widget.subfolders.value = which, 49, True
    path = tmp_path / "settings.json"
    save_settings(path, widget.command, widget.settings())
    other = Batch(ViewerModel())
    qtbot.addWidget(other)
    other.apply_settings(load_settings(path, "watch"))
    assert other.settings() == widget.settings()
