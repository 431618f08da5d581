"""DXF drawings (``.dxf``): closed polylines, their unit in the head, y up.

The dose factor of a polyline is told by the name of its layer, ``DOSE_1.000``, since DXF itself
knows no dose. Reading and the structure of the file are ezdxf's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.text_file import open_ring, shapes
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.entities.dxfgfx import DXFGraphic

NAME = "DXF"

UNITS_NM = {
    1: 25.4e6, 2: 304.8e6, 4: 1e6, 5: 1e7, 6: 1e9, 8: 25.4, 9: 25.4e3, 11: 0.1, 12: 1.0, 13: 1e3,
    14: 1e8,
}  # fmt: skip
"""nm of the units that ``$INSUNITS`` may say (DXF reference, HEADER)."""

MICROMETRES = 13
MOST_SHAPES = 1_000_000
DEEPEST = 8
"""Blocks within blocks."""

_DOSE_LAYER = re.compile(r"DOSE[_ -]?(\d{1,6}(?:\.\d*)?)", re.IGNORECASE)
_NO_AREA = {"LINE", "POINT", "TEXT", "MTEXT", "DIMENSION", "LEADER", "ATTDEF", "ATTRIB",
            "VIEWPORT", "RAY", "XLINE"}  # fmt: skip


def write_dxf(exposure: Exposure, path: Path, *, shapes: Merged = "rectangles") -> dict[str, Any]:
    """Write an exposure as polygons, closed LWPOLYLINEs in um.

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
    from ezdxf.filemanagement import new

    outlines = exposure.outlines(shapes)
    factors = outlines.factors
    document = new("R2000", units=MICROMETRES)
    space = document.modelspace()
    layers = {factor: f"DOSE_{factor:.3f}" for factor in np.unique(factors).tolist()}
    for name in layers.values():
        document.layers.add(name)
    # digits below a thousandth of a nm are what turning nm into um leaves
    um = outlines.split(np.round(outlines.corners_nm * (1e-3, -1e-3), 7))
    for corners, factor in zip(um, factors.tolist(), strict=True):
        space.add_lwpolyline(corners, close=True, dxfattribs={"layer": layers[factor]})
    document.saveas(path)
    return {"base_dose_nc_per_um2": exposure.base_dose_nc_per_um2}


