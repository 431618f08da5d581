"""Pattern files of many fields of view, one after the other or in several processes at once.

Started as a module this is such a process: it takes a pickled `FieldTask` on its standard input
and answers with a line of JSON for each field.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from napari_nanoqr.archive.drawing import Drawer
from napari_nanoqr.archive.fields import read_field, write_field
from napari_nanoqr.files import file_hash
from napari_nanoqr.processes import python_module, start_process
from napari_nanoqr.progress import go_on

READ_BACK = 16
"""So many fields of a sheet are read back, evenly spread; all where there are no more."""

_WAIT_S = 0.2

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


class FieldProblem(OSError):
    """A field could not be written, or its file holds something else."""


@dataclass(frozen=True)
class FieldTask:
    """Fields of a sheet that are to be written.

    Parameters
    ----------
    drawer : Drawer
        Draws them.
    folder : Path
        Of the sheet.
    sheet : int
        Its number.
    numbers : range
        Of the fields.
    doses : tuple of float
        Of each level.
    """

    drawer: Drawer
    folder: Path
    sheet: int
    numbers: range
    doses: tuple[float, ...]


@dataclass(frozen=True)
class FieldFile:
    """A pattern file that was written.

    Parameters
    ----------
    number : int
        Of the field on its sheet.
    sha256 : str
        Of the file.
    size : int
        Bytes.
    dose_modules : float
        Sum of the doses of all modules, in units of the full dose of one.
    """

    number: int
    sha256: str
    size: int
    dose_modules: float


def field_name(number: int, suffix: str) -> str:
    """Return the name of the file of a field; files count from 1."""
    return f"field-{number + 1:06}{suffix}"


def write_fields(task: FieldTask) -> Iterator[FieldFile]:
    """Write fields one after the other.

    Parameters
    ----------
    task : FieldTask
        Which.

    Yields
    ------
    FieldFile
        For each.

    Raises
    ------
    FieldProblem
        Where a file that was read back holds something else.
    OSError
        Where it cannot be written.
    """
    plan = task.drawer.index.plan
    settings = plan.settings
    every = max(1, plan.fields(task.sheet) // READ_BACK)
    for number in task.numbers:
        levels = task.drawer.field_levels(task.sheet, number)
        path = task.folder / field_name(number, settings.suffix)
        write_field(levels, path, settings.pitch_nm, doses=task.doses)
        if number % every == 0:
            read, _ = read_field(path, doses=task.doses)
            if not np.array_equal(read, levels):
                raise FieldProblem(f"{path.name} does not hold what was to be written.")
        counts = np.bincount(levels.ravel(), minlength=len(task.doses))
        dose = float(np.dot(counts, task.doses))
        yield FieldFile(number, file_hash(path), path.stat().st_size, dose)


def write_in_processes(
    task: FieldTask, jobs: int, cancelled: Callable[[], bool] | None = None
) -> Iterator[FieldFile]:
    """Write fields in several processes at once.

    Parameters
    ----------
    task : FieldTask
        All of them.
    jobs : int
        Processes; with 1 all is done in this one.
    cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`.

    Yields
    ------
    FieldFile
        For each, in the order in which they are done.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    FieldProblem
        Where a field could not be written.
    """
    if jobs == 1:
        for done in write_fields(task):
            go_on(cancelled)
            yield done
        return
    answers: SimpleQueue[dict[str, object] | None] = SimpleQueue()
    parts = [task.numbers[first::jobs] for first in range(min(jobs, len(task.numbers)))]
    processes = [start_process(python_module(__name__), _ONE_THREAD) for _ in parts]
    try:
        for process, numbers in zip(processes, parts, strict=True):
            assert process.stdin is not None
            with process.stdin:
                pickle.dump(replace(task, numbers=numbers), process.stdin)
            threading.Thread(target=_listen, args=(process, answers), daemon=True).start()
        left, open_ = len(task.numbers), len(processes)
        while left:
            go_on(cancelled)
            try:
                answer = answers.get(timeout=_WAIT_S)
            except Empty:
                continue
            if answer is None:
                open_ -= 1
                if not open_:
                    raise FieldProblem("A process that wrote fields ended before it was done.")
                continue
            if "problem" in answer:
                raise FieldProblem(str(answer["problem"]))
            left -= 1
            yield FieldFile(**answer)  # type: ignore[arg-type]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _listen(
    process: subprocess.Popen[bytes], answers: SimpleQueue[dict[str, object] | None]
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        answers.put(json.loads(line))
    answers.put(None)


def serve() -> None:
    """Write the fields of the task that comes on the standard input."""
    task: FieldTask = pickle.load(sys.stdin.buffer)
    try:
        for done in write_fields(task):
            print(json.dumps(asdict(done)), flush=True)
    except (ValueError, OSError) as problem:
        print(json.dumps({"problem": str(problem)}), flush=True)


if __name__ == "__main__":
    # what is sent must not be of a module that is called __main__ elsewhere
    from napari_nanoqr.archive import field_files

    field_files.serve()
