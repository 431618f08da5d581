"""A table of micrographs as they are read, a row a code."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from napari_nanoqr.measuring.batch import BatchItem
from napari_nanoqr.measuring.batch_page import cells_of
from napari_nanoqr.widgets.rows_table import RowsTable

COLUMNS = {
    "Image": "Double-click to open it",
    "Result": "Payload, or why there is none",
    "Pitch (nm)": "Distance from column to column and from row to row",
    "Grade": "In the manner of ISO/IEC 15415, and what limits it; no certificate",
    "Stops at": "Share of this image's electrons at which the code stops being readable",
    "Wrong": "Share of modules that look other than written",
    "Taken": "When, as the file tells",
}
_WIDTHS = (130, 220)
_ROW_HEIGHT = 24
_MOST_ROWS = 10_000
"""Beyond these only the table on disk goes on."""


class BatchTable(RowsTable):
    """Images and their codes, the latest below.

    Attributes
    ----------
    picked, opened : psygnal.Signal
        Emitted with the `BatchItem` when the user selects a row, and when it is double-clicked.
    """

    picked = Signal(object)
    opened = Signal(Path)

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self._items: list[BatchItem] = []
        self.set_sizes(_WIDTHS, _ROW_HEIGHT)
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
            self.set_row(row, (item.path.name, *cells_of(values)), bad=not item.good)
        if follow:
            self.scrollToBottom()

    def _on_selection(self) -> None:
        row = self.currentRow()
        if 0 <= row < len(self._items):
            self.picked.emit(self._items[row])
