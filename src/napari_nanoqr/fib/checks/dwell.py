"""Limits of the number of points and of their dwell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_nanoqr.fib.checks.case import Case
from napari_nanoqr.fib.checks.rules import dwell_limits, most_points
from napari_nanoqr.fib.complaint import Complaint, dwell_text
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.verify import MOST_DOSE_ERROR_PERCENT, MOST_TOTAL_DOSE_ERROR_PERCENT


def points(case: Case) -> Iterator[Complaint]:
    """Count the points of a file."""
    if case.holds_points:
        yield from most_points(case.exposure.n_points, case.instrument)


def dwells(case: Case) -> Iterator[Complaint]:
    """Compare the longest and the shortest dwell."""
    dwell = case.exposure.dwell_us
    shortest, longest = min(low for _, low, _ in case.doses), max(high for *_, high in case.doses)
    yield from dwell_limits(dwell * shortest, dwell * longest, case.instrument)


def rounding(case: Case) -> Iterator[Complaint]:
    """Say what the steps of the dwell do to the dose."""
    stream = case.stream
    step_ns = case.instrument.dwell_step_ns if stream is None else stream.dwell_unit_ns
    if step_ns is None:
        return
    step = step_ns / 1000
    total = case.exposure.dwell_us / step
    shortest = total * min(low for _, low, _ in case.doses)
    if shortest < 0.5:
        yield Complaint(
            "error", "dwell of nothing", shortest * step, step, "us",
            f"A dwell of {dwell_text(shortest * step)} rounds to nothing in steps of "
            f"{step_ns:g} ns",
            "use fewer passes, a smaller current, or a format with finer steps",
        )  # fmt: skip
        return
    # what is rounded off at a point goes to the next, so that the whole is off by half a step
    whole = total * sum(lattice.total_dose for lattice in case.exposure.lattices)
    off = 100 * abs(np.floor(whole + 0.5) / whole - 1)
    if off > MOST_TOTAL_DOSE_ERROR_PERCENT:
        yield Complaint(
            "error", "dose as a whole", off, MOST_TOTAL_DOSE_ERROR_PERCENT, "%",
            f"In steps of {step_ns:g} ns the dose as a whole would be off by {off:.2g} %, and "
            f"{MOST_TOTAL_DOSE_ERROR_PERCENT:g} % are allowed",
            "use fewer passes, or a format with finer steps",
        )  # fmt: skip
    off = max(_module_rounding(*each, total) for each in case.doses)
    if off > MOST_DOSE_ERROR_PERCENT:
        yield Complaint(
            "warning", "dwell step", off, MOST_DOSE_ERROR_PERCENT, "%",
            f"In steps of {step_ns:g} ns the dose of single modules may be off by up to "
            f"{off:.0f} %, and {MOST_DOSE_ERROR_PERCENT:g} % are allowed",
            "use fewer passes, a dwell of whole steps, or a format with finer steps",
        )  # fmt: skip


def _module_rounding(lattice: Lattice, low: float, high: float, steps: float) -> float:
    """Bound of a module's dose error in percent: half a step at both ends of its rows."""
    # most exposures have one dose, and as many points as fit into a file
    doses = lattice.dose[lattice.dose > 0] if low < high else np.array([low])
    dwell = doses.astype(np.float64) * steps
    uneven = dwell[np.abs(dwell - np.rint(dwell)) > 1e-6 * dwell]
    return 100 / (lattice.points_per_module * float(uneven.min())) if uneven.size else 0.0
