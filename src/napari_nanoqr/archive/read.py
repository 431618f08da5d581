"""Micrographs of sheets to the files that were stored, with a verdict for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_nanoqr.archive.archive_reading import ArchiveReading
from napari_nanoqr.archive.assemble import AssembledStream, assemble_stream, read_index
from napari_nanoqr.archive.collect import collect_images
from napari_nanoqr.archive.damaged import write_damaged
from napari_nanoqr.archive.groups import group_counts
from napari_nanoqr.archive.header import Role
from napari_nanoqr.archive.index import BadIndex, IndexedArchive
from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.sources import image_sources
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.archive.tasks import ReadingOptions, UnreadImage
from napari_nanoqr.archive.tile_kind import tile_kind
from napari_nanoqr.archive.tile_map import draw_sheet, sheet_states
from napari_nanoqr.archive.unpack import RECORDS, FileVerdict, unpack_stream
from napari_nanoqr.archive.verdict import TileVerdict, rewrite_list, tile_verdicts
from napari_nanoqr.archive.workers import open_workers
from napari_nanoqr.files import complete_file, file_hash, write_text
from napari_nanoqr.progress import Progress, go_on

REPORT, REPORT_TEXT, REWRITE = "report.json", "report.txt", "rewrite.csv"
_STREAM = ".stream.part"


def read_archive(
    images: Iterable[Path | str],
    folder: Path | str,
    *,
    scheduler: str | None = None,
    jobs: int | None = None,
    archive: str | None = None,
    pixel_size_nm: float | None = None,
    pitch_nm: float | None = None,
    identities: Sequence[str] = (),
    passphrase: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ArchiveReading:
    """Read an archive from images of its tiles.

    Parameters
    ----------
    images : iterable of path
        Image files, folders of them and OME-Zarr mosaics, in any order. Those that were read into
        the same folder before are passed over; new ones add to what is known.
    folder : path
        Gets the files, and in its folder `RECORDS` ``report.json``, ``report.txt``, a map of each
        sheet, ``rewrite.csv`` and ``reading.sqlite``, which keeps what is known for the next time.
    scheduler : str, optional
        See `napari_nanoqr.archive.workers.open_workers`.
    jobs : int, optional
        Threads or processes; by default as many as there are cores.
    archive : str, optional
        Which archive, 16 hex digits, where the images show several; by default the one with most
        tiles.
    pixel_size_nm, pitch_nm : float, optional
        Pixel size where files do not tell it, and side of a module where it is known.
    identities : sequence of str
        Secret keys, where the archive is encrypted.
    passphrase : str, optional
        Or the passphrase.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    ArchiveReading
        `ArchiveReading.exact` where every file is as it was stored.

    Raises
    ------
    Cancelled
        Where it is no longer wanted; what was read by then is kept.
    ValueError
        Where there is no image, no such archive, a key is missing or wrong, or the folder holds
        something else.
    OSError
        Where the folder cannot be written to.
    """
    folder = Path(folder)
    sources = image_sources(images)
    options = ReadingOptions(pixel_size_nm, pitch_nm)
    with ReadingState(folder / RECORDS) as state:
        before = len(state.images)
        with open_workers(scheduler, jobs) as workers:
            unread = collect_images(
                sources, state, workers, options, progress=progress, cancelled=cancelled
            )
        return conclude(
            state, folder, new=len(state.images) - before, unread=unread, archive=archive,
            identities=identities, passphrase=passphrase, progress=progress, cancelled=cancelled,
        )  # fmt: skip


def conclude(
    state: ReadingState,
    folder: Path,
    *,
    new: int = 0,
    unread: Sequence[UnreadImage] = (),
    archive: str | None = None,
    identities: Sequence[str] = (),
    passphrase: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ArchiveReading:
    """Restore the files from what is known, and write the reports.

    Parameters
    ----------
    state : ReadingState
        What is known.
    folder : Path
        Gets the files, and reports in its folder `RECORDS`.
    new : int
        Images that were read this time.
    unread : sequence of UnreadImage
        Images that could not be opened.
    archive, identities, passphrase, progress, cancelled
        As for `read_archive`.

    Returns
    -------
    ArchiveReading
        What came of it.
    """
    notes = list(state.notes)
    which = _choose(state, archive, notes)
    reading = ArchiveReading(
        images_read=len(state.images), images_new=new, unread=tuple(unread),
        nameless=state.nameless, notes=tuple(notes),
    )  # fmt: skip
    if which is None:
        _write_reports(reading, folder / RECORDS)
        return reading
    index = _index(state, which, notes)
    plan = index.plan if index is not None else _usual_plan(state, which)
    tiles = tuple(
        tile_verdicts(plan, state.summary(which), state.sightings(which))
        if plan is not None
        else ()
    )
    maps = _write_maps(plan, tiles, folder / RECORDS) if plan is not None else ()
    part = folder / RECORDS / _STREAM
    files: tuple[FileVerdict, ...] = ()
    stream: AssembledStream | None = None
    try:
        stream = assemble_stream(
            state, which, part, length=None if index is None else index.facts.size,
            data_tiles=None if plan is None else plan.groups.data_tiles,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
        if index is not None and not stream.lost and file_hash(part) != index.facts.sha256:
            notes.append("All of the stream was read, but its SHA-256 is not the index's.")
        go_on(cancelled)
        files = unpack_stream(
            part, folder, facts=None if index is None else index.facts, holes=stream.lost,
            archive=which.hex(), identities=identities, passphrase=passphrase,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
        if index is not None:
            write_damaged(
                part, folder / RECORDS, files, index.facts, stream.lost,
                identities=identities, passphrase=passphrase, cancelled=cancelled,
            )  # fmt: skip
    except ValueError as problem:
        notes.append(str(problem))
    finally:
        part.unlink(missing_ok=True)
    reading = replace(
        reading, archive=which.hex(), files=files, tiles=tiles,
        groups=stream.groups if stream else (), stream_bytes=stream.length if stream else 0,
        lost=stream.lost if stream else (), index_known=index is not None, notes=tuple(notes),
        maps=maps,
    )  # fmt: skip
    _write_reports(reading, folder / RECORDS)
    return reading


def _choose(state: ReadingState, archive: str | None, notes: list[str]) -> bytes | None:
    """Return the archive that is meant, and note which others there are.

    Raises
    ------
    ValueError
        Where nothing of the one that is asked for was seen.
    """
    known = state.archives
    if archive is not None:
        try:
            which = bytes.fromhex(archive)
        except ValueError:
            which = b""
        if which not in known:
            there = ", ".join(each.hex() for each in known) or "none"
            raise ValueError(f"No tile of archive {archive} was seen; there are: {there}.")
    elif not known:
        return None
    else:
        which = next(iter(known))
    notes += [
        f"{count} tiles of another archive were seen, {other.hex()}: read it with --archive "
        f"{other.hex()} into a folder of its own."
        for other, count in known.items()
        if other != which
    ]
    return which


def _index(state: ReadingState, archive: bytes, notes: list[str]) -> IndexedArchive | None:
    values = read_index(state, archive)
    if values is None:
        notes.append(
            "No copy of the index could be read: names and checksums come from the archive's own "
            "bag, and the map assumes the usual geometry."
        )
        return None
    try:
        return IndexedArchive.from_dict(values)
    except BadIndex as problem:
        notes.append(str(problem))
        return None


def _usual_plan(state: ReadingState, archive: bytes) -> SheetPlan | None:
    """Return where everything lies by the headers and the usual geometry, where that fits."""
    headers = [header for header, *_ in state.summary(archive)]
    members = [each for each in headers if each.role in (Role.DATA, Role.PARITY)]
    if not members:
        return None
    counts = group_counts(members)
    told = {
        role: next((h.groups * h.data_count for h in headers if h.role == role), 1)
        for role in (Role.DESCRIPTION, Role.INDEX)
    }
    first = members[0]
    groups = Groups(sum(k for k, _ in counts.values()), first.groups, first.parity_count)
    across = tile_kind(first.rate, first.bits).usual_across
    settings = ArchiveSettings(first.rate, first.bits, tiles_per_field=across)
    plan = SheetPlan(settings, groups, told[Role.DESCRIPTION], told[Role.INDEX])
    return plan if plan.all_tiles == first.tiles else None


def _write_maps(
    plan: SheetPlan, tiles: Sequence[TileVerdict], folder: Path
) -> tuple[str, ...]:  # fmt: skip
    from PIL import Image

    names = []
    for sheet in sorted({each.sheet for each in tiles}):
        name = f"map_sheet_{sheet + 1}.png"
        picture = draw_sheet(sheet_states(plan, sheet, tiles), plan.settings.tiles_per_field)
        with complete_file(folder / name) as temporary:
            Image.fromarray(picture).save(temporary, format="PNG")
        names.append(name)
    return tuple(names)


def _write_reports(reading: ArchiveReading, folder: Path) -> None:
    write_text(folder / REPORT, json.dumps(reading.to_dict(), indent=1) + "\n")
    write_text(folder / REPORT_TEXT, reading.to_text() + "\n")
    write_text(folder / REWRITE, rewrite_list(reading.tiles))
