"""One micrograph, read and measured: what goes into the lab book."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_nanoqr.files import write_text
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.reading.append import join_sets
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.sem.micrograph import Micrograph

FORMAT = "napari-nanoqr reading report"


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of one micrograph, and where that comes from.

    Parameters
    ----------
    name : str
        Of the file, or of the layer.
    settings : RecordSettings
        How it was read.
    created : str
        When it was read, in ISO 8601 with the time zone.
    micrograph : Micrograph or None
        The image; None where the file could not be opened, and in a record that was sent here by
        another process.
    acquisition : dict or None
        What `describe_micrograph` says of it; None where the file could not be opened.
    readings : Readings
        What was read, and what was seen and not read.
    measurements : tuple of Measurement
        Of the codes, where they were measured.
    comparisons : tuple of Comparison or None
        Where the design was found; None where none was looked for.
    path : Path or None
        The file.
    sha256 : str or None
        Of the file when it was read.
    taken : str or None
        When the image was taken, in ISO 8601: as the file tells, else its last change.
    error : str or None
        Why the file could not be opened, in a sentence.
    """

    name: str
    settings: RecordSettings
    created: str
    micrograph: Micrograph | None = field(default=None, repr=False)
    acquisition: dict[str, Any] | None = field(default=None, repr=False)
    readings: Readings = field(default_factory=Readings)
    measurements: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] | None = None
    path: Path | None = None
    sha256: str | None = None
    taken: str | None = None
    error: str | None = None

    @property
    def program(self) -> str:
        """Name and version of the program that read it."""
        return f"napari-nanoqr {version('napari-nanoqr')}"

    @property
    def good(self) -> bool:
        """Whether a code was read, and the design's where one was given."""
        design = self.settings.design
        if design is None:
            return bool(self.readings)
        return any(reading.payload == design.symbol.payload for reading in self.readings)

    @property
    def pixel_size_nm(self) -> float | list[float] | None:
        """Size that was used: a number, y and x where they differ, None where unknown."""
        if self.settings.pixel_size_nm is not None or self.acquisition is None:
            return self.settings.pixel_size_nm
        known: float | list[float] | None = self.acquisition["pixel_size_nm"]
        return known

    @property
    def pixel_size_source(self) -> str | None:
        """Where that is from, in words."""
        if self.settings.pixel_size_nm is not None:
            return "given"
        if self.acquisition is None:
            return None
        source: str | None = self.acquisition["pixel_size_source"]
        return source

    @property
    def verdict(self) -> str:
        """The sentence that counts."""
        if self.error is not None:
            return self.error
        if not self.readings:
            return self.readings.advice or "No code was read."
        count = len(self.readings)
        said = f"{count} code{'s' * (count != 1)} read"
        if self.settings.design is not None:
            as_written = "what the design says" if self.good else "not what the design says"
            said += f": {as_written}"
        return f"{said}."

    def measurement_of(self, reading: Reading) -> Measurement | None:
        """Return what was measured of a code that was read."""
        return next((m for m in self.measurements if m.reading is reading), None)

    def without_image(self) -> Record:
        """Return the record alone, as it can be sent to another process."""
        return replace(self, micrograph=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        compared, path = self.comparisons, self.path
        return {
            "format": FORMAT,
            "format_version": 1,
            "program": self.program,
            "created": self.created,
            "name": self.name,
            "file": None if path is None else str(path),
            "sha256": self.sha256,
            "taken": self.taken,
            "pixel_size_nm": self.pixel_size_nm,
            "pixel_size_source": self.pixel_size_source,
            "settings": self.settings.to_dict(),
            "acquisition": self.acquisition,
            "codes": [reading.to_dict() for reading in self.readings],
            "measurements": [measured.to_dict() for measured in self.measurements],
            "unread": [seen.to_dict() for seen in self.readings.unread],
            "sets": [joined.to_dict() for joined in join_sets(self.readings)],
            "comparisons": None if compared is None else [found.to_dict() for found in compared],
            "failed_stage": None if self.error else self.readings.failed_stage,
            "error": self.error or self.readings.advice or None,
        }

    def to_html(self) -> str:
        """Return a page for the lab book, with its pictures inside."""
        from napari_nanoqr.measuring.record_page import record_page

        return record_page(self)

    def save(self, path: Path) -> tuple[Path, Path]:
        """Write the record as HTML and as JSON beside it.

        Parameters
        ----------
        path : Path
            Of either; the suffix is replaced by ``.html`` and ``.json``.

        Returns
        -------
        tuple of Path
            Both files.

        Raises
        ------
        OSError
            Where they cannot be written.
        """
        html, values = path.with_suffix(".html"), path.with_suffix(".json")
        write_text(html, self.to_html())
        write_text(values, json.dumps(self.to_dict(), indent=1) + "\n")
        return html, values
