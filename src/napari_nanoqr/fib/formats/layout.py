"""Layouts: what GDSII and OASIS have in common, with Raith's layers and dose factors.

Raith's software takes the layer from 0 to 63 and the dose factor from the data type, which
is 1000 times as large and has 16 bits (nrc-cnrc/Raith_GDSII). y points up in both formats.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

if TYPE_CHECKING:
    import gdstk

HIGHEST_LAYER = 63
HIGHEST_DOSE_FACTOR = 32.767

UNITS_NM = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
"""Database units, from the usual one down; the first that holds the pitch exactly is used."""


def build_layout(
    exposure: Exposure, layer: int, dose_factor: float, shapes: Merged
) -> tuple[gdstk.Library, dict[str, Any]]:
    """Make a library with one cell of polygons that neither overlap nor leave gaps.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam, dwell and passes are set at the instrument.
    layer : int
        0 to 63.
    dose_factor : float
        Of the base dose, above 0, at most 32.767 with the exposure's own relative dose.
    shapes : {"rectangles", "polygons"}
        See :meth:`~napari_nanoqr.fib.exposure.Exposure.outlines`.

    Returns
    -------
    library : gdstk.Library
        Ready to be written.
    said : dict
        For the sidecar: the base dose and the database unit.

    Raises
    ------
    ValueError
        Where layer or dose factor are out of range, or the layout is too large.
    """
    import gdstk

    if layer not in range(HIGHEST_LAYER + 1):
        raise ValueError(f"Layer {layer} does not exist: Raith takes 0 to {HIGHEST_LAYER}.")
    outlines = exposure.outlines(shapes)
    factors = outlines.factors
    datatypes = np.rint(1000 * dose_factor * factors).astype(int)
    if not (datatypes.min() >= 1 and datatypes.max() <= 1000 * HIGHEST_DOSE_FACTOR):
        raise ValueError(
            f"Dose factors of {dose_factor * factors.min():g} to {dose_factor * factors.max():g} "
            f"are out of range: Raith takes 0.001 to {HIGHEST_DOSE_FACTOR}."
        )
    # the lower left corner lies on the grid of the database, so that all others do
    corner = np.array((outlines.corners_nm[:, 0].min(), outlines.corners_nm[:, 1].max()))
    from_corner = outlines.corners_nm - corner
    unit = database_unit(np.abs(from_corner), float(np.abs(outlines.corners_nm).max()))
    steps = np.rint(from_corner / unit) + np.rint(corner / unit)
    library = gdstk.Library(unit=1e-6, precision=unit * 1e-9)
    cell = library.new_cell("NANOQR")
    um = outlines.split(steps * (unit / 1000) * (1, -1))
    for corners, datatype in zip(um, datatypes.tolist(), strict=True):
        cell.add(gdstk.Polygon(corners, layer=layer, datatype=datatype))  # type: ignore[arg-type]
    return library, {
        "base_dose_nc_per_um2": exposure.base_dose_nc_per_um2 / dose_factor,
        "database_unit_nm": unit,
    }


def database_unit(lengths_nm: NDArray[np.float64], farthest_nm: float) -> float:
    """Return the coarsest usual database unit in nm that holds all lengths exactly.

    Parameters
    ----------
    lengths_nm : float array
        Lengths in the layout.
    farthest_nm : float
        Largest coordinate.

    Returns
    -------
    float
        The unit; 0.001 nm, or as fine as coordinates of 32 bits allow, where none is exact.

    Raises
    ------
    ValueError
        Where the layout exceeds 32-bit coordinates.
    """
    fitting = [unit for unit in UNITS_NM if 2 * farthest_nm / unit < 2**31]
    if not fitting:
        raise ValueError(f"A layout of {2 * farthest_nm / 1e6:g} mm is too large for GDSII.")
    different = np.unique(lengths_nm)
    for unit in fitting:
        if (np.abs(different / unit - np.rint(different / unit)) < 1e-6).all():
            return unit
    return fitting[-1]


def flatten(library: gdstk.Library) -> list[gdstk.Polygon]:
    """Return the polygons of all top cells of a library, references and repetitions resolved."""
    import gdstk

    cells = [cell for cell in library.top_level() if isinstance(cell, gdstk.Cell)]
    return [polygon for cell in cells for polygon in cell.get_polygons()]


def layout_pattern(
    name: str, path: Path, metadata: dict[str, Any], hfw_um: float | None,
    polygons_nm: list[NDArray[np.float64]], layers: NDArray[np.int64], datatypes: NDArray[np.int64],
) -> ShapePattern:  # fmt: skip
    """Return the polygons of a layout as a pattern.

    Parameters
    ----------
    name : str
        Of the format.
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float or None
        Field width in um; it does not change the scale, which is the file's.
    polygons_nm : list of (k, 2) float64 arrays
        Corners in nm, y up.
    layers, datatypes : (n,) int64 arrays
        Of each polygon. A data type of 0, which other programs write, is taken as a dose factor
        of 1.

    Returns
    -------
    ShapePattern
        With y down.

    Raises
    ------
    BadPattern
        Where there is no polygon.
    """
    if not polygons_nm:
        raise BadPattern(f"{path.name} holds no polygon.")
    base = metadata.get("base_dose_nc_per_um2")
    return ShapePattern(
        format=name,
        hfw_um=hfw_um,
        metadata=metadata,
        path=path,
        polygons_nm=tuple(corners * (1, -1) for corners in polygons_nm),
        dose_factors=np.where(datatypes > 0, datatypes / 1000, 1.0),
        layers=layers,
        base_dose_nc_per_um2=None if base is None else float(base),
    )
