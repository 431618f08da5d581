"""The fields of Encode preview: which choices a kind of symbol leaves, and the design they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Qt

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film, parse_layers
from napari_nanoqr.symbols import micro, rectangular
from napari_nanoqr.symbols.candidates import SYMBOLOGIES, levels_of
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.names import SYMBOLS, read_version
from napari_nanoqr.symbols.tables import LEVELS, side_modules
from napari_nanoqr.symbols.urls import upper_case_url
from napari_nanoqr.widgets.panel import Panel

AUTOMATIC = -1
"""Value of a field that stands for the encoder's own choice."""

QUIET_ZONES = {"QR": 4, "Micro QR": 2, "rMQR": 2}
"""Modules that readers expect (ISO/IEC 18004:2015, 6.3.8; ISO/IEC 23941:2022)."""

_RECOVERY = {"L": "7 %", "M": "15 %", "Q": "25 %", "H": "30 %"}
_KINDS = [
    ("QR code", "qr"), ("Micro QR code", "micro"), ("rMQR code (rectangular)", "rmqr"),
    ("smallest of all", "smallest"),
]  # fmt: skip
_MASKS = {"qr": 8, "micro": 4, "rmqr": 1, "smallest": 8}


class EncodeFields:
    """Everything about a design but its payload.

    Parameters
    ----------
    panel : Panel
        Where the fields are put.
    changed : callable
        Called after each change that the user makes.
    """

    def __init__(self, panel: Panel, changed: Callable[[], object]) -> None:
        self._zone_is_own = False
        levels = [(f"{level} (repairs {_RECOVERY[level]})", level) for level in LEVELS]
        self.symbol = ComboBox(choices=_KINDS, value="qr", label="Symbol")
        self.symbol.tooltip = "Many phones read QR codes only; SEM decode reads all of them"
        self.error = ComboBox(choices=levels, value="M", label="Error correction")
        self.pitch = FloatSpinBox(value=49.0, min=1, max=1e6, step=1, label="Pitch (nm)")
        self.pitch.tooltip = "Distance of module centres; the side of one module"
        mills = [("dark modules", "dark"), ("light modules", "light")]
        self.mill = ComboBox(choices=mills, value="dark", label="Mill")
        self.allow_upper = CheckBox(text="Scheme and host of URLs in capitals", label="")
        self.allow_upper.tooltip = "The same address, in less room"
        panel.add_form(self.symbol, self.error, self.pitch, self.mill, self.allow_upper)
        self._add_version_section(panel)
        self._add_film_section(panel)
        # by the names of the command line's options, in the order in which they are to be set
        self._fields: dict[str, ValueWidget[Any]] = {
            "symbol": self.symbol,
            "version": self.version,
            "error": self.error,
            "mask": self.mask,
            "allow_upper": self.allow_upper,
            "eci": self.eci,
            "pitch": self.pitch,
            "mill": self.mill,
            "quiet_zone": self.quiet_zone,
            "film": self.material,
            "thickness": self.thickness,
            "below": self.below,
            "substrate": self.substrate,
            "name": self.name,
        }
        self._defaults = {name: field.value for name, field in self._fields.items()}
        self.symbol.changed.connect(self._on_symbol)
        self.version.changed.connect(lambda *_: self._grey_levels())
        self.quiet_zone.changed.connect(self._on_quiet_zone)
        for field in self._fields.values():
            field.changed.connect(lambda *_: self._tell_sections())
            field.changed.connect(lambda *_: changed())
        self._grey_levels()
        self._tell_sections()

    def _add_version_section(self, panel: Panel) -> None:
        # as functions, as the choices are others for each kind
        self.version = ComboBox(
            choices=lambda _: _versions(self.symbol.value), value=AUTOMATIC, label="Version"
        )
        self.mask = ComboBox(
            choices=lambda _: _masks(self.symbol.value), value=AUTOMATIC, label="Mask"
        )
        self.quiet_zone = SpinBox(value=4, min=0, max=4, label="Quiet zone (modules)")
        self.quiet_zone.tooltip = "Readers expect 4 modules around QR codes, 2 around the others"
        self.eci = CheckBox(text="Text in other character sets (ECI)", label="")
        self.eci.tooltip = "Where that is shorter than UTF-8; not all phones read it"
        self.name = LineEdit(value="design", label="Name")
        self._version_section = panel.add_section(
            "Version", self.version, self.mask, self.quiet_zone, self.name, self.eci
        )

    def _add_film_section(self, panel: Panel) -> None:
        film = Film()
        self.material = LineEdit(value=film.material, label="Film")
        self.thickness = FloatSpinBox(
            value=film.thickness_nm, min=0.1, max=1e4, step=1, label="Thickness (nm)"
        )
        self.substrate = LineEdit(value=film.substrate, label="Substrate")
        self.below = LineEdit(value="", label="Layers below")
        self.below.tooltip = "Between film and substrate, from the top: 5 nm Cr, 100 nm SiO2"
        self._film_section = panel.add_section(
            "Film", self.material, self.thickness, self.below, self.substrate
        )

    # -- the design -------------------------------------------------------------------------

    def film(self) -> Film:
        """Return the film.

        Raises
        ------
        ValueError
            Where it cannot be.
        """
        return Film(
            self.material.value.strip(), self.thickness.value, self.substrate.value.strip(),
            parse_layers(self.below.value),
        )  # fmt: skip

    def design(self, payload: bytes | str) -> Design:
        """Encode a payload as the fields say.

        The quiet zone becomes what the kind of symbol needs, unless the user chose one.

        Parameters
        ----------
        payload : bytes or str
            What to encode.

        Raises
        ------
        ValueError
            Where it does not fit, or the fields leave no symbol.
        """
        if self.allow_upper.value and isinstance(payload, str):
            payload = upper_case_url(payload)
        symbol = encode(
            payload, self.error.value, _chosen(self.version), _chosen(self.mask),
            symbology=SYMBOLS[self.symbol.value], eci=self.eci.value,
        )  # fmt: skip
        if not self._zone_is_own:
            with self.quiet_zone.changed.blocked():
                self.quiet_zone.value = QUIET_ZONES[layout_named(symbol.version).symbology]
            self._tell_sections()
        return Design(
            symbol,
            self.pitch.value,
            self.mill.value,
            self.quiet_zone.value,
            self.film(),
            self.name.value.strip() or "design",
        )

    def _tell_sections(self) -> None:
        """Say in the titles what stands in the sections, which may be folded."""
        version, mask = (
            "auto" if field.value == AUTOMATIC else field.value
            for field in (self.version, self.mask)
        )
        self._version_section.setText(
            f"Version {version}, mask {mask}, quiet zone {self.quiet_zone.value}"
        )
        self._film_section.setText(
            f"Film: {self.thickness.value:g} nm {self.material.value} on {self.substrate.value}"
        )

    # -- what follows what ------------------------------------------------------------------

    def _on_symbol(self) -> None:
        for field in (self.version, self.mask):
            # the same number means another thing in another kind
            field.value = AUTOMATIC
            field.reset_choices()
        self._grey_levels()

    def _grey_levels(self) -> None:
        """Leave out levels that the kind, or its version, does not have."""
        kind, version = SYMBOLS[self.symbol.value], _chosen(self.version)
        if isinstance(version, str):
            name, levels = version, set(layout_named(version).blocks)
        else:
            name, levels = kind, set(levels_of(kind) if kind in SYMBOLOGIES else LEVELS)
        for row, level in enumerate(LEVELS):
            item = self.error.native.model().item(row)
            item.setEnabled(level in levels)
            why = "" if level in levels else f"{name} has no level {level}"
            item.setData(why, Qt.ItemDataRole.ToolTipRole)

    def _on_quiet_zone(self) -> None:
        self._zone_is_own = True

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr encode``."""
        values = {name: field.value for name, field in self._fields.items()}
        values["below"] = values["below"] or None
        return {
            name: None if value == AUTOMATIC and name in ("version", "mask") else value
            for name, value in values.items()
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr encode``; names that are missing stay.

        Raises
        ------
        ValueError
            Where one of them cannot be; those before it are set.
        """
        values = {name: settings[name] for name in self._fields if name in settings}
        version = values.get("version")
        if isinstance(version, str):
            version = values["version"] = read_version(version)
        if version is not None:
            # the command line takes the kind from the version, too
            values["symbol"] = _kind_of(version)
        for name, field in self._fields.items():
            if name not in values:
                continue
            value = self._defaults[name] if values[name] is None else values[name]
            if isinstance(field, ComboBox) and value not in field.choices:
                raise ValueError(f"{field.label} {value} does not exist here.")
            field.value = value
        if "quiet_zone" in values:
            self._zone_is_own = True


def _chosen(field: ComboBox) -> Any:
    return None if field.value == AUTOMATIC else field.value


def _kind_of(version: int | str) -> str:
    symbology = layout_named(version).symbology
    return next(kind for kind, name in SYMBOLS.items() if name == symbology)


def _versions(kind: str) -> list[tuple[str, int | str]]:
    """Return the versions of a kind; of all kinds together there is only the automatic choice."""
    choices: list[tuple[str, int | str]] = [("automatic", AUTOMATIC)]
    if kind == "qr":
        sides = ((v, side_modules(v)) for v in range(1, 41))
        choices += [(f"{v} ({side} x {side})", v) for v, side in sides]
    elif kind == "micro":
        sizes = ((v, micro.micro_side(v)) for v in micro.VERSIONS)
        choices += [(f"{v} ({side} x {side})", v) for v, side in sizes]
    elif kind == "rmqr":
        named = (f"R{rows}x{columns}" for rows, columns in rectangular.SIZES)
        choices += [(name, name) for name in named]
    return choices


def _masks(kind: str) -> list[tuple[str, int]]:
    return [("automatic", AUTOMATIC), *((str(m), m) for m in range(_MASKS[kind]))]
