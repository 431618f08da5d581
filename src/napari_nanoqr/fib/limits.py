"""What instruments can do, and what a careful operator would be told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanoqr.fib.plan import MillPlan

MOST_POINTS = 8_000_000
"""Points in a stream file that others tested (pyMPSG); more have to be split."""

UNMANAGEABLE_POINTS = 50_000_000
"""More than any instrument takes, and gigabytes here."""

SHORTEST_DWELL_US = 0.05
"""Thermo/FEI application files."""

LONGEST_DWELL_US = 4500.0
"""Default of Thermo/FEI application files; other sources say 5 ms and 26 ms."""

LARGEST_FIELD_UM = 800.0
"""Largest pattern (vulcan)."""

DOSE_TOLERANCE_PERCENT = 2.0
"""A dose that differs by more is worth a word; the volume per dose is known far less well."""


def check_plan(plan: MillPlan) -> None:
    """Raise where a plan cannot work on any instrument.

    Raises
    ------
    ValueError
        With a sentence that says what to change.
    """
    side_um = max(plan.design.field_size_nm) / 1000
    if not 0 < plan.hfw_um < math.inf:
        raise ValueError(f"A field of {plan.hfw_um:g} um cannot be.")
    if side_um > plan.hfw_um:
        raise ValueError(
            f"The design is {side_um:.4g} um wide with its quiet zone and does not fit into a "
            f"field (HFW) of {plan.hfw_um:g} um: widen the field."
        )
    if plan.hfw_um > LARGEST_FIELD_UM:
        raise ValueError(
            f"A field of {plan.hfw_um:g} um is more than the {LARGEST_FIELD_UM:g} um that "
            "columns deflect over: use a smaller pitch or version."
        )
    if plan.n_points > UNMANAGEABLE_POINTS:
        raise ValueError(
            f"{plan.n_points:,} points are more than any instrument takes: use a larger point "
            "pitch, or a beam with a larger spot."
        )
    if plan.dwell_us < SHORTEST_DWELL_US * (1 - 1e-9):
        raise ValueError(
            f"A dwell of {1000 * plan.dwell_us:.3g} ns is shorter than the "
            f"{1000 * SHORTEST_DWELL_US:g} ns that instruments can do: use a smaller current, "
            "fewer passes or a longer dwell."
        )


def plan_warnings(plan: MillPlan) -> list[str]:
    """Return what deserves a second look, as sentences for people."""
    beam, pitch = plan.beam, plan.design.pitch_nm
    said = []
    if beam.spot_nm > pitch:
        said.append(
            f"The spot of {beam.spot_nm:g} nm is larger than the module of {pitch:g} nm: "
            "neighbouring modules will run together. Use a smaller current."
        )
    if plan.point_pitch_nm > beam.spot_nm * (1 + 1e-9):
        said.append(
            f"The point pitch of {plan.point_pitch_nm:.3g} nm is larger than the spot of "
            f"{beam.spot_nm:g} nm: the floor will be uneven."
        )
    if plan.dwell_us > LONGEST_DWELL_US:
        said.append(
            f"A dwell of {plan.dwell_us / 1000:.3g} ms is longer than the "
            f"{LONGEST_DWELL_US / 1000:g} ms that many instruments accept: use more passes."
        )
    if plan.n_points > MOST_POINTS:
        said.append(
            f"{plan.n_points:,} points are more than the {MOST_POINTS:,} that stream files are "
            "known to work with: use a larger point pitch."
        )
    planned, needed = plan.ion_dose_nc_per_um2, plan.needed_dose_nc_per_um2
    if abs(planned / needed - 1) * 100 > DOSE_TOLERANCE_PERCENT:
        side = "more" if planned > needed else "less"
        said.append(
            f"The dose of {planned:.3g} nC/um^2 is {100 * abs(planned / needed - 1):.0f} % {side} "
            f"than the {needed:.3g} nC/um^2 that were asked for."
        )
    low, high = plan.depth_range_nm
    film = plan.design.film
    if low < film.thickness_nm * 0.99:
        said.append(
            f"The volume per dose is uncertain: the dose may mill from {low:.3g} to {high:.3g} nm "
            f"of the {film.thickness_nm:g} nm film. Calibrate it, or over-etch."
        )
    return said
