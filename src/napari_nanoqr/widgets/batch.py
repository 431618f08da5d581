"""Batch: read a folder of micrographs, or each one as the microscope saves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox
from napari import Viewer
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices, QPixmap
from qtpy.QtWidgets import QLabel, QPushButton

from napari_nanoqr.cli.decode import load_design
from napari_nanoqr.measuring.batch import BatchItem, batch_item, images_in, read_batch
from napari_nanoqr.measuring.batch_files import BatchFiles
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.watch import watch_folder
from napari_nanoqr.progress import Cancelled, IsCancelled, Progress
from napari_nanoqr.widgets.background import in_window
from napari_nanoqr.widgets.batch_table import BatchTable
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of

THERE, COMING, BOTH = "those there now", "new ones as they come", "both"

TABLE, PAGE, PAGES = "codes.csv", "report.html", "reports"
"""What is in the folder of results."""

_HEIGHT = 260


class Batch(Panel):
    """Read and measure many micrographs.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where images open on a double click.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Batch", "measure")
        self.viewer = napari_viewer
        self._build()
        self._enable()

    def _build(self) -> None:
        self.folder = FileEdit(mode="d", label="Folder", value="")
        self.folder.tooltip = "Where the microscope saves its images"
        self.which = ComboBox(choices=[THERE, COMING, BOTH], value=THERE, label="Images")
        self.subfolders = CheckBox(value=False, label="", text="in folders below it too")
        self.add_form(self.folder, self.which, self.subfolders)
        self.pixel_size = FloatSpinBox(
            value=0, min=0, max=1e6, step=0.1, label="Pixel size (nm)",
            tooltip="Instead of what the files say",
        )  # fmt: skip
        self.pixel_size.native.setSpecialValueText("as found")
        self.pixel_size.native.setDecimals(4)
        self.pitch = FloatSpinBox(
            value=0, min=0, max=1e6, step=1, label="Pitch (nm)",
            tooltip="Side of a module, where it is known",
        )  # fmt: skip
        self.pitch.native.setSpecialValueText("unknown")
        self.design = FileEdit(mode="r", label="Design", value="", filter="*.json *.str *.gds")
        self.design.tooltip = "What every image should show: a design, or a pattern file"
        self.measure = CheckBox(value=True, label="", text="measure and grade each code")
        self.margin = CheckBox(value=True, label="", text="dose at which it stops being readable")
        self.add_section(
            "Pixel size, pitch, design", self.pixel_size, self.pitch, self.design, self.measure,
            self.margin,
        )  # fmt: skip
        self.results = FileEdit(mode="d", label="Results in", value="")
        self.results.tooltip = (
            f"Gets {TABLE} and {PAGE}, and a report of each image; empty: a folder nanoqr "
            "beside the images"
        )
        self.add_section("Results", self.results)
        self.run_button = QPushButton("Read")
        self.run_button.clicked.connect(self.read)
        self.page_button = QPushButton("Open report")
        self.page_button.setToolTip("The page with all images, in your browser")
        self.page_button.clicked.connect(self._open_page)
        self.folder_button = QPushButton("Open folder")
        self.folder_button.clicked.connect(self._open_folder)
        self.add_buttons(self.run_button, self.page_button, self.folder_button)
        self.add_status()
        self.table = BatchTable()
        self.table.setMinimumHeight(_HEIGHT)
        self.table.picked.connect(self._on_picked)
        self.table.opened.connect(self.open_image)
        self.add(self.table)
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add(self.picture)
        self.add(self.words)
        self.which.changed.connect(lambda *_: self._enable())
        self.folder.changed.connect(lambda *_: self._enable())
        self.results.changed.connect(lambda *_: self._enable())

    def _enable(self) -> None:
        watching = self.which.value != THERE
        self.command = "watch" if watching else "measure"
        self.run_button.setText("Watch" if watching else "Read")
        folder = self.results_folder
        written = folder is not None and (folder / PAGE).is_file()
        self.page_button.setEnabled(written)
        self.folder_button.setEnabled(written)

    @property
    def results_folder(self) -> Path | None:
        """Where results go; None where no folder is chosen."""
        if _chosen(self.results):
            return Path(self.results.value)
        return Path(self.folder.value) / "nanoqr" if _chosen(self.folder) else None

    # -- reading ----------------------------------------------------------------------------

    def read(self) -> None:
        """Read the images in the background, and go on as they come where that is asked."""
        results = self.results_folder
        if not _chosen(self.folder) or results is None:
            self.say("Choose the folder with the images first.", BAD)
            return
        folder, which, below = Path(self.folder.value), self.which.value, self.subfolders.value
        try:
            settings = self._record_settings()
            images = images_in(folder, subfolders=below)
            images = [path for path in images if results not in path.parents]
            if which == THERE and not images:
                raise ValueError(f"There is no image in {folder}.")
            pages = results / PAGES
            pages.mkdir(parents=True, exist_ok=True)
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return
        self.table.clear_items()
        self._show(None)

        def items(progress: Progress, cancelled: IsCancelled) -> Iterator[BatchItem]:
            if which == THERE:
                yield from read_batch(
                    images, settings, reports=pages, thumbnails=True, cancelled=cancelled
                )
                return
            for path in watch_folder(
                folder, existing=which == BOTH, subfolders=below, cancelled=cancelled
            ):
                if path is not None and results not in path.parents:
                    progress(0, 0, f"Reading {path.name} …")
                    page = pages / f"{path.stem}.html"
                    yield batch_item(path, settings, page, True, cancelled=cancelled)
                    progress(0, 0, "Waiting for the next image …")

        def call(progress: Progress, cancelled: IsCancelled) -> tuple[int, int, bool]:
            count = good = 0
            first = "Starting …" if which == THERE else "Waiting for images …"
            progress(0, len(images) if which == THERE else 0, first)
            with BatchFiles(results / TABLE, results / PAGE, growing=which != THERE) as files:
                try:
                    for item in items(progress, cancelled):
                        files.add(item)
                        in_window(self._on_item, item, owner=self)
                        count, good = count + 1, good + item.good
                        if which == THERE:
                            progress(count, len(images), f"{item.path.name}: {item.verdict}")
                except Cancelled:
                    pass
            return count, good, cancelled()

        def done(result: tuple[int, int, bool]) -> None:
            count, good, stopped = result
            first = "Stopped: " if stopped else ""
            self.say(
                f"{first}{good:,} of {count:,} images give what they should. Table and report "
                f"are in {results.name}.", GOOD if good == count else BAD,
            )  # fmt: skip
            self._enable()

        self.run(call, done, busy=(self.run_button,))

    def cancel(self) -> None:
        """Stop reading; what was read stays in the table and the report."""
        if self.worker is not None:
            self.cancel_button.setEnabled(False)
            self.say("Stopping …")
            self.worker.stop()

    def _record_settings(self) -> RecordSettings:
        design = load_design(Path(self.design.value)) if _chosen(self.design) else None
        return RecordSettings(
            float(self.pixel_size.value) or None, float(self.pitch.value) or None, design,
            self.margin.value, self.measure.value,
        )  # fmt: skip

    # -- results ----------------------------------------------------------------------------

    def _on_item(self, item: BatchItem) -> None:
        self.table.add(item)

    def _on_picked(self, item: BatchItem) -> None:
        self._show(item)

    def _show(self, item: BatchItem | None) -> None:
        picture = QPixmap()
        if item is not None and item.thumbnail is not None:
            picture.loadFromData(item.thumbnail)
        self.picture.setPixmap(picture)
        self.picture.setVisible(not picture.isNull())
        self.words.setText("" if item is None else f"{item.path.name}: {item.verdict}")

    def open_image(self, path: Path) -> None:
        """Open an image in the viewer."""
        try:
            self.viewer.open(str(path), plugin="napari-nanoqr")
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)

    def _open_page(self) -> None:
        if self.results_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.results_folder / PAGE)))

    def _open_folder(self) -> None:
        if self.results_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.results_folder)))

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of the command."""
        results = self.results_folder
        values: dict[str, Any] = {
            "": [str(self.folder.value)] if _chosen(self.folder) else [],
            "subfolders": self.subfolders.value,
            "pixel_size": float(self.pixel_size.value) or None,
            "pitch": float(self.pitch.value) or None,
            "design": str(self.design.value) if _chosen(self.design) else None,
            "no_margin": not self.margin.value,
            "table": None if results is None else str(results / TABLE),
            "report": None if results is None else str(results / PAGE),
            "reports": None if results is None else str(results / PAGES),
        }
        if self.command == "watch":
            values |= {
                "existing": self.which.value == BOTH, "no_measure": not self.measure.value,
            }  # fmt: skip
        return values

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command."""
        if settings.get(""):
            self.folder.value = Path(settings[""][0])
        for name, number in (("pixel_size", self.pixel_size), ("pitch", self.pitch)):
            if name in settings:
                number.value = settings[name] or 0
        for name, box, turned in (
            ("subfolders", self.subfolders, False), ("no_margin", self.margin, True),
            ("no_measure", self.measure, True),
        ):  # fmt: skip
            if name in settings:
                box.value = bool(settings[name]) != turned
        if "design" in settings:
            # an empty value would be taken for the current folder
            self.design.line_edit.value = settings["design"] or ""
        if "existing" in settings:
            self.which.value = BOTH if settings["existing"] else COMING
        if settings.get("table"):
            self.results.value = Path(settings["table"]).parent


def _chosen(field: FileEdit) -> bool:
    # an empty field is the current folder for magicgui
    return str(field.line_edit.value).strip() not in ("", ".")
