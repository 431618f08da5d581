"""Ion beams of real columns: current and spot size."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

HELIOS_G4 = "Helios G4"
ZEISS = "Zeiss"

DEFAULT_CURRENT_PA = 26.0
"""A spot of 12.5 nm: a quarter of the 49 nm module of the record, a few seconds of milling."""

# current in pA, spot in nm; both tables as gathered from public sources, 30 kV gallium
_HELIOS_G4 = (
    (1, 5.3), (7, 9.5), (26, 12.5), (41, 15), (90, 20.4), (260, 36.6), (440, 50.4), (750, 66.2),
    (1200, 86.1), (2400, 131), (9100, 267), (20000, 445), (47000, 960), (65000, 1500),
)  # fmt: skip
_ZEISS = ((50, 10), (700, 18))


@dataclass(frozen=True)
class Beam:
    """One aperture of an ion column.

    Parameters
    ----------
    current_pa : float
        Beam current in pA.
    spot_nm : float
        Spot size in nm, taken as the full width at half maximum of the beam's core.
    column : str
        Whose beam it is.
    ion : str
        Element, e.g. ``"Ga"``.
    energy_kev : float
        Energy in keV.
    source : str
        Where current and spot come from.

    Raises
    ------
    ValueError
        Where current, spot or energy is not positive.
    """

    current_pa: float
    spot_nm: float
    column: str = "given"
    ion: str = "Ga"
    energy_kev: float = 30.0
    source: str = "given by the user"

    def __post_init__(self) -> None:
        for name, value in (
            ("current", self.current_pa), ("spot", self.spot_nm), ("energy", self.energy_kev),
        ):  # fmt: skip
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"A beam's {name} is a positive number, not {value:g}.")

    def __str__(self) -> str:
        kind = f"{self.ion} {self.energy_kev:g} kV, {self.column}"
        return f"{format_current(self.current_pa)} · {self.spot_nm:g} nm ({kind})"


def format_current(current_pa: float) -> str:
    """Return a current for people, in pA below 0.1 nA and in nA above."""
    return f"{current_pa:g} pA" if current_pa < 100 else f"{current_pa / 1000:g} nA"


def beams() -> tuple[Beam, ...]:
    """Return the beams that are known, column by column, by rising current.

    Returns
    -------
    tuple of Beam
        Nominal values of 30 kV gallium columns. A worn aperture or a defocused beam is wider:
        ``Beam(current_pa, spot_nm)`` takes measured values.
    """
    tables = (
        (HELIOS_G4, _HELIOS_G4, "Helios G4 manual, 30 kV Ga, nominal"),
        (ZEISS, _ZEISS, "published Zeiss values, 30 kV Ga, nominal"),
    )
    return tuple(
        Beam(float(current), float(spot), column, source=source)
        for column, table, source in tables
        for current, spot in table
    )


def find_beam(current: str | float = DEFAULT_CURRENT_PA, column: str | None = None) -> Beam:
    """Find a beam by its current.

    Parameters
    ----------
    current : str or float
        In pA, or with its unit: ``26``, ``"26 pA"``, ``"0.26 nA"``, or ``str(beam)``.
    column : str, optional
        Only beams of this column; by default any, in the order of :func:`beams`.

    Returns
    -------
    Beam
        The one with that current.

    Raises
    ------
    ValueError
        Where no such beam is known; the message lists those that are.
    """
    wanted_pa = _parse_current(current)
    known = [beam for beam in beams() if column in (None, beam.column)]
    for beam in known:
        named = not isinstance(current, str) or "(" not in current or str(beam) == current.strip()
        if named and math.isclose(beam.current_pa, wanted_pa, rel_tol=1e-3):
            return beam
    where = f"The {column} column" if column else "No column here"
    choice = ", ".join(format_current(beam.current_pa) for beam in known) or "none"
    raise ValueError(f"{where} has no beam of {current}. Known: {choice}.")


def _parse_current(current: str | float) -> float:
    if not isinstance(current, str):
        return float(current)
    found = re.match(r"\s*([0-9.]+)\s*(pA|nA)?", current, re.IGNORECASE)
    try:
        value = float(found[1]) if found else math.nan
    except ValueError:
        value = math.nan
    if not found or math.isnan(value):
        raise ValueError(f"{current!r} is not a current: write it like '26 pA' or '0.26 nA'.")
    return value * (1000 if (found[2] or "pA").lower() == "na" else 1)
