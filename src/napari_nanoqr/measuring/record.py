"""One micrograph, read and measured: what goes into the lab book."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_nanoqr.design.design import Design
from napari_nanoqr.files import file_hash, write_text
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.reading.append import join_sets
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.sem.describe import describe_micrograph
from napari_nanoqr.sem.given import Given
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph

FORMAT = "napari-nanoqr reading report"


@dataclass(frozen=True)
class RecordSettings:
    """How micrographs are read.

    Parameters
    ----------
    pixel_size_nm : float or None
        Instead of what the files say.
    pitch_nm : float or None
        Side of a module, where it is known.
    design : Design or None
        What was written: each image is held against it.
    margin : bool
        Measure down to which dose each code would be read.
    measure : bool
        Measure and grade each code.
    tilt_deg, dwell_s, beam_current_a : float or None
        Instead of what the files say, see `napari_nanoqr.sem.given.Given`.
    region : tuple of int or None
        First row, first column, height and width of the pixels that are read; the record is
        that of this part, and pixels of it are counted from its corner.
    """

    pixel_size_nm: float | None = None
    pitch_nm: float | None = None
    design: Design | None = None
    margin: bool = True
    measure: bool = True
    tilt_deg: float | None = None
    dwell_s: float | None = None
    beam_current_a: float | None = None
    region: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        # what cannot be true is refused before any file is opened
        _ = self.given

    @property
    def given(self) -> Given:
        """What is to be taken instead of what the files say."""
        return Given(self.pixel_size_nm, self.tilt_deg, self.dwell_s, self.beam_current_a)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "pixel_size_nm": self.pixel_size_nm,
            "pitch_nm": self.pitch_nm,
            "design": None if self.design is None else self.design.to_dict(),
            "margin": self.margin,
            "measure": self.measure,
            "tilt_deg": self.tilt_deg,
            "dwell_s": self.dwell_s,
            "beam_current_a": self.beam_current_a,
            "region": None if self.region is None else list(self.region),
        }


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


def record_file(
    path: Path,
    settings: RecordSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Record:
    """Read and measure one file.

    Parameters
    ----------
    path : Path
        A micrograph.
    settings : RecordSettings, optional
        How it is read.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    Record
        With a sentence where the file cannot be opened.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    """
    settings = settings or RecordSettings()
    try:
        micrograph = read_micrograph(path)
        if settings.region is not None:
            micrograph = micrograph.region(*settings.region)
        return record_micrograph(micrograph, settings, progress=progress, cancelled=cancelled)
    except (ValueError, OSError) as problem:
        said = problem.strerror if isinstance(problem, OSError) and problem.strerror else None
        return Record(
            path.name, settings, _now(), path=path, sha256=_hash(path), taken=_changed(path),
            error=said or str(problem),
        )  # fmt: skip


def record_micrograph(
    micrograph: Micrograph,
    settings: RecordSettings | None = None,
    *,
    name: str | None = None,
    readings: Readings | None = None,
    comparisons: Sequence[Comparison] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Record:
    """Read and measure one micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        The image.
    settings : RecordSettings, optional
        How it is read.
    name : str, optional
        What it is called, by default as its file.
    readings, comparisons : optional
        What was found in it before, so that it is not read again.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    Record
        What was found.

    Raises
    ------
    ValueError
        Where it holds no image.
    Cancelled
        Where it is no longer wanted.
    """
    settings = settings or RecordSettings()
    size, design = settings.pixel_size_nm, settings.design
    micrograph = settings.given.applied_to(micrograph)
    if readings is None:
        readings = read_codes(
            micrograph, size, settings.pitch_nm, margin=settings.margin, progress=progress,
            cancelled=cancelled,
        )  # fmt: skip
    go_on(cancelled)
    if design is not None and comparisons is None:
        comparisons = compare_with_design(micrograph, design, size, cancelled=cancelled)
    go_on(cancelled)
    measurements: Sequence[Measurement] = ()
    if settings.measure:
        # reading alone needs none of what measuring loads
        from napari_nanoqr.measuring.measure import measure_codes

        measurements = measure_codes(
            micrograph, size, settings.pitch_nm, design=design, readings=readings,
            comparisons=comparisons, progress=progress, cancelled=cancelled,
        )  # fmt: skip
    path = micrograph.path
    return Record(
        name or ("micrograph" if path is None else path.name),
        settings,
        _now(),
        micrograph,
        describe_micrograph(micrograph),
        readings,
        tuple(measurements),
        None if comparisons is None else tuple(comparisons),
        path,
        None if path is None else _hash(path),
        micrograph.metadata.get("taken") or (None if path is None else _changed(path)),
    )


def _now() -> str:
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def _hash(path: Path) -> str | None:
    try:
        return file_hash(path)
    except OSError:
        return None


def _changed(path: Path) -> str | None:
    try:
        changed = path.stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(changed, UTC).astimezone().isoformat(timespec="seconds")
