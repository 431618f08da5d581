"""FIB export: plan the milling of a design, predict the result, write the instrument's file."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from napari import Viewer
from napari.layers import Layer
from napari.qt.threading import create_worker
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_nanoqr.cli.export import duration, verdict
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.columns import beams, find_beam, format_current
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.verify import Verification
from napari_nanoqr.widgets.layer_choice import LayerChoice
from napari_nanoqr.widgets.layers import KEY, design_of, parts_of, shows_design
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of
from napari_nanoqr.widgets.pattern_layers import path_layer

FORMATS = {
    "Thermo/FEI stream, 16 bit": (".str", "s16"),
    "Thermo/FEI stream, 16 bit, 25 ns": (".str", "s16,25ns"),
    "Thermo/FEI stream, 12 bit": (".str", "s"),
    "Thermo/FEI bitmap, 24 bit": (".bmp", None),
    "Thermo/FEI pattern file": (".ptf", None),
    "GDSII": (".gds", None),
    "OASIS": (".oas", None),
    "Raith ASCII": (".asc", None),
    "NPGS drawing": (".dc2", None),
    "Zeiss SmartFIB": (".ely", None),
    "TESCAN DrawBeam": (".xml", None),
    "NPVE deflection list": (".txt", None),
    "CSV of points": (".csv", None),
    "SVG": (".svg", None),
    "DXF": (".dxf", None),
}
"""Suffix and stream form of each format that is written."""

_DELAY_MS = 60
_AUTOMATIC = "automatic"
_PATH_DELAY_MS = 300
"""The path is drawn once the typing pauses: it is the only part that takes time."""


class FibExport(Panel):
    """Plan the milling of a design and write it for the instrument.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the designs are and the layers go.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("FIB export", "export")
        self.viewer = napari_viewer
        self.plan: MillPlan | None = None
        self._build_fields()
        self._build_results()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self.update_plan)
        self._path_timer = QTimer(self)
        self._path_timer.setSingleShot(True)
        self._path_timer.setInterval(_PATH_DELAY_MS)
        self._path_timer.timeout.connect(self._show_path)
        for field in (self.design_choice, *self._fields.values(), self.spacing, self.show_path):
            field.changed.connect(lambda *_: self._timer.start())
        self.format.changed.connect(lambda *_: self._timer.start())
        self._watched: Layer | None = None
        self.update_plan()

    # -- building ---------------------------------------------------------------------------

    def _build_fields(self) -> None:
        self.design_choice = LayerChoice(
            self.viewer, shows_design, "Design", empty="no design: make one with Encode preview"
        )
        self.format = ComboBox(choices=list(FORMATS), value=next(iter(FORMATS)), label="Format")
        # the whole name is too long for a dock; all of these are 30 kV gallium
        currents = [
            (f"{format_current(beam.current_pa)} · {beam.spot_nm:g} nm · {beam.column}", str(beam))
            for beam in beams()
        ]
        self.beam = ComboBox(choices=currents, value=str(find_beam()), label="Beam")
        self.beam.tooltip = "Gallium, 30 kV, nominal spot; put your measured spot below"
        self.add_form(self.design_choice, self.format, self.beam)

        self.spot = _number("Spot (nm)", 0, 5000, 1, "Measured spot (FWHM)", zero="as listed")
        self.spacing = ComboBox(
            choices=["automatic", "point pitch (nm)", "overlap (%)"],
            value="automatic",
            label="Spacing",
        )
        self.spacing_value = _number(
            "", -400, 10_000, 1, "Adjusted so that a whole number of points makes a module"
        )
        self.spacing_value.label = "Spacing value"
        self.dwell = _number("Dwell (µs)", 0, 1e5, 0.1, "Per point and pass", zero=_AUTOMATIC)
        self.passes = SpinBox(value=0, min=0, max=1_000_000, label="Passes")
        self.passes.tooltip = "0 takes as many as the dose needs"
        orders = [("serpentine", "serpentine"), ("raster", "raster")]
        self.scan = ComboBox(choices=orders, value="serpentine", label="Scan order")
        self.hfw = _number("Field width (µm)", 0, 10_000, 1, "HFW", zero=_AUTOMATIC)
        self.show_path = CheckBox(value=True, label="Beam path", text="shown on the design")
        self.add_section(
            "Points, dwell, passes, field",
            self.spot, self.spacing, self.spacing_value, self.dwell, self.passes, self.scan,
            self.hfw, self.show_path,
        )  # fmt: skip

        self.volume = _number(
            "Vol./dose (µm³/nC)", 0, 100, 0.01, "Your calibrated value", zero="as tabulated"
        )
        self.uncertainty = _number("Uncertainty (%)", 0, 99, 1, "Of your calibrated value", 10)
        self.over_etch = _number("Over-etch factor", 0.1, 10, 0.05, "On the dose", 1)
        self.add_section(
            "Volume per dose, over-etch", self.volume, self.uncertainty, self.over_etch
        )
        # by the names of the command line's options
        self._fields = {
            "beam": self.beam,
            "spot": self.spot,
            "spacing": self.spacing_value,
            "dwell": self.dwell,
            "passes": self.passes,
            "scan": self.scan,
            "hfw": self.hfw,
            "volume_per_dose": self.volume,
            "volume_per_dose_uncertainty": self.uncertainty,
            "over_etch": self.over_etch,
        }

    def _build_results(self) -> None:
        self.predict_button = QPushButton("Predict")
        self.predict_button.setToolTip("Mill the film and image it in the computer")
        self.predict_button.clicked.connect(self.predict)
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Write the file, read it back, decode it")
        self.save_button.clicked.connect(self._ask_and_save)
        self.add_buttons(self.predict_button, self.save_button)
        self.add_status()
        self._rows = self.add_numbers(
            "Points", "Passes", "Dose", "Beam time", "Mills", "Field", "Notes"
        )

    # -- the plan ---------------------------------------------------------------------------

    def update_plan(self) -> None:
        """Plan with what the fields say, and show the numbers and the path; never raises."""
        self._timer.stop()
        layer = self.design_choice.value
        self._watch(layer)
        self.spacing_value.native.setEnabled(self.spacing.value != "automatic")
        self.uncertainty.native.setEnabled(self.volume.value > 0)
        design = None if layer is None else design_of(layer)
        self.plan = None
        try:
            if design is None:
                raise ValueError(
                    "There is no design yet: make one with Encode preview, or open a design "
                    "file (.json)."
                )
            self.plan = self._plan_from_fields(design)
        except ValueError as problem:
            for label in self._rows.values():
                label.setText("–")
            self.say(sentence_of(problem), BAD)
        else:
            self._show_numbers(self.plan)
            self._path_timer.start()
        if self.worker is None:
            for button in (self.predict_button, self.save_button):
                button.setEnabled(self.plan is not None)

    def _plan_from_fields(self, design: Design) -> MillPlan:
        beam = find_beam(self.beam.value)
        if self.spot.value:
            beam = replace(beam, spot_nm=self.spot.value, source="spot given by the user")
        volume: VolumePerDose | None = None
        if self.volume.value:
            volume = VolumePerDose.within(self.volume.value, self.uncertainty.value)
        by_pitch = self.spacing.value.startswith("point") and self.spacing_value.value > 0
        by_overlap = self.spacing.value.startswith("overlap")
        return plan_milling(
            design,
            beam,
            point_pitch_nm=self.spacing_value.value if by_pitch else None,
            overlap_percent=self.spacing_value.value if by_overlap else None,
            dwell_us=self.dwell.value or None,
            passes=self.passes.value or None,
            scan=self.scan.value,
            volume_per_dose_um3_per_nc=volume,
            over_etch=self.over_etch.value,
            hfw_um=self.hfw.value or None,
        )

    def _show_numbers(self, plan: MillPlan) -> None:
        low, high = plan.depth_range_nm
        self.say(
            f"{plan.beam.current_pa:g} pA · {plan.n_points:,} points · {plan.passes:,} passes · "
            f"{duration(plan.beam_on_time_s)} · dose {plan.ion_dose_nc_per_um2:.3g} nC/µm²"
        )
        rows = {
            "Points": f"{plan.n_points:,} in each pass, {plan.point_pitch_nm:.4g} nm apart "
            f"({plan.overlap_percent:.0f} % overlap), {plan.points_per_module} x "
            f"{plan.points_per_module} in a module",
            "Passes": f"{plan.passes:,} of {plan.dwell_us:.4g} µs a point",
            "Dose": f"{plan.ion_dose_nc_per_um2:.4g} nC/µm² "
            f"({plan.needed_dose_nc_per_um2:.4g} needed)",
            "Beam time": f"{duration(plan.beam_on_time_s)} with the beam on; blanking and "
            "settling come on top",
            "Mills": f"{plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g}) of the "
            f"{plan.design.film}; {_volume_text(plan.volume_per_dose)}",
            "Field": f"{plan.hfw_um:g} µm wide (HFW)",
            "Notes": "\n".join(plan.warnings) or "none",
        }
        for row, text in rows.items():
            self._rows[row].setText(text)

    def _watch(self, layer: Layer | None) -> None:
        """Follow the design while it is edited: its modules change, or its metadata."""
        if layer is self._watched:
            return
        watched = ("data", "scale", "name")
        for name in watched:
            if self._watched is not None:
                getattr(self._watched.events, name).disconnect(self._design_changed)
            if layer is not None:
                getattr(layer.events, name).connect(self._design_changed)
        self._watched = layer

    def _design_changed(self, _: Any = None) -> None:
        self._timer.start()

    # -- layers -----------------------------------------------------------------------------

    def _group(self, layer: Layer) -> str:
        return str(layer.metadata[KEY]["group"])

    def _centre(self, layer: Layer) -> tuple[float, float]:
        y, x = layer.extent.world[:, -2:].mean(axis=0)
        return float(y), float(x)

    def _show_path(self) -> None:
        layer, plan = self.design_choice.value, self.plan
        if layer is None or plan is None:
            return
        old = parts_of(self.viewer, self._group(layer)).get("beam path")
        if not self.show_path.value:
            if old is not None:
                self.viewer.layers.remove(old)
            return
        name, centre = f"{plan.design.name} · beam path", self._centre(layer)

        def show(layer_data: tuple[Any, dict[str, Any], str]) -> None:
            if plan is self.plan and layer in self.viewer.layers:
                self._put(layer, "beam path", layer_data)

        # a large plan takes longer than a frame; the last one that was asked for is shown
        create_worker(
            lambda: path_layer(plan.points_nm, name, centre),
            _connect={"returned": show, "errored": lambda problem: self.say(str(problem), BAD)},
        )

    def _put(self, layer: Layer, part: str, layer_data: tuple[Any, dict[str, Any], str]) -> None:
        """Add a layer of our own, or bring the one of the last run up to date."""
        data, options, kind = layer_data
        old = parts_of(self.viewer, self._group(layer)).get(part)
        entry = {"part": part, "group": self._group(layer), "name": options["name"]}
        if old is not None and kind == "vectors":
            # removing a layer costs more time than changing one
            with old.events.blocker_all():
                old.data = data
            old.features = options["features"]
            for name in ("edge_width", "vector_style", "name"):
                setattr(old, name, options[name])
            old.edge_color = "order"
            return
        active = self.viewer.layers.selection.active
        options = options | {"metadata": options.get("metadata", {}) | {KEY: entry}}
        new = Layer.create(data, options, kind)
        if old is None:
            self.viewer.add_layer(new)
        else:
            new.visible, new.opacity = old.visible, old.opacity
            index = self.viewer.layers.index(old)
            self.viewer.layers.remove(old)
            self.viewer.layers.insert(index, new)
        if active is not None and active in self.viewer.layers:
            self.viewer.layers.selection.active = active

    # -- jobs -------------------------------------------------------------------------------

    def predict(self) -> None:
        """Mill and image the plan in the computer, decode it, and show film and micrograph."""
        layer, plan = self.design_choice.value, self.plan
        if layer is None or plan is None:
            return
        centre = self._centre(layer)

        def show(result: dict[str, Any]) -> None:
            if layer not in self.viewer.layers:
                self.say("The design was removed meanwhile.")
                return
            name = plan.design.name
            state, micrograph = result["state"], result["micrograph"]
            grid, size = state.grid, micrograph.pixel_size_nm
            place = {"units": ("nm", "nm"), "axis_labels": ("y", "x")}
            corner = np.array([grid.top_nm, grid.left_nm]) + grid.cell_nm / 2 + centre
            depth = {
                "name": f"{name} · depth", "scale": (grid.cell_nm,) * 2, "translate": corner,
                "colormap": "viridis", "visible": False, **place,
                "metadata": {"unit": "nm below the film's surface"},
            }  # fmt: skip
            self._put(layer, "depth", (state.depth_nm.astype(np.float32), depth, "image"))
            shape = np.array(micrograph.image.shape)
            seen = {
                "name": f"{name} · predicted SEM", "scale": size,
                "translate": np.array(centre) - (shape - 1) / 2 * np.array(size), **place,
            }  # fmt: skip
            self._put(layer, "predicted SEM", (micrograph.image, seen, "image"))
            self.say(*_prediction_sentence(plan, result))

        self.run(lambda: _predict(plan), show, busy=(self.predict_button, self.save_button))

    def save(self, path: Path) -> None:
        """Write the plan in the chosen format in the background; says so once it is verified."""
        plan = self.plan
        if plan is None:
            return
        _, stream = FORMATS[self.format.value]

        def job() -> Generator[tuple[int, int, str], None, Verification]:
            yield 0, 0, f"Writing {path.name}, reading it back, decoding it …"
            return write_pattern(plan, path, **({"stream": stream} if stream else {}))

        def written(found: Verification) -> None:
            self.say(f"Written: {path.name} · {verdict(found)}.", GOOD)

        self.run(job, written, busy=(self.predict_button, self.save_button))

    def _ask_and_save(self) -> None:
        if self.plan is None:
            return
        suffix, _ = FORMATS[self.format.value]
        name = f"{self.plan.design.name}_hfw{self.plan.hfw_um:g}um{suffix}"
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save pattern", name, f"{self.format.value} (*{suffix})"
        )
        if chosen:
            path = Path(chosen)
            self.save(path if path.suffix.lower() == suffix else Path(f"{path}{suffix}"))

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr export``."""
        values = {name: field.value or None for name, field in self._fields.items()}
        spacing = values.pop("spacing")
        values["point_pitch"] = spacing if self.spacing.value.startswith("point") else None
        values["overlap"] = (
            self.spacing_value.value if self.spacing.value.startswith("overlap") else None
        )
        if values["volume_per_dose"] is None:
            values["volume_per_dose_uncertainty"] = None
        suffix, stream = FORMATS[self.format.value]
        values["stream"] = stream
        name = "design" if self.plan is None else self.plan.design.name
        return values | {"to": f"{name}{suffix}", "": [f"{name}.json"]}

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr export``."""
        for name, field in self._fields.items():
            if name in settings:
                default = {"over_etch": 1, "volume_per_dose_uncertainty": 10}.get(name, 0)
                field.value = default if settings[name] is None else settings[name]
        if settings.get("point_pitch") is not None:
            self.spacing.value, self.spacing_value.value = (
                "point pitch (nm)", settings["point_pitch"],
            )  # fmt: skip
        elif settings.get("overlap") is not None:
            self.spacing.value, self.spacing_value.value = "overlap (%)", settings["overlap"]
        elif "point_pitch" in settings:
            self.spacing.value = "automatic"
        for label, (suffix, stream) in FORMATS.items():
            if Path(str(settings.get("to"))).suffix == suffix and (
                stream is None or stream == settings.get("stream")
            ):
                self.format.value = label
        self.update_plan()


