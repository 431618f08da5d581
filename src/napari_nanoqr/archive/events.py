"""What happened to an archive, after PREMIS: events with agent, time and outcome.

The words for types and outcomes are those of the Library of Congress' vocabularies ``eventType``
and ``eventOutcome`` (id.loc.gov/vocabulary/preservation), the names of the fields those of the
PREMIS 3.0 data dictionary.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from napari_nanoqr.files import write_text

EVENTS = "events.json"
FORMAT = "napari-nanoqr events"

EventType = Literal[
    "ingestion", "message digest calculation", "packing", "compression", "encryption",
    "replication", "fixity check", "validation", "unpacking", "recovery",
]  # fmt: skip
Outcome = Literal["success", "warning", "fail"]


def now() -> str:
    """Return the time in UTC, to the second (ISO 8601)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def agent() -> str:
    """Return the name and version of this program."""
    return f"napari-nanoqr {version('napari-nanoqr')}"


@dataclass(frozen=True)
class Event:
    """Something that happened to an archive.

    Parameters
    ----------
    event_type : str
        One of the words of the vocabulary, e.g. ``"fixity check"``.
    event_detail : str
        What was done, as a sentence.
    event_outcome : {"success", "warning", "fail"}
        How it went.
    event_outcome_detail : str
        What came of it.
    linking_objects : tuple of str
        What it was done to: the archive, files, tiles.
    event_identifier : str
        A random UUID.
    event_date_time : str
        In UTC.
    linking_agent : str
        Who did it: this program.
    """

    event_type: EventType
    event_detail: str
    event_outcome: Outcome = "success"
    event_outcome_detail: str = ""
    linking_objects: tuple[str, ...] = ()
    event_identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    event_date_time: str = field(default_factory=now)
    linking_agent: str = field(default_factory=agent)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"linking_objects": list(self.linking_objects)}


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of an archive, oldest first; none where there is no log.

    Raises
    ------
    ValueError
        Where the log is damaged.
    OSError
        Where it cannot be read.
    """
    path = folder / EVENTS
    if not path.exists():
        return []
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError
        return list(values["events"])
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{path} is no log of events.") from problem


def log_events(folder: Path, events: Sequence[Event]) -> None:
    """Add events to the log of an archive.

    Parameters
    ----------
    folder : Path
        Of the archive; its ``events.json`` is made where there is none.
    events : sequence of Event
        In the order in which they happened.

    Raises
    ------
    ValueError
        Where the log is damaged; it stays as it is.
    OSError
        Where it cannot be written.
    """
    told = read_events(folder) + [event.to_dict() for event in events]
    values = {"format": FORMAT, "format_version": 1, "events": told}
    write_text(folder / EVENTS, json.dumps(values, indent=1, ensure_ascii=False) + "\n")
