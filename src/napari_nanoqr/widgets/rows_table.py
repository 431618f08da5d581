"""Tables to look at: whole rows are selected, nothing is edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

BAD = QColor("#d5752b")
"""Told apart by colour-blind people too, on a dark and on a light theme."""


class RowsTable(QTableWidget):
    """Rows of texts that are selected as a whole; long ones are cut in the middle.

    Parameters
    ----------
    columns : mapping of str to str
        The title of each column, and what it tells.
    several : bool
        Whether several rows can be selected at once.
    """

    def __init__(self, columns: Mapping[str, str], *, several: bool = False) -> None:
        super().__init__(0, len(columns))
        for column, (name, help_) in enumerate(columns.items()):
            item = QTableWidgetItem(name)
            item.setToolTip(help_)
            self.setHorizontalHeaderItem(column, item)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.ExtendedSelection if several else modes.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().hide()

    def set_sizes(self, widths: Sequence[int], row_height: int) -> None:
        """Set the widths of the first columns and the height of all rows, in pixels."""
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)
        self.verticalHeader().setDefaultSectionSize(row_height)

    def set_row(
        self, row: int, texts: Sequence[str], helps: Sequence[str] = (), *, bad: bool = False
    ) -> None:
        """Show the texts of a row, and over each cell a help, or the whole of its text."""
        for column, (text, help_) in enumerate(zip(texts, helps or texts, strict=True)):
            cell = QTableWidgetItem(text)
            cell.setToolTip(help_)
            if bad:
                cell.setForeground(BAD)
            self.setItem(row, column, cell)

    def texts(self) -> list[list[str]]:
        """Return what stands in the cells."""
        columns = range(self.columnCount())
        return [
            [self.item(row, column).text() for column in columns] for row in range(self.rowCount())
        ]
