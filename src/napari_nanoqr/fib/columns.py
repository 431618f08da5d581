"""The library of ion columns, and their beams."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

from napari_nanoqr.fib.column import Beam, Column, format_current
from napari_nanoqr.fib.library_files import (
    OWN,
    BadLibraryFile,
    read_library_file,
    write_library_file,
)

__all__ = [
    "Beam", "Column", "beams", "columns", "find_beam", "find_column", "format_current",
    "load_column", "save_column",
]  # fmt: skip

FORMAT = "napari-nanoqr column"

HELIOS_G4 = "Helios G4"
"""The column that is taken where none is named."""

DEFAULT_CURRENT_PA = 26.0
"""A spot of 12.5 nm: a quarter of the 49 nm module of the record, a few seconds of milling."""

# the user's columns, by name in lower case; they win over those that come with the program
_loaded: dict[str, Column] = {}


def columns() -> tuple[Column, ...]:
    """Return the columns that are known.

    Returns
    -------
    tuple of Column
        Those that come with the program, then those of :func:`load_column`. Nominal values:
        a worn aperture or a defocused beam is wider.
    """
    known = {column.name.lower(): column for column in _library()} | _loaded
    return tuple(known.values())


def find_column(name: str = HELIOS_G4) -> Column:
    """Find a column by its name; case does not matter.

    Raises
    ------
    ValueError
        Where it is not known; the message lists those that are.
    """
    for column in columns():
        if column.name.lower() == name.strip().lower():
            return column
    known = ", ".join(column.name for column in columns())
    raise ValueError(f"The column {name} is not known. Known: {known}.")


def save_column(path: Path | str, column: Column) -> None:
    """Write a column to a file that :func:`load_column` reads.

    Parameters
    ----------
    path : Path or str
        A JSON file; what stands there is replaced once the new file is complete.
    column : Column
        What to write.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    write_library_file(Path(path), FORMAT, column.to_dict())


def load_column(path: Path | str) -> Column:
    """Read a column from a file, to be known as long as the program runs.

    Parameters
    ----------
    path : Path or str
        A file of :func:`save_column`, or one written by hand.

    Returns
    -------
    Column
        It takes the place of a known one of the same name.

    Raises
    ------
    BadLibraryFile
        Where the file holds no column.
    OSError
        Where it cannot be read.
    """
    column = _read(Path(path))
    _loaded[column.name.lower()] = column
    return column


def beams() -> tuple[Beam, ...]:
    """Return the beams that are known, column by column, by rising current.

    Returns
    -------
    tuple of Beam
        Nominal values. A worn aperture or a defocused beam is wider:
        ``Beam(current_pa, spot_nm)`` takes measured values.
    """
    return tuple(beam for column in columns() for beam in column.beams)


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


def _read(path: Path) -> Column:
    values = read_library_file(path, FORMAT)
    try:
        return Column.from_dict(values)
    except BadLibraryFile as problem:
        raise BadLibraryFile(f"{path.name}: {problem}") from problem


@cache
def _library() -> tuple[Column, ...]:
    return tuple(_read(path) for path in sorted((OWN / "columns").glob("*.json")))
