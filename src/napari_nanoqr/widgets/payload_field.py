"""The payload of a design: a text, hex digits, or the bytes of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magicgui.widgets import FileEdit, RadioButtons, TextEdit
from qtpy.QtWidgets import QSizePolicy

from napari_nanoqr.widgets.panel import Panel

EXAMPLE = "https://www.tuwien.at/en/"
LARGEST_PAYLOAD = 7089
"""Characters in the largest QR code (digits only); nothing beyond it is read from a file."""


class PayloadField:
    """Where the payload is typed or chosen.

    Parameters
    ----------
    panel : Panel
        Where it is put.
    changed : callable
        Called after each change.
    """

    def __init__(self, panel: Panel, changed: Callable[[], object]) -> None:
        self.kind = RadioButtons(
            choices=["text", "hex", "file"], value="text", orientation="horizontal", label="Payload"
        )
        self.text = TextEdit(value=EXAMPLE, label="", tooltip="Text or a URL")
        self.text.native.setMaximumHeight(72)
        self.file = FileEdit(mode="r", label="", tooltip="The bytes of this file are encoded")
        self.kind.native.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        panel.add_form(self.kind, self.text, self.file)
        self._show_field()
        self.kind.changed.connect(self._show_field)
        # magicgui's TextEdit reports no change, its Qt widget does
        self.text.native.textChanged.connect(changed)
        for field in (self.kind, self.file):
            field.changed.connect(lambda *_: changed())

    def _show_field(self) -> None:
        self.text.native.setVisible(self.kind.value != "file")
        self.file.native.setVisible(self.kind.value == "file")

    def read(self) -> bytes | str:
        """Return what is to be encoded.

        Raises
        ------
        ValueError
            Where there is nothing, or what is there cannot be a payload.
        OSError
            Where the file cannot be read.
        """
        if self.kind.value == "file":
            return _bytes_of(Path(self.file.value))
        text: str = self.text.value
        data: bytes | str = text
        if self.kind.value == "hex":
            digits = "".join(text.split()).removeprefix("0x")
            try:
                data = bytes.fromhex(digits)
            except ValueError:
                raise ValueError("Hex is pairs of the digits 0-9 and a-f.") from None
        elif any("\ud800" <= c <= "\udfff" for c in text):
            # half of a character, which the Qt field lets through, is no text
            data = text.encode("utf-8", "surrogatepass")
        if not data:
            raise ValueError("Type something to encode.")
        return data

    def settings(self) -> dict[str, Any]:
        """Return the payload under the names of the options of ``nanoqr encode``."""
        kind = self.kind.value
        return {
            "": [self.text.value] if kind == "text" else [],
            "hex": "".join(self.text.value.split()) if kind == "hex" else None,
            "file": str(self.file.value) if kind == "file" else None,
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the payload from settings of ``nanoqr encode``."""
        if settings.get("file"):
            self.kind.value, self.file.value = "file", settings["file"]
        elif settings.get("hex"):
            self.kind.value, self.text.value = "hex", settings["hex"]
        elif settings.get(""):
            self.kind.value, self.text.value = "text", settings[""][0]


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError("Choose a file to encode.")
    size = path.stat().st_size
    if size > LARGEST_PAYLOAD:
        raise ValueError(
            f"{path.name} has {size:,} bytes; a QR code holds at most 2,953 arbitrary "
            "bytes. Divide it."
        )
    return path.read_bytes()
