"""When the images of a series were taken, and how warm their specimens were kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from napari_nanoqr.measuring.record import Record

SECONDS_PER_YEAR = 365.25 * 24 * 3600

FROM_LIST, FROM_FILE, FROM_CHANGE = "list of dates", "the file", "last change of the file"


@dataclass(frozen=True)
class Dated:
    """What a list of dates says of a file.

    Parameters
    ----------
    taken : datetime
        With its time zone.
    temperature_c : float or None
        At which the specimen was kept since the image before.
    specimen : str
        Which one, where there are several.
    """

    taken: datetime
    temperature_c: float | None = None
    specimen: str = ""


def read_dates(path: Path) -> dict[str, Dated]:
    """Read a list of dates.

    Parameters
    ----------
    path : Path
        A CSV file with a line of names: ``file``, ``date`` (ISO 8601, e.g. ``2031-05-17``), and
        where they are known ``temperature_c`` and ``specimen``.

    Returns
    -------
    dict
        By the file's name without its folder.

    Raises
    ------
    ValueError
        Where a column is missing, or a line cannot be understood.
    OSError
        Where it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is no text in UTF-8.") from None
    first = text.partition("\n")[0]
    lines = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    if not {"file", "date"} <= set(lines.fieldnames or ()):
        raise ValueError(f"{path.name} needs a first line with the names file,date.")
    found = {}
    for line in lines:
        where = f"{path.name}, line {lines.line_num}"
        name = Path((line["file"] or "").strip().replace("\\", "/")).name
        if not name:
            raise ValueError(f"{where}: there is no file name.")
        try:
            taken = date_of((line["date"] or "").strip())
        except ValueError:
            raise ValueError(
                f"{where}: {line['date']!r} is no date such as 2031-05-17 or 2031-05-17T14:30."
            ) from None
        warm = (line.get("temperature_c") or "").strip()
        try:
            temperature = float(warm) if warm else None
        except ValueError:
            raise ValueError(f"{where}: {warm!r} is no temperature in degrees Celsius.") from None
        found[name] = Dated(taken, temperature, (line.get("specimen") or "").strip())
    return found


def date_of(text: str) -> datetime:
    """Return a date in ISO 8601, taken for universal time where it names no time zone.

    Raises
    ------
    ValueError
        Where it is none.
    """
    taken = datetime.fromisoformat(text)
    # some hours do not matter, and the time zone of long ago may not be known
    return taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)


def dated(record: Record, dates: dict[str, Dated] | None = None) -> tuple[Dated | None, str]:
    """Return when an image was taken, and how that is known.

    Parameters
    ----------
    record : Record
        Of the image.
    dates : dict, optional
        A list of dates, which goes before what the file says.

    Returns
    -------
    known : Dated or None
        None where nothing tells.
    source : str
        In words.
    """
    name = record.name if record.path is None else record.path.name
    if dates is not None and name in dates:
        return dates[name], FROM_LIST
    told = None if record.micrograph is None else record.micrograph.metadata.get("taken")
    for text, source in ((told, FROM_FILE), (record.taken, FROM_CHANGE)):
        try:
            if isinstance(text, str):
                return Dated(date_of(text)), source
        except ValueError:
            continue
    return None, ""


def years_after(first: datetime, taken: datetime) -> float:
    """Return the years from one date to another."""
    return (taken - first).total_seconds() / SECONDS_PER_YEAR


def starts(taken: Sequence[tuple[str, datetime]]) -> dict[str, datetime]:
    """Return the first date of each specimen."""
    first: dict[str, datetime] = {}
    for specimen, date in taken:
        first[specimen] = min(date, first.get(specimen, date))
    return first
