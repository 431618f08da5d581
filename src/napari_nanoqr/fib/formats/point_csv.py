"""Points as CSV (``.csv``), for programs that know no pattern format.

One line a point: x and y in nm from the field's centre, x to the right and y down, and the dwell
in us of each pass. The first line names the columns and their units.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.text_file import FARTHEST_NM, complaint, numbers_in, read_lines
from napari_nanoqr.fib.pattern import BadPattern, PointPattern

NAME = "CSV of points"
COLUMNS = ("x_nm", "y_nm", "dwell_us")
STEP_NM = 1e-3
UNIT_US = 1e-3
"""Dwell is written in whole ns."""

FINEST_US = 1e-6
"""Dwell is read to a ps."""

_LENGTHS_NM = {"nm": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3, "mm": 1e6}
_TIMES_US = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "μs": 1.0, "ms": 1e3, "s": 1e6}
_COLUMN = re.compile(r"(x|y|dwell|dwell[ _]?time|t)[\s_]*[(\[/]?\s*([nuµμm]?[ms])\s*[)\]]?")
_LONGEST_US = 1e9


def write_csv(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write the points of an exposure.

    Parameters
    ----------
    exposure : Exposure
        What is milled; passes go into the sidecar.
    path : Path
        The file; written in place.

    Returns
    -------
    dict
        For the sidecar: the number of points, by which a file that was cut short is known.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        for points_nm, units in exposure.points_in_units(UNIT_US):
            dwell = (units * UNIT_US).tolist()
            file.write(
                "".join(
                    f"{x:.3f},{y:.3f},{t:.3f}\n"
                    for (x, y), t in zip(points_nm.tolist(), dwell, strict=True)
                )
            )
    return {"points": exposure.n_points}


def read_csv(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> PointPattern:
    """Read points, with or without a line that names the columns.

    Parameters
    ----------
    path : Path
        Columns between commas, semicolons, tabs or spaces. Without names they are x and y in
        nm and the dwell in us.
    metadata : dict
        What its sidecar says; may be empty. The passes are only there.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the file's.

    Returns
    -------
    PointPattern
        Its points, to 0.001 nm and 1 ps.

    Raises
    ------
    BadPattern
        Where it holds something else or is damaged; the message names the line.
    OSError
        Where it cannot be read.
    """
    lines = read_lines(path)
    chosen, units, count = (0, 1, 2), (1.0, 1.0, 1.0), 3
    rows: list[list[float]] = []
    notes: tuple[str, ...] = ()
    begun = False
    for number, line in enumerate(lines, start=1):
        words = _words(line)
        if not words or line.lstrip().startswith("#"):
            continue
        values = numbers_in(words)
        if values is None and not begun:
            chosen, units = _columns(words, path, number, line)
            count, begun = len(words), True
            continue
        if not begun:
            notes = ("Its columns have no names: taken as x and y in nm and the dwell in us.",)
        begun = True
        if values is None or len(values) != count:
            raise complaint(path, number, line, f"is not {count} numbers.")
        x, y, dwell = (values[i] * unit for i, unit in zip(chosen, units, strict=True))
        if max(abs(x), abs(y)) > FARTHEST_NM or not 0 <= dwell <= _LONGEST_US:
            raise complaint(path, number, line, "is out of range.")
        rows.append([x, y, dwell])
    if not rows:
        raise BadPattern(f"{path.name} holds no point.")
    said = metadata.get("points")
    if said is not None and said != len(rows):
        raise BadPattern(
            f"{path.name} holds {len(rows)} points but its sidecar says {said}: it was cut short "
            "or changed. Remove the sidecar to read it as it is."
        )
    table = np.array(rows)
    return PointPattern(
        format=NAME,
        hfw_um=hfw_um,
        metadata=metadata,
        notes=notes,
        path=path,
        steps=np.rint(table[:, :2] / STEP_NM).astype(np.int64),
        dwell_units=np.rint(table[:, 2] / FINEST_US).astype(np.int64),
        beam_on=np.ones(len(table), dtype=np.bool_),
        passes=int(metadata.get("passes", 1)),
        centre_step=(0.0, 0.0),
        step_nm=STEP_NM,
        dwell_unit_s=FINEST_US * 1e-6,
    )


def _words(line: str) -> list[str]:
    for separator in ",;\t":
        if separator in line:
            return [word.strip().strip('"') for word in line.split(separator)]
    return line.split()


def _columns(
    words: list[str], path: Path, number: int, line: str
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Where x, y and dwell stand, and how many nm or us their units are."""
    found: dict[str, tuple[int, float]] = {}
    for index, word in enumerate(words):
        match = _COLUMN.fullmatch(word.lower())
        if not match:
            continue
        name = match[1] if match[1] in "xy" else "dwell"
        unit = (_TIMES_US if name == "dwell" else _LENGTHS_NM).get(match[2])
        if unit is not None:
            found.setdefault(name, (index, unit))
    if len(found) != 3:
        raise complaint(
            path, number, line,
            f"does not name three columns with their units, such as {','.join(COLUMNS)}.",
        )  # fmt: skip
    (x, x_unit), (y, y_unit), (dwell, dwell_unit) = found["x"], found["y"], found["dwell"]
    return (x, y, dwell), (x_unit, y_unit, dwell_unit)


def recognises(head: bytes) -> bool:
    """Whether a table begins with names of our columns, or with three numbers a line."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = [line for line in text.splitlines()[:20] if line.strip() and line.lstrip()[0] != "#"]
    if not lines:
        return False
    words = _words(lines[0])
    try:
        _columns(words, Path(), 1, "")
    except BadPattern:
        return len(words) == 3 and numbers_in(words) is not None
    return True


FORMAT = PatternFormat(NAME, ".csv", "points", write_csv, read_csv, recognises=recognises)
