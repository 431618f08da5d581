"""SVG drawings (``.svg``) as patterns: filled shapes with straight edges, one user unit a nm.

The origin is the field's centre, y points down as in every SVG. ``data-dose`` of a shape, or of
a group, is its dose factor. A drawing is shown 1 mm large for each um, since no viewer shows
nanometres. A picture of a design (``nanoqr encode -o NAME.svg``) is no pattern: it has a white
ground, and dark modules whether they are milled or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.svg_path import apart, path_polygons, points_of, transform_of
from napari_nanoqr.fib.formats.text_file import shapes
from napari_nanoqr.fib.formats.xml_tree import Element, parse_xml, quoted
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

NAME = "SVG"
MARKER = "FIB pattern of napari-nanoqr"

_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[<>]*>")
_GROUPS = {"g", "a"}
_SILENT = {"defs", "desc", "title", "metadata", "style", "namedview", "script", "symbol"}
"""What draws nothing by itself."""

_WHITE = {"white", "#fff", "#ffffff", "rgb(255,255,255)", "rgb(100%,100%,100%)"}


def write_svg(exposure: Exposure, path: Path, *, shapes: Merged = "rectangles") -> dict[str, Any]:
    """Write an exposure as polygons, in groups of one dose factor.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam, base dose and passes go into the sidecar.
    path : Path
        The file; written in place.
    shapes : {"rectangles", "polygons"}
        See :meth:`~napari_nanoqr.fib.exposure.Exposure.outlines`.

    Returns
    -------
    dict
        For the sidecar: the base dose.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    outlines = exposure.outlines(shapes)
    factors, corners = outlines.factors, outlines.corners_nm
    left, top = corners.min(axis=0).tolist()
    (width, height), most = np.ptp(corners, axis=0).tolist(), factors.max()
    outline = [_path(ring) for ring in outlines.split(corners)]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.12g} {top:.12g} '
            f'{width:.12g} {height:.12g}" width="{width / 1000:.6g}mm" '
            f'height="{height / 1000:.6g}mm" shape-rendering="crispEdges">\n'
            f"<title>{MARKER}</title>\n<desc>{quoted(exposure.name)[1:-1]}: what is milled; one "
            "user unit is one nm; the origin is the field's centre; drawn 1000 times too large"
            "</desc>\n"
        )
        for factor in np.unique(factors):
            file.write(f'<g data-dose="{factor:.3f}" fill-opacity="{factor / most:.3f}">\n')
            file.write("".join(outline[index] for index in np.flatnonzero(factors == factor)))
            file.write("</g>\n")
        file.write("</svg>\n")
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def _path(ring: list[list[float]]) -> str:
    """Draw a polygon whose edges lie along the axes in turn, a horizontal one first."""
    x, y = ring[0]
    # every second corner is where the pen turns; the last edge is that of the closing
    turns = "".join(
        f"H{u:.12g}" if number % 2 else f"V{v:.12g}"
        for number, (u, v) in enumerate(ring[1:], start=1)
    )
    return f'<path d="M{x:.12g} {y:.12g}{turns}z"/>\n'


@dataclass(frozen=True)
class _Place:
    """What a shape takes over from the groups it is in."""

    transform: NDArray[np.float64]
    fill: str = "black"
    dose: float = 1.0


