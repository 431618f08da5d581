"""Everything that an instrument would refuse or spoil, said before a file leaves the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from napari_nanoqr.fib.checks import dwell, place, spot
from napari_nanoqr.fib.checks.case import Case
from napari_nanoqr.fib.complaint import Complaint
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.instruments import Instrument, find_instrument
from napari_nanoqr.fib.plan import MillPlan

DOSE_TOLERANCE_PERCENT = 2.0
"""A dose that differs by more is worth a word; the volume per dose is known far less well."""

FULL_AT_LEAST = 0.99
"""Share of the film that counts as all of it."""


def check_exposure(
    exposure: Exposure,
    instrument: Instrument | None = None,
    suffix: str | None = None,
    **options: Any,
) -> list[Complaint]:
    """Hold an exposure against the limits of an instrument.

    Parameters
    ----------
    exposure : Exposure
        What is to be milled.
    instrument : Instrument, optional
        By default what most instruments can do.
    suffix : str, optional
        Of the file that it is written to, e.g. ``".str"``; by default only what holds for all
        formats is checked.
    **options
        As :func:`~napari_nanoqr.fib.pattern_files.write_pattern` takes them; they win over those
        of the instrument.

    Returns
    -------
    list of Complaint
        Errors first; empty where all is well.
    """
    case = Case(exposure, instrument or find_instrument(), suffix, options)
    rules = (
        _format, dwell.points, dwell.dwells, dwell.rounding, place.field, place.deflection,
        spot.layout, spot.spot,
    )  # fmt: skip
    found = [complaint for rule in rules for complaint in rule(case)]
    return sorted(found, key=lambda complaint: complaint.severity != "error")


def check_plan(
    plan: MillPlan, instrument: Instrument | None = None, suffix: str | None = None, **options: Any
) -> list[Complaint]:
    """Hold a plan against the limits of an instrument, and against what was asked for.

    Takes and returns what :func:`check_exposure` does, with complaints about the dose of the
    plan and about how well it is known.
    """
    found = check_exposure(plan.exposure, instrument, suffix, **options)
    planned, needed = plan.ion_dose_nc_per_um2, plan.needed_dose_nc_per_um2
    off = 100 * (planned / needed - 1)
    side = "more" if off > 0 else "less"
    if abs(off) > DOSE_TOLERANCE_PERCENT:
        found.append(Complaint(
            "warning", "dose", planned, needed, "nC/um^2",
            f"The dose of {planned:.3g} nC/um^2 is {abs(off):.0f} % {side} than the {needed:.3g} "
            "nC/um^2 that were asked for",
            "use other passes or another dwell, or leave one of them open",
        ))  # fmt: skip
    low, high = plan.depth_range_nm
    thickness = plan.design.film.thickness_nm
    if low < thickness * FULL_AT_LEAST:
        found.append(Complaint(
            "warning", "depth", low, thickness, "nm",
            f"The volume per dose is uncertain, and the dose may mill from {low:.3g} to "
            f"{high:.3g} nm of the {thickness:g} nm film",
            "calibrate it, or over-etch",
        ))  # fmt: skip
    return found


def _format(case: Case) -> Iterator[Complaint]:
    if case.suffix is not None and not case.instrument.takes(case.suffix):
        known = ", ".join(form.suffix for form in case.instrument.formats)
        yield Complaint(
            "error", "format", 0, 1, "",
            f"{case.instrument.name} takes no {case.suffix} files", f"use {known}",
        )  # fmt: skip
