"""Files to the sheets of an archive: pattern files, stage lists, manifest, events, plan."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from napari_nanoqr.archive.bag import check_bag, is_bag, list_sources, make_bag
from napari_nanoqr.archive.drawing import Drawer, group_parity
from napari_nanoqr.archive.electrons import planned_levels
from napari_nanoqr.archive.events import EVENTS, Event, agent, log_events, now
from napari_nanoqr.archive.field_files import FieldFile, FieldTask, field_name, write_in_processes
from napari_nanoqr.archive.index import IndexedArchive
from napari_nanoqr.archive.manifest import MANIFEST, STAGE, STAGE_COLUMNS, ArchiveManifest
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.overview import draw_roles
from napari_nanoqr.archive.plan import PLAN, plan_written
from napari_nanoqr.archive.read_me import READ_ME, read_me
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.stream import StreamFacts, write_stream
from napari_nanoqr.files import complete_folder, write_text
from napari_nanoqr.progress import Progress, go_on

ROLES_PICTURE = "roles.png"
_HIDDEN = ".work"


def write_archive(
    files: Sequence[str | Path],
    folder: str | Path,
    settings: ArchiveSettings | None = None,
    *,
    needs: ArchiveNeeds | None = None,
    name: str | None = None,
    archive: bytes | None = None,
    replace: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ArchiveManifest:
    """Write files as an archive: sheets of fields of view, each field a pattern file.

    Parameters
    ----------
    files : sequence of str or Path
        Files and folders; or one folder that is a BagIt bag, which is checked and taken as it is.
    folder : str or Path
        A new or empty folder. Nothing is to be seen in it before all of it is complete.
    settings : ArchiveSettings, optional
        How it is written.
    needs : ArchiveNeeds, optional
        What the plan takes for granted: beam, times, powers.
    name : str, optional
        Of the bag's folder; by default that of the first file or folder.
    archive : bytes, optional
        The 8 bytes by which its tiles know each other, by default random. Two archives must not
        have the same.
    replace : bool
        Take the place of an archive that stands there.
    jobs : int
        Processes that write fields.
    progress, cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`.

    Returns
    -------
    ArchiveManifest
        What stands in the folder.

    Raises
    ------
    Cancelled
        Where it is no longer wanted. Nothing is left behind, as with all errors.
    ValueError
        Where a file cannot be stored, a bag is not valid, or the sheets are too small.
    FileExistsError
        Where the folder holds anything else.
    OSError
        Where something cannot be read or written.
    """
    settings, needs = settings or ArchiveSettings(), needs or ArchiveNeeds()
    folder, paths = Path(folder), [Path(path) for path in files]
    if not paths:
        raise ValueError("There is no file to store.")
    if jobs < 1:
        raise ValueError(f"{jobs} processes cannot write anything.")
    check_target(folder, replace)
    number = secrets.token_bytes(8) if archive is None else archive
    name = _safe_name(name or paths[0].resolve().name)
    with complete_folder(folder) as beside:
        work = beside / _HIDDEN
        work.mkdir()
        events: list[Event] = []
        bag, user_bytes, count = _bag(paths, work, number, events, progress, cancelled)
        stream = work / "stream"
        facts = write_stream(
            bag, stream, name, compress=settings.compress, recipients=settings.recipients,
            passphrase=settings.passphrase, progress=progress, cancelled=cancelled,
        )  # fmt: skip
        _log_stream(events, facts, number)
        drawer = _drawer(settings, facts, stream, number, name, progress, cancelled)
        levels = planned_levels(settings, needs)
        manifest = ArchiveManifest(
            beside, drawer.index, levels.shares, user_bytes, count, 0, 0.0, levels.full_dose,
            needs.beam_for(settings),
        )  # fmt: skip
        manifest = _write_sheets(manifest, drawer, needs, jobs, progress, cancelled)
        plan = drawer.index.plan
        events.append(Event(
            "replication",
            f"The stream was written as pattern files of {plan.all_fields:,} fields of view on "
            f"{plan.sheets:,} sheets; fields were read back from their files.",
            "success", f"{plan.all_tiles:,} tiles, {manifest.pattern_bytes:,} bytes of files",
            (number.hex(),),
        ))  # fmt: skip
        shutil.rmtree(work)
        manifest.save()
        log_events(beside, events)
        told = plan_written(manifest, needs).to_dict()
        write_text(beside / PLAN, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        write_text(beside / READ_ME, read_me(manifest))
        go_on(cancelled)
    return ArchiveManifest.load(folder)


def check_target(folder: Path, replace: bool = False) -> None:
    """Raise where an archive cannot be written to a folder.

    Raises
    ------
    FileExistsError
        Where it holds anything; with `replace`, anything but an archive.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: give a folder for the archive.")
    names = {path.name for path in folder.iterdir()}
    if not names:
        return
    if not (folder / MANIFEST).is_file():
        raise FileExistsError(
            f"The folder {folder} holds other files, such as {min(names)}: give a new one."
        )
    if not replace:
        raise FileExistsError(
            f"The folder {folder} holds an archive already: give a new one, or say --replace."
        )
    ours = {MANIFEST, EVENTS, PLAN, READ_ME}
    sheets = {each for each in names if re.fullmatch(r"sheet-\d\d+", each)}
    strange = sorted(names - ours - sheets)
    if strange:
        raise FileExistsError(
            f"The folder {folder} holds more than an archive, such as {strange[0]}: give a new one."
        )


def _safe_name(name: str) -> str:
    """Return a name that every system takes for a folder."""
    kept = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .")
    return kept or "archive"


def _bag(
    paths: Sequence[Path], work: Path, number: bytes, events: list[Event],
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> tuple[Path, int, int]:  # fmt: skip
    """Return the bag, and bytes and number of the files in it."""
    if len(paths) == 1 and is_bag(paths[0]):
        if progress is not None:
            progress(0, 1, "Checking the bag …")
        check_bag(paths[0])
        payload = [path for path in (paths[0] / "data").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in payload)
        events.append(Event(
            "validation", f"The bag {paths[0].name} was checked against its manifests.",
            "success", f"{len(payload):,} files, {size:,} bytes", (number.hex(),),
        ))  # fmt: skip
        return paths[0], size, len(payload)
    sources = list_sources(paths)
    size = sum(source.size for source in sources)
    make_bag(sources, work / "bag", number.hex(), progress=progress, cancelled=cancelled)
    events.append(Event(
        "ingestion", "Files were packed into a BagIt bag.", "success",
        f"{len(sources):,} files, {size:,} bytes", (number.hex(),),
    ))  # fmt: skip
    events.append(Event(
        "message digest calculation",
        "SHA-256 and SHA-512 of all files are in the bag's manifests.",
        "success", "", (number.hex(),),
    ))  # fmt: skip
    return work / "bag", size, len(sources)


def _log_stream(events: list[Event], facts: StreamFacts, number: bytes) -> None:
    sums = f"SHA-256 {facts.sha256}, SHA-512 {facts.sha512}"
    events.append(Event(
        "packing", f"The bag was packed into a stream, {facts.kind}.", "success",
        f"{facts.size:,} bytes; {sums}", (number.hex(),),
    ))  # fmt: skip
    if ".zst" in facts.kind:
        events.append(Event(
            "compression", "The tar was compressed with zstd in frames of 4 MiB.", "success",
            f"{facts.tar_size:,} bytes before", (number.hex(),),
        ))  # fmt: skip
    if facts.kind.endswith(".age"):
        events.append(Event(
            "encryption", "The stream was encrypted in the age format.", "success", "",
            (number.hex(),),
        ))  # fmt: skip


def _drawer(
    settings: ArchiveSettings, facts: StreamFacts, stream: Path, number: bytes, name: str,
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> Drawer:  # fmt: skip
    """Divide the stream into groups, lay the sheets out, and compute the parity."""
    size = settings.tile_bytes
    groups = Groups.planned(
        -(-facts.size // size), settings.tile_loss, settings.failure,
        int.from_bytes(number) % 2**32,
    )  # fmt: skip
    text = settings.tile.description().encode("utf-8")
    told = tuple(text[start : start + size] for start in range(0, len(text), size))
    plan = SheetPlan(settings, groups, len(told))
    # of who wrote what an encrypted archive says no more than it has to
    shown = "" if settings.encrypted else name
    index = IndexedArchive(number.hex(), shown, now(), agent(), facts, plan).fitted()
    parity = stream.with_name("parity")
    with parity.open("wb") as file:
        for group in range(groups.groups):
            go_on(cancelled)
            if progress is not None:
                progress(group, groups.groups, f"Parity of group {group + 1:,} …")
            file.write(group_parity(stream, groups, group, settings.tile))
    return Drawer(index, stream, parity, told)


def _write_sheets(
    manifest: ArchiveManifest, drawer: Drawer, needs: ArchiveNeeds, jobs: int,
    progress: Progress | None, cancelled: Callable[[], bool] | None,
) -> ArchiveManifest:  # fmt: skip
    """Write all sheets; return the manifest with what they add up to."""
    plan = manifest.plan
    module_s = needs.module_time_s(plan.settings) * manifest.full_dose
    total_bytes, total_s, done = 0, 0.0, 0
    for sheet in range(plan.sheets):
        place = manifest.sheet_folder(sheet)
        place.mkdir()
        task = FieldTask(drawer, place, sheet, range(plan.fields(sheet)), manifest.doses)
        found: dict[int, FieldFile] = {}
        for field in write_in_processes(task, jobs, cancelled):
            found[field.number] = field
            done += 1
            if progress is not None:
                progress(done, plan.all_fields, f"Writing field {done:,} of {plan.all_fields:,} …")
        write_text(place / STAGE, _stage(plan, sheet, found, module_s))
        draw_roles(plan, sheet).save(place / ROLES_PICTURE)
        total_bytes += sum(field.size for field in found.values())
        total_s += sum(field.dose_modules for field in found.values()) * module_s
    return dataclasses.replace(manifest, pattern_bytes=total_bytes, beam_on_time_s=total_s)


def _stage(plan: SheetPlan, sheet: int, found: dict[int, FieldFile], module_s: float) -> str:
    """Return the stage list of a sheet as CSV, a line a field in the order of the stage."""
    text = io.StringIO(newline="")
    # spreadsheets take UTF-8 for what it is only where it says so at the beginning
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(STAGE_COLUMNS)
    each = plan.tiles_per_field
    for number in range(plan.fields(sheet)):
        field, file = plan.field(sheet, number), found[number]
        contents = [plan.content(sheet, number * each + tile) for tile in range(each)]
        kinds = [content.kind for content in contents if content is not None]
        y, x = field.centre_nm
        writer.writerow((
            number + 1, field_name(number, plan.settings.suffix),
            f"{x / 1000:.4f}", f"{y / 1000:.4f}", field.row + 1, field.column + 1, len(kinds),
            " ".join(dict.fromkeys(kinds)), f"{file.dose_modules * module_s:.6g}", file.sha256,
        ))  # fmt: skip
    return text.getvalue()
