"""How long a milling takes: the beam on the film, and what jumps and passes add."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_nanoqr.fib.columns import find_column
from napari_nanoqr.fib.exposure import Exposure

LONGEST_STEP = 1.5
"""In point pitches: a neighbour along a row or across a corner; what goes farther is a jump."""


@dataclass(frozen=True)
class Travel:
    """How the beam moves from point to point.

    Parameters
    ----------
    jumps : int
        Moves of more than 1.5 point pitches, in each pass.
    travel_um : float
        Way from the first point to the last, in each pass.
    return_um : float
        Way back to the first, for the next pass.
    return_jumps : bool
        Whether that is a jump too.
    """

    jumps: int
    travel_um: float
    return_um: float
    return_jumps: bool


@dataclass(frozen=True)
class Times:
    """Time that an exposure takes, all passes; None where it is not known.

    Parameters
    ----------
    beam_on_s : float
        With the beam on the film.
    settling_s : float or None
        Waiting for the beam to settle after jumps.
    blanking_s : float or None
        Blanking for jumps, and unblanking after them.
    total_s : float or None
        All of it.
    jumps : int
        Of all passes, with those back to the first point.
    travel_um_per_pass : float
        Way of the beam in a pass.
    settling_us, blanking_us : float or None
        For each jump.
    """

    beam_on_s: float
    settling_s: float | None
    blanking_s: float | None
    total_s: float | None
    jumps: int
    travel_um_per_pass: float
    settling_us: float | None
    blanking_us: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def travel_of(exposure: Exposure) -> Travel:
    """Follow the beam through one pass of an exposure.

    Parameters
    ----------
    exposure : Exposure
        What is milled; its points are made a chunk at a time, and none are kept.

    Returns
    -------
    Travel
        Jumps and distances.
    """
    jumps, travel = 0, 0.0
    first = last = None
    pitch_before = pitch = 0.0
    for lattice in exposure.lattices:
        pitch = lattice.pitch_nm
        for points, _ in lattice.points():
            if last is None:
                first, last = points[0], points[0]
                pitch_before = pitch
            # the way into a chunk begins where the last one ended
            into = math.dist(last, points[0])
            steps = np.hypot(*np.diff(points, axis=0).T)
            jumps += int(np.count_nonzero(steps > LONGEST_STEP * pitch))
            jumps += int(into > LONGEST_STEP * max(pitch, pitch_before))
            travel += into + float(steps.sum())
            last, pitch_before = points[-1], pitch
    assert first is not None  # an exposure has points
    assert last is not None
    back = math.dist(last, first)
    farthest = LONGEST_STEP * max(pitch, exposure.lattices[0].pitch_nm)
    return Travel(jumps, travel / 1000, back / 1000, back > farthest)


def times_of(
    exposure: Exposure,
    *,
    settling_us: float | None = None,
    blanking_us: float | None = None,
    travel: Travel | None = None,
) -> Times:
    """Add up the time that an exposure takes.

    Parameters
    ----------
    exposure : Exposure
        What is milled.
    settling_us : float, optional
        Time that the beam needs to settle after a jump; by default as the column tells.
    blanking_us : float, optional
        Time that blanking for a jump takes, off and on together; by default as the column tells.
    travel : Travel, optional
        As :func:`travel_of` gave it, where it is known already.

    Returns
    -------
    Times
        What neither is given nor stands in the column's file is None, and so is the total.

    Raises
    ------
    ValueError
        Where a time is negative or infinite.

    Notes
    -----
    Every jump, within a pass and back to its first point, costs one settling and one blanking.
    Refresh times between passes are set at the instrument and come on top.
    """
    column = _column_times(exposure)
    settling_us = column[0] if settling_us is None else settling_us
    blanking_us = column[1] if blanking_us is None else blanking_us
    for name, value in (("settling", settling_us), ("blanking", blanking_us)):
        if value is not None and not 0 <= value < math.inf:
            raise ValueError(f"A {name} time of {value:g} us cannot be.")
    way = travel or travel_of(exposure)
    jumps = way.jumps * exposure.passes + way.return_jumps * (exposure.passes - 1)
    settling = None if settling_us is None else jumps * settling_us * 1e-6
    blanking = None if blanking_us is None else jumps * blanking_us * 1e-6
    beam_on = exposure.beam_on_time_s
    total = None if settling is None or blanking is None else beam_on + settling + blanking
    return Times(beam_on, settling, blanking, total, jumps, way.travel_um, settling_us, blanking_us)


def _column_times(exposure: Exposure) -> tuple[float | None, float | None]:
    try:
        column = find_column(exposure.beam.column)
    except ValueError:
        # a beam of the user's own belongs to no column
        return None, None
    return column.settling_us, column.blanking_us
