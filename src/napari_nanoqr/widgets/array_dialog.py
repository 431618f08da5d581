"""A window that lays out many symbols, shows them, and writes them with their stage positions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox
from PIL import Image
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QCloseEvent, QImage, QPixmap
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget

from napari_nanoqr.cli.array import summary
from napari_nanoqr.design.design import Design
from napari_nanoqr.design.settings import DesignSettings
from napari_nanoqr.fib.jobs.entries import JobEntry, dose_test, read_payloads
from napari_nanoqr.fib.jobs.files import WrittenJob, write_job
from napari_nanoqr.fib.jobs.job import Job, plan_job
from napari_nanoqr.fib.jobs.layout import JobLayout
from napari_nanoqr.fib.jobs.overview import overview_png
from napari_nanoqr.fib.plan import FIELD_USED
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.export_fields import ExportFields
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of

TEST, LIST = "dose test of the design", "list of payloads"
OVERVIEW = 560
"""Side of the picture in pixels."""

_SIZE = (640, 860)


class ArrayDialog(Panel):
    """Many symbols in a grid: a dose test of one design, or a list of payloads.

    Parameters
    ----------
    parent : QWidget
        The widget that the window belongs to.
    design : callable
        Returns the design that it shows; raises ValueError where there is none.
    fields : ExportFields
        How symbols are milled, and for which instrument.
    """

    def __init__(self, parent: QWidget, design: Callable[[], Design], fields: ExportFields) -> None:
        super().__init__("Many symbols", "array")
        # a window of its own that stays before the one it belongs to, and blocks nothing
        self.setParent(parent, Qt.WindowType.Window)
        self.setWindowTitle("Many symbols")
        self.resize(*_SIZE)
        self._design, self._milling = design, fields
        self._list: Path | None = None
        self.job: Job | None = None
        self._build()

    def _build(self) -> None:
        self.what = ComboBox(choices=[TEST, LIST], value=TEST, label="Mill")
        self.doses = LineEdit(value="0.6, 0.8, 1, 1.2, 1.4, 1.6", label="Doses")
        self.doses.tooltip = "In units of the plan's dose, from left to right"
        self.pitches = LineEdit(value="", label="Pitches (nm)")
        self.pitches.tooltip = "From the top down: 40, 49, 60. Empty for the design's"
        self.columns = SpinBox(value=0, min=0, max=10_000, label="Columns")
        self.columns.tooltip = "0: one for each dose, or about a square"
        self.spacing = FloatSpinBox(value=0, min=0, max=1e6, step=50, label="Spacing (nm)")
        self.spacing.native.setSpecialValueText("4 modules")
        self.labels = CheckBox(value=True, label="", text="a label below each symbol")
        self.marks = CheckBox(value=True, label="", text="marks at the corners of each field")
        self.add_form(
            self.what, self.doses, self.pitches, self.columns, self.spacing, self.labels,
            self.marks,
        )  # fmt: skip
        self.list_button = QPushButton("Choose list …")
        self.list_button.setToolTip(
            "A text file with one payload a line, or a table (.csv) with the column payload and "
            "any of label, pitch, dose, error, version"
        )
        self.list_button.clicked.connect(lambda: self._ask_for_list())
        self.plan_button = QPushButton("Lay out")
        self.plan_button.clicked.connect(lambda: self.lay_out())
        self.write_button = QPushButton("Write folder …")
        self.write_button.setToolTip("A pattern file for each field, with the stage positions")
        self.write_button.clicked.connect(lambda: self._ask_and_write())
        self.add_buttons(self.list_button, self.plan_button, self.write_button)
        self.add_status()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add(self.words)
        self.picture = QLabel()
        self.picture.setMinimumSize(QSize(200, 200))
        self.add(self.picture)
        self.what.changed.connect(lambda *_: self._enable())
        for field in (
            self.what, self.doses, self.pitches, self.columns, self.spacing, self.labels,
            self.marks,
        ):  # fmt: skip
            field.changed.connect(lambda *_: self._forget())
        self._enable()

    def _enable(self) -> None:
        test = self.what.value == TEST
        for field in (self.doses, self.pitches):
            field.native.setEnabled(test)
        self.list_button.setEnabled(not test)
        self.write_button.setEnabled(self.job is not None)

    def _forget(self) -> None:
        """Drop what was laid out: it is not what the fields say any more."""
        self.job = None
        self._enable()

    def open(self) -> None:
        """Show the window, and lay out a dose test at once."""
        self.show()
        self.raise_()
        self.activateWindow()
        if self.what.value == TEST:
            self.lay_out()

    # -- laying out -------------------------------------------------------------------------

    def choose_list(self, path: Path) -> None:
        """Take the payloads of a file."""
        self._list, self.what.value = path, LIST
        self.list_button.setText(path.name)
        self.lay_out()

    def lay_out(self) -> None:
        """Lay the symbols out in the background, and show them."""
        if self.worker is not None:
            return
        try:
            entries, layout, options = self._asked()
        except (ValueError, OSError) as problem:
            self._forget()
            self.say(sentence_of(problem), BAD)
            return

        def call(progress: Progress, cancelled: IsCancelled) -> tuple[Job, Image.Image]:
            job = plan_job(
                entries(progress, cancelled), layout, name="nanoqr", progress=progress,
                cancelled=cancelled, **options,
            )  # fmt: skip
            progress(0, 0, "Drawing the overview …")
            return job, overview_png(job, OVERVIEW)

        def done(result: tuple[Job, Image.Image]) -> None:
            self.job, drawn = result
            self._show(drawn)
            self.words.setText(
                summary(self.job, self.job.warnings).replace("um^2", "µm²").replace(" um", " µm")
            )
            count, fields = len(self.job.symbols), len(self.job.fields)
            self.say(
                f"{count:,} symbols in {fields:,} field{'s' * (fields != 1)} of "
                f"{self.job.hfw_um:g} µm.", GOOD,
            )  # fmt: skip
            self._enable()

        self.run(call, done, busy=(self.plan_button,))

    def _asked(self) -> tuple[Callable[..., list[JobEntry]], JobLayout, dict[str, Any]]:
        design, instrument = self._design(), self._milling.instrument_value
        columns = self.columns.value or None
        if self.what.value == TEST:
            doses = _numbers(self.doses.value, "Doses")
            pitches = (
                _numbers(self.pitches.value, "Pitches")
                if self.pitches.value.strip()
                else [design.pitch_nm]
            )
            columns = columns or len(doses)

            def entries(*_: Any) -> list[JobEntry]:
                return dose_test(design, doses, pitches)
        else:
            path = self._list
            if path is None:
                raise ValueError("Choose the list first: a text file, or a table (.csv).")
            # what the list leaves open is as in the design
            settings = DesignSettings(
                error=design.symbol.error, pitch_nm=design.pitch_nm, mill=design.mill,
                quiet_zone=design.quiet_zone, film=design.film,
            )  # fmt: skip

            def entries(progress: Progress, cancelled: IsCancelled) -> list[JobEntry]:
                return read_payloads(path, settings, progress=progress, cancelled=cancelled)

        most = instrument.most_points
        layout = JobLayout(
            columns, self.spacing.value or None, self.labels.value, self.marks.value,
            self._milling.hfw.value or None, min(FIELD_USED, instrument.screen_aspect or 1.0),
            None if most is None else int(most),
        )  # fmt: skip
        return entries, layout, self._milling.plan_options(design)

    def _show(self, drawn: Image.Image) -> None:
        drawn = drawn.convert("RGB")
        data = drawn.tobytes()
        image = QImage(
            data, drawn.width, drawn.height, 3 * drawn.width, QImage.Format.Format_RGB888
        )
        # a pixmap has a copy of its own
        self.picture.setPixmap(QPixmap.fromImage(image.copy()))

    def _ask_for_list(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "List of payloads", "", "Lists (*.txt *.csv *.tsv);;All files (*)"
        )
        if chosen:
            self.choose_list(Path(chosen))

    # -- writing ----------------------------------------------------------------------------

    def write(self, folder: Path) -> None:
        """Write the job into a folder in the background: whole, or not at all."""
        job, suffix = self.job, self._milling.suffix
        if job is None:
            return
        options = self._milling.writing_options(suffix)

        def call(progress: Progress, cancelled: IsCancelled) -> WrittenJob:
            return write_job(job, folder, suffix, progress=progress, cancelled=cancelled, **options)

        def done(written: WrittenJob) -> None:
            read = sum(len(found.payloads) for found in written.found)
            count = len(written.files)
            self.say(
                f"Written: {written.folder.name} · {count:,} pattern file{'s' * (count != 1)}, "
                f"{read:,} symbols read back and decoded.", GOOD,
            )  # fmt: skip

        self.run(call, done, busy=(self.plan_button, self.write_button))

    def _ask_and_write(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Folder to write", "array", "Folders (*)")
        if chosen:
            self.write(Path(chosen))

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Stop what is running: nobody would see its end."""
        self.cancel()
        super().closeEvent(event)

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr array``."""
        test = self.what.value == TEST
        values: dict[str, Any] = {
            "to": "array", "format": self._milling.suffix.lstrip("."),
            "columns": self.columns.value or None, "spacing": self.spacing.value or None,
            "no_labels": not self.labels.value, "no_marks": not self.marks.value,
        }  # fmt: skip
        if test:
            values["wedge"] = f"{self._design().name}.json"
            values["doses"] = self.doses.value.replace(" ", "")
            values["pitches"] = self.pitches.value.replace(" ", "") or None
        else:
            values[""] = [] if self._list is None else [str(self._list)]
        return self._milling.settings() | values

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr array``; those of the milling stay."""
        for name, field in (("doses", self.doses), ("pitches", self.pitches)):
            if name in settings:
                field.value = (settings[name] or "").replace(",", ", ")
        for name, number in (("columns", self.columns), ("spacing", self.spacing)):
            if name in settings:
                number.value = settings[name] or 0
        for name, box in (("no_labels", self.labels), ("no_marks", self.marks)):
            if name in settings:
                box.value = not settings[name]
        if settings.get("wedge"):
            self.what.value = TEST
        elif settings.get(""):
            self.choose_list(Path(settings[""][0]))


def _numbers(text: str, what: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.replace(";", ",").split(",")]
    except ValueError:
        raise ValueError(f"{what} are numbers with commas between: 0.8, 1, 1.2.") from None
    if not all(0 < number < 1e6 for number in numbers):
        raise ValueError(f"{what} are positive numbers.")
    return numbers
