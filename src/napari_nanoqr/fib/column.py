"""One ion column: its currents, their spots, and the tail of its beam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from napari_nanoqr.fib.library_files import BadLibraryFile, Fields, as_number

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Of a Gaussian."""

TAIL_FRACTION = 0.1
TAIL_WIDTH = 4.0
"""Default tail. That 30 kV gallium beams have tails is measured (arXiv:2511.00320); share and
width depend on the column and its alignment. These are an assumption of the right order."""


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
    tail_fraction : float
        Share of the current in a second, wider Gaussian, 0 to below 1.
    tail_width : float
        Width of the tail in units of the core's.

    Raises
    ------
    ValueError
        Where current, spot or energy is not positive, or the tail is out of range.
    """

    current_pa: float
    spot_nm: float
    column: str = "given"
    ion: str = "Ga"
    energy_kev: float = 30.0
    source: str = "given by the user"
    tail_fraction: float = TAIL_FRACTION
    tail_width: float = TAIL_WIDTH

    def __post_init__(self) -> None:
        for name, value in (
            ("current", self.current_pa), ("spot", self.spot_nm), ("energy", self.energy_kev),
        ):  # fmt: skip
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"A beam's {name} is a positive number, not {value:g}.")
        if not 0 <= self.tail_fraction < 1 or not 1 <= self.tail_width <= 100:
            raise ValueError(
                "A beam's tail holds from 0 to below 1 of the current and is 1 to 100 times as "
                "wide as the core."
            )

    @property
    def core_sigma_nm(self) -> float:
        """Standard deviation of the core in nm."""
        return self.spot_nm / FWHM_PER_SIGMA

    def __str__(self) -> str:
        kind = f"{self.ion} {self.energy_kev:g} kV, {self.column}"
        return f"{format_current(self.current_pa)} · {self.spot_nm:g} nm ({kind})"


@dataclass(frozen=True)
class Column:
    """An ion column: its currents with their spots, and what it needs to move its beam.

    Parameters
    ----------
    name : str
        What it is called.
    spots : tuple of (float, float)
        Current in pA and spot (full width at half maximum) in nm, by rising current.
    ion : str
        Element, e.g. ``"Ga"``.
    energy_kev : float
        Energy in keV.
    tail_fraction, tail_width : float
        Share of the current in the tail, and its width in units of the core's.
    settling_us : float, optional
        Time in us that the beam needs to settle after a jump; None where it is not known.
    blanking_us : float, optional
        Time in us that blanking takes; None where it is not known.
    source : str
        Where the values come from.

    Raises
    ------
    ValueError
        Where there is no name, no current, a current twice, or a value is out of range.
    """

    name: str
    spots: tuple[tuple[float, float], ...]
    ion: str = "Ga"
    energy_kev: float = 30.0
    tail_fraction: float = TAIL_FRACTION
    tail_width: float = TAIL_WIDTH
    settling_us: float | None = None
    blanking_us: float | None = None
    source: str = "given by the user"

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.ion.strip():
            raise ValueError("A column needs a name and an ion.")
        if not self.spots:
            raise ValueError(f"The column {self.name} has no current.")
        currents = [current for current, _ in self.spots]
        if any(after <= before for before, after in pairwise(currents)):
            raise ValueError(
                f"The currents of {self.name} do not rise: each has to be listed once, the "
                "smallest first."
            )
        for name, value in (("settling", self.settling_us), ("blanking", self.blanking_us)):
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"A {name} time of {value:g} us cannot be.")
        _ = self.beams  # a beam says what is wrong with it

    @property
    def beams(self) -> tuple[Beam, ...]:
        """Its beams, by rising current."""
        return tuple(
            Beam(
                current, spot, self.name, self.ion, self.energy_kev, self.source,
                self.tail_fraction, self.tail_width,
            )
            for current, spot in self.spots
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the column as plain values, as they stand in a file."""
        times = {"settling_us": self.settling_us, "blanking_us": self.blanking_us}
        return {
            "name": self.name, "ion": self.ion, "energy_kev": self.energy_kev,
            "currents": [{"current_pa": current, "spot_nm": spot} for current, spot in self.spots],
            "tail_fraction": self.tail_fraction, "tail_width": self.tail_width, **times,
            "source": self.source,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Any) -> Column:
        """Build a column from the plain values of a file.

        Raises
        ------
        BadLibraryFile
            Where they describe no column; the message says which field and why.
        """
        fields = Fields(values, "the column")
        name = fields.text("name")
        fields.where = name
        spots = []
        for number, each in enumerate(fields.list("currents"), start=1):
            pair = Fields(each, f"{name}, current {number}")
            spots.append((pair.number("current_pa"), pair.number("spot_nm")))
            pair.end()
        energy = fields.number("energy_kev")
        ion = fields.text("ion")
        source = fields.text("source", "given by the user")
        tail = {
            key: as_number(fields.values.pop(key), f'{name}: "{key}"')
            for key in ("tail_fraction", "tail_width")
            if key in fields.values
        }
        settling, blanking = fields.optional("settling_us"), fields.optional("blanking_us")
        fields.end()
        try:
            return cls(
                name, tuple(spots), ion, energy, **tail,
                settling_us=settling, blanking_us=blanking, source=source,
            )  # fmt: skip
        except ValueError as problem:
            raise BadLibraryFile(f"{name}: {problem}") from problem


def format_current(current_pa: float) -> str:
    """Return a current for people, in pA below 0.1 nA and in nA above."""
    return f"{current_pa:g} pA" if current_pa < 100 else f"{current_pa / 1000:g} nA"
