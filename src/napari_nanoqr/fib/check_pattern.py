"""What is wrong with a pattern that was read, by whatever program it was written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_nanoqr.fib.checks.rules import (
    dwell_limits,
    largest_size,
    layout_limits,
    most_points,
    within_field,
    within_steps,
)
from napari_nanoqr.fib.complaint import Complaint
from napari_nanoqr.fib.formats.thermo_stream import NAME as STREAM
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.instruments import Instrument, find_instrument
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern

GRID_UM = 0.0005
"""By so much the grid of a file may move a corner out of the field."""


def check_pattern(pattern: Pattern, instrument: Instrument | None = None) -> list[Complaint]:
    """Hold a pattern against the limits of an instrument.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.
    instrument : Instrument, optional
        By default what most instruments can do.

    Returns
    -------
    list of Complaint
        Errors first; empty where all is well. What the file does not tell is not checked.
    """
    known = instrument or find_instrument()
    found: list[Complaint] = []
    if isinstance(pattern, PointPattern):
        found += _points(pattern, known)
        found += _deflection(pattern, known)
    elif isinstance(pattern, ShapePattern):
        found += _shapes(pattern, known)
    found += _place(pattern, known)
    return sorted(found, key=lambda complaint: complaint.severity != "error")


def _points(pattern: PointPattern, instrument: Instrument) -> Iterator[Complaint]:
    yield from most_points(len(pattern.steps), instrument)
    exposes = pattern.exposes
    if not exposes.any():
        yield Complaint(
            "error", "exposed points", 0, 1, "points",
            "It mills nothing, as all points are blanked or have no dwell", "expose some of them",
        )  # fmt: skip
        return
    idle = int(np.count_nonzero(pattern.beam_on & (pattern.dwell_units <= 0)))
    if idle:
        yield Complaint(
            "warning", "dwell of nothing", idle, 0, "points",
            f"{idle:,} points that are not blanked have no dwell", "leave them out, or blank them",
        )  # fmt: skip
    if pattern.dwell_unit_s is not None:
        used = pattern.dwell_units[exposes]
        unit_us = pattern.dwell_unit_s * 1e6
        yield from dwell_limits(int(used.min()) * unit_us, int(used.max()) * unit_us, instrument)
    # one number for each place, which sorts faster than pairs
    x, y = pattern.steps[exposes].T
    places = (x - x.min()) * (int(y.max()) - int(y.min()) + 1) + y
    twice = places.size - np.unique(places).size
    if twice:
        yield Complaint(
            "warning", "points at the same place", twice, 0, "points",
            f"{twice:,} points lie where another one does, which adds up the dose there",
            "leave them out unless they are meant",
        )  # fmt: skip


def _deflection(pattern: PointPattern, instrument: Instrument) -> Iterator[Complaint]:
    """Only streams have a range of their own, and only where the instrument tells it."""
    profile = instrument.options_for(".str").get("stream") if instrument.takes(".str") else None
    if not isinstance(profile, StreamProfile) or not pattern.format.startswith(STREAM):
        return
    steps = pattern.steps[pattern.exposes]
    if not steps.size:
        return
    yield from within_steps(steps.min(axis=0).tolist(), steps.max(axis=0).tolist(), profile)


def _shapes(pattern: ShapePattern, instrument: Instrument) -> Iterator[Complaint]:
    flat = int(np.count_nonzero(pattern.areas_um2 <= 0))
    if flat:
        yield Complaint(
            "warning", "shapes without area", flat, 0, "shapes",
            f"{flat:,} shapes have no area", "leave them out",
        )  # fmt: skip
    unexposed = int(np.count_nonzero(pattern.dose_factors <= 0))
    if unexposed:
        yield Complaint(
            "warning", "shapes without dose", unexposed, 0, "shapes",
            f"{unexposed:,} shapes have no dose", "leave them out, or give them one",
        )  # fmt: skip
    if pattern.layers.size:
        layers = int(pattern.layers.min()), int(pattern.layers.max())
        yield from layout_limits(layers, float(pattern.dose_factors.max()), instrument)


def _place(pattern: Pattern, instrument: Instrument) -> Iterator[Complaint]:
    bounds = pattern.bounds_nm
    if bounds is None:
        return
    left, top, right, bottom = (edge / 1000 for edge in bounds)
    yield from largest_size(right - left, bottom - top, instrument)
    if pattern.hfw_um is not None:
        yield from within_field(max(-left, -top, right, bottom), pattern.hfw_um, GRID_UM)
