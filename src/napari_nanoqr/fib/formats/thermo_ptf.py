"""Thermo/FEI pattern files (``.ptf``): XML, each shape with depth and volume per dose.

Lengths are in m from the field's centre, y points up, ``Length`` is the height, angles are in
radians. Depth over volume per dose is the dose: area x depth / (volume per dose x current) gives
the time that the instrument wrote into a file of its own (sklumpe/SerialFIB) to 0.02 %. The
current is what ``TotalVolumeSputterRate`` is made of, together with the volume per dose.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.shapes import Shapes, rectangle, rectangles_of, ring
from napari_nanoqr.fib.formats.xml_tree import Element, iterate_xml, parse_xml
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

NAME = "Thermo/FEI pattern file"
VERSION = "FEI PatternFile 1.2"
APPLICATION = "Si"
"""The instrument looks for an application of this name; all have the one of silicon."""

NM = 1e9
"""Nanometres in a metre."""

_TYPES = 'xmlns:dt="urn:schemas-microsoft-com:datatypes" dt:dt='

_GAS: dict[str, str | float] = {"GasType": "", "GasSetpoint": "", "GasNeedlePosition": ""}

LEFT_OUT = {
    "PatternLine": "a line has no area.",
    "PatternBitmap": "how it stores its picture is not public; open the bitmap itself.",
    "PatternStream": "its points are in a stream file of their own; open that.",
}
"""Shapes that are known and not shown, and why."""


def write_ptf(exposure: Exposure, path: Path) -> dict[str, Any]:
    """Write an exposure as rectangles, each with the depth that its dose mills.

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

    Notes
    -----
    The shapes are milled one after the other (``Serial``), each with all of its passes. The
    instrument mills whole passes; a relative dose is therefore rounded to one part in the
    number of passes.
    """
    rectangles_nm, factors = rectangles_of(exposure)
    head = (
        {"Mode": "Serial", "Beam": "Ion"} | _GAS | {"Defocus": 0.0, "PassCount": 0.0, "Blur": 0.0}
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f'<Content Version="{VERSION}">\r\n  <PatternList>\r\n')
        file.write(_leaves(head, 4) + "  </PatternList>\r\n")
        for corners, factor in zip(rectangles_nm.tolist(), factors.tolist(), strict=True):
            file.write("  <PatternRectangle>\r\n")
            file.write(_leaves(_rectangle(exposure, corners, factor), 4))
            file.write("  </PatternRectangle>\r\n")
        file.write("</Content>\r\n")
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def _rectangle(exposure: Exposure, corners: list[float], factor: float) -> dict[str, Any]:
    """Return what stands in a rectangle, by name and in order."""
    left, top, right, bottom = (value / NM for value in corners)
    pitch, spot = exposure.lattices[0].pitch_nm / NM, exposure.beam.spot_nm / NM
    dwell, current = exposure.dwell_us * 1e-6, exposure.beam.current_pa * 1e-12
    volume_per_dose = exposure.volume_per_dose.value * 1e-9
    depth, rate = exposure.depth_nm / NM * factor, volume_per_dose * current
    beam_area = math.pi / 4 * spot**2
    passes = max(1, round(exposure.passes * factor))
    overlap = 100 * (1 - pitch / spot)
    serpentine = exposure.lattices[0].scan == "serpentine"
    return {
        "Application": APPLICATION, "Beam": "Ion", "DwellTime": dwell,
        "CenterX": (left + right) / 2, "CenterY": -(top + bottom) / 2, "Rotation": 0.0, **_GAS,
        "Defocus": 0.0, "RefreshTime": 0.0,
        "TotalTime": (right - left) * (bottom - top) * depth / rate,
        "PassCount": float(passes), "Enable": "True", "ExclusionZone": "False", "Depth": depth,
        "Blur": 0.0, "InteractionDiameter": 0.0, "RelativeInteractionDiameter": 0.0,
        "TotalDiameter": spot, "VolumePerDose": volume_per_dose,
        "Dose": depth / volume_per_dose * 1e-12, "SaturationSputterRate": 0.0,
        "TotalVolumeSputterRate": rate, "SaturationCurrentDensity": 1.0,
        "MaximumDosePerArea": 0.0, "VolumeEtchRate": rate, "VolumeGasAssistedRate": 0.0,
        "VolumeDoseLimitedRate": 0.0, "TotalLinearSputterRate": rate / beam_area,
        "TotalBeamArea": beam_area, "DepthPerPass": depth / passes, "AreaCalculation": "Pattern",
        "Width": right - left, "Length": bottom - top, "ScanDirection": "TopToBottom",
        "ScanType": "Serpentine" if serpentine else "Raster", "PitchX": pitch, "PitchY": pitch,
        "EqualPitch": "True", "OverlapX": overlap, "OverlapY": overlap, "FillStyle": "Solid",
        "SelectiveMilling": {
            "IsSelectiveMillingEnabled": "False", "TimeIntervalBeforeAdjust": 2.0,
            "ContrastThresholdMinimum": 0.0, "ContrastThresholdMaximum": 1.0,
        },
        "EndpointDetection": {
            "IsEndpointDetectionEnabled": "False", "EndpointDetectionSignalType": "Intensity",
            "EndpointDetectionEndpointType": "Peak", "EndpointNum": 0.0,
        },
    }  # fmt: skip


def _leaves(values: dict[str, Any], indent: int) -> str:
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            inner = _leaves(value, indent + 2)
            lines.append(f"<{name}>\r\n{inner}{' ' * indent}</{name}>")
        elif isinstance(value, float):
            lines.append(f'<{name} {_TYPES}"r8">{value:.15G}</{name}>')
        else:
            lines.append(f'<{name} {_TYPES}"string">{escape(value)}</{name}>')
    return "".join(f"{' ' * indent}{line}\r\n" for line in lines)


def read_ptf(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read a pattern file, by whatever program it was written.

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
        Its rectangles, cross-sections, circles and polygons with the dose that each tells. What
        is left out is noted with its line.

    Raises
    ------
    BadPattern
        Where it is no such file, is damaged, or holds no shape with an area.
    OSError
        Where it cannot be read.
    """
    elements = iterate_xml(path.read_bytes(), path.name)
    root = next(elements)
    if root.tag != "Content" or not root.attributes.get("Version", "").startswith("FEI Pattern"):
        raise root.bad(f'is not the head of a {NAME}, which is Content Version="{VERSION}".')
    shapes = Shapes(NAME, path)
    for element in elements:
        if element.tag != "PatternList":
            _read_shape(element, shapes)
    return shapes.pattern(metadata, hfw_um)


