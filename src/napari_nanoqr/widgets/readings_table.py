"""A table of readings, a row for each code."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import Signal

from napari_nanoqr.reading.advice import percent
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.widgets.reading_words import label_of, repairs
from napari_nanoqr.widgets.rows_table import RowsTable

COLUMNS = {
    "Payload": "Text, or hex where it is none",
    "Symbol": "Version and error-correction level, mask",
    "Stops at": "Share of this image's electrons at which the code stops being readable",
    "Wrong": "Share of modules that were read other than written",
    "Pitch": "Distance of module centres, measured in the image",
    "Turned": "Direction of the symbol's top edge; positive is clockwise",
    "Seen": "As encoded, in a mirror, or with dark and light exchanged",
    "Repaired": "Wrong codewords, and how many more the worst block could have repaired",
    "Reader": "Who found the code",
}

_PAYLOAD_WIDTH = 150
_ROWS_SHOWN = 5


class ReadingsTable(RowsTable):
    """Codes that were read; one is selected.

    Attributes
    ----------
    picked : psygnal.Signal
        Emitted with the reading when the user selects it.
    """

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.readings: list[Reading] = []
        self.itemSelectionChanged.connect(self._on_selection)

    @property
    def selected(self) -> Reading | None:
        """The reading of the selected row."""
        row = self.currentRow()
        return self.readings[row] if 0 <= row < len(self.readings) else None

    def show_readings(self, readings: Sequence[Reading]) -> None:
        """Fill the table and select the first row; this is no selection by the user."""
        self.blockSignals(True)
        self.clearContents()
        self.readings = list(readings)
        self.setRowCount(len(self.readings))
        for row, reading in enumerate(self.readings):
            self.set_row(row, cells(reading))
        if self.readings:
            self.selectRow(0)
        self.resizeColumnsToContents()
        self.setColumnWidth(0, _PAYLOAD_WIDTH)
        self.resizeRowsToContents()
        self._fit_height()
        self.horizontalScrollBar().setValue(0)
        self.blockSignals(False)

    def _fit_height(self) -> None:
        rows = [self.rowHeight(row) for row in range(min(self.rowCount(), _ROWS_SHOWN))]
        bar = self.horizontalScrollBar().sizeHint().height()
        frame = 2 * self.frameWidth()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + sum(rows) + bar + frame)

    def _on_selection(self) -> None:
        if self.selected is not None:
            self.picked.emit(self.selected)


def cells(reading: Reading) -> tuple[str, ...]:
    """Return the texts of a row."""
    symbol = str(reading.version) if reading.error is None else f"{reading.version}-{reading.error}"
    if reading.symbology != "QR":
        symbol = f"{reading.symbology} {symbol}"
    if reading.mask is not None:
        symbol += f", mask {reading.mask}"
    pitch = (
        f"{reading.pitch_px:.2f} px" if reading.pitch_nm is None else f"{reading.pitch_nm:.4g} nm"
    )
    error_rate = reading.raw_bit_error_rate
    seen = [name for name in ("mirrored", "inverted") if getattr(reading, name)]
    return (
        label_of(reading, 200),
        symbol,
        "not known" if reading.margin is None else percent(reading.margin.share),
        "not known" if error_rate is None else percent(error_rate),
        pitch,
        f"{reading.rotation_deg:.1f}°",
        ", ".join(seen) or "as encoded",
        repairs(reading),
        reading.reader,
    )
