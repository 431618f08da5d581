"""TESCAN DrawBeam layers (``.xml``): each object with its depth.

Lengths are in m from the field's centre, y points up, angles are in degrees. ``Rate`` is the
volume per dose in m^3/(A s), so that depth / rate is the dose. The names follow public writers
of such files (BeamShark, dbp2xml).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.shapes import Shapes, rectangle, rectangles_of, ring
from napari_nanoqr.fib.formats.xml_tree import Element, iterate_xml, quoted
from napari_nanoqr.fib.pattern import ShapePattern

NAME = "TESCAN DrawBeam layer"
VERSION = "1.0"

NM = 1e9
"""Nanometres in a metre."""

MILLING = "I-Etching"

LEFT_OUT = {
    "RectangleOutline": "an outline has no area.",
    "PolygonOutline": "an outline has no area.",
    "ArcOutline": "an outline has no area.",
}
"""Objects that are known and not shown, and why."""


def write_drawbeam(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write an exposure as filled rectangles, each with the depth that its dose mills.

    Parameters
    ----------
    exposure : Exposure
        What is milled.
    path : Path
        The file; written in place.

    Returns
    -------
    dict
        For the sidecar: the base dose.

    Raises
    ------
    ValueError
        Where there are too many.
    OSError
        Where it cannot be written.
    """
    rectangles_nm, factors = rectangles_of(exposure)
    beam, lattice = exposure.beam, exposure.lattices[0]
    path_kind = 1 if lattice.scan == "serpentine" else 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<Layer Version="{VERSION}" Name={quoted(exposure.name)}>\n'
            f'\t<Settings WriteFieldSize="{exposure.hfw_um * 1e-6:.12e}" Process="{MILLING}" '
            f'Accuracy="Fine" Spacing="{lattice.pitch_nm / beam.spot_nm:.12e}" '
            f'BeamCurrent="{beam.current_pa * 1e-12:.12e}" SpotSize="{beam.spot_nm / NM:.12e}" '
            f'Parallel="0" Rate="{exposure.volume_per_dose.value * 1e-9:.12e}" '
            f'DwellTime="{exposure.dwell_us * 1e-6:.12e}"/>\n'
        )
        shapes = zip((rectangles_nm / NM).tolist(), factors.tolist(), strict=True)
        for number, ((left, top, right, bottom), factor) in enumerate(shapes, start=1):
            file.write(
                f'\t<Object Type="RectangleFilled" Name="Rectangle{number}" DepthUnit="m" '
                f'Center="{(left + right) / 2:.12e} {-(top + bottom) / 2:.12e}" '
                f'Width="{right - left:.12e}" Height="{bottom - top:.12e}" '
                f'Depth="{exposure.depth_nm / NM * factor:.12e}" Angle="0.000000" '
                'ExpositionFactor="1.000000" LineSettleFactor="1.000000" '
                f'ScanningPath="{path_kind}"/>\n'
            )
        file.write("</Layer>\n")
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def is_drawbeam(head: bytes) -> bool:
    """Whether the beginning of an XML file is that of a DrawBeam layer."""
    return b"<Layer" in head and (b"<Settings" in head or b"<Object" in head)


def read_drawbeam(
    path: Path, metadata: dict[str, Any], hfw_um: float | None = None
) -> ShapePattern:
    """Read a DrawBeam layer, by whatever program it was written.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; by default the file's own.

    Returns
    -------
    ShapePattern
        Its filled rectangles, polygons and rings with the dose that each tells. What is left
        out is noted with its line.

    Raises
    ------
    BadPattern
        Where it is no such file, is damaged, or holds no shape with an area.
    OSError
        Where it cannot be read.
    """
    elements = iterate_xml(path.read_bytes(), path.name)
    root = next(elements)
    if root.tag != "Layer":
        raise root.bad(f"is not the head of a {NAME}, which is Layer.")
    shapes = Shapes(NAME, path)
    rate, size = 0.0, 0.0
    for element in elements:
        if element.tag != "Settings":
            _read_object(element, rate, shapes)
            continue
        rate, size = element.number_or("Rate", 0.0), element.number_or("WriteFieldSize", 0.0)
        if element.value("Process") not in (MILLING, None):
            shapes.note(element, f"is for {element.value('Process')}, not for milling.")
            rate = 0.0
        current, spot = element.number_or("BeamCurrent", 0.0), element.number_or("SpotSize", 0.0)
        shapes.tell_beam(current * 1e12, spot * NM)
    return shapes.pattern(metadata, hfw_um, size * 1e6 if size > 0 else None)


def _read_object(element: Element, rate: float, shapes: Shapes) -> None:
    kind = element.value("Type") or ""
    if kind in LEFT_OUT:
        return shapes.leave_out(element, LEFT_OUT[kind])
    if element.tag != "Object" or kind not in OUTLINES:
        return shapes.leave_out(element, f"objects of type {kind[:40]!r} are not known.")
    outline = OUTLINES[kind](element)
    if outline is None:
        return shapes.leave_out(element, "it is turned, or not a full circle.")
    dose = None
    unit = element.value("DepthUnit") or "m"
    depth, factor = element.number("Depth"), element.number_or("ExpositionFactor", 1.0)
    if depth < 0 or factor < 0:
        raise element.bad(f"has a Depth of {depth:g} and an ExpositionFactor of {factor:g}.")
    if unit == "m" and rate > 0:
        dose = depth / rate / 1000 * factor
    elif unit != "m":
        shapes.note(element, f"tells its depth in {unit[:20]!r}, which is no dose.")
    if factor != 1:
        shapes.note(element, f"has an ExpositionFactor of {factor:g}, taken as one on its dose.")
    return shapes.add(outline * NM, dose)


def _rectangle(element: Element) -> NDArray[np.float64]:
    x, y = element.numbers("Center", 2)
    turned = math.radians(element.number_or("Angle", 0.0))
    return rectangle(x, y, element.length("Width"), element.length("Height"), turned)


def _polygon(element: Element) -> NDArray[np.float64] | None:
    if element.number_or("Angle", 0.0) != 0:
        return None
    corners = [child.numbers("Position", 2) for child in element.children if child.tag == "Vertex"]
    if len(corners) < 3:
        raise element.bad(f"has {len(corners)} corners; a polygon has at least three.")
    return np.array(corners)


def _annulus(element: Element) -> NDArray[np.float64] | None:
    x, y = element.numbers("Center", 2)
    inner, outer = sorted((element.number("RadiusA"), element.number("RadiusB")))
    if inner < 0 or outer <= inner:
        raise element.bad(f"has radii of {inner:g} and {outer:g}.")
    turn = element.number_or("AngleB", 0.0) - element.number_or("AngleA", 0.0)
    return ring(x, y, outer, inner) if turn % 360 == 0 else None


OUTLINES = {
    "RectangleFilled": _rectangle,
    "RectanglePolish": _rectangle,
    "PolygonFilled": _polygon,
    "AnnulusFilled": _annulus,
    "CirclePolish": _annulus,
}
"""How the outline of each type of object is read."""

FORMAT = PatternFormat(
    NAME, ".xml", "shapes", write_drawbeam, read_drawbeam, recognises=is_drawbeam
)
