"""The shape that all our widgets share: sections that fold, one main button, one status line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from magicgui.widgets.bases import ValueWidget
from napari.utils import progress as napari_progress
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_nanoqr import cli
from napari_nanoqr.widgets.background import BackgroundCall, Call
from napari_nanoqr.widgets.settings_menu import SettingsMenu

GOOD, PLAIN, BAD = "good", "plain", "bad"
# told apart by colour-blind people too, on a dark and on a light theme
_STATUS_STYLES = {GOOD: "color: #2a9d5c;", PLAIN: "", BAD: "color: #d5752b;"}


class Panel(QScrollArea):
    """A dock widget that scrolls, with a menu, sections, a status line and background jobs.

    Parameters
    ----------
    title : str
        What the widget does, in two or three words.
    command : str
        The subcommand of ``nanoqr`` that does the same.
    """

    def __init__(self, title: str, command: str) -> None:
        super().__init__()
        self.command = command
        self.worker: BackgroundCall[Any] | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(340)
        inside = QWidget()
        self.setWidget(inside)
        self._layout = QVBoxLayout(inside)
        self._layout.setContentsMargins(8, 4, 8, 8)
        self._layout.setSpacing(4)
        self._layout.addLayout(self._title_row(title))
        self._layout.addStretch(1)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Stop what is running, and close what was opened, once napari closes the dock."""
        # not in event(), through which Qt also deletes the panel: from there it would wait for a
        # lock of Qt with Python's own held, and a thread that collects garbage the other way round.
        # Napari takes the widget out of its dock and leaves it to Python to delete it some time
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()
            for widget in self.findChildren(QWidget):
                if widget.isWindow():
                    widget.close()
        super().changeEvent(event)

    # -- building ---------------------------------------------------------------------------

    def add(self, widget: QWidget) -> None:
        """Put a widget below what is there, no higher than it needs."""
        # what is left over goes to the stretch at the end; a widget may still become higher
        # than its hint, which does not count the lines of text that wraps
        policy = widget.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Preferred)
        widget.setSizePolicy(policy)
        self._layout.insertWidget(self._layout.count() - 1, widget)

    def add_numbers(self, *names: str) -> dict[str, QLabel]:
        """Put a table of results below what is there, and return the label of each row."""
        form = QFormLayout()
        form.setContentsMargins(0, 4, 0, 0)
        form.setVerticalSpacing(3)
        labels = {}
        for name in names:
            labels[name] = QLabel("–")
            labels[name].setWordWrap(True)
            form.addRow(f"{name}:", labels[name])
        # not in a widget of its own, which now and then would keep the height of fewer lines
        self._layout.insertLayout(self._layout.count() - 1, form)
        return labels

    def add_form(self, *fields: ValueWidget[Any]) -> QFormLayout:
        """Put labelled fields below what is there."""
        rows = QWidget()
        form = _form(rows, fields)
        self.add(rows)
        return form

    def add_section(
        self, title: str, *fields: ValueWidget[Any], expanded: bool = False
    ) -> QCollapsible:
        """Put labelled fields that fold below what is there."""
        section = QCollapsible(title)
        section.setDuration(0)
        # a long title is cut off rather than making the panel wider than its dock
        section.toggleButton().setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        rows = QWidget()
        _form(rows, fields).setContentsMargins(12, 2, 0, 4)
        section.addWidget(rows)
        section.layout().setContentsMargins(0, 0, 0, 0)
        section.content().layout().setContentsMargins(0, 0, 0, 0)
        if expanded:
            section.expand(animate=False)
        self.add(section)
        return section

    def add_buttons(self, *buttons: QPushButton) -> None:
        """Put a row of buttons below what is there."""
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 4, 0, 0)
        for button in buttons:
            layout.addWidget(button)
        self.add(row)

    def add_status(self) -> None:
        """Put the status line, and the progress bar that shows while a job runs."""
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.add(self.status)
        self._progress_row = QWidget()
        layout = QHBoxLayout(self._progress_row)
        layout.setContentsMargins(0, 0, 0, 0)
        self._bar = QProgressBar()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancel)
        layout.addWidget(self._bar, 1)
        layout.addWidget(self.cancel_button)
        self.add(self._progress_row)
        self._progress_row.hide()

    def say(self, sentence: str, mood: str = PLAIN) -> None:
        """Show one sentence in the status line."""
        self.status.setText(sentence)
        self.status.setStyleSheet(_STATUS_STYLES[mood])

    # -- jobs -------------------------------------------------------------------------------

    def run(
        self, call: Call[Any], done: Callable[[Any], None], *, busy: tuple[QWidget, ...] = ()
    ) -> None:
        """Run a call in the background, with progress and Cancel.

        Parameters
        ----------
        call : callable
            Takes ``progress(done, total, sentence)`` and ``cancelled() -> bool``. It runs in
            another thread and must not touch the viewer.
        done : callable
            Gets the result, in the window's thread.
        busy : tuple of QWidget
            Disabled while the call runs.
        """
        if self.worker is not None:
            return
        shown = napari_progress(total=0, desc=self.command)
        for widget in busy:
            widget.setEnabled(False)
        self._bar.setRange(0, 0)
        self._progress_row.show()
        self.say("Starting …")

        def step(count: int, total: int, sentence: str) -> None:
            self._bar.setRange(0, total)
            self._bar.setValue(count)
            self.say(sentence)

        def finished() -> None:
            shown.close()
            # a panel may be closed while the call runs
            if isalive(self):  # type: ignore[no-untyped-call]
                self.worker = None
                self._progress_row.hide()
                self.cancel_button.setEnabled(True)
                for widget in busy:
                    widget.setEnabled(True)

        self.worker = BackgroundCall(
            call, done, lambda problem: self.say(sentence_of(problem), BAD), step=step,
            cancelled=lambda: self.say("Cancelled: nothing was changed."), finished=finished,
            owner=self,
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop the running call at its next step."""
        if self.worker is not None:
            self.cancel_button.setEnabled(False)
            self.say("Cancelling …")
            self.worker.cancel()

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the settings under the names of the command line's options."""
        raise NotImplementedError

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields; names that this widget does not know are left alone."""
        raise NotImplementedError

    def _title_row(self, title: str) -> QHBoxLayout:
        row = QHBoxLayout()
        label = QLabel(f"<b>{title}</b>")
        self.menu = SettingsMenu(self)
        row.addWidget(label, 1)
        row.addWidget(self.menu.button())
        return row

    def attempt(self, action: Callable[[], None]) -> None:
        """Act, and say in the status line what the file or the fields have against it."""
        try:
            action()
        except (OSError, ValueError, json.JSONDecodeError) as problem:
            self.say(sentence_of(problem), BAD)


def _form(rows: QWidget, fields: tuple[ValueWidget[Any], ...]) -> QFormLayout:
    """Lay fields out with their labels in one column; a field without a label takes the row."""
    form = QFormLayout(rows)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for field in fields:
        if isinstance(field.native, QComboBox):
            # or its longest choice would make the panel wider than its dock
            field.native.setMinimumWidth(120)
        if field.label:
            label = QLabel(field.label)
            label.setToolTip(field.tooltip or "")
            form.addRow(label, field.native)
        else:
            form.addRow(field.native)
    return form


def sentence_of(problem: BaseException) -> str:
    """Say what went wrong in a sentence without code names, as the command does."""
    if isinstance(problem, ValueError | OSError):
        return cli.sentence_of(problem)
    return f"This went wrong in a way nobody foresaw ({type(problem).__name__}: {problem})."
