"""NPGS drawings (``.dc2``), those of DesignCAD: polygons whose colours stand for doses.

A head with the extent, the names of the layers, then ``21 k ...`` before the polygons of layer k.
A polygon is a line ``1 n width 0 linetype ...  R G B 0 1`` and n corners ``x y 0`` in eighths of
a um; CRLF ends the lines (urpec, ebeamtools). Which dose a colour stands for is said in NPGS's
run file, so it goes into the sidecar.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.text_file import (
    complaint,
    numbers_in,
    open_ring,
    read_lines,
    shapes,
)
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

NAME = "NPGS drawing"

PER_UM = 8
"""Units of a drawing in a micrometre."""

MOST_DOSES = 4096
"""Colours that are told apart, sixteen steps of each channel."""

_ZEROS = "0.00000000 " * 3 + "0.00000000"
_SETTINGS = (
    "42 20 0 0 0 0", "8.000000", "8.000000, 0.800000", "3.000000", "16", "0.000000", "0.000000",
    "1.000000", "1.000000", "0", "0", "1", "SIMPLEX2.VFN", *(_ZEROS,) * 4, "1 0 0 0 0 0 0 0",
    _ZEROS, _ZEROS, "; DesignCAD Drawing Comments /w ';' as 1st char.",
)  # fmt: skip
_FILLED = 1


def write_dc2(exposure: Exposure, path: Path, *, shapes: Merged = "rectangles") -> dict[str, Any]:
    """Write an exposure as filled polygons, each dose in a colour of its own.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam and doses are set in the run file.
    path : Path
        The file; written in place.
    shapes : {"rectangles", "polygons"}
        See :meth:`~napari_nanoqr.fib.exposure.Exposure.outlines`.

    Returns
    -------
    dict
        For the sidecar: the base dose, and the dose factor of each colour.

    Raises
    ------
    ValueError
        Where there are more doses than colours.
    OSError
        Where it cannot be written.
    """
    outlines = exposure.outlines(shapes)
    doses, chosen = np.unique(outlines.factors, return_inverse=True)
    if doses.size > MOST_DOSES:
        raise ValueError(
            f"{doses.size} different doses are more than the {MOST_DOSES} colours that tell them "
            "apart: use one dose for all, or another format."
        )
    colours = _colours(doses.size)
    units = outlines.corners_nm * (PER_UM / 1000) * (1, -1)
    (left, bottom), (width, height) = units.min(axis=0), np.ptp(units, axis=0)
    head = (
        f"{left:.4f} {bottom:.4f} {width:.4f} {height:.4f} 0 -0.0000 0.0000",
        *_SETTINGS, "23 2 0 0 0 0", "Do Not Use", "NANOQR", "21 1 0 0 0 0",
    )  # fmt: skip
    with path.open("w", encoding="ascii", newline="") as file:
        file.write("\r\n".join(head) + "\r\n")
        for corners, index in zip(outlines.split(units), chosen.tolist(), strict=True):
            red, green, blue = colours[index]
            file.write(
                f"1 {len(corners) + 1} 8 0 {_FILLED} 10 0 1 0 {red} {green} {blue} 0 1\r\n"
                + "".join(f"{u:.4f} {v:.4f} 0\r\n" for u, v in (*corners, corners[0]))
            )
    return {
        "base_dose_nc_per_um2": exposure.base_dose_nc_per_um2,
        "dose_colours": [
            [*colour, factor] for colour, factor in zip(colours, doses.tolist(), strict=True)
        ],
    }


def _colours(count: int) -> list[tuple[int, int, int]]:
    """So many colours that differ, white first, since NPGS draws on black."""
    steps = range(255, -1, -17)
    every = [(red, green, blue) for red in steps for green in steps for blue in steps]
    # spread over all of them, but for the black last one
    return [every[index * (MOST_DOSES - 1) // max(count, 1)] for index in range(count)]


def read_dc2(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read the polygons of a drawing.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty. The doses of the colours are only there.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the file's.

    Returns
    -------
    ShapePattern
        Its polygons; lines are left out, and a note says so.

    Raises
    ------
    BadPattern
        Where it is no drawing, is damaged, or holds other things; the message names the line.
    OSError
        Where it cannot be read.
    """
    lines = read_lines(path)
    first = _first_entity(lines, path)
    polygons, layers, colours = [], [], []
    layer = lines_left_out = 0
    at = first
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        if not line.strip():
            continue
        values = numbers_in(line.split())
        if values is None or len(values) < 5 or values[0] not in (1, 21):
            raise complaint(path, number, line, "begins neither a polygon (1) nor a layer (21).")
        if values[0] == 21:
            layer = int(values[1])
            continue
        corners = _corners(lines, at, int(values[1]), path, number)
        at += len(corners)
        ring = open_ring(corners)
        filled = len(ring) < len(corners) or values[4] == _FILLED
        if not filled or len(ring) < 3:
            lines_left_out += 1
            continue
        polygons.append(ring * (1000 / PER_UM, -1000 / PER_UM))
        layers.append(layer)
        colours.append(tuple(int(value) for value in values[9:12]))
    notes = [f"{lines_left_out} lines are left out: they have no area."] if lines_left_out else []
    factors, said = _factors(colours, metadata, path)
    return shapes(NAME, path, metadata, hfw_um, polygons, factors, layers, notes + said)


