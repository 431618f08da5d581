"""Figures that a plan takes for granted, each with its source; what is uncertain says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A number that others state, or that is assumed.

    Parameters
    ----------
    name : str
        What it is.
    value : float
        Its value.
    unit : str
        Its unit.
    source : str
        Who says so.
    certain : bool
        False for what differs much from case to case, or is an assumption.
    """

    name: str
    value: float
    unit: str
    source: str
    certain: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


WRITE_POWER = Figure(
    "power of a FIB-SEM", 3000, "W",
    "assumed: column, pumps, chiller, computers; enter your own with --write-power", False,
)  # fmt: skip
READ_POWER = Figure(
    "power of a SEM", 2000, "W",
    "assumed: column, pumps, chiller, computers; enter your own with --read-power", False,
)  # fmt: skip
STAGE_MOVE = Figure(
    "stage move to the next field", 1.0, "s",
    "assumed: about 50 um and settling; enter your own with --stage-move", False,
)  # fmt: skip
DISK_SIZE = Figure("capacity of a hard disk", 20e12, "B", "Seagate Exos X20 data sheet, 2021")
DISK_POWER = Figure(
    "power of an idle hard disk", 5.4, "W", "Seagate Exos X20 data sheet, 2021 (9.4 W reading)"
)
DATA_CENTRE = Figure(
    "power of a data centre for each watt of its machines (PUE)", 1.58, "",
    "Uptime Institute, Global Data Center Survey 2023: mean of those asked", False,
)  # fmt: skip
TAPE_SIZE = Figure("capacity of a tape", 18e12, "B", "LTO-9, lto.org, 2021")
TAPE_RATE = Figure("rate of a tape drive", 400e6, "B/s", "LTO-9, lto.org, 2021")
TAPE_POWER = Figure(
    "power of a tape drive at work", 30, "W", "assumed: full-height LTO drives, 20 to 45 W", False
)
TAPE_YEARS = Figure(
    "years from one copy to a newer tape to the next", 10, "years",
    "assumed: drives from LTO-8 on read one generation back", False,
)  # fmt: skip

ALL = (
    WRITE_POWER, READ_POWER, STAGE_MOVE, DISK_SIZE, DISK_POWER, DATA_CENTRE, TAPE_SIZE, TAPE_RATE,
    TAPE_POWER, TAPE_YEARS,
)  # fmt: skip

YEAR_S = 365.25 * 86400


def disk_j_per_bit(years: float) -> float:
    """Return the energy that a bit on a spinning, idle disk takes in some years, in J.

    Making the disks, and replacing them every few years, comes on top and is not counted.
    """
    power = DISK_POWER.value * DATA_CENTRE.value
    return power * years * YEAR_S / (8 * DISK_SIZE.value)


def tape_j_per_bit(years: float) -> float:
    """Return the energy that a bit on tapes in a shelf takes in some years, in J.

    It is written once, and read and written again each time that the tapes grow old. Robots, air
    conditioning of the store and the making of tapes come on top and are not counted.
    """
    passes = 1 + 2 * (max(years, 0) // TAPE_YEARS.value)
    return passes * TAPE_POWER.value * DATA_CENTRE.value / (8 * TAPE_RATE.value)
