"""How much a dose removes: volume per dose of materials, with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

_MANUAL = "Helios G4 manual, 30 kV Ga"
_OTHER = "a second published table"

# um^3/nC. First the value of the Helios G4 manual (as listed by bitmap_generator_fib), then
# that of another published table where it has one.
_GA_30KV: dict[str, tuple[float, ...]] = {
    "C": (0.18,), "Si": (0.27, 0.15), "Al": (0.30, 0.37), "Ti": (0.37,), "Cr": (0.10, 0.28),
    "Fe": (0.29,), "Ni": (0.14,), "Cu": (0.25,), "Mo": (0.12,), "Ta": (0.32,), "W": (0.12,),
    "Au": (1.50, 1.80), "MgO": (0.27,), "SiO2": (0.24, 0.19), "Al2O3": (0.08,), "TiO": (0.15,),
    "Si3N4": (0.20, 0.21), "TiN": (0.15,), "Fe2O3": (0.25,), "GaAs": (0.61,), "Pt": (0.23,),
    "PMMA": (0.40,),
}  # fmt: skip
_XE_30KV: dict[str, tuple[float, ...]] = {"Si": (0.38,)}

_ALIASES = {"glass": "SiO2", "fused silica": "SiO2", "silicon": "Si", "chromium nitride": "CrN"}

SPREAD = 1.5
"""Factor either way where only one table has a material: the geometric mean of the six
ratios between the two tables is 1.46."""


@dataclass(frozen=True)
class VolumePerDose:
    """Volume that a dose removes, in um^3/nC.

    Parameters
    ----------
    value : float
        What to plan with.
    low, high : float
        Bracket within which the true value is expected.
    source : str
        Where the numbers come from.

    Raises
    ------
    ValueError
        Where the values are not positive or not in order.
    """

    value: float
    low: float
    high: float
    source: str = "given by the user"

    def __post_init__(self) -> None:
        if not (0 < self.low <= self.value <= self.high < math.inf):
            raise ValueError(
                f"A volume per dose of {self.value:g} um^3/nC between {self.low:g} and "
                f"{self.high:g} cannot be: use positive numbers, low <= value <= high."
            )

    @classmethod
    def exactly(cls, value: float) -> VolumePerDose:
        """Return a calibrated value, taken as free of uncertainty."""
        return cls(float(value), float(value), float(value))

    @classmethod
    def within(cls, value: float, percent: float) -> VolumePerDose:
        """Return a calibrated value that is known within some percent."""
        share = percent / 100
        return cls(float(value), value * (1 - share), value * (1 + share))

    def __str__(self) -> str:
        return f"{self.value:g} um^3/nC ({self.low:.3g} to {self.high:.3g}; {self.source})"


def materials(ion: str = "Ga") -> tuple[str, ...]:
    """Return the materials whose volume per dose is known for an ion."""
    known = {"Ga": {*_GA_30KV, "CrN", "glass"}, "Xe": {*_XE_30KV}}
    return tuple(sorted(known.get(ion, set()), key=str.lower))


def volume_per_dose(material: str, ion: str = "Ga") -> VolumePerDose:
    """Look up the volume that 30 kV ions remove per charge.

    Parameters
    ----------
    material : str
        Formula, e.g. ``"CrN"``, or ``"glass"`` (taken as SiO2); case does not matter.
    ion : {"Ga", "Xe"}
        What the beam consists of.

    Returns
    -------
    VolumePerDose
        Default values to be replaced by a calibration on the film itself.

    Raises
    ------
    ValueError
        Where it is not known; the message lists what is.

    Notes
    -----
    Nothing is published for CrN. It is bracketed by Cr (0.10) and TiN (0.15) of the same
    table; 0.12, their geometric mean, is used. The other table gives Cr 0.28, so that is the
    upper end of the bracket. Where two tables have a material, they are the bracket; where
    one has it, :data:`SPREAD` either way.
    """
    table = {"Ga": _GA_30KV, "Xe": _XE_30KV}.get(ion, {})
    names = {name.lower(): name for name in (*table, "CrN")}
    lower = material.strip().lower()
    name = names.get(_ALIASES.get(lower, lower).lower(), "")
    if name == "CrN" and ion == "Ga":
        return VolumePerDose(
            0.12, 0.10, 0.28, "none published for CrN: between Cr and TiN, Helios G4 manual"
        )
    if name not in table:
        known = ", ".join(materials(ion)) or "none"
        raise ValueError(
            f"The volume per dose of {material} for {ion} ions is not known: give it in um^3/nC. "
            f"Known: {known}."
        )
    first, *others = table[name]
    if others:
        low, high = min(first, *others), max(first, *others)
        return VolumePerDose(first, low, high, f"{_MANUAL}; bracket from {_OTHER}")
    return VolumePerDose(
        first, first / SPREAD, first * SPREAD, f"{_MANUAL}; a factor {SPREAD:g} either way"
    )
