"""A table of micrographs as they are read, a row a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from napari_nanoqr.measuring.batch import BatchItem
from napari_nanoqr.measuring.batch_page import cells_of

COLUMNS = {
    "Image": "Double-click to open it",
    "Result": "Payload, or why there is none",
    "Pitch (nm)": "Distance from column to column and from row to row",
    "Grade": "In the manner of ISO/IEC 15415, and what limits it; no certificate",
    "Stops at": "Share of this image's electrons at which the code stops being readable",
    "Wrong": "Share of modules that look other than written",
    "Taken": "When, as the file tells",
}
_BAD = QColor("#d5752b")
_WIDTHS = (130, 220)
_ROW_HEIGHT = 24
_MOST_ROWS = 10_000
"""Beyond these only the table on disk goes on."""


class BatchTable(QTableWidget):
    """Images and their codes, the latest below.

    Attributes
    ----------
    picked, opened : psygnal.Signal
        Emitted with the `BatchItem` when the user selects a row, and when it is double-clicked.
    """

    picked = Signal(object)
    opened = Signal(Path)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self._items: list[BatchItem] = []
        for column, (name, help_) in enumerate(COLUMNS.items()):
            item = QTableWidgetItem(name)
            item.setToolTip(help_)
            self.setHorizontalHeaderItem(column, item)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.itemSelectionChanged.connect(self._on_selection)
        self.cellDoubleClicked.connect(lambda row, _: self.opened.emit(self._items[row].path))

    def clear_items(self) -> None:
        """Forget all rows."""
        self._items = []
        self.setRowCount(0)

    def add(self, item: BatchItem) -> None:
        """Add the rows of an image, and keep the last one in sight."""
        if self.rowCount() >= _MOST_ROWS:
            return
        bar = self.verticalScrollBar()
        follow = bar.value() >= bar.maximum()
        for values in item.rows:
            row = self.rowCount()
            self.insertRow(row)
            self._items.append(item)
            texts = (item.path.name, *cells_of(values))
            for column, text in enumerate(texts):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                if not item.good:
                    cell.setForeground(_BAD)
                self.setItem(row, column, cell)
        if follow:
            self.scrollToBottom()

    def _on_selection(self) -> None:
        row = self.currentRow()
        if 0 <= row < len(self._items):
            self.picked.emit(self._items[row])


def texts_of(table: QTableWidget) -> list[list[Any]]:
    """Return what stands in the cells."""
    rows, columns = range(table.rowCount()), range(table.columnCount())
    return [[table.item(row, column).text() for column in columns] for row in rows]
