"""A table of symbols to choose from, with the record as a line in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTableWidgetItem

from napari_nanoqr.cli.choices import LIMIT, PITCH, rows
from napari_nanoqr.widgets.rows_table import RowsTable

if TYPE_CHECKING:
    from napari_nanoqr.planning.choice import Choice

COLUMNS = {
    "Symbol": "Kind, version and error-correction level",
    "Modules": "Rows and columns, without the quiet zone",
    "Pitch": "Side of a module",
    "Area (µm²)": "Without the quiet zone",
    "/ record": "Area in units of the smallest QR code's on record",
    "Beam on": "Time that the ion beam mills, without settling and blanking",
    "Read (%)": "Images of 100 that are expected to be read",
    "Range (%)": "The same with 15 % fewer and more electrons",
    "Limit": "What keeps the pitch from being smaller: the beam's spot, or reading",
    "Stored": "Where it is not the payload as it was typed",
}
_TEXT_COLUMNS = (0, 8, 9)


class ChoicesTable(RowsTable):
    """Choices, smallest first; one is selected.

    Attributes
    ----------
    picked, taken : psygnal.Signal
        Emitted when the user selects a choice, and when it is double-clicked.
    """

    picked = Signal()
    taken = Signal()

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self._choices: list[Choice | None] = []
        self._fit_columns()
        self.itemSelectionChanged.connect(self.picked.emit)
        self.cellDoubleClicked.connect(lambda *_: self.taken.emit())

    @property
    def selected(self) -> Choice | None:
        """The choice of the selected row; None where that is the record's."""
        row = self.currentRow()
        return self._choices[row] if 0 <= row < len(self._choices) else None

    def show_choices(self, choices: Sequence[Choice], payload: bytes | str) -> None:
        """Fill the table and select the first choice.

        Parameters
        ----------
        choices : sequence of Choice
            Smallest first; without any the table is empty.
        payload : bytes or str
            What was asked for.
        """
        cells: list[tuple[str, ...]] = []
        self._choices = []
        if choices:
            cells, record = rows(choices, payload)
            self._choices = [*choices[:record], None, *choices[record:]]
        self.clearContents()
        self.setRowCount(len(cells))
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                self.setItem(row, column, _item(text, column, self._choices[row] is None))
        self.setColumnHidden(PITCH, len({choice.pitch_nm for choice in choices}) < 2)
        self.setColumnHidden(LIMIT, not any(choice.limited_by for choice in choices))
        self._fit_columns()
        self.resizeRowsToContents()
        if choices:
            self.selectRow(self._choices.index(choices[0]))

    def _fit_columns(self) -> None:
        """Make columns as wide as their texts, the last one as what is left."""
        # once for all texts: a header that keeps to them measures all of them for each one set
        self.horizontalHeader().setStretchLastSection(False)
        self.resizeColumnsToContents()
        self.horizontalHeader().setStretchLastSection(True)


def _item(text: str, column: int, is_record: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignLeft if column in _TEXT_COLUMNS else Qt.AlignmentFlag.AlignRight
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    if is_record:
        font = item.font()
        font.setItalic(True)
        item.setFont(font)
        # a line to compare with, not one to choose
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    return item
