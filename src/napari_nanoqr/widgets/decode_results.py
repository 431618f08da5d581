"""What decoding an image gave: table, payload, facts, and the ways out."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextOption
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
)

from napari_nanoqr.cli.decode_result import DecodeResult
from napari_nanoqr.files import write_bytes, write_text
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.pixel_size import PixelSize
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.reading_words import (
    comparison_lines,
    facts,
    left_over,
    payload_text,
    sets_in_words,
)
from napari_nanoqr.widgets.readings_table import ReadingsTable

_PAYLOAD_HEIGHT = 64


@dataclass(frozen=True)
class Outcome:
    """What one run gave, and of which image.

    Parameters
    ----------
    image : weak reference to Image
        It may have been deleted.
    name, path : str, str or None
        Of the image when it was read.
    plane : Plane
        What was read of it.
    pixel_size : PixelSize
        As it was used.
    readings : Readings
        From top to bottom, with what could not be read.
    comparisons : tuple of Comparison or None
        Where a design was found; None where none was chosen.
    """

    image: weakref.ref[Image]
    name: str
    path: str | None
    plane: Plane
    pixel_size: PixelSize
    readings: Readings
    comparisons: tuple[Comparison, ...] | None = None


class DecodeResults:
    """The lower part of a panel: codes in a table, one of them in full, buttons to take it out.

    Parameters
    ----------
    panel : Panel
        Where it is put.
    look_at : callable
        Called with a reading when the user selects it.
    *ways_out : QPushButton
        Further ways to take it out.

    Attributes
    ----------
    outcome : Outcome or None
        What is shown.
    """

    def __init__(
        self, panel: Panel, look_at: Callable[[Any], None], *ways_out: QPushButton
    ) -> None:
        self.outcome: Outcome | None = None
        self._panel = panel
        self._look_at = look_at
        self.heading = _text()
        self.table = ReadingsTable()
        self.table.picked.connect(self._on_picked)
        self.payload = QPlainTextEdit()
        self.payload.setReadOnly(True)
        self.payload.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.payload.setFixedHeight(_PAYLOAD_HEIGHT)
        self.payload.setToolTip("The whole payload of the selected code")
        self.facts = _text()
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("Copy the payload of the selected code: text, or hex")
        self.copy_button.clicked.connect(self.copy)
        self.bytes_button = QPushButton("Bytes …")
        self.bytes_button.setToolTip("Save exactly the bytes of the selected code")
        self.bytes_button.clicked.connect(self._ask_and_save_bytes)
        self.json_button = QPushButton("JSON …")
        self.json_button.setToolTip("Save all of it, as nanoqr decode --json prints it")
        self.json_button.clicked.connect(self._ask_and_save_json)
        self.left_over = _text()
        self.sets, self.compared = _text(), _text()
        for widget in (
            self.heading, self.table, self.payload, self.facts, self.sets, self.compared,
        ):  # fmt: skip
            panel.add(widget)
        panel.add_buttons(self.copy_button, self.bytes_button, self.json_button, *ways_out)
        panel.add(self.left_over)
        self.show(None)

    def show(self, outcome: Outcome | None) -> None:
        """Show what a run gave."""
        self.outcome = outcome
        readings = Readings() if outcome is None else outcome.readings
        self.table.show_readings(readings)
        self.heading.setText("" if outcome is None else f"Codes in {outcome.name}")
        for widget in (
            self.heading, self.table, self.payload, self.facts, self.copy_button,
            self.bytes_button,
        ):  # fmt: skip
            widget.setVisible(bool(readings))
        compared = None if outcome is None else outcome.comparisons
        self.compared.setText("" if compared is None else comparison_lines(compared))
        self.left_over.setText(left_over(readings))
        self.sets.setText(sets_in_words(readings))
        for label in (self.sets, self.compared, self.left_over):
            label.setVisible(bool(label.text()))
        # what was seen and not read is worth keeping, too
        self.json_button.setVisible(bool(readings or readings.unread or compared))
        self._show_selected()

    def _on_picked(self, reading: Any) -> None:
        self._show_selected()
        self._look_at(reading)

    def _show_selected(self) -> None:
        reading = self.table.selected
        self.payload.setPlainText("" if reading is None else payload_text(reading))
        self.facts.setText("" if reading is None else facts(reading))

    # -- ways out ---------------------------------------------------------------------------

    def copy(self) -> None:
        """Copy the payload of the selected code."""
        reading, clipboard = self.table.selected, QApplication.clipboard()
        if reading is not None and clipboard is not None:
            clipboard.setText(reading.payload.hex() if reading.text is None else reading.text)
            kind = "hex" if reading.text is None else "text"
            self._panel.say(f"Copied the payload as {kind}.")

    def save_bytes(self, path: Path) -> None:
        """Save exactly the bytes of the selected code.

        Raises
        ------
        ValueError
            Where no code is selected.
        OSError
            Where the file cannot be written.
        """
        reading = self.table.selected
        if reading is None:
            raise ValueError("There is no code to save.")
        write_bytes(path, reading.payload)

    def record(self) -> dict[str, Any]:
        """Return all that was found, as ``nanoqr decode --json`` prints it.

        Raises
        ------
        ValueError
            Where nothing was decoded yet.
        """
        done = self.outcome
        if done is None:
            raise ValueError("Nothing was decoded yet.")
        size = done.pixel_size
        source = None if size.nm is None else size.source
        return DecodeResult(
            done.path or done.name, size.nm, source, done.readings, done.comparisons
        ).to_dict()

    def save_json(self, path: Path) -> None:
        """Save all that was found, as ``nanoqr decode --json`` prints it.

        Raises
        ------
        ValueError
            Where nothing was decoded yet.
        OSError
            Where the file cannot be written.
        """
        write_text(path, json.dumps(self.record()) + "\n")

    def _ask_and_save_bytes(self) -> None:
        self._ask_and_save("Save bytes", ".bin", "All files (*)", self.save_bytes)

    def _ask_and_save_json(self) -> None:
        self._ask_and_save("Save readings", ".json", "JSON (*.json)", self.save_json)

    def _ask_and_save(
        self, title: str, suffix: str, kinds: str, save: Callable[[Path], None]
    ) -> None:
        name = "code" if self.outcome is None else self.outcome.name
        chosen, _ = QFileDialog.getSaveFileName(self._panel, title, f"{name}{suffix}", kinds)
        if chosen:
            try:
                save(Path(chosen))
            except (OSError, ValueError) as problem:
                self._panel.say(sentence_of(problem), BAD)
            else:
                self._panel.say(f"Saved {Path(chosen).name}.", GOOD)


def _text() -> QLabel:
    """Make a label whose text wraps, however long."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
