"""GDSII layouts (``.gds``) with Raith's layers and dose factors."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.gdsii_records import check_gds
from napari_nanoqr.fib.formats.layout import build_layout, flatten, layout_pattern
from napari_nanoqr.fib.outlining import Merged
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

if TYPE_CHECKING:
    import gdstk

NAME = "GDSII"


def write_gds(
    exposure: Exposure, path: Path, *, layer: int = 0, dose_factor: float = 1.0,
    shapes: Merged = "rectangles",
) -> dict[str, Any]:  # fmt: skip
    """Write an exposure as polygons that neither overlap nor leave gaps.

    Parameters
    ----------
    exposure : Exposure
        What is milled; beam, dwell and passes are set at the instrument.
    path : Path
        The file; written in place.
    layer, dose_factor, shapes
        See :func:`~napari_nanoqr.fib.formats.layout.build_layout`.

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
    library, said = build_layout(exposure, layer, dose_factor, shapes)
    library.write_gds(str(path))
    return said


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
    library = open_gds(path)
    polygons = flatten(library)
    return layout_pattern(
        NAME, path, metadata, hfw_um,
        [np.array(polygon.points) for polygon in polygons],
        np.array([polygon.layer for polygon in polygons], dtype=np.int64),
        np.array([polygon.datatype for polygon in polygons], dtype=np.int64),
    )  # fmt: skip


def open_gds(path: Path) -> gdstk.Library:
    """Return a GDSII file as gdstk has it, lengths in nm.

    Raises
    ------
    BadPattern
        Where it is no GDSII file, or is damaged.
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
    return library


FORMAT = PatternFormat(
    NAME, ".gds", "shapes", write_gds, read_gds, ("layer", "dose_factor", "shapes")
)
