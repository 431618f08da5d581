"""Limits of where the beam can go: the field, the screen, the steps of the deflection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_nanoqr.fib.checks.case import A_HAIR, Case
from napari_nanoqr.fib.complaint import Complaint
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile


def field(case: Case) -> Iterator[Complaint]:
    """Compare the pattern's place and size with the field, the screen and the deflection."""
    left, top, right, bottom = (edge / 1000 for edge in case.exposure.bounds_nm)
    pitch = max(lattice.pitch_nm for lattice in case.exposure.lattices) / 1000
    width, height, hfw = right - left + pitch, bottom - top + pitch, case.exposure.hfw_um
    size = case.instrument.largest_pattern_um
    if size is not None and (width > size[0] * A_HAIR or height > size[1] * A_HAIR):
        across = width * size[1] > height * size[0]
        yield Complaint(
            "error", "pattern size", width if across else height, size[0 if across else 1],
            "um",
            f"The pattern of {width:.4g} x {height:.4g} um is larger than the {size[0]:g} x "
            f"{size[1]:g} um that {case.whose} can deflect over",
            "use a smaller pitch or version, or several fields",
        )  # fmt: skip
    farthest = max(-left, -top, right, bottom)
    if farthest > hfw / 2 * A_HAIR:
        yield Complaint(
            "error", "field", farthest, hfw / 2, "um",
            f"The pattern reaches {farthest:.4g} um from the centre, outside the {hfw / 2:g} "
            f"um of a field of {hfw:g} um",
            "widen the field (HFW)",
        )  # fmt: skip
        return
    aspect = case.instrument.screen_aspect
    high = max(-top, bottom) + pitch / 2
    if aspect is not None and high > hfw * aspect / 2 * A_HAIR:
        yield Complaint(
            "warning", "screen", high, hfw * aspect / 2, "um",
            f"The pattern reaches {high:.4g} um up or down from the centre, and the screen "
            f"of {case.whose} shows {hfw * aspect / 2:.4g} um of a field of {hfw:g} um",
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
    low, high = _steps_reached(profile, case.exposure.bounds_nm, step)
    ranges = ((0, 2**profile.bits - 1), (profile.y_min, profile.y_max))
    for axis, (first, last), (least, most) in zip(
        "xy", zip(low, high, strict=True), ranges, strict=True
    ):
        if first < least or last > most:
            value, limit = (first, least) if first < least else (last, most)
            yield Complaint(
                "error", f"range of {axis}", value, limit, "steps",
                f"The pattern reaches the steps {first} to {last} in {axis}, outside {least} "
                f"to {most}",
                "widen the field (HFW)",
            )  # fmt: skip


def _steps_reached(
    profile: StreamProfile, bounds_nm: tuple[float, float, float, float], step_nm: float
) -> tuple[list[int], list[int]]:
    """Return the lowest and the highest step in x and y."""
    left, top, right, bottom = bounds_nm
    if profile.y_up:
        top, bottom = -bottom, -top
    ends = np.array(((left, top), (right, bottom))) / step_nm + profile.centre
    low, high = np.rint(ends).astype(int).tolist()
    return low, high
