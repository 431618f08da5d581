"""How predictions look in napari: the film as a map and in 3-D, the micrograph, the scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.export_layers import LayerData

SURFACE_CELLS = 320
"""Along the longer side of a surface; its triangles are then drawn without a pause."""

HEIGHTS_ENLARGED = 10
"""A film of 15 nm below a symbol of 1400 nm would look flat."""

FRAMES = 100
FRAME_CELLS = 400
"""Frames of an animation, and cells along its longer side."""

EARLIER, NOW = 110, 255

_PLANE = {"units": ("nm", "nm"), "axis_labels": ("y", "x")}


def depth_layer(state: FilmState, name: str, centre: tuple[float, float]) -> LayerData:
    """Return the depth of a film as an image in nm.

    Parameters
    ----------
    state : FilmState
        The film.
    name : str
        Of the design.
    centre : tuple of float
        Where the field's centre stands, (y, x) in nm.
    """
    grid = state.grid
    options = {
        "name": f"{name} · depth", "scale": (grid.cell_nm,) * 2, "visible": False,
        "translate": _first_cell(grid, centre), "colormap": "viridis", **_PLANE,
        "metadata": {"unit": "nm below the film's surface"},
    }  # fmt: skip
    return state.depth_nm.astype(np.float32), options, "image"


def surface_layer(state: FilmState, name: str, centre: tuple[float, float]) -> LayerData:
    """Return a film as a surface in 3-D, its heights enlarged; see :func:`depth_layer`."""
    grid = state.grid
    step = max(1, int(np.ceil(max(grid.rows, grid.columns) / SURFACE_CELLS)))
    depth = state.depth_nm[::step, ::step]
    rows, columns = depth.shape
    top, left = _first_cell(grid, centre)
    y, x = np.indices(depth.shape) * (grid.cell_nm * step)
    vertices = np.stack((depth * HEIGHTS_ENLARGED, y + top, x + left), axis=-1).reshape(-1, 3)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate(
        (
            np.stack((first, first + 1, first + columns), axis=1),
            np.stack((first + 1, first + columns + 1, first + columns), axis=1),
        )
    )
    options = {
        "name": f"{name} · depth in 3-D (heights x {HEIGHTS_ENLARGED})",
        "colormap": "viridis", "shading": "smooth",
        "units": ("nm",) * 3, "axis_labels": ("z", "y", "x"),
        "metadata": {"heights_enlarged": HEIGHTS_ENLARGED},
    }  # fmt: skip
    data = vertices.astype(np.float32), faces, depth.ravel().astype(np.float32)
    return data, options, "surface"


def micrograph_layer(micrograph: Micrograph, name: str, centre: tuple[float, float]) -> LayerData:
    """Return a predicted micrograph as an image; see :func:`depth_layer`."""
    size = micrograph.pixel_size_nm
    assert size is not None  # a predicted one always has it
    shape = np.array(micrograph.image.shape)
    options: dict[str, Any] = {
        "name": f"{name} · predicted SEM", "scale": size,
        "translate": np.array(centre) - (shape - 1) / 2 * np.array(size), **_PLANE,
    }  # fmt: skip
    return micrograph.image, options, "image"


def scan_layer(exposure: Exposure, name: str, centre: tuple[float, float]) -> LayerData:
    """Return one pass of the beam as an image for each moment; see :func:`depth_layer`.

    What the beam visits in a moment is bright, what it visited before is dimmer.
    """
    left, top, right, bottom = exposure.bounds_nm
    pitch = min(lattice.pitch_nm for lattice in exposure.lattices)
    cell = max(pitch, max(right - left, bottom - top) / FRAME_CELLS)
    grid = Grid.around((left - cell, top - cell, right + cell, bottom + cell), cell)
    pass_us = exposure.beam_on_time_s * 1e6 / exposure.passes
    moment = np.full((grid.rows, grid.columns), FRAMES, dtype=np.int16)
    elapsed = 0.0
    for points_nm, dwell_us in exposure.points():
        times = elapsed + np.cumsum(dwell_us)
        elapsed = float(times[-1])
        frame = np.minimum((times - dwell_us / 2) / pass_us * FRAMES, FRAMES - 1)
        column = ((points_nm[:, 0] - grid.left_nm) / cell).astype(np.int64)
        row = ((points_nm[:, 1] - grid.top_nm) / cell).astype(np.int64)
        np.minimum.at(moment, (row, column), frame.astype(np.int16))
    frames = np.arange(FRAMES)[:, None, None]
    shown = np.where(moment == frames, NOW, np.where(moment < frames, EARLIER, 0))
    options = {
        "name": f"{name} · scan", "scale": (pass_us / FRAMES / 1000, cell, cell),
        "translate": (0.0, *_first_cell(grid, centre)), "colormap": "inferno",
        "blending": "additive", "contrast_limits": (0, NOW),
        "units": ("ms", "nm", "nm"), "axis_labels": ("time", "y", "x"),
        "metadata": {"pass_ms": pass_us / 1000, "passes": exposure.passes},
    }  # fmt: skip
    return shown.astype(np.uint8), options, "image"


def _first_cell(grid: Grid, centre: tuple[float, float]) -> tuple[float, float]:
    """Return the middle of a grid's first cell, (y, x) in nm."""
    return (
        grid.top_nm + grid.cell_nm / 2 + centre[0],
        grid.left_nm + grid.cell_nm / 2 + centre[1],
    )
