"""Modules milled as round dots instead of squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import PointPattern


def as_dots(pattern: PointPattern, design: Design, diameter: float = 0.9) -> PointPattern:
    """Return the pattern that mills a disc for each module.

    Parameters
    ----------
    pattern : PointPattern
        Mills whole modules, the design in the middle of its field.
    design : Design
        What it mills.
    diameter : float
        Of a disc, in modules.

    Returns
    -------
    PointPattern
        The points that lie inside the discs, with the dwell they had.

    Raises
    ------
    ValueError
        Where the diameter is out of range, the pattern has no scale, or no point lies inside a
        disc.
    """
    if not 0 < diameter <= np.sqrt(2):
        raise ValueError(f"Discs of {diameter:g} modules: use up to 1.41, the diagonal.")
    points = pattern.points_nm
    if points is None:
        raise ValueError("The pattern does not tell its scale: give its HFW.")
    modules = (points + np.array(design.field_size_nm)[::-1] / 2) / design.pitch_nm
    off_centre = np.hypot(*(modules - np.floor(modules) - 0.5).T)
    keep = off_centre <= diameter / 2
    if not (keep & pattern.exposes).any():
        raise ValueError("The points are too far apart for such small discs.")
    return replace(
        pattern,
        steps=pattern.steps[keep],
        dwell_units=pattern.dwell_units[keep],
        beam_on=pattern.beam_on[keep],
    )
