"""Zeiss SmartFIB layouts (``.ely``): XML, each shape with its own dose.

Lengths are in um, y points up. A ``RECT`` begins at its corner ``x``, ``y`` and may go to any
side of it: width and height may be negative. That it is the corner follows from a layout of the
program's own in which a rectangle and two cross-sections have one centre (sklumpe/SerialFIB,
Layout_parallel_milling.ely). Spacings are lengths, or percent of the probe's diameter.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.columns import format_current
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.shapes import Shapes, rectangle, rectangles_of, ring
from napari_nanoqr.fib.formats.xml_tree import Element, parse_xml, quoted
from napari_nanoqr.fib.pattern import ShapePattern

NAME = "Zeiss SmartFIB layout"
VERSION = "2.0"

NM = 1000.0
"""Nanometres in a micrometre."""

DOSE = {"C/m²": 1e-3, "C/m^2": 1e-3}
"""nC/um^2 in a unit of the area dose."""

ANGLE = {"deg": 1.0, "rad": 180 / np.pi}

LEFT_OUT = {
    "CROSSSECTION": "its dose grows from one edge to the other.",
    "POINT": "a point has no area.",
    "LINE": "a line has no area.",
    "LINES": "a line has no area.",
    "POLYLINE": "a line has no area.",
}
"""Shapes that are known and not shown, and why."""

_BRACKETS = str.maketrans("()", "  ")


def write_ely(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write an exposure as rectangles, each with its area dose.

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
    now = f"{datetime.now():%d.%m.%Y %H:%M:%S}"
    version = f'<VERSION created="{now}" modified="{now}" number="1.0"/>'
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n'
            f'<ELAYOUT version="{VERSION}" locked="false" name={quoted(exposure.name)}>\n\n'
            f'  {version}\n\n  <AXES show="true"/>\n\n'
            '  <GRID horizontal="1" show="true" snap_to="false" vertical="1"/>\n\n'
            '  <LAYER_LIST>\n    <LAYER fill_color="#00FF00" fill_opacity="0.5" hidden="false" '
            'locked="false" name="Layer">\n    </LAYER>\n  </LAYER_LIST>\n\n'
            '  <STRUCTURE_LIST>\n    <STRUCTURE locked="false" name="Structure">\n'
            f"      {version}\n      <INSTANCE_LIST/>\n"
            f'      <LAYER_REFERENCE frame_cx="0" frame_cy="0" frame_size="{exposure.hfw_um:g}" '
            'ref="Layer">\n'
        )
        for corners, factor in zip(rectangles_nm.tolist(), factors.tolist(), strict=True):
            file.write(_rectangle(exposure, corners, factor))
        file.write(
            "      </LAYER_REFERENCE>\n    </STRUCTURE>\n  </STRUCTURE_LIST>\n\n</ELAYOUT>\n"
        )
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def _rectangle(exposure: Exposure, corners: list[float], factor: float) -> str:
    left, top, right, bottom = (value / NM for value in corners)
    beam, dwell = exposure.beam, f"{exposure.dwell_us * 1e-6:.12g} s"
    pitch = f"{exposure.lattices[0].pitch_nm * 1e-9:.12g} m"
    dose = exposure.base_dose_nc_per_um2 * factor / DOSE["C/m²"]
    probe = f"{beam.energy_kev:g}kV:{format_current(beam.current_pa).replace(' ', '')}"
    return (
        f'        <RECT edge_sel_auto_scan_angle="true" height="{bottom - top:.12g}" '
        f'width="{right - left:.12g}" angle="0 deg" x="{left:.12g}" y="{-bottom:.12g}" '
        'imaging="false">\n'
        '          <EXPOSURE version="2.1" column_type="FIB" purpose="FIB milling" '
        f'computed_parameter="by purpose" dwell_times_point="{dwell}" dwell_times_line="{dwell}" '
        f'dwell_times_area="{dwell}" dwell_times_image="{dwell}" delay="none" cycle_delay="0 s" '
        f'dose_image="0 C/m&#178;" dose_area="{dose:.12g} C/m&#178;" dose_line="0 C/m" '
        'dose_point="0 C" pause="false" scanning_mode_fast="by purpose" '
        'scanning_mode_cycle_mode="by purpose" pixel_spacing_image="0 m" '
        f'pixel_spacing_area="{pitch}" pixel_spacing_line="{pitch}" track_spacing="{pitch}" '
        'description="">\n'
        f'            <PROBE name={quoted(probe)} type="specific" '
        f'current="{beam.current_pa * 1e-12:.12g} A" diameter="{beam.spot_nm * 1e-9:.12g} m"/>\n'
        '            <GIS name="unchanged" channel="0" category="0" type="unchanged" ack="false" '
        'autopark="false" offset="false" usegas="false"/>\n'
        "          </EXPOSURE>\n        </RECT>\n"
    )


def read_ely(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read a SmartFIB layout, by whatever program it was written.

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
        Its rectangles, polygons and rings with the dose that each tells, around the centre of
        the frame. What is left out is noted with its line.

    Raises
    ------
    BadPattern
        Where it is no such file, is damaged, or holds no shape with an area.
    OSError
        Where it cannot be read.
    """
    root = parse_xml(path.read_bytes(), path.name)
    if root.tag != "ELAYOUT":
        raise root.bad(f"is not the head of a {NAME}, which is ELAYOUT.")
    shapes = Shapes(NAME, path)
    frames = []
    structures = root.child("STRUCTURE_LIST")
    for structure in [] if structures is None else structures.children:
        for part in structure.children:
            if part.tag == "INSTANCE_LIST" and part.children:
                shapes.leave_out(part.children[0], "how instances are placed is not public.")
            elif part.tag == "LAYER_REFERENCE":
                frames.append(part)
    centres = [(frame.number_or("frame_cx", 0), frame.number_or("frame_cy", 0)) for frame in frames]
    for layer, frame in enumerate(frames):
        if centres[layer] != centres[0]:
            shapes.note(
                frame, "is a field of its own; all are shown around the first one's centre."
            )
        for element in frame.children:
            _read_shape(element, layer, np.array(centres[0]), shapes)
    size = frames[0].number_or("frame_size", 0.0) if frames else 0.0
    return shapes.pattern(metadata, hfw_um, size if size > 0 else None)


