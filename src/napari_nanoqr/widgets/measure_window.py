"""A window with what was measured of each code: numbers with their uncertainty, and plots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_nanoqr.files import write_text
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.record_figures import draw_edge, draw_values, draw_wrong
from napari_nanoqr.measuring.rows import value_rows
from napari_nanoqr.planning.figures import new_figure

_LONGEST = 60
"""Letters of a payload in the list of codes."""


class MeasureWindow(QDialog):
    """Numbers and plots of measured codes.

    Parameters
    ----------
    name : str
        Of the image.
    codes : sequence of Measurement
        At least one.
    parent : QWidget, optional
        Over which it opens.
    """

    def __init__(
        self, name: str, codes: Sequence[Measurement], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.codes, self._name = list(codes), name
        self.setWindowTitle(f"{name} · measured")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choice = QComboBox()
        self.choice.addItems([code.title[:_LONGEST] for code in codes])
        self.choice.setVisible(len(self.codes) > 1)
        self.choice.currentIndexChanged.connect(self._show)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Value", "± holds the truth in 95 of 100 cases"])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.figure = new_figure(5.0, 7.6)
        self._canvas = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for title, act in (
            ("Copy", self.copy), ("Save JSON …", self._ask_and_save),
            ("Save picture …", self._ask_for_picture), ("Close", self.close),
        ):  # fmt: skip
            button = QPushButton(title)
            button.clicked.connect(act)
            buttons.addWidget(button)
        both = QHBoxLayout()
        both.addWidget(self.table, 5)
        both.addWidget(self._canvas, 6)
        layout = QVBoxLayout(self)
        layout.addWidget(self.choice)
        layout.addLayout(both, 1)
        layout.addLayout(buttons)
        self.resize(1000, 780)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Give rows the height of their text, which wraps at the width that they now have."""
        super().showEvent(event)
        QTimer.singleShot(0, self.table.resizeRowsToContents)

    @property
    def code(self) -> Measurement:
        """The one that is shown."""
        return self.codes[max(self.choice.currentIndex(), 0)]

    def _show(self) -> None:
        rows = value_rows(self.code)
        self.table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.table.setItem(i, j, QTableWidgetItem(text))
        self.table.resizeRowsToContents()
        self.figure.clear()
        values, margin, edge = self.figure.subplots(3, 1, height_ratios=(1, 1.7, 1))
        draw_values(values, self.code)
        draw_wrong(margin, self.code)
        draw_edge(edge, self.code)
        self._canvas.draw_idle()  # type: ignore[no-untyped-call]

    def copy(self) -> None:
        """Put the table on the clipboard, a line a value with tabs, as spreadsheets take it."""
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText("\n".join("\t".join(row) for row in value_rows(self.code)))

    def save(self, path: Path) -> None:
        """Write the codes as ``nanoqr measure --json`` prints them."""
        codes = [code.to_dict() for code in self.codes]
        write_text(path, json.dumps({"file": self._name, "codes": codes}, indent=1) + "\n")

    def _ask_and_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save JSON", "measured.json", "JSON (*.json)")
        if chosen:
            self.save(Path(chosen))

    def _ask_for_picture(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save picture", "measured.png", "Pictures (*.png *.svg *.pdf)"
        )
        if chosen:
            self.figure.savefig(Path(chosen))
