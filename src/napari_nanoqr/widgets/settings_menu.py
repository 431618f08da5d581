"""The menu of a widget: its settings as a file or a command line, and help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QToolButton

from napari_nanoqr.cli.settings import command_line, load_settings, save_settings

if TYPE_CHECKING:
    from napari_nanoqr.widgets.panel import Panel

HELP_URL = "https://napari-nanoqr.readthedocs.io/"


class SettingsMenu(QMenu):
    """Saves, loads and copies the settings of a widget.

    Parameters
    ----------
    panel : Panel
        Whose settings they are.
    """

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.panel = panel
        self.addAction("Save settings …", self.save)
        self.addAction("Load settings …", self.load)
        self.addAction("Copy as command line", self.copy_command_line)
        self.addSeparator()
        self.addAction("Help", lambda: QDesktopServices.openUrl(QUrl(HELP_URL)))

    def button(self) -> QToolButton:
        """Return the button that opens the menu."""
        button = QToolButton()
        button.setText("☰")
        button.setToolTip("Settings and help")
        button.setMenu(self)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        return button

    def save(self) -> None:
        """Ask for a file and save the settings there."""
        panel = self.panel
        path, _ = QFileDialog.getSaveFileName(
            panel, "Save settings", f"nanoqr-{panel.command}.json", "Settings (*.json)"
        )

        def save() -> None:
            save_settings(Path(path), panel.command, panel.settings())
            panel.say(f"Settings saved: nanoqr {panel.command} --settings {Path(path).name}")

        if path:
            panel.attempt(save)

    def load(self) -> None:
        """Ask for a file of settings and set the widget's fields from it."""
        panel = self.panel
        path, _ = QFileDialog.getOpenFileName(panel, "Load settings", "", "Settings (*.json)")
        if path:
            panel.attempt(lambda: panel.apply_settings(load_settings(Path(path), panel.command)))

    def copy_command_line(self) -> None:
        """Put the command that does the same on the clipboard."""
        panel = self.panel

        def copy() -> None:
            line = command_line(panel.command, panel.settings())
            clipboard = QApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(line)
            panel.say(f"Copied: {line}")

        panel.attempt(copy)