def _read_shape(element: Element, layer: int, centre: NDArray[np.float64], shapes: Shapes) -> None:
    if element.tag in LEFT_OUT:
        return shapes.leave_out(element, LEFT_OUT[element.tag])
    if element.tag not in OUTLINES:
        return shapes.leave_out(element, "shapes of this kind are not known.")
    if element.value("imaging") == "true":
        return shapes.leave_out(element, "it is imaged, not milled.")
    if element.value("angle") is not None and element.quantity("angle", ANGLE) != 0:
        return shapes.leave_out(element, "around which point it is turned is not public.")
    outlines = OUTLINES[element.tag](element)
    if not outlines:
        return shapes.leave_out(element, "it is not a full circle.")
    dose = _dose(element, shapes)
    for outline in outlines:
        shapes.add((outline - centre) * NM, dose, layer)
    return None


def _dose(element: Element, shapes: Shapes) -> float | None:
    """Return the dose of a shape in nC/um^2, and take note of its probe."""
    exposure = element.child("EXPOSURE")
    if exposure is None or exposure.value("dose_area") is None:
        return None
    dose = exposure.quantity("dose_area", DOSE) * element.number_or("dose_factor", 1.0)
    if dose < 0:
        raise exposure.bad(f"has a dose of {dose:g} nC/um^2, which is below 0.")
    probe = exposure.child("PROBE")
    if probe is not None:
        shapes.tell_beam(
            probe.quantity("current", {"A": 1e12}), probe.quantity("diameter", {"m": 1e9})
        )
    return dose


def _rect(element: Element) -> list[NDArray[np.float64]]:
    x, y = element.number("x"), element.number("y")
    width, height = element.number("width"), element.number("height")
    if width == 0 or height == 0:
        raise element.bad("has no area.")
    return [rectangle(x + width / 2, y + height / 2, abs(width), abs(height))]


def _polygon(element: Element) -> list[NDArray[np.float64]]:
    """Read one or several outlines: ``contours`` says with which corners they begin."""
    text = element.value("points") or ""
    if not re.fullmatch(r"(\s*\([^()]*\))+\s*", text):
        raise element.bad(f"has points of {text[:40]!r}, which are not of the form (x y) (x y).")
    words = text.translate(_BRACKETS).split()
    values = [element.to_number(word, "points") for word in words]
    if len(values) % 2 or len(values) < 6:
        raise element.bad(f"has points of {len(values)} numbers; three points and more have six.")
    corners = np.array(values).reshape(-1, 2)
    starts = [round(start) for start in element.numbers("contours")] or [0]
    ends = [*starts[1:], len(corners)]
    if starts[0] != 0 or any(end - start < 3 for start, end in zip(starts, ends, strict=True)):
        raise element.bad(
            f"has contours at {starts}, which do not divide its {len(corners)} points."
        )
    return [corners[start:end] for start, end in zip(starts, ends, strict=True)]


def _arc(element: Element) -> list[NDArray[np.float64]]:
    turn = element.quantity("a2", ANGLE) - element.quantity("a1", ANGLE)
    radii = sorted((element.number("r1"), element.number("r2")))
    if radii[0] < 0 or radii[1] <= radii[0]:
        raise element.bad(f"has radii of {radii[0]:g} and {radii[1]:g}.")
    if abs(abs(turn) - 360) > 1e-6:
        return []
    return [ring(element.number("cx"), element.number("cy"), radii[1], radii[0])]


OUTLINES = {"RECT": _rect, "POLYGON": _polygon, "ARC": _arc}
"""How the outlines of each kind of shape are read."""

FORMAT = PatternFormat(NAME, ".ely", "shapes", write_ely, read_ely)
