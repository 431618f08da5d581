"""The shape that all our widgets share: sections that fold, one main button, one status line."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

from magicgui.widgets.bases import ValueWidget
from napari.qt.threading import GeneratorWorker, create_worker
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
from napari_nanoqr.widgets.settings_menu import SettingsMenu

GOOD, PLAIN, BAD = "good", "plain", "bad"
# told apart by colour-blind people too, on a dark and on a light theme
_STATUS_STYLES = {GOOD: "color: #2a9d5c;", PLAIN: "", BAD: "color: #d5752b;"}


class JobFailed(Exception):
    """A background job ended in an error of a kind that nobody foresaw."""


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
        self.worker: GeneratorWorker | None = None
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
        self,
        job: Callable[[], Generator[tuple[int, int, str], None, Any]],
        done: Callable[[Any], None],
        *,
        busy: tuple[QWidget, ...] = (),
    ) -> None:
        """Run a job in the background, with progress and Cancel.

        Parameters
        ----------
        job : callable
            Makes a generator that yields ``(done, total, sentence)`` and returns the result.
            It runs in another thread and must not touch the viewer.
        done : callable
            Gets the result, in the window's thread.
        busy : tuple of QWidget
            Disabled while the job runs.
        """
        if self.worker is not None:
            return
        shown = napari_progress(total=0, desc=self.command)
        for widget in busy:
            widget.setEnabled(False)
        self._bar.setRange(0, 0)
        self._progress_row.show()

        def step(value: tuple[int, int, str]) -> None:
            count, total, sentence = value
            self._bar.setRange(0, total)
            self._bar.setValue(count)
            self.say(sentence)

        def failed(problem: Exception) -> None:
            self.say(sentence_of(problem), BAD)

        def finished() -> None:
            self.worker = None
            self._progress_row.hide()
            self.cancel_button.setEnabled(True)
            for widget in busy:
                widget.setEnabled(True)

        running: list[Generator[tuple[int, int, str], None, Any]] = []

        def steps() -> Generator[tuple[int, int, str], None, Any]:
            # napari tells a generator function from others by looking at it
            running.append(job())
            try:
                return (yield from running[0])
            except RuntimeError as problem:
                # a worker takes this kind for its own end, and would never tell that it ended
                raise JobFailed(str(problem)) from problem

        def close_job() -> None:
            for generator in running:
                generator.close()

        def aborted() -> None:
            self.say("Cancelled: nothing was changed.")

        def while_open(act: Callable[..., None]) -> Callable[..., None]:
            """Leave a panel alone that was closed while the job ran."""
            return lambda *values: act(*values) if isalive(self) else None  # type: ignore[no-untyped-call]

        self.worker = create_worker(
            steps,
            _start_thread=False,
            _connect={
                "yielded": while_open(step),
                "returned": while_open(done),
                "errored": while_open(failed),
                "aborted": [close_job, while_open(aborted)],
                "finished": [shown.close, while_open(finished)],
            },
        )
        self.destroyed.connect(self.worker.quit)
        self.worker.start()

    def cancel(self) -> None:
        """Stop the running job at its next step."""
        if self.worker is not None:
            self.cancel_button.setEnabled(False)
            self.say("Cancelling …")
            self.worker.quit()

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
