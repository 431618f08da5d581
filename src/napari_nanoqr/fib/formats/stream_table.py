"""The points of a stream file, line by line: quickly, or with a word on what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.formats.stream_lines import (
    FOUR,
    PAST_END,
    SHORTEST_LINE,
    THREE,
    take_lines,
)
from napari_nanoqr.fib.pattern import BadPattern

_BLOCK = 1 << 19
_LONGEST = 200
_NEWLINE = ord("\n")


def read_table(
    path: Path, start: int, count: int, top: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Read the points of a stream file.

    Parameters
    ----------
    path : Path
        The file.
    start : int
        Where its fourth line begins.
    count : int
        How many points it says it has.
    top : int
        Highest x and y.

    Returns
    -------
    steps : (count, 2) int64 array
        x and y.
    dwell : (count,) int64 array
        In units of the file.
    on : (count,) bool array
        Where the flag is 1 or left out.

    Raises
    ------
    BadPattern
        Where a line is wrong, or there are more or fewer of them.
    """
    found = _quickly(path, start, count, top)
    if found is not None:
        return found
    with path.open("rb") as file:
        file.seek(start)
        table = _by_line(file.read().decode("latin-1"), path, count)
    if len(table) != count:
        raise BadPattern(
            f"{path.name} says {count} points in line 3 but holds {len(table)}: it was cut short "
            "or put together wrongly."
        )
    _check(table, top, path)
    return table[:, 1:3], table[:, 0], table[:, 3] == 1


def _quickly(
    path: Path, start: int, count: int, top: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]] | None:
    """Read points that are all as they should be; None where one is not."""
    if SHORTEST_LINE * count > path.stat().st_size - start + 1:
        return None
    steps = np.empty((count, 2), dtype=np.int64)
    dwell = np.empty(count, dtype=np.int64)
    flags = np.ones(count, dtype=np.uint8)
    text = np.empty(_BLOCK + _LONGEST + PAST_END, dtype=np.uint8)
    words = np.ndarray(text.size - PAST_END + 1, "<u8", text, 0, (1,))
    view = text.data
    done = columns = bits = kept = 0
    with path.open("rb") as file:
        file.seek(start)
        while read := file.readinto(view[kept : kept + _BLOCK]):
            size = kept + read
            tail = text[max(0, size - _LONGEST + 1) : size]
            ends = np.flatnonzero(tail == _NEWLINE)
            # what stands behind the last end of a line waits for the next block
            kept = tail.size - 1 - int(ends[-1]) if ends.size else tail.size
            end = size - kept
            done, seen, found = (
                int(n) for n in take_lines(text, words, end, steps, dwell, flags, done)
            )
            if done < 0 or (size > kept and not ends.size):
                return None
            columns |= seen
            bits |= found
            text[:kept] = text[size - kept : size].copy()
    if kept:
        text[kept] = _NEWLINE
        done, seen, found = (
            int(n) for n in take_lines(text, words, kept + 1, steps, dwell, flags, done)
        )
        columns |= seen
        bits |= found
    # a last line without its flag and its end was cut short
    if done != count or bits > top or (kept and columns == THREE + FOUR):
        return None
    return steps, dwell, flags.view(np.bool_)


def _by_line(body: str, path: Path, count: int) -> NDArray[np.int64]:
    """Dwell, x, y and flag of every line, ``(n, 4)``; the flag is 1 where it is left out."""
    rows: list[list[int]] = []
    lines = body.rstrip().split("\n")
    widths = [len(line.split()) for line in lines[-2:]]
    if not body.endswith("\n") and widths == [4, 3]:
        raise BadPattern(
            f"{path.name} was cut short: line {len(lines) + 3}, {lines[-1].strip()[:40]!r}, has no "
            "flag like the ones before, and no end."
        )
    for number, line in enumerate(lines, start=4):
        words = line.split()
        if not words:
            continue
        if len(words) not in (3, 4) or not all(re.fullmatch(r"-?\d{1,12}", word) for word in words):
            last = number == len(lines) + 3
            if last and (len(rows) + 1 < count or not body.endswith("\n")):
                raise BadPattern(
                    f"{path.name} was cut short: it says {count} points in line 3 but ends with "
                    f"{line.strip()[:40]!r} in line {number}, after {len(rows)} points."
                )
            raise BadPattern(
                f"{path.name}, line {number}: {line.strip()[:40]!r} is not 'dwell x y' or "
                "'dwell x y flag' in whole numbers."
            )
        rows.append([int(word) for word in words] + [1] * (4 - len(words)))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _check(table: NDArray[np.int64], top: int, path: Path) -> None:
    """Raise for the first point that no instrument accepts."""
    dwell, x, y, flag = table.T
    wrong = (dwell < 0) | (x < 0) | (x > top) | (y < 0) | (y > top) | (flag < 0) | (flag > 1)
    if wrong.any():
        first = int(np.argmax(wrong))
        values = " ".join(str(value) for value in table[first].tolist())
        raise BadPattern(
            f"{path.name}, line {first + 4}: {values!r} is out of range: x and y are 0..{top}, "
            "the dwell is not negative, the flag is 0 or 1."
        )
