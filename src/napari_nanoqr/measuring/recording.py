"""Read and measure a micrograph, and record what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from napari_nanoqr.files import file_hash
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.sem.describe import describe_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph


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
