"""Archive write: files to sheets of tiles, planned while the fields change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import FileEdit, LineEdit, SpinBox
from napari import Viewer
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QLabel, QPushButton

from napari_nanoqr.cli.archive_words import counted, in_bytes
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.archive_layers import legend, put_layer
from napari_nanoqr.widgets.archive_write_field import field_layer, planned_levels, written_levels
from napari_nanoqr.widgets.archive_write_fields import ArchiveWriteFields, chosen
from napari_nanoqr.widgets.archive_write_files import FilesList
from napari_nanoqr.widgets.archive_write_inputs import write_inputs
from napari_nanoqr.widgets.archive_write_layers import (
    ROLE_COLOURS,
    TileGrid,
    outline_layer,
    role_in_words,
    role_layer,
)
from napari_nanoqr.widgets.archive_write_numbers import ROWS, headline, numbers
from napari_nanoqr.widgets.archive_write_planner import Planned, Planner
from napari_nanoqr.widgets.layers import parts_of
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of

if TYPE_CHECKING:
    from napari_nanoqr.archive.manifest import ArchiveManifest
    from napari_nanoqr.archive.plan import ArchivePlan
    from napari_nanoqr.archive.sheet import SheetPlan


PARTS = {"roles": role_layer, "outlines": outline_layer}
"""Layers of a sheet."""


class ArchiveWrite(Panel):
    """Plan an archive, look at its sheets, and write it.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the sheet is shown.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Archive write", "archive write")
        self.viewer = napari_viewer
        self.plan: ArchivePlan | None = None
        self.written: ArchiveManifest | None = None
        self._group = uuid.uuid4().hex
        self._shown: tuple[SheetPlan, int] | None = None
        self.planner = Planner(self, self._on_plan, self._on_problem)
        self._build()
        self.update_plan()

    def _build(self) -> None:
        self.files = FilesList("Files and folders to store: add them, or drop them here.")
        self.add(self.files)
        self.amount = LineEdit(value="2 TB", label="Plan for")
        self.amount.tooltip = "A size, such as 700 MB or 2 TB, where no files are chosen"
        self._amount_form = self.add_form(self.amount)
        self.fields = ArchiveWriteFields()
        self.add_form(*self.fields.head)
        for title, fields in self.fields.sections.items():
            self.add_section(title, *fields)
        self.headline = QLabel()
        self.headline.setWordWrap(True)
        self.add(self.headline)
        self.output = FileEdit(mode="d", label="Write into", value="")
        self.output.tooltip = "A new or empty folder"
        self.add_form(self.output)
        self.write_button = QPushButton("Write")
        self.write_button.clicked.connect(self.write)
        self.folder_button = QPushButton("Open folder")
        self.folder_button.clicked.connect(self._open_folder)
        self.add_buttons(self.write_button, self.folder_button)
        self.add_status()
        self.legend = QLabel(legend(ROLE_COLOURS))
        self.legend.setWordWrap(True)
        self.add(self.legend)
        self.labels = self.add_numbers(*ROWS)
        self.sheet = SpinBox(value=1, min=1, max=1, label="Sheet")
        self.field = SpinBox(value=1, min=1, max=1, label="Field")
        self._view_form = self.add_form(self.sheet, self.field)
        self.field_button = QPushButton("Show field")
        self.field_button.setToolTip("Its modules, at their place on the sheet")
        self.field_button.clicked.connect(self.show_field)
        self.whole_button = QPushButton("Show sheet")
        self.whole_button.setToolTip("Map of the tiles in true lengths")
        self.whole_button.clicked.connect(self.show_sheet)
        self.add_buttons(self.whole_button, self.field_button)
        self.files.changed.connect(self.update_plan)
        for field in (self.amount, *self.fields.all):
            field.changed.connect(lambda *_: self.update_plan())
        self.sheet.changed.connect(lambda *_: self._show_sheet())
        self.output.changed.connect(lambda *_: self._enable())
        self._enable()

    def _enable(self) -> None:
        self.fields.enable()
        paths = self.files.paths
        self._amount_form.setRowVisible(self.amount.native, not paths)
        self.write_button.setEnabled(bool(paths) and self.worker is None)
        self.folder_button.setEnabled(self.written is not None)
        several = self.plan is not None and self.plan.sheets.sheets > 1
        self._view_form.setRowVisible(self.sheet.native, several)
        for button in (self.whole_button, self.field_button):
            button.setEnabled(self.plan is not None and self.worker is None)

    # -- planning ---------------------------------------------------------------------------

    def update_plan(self) -> None:
        """Plan anew with what the fields say; the numbers follow in a moment."""
        self.written = None
        self._enable()
        try:
            values = self.fields.settings()
        except ValueError as problem:
            self._on_problem(problem)
            return
        self.planner.ask(values, self.files.paths, self.amount.value)

    def _on_plan(self, planned: Planned) -> None:
        self.files.show_sizes(planned.sizes)
        self.show_plan(planned.plan)
        if self.worker is None and planned.warning is not None:
            self.say(planned.warning, BAD)
        elif self.worker is None:
            self.say("" if self.files.paths else "Add files to write them.")

    def show_plan(self, plan: ArchivePlan) -> None:
        """Show the numbers and the sheet of a plan."""
        self.plan = plan
        self.headline.setText(headline(plan))
        for name, text in numbers(plan).items():
            self.labels[name].setText(text)
        with self.sheet.changed.blocked():
            self.sheet.max = plan.sheets.sheets
        self._enable()
        self._show_sheet()

    def _on_problem(self, problem: Exception) -> None:
        self.plan = None
        self.headline.setText("")
        for label in self.labels.values():
            label.setText("–")
        self._enable()
        self.say(sentence_of(problem), BAD)

    # -- the sheet --------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """What layers are called after."""
        paths = self.files.paths
        name = self.fields.name.value.strip() or (paths[0].name if paths else "archive")
        return f"{name} · sheet {self.sheet.value}" if self.sheet.max > 1 else name

    def _show_sheet(self) -> None:
        """Bring the layers of the sheet up to date, those that the user left."""
        if self.plan is None:
            return
        plan, sheet = self.plan.sheets, self.sheet.value - 1
        self.field.max = plan.fields(sheet)
        there = parts_of(self.viewer, self._group)
        if self._shown is not None and self._shown == (plan, sheet):
            return
        # what people look at is left alone, and so are layers that they deleted
        first = self._shown is None and not self.viewer.layers
        parts = tuple(part for part in PARTS if first or part in there)
        if parts:
            self._put(plan, sheet, parts)
        self._forget_field()

    def show_sheet(self) -> None:
        """Show the whole sheet, also where its layers were deleted."""
        if self.plan is not None:
            self._put(self.plan.sheets, self.sheet.value - 1, PARTS)
            self._look_at("roles")

    def _put(self, plan: SheetPlan, sheet: int, parts: Iterable[str]) -> None:
        alone, before = not self.viewer.layers, self._shown
        for part in parts:
            made = PARTS[part](plan, sheet, self.base)
            words = self._words if part == "roles" else None
            put_layer(self.viewer, self._group, part, made, words)
        self._shown = (plan, sheet)
        grown = before is not None and before[0].all_fields != plan.all_fields
        ours = set(parts_of(self.viewer, self._group).values())
        if alone or (grown and ours == set(self.viewer.layers)):
            self.viewer.reset_view()

    def _words(self, y: float, x: float) -> str:
        """Say what lies at a place of the map."""
        if self._shown is None:
            return ""
        plan, sheet = self._shown
        return role_in_words(plan, sheet, TileGrid(plan, sheet).tile(y, x))

    def _forget_field(self) -> None:
        """Hide the field of a plan that is no more."""
        old = parts_of(self.viewer, self._group).get("field")
        if old is not None:
            old.visible = False

    def show_field(self) -> None:
        """Draw the modules of the chosen field in the background, and look at them."""
        if self.plan is None:
            return
        plan, stream, written = self.plan.sheets, self.plan.stream_bytes, self.written
        sheet, number, name = self.sheet.value - 1, self.field.value - 1, self.base

        def call(progress: Progress, cancelled: IsCancelled) -> Any:
            progress(0, 0, f"Drawing field {number + 1:,} …")
            if written is not None:
                return written_levels(written, sheet, number)
            return planned_levels(plan, stream, sheet, number)

        def done(levels: Any) -> None:
            settings = plan.settings
            data = field_layer(
                levels, plan.field(sheet, number), settings.pitch_nm, settings.bits_per_module, name
            )
            put_layer(self.viewer, self._group, "field", data)
            self._look_at("field")
            said = f"Field {number + 1:,} as it is planned; its data tiles show random bytes."
            if written is not None:
                said = f"Field {number + 1:,}, from {written.field_path(sheet, number).name}."
            self.say(said)
            self._enable()

        self.run(call, done, busy=self._busy)

    def _look_at(self, part: str) -> None:
        layer = parts_of(self.viewer, self._group).get(part)
        if layer is not None:
            layer.visible = True
            self.viewer.fit_to_view(layers=[layer])

    # -- writing ----------------------------------------------------------------------------

    @property
    def _busy(self) -> tuple[QPushButton, ...]:
        return self.write_button, self.field_button, self.whole_button

    def write(self) -> None:
        """Write the archive in the background."""
        from napari_nanoqr.archive.write import check_target, write_archive

        if not chosen(self.output):
            self.say("Choose a new folder to write into first.", BAD)
            return
        paths, folder = self.files.paths, Path(self.output.value)
        try:
            values = self.fields.settings()
            check_target(folder, values["replace"])
            settings, needs = write_inputs(values)
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return

        def call(progress: Progress, cancelled: IsCancelled) -> ArchiveManifest:
            return write_archive(
                paths, folder, settings, needs=needs, name=values["name"],
                replace=values["replace"], jobs=values["jobs"], progress=progress,
                cancelled=cancelled,
            )  # fmt: skip

        def done(manifest: ArchiveManifest) -> None:
            from napari_nanoqr.archive.plan import plan_written

            self.written = manifest
            self.show_plan(plan_written(manifest, needs))
            self.say(summary(manifest), GOOD)

        self.run(call, done, busy=self._busy)

    def _open_folder(self) -> None:
        if self.written is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.written.folder)))

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr archive write``."""
        output = str(self.output.value) if chosen(self.output) else None
        return {"": [str(path) for path in self.files.paths], "output": output} | (
            self.fields.settings()
        )

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command."""
        if "" in settings:
            self.files.set_paths([Path(path) for path in settings[""] or ()])
        if "output" in settings:
            # an empty value would be taken for the current folder
            self.output.line_edit.value = settings["output"] or ""
        self.fields.apply(settings)


def summary(manifest: ArchiveManifest) -> str:
    """Say what was written."""
    plan = manifest.plan
    return (
        f"Written: {counted(manifest.file_count, 'file')}, {in_bytes(manifest.user_bytes)}, as a "
        f"{manifest.index.facts.kind} of {in_bytes(manifest.index.facts.size)} on "
        f"{counted(plan.sheets, 'sheet')} of {counted(plan.all_fields, 'field')}: "
        f"{in_bytes(manifest.pattern_bytes)} of pattern files in {manifest.folder.name}."
    )
