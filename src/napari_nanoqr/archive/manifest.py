"""The manifest of a written archive: what is in its folder, and what it says on its sheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from napari_nanoqr.archive.field_files import field_name
from napari_nanoqr.archive.index import IndexedArchive
from napari_nanoqr.archive.sheet import PlacedField, SheetPlan
from napari_nanoqr.fib.columns import Beam, find_beam
from napari_nanoqr.files import write_text

MANIFEST = "manifest.json"
FORMAT = "napari-nanoqr archive"
FORMAT_VERSION = 1
STAGE = "stage.csv"

STAGE_COLUMNS = (
    "field", "file", "x_um", "y_um", "row", "column", "tiles", "roles", "beam_on_time_s", "sha256",
)  # fmt: skip


class BadManifest(ValueError):
    """A folder that holds no archive, or one whose manifest is damaged."""


@dataclass(frozen=True)
class ArchiveManifest:
    """A written archive.

    Parameters
    ----------
    folder : Path
        Where it is.
    index : IndexedArchive
        What its index tiles say; of an encrypted archive neither tells its files.
    doses : tuple of float
        Dose of each level in the pattern files: 1 is the full one.
    user_bytes : int
        Of the files that were given.
    file_count : int
        How many they were.
    pattern_bytes : int
        Of all pattern files.
    beam_on_time_s : float
        Of all fields, with the beam of the plan.
    full_dose : float
        The full dose, in units of that which just mills through the film.
    beam : Beam
        Of the plan; by default that which is taken where none is named.
    """

    folder: Path
    index: IndexedArchive
    doses: tuple[float, ...]
    user_bytes: int
    file_count: int
    pattern_bytes: int
    beam_on_time_s: float
    full_dose: float = 1.0
    beam: Beam = field(default_factory=find_beam)

    @property
    def plan(self) -> SheetPlan:
        """Where everything lies."""
        return self.index.plan

    def sheet_folder(self, sheet: int) -> Path:
        """Return the folder of a sheet; folders count from 1."""
        return self.folder / sheet_name(sheet)

    def field_path(self, sheet: int, number: int) -> Path:
        """Return the pattern file of a field; files count from 1."""
        name = field_name(number, self.plan.settings.suffix)
        return self.sheet_folder(sheet) / name

    def fields(self) -> Iterator[PlacedField]:
        """Yield all fields, sheet by sheet in the order of the stage."""
        for sheet in range(self.plan.sheets):
            for number in range(self.plan.fields(sheet)):
                yield self.plan.field(sheet, number)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        plan = self.plan
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "doses": list(self.doses),
            "full_dose": self.full_dose,
            "beam": asdict(self.beam),
            "user_bytes": self.user_bytes,
            "file_count": self.file_count,
            "pattern_bytes": self.pattern_bytes,
            "beam_on_time_s": self.beam_on_time_s,
            "sheets": [
                {
                    "sheet": sheet + 1,
                    "folder": sheet_name(sheet),
                    "copy": sheet // plan.sheets_per_copy + 1,
                    "fields": plan.fields(sheet),
                    "columns": plan.columns(sheet),
                    "tiles": plan.tiles(sheet),
                }
                for sheet in range(plan.sheets)
            ],
            "index": self.index.to_dict(),
        }

    def save(self) -> None:
        """Write ``manifest.json`` into the folder."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
        write_text(self.folder / MANIFEST, text + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> ArchiveManifest:
        """Read the manifest of a folder.

        Parameters
        ----------
        folder : str or Path
            Of an archive, or its manifest.

        Raises
        ------
        BadManifest
            Where the folder holds no archive, or its manifest makes no sense.
        OSError
            Where it cannot be read.
        """
        path = Path(folder)
        path = path / MANIFEST if path.is_dir() else path
        if not path.is_file():
            raise BadManifest(f"{folder} holds no archive: it has no {MANIFEST}.")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT or values["format_version"] != FORMAT_VERSION:
                raise ValueError(f"it says {values['format']}, version {values['format_version']}")
            return cls(
                path.parent, IndexedArchive.from_dict(values["index"]), tuple(values["doses"]),
                int(values["user_bytes"]), int(values["file_count"]),
                int(values["pattern_bytes"]), float(values["beam_on_time_s"]),
                float(values.get("full_dose", 1.0)),
                Beam(**values["beam"]) if "beam" in values else find_beam(),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as problem:
            raise BadManifest(f"{path} is no manifest of an archive: {problem}.") from problem

    def stage_rows(self, sheet: int) -> list[dict[str, str]]:
        """Return the lines of a sheet's stage list, as text by column.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        path = self.sheet_folder(sheet) / STAGE
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


def sheet_name(sheet: int) -> str:
    """Return the name of the folder of a sheet; folders count from 1."""
    return f"sheet-{sheet + 1:02}"