def _read_shape(element: Element, shapes: Shapes) -> None:
    if element.tag in LEFT_OUT:
        return shapes.leave_out(element, LEFT_OUT[element.tag])
    if element.tag not in OUTLINES:
        return shapes.leave_out(element, "shapes of this kind are not known.")
    if (element.value("Enable") or "True").lower() == "false":
        return shapes.leave_out(element, "it is switched off.")
    if (element.value("ExclusionZone") or "False").lower() == "true":
        return shapes.leave_out(element, "it is an exclusion zone, which keeps the beam away.")
    if element.tag == "PatternRegularCrossSection":
        shapes.note(element, "mills a staircase; it is shown with its mean depth.")
    corners = OUTLINES[element.tag](element)
    depth, volume_per_dose = element.number("Depth"), element.number_or("VolumePerDose", 0.0)
    if depth < 0:
        raise element.bad(f"has a Depth of {depth:g}, which is below 0.")
    dose = depth / volume_per_dose / 1000 if volume_per_dose > 0 else None
    shapes.add(corners * NM, dose)
    rate = element.number_or("TotalVolumeSputterRate", 0.0)
    if volume_per_dose > 0:
        current_pa = rate / volume_per_dose * 1e12
        shapes.tell_beam(current_pa, element.number_or("TotalDiameter", 0.0) * NM)
    return None


def _box(element: Element) -> NDArray[np.float64]:
    return rectangle(
        element.number("CenterX"), element.number("CenterY"),
        element.length("Width"), element.length("Length"), element.number_or("Rotation", 0.0),
    )  # fmt: skip


def _circle(element: Element) -> NDArray[np.float64]:
    outer, inner = element.length("OuterDiameter"), element.number_or("InnerDiameter", 0.0)
    if not 0 <= inner < outer:
        raise element.bad(f"has an InnerDiameter of {inner:g} in an outer one of {outer:g}.")
    return ring(element.number("CenterX"), element.number("CenterY"), outer / 2, inner / 2)


def _polygon(element: Element) -> NDArray[np.float64]:
    """Read the corners, which stand in the file as the text of another piece of XML."""
    points = element.child("Points")
    if points is None:
        raise element.bad("has no Points.")
    try:
        text = f"<Points>{points.text}</Points>".encode()
        inner = parse_xml(text, element.file, points.line)
    except BadPattern:
        raise points.bad("does not hold a list of points.") from None
    found = _points(inner)
    if len(found) < 3:
        raise points.bad(f"holds {len(found)} corners; a polygon has at least three.")
    return np.array(found)


def _points(inner: Element) -> list[tuple[float, float]]:
    """Find what has a PositionX and a PositionY, however deep it lies."""
    found: list[tuple[float, float]] = []
    waiting = [inner]
    while waiting:
        element = waiting.pop()
        if element.child("PositionX") is not None:
            found.append((element.number("PositionX"), element.number("PositionY")))
        else:
            waiting += element.children[::-1]
    return found


OUTLINES = {
    "PatternRectangle": _box,
    "PatternCleaningCrossSection": _box,
    "PatternRegularCrossSection": _box,
    "PatternCircle": _circle,
    "PatternPolygon": _polygon,
}
"""How the outline of each kind of shape is read."""

FORMAT = PatternFormat(NAME, ".ptf", "shapes", write_ptf, read_ptf)
