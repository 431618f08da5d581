"""What the fields of FIB export offer: instruments, beams, numbers."""

from __future__ import annotations

from magicgui.widgets import FloatSpinBox

from napari_nanoqr.fib.columns import beams, columns, format_current
from napari_nanoqr.fib.instruments import instruments

FASTEST = "fastest"
"""Beginning of the value that leaves the choice of the beam to the tool."""


def instrument_names() -> list[str]:
    """Names of all instruments that are known."""
    return [instrument.name for instrument in instruments()]


def beam_choices() -> list[tuple[str, str]]:
    """All beams, after the choice of the fastest in each column that has several."""
    several = [column.name for column in columns() if len(column.beams) > 1]
    fastest = [(f"fastest that resolves · {name}", f"{FASTEST} {name}") for name in several]
    # the whole name is too long for a dock
    return fastest + [
        (f"{format_current(beam.current_pa)} · {beam.spot_nm:g} nm · {beam.column}", str(beam))
        for beam in beams()
    ]


def number_field(
    label: str, low: float, high: float, step: float, tooltip: str, value: float = 0,
    zero: str = "",
) -> FloatSpinBox:  # fmt: skip
    """Make a field for a number, which may show a word for 0."""
    field = FloatSpinBox(value=value, min=low, max=high, step=step, label=label)
    field.tooltip = tooltip
    field.native.setSpecialValueText(zero)
    return field
