"""Many micrographs, one after the other on all cores: rows for a table, pages for the lab book."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.recording import record_file
from napari_nanoqr.measuring.table import Row, rows_of

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")
"""Files of a folder that are taken for micrographs."""

THUMBNAIL = 300
"""Longest side of a small picture in pixels."""

_FEW = 3
"""Files for which starting more processes takes longer than reading."""


@dataclass(frozen=True, eq=False)
class BatchItem:
    """What became of one file.

    Parameters
    ----------
    path : Path
        The file.
    record : Record
        What is known of it, without the image.
    page : Path or None
        Its report, where reports are written.
    thumbnail : bytes or None
        A small picture of it as JPEG; None where it could not be opened.
    """

    path: Path
    record: Record
    page: Path | None = None
    thumbnail: bytes | None = field(default=None, repr=False)

    @property
    def good(self) -> bool:
        """Whether a code was read, and the design's where one was given."""
        return self.record.good

    @property
    def verdict(self) -> str:
        """The sentence that counts."""
        return self.record.verdict

    @cached_property
    def rows(self) -> list[Row]:
        """For a table, see `napari_nanoqr.measuring.table.rows_of`."""
        return rows_of(self.record)


def images_in(folder: Path, *, subfolders: bool = False) -> list[Path]:
    """Return the images of a folder, by name.

    Parameters
    ----------
    folder : Path
        Where to look.
    subfolders : bool
        Look in all folders below it too.

    Returns
    -------
    list of Path
        Files with a suffix of `SUFFIXES`; hidden ones are left out.

    Raises
    ------
    OSError
        Where the folder cannot be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    found = folder.rglob("*") if subfolders else folder.iterdir()
    return sorted(path for path in found if is_image_name(path) and path.is_file())


def is_image_name(path: Path) -> bool:
    """Whether a file's name is that of an image; half-written files are often hidden ones."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_batch(
    paths: Iterable[Path],
    settings: RecordSettings | None = None,
    *,
    reports: Path | None = None,
    thumbnails: bool = False,
    jobs: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[BatchItem]:
    """Read and measure many files.

    Parameters
    ----------
    paths : iterable of Path
        Micrographs.
    settings : RecordSettings, optional
        How they are read.
    reports : Path, optional
        A folder that gets a report of each file, as HTML and JSON; it is made where it is
        missing.
    thumbnails : bool
        Draw a small picture of each.
    jobs : int, optional
        Processes; by default as many as there are cores, and none but this one for a few files.
    cancelled : callable, optional
        Asked now and then; True ends the work.

    Yields
    ------
    BatchItem
        For each file, in the order of the paths. Only a few are held in memory.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    OSError
        Where a report cannot be written.
    """
    todo = list(paths)
    settings = settings or RecordSettings()
    if reports is not None:
        reports.mkdir(parents=True, exist_ok=True)
    requests = [
        (path, settings, page, thumbnails)
        for path, page in zip(todo, _pages(todo, reports), strict=True)
    ]
    jobs = _jobs(jobs, len(todo))
    if jobs > 1:
        from napari_nanoqr.measuring.batch_process import read_in_processes

        yield from read_in_processes(requests, jobs, cancelled)
        return
    for request in requests:
        yield batch_item(*request, cancelled=cancelled)


def batch_item(
    path: Path,
    settings: RecordSettings,
    page: Path | None = None,
    thumbnail: bool = False,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> BatchItem:
    """Read and measure one file, and give back what can be sent between processes.

    Parameters
    ----------
    path : Path
        A micrograph.
    settings : RecordSettings
        How it is read.
    page : Path, optional
        Where its report goes, as HTML and JSON.
    thumbnail : bool
        Draw a small picture.
    cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    BatchItem
        What became of it.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    OSError
        Where the report cannot be written.
    """
    from napari_nanoqr.measuring.record_picture import micrograph_picture

    record = record_file(path, settings, cancelled=cancelled)
    if page is not None:
        record.save(page)
    small = None
    if thumbnail and record.micrograph is not None:
        small = micrograph_picture(record, THUMBNAIL)
    return BatchItem(path, record.without_image(), page, small)


def _jobs(asked: int | None, files: int) -> int:
    if asked is not None:
        if asked < 1:
            raise ValueError("At least one process is needed.")
        return min(asked, max(files, 1))
    return 1 if files <= _FEW else min(os.cpu_count() or 1, files)


def _pages(paths: Sequence[Path], reports: Path | None) -> list[Path | None]:
    """Return where each file's report goes; files of one name get numbers."""
    if reports is None:
        return [None] * len(paths)
    taken: dict[str, int] = {}
    pages: list[Path | None] = []
    for path in paths:
        count = taken[path.stem] = taken.get(path.stem, 0) + 1
        # not by with_suffix, which takes the rest of a name like "pass 1.2" for a suffix
        pages.append(reports / f"{path.stem}{'' if count == 1 else f'-{count}'}.html")
    return pages
