"""The library of instruments."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from napari_nanoqr.fib.instrument import Instrument, InstrumentFormat
from napari_nanoqr.fib.library_files import (
    OWN,
    BadLibraryFile,
    read_library_file,
    write_library_file,
)

__all__ = [
    "Instrument", "InstrumentFormat", "find_instrument", "instruments", "load_instrument",
    "save_instrument",
]  # fmt: skip

FORMAT = "napari-nanoqr instrument"

GENERIC = "generic"
"""What most instruments can do, and all formats; taken where none is named."""

# the user's instruments, by name in lower case; they win over those that come with the program
_loaded: dict[str, Instrument] = {}


def instruments() -> tuple[Instrument, ...]:
    """Return the instruments that are known.

    Returns
    -------
    tuple of Instrument
        Those that come with the program, then those of :func:`load_instrument`.
    """
    known = {instrument.name.lower(): instrument for instrument in _library()} | _loaded
    return tuple(known.values())


def find_instrument(name: str = GENERIC) -> Instrument:
    """Find an instrument by its name; case does not matter.

    Raises
    ------
    ValueError
        Where it is not known; the message lists those that are.
    """
    for instrument in instruments():
        if instrument.name.lower() == name.strip().lower():
            return instrument
    known = "; ".join(instrument.name for instrument in instruments())
    raise ValueError(f"The instrument {name} is not known. Known: {known}.")


def save_instrument(path: Path | str, instrument: Instrument) -> None:
    """Write an instrument to a file that :func:`load_instrument` reads.

    Parameters
    ----------
    path : Path or str
        A JSON file; what stands there is replaced once the new file is complete.
    instrument : Instrument
        What to write.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    write_library_file(Path(path), FORMAT, instrument.to_dict())


def load_instrument(path: Path | str) -> Instrument:
    """Read an instrument from a file, to be known as long as the program runs.

    Parameters
    ----------
    path : Path or str
        A file of :func:`save_instrument`, or one written by hand.

    Returns
    -------
    Instrument
        It takes the place of a known one of the same name.

    Raises
    ------
    BadLibraryFile
        Where the file holds no instrument.
    OSError
        Where it cannot be read.
    """
    instrument = _read(Path(path))
    _loaded[instrument.name.lower()] = instrument
    return instrument


def _read(path: Path) -> Instrument:
    values = read_library_file(path, FORMAT)
    try:
        return Instrument.from_dict(values)
    except BadLibraryFile as problem:
        raise BadLibraryFile(f"{path.name}: {problem}") from problem


@cache
def _library() -> tuple[Instrument, ...]:
    return tuple(_read(path) for path in sorted((OWN / "instruments").glob("*.json")))
