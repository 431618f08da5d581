"""A list of files and folders to add to and to take from, with the size of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_nanoqr.cli.archive_words import in_bytes

_HEIGHT = 96
_PATH = Qt.ItemDataRole.UserRole


class FilesList(QWidget):
    """Files and folders, chosen or dropped.

    Parameters
    ----------
    hint : str
        What stands there as long as nothing is chosen.

    Attributes
    ----------
    changed : Signal
        Emitted after the user, or the program, added or removed something.
    """

    changed = Signal()

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._sizes: dict[Path, int] = {}
        self.setAcceptDrops(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setFixedHeight(_HEIGHT)
        self.list.itemSelectionChanged.connect(self._enable)
        self.hint = QLabel(hint)
        self.hint.setWordWrap(True)
        layout.addWidget(self.hint)
        layout.addWidget(self.list)
        row = QHBoxLayout()
        self.files_button = QPushButton("Add files …")
        self.files_button.clicked.connect(self._ask_files)
        self.folder_button = QPushButton("Add folder …")
        self.folder_button.clicked.connect(self._ask_folder)
        self.remove_button = QPushButton("Remove")
        self.remove_button.clicked.connect(self.remove_selected)
        for button in (self.files_button, self.folder_button, self.remove_button):
            row.addWidget(button)
        layout.addLayout(row)
        self._enable()

    @property
    def paths(self) -> list[Path]:
        """What was chosen, in its order."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [Path(item.data(_PATH)) for item in items if item is not None]

    def set_paths(self, paths: Sequence[Path]) -> None:
        """Take these and no others."""
        self.list.clear()
        self.add(paths)

    def add(self, paths: Sequence[Path]) -> None:
        """Add what is not there yet."""
        there = set(self.paths)
        for path in dict.fromkeys(paths):
            if path not in there:
                item = QListWidgetItem()
                item.setData(_PATH, str(path))
                item.setToolTip(str(path))
                self.list.addItem(item)
        self._write()
        self.changed.emit()

    def remove_selected(self) -> None:
        """Take the selected ones from the list; the files stay as they are."""
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self._write()
        self.changed.emit()

    def show_sizes(self, sizes: Mapping[Path, int]) -> None:
        """Show how large each is."""
        self._sizes = dict(sizes)
        self._write()

    def _write(self) -> None:
        for row, path in enumerate(self.paths):
            item = self.list.item(row)
            if item is not None:
                size = self._sizes.get(path)
                # of a folder, the name alone tells little of what is meant
                name = path.name or str(path)
                item.setText(name if size is None else f"{name} · {in_bytes(size)}")
        self._enable()

    def _enable(self) -> None:
        self.hint.setVisible(not self.list.count())
        self.list.setVisible(self.list.count() > 0)
        self.remove_button.setEnabled(bool(self.list.selectedItems()))

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Add files")
        if names:
            self.add([Path(name) for name in names])

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add folder")
        if name:
            self.add([Path(name)])

    # -- dropping ---------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take files from the desktop."""
        _accept(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        """Take them anywhere on the list."""
        _accept(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Add what was dropped; napari, which would open it, gets nothing of it."""
        data = event.mimeData()
        if data is not None:
            self.add([Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()])
        event.acceptProposedAction()


def _accept(event: QDragEnterEvent | QDragMoveEvent) -> None:
    data = event.mimeData()
    if data is not None and any(url.isLocalFile() for url in data.urls()):
        event.acceptProposedAction()
