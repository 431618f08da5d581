"""FIB export: plan the milling of a design, predict the result, write the instrument's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import Viewer
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_nanoqr.cli.export import verdict
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.check import check_plan
from napari_nanoqr.fib.complaint import limits_met
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.verify import Verification
from napari_nanoqr.widgets.background import BackgroundCall
from napari_nanoqr.widgets.export_fields import ExportFields
from napari_nanoqr.widgets.export_jobs import save_job
from napari_nanoqr.widgets.export_layers import (
    LayerData,
    centre_of,
    put_layer,
    remove_layer,
)
from napari_nanoqr.widgets.export_numbers import ROWS, headline, numbers
from napari_nanoqr.widgets.export_predictions import PlanPredictions
from napari_nanoqr.widgets.layer_choice import LayerChoice
from napari_nanoqr.widgets.layers import design_of, shows_design
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.pattern_layers import path_layer

if TYPE_CHECKING:
    from napari_nanoqr.widgets.array_dialog import ArrayDialog

_DELAY_MS = 60
_PATH_DELAY_MS = 300
"""The path is drawn once the typing pauses: it is the only part that takes time."""


class FibExport(Panel):
    """Plan the milling of a design and write it for the instrument.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the designs are and the layers go.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("FIB export", "export")
        self.viewer = napari_viewer
        self.plan: MillPlan | None = None
        self.fields = ExportFields()
        self._reason = ""
        self.predictions = PlanPredictions(self)
        self.many: ArrayDialog | None = None
        self.design_choice = LayerChoice(
            self.viewer, shows_design, "Design", empty="no design: make one with Encode preview"
        )
        self.add_form(self.design_choice, *self.fields.head)
        for title, fields in self.fields.sections.items():
            self.add_section(title, *fields)
        self._build_results()
        for kind in ("materials", "column", "instrument"):
            self.menu.addAction(f"Load {kind} …", lambda kind=kind: self._ask_and_load(kind))
        self._timer = _timer(self, _DELAY_MS, self.update_plan)
        self._path_timer = _timer(self, _PATH_DELAY_MS, self._show_path)
        for field in (self.design_choice, *self.fields.planning):
            field.changed.connect(lambda *_: self._timer.start())
        self._watched: Layer | None = None
        self.update_plan()

    def _build_results(self) -> None:
        self.predict_button = _button(
            "Predict", "Mill the film and image it in the computer, and read the image",
            self.predictions.predict,
        )  # fmt: skip
        self.save_button = _button(
            "Save …", "Write the file, read it back, decode it", self._ask_and_save
        )
        self.add_buttons(self.predict_button, self.save_button)
        self.windows_button = _button(
            "Windows …", "Plots: how reading depends on dose, pitch, focus and electrons",
            self.predictions.plot_windows,
        )  # fmt: skip
        self.scan_button = _button(
            "Scan", "One pass of the beam over the time slider", self.predictions.show_scan
        )
        self.surface_button = _button(
            "3-D", "The predicted film as a surface; predicts it first where needed",
            self.predictions.show_surface,
        )  # fmt: skip
        self.many_button = _button(
            "Many …", "A dose test of this design, or a list of payloads, as a grid",
            self.open_many,
        )  # fmt: skip
        self.add_buttons(
            self.windows_button, self.scan_button, self.surface_button, self.many_button
        )
        self.job_buttons = (
            self.predict_button, self.save_button, self.windows_button, self.scan_button,
            self.surface_button, self.many_button,
        )  # fmt: skip
        self.add_status()
        self._rows = self.add_numbers(*ROWS)

    # -- the plan ---------------------------------------------------------------------------

    def update_plan(self) -> None:
        """Plan with what the fields say, and show the numbers and the path; never raises."""
        self._timer.stop()
        layer = self.design_choice.value
        self._watch(layer)
        self.fields.enable()
        design = None if layer is None else design_of(layer)
        self.plan = None
        try:
            if design is None:
                raise ValueError(
                    "There is no design yet: make one with Encode preview, or open a design "
                    "file (.json)."
                )
            plan = self.fields.plan(design, correct_edges=False)
            _, self._reason = self.fields.beam_for(design)
        except ValueError as problem:
            for label in self._rows.values():
                label.setText("–")
            self.say(sentence_of(problem), BAD)
        else:
            if self.fields.correct_edges.value:
                self._show_numbers(plan)
                self._correct(design)
            else:
                self._take(plan)
        self._enable_jobs()

    def _take(self, plan: MillPlan) -> None:
        self.plan = plan
        self._show_numbers(plan)
        self._path_timer.start()
        self._enable_jobs()

    def _correct(self, design: Design) -> None:
        """Plan with corrected edges in the background: large symbols take seconds."""
        asked = str(self.fields.settings())
        self.say("Correcting the dose of each point …")

        def done(plan: MillPlan) -> None:
            layer = self.design_choice.value
            same = layer is not None and design_of(layer) == design
            if same and asked == str(self.fields.settings()):
                self._take(plan)

        self._aside(lambda: self.fields.plan(design, correct_edges=True), done)

    def _enable_jobs(self) -> None:
        if self.worker is None:
            for button in self.job_buttons:
                button.setEnabled(self.plan is not None)

    def _show_numbers(self, plan: MillPlan) -> None:
        complaints = check_plan(plan, self.fields.instrument_value, self.fields.suffix)
        self.say(headline(plan))
        if not limits_met(complaints):
            self.say(complaints[0].sentence, BAD)
        for row, text in numbers(plan, self._reason, complaints).items():
            self._rows[row].setText(text)

    def _watch(self, layer: Layer | None) -> None:
        """Follow the design while it is edited: its modules change, or its metadata."""
        if layer is self._watched:
            return
        watched = ("data", "scale", "name")
        for name in watched:
            if self._watched is not None:
                getattr(self._watched.events, name).disconnect(self._design_changed)
            if layer is not None:
                getattr(layer.events, name).connect(self._design_changed)
        self._watched = layer

    def _design_changed(self, _: Any = None) -> None:
        self._timer.start()

    # -- layers -----------------------------------------------------------------------------

    def _show_path(self) -> None:
        layer, plan = self.design_choice.value, self.plan
        if layer is None or plan is None:
            return
        if not self.fields.show_path.value:
            remove_layer(self.viewer, layer, "beam path")
            return
        name, centre = f"{plan.design.name} · beam path", centre_of(layer)

        def show(layer_data: LayerData) -> None:
            if plan is self.plan and layer in self.viewer.layers:
                put_layer(self.viewer, layer, "beam path", layer_data)

        # a large plan takes longer than a frame; the last one that was asked for is shown
        self._aside(lambda: path_layer(plan.points_nm, name, centre), show)

    def _aside(self, call: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call in the background without progress or Cancel."""
        BackgroundCall(
            lambda *_: call(), done, lambda problem: self.say(sentence_of(problem), BAD), owner=self
        )

    def open_many(self) -> None:
        """Open the window that writes many symbols."""
        from napari_nanoqr.widgets.array_dialog import ArrayDialog

        if self.many is None:
            self.many = ArrayDialog(self, self._design, self.fields)
        self.many.open()

    def _design(self) -> Design:
        layer = self.design_choice.value
        design = None if layer is None else design_of(layer)
        if design is None:
            raise ValueError("There is no design any more: make one with Encode preview.")
        return design

    # -- jobs -------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the plan in the chosen format in the background; says so once it is verified."""
        plan = self.plan
        if plan is None:
            return
        options = self.fields.writing_options(path.suffix)
        sem, with_report = self.fields.sem(plan.design), self.fields.report.value

        def written(result: tuple[Verification, str]) -> None:
            found, said = result
            self.say(f"Written: {path.name} · {verdict(found)}.{said}", GOOD)

        job = save_job(plan, path, options, sem, with_report)
        self.run(job, written, busy=self.job_buttons)

    def _ask_and_save(self) -> None:
        if self.plan is None:
            return
        suffix = self.fields.suffix
        name = f"{self.plan.design.name}_hfw{self.plan.hfw_um:g}um{suffix}"
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save pattern", name, f"{self.fields.format.current_choice} (*{suffix})"
        )
        if chosen:
            path = Path(chosen)
            self.save(path if path.suffix.lower() == suffix else Path(f"{path}{suffix}"))

    # -- settings ---------------------------------------------------------------------------

    def _ask_and_load(self, kind: str) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, f"Load {kind}", "", "JSON (*.json)")
        if chosen:
            self.load(kind, Path(chosen))

    def load(self, kind: str, path: Path) -> None:
        """Load the user's materials, column or instrument, and plan with them."""
        try:
            said = self.fields.load(kind, path)
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return
        self.update_plan()
        self.say(said)

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr export``."""
        name = "design" if self.plan is None else self.plan.design.name
        return self.fields.settings() | {
            "to": f"{name}{self.fields.suffix}",
            "": [f"{name}.json"],
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr export``."""
        self.fields.apply(settings)
        self.update_plan()


def _timer(parent: Panel, delay_ms: int, call: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.timeout.connect(call)
    return timer


def _button(text: str, tooltip: str, call: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda *_: call())
    return button