def read_dxf(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read the closed shapes of a drawing's model space, blocks resolved.

    Parameters
    ----------
    path : Path
        LWPOLYLINE and POLYLINE that are closed, SOLID, TRACE and HATCH without holes.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um; it does not change the scale, which is the file's.

    Returns
    -------
    ShapePattern
        Its shapes; what has no area is left out, and a note says so.

    Raises
    ------
    BadPattern
        Where it is no DXF, is damaged, or holds curves or holes; the message names the entity by
        its handle.
    OSError
        Where it cannot be read.
    """
    document = _open(path)
    notes: list[str] = []
    unit = UNITS_NM.get(document.units)
    if unit is None:
        unit = 1000.0
        notes.append("The drawing does not tell its unit, or one that is not known: taken as um.")
    polygons, factors, names = [], [], []
    left_out = 0
    try:
        for entity in _entities(document.modelspace(), 0):
            rings = _rings(entity)
            left_out += not rings
            for corners in rings:
                polygons.append(corners * (unit, -unit))
                names.append(entity.dxf.layer)
                found = _DOSE_LAYER.fullmatch(entity.dxf.layer)
                factors.append(float(found[1]) if found else 1.0)
            if len(polygons) > MOST_SHAPES:
                raise _Refused(entity, f"is one more than {MOST_SHAPES:,} shapes.")
    except _Refused as problem:
        raise BadPattern(f"{path.name}: {problem}") from problem
    except Exception as problem:
        raise BadPattern(f"{path.name} is damaged: {problem}") from problem
    if left_out:
        notes.append(f"{left_out} entities without an area are left out.")
    numbers = {name: index for index, name in enumerate(dict.fromkeys(names))}
    layers = [numbers[name] for name in names]
    return shapes(NAME, path, metadata, hfw_um, polygons, factors, layers, notes)


class _Refused(ValueError):
    """An entity that would not come out as it is drawn."""

    def __init__(self, entity: DXFGraphic, what: str) -> None:
        super().__init__(f"the {entity.dxftype()} of handle {entity.dxf.handle} {what}")


def _open(path: Path) -> Drawing:
    from ezdxf.filemanagement import readfile

    # what ezdxf mends or skips is no news for people who only open a file
    log = logging.getLogger("ezdxf")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    data = path.read_bytes()
    try:
        if data.startswith(b"AutoCAD Binary DXF"):
            raise BadPattern(f"{path.name} is a binary DXF: save it as text.")
        if b"ENTITIES" not in data or not data.rstrip().endswith(b"EOF"):
            raise BadPattern(f"{path.name} is no whole DXF: it has no entities, or no end (EOF).")
        return readfile(path)
    except BadPattern:
        raise
    except Exception as problem:
        # ezdxf has no one kind of error for files that are damaged
        raise BadPattern(f"{path.name} is no DXF, or is damaged: {problem}") from problem


def _entities(entities: Any, depth: int) -> Iterator[DXFGraphic]:
    """All entities, those of blocks at their places."""
    for entity in entities:
        if entity.dxftype() != "INSERT":
            yield entity
        elif depth == DEEPEST:
            raise _Refused(entity, f"lies more than {DEEPEST} blocks deep.")
        else:
            for copy in entity.multi_insert() if entity.mcount > 1 else (entity,):
                yield from _entities(copy.virtual_entities(), depth + 1)


def _rings(entity: DXFGraphic) -> list[NDArray[np.float64]]:
    """Corners of an entity in units of the drawing; none where it has no area."""
    from ezdxf.entities.hatch import Hatch
    from ezdxf.entities.lwpolyline import LWPolyline
    from ezdxf.entities.polyline import Polyline
    from ezdxf.entities.solid import Solid

    if entity.dxftype() in _NO_AREA:
        return []
    if entity.dxf.hasattr("extrusion") and abs(entity.dxf.extrusion.z - 1) > 1e-9:
        raise _Refused(entity, "does not lie in the plane of the drawing as seen from above.")
    if isinstance(entity, Hatch):
        return _hatch(entity)
    if isinstance(entity, Solid):
        a, b, c, d = (entity.dxf.get(f"vtx{index}") or entity.dxf.vtx2 for index in range(4))
        # the third and the fourth corner are swapped in a SOLID
        return _as_rings(entity, [(p.x, p.y) for p in (a, b, d, c)])
    if isinstance(entity, LWPolyline):
        if any(abs(bulge) > 1e-12 for *_, bulge in entity.get_points("xyb")):
            raise _Refused(entity, "has arcs; only straight edges are read.")
        corners = [(x, y) for x, y in entity.get_points("xy")]
        return _as_rings(entity, corners, entity.closed)
    if isinstance(entity, Polyline):
        if not (entity.is_2d_polyline or entity.is_3d_polyline):
            raise _Refused(entity, "is a mesh.")
        if any(abs(vertex.dxf.get("bulge", 0.0)) > 1e-12 for vertex in entity.vertices):
            raise _Refused(entity, "has arcs; only straight edges are read.")
        corners = [(p.x, p.y) for p in entity.points()]
        return _as_rings(entity, corners, entity.is_closed)
    raise _Refused(
        entity, "is no shape with straight edges (LWPOLYLINE, POLYLINE, SOLID, HATCH are read)."
    )


def _hatch(entity: Any) -> list[NDArray[np.float64]]:
    from ezdxf.entities.boundary_paths import EdgePath, LineEdge, PolylinePath

    if len(entity.paths.paths) > 1:
        raise _Refused(entity, "has several outlines, which may be holes; draw them one by one.")
    rings: list[NDArray[np.float64]] = []
    for outline in entity.paths.paths:
        if isinstance(outline, PolylinePath):
            if outline.has_bulge():
                raise _Refused(entity, "has arcs; only straight edges are read.")
            corners = [(x, y) for x, y, *_ in outline.vertices]
        else:
            assert isinstance(outline, EdgePath)
            edges = [edge for edge in outline.edges if isinstance(edge, LineEdge)]
            if len(edges) < len(outline.edges):
                raise _Refused(entity, "has curves; only straight edges are read.")
            corners = [(edge.start.x, edge.start.y) for edge in edges]
        rings += _as_rings(entity, corners)
    return rings


def _as_rings(
    entity: DXFGraphic, corners: list[tuple[float, float]], closed: bool = True
) -> list[NDArray[np.float64]]:
    """One ring, or none where the corners enclose nothing."""
    points = np.array(corners, dtype=np.float64).reshape(-1, 2)
    ring = open_ring(points)
    if not (closed or len(ring) < len(points)) or len(ring) < 3:
        return []
    if not np.isfinite(ring).all():
        raise _Refused(entity, "has corners that are no numbers.")
    return [ring]


FORMAT = PatternFormat(NAME, ".dxf", "shapes", write_dxf, read_dxf, ("shapes",))
