"""SEM decode: read the codes in a micrograph and show them on it."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, FloatSpinBox, Label
from napari import Viewer
from napari.layers import Image, Layer, Shapes
from qtpy.QtWidgets import QPushButton, QSizePolicy

from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.sem.given import Given
from napari_nanoqr.widgets.acquisition import AcquisitionSection
from napari_nanoqr.widgets.background import meanwhile
from napari_nanoqr.widgets.decode_results import DecodeResults, Outcome
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.layer_choice import LayerChoice
from napari_nanoqr.widgets.layers import KEY, design_of, shows_design
from napari_nanoqr.widgets.measure_results import MeasureResults
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.pixel_size import path_of
from napari_nanoqr.widgets.planes import to_world
from napari_nanoqr.widgets.reading_layers import (
    is_reading,
    look_at,
    update_reading_layers,
    warm_up,
)
from napari_nanoqr.widgets.reading_words import no_code_advice, summary
from napari_nanoqr.widgets.regions import compare_regions, read_regions, region_boxes
from napari_nanoqr.widgets.report_button import ReportButton
from napari_nanoqr.widgets.shown import Shown
from napari_nanoqr.widgets.verify_results import VerifyResults

OPEN_ONE = "Open a micrograph: File > Open, or drag its file into the window."
REGION_COLOUR = "#cc79a7"

_ALL, _CURRENT = "all", "current"


class SemDecode(Panel):
    """Read the codes in a micrograph, and show them where they are.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the image is and the results go.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("SEM decode", "decode")
        self.viewer = napari_viewer
        self._watched: weakref.ref[Image] | None = None
        self._build_fields()
        self.report = ReportButton(self)
        self.results = DecodeResults(self, self._look_at, self.report)
        self.image.changed.connect(self._on_image)
        for field in (self.pixel_size, self.frames, *self.acquisition.fields):
            field.changed.connect(lambda *_: self.update_image())
        self._on_image()

    # -- building ---------------------------------------------------------------------------

    def _build_fields(self) -> None:
        self.image = LayerChoice(
            self.viewer,
            lambda layer: isinstance(layer, Image) and not is_reading(layer),
            "Image",
            empty="no image",
            tooltip="The micrograph: one frame or a stack, grey or colour",
        )
        self.found = Label(label="")
        self.found.native.setWordWrap(True)
        self.found.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.pixel_size = FloatSpinBox(
            value=0, min=0, max=1e6, step=0.1, label="Pixel size (nm)",
            tooltip="Enter it where the image does not know it, or is wrong",
        )  # fmt: skip
        self.pixel_size.native.setSpecialValueText("as found")
        self.pixel_size.native.setDecimals(4)
        self.pitch = FloatSpinBox(
            value=0, min=0, max=1e6, step=1, label="Pitch (nm)",
            tooltip="Side of a module, where it is known; faint codes are found more easily",
        )  # fmt: skip
        self.pitch.native.setSpecialValueText("unknown")
        self.region = LayerChoice(
            self.viewer,
            _may_be_region,
            "Region",
            none="whole image",
            tooltip="Read within the selected shapes of this layer, or within all of them",
        )
        self.design = LayerChoice(
            self.viewer,
            shows_design,
            "Design",
            none="none",
            tooltip="What was written, where it is open here: every module is held against it",
        )
        choices = [("all, averaged", _ALL), ("the current one", _CURRENT)]
        self.frames = ComboBox(choices=choices, value=_ALL, label="Frames")
        self.frames.tooltip = "Frames are brought into line before they are averaged"
        self._form = self.add_form(
            self.image, self.found, self.pixel_size, self.pitch, self.design, self.region,
            self.frames,
        )  # fmt: skip
        self.acquisition = AcquisitionSection(self)
        self.decode_button = QPushButton("Decode")
        self.decode_button.clicked.connect(self.decode)
        self.region_button = QPushButton("Draw a region")
        self.region_button.setToolTip("Add a layer to draw a rectangle around the code")
        self.region_button.clicked.connect(self.draw_region)
        self.measure = MeasureResults(self)
        self.verify = VerifyResults(self)
        self.add_buttons(
            self.decode_button, self.measure.button, self.verify.button, self.region_button
        )
        self.add_status()
        self.add(self.verify.lines)

    # -- the image --------------------------------------------------------------------------

    def _on_image(self) -> None:
        before = None if self._watched is None else self._watched()
        if before is not None:
            for emitter in _what_matters(before):
                emitter.disconnect(self.update_image)
        image = self.image.value
        self._watched = None if image is None else weakref.ref(image)
        if image is not None:
            for emitter in _what_matters(image):
                emitter.connect(self.update_image)
        if self.worker is None:
            self.say("" if image is not None else OPEN_ONE)
        self.update_image()

    def update_image(self) -> None:
        """Tell what is known of the image."""
        source = self.image_source()
        self.region_button.setEnabled(source is not None)
        self._form.setRowVisible(self.found.native, source is not None)
        self._form.setRowVisible(self.frames.native, source is not None and source.frames > 1)
        if source is not None:
            lines = [source.describe(), f"Pixel size {source.pixel_size}"]
            if source.pixel_size.nm is None:
                lines[1] += ". Enter it, or the reader will search for the scale."
            self.found.value = "<br>".join(lines)
        self.acquisition.show(self.image.value, source, self._given)

    def image_source(self) -> ImageSource | None:
        """Return what is to be read of the chosen image; None without one."""
        image = self.image.value
        if image is None:
            return None
        return ImageSource.of(self.viewer, image, self.frames.value == _ALL, self._given)

    @property
    def _given(self) -> Given:
        return self.acquisition.given(float(self.pixel_size.value))

    def draw_region(self) -> None:
        """Add a layer for a region in the units of the image, ready to draw a rectangle."""
        image, source = self.image.value, self.image_source()
        if image is None or source is None:
            return
        corners = np.array([[0.0, 0.0], [float(n) for n in source.shape]])
        ends = to_world(image, source.plane, corners)
        layer = Shapes(
            ndim=2,
            name=f"{image.name} · region",
            units=image.units[-2:],
            axis_labels=image.axis_labels[-2:],
            face_color="transparent",
            edge_color=REGION_COLOUR,
            edge_width=float(np.abs(ends[1] - ends[0])[-2:].max()) / 300,
        )
        self.viewer.add_layer(layer)
        self.region.value = layer
        layer.mode = "add_rectangle"
        self.say("Draw a rectangle around the code, then press Decode.")

    # -- decoding ---------------------------------------------------------------------------

    def decode(self) -> None:
        """Read the codes in the background."""
        image, source = self.image.value, self.image_source()
        if image is None or source is None:
            self.say(OPEN_ONE, BAD)
            return
        region = self.region.value
        try:
            boxes = [] if region is None else region_boxes(region, image, source.plane)
        except ValueError as problem:
            self.say(sentence_of(problem), BAD)
            return
        pitch = float(self.pitch.value) or None
        chosen = self.design.value
        design = None if chosen is None else design_of(chosen)
        if chosen is not None and design is None:
            self.say(f"{chosen.name} no longer shows a design: choose another one.", BAD)
            return
        name, path, reference = image.name, path_of(image), weakref.ref(image)

        def read(progress: Progress, cancelled: IsCancelled) -> tuple[Outcome, Shown]:
            with meanwhile(warm_up):
                readings = read_regions(source, boxes, pitch, progress, cancelled)
                compared = None
                if design is not None:
                    compared = compare_regions(source, boxes, design, progress, cancelled)
                outcome = Outcome(
                    reference, name, path, source.plane, source.pixel_size, readings, compared
                )
                return outcome, Shown.of(readings, readings.unread, compared or ())

        def done(result: tuple[Outcome, Shown]) -> None:
            outcome, shown = result
            self._show(outcome, shown, no_code_advice(outcome.readings, source, pitch, bool(boxes)))

        self.run(read, done, busy=(self.decode_button,))

    def _show(self, outcome: Outcome, shown: Shown, advice: str) -> None:
        self.results.show(outcome)
        image = self._image_of(outcome)
        if image is not None:
            update_reading_layers(self.viewer, image, outcome.plane, shown)
        if not outcome.readings:
            self.say(advice, BAD)
            return
        gone = "" if image is not None else f" · {outcome.name} is no longer here"
        self.say(summary(outcome.readings) + gone, GOOD)

    def _look_at(self, reading: Reading) -> None:
        outcome = self.results.outcome
        image = None if outcome is None else self._image_of(outcome)
        if image is not None and outcome is not None:
            look_at(self.viewer, image, outcome.plane, reading)

    def _image_of(self, outcome: Outcome) -> Image | None:
        image = outcome.image()
        return image if image is not None and image in self.viewer.layers else None

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr decode``.

        A pixel size that the layer has and its file does not is among them.
        """
        image, source = self.image.value, self.image_source()
        path = None if image is None else path_of(image)
        size: float | None = float(self.pixel_size.value) or None
        if size is None and source is not None and source.pixel_size.nm is not None:
            y, x = source.pixel_size.nm
            if not source.pixel_size.from_file and np.isclose(y, x, rtol=1e-6):
                size = x
        return {
            "": [] if path is None else [path],
            "pixel_size": size,
            "pitch": float(self.pitch.value) or None,
        } | self.acquisition.settings()

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr decode``; pick its image where it is open."""
        for layer in self.image.choices:
            if path_of(layer) in (settings.get("") or []):
                self.image.value = layer
                break
        for name, field in (("pixel_size", self.pixel_size), ("pitch", self.pitch)):
            if name in settings:
                field.value = settings[name] or 0
        self.acquisition.apply_settings(settings)


def _may_be_region(layer: Layer) -> bool:
    return isinstance(layer, Shapes) and KEY not in layer.metadata


def _what_matters(image: Image) -> tuple[Any, ...]:
    events = image.events
    return (events.scale, events.units, events.affine, events.data, events.metadata, events.rotate)
