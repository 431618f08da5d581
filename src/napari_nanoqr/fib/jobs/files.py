"""A job as a folder: a pattern file for each field, stage lists, an overview; all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.jobs.job import Job
from napari_nanoqr.fib.jobs.overview import overview_png, overview_svg
from napari_nanoqr.fib.jobs.stages import FORMAT, fields_csv, stage_list, symbols_csv
from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.sidecar import sidecar_path
from napari_nanoqr.fib.verify import Verification
from napari_nanoqr.files import complete_folder, file_hash
from napari_nanoqr.progress import Progress, go_on

STAGES = "stages.json"

NOT_IN_NAMES = '<>:"/\\|?*'
"""Signs that file names cannot hold on all systems."""


@dataclass(frozen=True)
class WrittenJob:
    """What a job left in its folder.

    Parameters
    ----------
    folder : Path
        Where.
    files : tuple of Path
        The pattern files, in the order of the fields.
    found : tuple of Verification
        What was read back from each.
    stages : dict
        What the stage list says.
    """

    folder: Path
    files: tuple[Path, ...]
    found: tuple[Verification, ...]
    stages: dict[str, Any]


def write_job(
    job: Job,
    folder: str | Path,
    suffix: str = ".str",
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    **options: Any,
) -> WrittenJob:
    """Write a job: a pattern file for each field, stage lists and an overview.

    Each pattern file is read back and every symbol in it decoded. Nothing is to be seen in the
    folder before all of it is complete.

    Parameters
    ----------
    job : Job
        What to write.
    folder : str or Path
        A new folder, an empty one, or one that holds an earlier job and nothing else, which the
        new one takes the place of.
    suffix : str
        Of the pattern files, with or without its dot.
    progress : callable, optional
        Told which field is being written.
    cancelled : callable, optional
        Asked between fields.
    **options
        As :func:`~napari_nanoqr.fib.pattern_files.write_pattern` takes them.

    Returns
    -------
    WrittenJob
        The files, and what was found in them.

    Raises
    ------
    Cancelled
        Where `cancelled` said so. Nothing is left behind, as with all errors.
    VerificationError
        Where a file does not hold what it should.
    ValueError
        Where a field does not fit the format, or the job's name cannot be a file's.
    FileExistsError
        Where the folder holds other files.
    OSError
        Where it cannot be written.
    """
    folder = Path(folder)
    suffix = suffix if suffix.startswith(".") else "." + suffix
    if set(job.name) & set(NOT_IN_NAMES) or not job.name.strip():
        raise ValueError(f"The name {job.name!r} cannot be a file's: leave out {NOT_IN_NAMES}")
    replaceable(folder)
    with complete_folder(folder) as beside:
        found, stages = _write(job, beside, suffix.lower(), progress, cancelled, options)
        go_on(cancelled)
    files = tuple(folder / name for name in found)
    return WrittenJob(folder, files, tuple(found.values()), stages)


def replaceable(folder: Path) -> None:
    """Raise where a folder holds anything but an earlier job.

    Raises
    ------
    FileExistsError
        With a sentence that names what else it holds.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: give a folder for the job.")
    names = {path.name for path in folder.iterdir()}
    strange = sorted(names - _written(folder))
    if strange:
        raise FileExistsError(
            f"The folder {folder} holds other files, such as {strange[0]}: give a new one."
        )


def _written(folder: Path) -> set[str]:
    """Names of all files that an earlier job left in a folder, as its stage list tells."""
    try:
        stages = json.loads((folder / STAGES).read_text(encoding="utf-8"))
        if stages["format"] != FORMAT:
            return set()
        files = [Path(str(field["file"])) for field in stages["fields"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    names = {path.name for path in files} | {sidecar_path(path).name for path in files}
    return names | {STAGES, "stages.csv", "symbols.csv", "overview.svg", "overview.png"}


def _write(
    job: Job, folder: Path, suffix: str, progress: Progress | None,
    cancelled: Callable[[], bool] | None, options: dict[str, Any],
) -> tuple[dict[str, Verification], dict[str, Any]]:  # fmt: skip
    digits = max(2, len(str(len(job.fields))))
    found: dict[str, Verification] = {}
    hashes = []
    for number, field in enumerate(job.fields, start=1):
        go_on(cancelled)
        # a stream does not hold the field width, and a sidecar may be left behind
        name = f"{job.name}-{number:0{digits}}_hfw{field.plan.hfw_um:g}um{suffix}"
        if progress is not None:
            progress(number - 1, len(job.fields), f"Writing {name}, reading it back …")
        found[name] = write_pattern(field.plan, folder / name, **options)
        hashes.append(file_hash(folder / name))
    stages = stage_list(job, list(found), hashes)
    texts = {
        STAGES: json.dumps(stages, indent=1) + "\n",
        "stages.csv": fields_csv(stages),
        "symbols.csv": symbols_csv(stages),
        "overview.svg": overview_svg(job),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    overview_png(job).save(folder / "overview.png")
    return found, stages
