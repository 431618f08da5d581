"""The fields of Archive write: how an archive is written, and what its plan takes for granted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, LineEdit, SpinBox
from magicgui.widgets.bases import ValueWidget

from napari_nanoqr.archive import figures
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import beams, columns, find_beam
from napari_nanoqr.widgets.export_choices import FASTEST, beam_choices, number_field

_RATES = [
    ("1/2, for a noisy microscope", "0.5"), ("2/3", "0.67"), ("4/5", "0.8"),
    ("0.88, for a very good one", "0.88"),
]  # fmt: skip
_TILES = [("our own, 512 x 512 modules", "own"), ("QR codes", "qr")]
_BITS = [("1", 1), ("2, recesses of four depths", 2)]
_FORMATS = [("OASIS (.oas)", "oas"), ("GDSII (.gds)", "gds"), ("bitmap (.bmp)", "bmp")]
_FAILURES = [
    ("one in a million", 1e-6), ("one in a billion", 1e-9), ("one in a trillion", 1e-12),
    ("one in a quadrillion", 1e-15),
]  # fmt: skip

Fields = tuple[Any, ...]


class ArchiveWriteFields:
    """Fields of Archive write, and the settings that they make."""

    def __init__(self) -> None:
        film = Film()
        self.bits = ComboBox(choices=_BITS, value=1, label="Bits a module")
        self.bits.tooltip = "2 need a dose that is exact to about a percent"
        self.rate = ComboBox(choices=_RATES, value="0.8", label="Code rate")
        self.rate.tooltip = "Share of each tile that is data; the rest repairs wrong bits"
        self.loss = number_field(
            "Tile loss (%)", 0.0001, 30, 0.5, "Tiles that you expect to be lost: dust, scratches",
            ArchiveSettings.tile_loss * 100,
        )  # fmt: skip
        self.loss.native.setDecimals(4)
        self.pitch = number_field("Pitch (nm)", 1, 1e5, 1, "Side of a module", 49)
        self.sheet = LineEdit(value="A4", label="Sheet")
        self.sheet.tooltip = "A3, A4, A5, or width x height in mm: 100x100"
        self.format = ComboBox(choices=_FORMATS, value="oas", label="Format")
        self.format.tooltip = "Of the pattern files, one for each field of view"

        self.tiles = ComboBox(choices=_TILES, value="own", label="Tiles")
        self.tiles.tooltip = "QR codes are for readers without nanoqr, and hold less"
        self.version = SpinBox(value=40, min=10, max=40, label="QR version")
        self.error = ComboBox(choices=["L", "M", "Q", "H"], value="L", label="QR level")
        self.per_field = SpinBox(value=0, min=0, max=16, label="Tiles a side")
        self.per_field.tooltip = "Of a field of view; 0 takes as many as make 1024 modules"
        self.gap = SpinBox(value=4, min=0, max=1000, label="Gap (modules)")
        self.gap.tooltip = "Between fields"
        self.copies = SpinBox(value=1, min=1, max=16, label="Copies")
        self.copies.tooltip = "Each on sheets of its own"
        self.failure = ComboBox(choices=_FAILURES, value=1e-12, label="Groups lost")
        self.failure.tooltip = (
            "Accepted probability that more tiles of a group are lost than can be repaired"
        )

        self.compress = CheckBox(value=False, label="", text="compress (zstd)")
        self.recipients = LineEdit(value="", label="Encrypt for")
        self.recipients.tooltip = "Public keys (age1... or ssh-...), with spaces between"
        self.passphrase = FileEdit(mode="r", label="or passphrase in", value="")
        self.passphrase.tooltip = "A text file; its first line is the passphrase. It is not stored"

        self.material = LineEdit(value=film.material, label="Film")
        self.thickness = number_field("Thickness (nm)", 0.1, 1e4, 1, "Milled through",
                                      film.thickness_nm)  # fmt: skip
        self.below = LineEdit(value="", label="Layers below")
        self.below.tooltip = "Between film and substrate, from the top: 5 nm Cr, 100 nm SiO2"
        self.escape = number_field(
            "Escape depth (nm)",
            0.1,
            1000,
            0.5,
            "Of film from which the signal of your SEM comes",
            2,
        )
        self.spread = number_field(
            "Dose spread (%)", 0, 49, 0.5, "By which doses of modules differ: beam, clock, film", 1
        )
        self.substrate = LineEdit(value=film.substrate, label="Substrate")

        first = f"{FASTEST} {columns()[0].name}"
        self.beam = ComboBox(choices=lambda _: beam_choices(), value=first, label="Beam")
        self.beam.tooltip = "Nominal spots; the fastest one that resolves the pitch by default"
        self.beams = SpinBox(value=1, min=1, max=10_000_000, label="Ion beams")
        self.beams.tooltip = "That write at the same time"
        self.volume = number_field(
            "Vol./dose (µm³/nC)", 0, 100, 0.01, "Your calibrated value", zero="as tabulated"
        )
        as_listed = "as listed"
        self.settling = _optional("Settling (µs)", 1e6, "After a jump of the beam", as_listed)
        self.blanking = _optional("Blanking (µs)", 1e6, "For a jump of the beam", as_listed)
        self.stage = number_field("Stage move (s)", 0, 3600, 0.1, "To the next field",
                                  figures.STAGE_MOVE.value)  # fmt: skip
        self.write_power = number_field("FIB power (W)", 0, 1e7, 100, "Of the whole instrument",
                                        figures.WRITE_POWER.value)  # fmt: skip
        self.read_pixels = number_field("Pixels a module", 0.5, 100, 0.5, "Of the micrographs", 4)
        self.read_dwell = number_field("Read dwell (µs)", 0, 1e5, 0.05, "For each pixel", 0.1)
        self.read_dwell.native.setDecimals(4)
        self.read_beams = SpinBox(value=1, min=1, max=10_000_000, label="Electron beams")
        self.read_beams.tooltip = "That read at the same time"
        self.read_power = number_field("SEM power (W)", 0, 1e7, 100, "Of the whole instrument",
                                       figures.READ_POWER.value)  # fmt: skip
        self.years = number_field("Kept for (years)", 0, 1e6, 10, "Compared with disk, tape", 100)

        self.name = LineEdit(value="", label="Name")
        self.name.tooltip = "Of the folder in the archive; empty: as the first file"
        self.jobs = SpinBox(value=2, min=1, max=256, label="Processes")
        self.replace = CheckBox(value=False, label="", text="replace an archive that stands there")

        # by the names of the command line's options
        self._options: dict[str, ValueWidget[Any]] = {
            "tiles": self.tiles, "bits_per_pixel": self.bits, "failure": self.failure,
            "copies": self.copies, "pitch": self.pitch, "sheet": self.sheet,
            "tiles_per_field": self.per_field, "gap": self.gap, "format": self.format,
            "film": self.material, "thickness": self.thickness, "below": self.below,
            "substrate": self.substrate, "escape": self.escape, "compress": self.compress,
            "beams": self.beams, "stage_move": self.stage, "write_power": self.write_power,
            "px_per_module": self.read_pixels, "read_dwell": self.read_dwell,
            "read_beams": self.read_beams, "read_power": self.read_power, "years": self.years,
            "jobs": self.jobs, "replace": self.replace,
        }  # fmt: skip
        self._defaults = {name: field.value for name, field in self._options.items()}
        self._column: str | None = None
        self._materials: str | None = None

    @property
    def head(self) -> Fields:
        """What most people change."""
        return self.bits, self.rate, self.loss, self.pitch, self.sheet, self.format

    @property
    def sections(self) -> dict[str, Fields]:
        """The others, by the title of their section."""
        sections: dict[str, Fields] = {
            "Kind of tiles, fields, copies": (
                self.tiles, self.version, self.error, self.per_field, self.gap, self.copies,
                self.failure,
            ),
            "Compression, encryption": (self.compress, self.recipients, self.passphrase),
            "Film": (
                self.material, self.thickness, self.below, self.substrate, self.escape, self.spread,
            ),
            "Beams, times, powers": (
                self.beam, self.beams, self.volume, self.settling, self.blanking, self.stage,
                self.write_power, self.read_pixels, self.read_dwell, self.read_beams,
                self.read_power, self.years,
            ),
            "Writing": (self.name, self.jobs, self.replace),
        }  # fmt: skip
        return sections

    @property
    def all(self) -> Fields:
        """All of them."""
        return (*self.head, *(field for fields in self.sections.values() for field in fields))

    def enable(self) -> None:
        """Grey out what has no effect."""
        ours = self.tiles.value == "own"
        self.rate.enabled = ours
        self.version.enabled = self.error.enabled = not ours

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr archive write``."""
        values = {name: field.value for name, field in self._options.items()}
        # of a percentage that people type, no more digits than it has
        values["tile_loss"] = float(f"{self.loss.value / 100:.9g}")
        ours = self.tiles.value == "own"
        values["rate"] = self.rate.value if ours else None
        values["qr_version"] = None if ours else self.version.value
        values["qr_error"] = None if ours else self.error.value
        values["dose_spread"] = float(f"{self.spread.value / 100:.9g}")
        values["tiles_per_field"] = self.per_field.value or None
        values["sheet"] = self.sheet.value.strip()
        values["below"] = self.below.value.strip() or None
        values["recipient"] = _keys(self.recipients.value) or None
        values["passphrase_file"] = str(self.passphrase.value) if chosen(self.passphrase) else None
        values["name"] = self.name.value.strip() or None
        fastest = self.beam.value.startswith(FASTEST)
        values["beam"] = None if fastest else self.beam.value
        values["column"] = self.beam.value.removeprefix(f"{FASTEST} ") if fastest else None
        values["column"] = self._column or values["column"]
        values["materials"] = self._materials
        values["volume_per_dose"] = self.volume.value or None
        for name, field in (("settling", self.settling), ("blanking", self.blanking)):
            values[name] = float(field.value) if field.value >= 0 else None
        return values

    def apply(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of the command; names that are missing stay.

        Raises
        ------
        ValueError, OSError
            Where one of them cannot be, or a file that they name cannot be used.
        """
        for name, field in self._options.items():
            if name in settings:
                value = self._defaults[name] if settings[name] is None else settings[name]
                _set(field, _alike(field, value))
        if settings.get("rate"):
            _set(self.rate, _alike(self.rate, settings["rate"]))
        if settings.get("qr_version"):
            self.version.value = int(settings["qr_version"])
        if settings.get("qr_error"):
            _set(self.error, settings["qr_error"])
        if "tile_loss" in settings:
            loss = settings["tile_loss"]
            self.loss.value = 100 * (ArchiveSettings.tile_loss if loss is None else float(loss))
        if "dose_spread" in settings:
            spread = settings["dose_spread"]
            self.spread.value = 1.0 if spread is None else 100 * float(spread)
        if "recipient" in settings:
            self.recipients.value = " ".join(map(shlex.quote, settings["recipient"] or []))
        if "passphrase_file" in settings:
            # an empty value would be taken for the current folder
            self.passphrase.line_edit.value = settings["passphrase_file"] or ""
        if "name" in settings:
            self.name.value = settings["name"] or ""
        if "volume_per_dose" in settings:
            self.volume.value = settings["volume_per_dose"] or 0
        for name, number in (("settling", self.settling), ("blanking", self.blanking)):
            if name in settings:
                number.value = -1 if settings[name] is None else settings[name]
        if {"beam", "column", "materials"} & set(settings):
            self._apply_beam(settings)

    def _apply_beam(self, settings: dict[str, Any]) -> None:
        from napari_nanoqr.cli.plan_options import named_column
        from napari_nanoqr.fib.materials import load_materials

        self._materials, self._column = settings.get("materials"), None
        if self._materials:
            load_materials(Path(self._materials))
        column = named_column(settings.get("column"))
        if column is not None and column != settings["column"]:
            self._column = str(settings["column"])
        self.beam.reset_choices()
        if settings.get("beam"):
            self.beam.value = str(find_beam(settings["beam"], column))
        else:
            name = columns()[0].name if column is None else column
            fastest = f"{FASTEST} {name}"
            # a column of one beam leaves no choice
            alone = next((str(each) for each in beams() if each.column == name), fastest)
            _set(self.beam, fastest if fastest in self.beam.choices else alone)


def _optional(label: str, most: float, tooltip: str, unset: str) -> FloatSpinBox:
    """Make a field for a number for which 0 means something else than nothing."""
    return number_field(label, -1, most, 1, tooltip, value=-1, zero=unset)


def _keys(text: str) -> list[str]:
    """Return the keys in a line; one of SSH has a space in it and stands in quotes."""
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise ValueError("The keys to encrypt for are in quotes that do not end.") from problem


def _alike(field: ValueWidget[Any], value: Any) -> Any:
    """Return a value as the field has it: settings may say 4/5, or .gds."""
    if field.label == "Code rate":
        from napari_nanoqr.archive.settings import parse_rate

        meant = parse_rate(str(value))
        return next(each for _, each in _RATES if parse_rate(each) == meant)
    if field.label == "Format":
        return str(value).lower().lstrip(".")
    return value


def _set(field: ValueWidget[Any], value: Any) -> None:
    if isinstance(field, ComboBox) and value not in field.choices:
        raise ValueError(f"{field.label} {value} does not exist here.")
    field.value = value


def chosen(field: FileEdit) -> bool:
    """Return whether a file or folder was chosen."""
    # an empty field is the current folder for magicgui
    return str(field.line_edit.value).strip() not in ("", ".")
