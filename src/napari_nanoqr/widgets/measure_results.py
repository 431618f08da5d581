"""Measuring in SEM decode: one button; layers, a window with numbers and plots, a sentence."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtWidgets import QPushButton

from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.scene import overlap
from napari_nanoqr.widgets.background import meanwhile
from napari_nanoqr.widgets.image_source import Box
from napari_nanoqr.widgets.layers import design_of
from napari_nanoqr.widgets.measure_layers import Drawn, update_measure_layers
from napari_nanoqr.widgets.panel import BAD, GOOD, sentence_of
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.reading_layers import warm_up
from napari_nanoqr.widgets.regions import region_boxes

if TYPE_CHECKING:
    from napari_nanoqr.widgets.measure_window import MeasureWindow
    from napari_nanoqr.widgets.sem_decode import SemDecode

NOTHING = "No code was read here, so there is nothing to measure. Decode says why."


class MeasureResults:
    """The button Measure, and what it found.

    Parameters
    ----------
    panel : SemDecode
        Whose image, region and design are measured.

    Attributes
    ----------
    codes : list of Measurement
        Those of the last time.
    window : MeasureWindow or None
        With their numbers and plots.
    """

    def __init__(self, panel: SemDecode) -> None:
        self.codes: list[Measurement] = []
        self.window: MeasureWindow | None = None
        self._panel = panel
        self.button = QPushButton("Measure")
        self.button.setToolTip(
            "Pitch, sizes and edges, roughness, noise, dose and grade, with uncertainties"
        )
        self.button.clicked.connect(self.measure)

    def measure(self) -> None:
        """Read and measure the codes in the background."""
        from napari_nanoqr.widgets.sem_decode import OPEN_ONE

        panel = self._panel
        image, source = panel.image.value, panel.image_source()
        if image is None or source is None:
            panel.say(OPEN_ONE, BAD)
            return
        region, chosen = panel.region.value, panel.design.value
        try:
            boxes = [] if region is None else region_boxes(region, image, source.plane)
        except ValueError as problem:
            panel.say(sentence_of(problem), BAD)
            return
        design = None if chosen is None else design_of(chosen)
        pitch = float(panel.pitch.value) or None
        reference, plane, name = weakref.ref(image), source.plane, image.name

        def work(progress: Progress, cancelled: IsCancelled) -> Drawn:
            from napari_nanoqr.measuring.measure import measure_codes

            progress(0, 0, "Reading and measuring …")
            codes: list[Measurement] = []
            regions: list[Box | None] = [*boxes] or [None]
            with meanwhile(warm_up):
                for box in regions:
                    found = measure_codes(
                        source.micrograph(box), pitch_nm=pitch, design=design,
                        progress=progress, cancelled=cancelled,
                    )  # fmt: skip
                    codes += [m for m in (_moved(m, box) for m in found) if not _known(m, codes)]
                return Drawn.of(codes)

        def done(drawn: Drawn) -> None:
            self._show(drawn, reference, plane, name)

        panel.run(work, done, busy=(panel.decode_button, self.button))

    def _show(self, drawn: Drawn, image: weakref.ref[Image], plane: Plane, name: str) -> None:
        from napari_nanoqr.widgets.measure_window import MeasureWindow

        self.codes = list(drawn.codes)
        layer = image()
        if layer is not None and layer in self._panel.viewer.layers:
            update_measure_layers(self._panel.viewer, layer, plane, drawn)
        if not self.codes:
            self._panel.say(NOTHING, BAD)
            return
        self.window = MeasureWindow(name, self.codes, self._panel)
        self.window.show()
        first = self.codes[0]
        told = first.pitch_nm or first.pitch_px
        count = f"{len(self.codes)} codes measured" if len(self.codes) > 1 else "Measured"
        grade = "" if first.grade is None else f" · grade {first.grade.letter}"
        self._panel.say(f"{count}: pitch {told}{grade}", GOOD)


def _moved(code: Measurement, box: Box | None) -> Measurement:
    """Return what was measured in a region, in pixels of the whole image."""
    if box is None:
        return code
    shift = np.array([[1.0, 0.0, box[0]], [0.0, 1.0, box[2]], [0.0, 0.0, 1.0]])
    grid = Grid(code.grid.shape, shift @ code.grid.perspective, code.grid.bend)
    return replace(code, grid=grid)


def _known(code: Measurement, others: list[Measurement]) -> bool:
    """Whether regions that overlap showed the same code before."""
    return any(overlap(code.grid.corners_yx, other.grid.corners_yx) for other in others)
