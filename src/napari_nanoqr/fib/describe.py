"""A pattern in plain values, with everything that is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern


def describe_pattern(pattern: Pattern) -> dict[str, Any]:
    """Describe a pattern by plain values.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.

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
        "notes": complaints(pattern),
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


def complaints(pattern: Pattern) -> list[str]:
    """Say all that is wrong with a pattern, or missing.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.

    Returns
    -------
    list of str
        Sentences: what the reader noted, then what the pattern itself shows; empty where all is
        well.
    """
    found = list(pattern.notes)
    if isinstance(pattern, PointPattern):
        found += _about_points(pattern)
    elif isinstance(pattern, ShapePattern):
        found += _about_shapes(pattern)
    bounds = pattern.bounds_nm
    if bounds is not None and pattern.hfw_um is not None:
        farthest = max(map(abs, bounds))
        # half a nanometre for the grids of files
        if farthest > 500 * pattern.hfw_um + 0.5:
            found.append(
                f"It reaches {farthest / 1000:.4g} um from the centre, outside a field of "
                f"{pattern.hfw_um:g} um."
            )
    return found


def _beam(pattern: Pattern) -> str | None:
    beam = pattern.beam
    if beam is None or beam is not pattern.own_beam:
        return None if beam is None else str(beam)
    # files tell current and spot, not the ion
    return f"{beam.current_pa:.4g} pA · {beam.spot_nm:.4g} nm ({beam.column})"


def _about_points(pattern: PointPattern) -> list[str]:
    found = []
    if not pattern.exposes.any():
        found.append("It mills nothing: all points are blanked or have no dwell.")
    if pattern.step_nm is None:
        found.append("It does not tell its scale: give the horizontal field width (HFW).")
    if pattern.dwell_unit_s is None:
        found.append("It does not tell its dwell.")
    idle = int(np.count_nonzero(pattern.beam_on & (pattern.dwell_units <= 0)))
    if idle:
        found.append(f"{idle} points that are not blanked have no dwell.")
    return found


def _about_shapes(pattern: ShapePattern) -> list[str]:
    found = []
    flat = int(np.count_nonzero(pattern.areas_um2 <= 0))
    if flat:
        found.append(f"{flat} shapes have no area.")
    unexposed = int(np.count_nonzero(pattern.dose_factors <= 0))
    if unexposed:
        found.append(f"{unexposed} shapes have no dose.")
    if pattern.base_dose_nc_per_um2 is None:
        found.append("It does not tell its base dose.")
    return found


def _round(value: float) -> float:
    """Take off the digits that conversions of units leave."""
    return float(f"{value:.9g}")


def _range(values: NDArray[np.int64]) -> list[int] | None:
    return [int(values.min()), int(values.max())] if values.size else None
