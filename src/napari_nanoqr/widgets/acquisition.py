"""How a micrograph was taken: what its file tells, and what the user knows better."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import FloatSpinBox, Label
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy

from napari_nanoqr.reading.dose import rounded
from napari_nanoqr.reading.image import open_source
from napari_nanoqr.sem.files.quantities import in_words
from napari_nanoqr.sem.given import Given
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.layers import KEY

if TYPE_CHECKING:
    from napari_nanoqr.widgets.image_source import ImageSource
    from napari_nanoqr.widgets.panel import Panel

_WARNING = "#d5752b"
_AS_FOUND = "as found"
_UNKNOWN = "unknown"
# where a field stands that leaves the value of the file alone
_NO_TILT = -1.0


class AcquisitionSection:
    """A section that folds: the acquisition in a table, and fields for what is wrong in it.

    Parameters
    ----------
    panel : Panel
        Where it is put.

    Attributes
    ----------
    tilt, dwell, current : FloatSpinBox
        In degrees, microseconds and picoamperes.
    """

    def __init__(self, panel: Panel) -> None:
        self.found = Label(label="")
        native = self.found.native
        native.setWordWrap(True)
        native.setTextFormat(Qt.TextFormat.RichText)
        native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.tilt = _field("Tilt (°)", _NO_TILT, 80, 1, 2, "Of the stage, where the file is wrong")
        self.dwell = _field("Dwell (µs)", 0, 1e6, 0.1, 4, "On each pixel, of one scan")
        self.current = _field("Current (pA)", 0, 1e9, 10, 3, "Of the beam on the specimen")
        self._section = panel.add_section(
            "Acquisition", self.found, self.tilt, self.dwell, self.current
        )

    @property
    def fields(self) -> tuple[FloatSpinBox, ...]:
        """What the user can change."""
        return self.tilt, self.dwell, self.current

    def given(self, pixel_size_nm: float) -> Given:
        """Return what the fields say; a pixel size of 0 is that of the image."""
        settings = self.settings()
        dwell, current = settings["dwell"], settings["current"]
        return Given(
            pixel_size_nm or None,
            settings["tilt"],
            None if dwell is None else dwell * 1e-6,
            None if current is None else current * 1e-12,
        )

    def show(self, image: Image | None, source: ImageSource | None, given: Given) -> None:
        """Tell what is known of an image; without one the section goes."""
        self._section.setVisible(image is not None)
        if image is None or source is None:
            return
        facts = image.metadata.get(KEY)
        facts = given.over(facts if isinstance(facts, dict) else {})
        rows = "".join(
            f"<tr><td style='padding-right: 10px'>{name}</td><td>{escape(value)}</td></tr>"
            for name, value in rows_of(facts, given, source)
        )
        warnings = "".join(
            f"<p style='color: {_WARNING}; margin: 3px 0'>{escape(sentence)}</p>"
            for sentence in [*(facts.get("conflicts") or {}).values(), *(facts.get("notes") or [])]
        )
        self.found.value = f"<table>{rows}</table>{warnings}"

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr decode``."""
        tilt = float(self.tilt.value)
        return {
            "tilt": None if tilt <= _NO_TILT else max(tilt, 0.0),
            "dwell": float(self.dwell.value) or None,
            "current": float(self.current.value) or None,
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr decode``."""
        if "tilt" in settings:
            self.tilt.value = _NO_TILT if settings["tilt"] is None else abs(settings["tilt"])
        for name, field in (("dwell", self.dwell), ("current", self.current)):
            if name in settings:
                field.value = settings[name] or 0


def rows_of(facts: dict[str, Any], given: Given, source: ImageSource) -> list[tuple[str, str]]:
    """Return names and values of the acquisition, in words.

    Parameters
    ----------
    facts : dict
        Metadata of a micrograph, with what is given in it.
    given : Given
        What the user said, to mark it.
    source : ImageSource
        The image with its pixel size.
    """

    def told(key: str) -> str:
        value = facts.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return _UNKNOWN
        words = in_words(key, float(value))
        return f"{words} (given)" if key in given.metadata else words

    dwell = told("dwell_s")
    if facts.get("averaged", 1) > 1:
        dwell += f", {facts['averaged']} scans"
    tilt = told("tilt_deg")
    if facts.get("tilt_correction"):
        angle = facts.get("tilt_correction_deg")
        tilt += ", scan corrected" + ("" if angle is None else f" for {angle:.4g}°")
    ion = facts.get("beam") == "ion"
    one = np.zeros((1, 1), np.uint8)
    dose = open_source(Micrograph(one, source.pixel_size.nm, None, dict(facts))).dose
    electrons = _UNKNOWN
    if dose.per_pixel is not None:
        electrons = f"{rounded(dose.per_pixel):g} electrons a pixel"
        electrons += "" if dose.per_nm2 is None else f", {dose.per_nm2:.2g} per nm²"
    return [
        ("Microscope", str(facts.get("vendor") or _UNKNOWN) + (", ion beam" if ion else "")),
        ("Pixel size", str(source.pixel_size)),
        ("Energy", told("landing_energy_ev")),
        ("Detector", str(facts.get("detector") or _UNKNOWN)),
        ("Tilt", tilt),
        ("Dwell", dwell),
        ("Current", told("beam_current_a")),
        ("Dose", electrons),
    ]


def _field(
    label: str, low: float, high: float, step: float, decimals: int, tip: str
) -> FloatSpinBox:
    """Return a number whose lowest value leaves that of the file alone."""
    field = FloatSpinBox(value=low, min=low, max=high, step=step, label=label)
    field.tooltip = f"{tip}. Leave it at “{_AS_FOUND}” where the file is right."
    field.native.setSpecialValueText(_AS_FOUND)
    field.native.setDecimals(decimals)
    return field