def read_svg(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read the filled shapes of a drawing.

    Parameters
    ----------
    path : Path
        Rectangles, polygons, closed polylines and paths of straight edges, with transforms.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; it does not change the scale: one user unit is one nm.

    Returns
    -------
    ShapePattern
        Its shapes; what has no area is left out, and a note says so.

    Raises
    ------
    BadPattern
        Where it is no SVG, is damaged, is the picture of a design, or holds what is no shape
        with straight edges; the message names the line.
    OSError
        Where it cannot be read.
    """
    # a document type without declarations, which many programs write, says nothing
    data = _DOCTYPE.sub(lambda found: b"\n" * found[0].count(b"\n"), path.read_bytes(), count=1)
    root = parse_xml(data, path.name)
    if _name(root) != "svg":
        raise root.bad("is not an SVG drawing.")
    drawing = _Drawing(root)
    if _is_picture(root):
        raise BadPattern(
            f"{path.name} is the picture of a design, not a pattern: export the design to a "
            "pattern file."
        )
    drawing.add(root, _Place(np.eye(3)))
    ours = any(child.text == MARKER for child in root.children)
    notes = [] if ours else ["One user unit of the drawing is taken as one nm."]
    if drawing.styled:
        notes.append("Its style sheet is not read: all shapes count as filled.")
    if drawing.left_out:
        notes.append(f"{drawing.left_out} shapes without a filled area are left out.")
    return shapes(NAME, path, metadata, hfw_um, drawing.polygons, drawing.doses, None, notes)


class _Drawing:
    """The shapes of a drawing, one after the other."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.polygons: list[NDArray[np.float64]] = []
        self.doses: list[float] = []
        self.left_out = 0
        self.styled = False

    def add(self, element: Element, outer: _Place) -> None:
        """Add a shape, or all in a group."""
        name = _name(element)
        if name in _SILENT:
            self.styled = self.styled or (name == "style" and "fill" in element.text)
            return
        style = _style(element)
        if style.get("display") == "none" or style.get("visibility") in ("hidden", "collapse"):
            self.left_out += 1
            return
        for trouble in ("clip-path", "mask", "filter"):
            if style.get(trouble, "none") != "none":
                raise element.bad(f"has a {trouble}, which changes what is filled.")
        place = _Place(
            outer.transform @ transform_of(element),
            style.get("fill", outer.fill),
            _dose(element, outer.dose),
        )
        if name in _GROUPS or element is self.root:
            for child in element.children:
                self.add(child, place)
            return
        rings = self._rings(element, name)
        if place.fill == "none" or place.dose == 0:
            self.left_out += 1
            return
        if place.fill.replace(" ", "").lower() in _WHITE:
            raise element.bad("is filled white: what covers other shapes is not a pattern.")
        for ring in rings:
            if len(ring) < 3:
                self.left_out += 1
                continue
            at = np.column_stack((ring, np.ones(len(ring)))) @ place.transform[:2].T
            self.polygons.append(at)
            self.doses.append(place.dose)

    def _rings(self, element: Element, name: str) -> list[NDArray[np.float64]]:
        """Corners of a shape in its own coordinates."""
        if name == "rect":
            if element.number_or("rx", 0) or element.number_or("ry", 0):
                raise element.bad("has round corners; only straight edges are read.")
            x, y = element.number_or("x", 0), element.number_or("y", 0)
            width, height = element.number_or("width", 0), element.number_or("height", 0)
            if width < 0 or height < 0:
                raise element.bad("has a negative side.")
            if width == 0 or height == 0:
                return [np.empty((0, 2))]
            right, bottom = x + width, y + height
            return [np.array([(x, y), (right, y), (right, bottom), (x, bottom)])]
        if name in ("polygon", "polyline"):
            return [points_of(element)]
        if name == "path":
            rings = path_polygons(element)
            if len(rings) > 1 and not apart(rings):
                raise element.bad(
                    "has parts that overlap or lie within each other; split it into shapes."
                )
            return rings
        if name == "line":
            return [np.empty((0, 2))]
        raise element.bad("is no shape with straight edges (rect, polygon, polyline, path).")


def _name(element: Element) -> str:
    """Tag without the prefix of its name space."""
    return element.tag.rpartition(":")[2]


def _style(element: Element) -> dict[str, str]:
    """Properties of an element, those of its style attribute before others."""
    found = {name: value.strip() for name, value in element.attributes.items()}
    for part in element.attributes.get("style", "").split(";"):
        name, colon, value = part.partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found


def _dose(element: Element, outer: float) -> float:
    text = element.attributes.get("data-dose")
    if text is None:
        return outer
    dose = element.to_number(text.strip(), "data-dose")
    if not 0 <= dose <= 1e6:
        raise element.bad(f"has a data-dose of {text[:20]}, which is out of range.")
    return dose


def _is_picture(root: Element) -> bool:
    return any(
        _name(child) == "desc" and re.match(r"[\d.e+-]+ nm a module; ", child.text)
        for child in root.children
    )


def recognises(head: bytes) -> bool:
    """Whether a file begins like a drawing."""
    return b"<svg" in head or b":svg" in head


FORMAT = PatternFormat(NAME, ".svg", "shapes", write_svg, read_svg, ("shapes",), recognises)
