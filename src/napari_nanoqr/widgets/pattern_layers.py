"""How plans and pattern files look in napari: the path of the beam, the dose, the shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.describe import describe_pattern
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern
from napari_nanoqr.fib.raster import Grid

MOST_LINES = 20_000
"""Scan lines that are drawn; napari becomes slow above."""

MOST_SHAPES = 3_000
DOSE_CELLS = 1024

_NM = {"units": ("nm", "nm"), "axis_labels": ("y", "x")}
_STEPS = {"units": ("pixel", "pixel"), "axis_labels": ("y", "x")}


def scan_lines(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join points that follow each other evenly on a line.

    Parameters
    ----------
    points : (n, 2) float array
        x and y in the order of the scan.

    Returns
    -------
    (m, 2, 2) float array
        Start and direction of each line, (y, x), as napari's Vectors take them. Jumps from
        one line to the next are left out; a point that stands alone is a line of no length.
    """
    if len(points) < 2:
        return np.stack((points[:, ::-1], np.zeros_like(points)), axis=1)
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    usual = np.median(lengths[lengths > 0]) if (lengths > 0).any() else 1.0
    # deflection steps are whole numbers, so equal steps differ by the rounding of both ends
    turns = np.hypot(*np.diff(steps, axis=0).T) > 0.25 * usual
    jumps = lengths > 1.5 * usual
    turns = np.concatenate(([False], turns))
    # a point ends a line where the next step is a jump or goes another way; but the first step
    # of a line has none before it that it could differ from
    ends = np.zeros(len(points), dtype=bool)
    ends[-1] = True
    candidates = np.flatnonzero(jumps | turns)
    previous = -2
    for index, is_jump in zip(candidates.tolist(), jumps[candidates].tolist(), strict=True):
        if is_jump or previous != index - 1:
            ends[index] = True
            previous = index
    last = np.flatnonzero(ends)
    first = np.concatenate(([0], last[:-1] + 1))
    starts = points[first]
    return np.stack((starts[:, ::-1], (points[last] - starts)[:, ::-1]), axis=1)


def path_layer(
    points_nm: NDArray[np.float64], name: str, centre: tuple[float, float] = (0.0, 0.0)
) -> tuple[NDArray[np.float64], dict[str, Any], str]:
    """Return the path of the beam as a Vectors layer, coloured from first to last.

    Parameters
    ----------
    points_nm : (n, 2) float array
        x and y of the points in nm, in the order of the scan.
    name : str
        Name of the layer.
    centre : (float, float)
        Where the field's centre stands, (y, x) in nm.

    Returns
    -------
    tuple
        Data, options and type of the layer. Of a path of more than :data:`MOST_LINES` lines
        every second, third ... is shown; its metadata say so.
    """
    lines = scan_lines(points_nm)
    every = -(-len(lines) // MOST_LINES) or 1
    lines = lines[::every]
    lines[:, 0] += np.array(centre)
    lengths = np.hypot(*lines[:, 1].T)
    width = float(np.median(lengths[lengths > 0])) / 25 if (lengths > 0).any() else 1.0
    options = {
        "name": name,
        "features": {"order": np.arange(len(lines), dtype=float)},
        "edge_color": "order",
        "edge_colormap": "cool",
        "edge_width": max(1.0, width),
        "vector_style": "arrow" if len(lines) < 5000 else "line",
        "opacity": 0.9,
        "metadata": {"lines shown": f"every {every}." if every > 1 else "all"},
        **_NM,
    }
    return lines, options, "vectors"


def pattern_layers(pattern: Pattern) -> list[tuple[Any, dict[str, Any], str]]:
    """Return the layers that show a pattern file.

    Parameters
    ----------
    pattern : Pattern
        As read from its file.

    Returns
    -------
    list of tuple
        Layer data: the exposure as an image, and the path of the beam or the shapes. In nm
        where the scale is known, else in steps of the file.
    """
    stem = pattern.path.name if pattern.path is not None else "pattern"
    metadata = {"nanoqr": {"part": "pattern", **describe_pattern(pattern)}}
    bounds = pattern.bounds_nm
    layers: list[tuple[Any, dict[str, Any], str]] = []
    if isinstance(pattern, PointPattern) and pattern.step_nm is None:
        points = pattern.steps[pattern.exposes].astype(np.float64)
        lines, options, kind = path_layer(points, f"{stem} · beam path")
        return [(lines, options | _STEPS | {"metadata": options["metadata"] | metadata}, kind)]
    if bounds is not None and (isinstance(pattern, ShapePattern) or pattern.dwell_s is not None):
        layers.append(_exposure(pattern, bounds, stem, metadata))
    if isinstance(pattern, PointPattern) and pattern.points_nm is not None:
        layers.append(path_layer(pattern.points_nm[pattern.exposes], f"{stem} · beam path"))
        layers[-1][1]["metadata"] |= metadata
    elif isinstance(pattern, ShapePattern) and len(pattern.polygons_nm) <= MOST_SHAPES:
        options = {
            "name": f"{stem} · shapes",
            "shape_type": "polygon",
            "features": {"dose factor": pattern.dose_factors, "layer": pattern.layers},
            "face_color": "#0072b280",
            "edge_color": "#0072b2",
            "edge_width": _span(bounds) / 1000 if bounds is not None else 1.0,
            "metadata": metadata,
            **_NM,
        }
        layers.append(([polygon[:, ::-1] for polygon in pattern.polygons_nm], options, "shapes"))
    return layers


def _exposure(
    pattern: Pattern, bounds: tuple[float, float, float, float], stem: str, metadata: dict[str, Any]
) -> tuple[Any, dict[str, Any], str]:
    span = _span(bounds)
    if isinstance(pattern, PointPattern):
        # cells of a few points, or the picture would show the gaps between points
        exposed = int(np.count_nonzero(pattern.exposes))
        cell = max(span / DOSE_CELLS, 2 * span / max(np.sqrt(exposed), 1))
        points = pattern.points_nm
        assert points is not None
        steps = np.hypot(*np.diff(points[:10_000], axis=0).T)
        if (steps > 0).any():
            cell = max(span / DOSE_CELLS, 2 * float(np.median(steps[steps > 0])))
        unit, name = "dwell in us per nm^2", f"{stem} · exposure"
    else:
        cell, unit, name = span / DOSE_CELLS, "dose factor", f"{stem} · dose factor"
    left, top, right, bottom = bounds
    grid = Grid.around((left - 2 * cell, top - 2 * cell, right + 2 * cell, bottom + 2 * cell), cell)
    if isinstance(pattern, PointPattern):
        image = 1e6 * pattern.spread(grid) / cell**2
    else:
        image = pattern.rasterise(grid)
    options = {
        "name": name,
        "scale": (cell, cell),
        "translate": (grid.top_nm + cell / 2, grid.left_nm + cell / 2),
        "colormap": "inferno",
        "metadata": metadata | {"unit": unit},
        **_NM,
    }
    return image.astype(np.float32), options, "image"


def _span(bounds: tuple[float, float, float, float]) -> float:
    return max(bounds[2] - bounds[0], bounds[3] - bounds[1], 1.0)
