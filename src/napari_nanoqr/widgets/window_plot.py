"""A window with plots: how reading depends on dose, pitch, focus and electrons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_nanoqr.planning.figures import draw_window, new_figure
from napari_nanoqr.planning.window import Window


class WindowPlot(QDialog):
    """Plots of read windows, one for each quantity.

    Parameters
    ----------
    title : str
        Of the window.
    windows : sequence of Window
        What is plotted.
    parent : QWidget, optional
        Over which it opens.
    """

    def __init__(
        self, title: str, windows: Sequence[Window], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        columns = min(2, len(windows))
        rows = -(-len(windows) // columns)
        self.figure = new_figure(5.0 * columns, 3.1 * rows)
        for axes, window in zip(
            np.ravel(self.figure.subplots(rows, columns, squeeze=False)), windows, strict=False
        ):
            draw_window(axes, window)
        canvas = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        words = QLabel("\n".join(str(window) for window in windows))
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        save = QPushButton("Save picture …")
        save.clicked.connect(self._ask_and_save)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(save)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(canvas, 1)
        layout.addWidget(words)
        layout.addLayout(buttons)
        self.resize(560 * columns, 330 * rows + 110)

    def _ask_and_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save picture", "windows.png", "Pictures (*.png *.svg *.pdf)"
        )
        if chosen:
            self.figure.savefig(Path(chosen))
