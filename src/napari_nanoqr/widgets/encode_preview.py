"""Encode preview: type a payload and see the symbol at its true size."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_nanoqr.cli.export import duration
from napari_nanoqr.design.design import Design
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.symbols.names import SYMBOLS
from napari_nanoqr.widgets.encode_fields import EncodeFields
from napari_nanoqr.widgets.encode_numbers import ROWS, headline, numbers
from napari_nanoqr.widgets.layers import (
    DESIGN_PARTS,
    KEY,
    design_layers,
    parts_of,
    update_design_layers,
)
from napari_nanoqr.widgets.panel import BAD, GOOD, PLAIN, Panel, sentence_of
from napari_nanoqr.widgets.payload_field import PayloadField
from napari_nanoqr.widgets.smallest_dialog import Asked, SmallestDialog

if TYPE_CHECKING:
    from napari_nanoqr.planning.cheapest import MaskChoice
    from napari_nanoqr.planning.choice import Choice

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
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self.update_preview)
        self.payload = PayloadField(self, self._timer.start)
        self.fields = EncodeFields(self, self._timer.start)
        self._add_actions()
        self.add_status()
        self._rows = self.add_numbers(*ROWS)
        self.smallest: SmallestDialog | None = None
        self.update_preview()

    def _add_actions(self) -> None:
        self.smallest_button = QPushButton("Smallest symbol …")
        self.smallest_button.setToolTip("All symbols that hold this payload, by their area")
        self.smallest_button.clicked.connect(self.show_smallest)
        self.mask_button = QPushButton("Cheapest mask")
        self.mask_button.setToolTip(
            "The mask, and dark or light modules, that take the least beam time and are read as "
            "well: simulates a few micrographs"
        )
        self.mask_button.clicked.connect(self.choose_cheapest_mask)
        self.new_button = QPushButton("New design beside it")
        self.new_button.setToolTip("Leave this design as it is and start another to its right")
        self.new_button.clicked.connect(self.new_design)
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Save as design (.json) or picture (.png, .svg, .tif)")
        self.save_button.clicked.connect(self._ask_and_save)
        self.add_buttons(self.smallest_button, self.mask_button)
        self.add_buttons(self.new_button, self.save_button)

    # -- the preview ------------------------------------------------------------------------

    def update_preview(self) -> None:
        """Encode what the fields say and bring the layers up to date; never raises."""
        self._timer.stop()
        try:
            design = self.fields.design(self.payload.read())
        except (ValueError, OSError) as problem:
            self.design = None
            for label in self._rows.values():
                label.setText("–")
            shown = parts_of(self.viewer, self._group)
            left = " The layers show the last symbol that was possible." if shown else ""
            self.say(sentence_of(problem) + left, BAD)
            self._allow_actions()
            return
        self.design = design
        self._allow_actions()
        self._show_layers(design)
        said, smaller = headline(design)
        self.say(said, GOOD if smaller else PLAIN)
        for row, text in numbers(design).items():
            self._rows[row].setText(text)

    def _allow_actions(self) -> None:
        self.save_button.setEnabled(self.design is not None)
        self.mask_button.setEnabled(self.design is not None and self.worker is None)

    def new_design(self) -> None:
        """Leave the layers as they are and start another design to the right of them."""
        if self.design is None:
            return
        self._group = uuid.uuid4().hex
        taken = {layer.metadata.get(KEY, {}).get("name") for layer in self.viewer.layers}
        stem, number = self.fields.name.value.rstrip("0123456789 ") or "design", 2
        while f"{stem} {number}" in taken:
            number += 1
        self.fields.name.value = f"{stem} {number}"
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

    # -- planning ---------------------------------------------------------------------------

    def show_smallest(self) -> None:
        """Open the window that ranks the symbols that hold this payload, and rank them."""
        if self.smallest is None:
            self.smallest = SmallestDialog(self, self._asked, self.use)
        self.smallest.open()

    def _asked(self) -> Asked:
        return Asked(
            self.payload.read(),
            self.fields.film(),
            self.fields.pitch.value,
            self.fields.allow_upper.value,
            self.fields.eci.value,
        )

    def use(self, choice: Choice, eci: bool, fixed_mask: bool = False) -> None:
        """Set the fields so that they make a symbol that was chosen.

        Parameters
        ----------
        choice : Choice
            For the payload as it is now.
        eci : bool
            Whether an ECI was allowed.
        fixed_mask : bool
            Take its mask, rather than the one that suits whatever is typed.
        """
        kind = next(kind for kind, name in SYMBOLS.items() if name == choice.symbology)
        self.fields.apply_settings(
            {
                "symbol": kind,
                "version": choice.version,
                "error": choice.error,
                "mask": choice.mask if fixed_mask else None,
                "allow_upper": choice.payload != self.payload.read(),
                "eci": eci,
                "pitch": choice.pitch_nm,
                "mill": choice.mill,
            }
        )
        self.update_preview()

    def choose_cheapest_mask(self) -> None:
        """Find the mask and polarity of least beam time in the background, and set them."""
        design = self.design
        if design is None:
            return

        def choose(progress: Progress, cancelled: IsCancelled) -> MaskChoice:
            from napari_nanoqr.planning.cheapest import cheapest_mask

            # how many have to be looked at is not known before
            def step(_done: int, _planned: int, sentence: str) -> None:
                progress(0, 0, f"Simulated: {sentence}")

            return cheapest_mask(design, progress=step, cancelled=cancelled)

        def done(choice: MaskChoice) -> None:
            if self.design != design:
                self.say("The design has changed meanwhile: its mask was left as it is.", BAD)
                return
            self.fields.apply_settings({"mask": choice.chosen.mask, "mill": choice.chosen.mill})
            self.update_preview()
            self.say(saving(choice), GOOD)

        self.run(choose, done, busy=(self.mask_button,))

    # -- files and settings -----------------------------------------------------------------

    def _ask_and_save(self) -> None:
        filters = "Design (*.json);;Picture (*.png);;Drawing (*.svg);;TIFF (*.tif)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save design", f"{self.fields.name.value}.json", filters
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
        return {**self.payload.settings(), **self.fields.settings()}

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr encode``.

        Raises
        ------
        ValueError
            Where one of them cannot be.
        """
        self.payload.apply_settings(settings)
        self.fields.apply_settings(settings)
        self.update_preview()


def saving(choice: MaskChoice) -> str:
    """Tell what a mask and polarity save, in a sentence."""
    chosen, standard = choice.chosen, choice.standard
    taken = f"Mask {chosen.mask} with {chosen.mill} modules milled"
    if (chosen.mask, chosen.mill) == (standard.mask, standard.mill):
        return (
            f"{taken}, the encoder's own choice, is the cheapest that is read as well: "
            f"{duration(chosen.beam_time_s)} with the beam on."
        )
    return (
        f"{taken} takes {duration(chosen.beam_time_s)} with the beam on: "
        f"{duration(choice.saved_s)} or {100 * choice.saved_share:.2g} % less than mask "
        f"{standard.mask} with {standard.mill} modules, and is read as well."
    )
