"""What the index tiles of an archive hold: how its stream is made, and where everything lies."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.stream import StreamFacts

FORMAT = "napari-nanoqr archive index"
FORMAT_VERSION = 1


class BadIndex(ValueError):
    """Values that are no index of an archive."""


@dataclass(frozen=True)
class IndexedArchive:
    """An archive as its index tells it.

    Parameters
    ----------
    archive : str
        Its number, as in the headers of its tiles, in hex.
    name : str
        Of the folder in the stream.
    written : str
        When, in UTC (ISO 8601).
    program : str
        That wrote it.
    facts : StreamFacts
        Of the stream.
    plan : SheetPlan
        Where everything lies.
    """

    archive: str
    name: str
    written: str
    program: str
    facts: StreamFacts
    plan: SheetPlan

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as they stand in the index and in ``manifest.json``."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "archive": self.archive,
            "name": self.name,
            "written": self.written,
            "program": self.program,
            "stream": self.facts.to_dict(),
            "settings": self.plan.settings.to_dict(),
            "groups": asdict(self.plan.groups),
            "description_tiles": self.plan.description_tiles,
            "index_tiles": self.plan.index_tiles,
            "sheets": self.plan.sheets,
            "fields": self.plan.all_fields,
            "tiles": self.plan.all_tiles,
        }

    @classmethod
    def from_dict(cls, values: Any) -> IndexedArchive:
        """Return what :meth:`to_dict` described.

        Raises
        ------
        BadIndex
            Where it describes no archive, or a newer program wrote it.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise BadIndex("The index is not that of an archive.")
        if values.get("format_version") != FORMAT_VERSION:
            raise BadIndex(
                f"The index has version {values.get('format_version')}; this program reads "
                f"version {FORMAT_VERSION}."
            )
        try:
            plan = SheetPlan(
                ArchiveSettings.from_dict(values["settings"]), Groups(**values["groups"]),
                int(values["description_tiles"]), int(values["index_tiles"]),
            )  # fmt: skip
            facts = StreamFacts.from_dict(values["stream"])
            archive, name, written, program = (
                str(values[key]) for key in ("archive", "name", "written", "program")
            )
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise BadIndex(f"The index makes no sense: {problem}.") from problem
        return cls(archive, name, written, program, facts, plan)

    def parts(self) -> list[bytes]:
        """Return the payloads of the index tiles: JSON, cut to the size of a tile.

        There may be fewer than the plan has room for.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":")).encode()
        size = self.plan.settings.tile_bytes
        return [text[start : start + size] for start in range(0, len(text), size)]

    def fitted(self) -> IndexedArchive:
        """Return the same with room for its index, whose length the index tells too."""
        index = replace(self, plan=self.plan.with_index(1))
        while len(index.parts()) > index.plan.index_tiles:
            index = replace(index, plan=index.plan.with_index(len(index.parts())))
        return index
