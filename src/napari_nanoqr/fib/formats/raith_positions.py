"""Raith position lists (``.pls``): where on the chip which layout is exposed, with which dose.

A list holds no shapes: each line of it places a structure of a GDSII file. Columns are named in
the line ``FORMAT=`` of the head, the first twelve by one letter each; lengths are um, U and V mm,
y up (nrc-cnrc/Raith_GDSII). The origin of a structure comes to lie at UV minus the first
position in its field (Pos1, Pos2) minus the lower left corner of its working area.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.gdsii import open_gds
from napari_nanoqr.fib.formats.layout import flatten, layout_pattern
from napari_nanoqr.fib.formats.text_file import complaint, number_in, numbers_in, read_lines
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

NAME = "Raith position list"

_LETTERS = "IXYZRTUVWATC"
_COLUMNS = (
    "Options", "Type", "Size-U", "Size-V", "Points-U", "Points-V", "Dir", "Avg", "Pos1", "Pos2",
    "Pos3", "Link", "File", "Layer", "Area", "DoseFactor", "Dwelltime", "Stepsize", "SplDwell",
    "SplStep", "CurveStep", "CurveDwell", "DotDwell", "FBMSArea", "FBMSLines", "SplDot", "Time",
    "Timestamp", "Method", "Dot",
)  # fmt: skip
_U, _V, _COMMENT = 6, 7, 11
_UM = {"Size-U", "Size-V", "Pos1", "Pos2", "Pos3", "Stepsize", "SplStep", "CurveStep"}
_MS = {"Dwelltime", "SplDwell", "CurveDwell", "DotDwell"}
_SHOWN = {"Comment", "Type", "File", "Layer", "DoseFactor", "Area", "Pos1", "Pos2"}


@dataclass(frozen=True)
class Position:
    """One line of a list: a structure, and where it is exposed.

    Parameters
    ----------
    file : str
        Name of the GDSII file.
    u_mm, v_mm : float
        Centre of its first write field on the chip, v up.
    field_um : float
        Side of the write field; its centre is the structure's origin, as in files of ours.
    structure : str
        Its name in the file.
    dose_factor : float
        On all doses of the structure.
    layers : tuple of int
        Those that are exposed.
    """

    file: str
    u_mm: float
    v_mm: float
    field_um: float
    structure: str = "NANOQR"
    dose_factor: float = 1.0
    layers: tuple[int, ...] = (0,)


def position_list(positions: Sequence[Position]) -> str:
    """Return a position list as text, for the folder that holds the GDSII files.

    Parameters
    ----------
    positions : sequence of Position
        In the order in which they are exposed.

    Raises
    ------
    ValueError
        Where a name has a character that would break a line.
    """
    columns = "".join(f",{name},0" for name in _COLUMNS)
    head = ["", "[HEADER]", f"FORMAT={_LETTERS}{columns}", "WAFERLAYOUT=DEFAULT.wlo", "LotID=",
            "WaferID=", "Slot=", "MinimizeWin=FALSE", "", "[COLUMNS]"]  # fmt: skip
    single = ("No.", "ID", *_LETTERS[1:9], "Attribute", "Template", "Comment")
    for name in (*single, *_COLUMNS):
        shown = "VISIBLE" if name in _SHOWN | {"ID", "U", "V"} else "!VISIBLE"
        unit = "DIM:um,SHOWDIM" if name in _UM else "DIM:ms,SHOWDIM" if name in _MS else "!SHOWDIM"
        head.append(f"{name}=W:60,{shown},{unit}")
    lines = [*head, "", "[DATA]"]
    for number, item in enumerate(positions):
        if re.search(r'[,;"\r\n]', item.file + item.structure):
            raise ValueError(f"{item.file!r} cannot stand in a position list: rename it.")
        side, half = f"{item.field_um:.3f}", f"{item.field_um / 2:.3f}"
        area = f"-{half};-{half};{half};{half}"
        layers = "/".join(str(layer) for layer in item.layers)
        words = [
            str(number), *["0.000000"] * 5, f"{item.u_mm:.6f}", f"{item.v_mm:.6f}", "0.000000",
            "XN", "UV", item.structure, "", "EXPOSURE", side, side, "", "", "", "", half, half,
            "", "", item.file, layers, area, f"{item.dose_factor:.3f}",
        ]  # fmt: skip
        lines.append(",".join(words + [""] * (len(_LETTERS) + len(_COLUMNS) - len(words))))
    return "\r\n".join(lines) + "\r\n"


def read_pls(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read the polygons that a position list places, from the GDSII files beside it.

    Parameters
    ----------
    path : Path
        The list.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; it does not change the scale.

    Returns
    -------
    ShapePattern
        All polygons on the chip, U to the right and V up; lines that expose nothing, such as
        those of macros, are left out, and a note says so.

    Raises
    ------
    BadPattern
        Where it is no list, is damaged, or a layout is missing; the message names the line.
    OSError
        Where it cannot be read.
    """
    lines = read_lines(path)
    columns, start = _head(lines, path)
    polygons, layers, datatypes, factors = [], [], [], list[float]()
    left_out = 0
    cells: dict[tuple[str, str], list[Any]] = {}
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip():
            continue
        try:
            words = next(csv.reader(io.StringIO(line)))
        except csv.Error as problem:
            raise complaint(path, number, line, f"is no CSV: {problem}.") from problem
        if len(words) < len(_LETTERS) or len(words) > len(_LETTERS) + len(columns) + 1:
            raise complaint(path, number, line, f"has {len(words)} columns.")
        named = dict(zip(columns, words[len(_LETTERS) :], strict=False))
        if named.get("Type", "").strip().upper() != "EXPOSURE":
            left_out += 1
            continue
        first = (named.get("Pos1") or "0", named.get("Pos2") or "0")
        place = numbers_in((words[_U], words[_V], *first))
        area = numbers_in((named.get("Area") or "0;0;0;0").split(";"))
        dose = number_in(named.get("DoseFactor") or "1")
        shown = numbers_in(re.split(r"[/;\s]+", named.get("Layer", "").strip() or "0"))
        if place is None or area is None or len(area) != 4 or shown is None or dose is None:
            raise complaint(path, number, line, "has a place, area, layer or dose that is none.")
        u, v, x, y = place
        origin = np.array([u * 1000 - x - area[0], v * 1000 - y - area[1]]) * 1000
        key = (named.get("File", "").strip(), words[_COMMENT].strip())
        if key not in cells:
            cells[key] = _structure(path, number, *key)
        for polygon in cells[key]:
            if named.get("Layer", "").strip() and polygon.layer not in shown:
                continue
            polygons.append(np.array(polygon.points) + origin)
            layers.append(polygon.layer)
            datatypes.append(polygon.datatype)
            factors.append(dose)
    notes = [f"{left_out} lines that expose nothing are left out."] if left_out else []
    found = layout_pattern(
        NAME, path, metadata, hfw_um, polygons, np.array(layers, dtype=np.int64),
        np.array(datatypes, dtype=np.int64),
    )  # fmt: skip
    return replace(found, dose_factors=found.dose_factors * np.array(factors), notes=tuple(notes))


