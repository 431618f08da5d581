"""Limits of where the beam can go: the field, the screen, the steps of the deflection."""

from __future__ import annotations

from collections.abc import Iterator

from napari_nanoqr.fib.checks.case import Case
from napari_nanoqr.fib.checks.rules import (
    A_HAIR,
    largest_size,
    whose,
    within_field,
    within_steps,
)
from napari_nanoqr.fib.complaint import Complaint


def field(case: Case) -> Iterator[Complaint]:
    """Compare the pattern's place and size with the field, the screen and the deflection."""
    left, top, right, bottom = (edge / 1000 for edge in case.exposure.bounds_nm)
    pitch = max(lattice.pitch_nm for lattice in case.exposure.lattices) / 1000
    width, height, hfw = right - left + pitch, bottom - top + pitch, case.exposure.hfw_um
    yield from largest_size(width, height, case.instrument)
    off = list(within_field(max(-left, -top, right, bottom), hfw))
    if off:
        yield from off
        return
    aspect = case.instrument.screen_aspect
    high = max(-top, bottom) + pitch / 2
    if aspect is not None and high > hfw * aspect / 2 * A_HAIR:
        yield Complaint(
            "warning", "screen", high, hfw * aspect / 2, "um",
            f"The pattern reaches {high:.4g} um up or down from the centre, and the screen "
            f"of {whose(case.instrument)} shows {hfw * aspect / 2:.4g} um of a field of {hfw:g} um",
            "widen the field (HFW)",
        )  # fmt: skip


def deflection(case: Case) -> Iterator[Complaint]:
    """Compare the pattern with the steps of a stream's deflection."""
    profile = case.stream
    if profile is None:
        return
    step = profile.step_nm(case.exposure.hfw_um)
    pitch = min(lattice.pitch_nm for lattice in case.exposure.lattices)
    if step > pitch / 2:
        yield Complaint(
            "error", "deflection step", step, pitch / 2, "nm",
            f"A step of the {profile.bits}-bit deflection is {step:.3g} nm, more than half of "
            f"the {pitch:.3g} nm from point to point",
            "use a smaller field (HFW)" + (", 16 bits" if profile.bits == 12 else "")
            + " or a larger point pitch",
        )  # fmt: skip
    yield from within_steps(
        *profile.steps_reached(case.exposure.bounds_nm, case.exposure.hfw_um), profile
    )
