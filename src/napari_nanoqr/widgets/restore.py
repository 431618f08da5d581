"""Restore: register, flatten, destripe, untilt and straighten a micrograph, each as a layer."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, FloatSpinBox, Label
from napari import Viewer
from napari.layers import Image
from qtpy.QtWidgets import QPushButton, QSizePolicy

from napari_nanoqr.measuring.restore import Restoring, restore
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.provenance import in_words, steps_of
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.layer_choice import LayerChoice
from napari_nanoqr.widgets.layers import KEY
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel
from napari_nanoqr.widgets.pixel_size import path_of
from napari_nanoqr.widgets.reading_layers import is_reading
from napari_nanoqr.widgets.restored_layers import (
    is_restored,
    restored_layers,
    undo_last,
    update_restored_layers,
)

OPEN_ONE = "Open a micrograph: File > Open, or drag its file into the window."

_AS_TOLD = -90.0
# where the field stands that leaves the tilt of the file alone

_OF_THE_LAYER = ("kind", "group", "part", "path", "files", "pixel_size_nm", "pixel_size_source")
# what a layer's metadata hold beside those of the micrograph


Results = tuple[Micrograph, list[Micrograph]]
"""What was restored, and what each step left."""


class Restore(Panel):
    """Restore a micrograph step by step.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the image is and the results go.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Restore", "restore")
        self.viewer = napari_viewer
        self._build()
        self.image.changed.connect(self._on_image)
        for field in self._steps:
            field.changed.connect(lambda *_: self._enable())
        events = self.viewer.layers.events
        for emitter in (events.inserted, events.removed):
            emitter.connect(self._enable)
        self._on_image()

    def _build(self) -> None:
        self.image = LayerChoice(
            self.viewer,
            lambda layer: (
                isinstance(layer, Image) and not is_reading(layer) and not is_restored(layer)
            ),
            "Image",
            empty="no image",
            tooltip="The micrograph: one frame or a stack; it is not changed",
        )
        self.found = Label(label="")
        self.found.native.setWordWrap(True)
        self.found.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.register = _box("Register the frames", "Bring frames into line, take their mean")
        self.rows = _box("row by row", "Also take out drift and vibration within each frame")
        self.flatten = _box("Flatten", "Even out slow changes of brightness and contrast")
        self.destripe = _box("Destripe", "Take out rows and columns that are brighter or darker")
        self.tilt = _box("Correct the tilt", "Stretch y to what is seen from above")
        self.straighten = _box(
            "Straighten by the code", "Resample so that the modules lie on a square grid"
        )
        self.tilt_deg = FloatSpinBox(
            value=_AS_TOLD, min=_AS_TOLD, max=80, step=1, label="Tilt (°)",
            tooltip="Of the specimen about the image's x axis; by default as the file tells",
        )  # fmt: skip
        self.tilt_deg.native.setSpecialValueText("as the file tells")
        self.pitch = FloatSpinBox(
            value=0, min=0, max=1e6, step=1, label="Pitch (nm)",
            tooltip="As designed, where it is known: the pixel size is then calibrated by it",
        )  # fmt: skip
        self.pitch.native.setSpecialValueText("unknown")
        self._steps = (self.register, self.flatten, self.destripe, self.tilt, self.straighten)
        self.form = self.add_form(
            self.image, self.found, self.register, self.rows, self.flatten, self.destripe,
            self.tilt, self.tilt_deg, self.straighten, self.pitch,
        )  # fmt: skip
        self.rows.native.setContentsMargins(18, 0, 0, 0)
        self.restore_button = QPushButton("Restore")
        self.restore_button.clicked.connect(self.restore)
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip("Remove the layer of the last step")
        self.undo_button.clicked.connect(self.undo)
        self.add_buttons(self.restore_button, self.undo_button)
        self.add_status()

    # -- the image --------------------------------------------------------------------------

    def _on_image(self) -> None:
        source = self._source()
        if source is not None:
            # what a stack is taken for; a single image has nothing to register
            self.register.value = self.rows.value = source.frames > 1
        if self.worker is None:
            self.say("" if source is not None else OPEN_ONE)
        self._enable()

    def _enable(self) -> None:
        source, image = self._source(), self.image.value
        self.form.setRowVisible(self.found.native, source is not None)
        stack = source is not None and source.frames > 1
        self.form.setRowVisible(self.register.native, stack)
        self.form.setRowVisible(self.rows.native, stack and bool(self.register.value))
        self.form.setRowVisible(self.tilt_deg.native, bool(self.tilt.value))
        self.form.setRowVisible(self.pitch.native, bool(self.straighten.value))
        self.undo_button.setEnabled(image is not None and bool(restored_layers(self.viewer, image)))
        if source is not None:
            self.found.value = "<br>".join(
                [source.describe(), f"Pixel size {source.pixel_size}", _tilt_in_words(source)]
            )

    def _source(self) -> ImageSource | None:
        image = self.image.value
        return None if image is None else ImageSource.of(self.viewer, image)

    # -- restoring --------------------------------------------------------------------------

    @property
    def restoring(self) -> Restoring:
        """The steps that are chosen."""
        source = self._source()
        stack = source is not None and source.frames > 1
        tilt: bool | float = bool(self.tilt.value)
        if tilt and self.tilt_deg.value != _AS_TOLD:
            tilt = float(self.tilt_deg.value)
        return Restoring(
            register=stack and bool(self.register.value),
            rows=stack and bool(self.register.value) and bool(self.rows.value),
            flatten=bool(self.flatten.value),
            destripe=bool(self.destripe.value),
            tilt=tilt,
            straighten=bool(self.straighten.value),
            pitch_nm=float(self.pitch.value) or None,
        )

    def restore(self) -> None:
        """Take the steps in the background, and show what each of them left."""
        image, source, restoring = self.image.value, self._source(), self.restoring
        if image is None or source is None:
            self.say(OPEN_ONE, BAD)
            return
        if not restoring.steps:
            self.say("Choose at least one step.", BAD)
            return
        facts = image.metadata.get(KEY)
        facts = facts if isinstance(facts, dict) else {}
        kept = {key: value for key, value in facts.items() if key not in _OF_THE_LAYER}
        reference, name = weakref.ref(image), image.name

        def work(progress: Progress, cancelled: IsCancelled) -> Results:
            progress(0, restoring.count, "Loading the pixels …")
            taken = source.micrograph()
            before = replace(taken, metadata=kept | taken.metadata)
            steps = restore(before, restoring, progress=progress, cancelled=cancelled)
            return before, list(steps)

        def done(result: Results) -> None:
            before, results = result
            target = reference()
            if target is None or target not in self.viewer.layers:
                self.say(f"{name} is no longer here: nothing was added.", BAD)
                return
            update_restored_layers(self.viewer, target, source.plane, before, results)
            self._enable()
            self.say(_summary(results[-1]), GOOD)

        self.run(work, done, busy=(self.restore_button, self.undo_button))

    def undo(self) -> None:
        """Remove the layer of the last step."""
        image = self.image.value
        gone = None if image is None else undo_last(self.viewer, image)
        self.say("There is nothing to undo." if gone is None else f"Removed: {gone}.")
        self._enable()

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr restore``."""
        image, source, chosen = self.image.value, self._source(), self.restoring
        path = None if image is None else path_of(image)
        size: float | None = None
        if source is not None and source.pixel_size.nm and not source.pixel_size.from_file:
            size = source.pixel_size.nm[1]
        return {
            "": [] if path is None else [path],
            "output": None if path is None else f"{Path(path).stem}-restored.tif",
            "register": chosen.register,
            "rows": chosen.rows,
            "flatten": chosen.flatten,
            "destripe": chosen.destripe,
            "tilt": chosen.tilt,
            "straighten": chosen.straighten,
            "pitch": chosen.pitch_nm,
            "pixel_size": size,
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr restore``; pick its image where it is open."""
        for layer in self.image.choices:
            if path_of(layer) in (settings.get("") or []):
                self.image.value = layer
                break
        for name in ("register", "rows", "flatten", "destripe", "straighten"):
            if name in settings:
                getattr(self, name).value = bool(settings[name])
        if settings.get("rows"):
            self.register.value = True
        if "tilt" in settings:
            tilt = settings["tilt"]
            told = isinstance(tilt, bool) or tilt is None
            self.tilt.value = bool(tilt) if told else True
            self.tilt_deg.value = _AS_TOLD if told else float(tilt)
        if "pitch" in settings:
            self.pitch.value = settings["pitch"] or 0
        self._enable()


def _box(text: str, tooltip: str) -> CheckBox:
    box = CheckBox(value=False, label="", text=text)
    box.tooltip = tooltip
    return box


def _tilt_in_words(source: ImageSource) -> str:
    tilt = source.acquisition.get("tilt_deg")
    if source.acquisition.get("tilt_correction"):
        return "The file says that the tilt was corrected already"
    if not isinstance(tilt, int | float):
        return "Tilt unknown"
    return f"Tilt {tilt:.4g}° about the x axis (from the file)"


def _summary(result: Micrograph) -> str:
    words = "; ".join(in_words(entry) for entry in steps_of(result))
    return words[:1].upper() + words[1:] + "."
