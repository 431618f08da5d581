"""Trend: how a code ages, from images of it taken over the years."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from napari import Viewer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_nanoqr.cli.batch_options import images_of
from napari_nanoqr.cli.decode import load_design
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.trend import Trend as Followed
from napari_nanoqr.measuring.trend import follow_trend, trend_of
from napari_nanoqr.measuring.trend_dates import read_dates
from napari_nanoqr.measuring.trend_figures import draw_trend
from napari_nanoqr.measuring.trend_model import MODELS, AgeingModel
from napari_nanoqr.measuring.trend_page import SHOWN, cells_of, write_points
from napari_nanoqr.planning.figures import new_figure
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.rows_table import RowsTable

_PLOT_HEIGHT, _TABLE_HEIGHT = 300, 190
_COLDEST = -273.0
_UNKNOWN = "not given"


class Trend(Panel):
    """Follow a code over time.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where images open on a double click.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Trend", "trend")
        self.viewer = napari_viewer
        self.trend: Followed | None = None
        self._paths: dict[str, Path] = {}
        self._files: list[Path] = []
        self._build()
        self._enable()

    def _build(self) -> None:
        self.folder = FileEdit(mode="d", label="Folder", value="")
        self.folder.tooltip = "With the images of one code, taken at different times"
        self.dates = FileEdit(mode="r", label="Dates", value="", filter="*.csv")
        self.dates.tooltip = (
            "A CSV file with a line of names: file,date, and if you like temperature_c,specimen; "
            "empty: as the files say"
        )
        self.files_button = QPushButton("Choose files …")
        self.files_button.setToolTip("Instead of a whole folder")
        self.files_button.clicked.connect(self._choose_files)
        self.add_form(self.folder)
        self.add_buttons(self.files_button)
        self.add_form(self.dates)
        self.model = ComboBox(choices=list(MODELS), value="linear", label="Model")
        self.model.tooltip = "At the pace of the series, or with one that follows the temperature"
        self.temperature = self._number("Kept at (°C)", "Temperature of the series")
        self.storage = self._number("Told for (°C)", "By default the temperature of the series")
        self.energy = FloatSpinBox(
            value=0, min=0, max=10, step=0.05, label="Activation (eV)",
            tooltip="Activation energy; fitted where there are several temperatures",
        )  # fmt: skip
        self.energy.native.setSpecialValueText("to be fitted")
        self.add_form(self.model, self.temperature, self.storage, self.energy)
        self.pixel_size = FloatSpinBox(
            value=0, min=0, max=1e6, step=0.1, label="Pixel size (nm)",
            tooltip="Instead of what the files say",
        )  # fmt: skip
        self.pixel_size.native.setSpecialValueText("as found")
        self.pixel_size.native.setDecimals(4)
        self.design = FileEdit(mode="r", label="Design", value="", filter="*.json *.str *.gds")
        self.design.tooltip = "Which code is followed; empty: the one that most images show"
        self.measure = CheckBox(value=True, label="", text="measure and grade each code")
        self.add_section("Pixel size, design", self.pixel_size, self.design, self.measure)
        self.run_button = QPushButton("Run")
        self.run_button.clicked.connect(self.follow)
        self.table_button = QPushButton("Save table …")
        self.table_button.clicked.connect(self._save_table)
        self.report_button = QPushButton("Save report …")
        self.report_button.clicked.connect(self._save_report)
        self.add_buttons(self.run_button, self.table_button, self.report_button)
        self.add_status()
        self.figure = new_figure(4.0, 3.2)
        self.canvas = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        self.canvas.setMinimumHeight(_PLOT_HEIGHT)
        self.add(self.canvas)
        self.table = RowsTable(SHOWN)
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        self.table.cellDoubleClicked.connect(lambda row, _: self._open(row))
        self.add(self.table)
        self.folder.changed.connect(lambda *_: self._set_files([]))
        self.model.changed.connect(lambda *_: self._enable())
        for field in (self.model, self.temperature, self.storage, self.energy):
            field.changed.connect(lambda *_: self._again())

    def _number(self, label: str, tooltip: str) -> FloatSpinBox:
        field = FloatSpinBox(
            value=_COLDEST, min=_COLDEST, max=3000, step=5, label=label, tooltip=tooltip
        )
        field.native.setSpecialValueText(_UNKNOWN)
        return field

    def _enable(self) -> None:
        warm = self.model.value == "arrhenius"
        for field in (self.temperature, self.storage, self.energy):
            field.enabled = warm
        for button in (self.table_button, self.report_button):
            button.setEnabled(self.trend is not None)
        self.canvas.setVisible(self.trend is not None)
        self.table.setVisible(self.trend is not None)

    # -- following --------------------------------------------------------------------------

    def follow(self) -> None:
        """Read all images in the background, then extrapolate."""
        try:
            model = self._model()
            paths = self._images()
            dates = read_dates(Path(self.dates.value)) if _chosen(self.dates) else None
            design = load_design(Path(self.design.value)) if _chosen(self.design) else None
            settings = RecordSettings(
                pixel_size_nm=float(self.pixel_size.value) or None, design=design,
                measure=self.measure.value,
            )  # fmt: skip
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return
        self._paths = {path.name: path for path in paths}

        def call(progress: Progress, cancelled: IsCancelled) -> Followed:
            return follow_trend(
                paths, settings, model, dates=dates, progress=progress, cancelled=cancelled
            )

        self.run(call, self.show_trend, busy=(self.run_button,))

    def _choose_files(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(
            self, "Images of one code", "", "Images (*.tif *.tiff *.png *.jpg *.jpeg *.bmp)"
        )
        if chosen:
            self._set_files([Path(name) for name in chosen])

    def _set_files(self, paths: list[Path]) -> None:
        """Take some files; none of them for the folder."""
        self._files = paths
        count = len(paths)
        self.files_button.setText(f"{count} files chosen …" if count else "Choose files …")

    def _images(self) -> list[Path]:
        if self._files:
            return self._files
        if not _chosen(self.folder):
            raise ValueError("Choose the folder with the images first.")
        return images_of([Path(self.folder.value)])

    def _model(self) -> AgeingModel:
        warm = self.model.value == "arrhenius"
        kept, storage = (
            float(field.value) if warm and field.value > _COLDEST else None
            for field in (self.temperature, self.storage)
        )
        energy = float(self.energy.value) if warm else 0.0
        return AgeingModel(self.model.value, kept, storage, energy or None)

    def _again(self) -> None:
        """Extrapolate what was read with another model."""
        if self.trend is None or self.worker is not None:
            return
        points = self.trend.points

        def call(progress: Progress, cancelled: IsCancelled) -> Followed:
            return trend_of(points, self._model())

        self.run(call, self.show_trend, busy=(self.run_button,))

    def show_trend(self, trend: Followed) -> None:
        """Show a trend: plot, table, and what it says."""
        self.trend = trend
        self.figure.clear()
        draw_trend(self.figure.subplots(), trend)
        self.canvas.draw_idle()  # type: ignore[no-untyped-call]
        self.table.setRowCount(len(trend.points))
        for row, point in enumerate(trend.points):
            self.table.set_row(row, cells_of(point))
        self.table.resizeColumnsToContents()
        self._enable()
        self.say(
            " ".join([trend.verdict, *trend.notes]),
            GOOD if trend.good and trend.extrapolation is not None else BAD,
        )

    def _open(self, row: int) -> None:
        cell = self.table.item(row, 0)
        path = None if cell is None else self._paths.get(cell.text())
        if path is None:
            return
        try:
            self.viewer.open(str(path), plugin="napari-nanoqr")
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)

    # -- saving -----------------------------------------------------------------------------

    def _save_table(self) -> None:
        self._save("Save table", "trend.csv", "Tables (*.csv *.tsv)", write_points)

    def _save_report(self) -> None:
        self._save(
            "Save report", "trend.html", "Pages (*.html)",
            lambda path, trend: trend.save_report(path),
        )  # fmt: skip

    def _save(
        self, title: str, name: str, kinds: str, write: Callable[[Path, Followed], None]
    ) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, title, name, kinds)
        trend = self.trend
        if not chosen or trend is None:
            return
        path = Path(chosen)

        def save() -> None:
            write(path, trend)
            self.say(f"Saved: {path.name}", GOOD)

        self.attempt(save)

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of the command."""
        model = self._model()
        chosen = [str(path) for path in self._files]
        if not chosen and _chosen(self.folder):
            chosen = [str(self.folder.value)]
        return {
            "": chosen,
            "dates": str(self.dates.value) if _chosen(self.dates) else None,
            "model": model.kind,
            "temperature": model.temperature_c,
            "storage": model.storage_c,
            "activation_energy": model.activation_ev,
            "pixel_size": float(self.pixel_size.value) or None,
            "design": str(self.design.value) if _chosen(self.design) else None,
            "no_measure": not self.measure.value,
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command."""
        given = [Path(path) for path in settings.get("") or ()]
        if len(given) == 1 and given[0].is_dir():
            self.folder.value = given[0]
        elif given:
            self._set_files(images_of(given))
        for name, field in (("dates", self.dates), ("design", self.design)):
            if name in settings:
                # an empty value would be taken for the current folder
                field.line_edit.value = settings[name] or ""
        if settings.get("model") in MODELS:
            self.model.value = settings["model"]
        for name, number in (("temperature", self.temperature), ("storage", self.storage)):
            if name in settings:
                number.value = _COLDEST if settings[name] is None else settings[name]
        for name, number in (("activation_energy", self.energy), ("pixel_size", self.pixel_size)):
            if name in settings:
                number.value = settings[name] or 0
        if "no_measure" in settings:
            self.measure.value = not settings["no_measure"]


def _chosen(field: FileEdit) -> bool:
    # an empty field is the current folder for magicgui
    return str(field.line_edit.value).strip() not in ("", ".")
