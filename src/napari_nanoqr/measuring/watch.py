"""Waiting for the files that a microscope saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_nanoqr.measuring.batch import is_image_name

INTERVAL_S = 1.0

SETTLING_S = 2.0
"""A file counts as complete when its size and time did not change for so long; by then the text
file that some microscopes write after the image has come too."""

_State = tuple[int, int]


def watch_folder(
    folder: Path,
    *,
    existing: bool = False,
    subfolders: bool = False,
    interval_s: float = INTERVAL_S,
    settling_s: float = SETTLING_S,
    cancelled: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Path | None]:
    """Yield each new image of a folder once it is complete.

    Parameters
    ----------
    folder : Path
        Where the microscope saves. It is looked at again and again, which also works on network
        drives, where nobody tells of new files.
    existing : bool
        Begin with the images that are there already.
    subfolders : bool
        Watch all folders below it too.
    interval_s : float
        Time from look to look.
    settling_s : float
        A file is complete when it did not change for so long.
    cancelled : callable, optional
        Asked at least each interval; True ends the watch.
    clock, sleep : callable
        What time it is in s, and how to wait.

    Yields
    ------
    Path or None
        A file that is complete, by the time of its last change; one that is saved again comes
        again. None after each look, so that whoever waits can do something else.

    Raises
    ------
    OSError
        Where there is no such folder at the beginning. One that cannot be read for a while, as a
        network drive, is waited for.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    done: dict[Path, _State] = {} if existing else _look(folder, subfolders)
    changing: dict[Path, tuple[_State, float]] = {}
    while cancelled is None or not cancelled():
        now = clock()
        seen = _look(folder, subfolders)
        complete = []
        for path, state in seen.items():
            if done.get(path) == state:
                continue
            before = changing.get(path)
            if before is None or before[0] != state:
                changing[path] = (state, now)
            elif now - before[1] >= settling_s and state[0] > 0 and _can_be_opened(path):
                complete.append((state[1], path))
                done[path] = state
                del changing[path]
        for path in changing.keys() - seen.keys():
            del changing[path]
        for _, path in sorted(complete):
            yield path
        yield None
        if cancelled is not None and cancelled():
            return
        sleep(interval_s)


def _look(folder: Path, subfolders: bool) -> dict[Path, _State]:
    """Return size and time of each image; what cannot be looked at now is left for later."""
    found: dict[Path, _State] = {}
    try:
        for path in folder.rglob("*") if subfolders else folder.iterdir():
            if not is_image_name(path):
                continue
            try:
                state = path.stat()
            except OSError:
                continue
            found[path] = (state.st_size, state.st_mtime_ns)
    except OSError:
        pass
    return found


def _can_be_opened(path: Path) -> bool:
    """Whether nobody holds the file; on Windows a program that writes it does."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False
