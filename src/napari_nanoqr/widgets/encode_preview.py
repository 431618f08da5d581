"""Encode preview: type a payload and see the symbol at its true size."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import (
    ComboBox,
    FileEdit,
    FloatSpinBox,
    LineEdit,
    RadioButtons,
    SpinBox,
    TextEdit,
)
from napari import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QFileDialog,
    QPushButton,
    QSizePolicy,
)

from napari_nanoqr.design.density import density
from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.tables import LEVELS
from napari_nanoqr.widgets.layers import (
    DESIGN_PARTS,
    KEY,
    design_layers,
    parts_of,
    size_text,
    update_design_layers,
)
from napari_nanoqr.widgets.panel import BAD, GOOD, PLAIN, Panel, sentence_of

EXAMPLE = "https://www.tuwien.at/en/"
LARGEST_PAYLOAD = 7089
"""Characters in the largest QR code (digits only); nothing beyond it is read from a file."""

_RECOVERY = {"L": "7 %", "M": "15 %", "Q": "25 %", "H": "30 %"}
_AUTOMATIC = -1
_DELAY_MS = 20


class EncodePreview(Panel):
    """Encode a payload, and show the symbol in nm while the user types.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the layers go.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Encode preview", "encode")
        self.viewer = napari_viewer
        self.design: Design | None = None
        self._group = uuid.uuid4().hex
        self._shown_size_nm = (0.0, 0.0)
        self._build_payload()
        self._build_fields()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self.update_preview)
        # magicgui's TextEdit reports no change, its Qt widget does
        self.text.native.textChanged.connect(self._timer.start)
        for field in (self.kind, self.file, *self._fields.values()):
            field.changed.connect(lambda *_: self._timer.start())
        self.update_preview()

    # -- building ---------------------------------------------------------------------------

    def _build_payload(self) -> None:
        self.kind = RadioButtons(
            choices=["text", "hex", "file"], value="text", orientation="horizontal", label="Payload"
        )
        self.text = TextEdit(value=EXAMPLE, label="", tooltip="Text or a URL")
        self.text.native.setMaximumHeight(72)
        self.file = FileEdit(mode="r", label="", tooltip="The bytes of this file are encoded")
        self.kind.native.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.kind.changed.connect(self._show_payload_field)
        self.add_form(self.kind, self.text, self.file)
        self._show_payload_field()

    def _build_fields(self) -> None:
        levels = [(f"{level} (repairs {_RECOVERY[level]})", level) for level in LEVELS]
        versions = [("automatic", _AUTOMATIC)] + [
            (f"{v} ({17 + 4 * v} x {17 + 4 * v})", v) for v in range(1, 41)
        ]
        masks = [("automatic", _AUTOMATIC)] + [(str(m), m) for m in range(8)]
        self.error = ComboBox(choices=levels, value="M", label="Error correction")
        self.pitch = FloatSpinBox(value=49.0, min=1, max=1e6, step=1, label="Pitch (nm)")
        self.pitch.tooltip = "Distance of module centres; the side of one module"
        mills = [("dark modules", "dark"), ("light modules", "light")]
        self.mill = ComboBox(choices=mills, value="dark", label="Mill")
        self.add_form(self.error, self.pitch, self.mill)

        self.version = ComboBox(choices=versions, value=_AUTOMATIC, label="Version")
        self.mask_number = ComboBox(choices=masks, value=_AUTOMATIC, label="Mask")
        self.quiet_zone = SpinBox(value=4, min=0, max=4, label="Quiet zone (modules)")
        self.name = LineEdit(value="design", label="Name")
        self.add_section(
            "Version, mask, quiet zone, name",
            self.version,
            self.mask_number,
            self.quiet_zone,
            self.name,
        )

        film = Film()
        self.material = LineEdit(value=film.material, label="Film")
        self.thickness = FloatSpinBox(
            value=film.thickness_nm, min=0.1, max=1e4, step=1, label="Thickness (nm)"
        )
        self.substrate = LineEdit(value=film.substrate, label="Substrate")
        self._film_section = self.add_section(
            f"Film: {film}", self.material, self.thickness, self.substrate
        )
        # by the names of the command line's options
        self._fields = {
            "error": self.error,
            "version": self.version,
            "mask": self.mask_number,
            "pitch": self.pitch,
            "mill": self.mill,
            "quiet_zone": self.quiet_zone,
            "film": self.material,
            "thickness": self.thickness,
            "substrate": self.substrate,
            "name": self.name,
        }

        self.new_button = QPushButton("New design beside it")
        self.new_button.setToolTip("Leave this design as it is and start another to its right")
        self.new_button.clicked.connect(self.new_design)
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Save as design (.json) or picture (.png, .svg, .tif)")
        self.save_button.clicked.connect(self._ask_and_save)
        self.add_buttons(self.new_button, self.save_button)
        self.add_status()

        self._rows = self.add_numbers(
            "Symbol", "Side", "Area", "Record", "Holds", "Density", "A4 sheet", "Errors"
        )

    def _show_payload_field(self) -> None:
        self.text.native.setVisible(self.kind.value != "file")
        self.file.native.setVisible(self.kind.value == "file")

    # -- the preview ------------------------------------------------------------------------

    def update_preview(self) -> None:
        """Encode what the fields say and bring the layers up to date; never raises."""
        self._timer.stop()
        try:
            design = self._design_from_fields()
        except (ValueError, OSError) as problem:
            self.design = None
            for label in self._rows.values():
                label.setText("–")
            shown = parts_of(self.viewer, self._group)
            left = " The layers show the last symbol that was possible." if shown else ""
            self.say(sentence_of(problem) + left, BAD)
            self.save_button.setEnabled(False)
            return
        self.design = design
        self.save_button.setEnabled(True)
        self._film_section.setText(f"Film: {design.film}")
        self._show_layers(design)
        self._show_numbers(design)

    def new_design(self) -> None:
        """Leave the layers as they are and start another design to the right of them."""
        if self.design is None:
            return
        self._group = uuid.uuid4().hex
        taken = {layer.metadata.get(KEY, {}).get("name") for layer in self.viewer.layers}
        stem, number = self.name.value.rstrip("0123456789 ") or "design", 2
        while f"{stem} {number}" in taken:
            number += 1
        self.name.value = f"{stem} {number}"
        self.update_preview()

    def save(self, path: Path) -> None:
        """Save the design, or a picture of it, by the suffix of the file.

        Raises
        ------
        ValueError
            Where there is no design, or the suffix is not known.
        OSError
            Where the file cannot be written.
        """
        from napari_nanoqr.design.pictures import save_design

        if self.design is None:
            raise ValueError("There is no symbol to save.")
        save_design(self.design, path)

    def _design_from_fields(self) -> Design:
        payload = self._payload()
        version = None if self.version.value == _AUTOMATIC else int(self.version.value)
        mask = None if self.mask_number.value == _AUTOMATIC else int(self.mask_number.value)
        film = Film(self.material.value.strip(), self.thickness.value, self.substrate.value.strip())
        return Design(
            encode(payload, self.error.value, version, mask),
            self.pitch.value,
            self.mill.value,
            self.quiet_zone.value,
            film,
            self.name.value.strip() or "design",
        )

    def _payload(self) -> bytes | str:
        if self.kind.value == "file":
            path = Path(self.file.value)
            if not path.is_file():
                raise ValueError("Choose a file to encode.")
            size = path.stat().st_size
            if size > LARGEST_PAYLOAD:
                raise ValueError(
                    f"{path.name} has {size:,} bytes; a QR code holds at most 2,953 arbitrary "
                    "bytes. Divide it."
                )
            return path.read_bytes()
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

    def _show_layers(self, design: Design) -> None:
        found = parts_of(self.viewer, self._group)
        parts = {part: found[part] for part in DESIGN_PARTS if part in found}
        if len(parts) == len(DESIGN_PARTS):
            grew = self._shown_size_nm != design.field_size_nm
            self._shown_size_nm = design.field_size_nm
            update_design_layers(list(parts.values()), design)
            if grew and all(KEY in layer.metadata for layer in self.viewer.layers):
                # nothing of the user's own is in the scene: the whole symbol stays in view
                self.viewer.reset_view()
            return
        if parts:
            # one of the two was deleted: bring it back where the other one stands
            origin = tuple(next(iter(parts.values())).metadata[KEY]["origin"])
        else:
            origin = self._free_place(design)
        for layer in design_layers(design, self._group, origin):
            part = layer.metadata[KEY]["part"]
            if part not in parts:
                self.viewer.add_layer(layer)
        update_design_layers(list(parts.values()), design)
        if not parts:
            self.viewer.reset_view()

    def _free_place(self, design: Design) -> tuple[float, float]:
        """Return the origin for the first design, for others a place right of all of them."""
        rights = []
        for layer in self.viewer.layers:
            entry = layer.metadata.get(KEY)
            if isinstance(entry, dict) and entry.get("part") == "modules":
                rights.append(float(layer.extent.world[1, -1] + layer.scale[-1] / 2))
        return (0.0, max(rights) + 4 * design.pitch_nm) if rights else (0.0, 0.0)

    def _show_numbers(self, design: Design) -> None:
        symbol, n = design.symbol, density(design)
        rows, columns = symbol.matrix.shape
        size = f"{columns} x {rows}"
        side_text = size_text(*n.size_um)
        self.say(
            f"{size} · version {symbol.version}-{symbol.error} · {side_text} · "
            f"{n.area_um2:.3g} µm² ({n.times_record_area:.2f} x the record)",
            GOOD if n.times_record_area < 1 else PLAIN,
        )
        zone = ""
        if design.quiet_zone:
            zone = f" ({size_text(*n.field_size_um)} with quiet zone)"
        record = f"{n.times_record_area:.3g} x the area of the smallest QR code on record"
        if n.times_record_area < 1:
            record += ": smaller than it"
        milled = f"{np.count_nonzero(design.milled):,} of {design.milled.size:,} modules milled"
        rows = {
            "Symbol": f"version {symbol.version}, level {symbol.error}, mask {symbol.mask}, "
            f"{size} modules; {milled}",
            "Side": f"{side_text}{zone}",
            "Area": f"{n.area_um2:.4g} µm²",
            "Record": record,
            "Holds": f"{len(symbol.payload):,} bytes now, at most {n.capacity_bytes:,} arbitrary",
            "Density": f"{n.bits_per_um2:.4g} bits/µm², net",
            "A4 sheet": f"{_bytes(n.terabytes_on_a4)} edge to edge"
            + (f", {_bytes(n.terabytes_on_a4_with_quiet_zone)} with quiet zone" if zone else ""),
            "Errors": f"carries {n.correctable_codewords} wrong codewords of {n.codewords}"
            + (f" ({n.correctable_per_block} in each of {n.blocks})" if n.blocks > 1 else ""),
        }  # fmt: skip
        for row, text in rows.items():
            self._rows[row].setText(text)

    # -- files and settings -----------------------------------------------------------------

    def _ask_and_save(self) -> None:
        filters = "Design (*.json);;Picture (*.png);;Drawing (*.svg);;TIFF (*.tif)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save design", f"{self.name.value}.json", filters
        )
        if path:
            try:
                self.save(Path(path))
            except (OSError, ValueError) as problem:
                self.say(sentence_of(problem), BAD)
            else:
                self.say(f"Saved {Path(path).name}.", GOOD)

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr encode``."""
        kind = self.kind.value
        return {
            "": [self.text.value] if kind == "text" else [],
            "hex": "".join(self.text.value.split()) if kind == "hex" else None,
            "file": str(self.file.value) if kind == "file" else None,
            **{name: _setting(field.value) for name, field in self._fields.items()},
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr encode``."""
        if settings.get("file"):
            self.kind.value, self.file.value = "file", settings["file"]
        elif settings.get("hex"):
            self.kind.value, self.text.value = "hex", settings["hex"]
        elif settings.get(""):
            self.kind.value, self.text.value = "text", settings[""][0]
        for name, field in self._fields.items():
            if name in settings:
                field.value = _AUTOMATIC if settings[name] is None else settings[name]
        self.update_preview()


def _bytes(terabytes: float) -> str:
    for unit, size in (("TB", 1.0), ("GB", 1e-3), ("MB", 1e-6)):
        if terabytes >= size:
            return f"{terabytes / size:.3g} {unit}"
    return f"{terabytes * 1e9:.3g} kB"


def _setting(value: Any) -> Any:
    return None if value == _AUTOMATIC else value
