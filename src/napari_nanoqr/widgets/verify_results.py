"""Write verify in SEM decode: one button, the verdict in the status line, its reasons below."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy

from napari_nanoqr.measuring.verdict import ORDER, Verdict
from napari_nanoqr.measuring.write_verify import write_verify
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.widgets.background import meanwhile
from napari_nanoqr.widgets.image_source import Box
from napari_nanoqr.widgets.layers import design_of
from napari_nanoqr.widgets.panel import BAD, GOOD, sentence_of
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.reading_layers import update_reading_layers, warm_up
from napari_nanoqr.widgets.regions import region_boxes
from napari_nanoqr.widgets.shown import Shown

if TYPE_CHECKING:
    from napari_nanoqr.widgets.sem_decode import SemDecode

CHOOSE_DESIGN = "Choose the design that was written: its layer has to be open here."

_SIGNS = dict(zip(ORDER, "✓!✗✗", strict=True))


class VerifyResults:
    """The button Verify, and what it found.

    Parameters
    ----------
    panel : SemDecode
        Whose image, region and design are verified.

    Attributes
    ----------
    verdict : Verdict or None
        The last one.
    """

    def __init__(self, panel: SemDecode) -> None:
        self.verdict: Verdict | None = None
        self._panel = panel
        self.button = QPushButton("Verify")
        self.button.clicked.connect(self.verify)
        self.lines = QLabel()
        self.lines.setTextFormat(Qt.TextFormat.PlainText)
        self.lines.setWordWrap(True)
        self.lines.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.lines.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.lines.hide()
        panel.design.changed.connect(lambda *_: self.update())
        panel.image.changed.connect(lambda *_: self.lines.hide())
        self.update()

    def update(self) -> None:
        """Enable the button where a design is chosen."""
        chosen = self._panel.design.value is not None
        self.button.setEnabled(chosen and self._panel.worker is None)
        self.button.setToolTip(
            "Was it written as designed? Payload, differences, grade, margin, pitch and edges"
            if chosen
            else CHOOSE_DESIGN
        )

    def verify(self) -> None:
        """Hold the image against the design in the background."""
        panel = self._panel
        image, source, chosen = panel.image.value, panel.image_source(), panel.design.value
        design = None if chosen is None else design_of(chosen)
        if image is None or source is None or design is None:
            panel.say(CHOOSE_DESIGN, BAD)
            return
        region = panel.region.value
        try:
            boxes = [] if region is None else region_boxes(region, image, source.plane)
        except ValueError as problem:
            panel.say(sentence_of(problem), BAD)
            return
        before = panel.results.outcome
        known = before.readings if before is not None and before.image() is image else Readings()
        reference, plane = weakref.ref(image), source.plane

        def check(progress: Progress, cancelled: IsCancelled) -> tuple[Verdict, Shown]:
            verdict = Verdict(design.name, ())
            regions: list[Box | None] = [*boxes] or [None]
            with meanwhile(warm_up):
                for box in regions:
                    found = write_verify(
                        design, source.micrograph(box), progress=progress, cancelled=cancelled
                    )
                    verdict = _joined(verdict, found, box)
                compared = [place.comparison for place in verdict.places]
                return verdict, Shown.of(known, known.unread, compared)

        def done(result: tuple[Verdict, Shown]) -> None:
            self._show(*result, reference, plane)

        panel.run(check, done, busy=(panel.decode_button, self.button))

    def _show(
        self, verdict: Verdict, shown: Shown, image: weakref.ref[Image], plane: Plane
    ) -> None:
        self.verdict = verdict
        layer = image()
        if layer is not None and layer in self._panel.viewer.layers:
            update_reading_layers(self._panel.viewer, layer, plane, shown)
        self._panel.say(
            f"{_SIGNS[verdict.outcome]} {verdict.headline}", GOOD if verdict.passed else BAD
        )
        # the status line goes with the next job, the reasons stay
        told = [f"Verified against {verdict.name}:", *(f"• {r}" for r in verdict.reasons)]
        self.lines.setText("\n".join(told))
        self.lines.show()


def _joined(before: Verdict, found: Verdict, box: Box | None) -> Verdict:
    """Add the places of a region to a verdict, in pixels of the whole image."""
    corner = np.zeros(2) if box is None else np.array([box[0], box[2]], dtype=np.float64)
    moved = tuple(
        replace(
            place,
            comparison=replace(place.comparison, corners_yx=place.comparison.corners_yx + corner),
        )
        for place in found.places
    )
    return Verdict(found.name, before.places + moved, before.advice or found.advice)