def _head(lines: list[str], path: Path) -> tuple[list[str], int]:
    """Names of the columns behind the first twelve, and where the data begin."""
    columns: list[str] | None = None
    for number, line in enumerate(lines):
        if line.startswith("FORMAT="):
            first, *rest = line.removeprefix("FORMAT=").split(",")
            if first.strip() != _LETTERS or len(rest) % 2:
                raise complaint(path, number + 1, line, "names other columns than are known.")
            columns = [name.strip() for name in rest[::2]]
        elif line.strip().upper() == "[DATA]":
            if columns is None:
                raise BadPattern(f"{path.name} does not name its columns (FORMAT=).")
            return columns, number + 1
    raise BadPattern(f"{path.name} is no position list: it has no [DATA].")


def _structure(path: Path, number: int, file: str, name: str) -> list[Any]:
    """Polygons of a structure, in nm; of the whole file where none has the name."""
    import gdstk

    # lists are written on the instrument's computer, with its paths
    beside = path.with_name(PureWindowsPath(file).name or "?")
    if not beside.is_file():
        raise BadPattern(
            f"{path.name}, line {number}: the layout {file[:80]!r} does not lie beside the list."
        )
    library = open_gds(beside)
    named = [cell for cell in library.cells if cell.name == name and isinstance(cell, gdstk.Cell)]
    return [polygon for cell in named for polygon in cell.get_polygons()] or flatten(library)


def _write(exposure: Exposure, path: Path) -> dict[str, Any]:
    raise ValueError(
        f"A position list ({path.suffix}) holds no shapes, only where layouts are exposed: write "
        "the pattern as .gds; position_list makes a list of such files."
    )


def recognises(head: bytes) -> bool:
    """Whether a file begins like a position list; play lists have the suffix too."""
    return b"[HEADER]" in head and b"FORMAT=" in head


FORMAT = PatternFormat(NAME, ".pls", "shapes", _write, read_pls, recognises=recognises)
