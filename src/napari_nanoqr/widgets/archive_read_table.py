"""A table of the files of an archive: what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication

from napari_nanoqr.cli.archive_words import in_bytes
from napari_nanoqr.widgets.rows_table import RowsTable

if TYPE_CHECKING:
    from napari_nanoqr.archive.unpack import FileVerdict

COLUMNS = {
    "File": "As it was stored",
    "Verdict": "Exact files fit the checksum that was stored with them",
    "Size": "Of the file, and what is missing of it",
    "SHA-256": "Of what was read, or of what is expected",
}
BAD_STATES = ("damaged", "lost")
_WIDTHS = (92, 58, 66, 76)
_ROW_HEIGHT = 24
_SHORT = 8
MOST_ROWS = 5000
"""Beyond these the report has the rest; files that are not exact come first."""


class FilesTable(RowsTable):
    """Verdicts, a row a file."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, several=True)
        self._verdicts: list[FileVerdict] = []
        self.set_sizes(_WIDTHS, _ROW_HEIGHT)

    def show_verdicts(self, verdicts: Sequence[FileVerdict]) -> None:
        """Fill the table."""
        # of what belongs to the bag that carried them only what is wrong
        told = [each for each in verdicts if each.is_payload or each.state in BAD_STATES]
        self._verdicts = sorted(told, key=lambda each: each.state == "exact")[:MOST_ROWS]
        self.setRowCount(len(self._verdicts))
        for row, each in enumerate(self._verdicts):
            size = "unknown" if each.size is None else in_bytes(each.size)
            if each.missing_bytes:
                size = f"{size}, {in_bytes(each.missing_bytes)} missing"
            digest = each.sha256 or ""
            texts = (each.path, each.state, size, digest[:_SHORT])
            helps = (each.path, each.reason or each.state, size, digest)
            self.set_row(row, texts, helps, bad=each.state in BAD_STATES)

    def copy_digests(self) -> str:
        """Put the checksums of the selected files, or of all, on the clipboard.

        Returns
        -------
        str
            Lines as sha256sum takes them.
        """
        rows = sorted({index.row() for index in self.selectedIndexes()})
        chosen = [self._verdicts[row] for row in rows] or self._verdicts
        text = "\n".join(f"{each.sha256}  {each.path}" for each in chosen if each.sha256)
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        return text
