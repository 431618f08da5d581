"""Raith ASCII layouts (``.asc``): polygons with a dose in percent and a layer each.

A polygon begins with ``1 dose layer``; its corners follow, ``x y`` in um, the first one repeated
at the end, and ``#`` ends it (ebeamtools). y points up.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

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

NAME = "Raith ASCII"
HIGHEST_LAYER = 63

_POLYGON = re.compile(rb"\s*1\s+\d+(?:\.\d*)?\s+\d{1,3}\s*(?:\r?\n|\Z)")


def write_asc(
    exposure: Exposure, path: Path, *, layer: int = 0, shapes: Merged = "rectangles"
) -> dict[str, Any]:
    """Write an exposure as polygons that neither overlap nor leave gaps.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam, base dose and passes are set at the instrument.
    path : Path
        The file; written in place.
    layer : int
        0 to 63.
    shapes : {"rectangles", "polygons"}
        See :meth:`~napari_nanoqr.fib.exposure.Exposure.outlines`.

    Returns
    -------
    dict
        For the sidecar: the base dose.

    Raises
    ------
    ValueError
        Where the layer does not exist.
    OSError
        Where it cannot be written.
    """
    if layer not in range(HIGHEST_LAYER + 1):
        raise ValueError(f"Layer {layer} does not exist: Raith takes 0 to {HIGHEST_LAYER}.")
    outlines = exposure.outlines(shapes)
    um = outlines.split(outlines.corners_nm * (1e-3, -1e-3))
    with path.open("w", encoding="ascii", newline="") as file:
        for corners, factor in zip(um, outlines.factors.tolist(), strict=True):
            ring = "".join(f"{x:.6f} {y:.6f}\n" for x, y in (*corners, corners[0]))
            file.write(f"1 {100 * factor:.1f} {layer}\n{ring}#\n")
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def read_asc(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read the polygons of a Raith ASCII file.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the file's.

    Returns
    -------
    ShapePattern
        Its polygons.

    Raises
    ------
    BadPattern
        Where it is no such file, is damaged, or holds what is no polygon; the message names the
        line.
    OSError
        Where it cannot be read.
    """
    polygons, factors, layers = [], [], []
    corners: list[list[float]] | None = None
    began = 0
    lines = read_lines(path)
    for number, line in enumerate(lines, start=1):
        words = line.split()
        values = numbers_in(words)
        if not words:
            continue
        if corners is None:
            if values is None or len(values) != 3 or values[0] != 1:
                raise complaint(
                    path, number, line,
                    "does not begin a polygon ('1 dose layer'); nothing else is read.",
                )  # fmt: skip
            if not 0 <= values[1] <= 1e6 or values[2] not in range(HIGHEST_LAYER + 1):
                raise complaint(
                    path, number, line,
                    f"has a dose in percent or a layer (0 to {HIGHEST_LAYER}) out of range.",
                )  # fmt: skip
            factors.append(values[1] / 100)
            layers.append(int(values[2]))
            corners, began = [], number
        elif words == ["#"]:
            ring = open_ring(np.array(corners).reshape(-1, 2))
            if len(ring) < 3:
                raise BadPattern(f"{path.name}, line {began}: a polygon of {len(ring)} corners.")
            polygons.append(ring * (1000, -1000))
            corners = None
        elif values is None or len(values) != 2:
            raise complaint(path, number, line, "is not the 'x y' of a corner, nor the end '#'.")
        else:
            corners.append(values)
    if corners is not None:
        raise BadPattern(
            f"{path.name} was cut short: the polygon that begins in line {began} has no end '#'."
        )
    return shapes(NAME, path, metadata, hfw_um, polygons, factors, layers)


def recognises(head: bytes) -> bool:
    """Whether a file begins with a polygon; signatures and data sets use the suffix too."""
    return _POLYGON.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


FORMAT = PatternFormat(NAME, ".asc", "shapes", write_asc, read_asc, ("layer", "shapes"), recognises)
