"""Archive read: images become files with verdicts, a map of the tiles, and a list to write again.

The images have one pixel a module, and what looks for tiles in them cuts them into tiles: the
search itself has tests of its own.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_nanoqr.archive import tasks
from napari_nanoqr.archive.fields import read_field
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.seeing import SeenTile
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sources import ImageSource
from napari_nanoqr.archive.tasks import ReadingOptions, SeenImage
from napari_nanoqr.archive.tile import read_header
from napari_nanoqr.archive.write import write_archive
from napari_nanoqr.cli.settings import command_line, load_settings, save_settings
from napari_nanoqr.widgets.archive_read import ArchiveRead
from napari_nanoqr.widgets.archive_read_map import STATES
from napari_nanoqr.widgets.layers import parts_of

LOST = (2, 1)
"""Field, and place in it, of a tile that no image shows."""


def cut_into_tiles(source: ImageSource, digest: str, options: ReadingOptions) -> SeenImage:
    image, _ = source.load()
    tiles = []
    for top in range(0, image.shape[0], 512):
        for left in range(0, image.shape[1], 512):
            part = image[top : top + 512, left : left + 512].astype(int)
            soft = np.clip((part - 128) // 2, -60, 60).astype(np.int8)[None]
            corners = np.array([(0, 0), (0, 512), (512, 512), (512, 0)]) + np.array((top, left))
            header = read_header(soft)
            if soft.any() and header is not None:
                tiles.append(SeenTile(soft, header, corners, False, True, 1.0, 1.0, 9.0, 0.0))
    return SeenImage(digest, source.name, tuple(tiles))


@pytest.fixture(autouse=True)
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "see_image", cut_into_tiles)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ArchiveManifest:
    folder = tmp_path_factory.mktemp("written")
    (folder / "stored.bin").write_bytes(np.random.default_rng(0).bytes(30_000))
    settings = ArchiveSettings(tile_loss=0.05, failure=1e-4)
    return write_archive([folder / "stored.bin"], folder / "archive", settings)


@pytest.fixture(scope="module")
def images(archive: ArchiveManifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image a field; the third shows nothing of one tile, and there are two of the fourth."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(2, archive.plan.fields(0)):
        levels, _ = read_field(archive.field_path(0, number))
        picture = (255 * (1 - levels)).astype(np.uint8)
        if number == LOST[0]:
            top, left = (512 * n for n in divmod(LOST[1], 2))
            picture[top : top + 512, left : left + 512] = 128
        Image.fromarray(picture).save(folder / f"{number}.png")
        if number == 3:
            picture[0, 0] ^= 1
            Image.fromarray(picture).save(folder / "again.png")
    return folder


@pytest.fixture
def widget(images: Path, tmp_path: Path, qtbot: Any) -> ArchiveRead:
    made = ArchiveRead(ViewerModel())
    qtbot.addWidget(made)
    made.images.add([images])
    made.output.value = tmp_path / "files"
    made.fields.jobs.value = 1
    return made


def finished(widget: ArchiveRead, qtbot: Any) -> ArchiveRead:
    qtbot.waitUntil(lambda: widget.worker is None, timeout=120_000)
    return widget


def read(widget: ArchiveRead, qtbot: Any) -> ArchiveRead:
    widget.read()
    return finished(widget, qtbot)


def test_files_verdicts_map_and_list(
    widget: ArchiveRead, archive: ArchiveManifest, tmp_path: Path, qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert not widget.report_button.isEnabled()
    assert not widget.rewrite_button.isEnabled()
    read(widget, qtbot)
    assert widget.reading is not None
    assert widget.reading.exact
    assert "exact" in widget.status.text()
    assert (tmp_path / "files" / "stored.bin").stat().st_size == 30_000
    (first,) = widget.table.texts()
    assert first[:3] == ["stored.bin", "exact", "30 kB"]
    assert widget.labels["Tiles"].text().endswith(", 1 missing")
    assert widget.report is not None
    assert widget.report_button.isEnabled()

    layer = parts_of(widget.viewer, widget._group)["tiles"]
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    found = {}
    for tile in widget.reading.tiles:
        # the middle of each tile on the sheet, in um
        middle = np.array((tile.top_nm, tile.left_nm)) / 1000 + 512 * 0.049 / 2
        found[tile.field, 2 * tile.row + tile.column] = STATES[
            layer.get_value(middle, world=True) - 1
        ]
        said = layer.get_status(middle, world=True)["coordinates"]
        assert f"tile {tile.tile}: {tile.kind}" in said
        assert (tile.margin_db is None) == ("margin" not in said)
    assert found[LOST] == "missing"
    assert {found[3, place] for place in range(4)} == {"doubled"}
    assert [each for each, state in found.items() if state in ("missing", "weak")] == [LOST]

    path = tmp_path / "again.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    widget.rewrite_button.click()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["field"], row["reason"]) for row in rows] == [("2", "missing")]
    widget.table.selectRow(0)
    widget.copy_button.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    digest = hashlib.sha256((tmp_path / "files" / "stored.bin").read_bytes()).hexdigest()
    assert clipboard.text() == f"{digest}  stored.bin"
    assert first[3] == digest[:8]


def test_stopped_reading_goes_on_where_it_was(
    widget: ArchiveRead, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def cut_some(source: ImageSource, digest: str, options: ReadingOptions) -> SeenImage:
        # a third image is begun only after what the first told was kept
        begun.append(source.name)
        if len(begun) == 3:
            widget.worker.stop()
        return cut_into_tiles(source, digest, options)

    monkeypatch.setattr(tasks, "see_image", cut_some)
    read(widget, qtbot)
    assert "What was read is kept" in widget.status.text()
    assert widget.reading is None
    monkeypatch.setattr(tasks, "see_image", cut_into_tiles)
    read(widget, qtbot)
    assert widget.reading is not None
    assert widget.reading.exact
    assert widget.reading.images_new < widget.reading.images_read


def test_what_is_missing_is_said(widget: ArchiveRead, tmp_path: Path, qtbot: Any) -> None:
    widget.output.line_edit.value = ""
    widget.read()
    assert "Choose the folder" in widget.status.text()
    widget.output.value = tmp_path / "files"
    widget.fields.passphrase.line_edit.value = str(tmp_path / "none.txt")
    widget.read()
    assert "none.txt" in widget.status.text()
    assert widget.worker is None
    widget.fields.passphrase.line_edit.value = ""
    widget.images.set_paths([tmp_path / "no-such-folder"])
    read(widget, qtbot)
    assert "no-such-folder" in widget.status.text()
    assert widget.reading is None


def test_open_images_can_be_added(widget: ArchiveRead, images: Path) -> None:
    widget.images.set_paths([])
    widget.add_layers()
    assert "No image that is open" in widget.status.text()
    for name in ("3.png", "none"):
        path = str(images / name) if name != "none" else None
        widget.viewer.add_image(np.zeros((4, 4)), metadata={"nanoqr": {"path": path}})
    widget.add_layers()
    assert widget.images.paths == [images / "3.png"]


def test_settings_are_those_of_the_command(widget: ArchiveRead, tmp_path: Path, qtbot: Any) -> None:
    widget.fields.pitch.value, widget.fields.archive.value = 49, "0123456789abcdef"
    widget.fields.identity.value = (tmp_path / "key one.txt", tmp_path / "two.txt")
    widget.fields.scheduler.value = "tcp://127.0.0.1:8786"
    path = tmp_path / "settings.json"
    save_settings(path, "archive read", widget.settings())
    settings = load_settings(path, "archive read")
    other = ArchiveRead(ViewerModel())
    qtbot.addWidget(other)
    other.apply_settings(settings)
    assert other.settings() == settings
    assert settings["identity"] == [str(tmp_path / "key one.txt"), str(tmp_path / "two.txt")]
    assert settings["pixel_size"] is None
    assert command_line("archive read", settings).startswith("nanoqr archive read ")