def _number(
    label: str,
    low: float,
    high: float,
    step: float,
    tooltip: str,
    value: float = 0,
    zero: str = "",
) -> FloatSpinBox:
    field = FloatSpinBox(value=value, min=low, max=high, step=step, label=label)
    field.tooltip = tooltip
    field.native.setSpecialValueText(zero)
    return field


def _volume_text(volume: VolumePerDose) -> str:
    return f"{volume.value:g} µm³/nC ({volume.low:.3g} to {volume.high:.3g}; {volume.source})"


def _predict(plan: MillPlan) -> Generator[tuple[int, int, str], None, dict[str, Any]]:
    from napari_nanoqr.physics.milling import mill
    from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
    from napari_nanoqr.physics.sputtering import EXPECTED
    from napari_nanoqr.reading.read import read_codes

    yield 0, 4, "Writing the pattern and reading it back …"
    pattern = pattern_of(plan)
    yield 1, 4, "Milling the film …"
    state = mill(
        pattern, plan.design.film, volume_per_dose_um3_per_nc=plan.volume_per_dose.value,
        sputtering=EXPECTED,
    )  # fmt: skip
    yield 2, 4, "Imaging it with 3000 electrons a pixel …"
    micrograph = simulate_micrograph(
        pattern, pixel_size_nm=plan.design.pitch_nm / 8, sputtering=EXPECTED, seed=0
    )
    yield 3, 4, "Reading the predicted micrograph …"
    readings = read_codes(micrograph, pitch_nm=plan.design.pitch_nm, time_limit_s=10)
    return {"state": state, "micrograph": micrograph, "readings": readings}


def _prediction_sentence(plan: MillPlan, result: dict[str, Any]) -> tuple[str, str]:
    depth = result["state"].depth_nm
    deepest = f"{np.percentile(depth, 99):.3g} nm deep"
    for reading in result["readings"]:
        if reading.payload == plan.design.symbol.payload:
            left = reading.correctable_left
            margin = (
                "" if left is None else f", {left} of {reading.correctable_per_block} repairs left"
            )
            return (
                f"Predicted: {deepest}; at 3000 electrons a pixel the payload reads back "
                f"exactly{margin}.",
                GOOD,
            )
    return (
        f"Predicted: {deepest}; no reader reads the payload back at 3000 electrons a pixel. "
        "Try a smaller spot, more dose, or a larger pitch.",
        BAD,
    )
