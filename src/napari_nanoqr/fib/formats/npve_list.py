"""NPVE deflection lists (``.txt``): points in um with a dwell each, for Fibics' NPVE.

Five lines head the file, CRLF ends them; each further line is ``x y n`` with the dwell in units
of the line ``DWELL=``, in us; ``END`` ends it (fibomat's writer). Nothing public tells the
direction of y: it is taken to point up, as in fibomat's layouts, from the field's centre.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.text_file import (
    FARTHEST_NM,
    complaint,
    number_in,
    numbers_in,
    read_lines,
)
from napari_nanoqr.fib.pattern import BadPattern, PointPattern

NAME = "NPVE deflection list"
FIRST = "NPVE DEFLECTION LIST"
DWELL_US = 0.1
STEP_NM = 0.01
"""Five digits of a micrometre."""

UNITS_NM = {"MICRONS": 1e3, "UM": 1e3, "NANOMETERS": 1.0, "NM": 1.0, "MM": 1e6}


def write_npve(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write the points of an exposure.

    Parameters
    ----------
    exposure : Exposure
        What is milled; passes are set at the instrument.
    path : Path
        The file; written in place.

    Returns
    -------
    dict
        For the sidecar: nothing more.

    Raises
    ------
    ValueError
        Where the dwell rounds to nothing.
    OSError
        Where it cannot be written.
    """
    if round(exposure.dwell_us / DWELL_US) < 1:
        raise ValueError(
            f"A dwell of {1000 * exposure.dwell_us:g} ns rounds to nothing in units of "
            f"{1000 * DWELL_US:g} ns: use fewer passes."
        )
    head = (FIRST, "UNITS=MICRONS", f"DWELL={DWELL_US:g}", f"FOV={exposure.hfw_um:g}", "START")
    with path.open("w", encoding="ascii", newline="") as file:
        file.write("\r\n".join(head) + "\r\n")
        for points_nm, units in exposure.points_in_units(DWELL_US):
            um = (points_nm * (1e-3, -1e-3)).tolist()
            file.write(
                "".join(
                    f"{x:.5f} {y:.5f} {n}\r\n" for (x, y), n in zip(um, units.tolist(), strict=True)
                )
            )
        file.write("END\r\n")
    return {}


def read_npve(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> PointPattern:
    """Read a deflection list.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty. The passes are only there.
    hfw_um : float, optional
        Field width in um; by default the file's own.

    Returns
    -------
    PointPattern
        Its points, to 0.01 nm.

    Raises
    ------
    BadPattern
        Where it is no such list or is damaged; the message names the line.
    OSError
        Where it cannot be read.
    """
    lines = read_lines(path)
    head, start = _head(lines, path)
    unit_nm = UNITS_NM.get(head.get("UNITS", "").upper())
    if unit_nm is None:
        raise BadPattern(f"{path.name} gives its lengths in {head.get('UNITS', '')[:20]!r}: known "
                         f"are {', '.join(UNITS_NM)}.")  # fmt: skip
    dwell_us = number_in(head.get("DWELL", ""))
    if dwell_us is None or not 1e-6 <= dwell_us <= 1e6:
        raise BadPattern(f"{path.name} has no dwell above 0 in its head (DWELL=).")
    rows: list[list[float]] = []
    ended = False
    for number, line in enumerate(lines[start:], start=start + 1):
        words = line.split()
        if ended and words:
            raise complaint(path, number, line, "stands behind the END.")
        if [word.upper() for word in words] == ["END"]:
            ended = True
        elif words:
            values = numbers_in(words)
            if values is None or len(values) != 3 or values[2] != int(values[2]):
                raise complaint(path, number, line, "is not 'x y n' with a whole number n.")
            if max(abs(values[0]), abs(values[1])) * unit_nm > FARTHEST_NM or not (
                0 <= values[2] < 1e12
            ):
                raise complaint(path, number, line, "is out of range.")
            rows.append(values)
    if not ended:
        raise BadPattern(f"{path.name} was cut short: it has no END after {len(rows)} points.")
    if not rows:
        raise BadPattern(f"{path.name} holds no point.")
    table = np.array(rows)
    fov = number_in(head.get("FOV", ""))
    own = fov * unit_nm / 1000 if fov is not None and 0 < fov * unit_nm <= FARTHEST_NM else None
    return PointPattern(
        format=NAME,
        hfw_um=own if hfw_um is None else hfw_um,
        hfw_source="the file" if hfw_um is None and own is not None else None,
        metadata=metadata,
        path=path,
        steps=np.rint(table[:, :2] * unit_nm / STEP_NM).astype(np.int64),
        dwell_units=table[:, 2].astype(np.int64),
        beam_on=np.ones(len(table), dtype=np.bool_),
        passes=int(metadata.get("passes", 1)),
        centre_step=(0.0, 0.0),
        step_nm=STEP_NM,
        dwell_unit_s=dwell_us * 1e-6,
        y_up=True,
    )


def _head(lines: list[str], path: Path) -> tuple[dict[str, str], int]:
    """Values of the head, and the line after START."""
    if not recognises(lines[0].encode("latin-1")):
        raise BadPattern(f"{path.name} is no NPVE deflection list: line 1 says {lines[0][:30]!r}.")
    head: dict[str, str] = {}
    for number, line in enumerate(lines[1:40], start=2):
        if line.strip().upper() == "START":
            return head, number
        name, equals, value = line.partition("=")
        if line.strip() and not equals:
            raise complaint(path, number, line, "is not NAME=VALUE, nor START.")
        head[name.strip().upper()] = value.strip()
    raise BadPattern(f"{path.name} has no START after its head.")


def recognises(head: bytes) -> bool:
    """Whether a file begins like a deflection list."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(FIRST.encode())


FORMAT = PatternFormat(NAME, ".txt", "points", write_npve, read_npve, recognises=recognises)
