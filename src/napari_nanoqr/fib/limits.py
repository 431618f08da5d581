"""What no instrument can do; the limits of each are in :mod:`~napari_nanoqr.fib.check`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanoqr.fib.plan import MillPlan

UNMANAGEABLE_POINTS = 50_000_000
"""More than any instrument takes, and gigabytes here."""

SHORTEST_DWELL_US = 0.05
"""Thermo/FEI application files."""

LARGEST_FIELD_UM = 800.0
"""Largest pattern (vulcan)."""


def refuse_impossible(plan: MillPlan) -> None:
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