def _first_entity(lines: list[str], path: Path) -> int:
    """Index of the line behind the names of the layers."""
    if not recognises("\n".join(lines[:2]).encode("latin-1")):
        raise BadPattern(f"{path.name} is no NPGS drawing: line 1 does not tell an extent.")
    for index, line in enumerate(lines[:200]):
        values = numbers_in(line.split())
        if values and values[0] == 23 and len(values) == 6:
            names = int(values[1])
            if not 0 <= names <= 10_000 or index + 1 + names >= len(lines):
                raise complaint(path, index + 1, line, "names more layers than there are.")
            return index + 1 + names
    raise BadPattern(f"{path.name} has no list of layers (23 ...) in its head.")


def _corners(lines: list[str], at: int, count: int, path: Path, began: int) -> NDArray[np.float64]:
    """Read the corners of a polygon, ``(count, 2)``."""
    if not 1 <= count <= 1_000_000:
        raise BadPattern(f"{path.name}, line {began}: a polygon of {count} corners.")
    found: list[list[float]] = []
    for index in range(at, at + count):
        if index >= len(lines) or (index == len(lines) - 1 and not lines[index].strip()):
            raise BadPattern(
                f"{path.name} was cut short: the polygon that begins in line {began} has "
                f"{len(found)} of {count} corners."
            )
        values = numbers_in(lines[index].split())
        if values is None or len(values) != 3:
            raise complaint(path, index + 1, lines[index], "is not the 'x y 0' of a corner.")
        found.append(values[:2])
    return np.array(found)


def _factors(
    colours: list[tuple[int, ...]], metadata: dict[str, Any], path: Path
) -> tuple[list[float], list[str]]:
    """Dose factor of each polygon by its colour, and a note where nothing tells them."""
    known = {tuple(map(int, row[:3])): float(row[3]) for row in metadata.get("dose_colours", ())}
    different = set(colours)
    if known and not different <= set(known):
        raise BadPattern(f"{path.name} has colours whose dose its sidecar does not tell.")
    if known:
        return [known[colour] for colour in colours], []
    said = []
    if len(different) > 1:
        said = [f"It has {len(different)} colours, whose doses only the run file tells: shown "
                "alike."]  # fmt: skip
    return [1.0] * len(colours), said


def recognises(head: bytes) -> bool:
    """Whether a file begins with the extent of a drawing and its settings."""
    lines = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").splitlines()
    values = numbers_in(lines[0].split()) if lines else None
    return values is not None and len(values) in (6, 7) and len(lines) > 1


FORMAT = PatternFormat(
    NAME, ".dc2", "shapes", write_dc2, read_dc2, ("shapes",), recognises=recognises
)
