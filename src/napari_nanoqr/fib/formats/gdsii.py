"""GDSII layouts (``.gds``) with Raith's dose factors.

Raith's software takes the layer from 0 to 63 and the dose factor from the data type, which
is 1000 times as large and has 16 bits (nrc-cnrc/Raith_GDSII). y points up in GDSII.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.formats.gdsii_records import check_gds
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.plan import MillPlan

NAME = "GDSII"
HIGHEST_LAYER = 63
HIGHEST_DOSE_FACTOR = 32.767

UNITS_NM = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
"""Database units, from the usual one down; the first that holds the pitch exactly is used."""


def write_gds(
    plan: MillPlan, path: Path, layer: int = 0, dose_factor: float = 1.0
) -> dict[str, Any]:
    """Write the milled modules as rectangles that neither overlap nor leave gaps.

    Parameters
    ----------
    plan : MillPlan
        What is milled; beam, dwell and passes are set at the instrument.
    path : Path
        The file; written in place.
    layer : int
        0 to 63.
    dose_factor : float
        Above 0, at most 32.767, in units of the base dose.

    Returns
    -------
    dict
        For the sidecar: the base dose and the database unit.

    Raises
    ------
    ValueError
        Where layer or dose factor are out of range, or the layout is too large.
    OSError
        Where it cannot be written.
    """
    import gdstk

    if layer not in range(HIGHEST_LAYER + 1):
        raise ValueError(f"Layer {layer} does not exist: Raith takes 0 to {HIGHEST_LAYER}.")
    datatype = round(1000 * dose_factor)
    if not 1 <= datatype <= 1000 * HIGHEST_DOSE_FACTOR:
        raise ValueError(
            f"A dose factor of {dose_factor:g} is out of range: Raith takes 0.001 to "
            f"{HIGHEST_DOSE_FACTOR}."
        )
    design = plan.design
    unit = database_unit(design.pitch_nm, design.field_side_nm)
    # the lower left corner lies on the grid of the database, so that all others do
    modules = design.modules.shape[0]
    edges = np.rint(np.arange(modules + 1) * design.pitch_nm / unit) - round(
        design.field_side_nm / 2 / unit
    )
    um = edges * unit / 1000
    library = gdstk.Library(unit=1e-6, precision=unit * 1e-9)
    cell = library.new_cell("NANOQR")
    for top, left, bottom, right in merge_rectangles(design.milled):
        corners = (um[left], um[modules - bottom]), (um[right], um[modules - top])
        cell.add(gdstk.rectangle(*corners, layer=layer, datatype=datatype))
    library.write_gds(str(path))
    return {
        "base_dose_nc_per_um2": plan.ion_dose_nc_per_um2 / (datatype / 1000),
        "database_unit_nm": unit,
    }


def database_unit(pitch_nm: float, side_nm: float) -> float:
    """Return the coarsest usual database unit in nm that holds a pitch exactly.

    Parameters
    ----------
    pitch_nm : float
        Pitch of modules.
    side_nm : float
        Side of the whole layout.

    Returns
    -------
    float
        The unit; 0.001 nm, or as fine as coordinates of 32 bits allow, where none is exact.

    Raises
    ------
    ValueError
        Where the layout exceeds 32-bit coordinates.
    """
    fitting = [unit for unit in UNITS_NM if side_nm / unit < 2**31]
    if not fitting:
        raise ValueError(f"A layout of {side_nm / 1e6:g} mm is too large for GDSII.")
    for unit in fitting:
        if abs(pitch_nm / unit - round(pitch_nm / unit)) < 1e-9 * pitch_nm / unit:
            return unit
    return fitting[-1]


def merge_rectangles(mask: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Cover a mask with rectangles that do not overlap.

    Parameters
    ----------
    mask : (rows, columns) bool array
        What to cover.

    Returns
    -------
    list of tuple
        Top, left, bottom and right of each in cells, the last two exclusive: the runs of a
        row, joined with those of the rows below that begin and end alike.
    """
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    done: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], tuple[int, int]] = {}
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        top, bottom = growing.get((start, end), (row, row))
        if bottom != row:
            done.append((top, start, bottom, end))
            top = row
        growing[start, end] = (top, row + 1)
    done += [(top, start, bottom, end) for (start, end), (top, bottom) in growing.items()]
    return sorted(done)


def read_gds(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> ShapePattern:
    """Read all polygons of a GDSII file, references and repetitions resolved.

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
        Polygons of all top cells. A data type of 0, which other programs write, is taken as
        a dose factor of 1.

    Raises
    ------
    BadPattern
        Where it is no GDSII file, is damaged, or holds no polygon.
    OSError
        Where it cannot be read.
    """
    import gdstk

    try:
        check_gds(path.read_bytes())
        with warnings.catch_warnings():
            # records that say nothing about polygons are no news
            warnings.simplefilter("ignore")
            library = gdstk.read_gds(str(path), unit=1e-9)
    except (RuntimeError, ValueError) as problem:
        raise BadPattern(f"{path.name} is no whole GDSII file: {problem}.") from problem
    cells = [cell for cell in library.top_level() if isinstance(cell, gdstk.Cell)]
    polygons = [polygon for cell in cells for polygon in cell.get_polygons()]
    if not polygons:
        raise BadPattern(f"{path.name} holds no polygon.")
    datatypes = np.array([polygon.datatype for polygon in polygons])
    return ShapePattern(
        format=NAME,
        hfw_um=hfw_um,
        metadata=metadata,
        path=path,
        polygons_nm=tuple(np.array(polygon.points) * (1, -1) for polygon in polygons),
        dose_factors=np.where(datatypes > 0, datatypes / 1000, 1.0),
        layers=np.array([polygon.layer for polygon in polygons], dtype=np.int64),
    )
