"""A pattern in plain values, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.check_pattern import check_pattern
from napari_nanoqr.fib.instruments import Instrument
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern


def describe_pattern(pattern: Pattern, instrument: Instrument | None = None) -> dict[str, Any]:
    """Describe a pattern by plain values.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.
    instrument : Instrument, optional
        Whose limits hold; by default those of most instruments.

    Returns
    -------
    dict
        JSON-able; what the file does not tell is None.
    """
    bounds = pattern.bounds_nm
    size = None if bounds is None else [bounds[2] - bounds[0], bounds[3] - bounds[1]]
    said: dict[str, Any] = {
        "kind": "pattern",
        "format": pattern.format,
        "holds": "points" if isinstance(pattern, PointPattern) else "shapes",
        "hfw_um": pattern.hfw_um,
        "hfw_source": pattern.hfw_source,
        "extent_nm": None if bounds is None else list(bounds),
        "size_nm": size,
        "beam": _beam(pattern),
        "beam_on_time_s": pattern.beam_on_time_s,
        "charge_nc": pattern.charge_nc,
        "complaints": complaints(pattern, instrument),
    }
    if isinstance(pattern, ShapePattern):
        factors = pattern.dose_factors
        return said | {
            "polygons": len(pattern.polygons_nm),
            "area_um2": float(pattern.areas_um2.sum()),
            "layers": sorted({int(layer) for layer in pattern.layers}),
            "base_dose_nc_per_um2": pattern.base_dose_nc_per_um2,
            "dose_factor": [float(factors.min()), float(factors.max())] if factors.size else None,
            "passes": pattern.metadata.get("passes"),
        }
    assert isinstance(pattern, PointPattern)
    dwell = pattern.dwell_s
    return said | {
        "points": len(pattern.steps),
        "blanked_points": int(np.count_nonzero(~pattern.exposes)),
        "passes": pattern.passes,
        "dwell_us": None
        if dwell is None or not dwell.size
        else [_round(1e6 * float(dwell.min())), _round(1e6 * float(dwell.max()))],
        "dwell_unit_ns": None
        if pattern.dwell_unit_s is None
        else _round(1e9 * pattern.dwell_unit_s),
        "step_nm": pattern.step_nm,
        "x_steps": _range(pattern.steps[:, 0]),
        "y_steps": _range(pattern.steps[:, 1]),
    }


def complaints(pattern: Pattern, instrument: Instrument | None = None) -> list[str]:
    """Say all that is wrong with a pattern, or missing.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.
    instrument : Instrument, optional
        Whose limits hold; by default those of most instruments.

    Returns
    -------
    list of str
        Sentences: what the reader noted, what the file does not tell, then what no instrument
        should be given; empty where all is well.
    """
    found = [*pattern.notes, *_missing(pattern)]
    return found + [complaint.sentence for complaint in check_pattern(pattern, instrument)]


def _beam(pattern: Pattern) -> str | None:
    beam = pattern.beam
    if beam is None or beam is not pattern.own_beam:
        return None if beam is None else str(beam)
    # files tell current and spot, not the ion
    return f"{beam.current_pa:.4g} pA · {beam.spot_nm:.4g} nm ({beam.column})"


def _missing(pattern: Pattern) -> Iterator[str]:
    if isinstance(pattern, PointPattern):
        if pattern.step_nm is None:
            yield "It does not tell its scale: give the horizontal field width (HFW)."
        if pattern.dwell_unit_s is None:
            yield "It does not tell its dwell."
    elif isinstance(pattern, ShapePattern) and pattern.base_dose_nc_per_um2 is None:
        yield "It does not tell its base dose."


def _round(value: float) -> float:
    """Take off the digits that conversions of units leave."""
    return float(f"{value:.9g}")


def _range(values: NDArray[np.int64]) -> list[int] | None:
    return [int(values.min()), int(values.max())] if values.size else None
