"""The fields of FIB export: how to mill a design, for which instrument, and how it is imaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from magicgui.widgets import CheckBox, ComboBox, SpinBox
from magicgui.widgets.bases import ValueWidget

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.beam_choice import choose_beam
from napari_nanoqr.fib.columns import Beam, columns, find_beam, load_column
from napari_nanoqr.fib.instruments import (
    Instrument,
    find_instrument,
    load_instrument,
)
from napari_nanoqr.fib.materials import VolumePerDose, load_materials
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern_files import FORMATS
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.scan import SCAN_ORDERS
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.widgets.export_choices import (
    FASTEST,
    beam_choices,
    instrument_names,
    number_field,
)

_AUTOMATIC = "automatic"

RECTANGLES: Merged = "rectangles"

_DEFAULTS = {
    "over_etch": 1, "volume_per_dose_uncertainty": 10, "scan": "serpentine", "shapes": RECTANGLES,
}  # fmt: skip
"""What a field shows where the settings leave its option out, if it is not 0."""


class ExportFields:
    """Fields of FIB export, the plan that they make, and their settings."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        # choices are functions: magicgui goes back to a list given here whenever a field gets
        # its place in a window
        self.instrument = ComboBox(
            choices=lambda _: instrument_names(), value=instrument_names()[1],
            label="Instrument",
        )  # fmt: skip
        self.format = ComboBox(choices=lambda _: self._formats(), label="Format")
        self.beam = ComboBox(choices=lambda _: beam_choices(), value=str(find_beam()), label="Beam")
        self.beam.tooltip = "Nominal spots; put your measured spot below"
        self.instrument.changed.connect(lambda *_: self.format.reset_choices())
        self.shapes = ComboBox(choices=list(get_args(Merged)), value=RECTANGLES, label="Shapes")
        self.shapes.tooltip = (
            "What modules are merged into: rectangles, or the outlines of areas that hang together"
        )

        self.spot = number_field("Spot (nm)", 0, 5000, 1, "Measured spot (FWHM)", zero="as listed")
        self.spacing = ComboBox(
            choices=[_AUTOMATIC, "point pitch (nm)", "overlap (%)"], value=_AUTOMATIC,
            label="Spacing",
        )  # fmt: skip
        self.spacing_value = number_field(
            "", -400, 10_000, 1, "Adjusted so that a whole number of points makes a module"
        )
        self.spacing_value.label = "Spacing value"
        self.dwell = number_field("Dwell (µs)", 0, 1e5, 0.1, "Per point and pass", zero=_AUTOMATIC)
        self.passes = SpinBox(value=0, min=0, max=1_000_000, label="Passes")
        self.passes.tooltip = "0 takes as many as the dose needs"
        self.scan = ComboBox(choices=list(SCAN_ORDERS), value="serpentine", label="Scan order")
        self.hfw = number_field("Field width (µm)", 0, 10_000, 1, "HFW", zero=_AUTOMATIC)
        self.show_path = CheckBox(value=True, label="Beam path", text="shown on the design")

        self.volume = number_field(
            "Vol./dose (µm³/nC)", 0, 100, 0.01, "Your calibrated value", zero="as tabulated"
        )
        self.uncertainty = number_field("Uncertainty (%)", 0, 99, 1, "Of your calibrated value", 10)
        self.over_etch = number_field("Over-etch factor", 0.1, 10, 0.05, "On the dose", 1)
        self.correct_edges = CheckBox(value=False, label="Edges", text="corrected")
        self.correct_edges.tooltip = (
            "A dose for each point, so that modules keep their size after the beam's spread"
        )

        self.electrons = number_field(
            "Electrons a pixel", 0.5, 1e5, 10, "Primary electrons of all frames together", 50
        )
        self.pixels = number_field("Pixels a module", 2, 100, 1, "Of the micrograph", 8)
        self.defocus = number_field(
            "Defocus (nm)", 0, 1000, 1, "Blur that comes on top of the probe's"
        )
        self.report = CheckBox(value=True, label="Report", text="beside the file")
        self.report.tooltip = "HTML and JSON: what the file will do, with pictures; some seconds"

        # by the names of the command line's options
        self._options: dict[str, ValueWidget[Any]] = {
            "spot": self.spot, "dwell": self.dwell, "passes": self.passes, "scan": self.scan,
            "hfw": self.hfw, "shapes": self.shapes, "volume_per_dose": self.volume,
            "volume_per_dose_uncertainty": self.uncertainty, "over_etch": self.over_etch,
            "correct_edges": self.correct_edges,
        }  # fmt: skip

    @property
    def head(self) -> tuple[ValueWidget[Any], ...]:
        """What most people change."""
        return self.instrument, self.format, self.beam

    @property
    def sections(self) -> dict[str, tuple[ValueWidget[Any], ...]]:
        """The others, by the title of their section."""
        return {
            "Points, dwell, passes, field": (
                self.spot, self.spacing, self.spacing_value, self.dwell, self.passes, self.scan,
                self.hfw, self.shapes, self.show_path,
            ),
            "Dose, over-etch, edges": (
                self.volume, self.uncertainty, self.over_etch, self.correct_edges,
            ),
            "Imaging to predict, report": (
                self.electrons, self.pixels, self.defocus, self.report,
            ),
        }  # fmt: skip

    @property
    def planning(self) -> tuple[ValueWidget[Any], ...]:
        """Those that change the plan."""
        return (
            *self.head, *self.sections["Points, dwell, passes, field"],
            *self.sections["Dose, over-etch, edges"],
        )  # fmt: skip

    # -- what the fields say ----------------------------------------------------------------

    @property
    def instrument_value(self) -> Instrument:
        """The chosen instrument."""
        return find_instrument(self.instrument.value)

    @property
    def suffix(self) -> str:
        """Of the file that is written."""
        return str(self.format.value)

    @property
    def holds_polygons(self) -> bool:
        """Whether the chosen format leaves the kind of shapes open."""
        return any(form.suffix == self.suffix and "shapes" in form.options for form in FORMATS)

    def writing_options(self, suffix: str) -> dict[str, Any]:
        """Return what the writer of a format is to be told.

        Raises
        ------
        ValueError
            Where the instrument does not take the format.
        """
        return self.instrument_value.options_for(suffix) | {"shapes": self.shapes.value}

    def sem(self, design: Design) -> SemCondition:
        """Return how the mark will be imaged."""
        return SemCondition(
            pixel_size_nm=design.pitch_nm / self.pixels.value,
            electrons_per_pixel=self.electrons.value,
            defocus_nm=self.defocus.value,
        )

    def beam_for(self, design: Design) -> tuple[Beam, str]:
        """Return the beam, and why where the tool chose it."""
        reason = ""
        if self.beam.value.startswith(FASTEST):
            choice = choose_beam(design.pitch_nm, self.beam.value.removeprefix(f"{FASTEST} "))
            beam, reason = choice.beam, choice.reason
        else:
            beam = find_beam(self.beam.value)
        if self.spot.value:
            beam = replace(beam, spot_nm=self.spot.value, source="spot given by the user")
        return beam, reason

    def plan_options(self, design: Design) -> dict[str, Any]:
        """Return what the fields say under the names that `plan_milling` takes."""
        volume: VolumePerDose | None = None
        if self.volume.value:
            volume = VolumePerDose.within(self.volume.value, self.uncertainty.value)
        by_pitch = self.spacing.value.startswith("point") and self.spacing_value.value > 0
        by_overlap = self.spacing.value.startswith("overlap")
        return {
            "beam": self.beam_for(design)[0],
            "point_pitch_nm": self.spacing_value.value if by_pitch else None,
            "overlap_percent": self.spacing_value.value if by_overlap else None,
            "dwell_us": self.dwell.value or None,
            "passes": self.passes.value or None,
            "scan": self.scan.value,
            "volume_per_dose_um3_per_nc": volume,
            "over_etch": self.over_etch.value,
            "correct_edges": self.correct_edges.value,
        }

    def plan(self, design: Design, *, correct_edges: bool | None = None) -> MillPlan:
        """Plan a design with what the fields say.

        Raises
        ------
        ValueError
            Where the plan cannot work; the message says why.
        """
        options = self.plan_options(design)
        if correct_edges is not None:
            options["correct_edges"] = correct_edges
        return plan_milling(design, hfw_um=self.hfw.value or None, **options)

    def enable(self) -> None:
        """Grey out what has no effect."""
        self.spacing_value.native.setEnabled(self.spacing.value != _AUTOMATIC)
        self.uncertainty.native.setEnabled(self.volume.value > 0)
        self.shapes.native.setEnabled(self.holds_polygons)

    # -- libraries --------------------------------------------------------------------------

    def load(self, kind: str, path: Path) -> str:
        """Read the user's materials, column or instrument, and say what came of it.

        Raises
        ------
        ValueError, OSError
            Where the file holds none, or cannot be read.
        """
        if kind == "materials":
            names = ", ".join(material.name for material in load_materials(path))
            said = f"Materials loaded: {names}."
        elif kind == "column":
            column = load_column(path)
            self.beam.reset_choices()
            self.beam.value = str(column.beams[0])
            said = f"Column loaded: {column.name}."
        else:
            instrument = load_instrument(path)
            self.instrument.reset_choices()
            self.instrument.value = instrument.name
            said = f"Instrument loaded: {instrument.name}."
        self._files[kind] = str(path)
        return said

    def _formats(self) -> list[tuple[str, str]]:
        """Name and suffix of what the instrument takes."""
        names = {form.suffix: f"{form.name} ({form.suffix})" for form in FORMATS}
        taken = [form.suffix for form in self.instrument_value.formats] or list(names)
        return [(names[suffix], suffix) for suffix in taken if suffix in names]

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr export``."""
        values = {name: field.value or None for name, field in self._options.items()}
        values["beam"] = self.beam.value
        if self.beam.value.startswith(FASTEST):
            values |= {"beam": FASTEST, "column": self.beam.value.removeprefix(f"{FASTEST} ")}
        by = self.spacing.value.split()[0]
        values["point_pitch"] = self.spacing_value.value if by == "point" else None
        values["overlap"] = self.spacing_value.value if by == "overlap" else None
        if values["volume_per_dose"] is None:
            values["volume_per_dose_uncertainty"] = None
        values["instrument"] = self._files.get("instrument", self.instrument.value)
        values["column"] = self._files.get("column", values.get("column"))
        values["materials"] = self._files.get("materials")
        return values

    def apply(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr export``; others are left alone.

        Raises
        ------
        ValueError, OSError
            Where a file that they name cannot be used.
        """
        for kind in ("materials", "column", "instrument"):
            value = settings.get(kind)
            if value and Path(str(value)).suffix.lower() == ".json":
                self.load(kind, Path(str(value)))
            elif value and kind == "instrument":
                self.instrument.value = find_instrument(str(value)).name
        if settings.get("beam") == FASTEST:
            column = settings.get("column") or columns()[0].name
            self.beam.value = f"{FASTEST} {column}"
        elif settings.get("beam"):
            self.beam.value = str(find_beam(settings["beam"]))
        for name, field in self._options.items():
            if name in settings:
                value = settings[name]
                field.value = _DEFAULTS.get(name, 0) if value is None else value
        if settings.get("point_pitch") is not None:
            self.spacing.value = "point pitch (nm)"
            self.spacing_value.value = settings["point_pitch"]
        elif settings.get("overlap") is not None:
            self.spacing.value, self.spacing_value.value = "overlap (%)", settings["overlap"]
        elif "point_pitch" in settings:
            self.spacing.value = _AUTOMATIC
        suffix = Path(str(settings.get("to"))).suffix.lower()
        if suffix in self.format.choices:
            self.format.value = suffix
