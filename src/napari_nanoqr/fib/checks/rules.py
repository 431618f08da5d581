"""Single limits of an instrument, on plain numbers: of a plan, or of a file that was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_nanoqr.fib.complaint import Complaint, dwell_text
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.instruments import GENERIC, Instrument

A_HAIR = 1 + 1e-9
"""Limits are met by what they are computed to be."""


def whose(instrument: Instrument) -> str:
    """Return the instrument as sentences name it."""
    return "most instruments" if instrument.name == GENERIC else instrument.name


def most_points(count: int, instrument: Instrument) -> Iterator[Complaint]:
    """Count the points of a file."""
    most = instrument.most_points
    if most is not None and count > most:
        yield Complaint(
            "error", "points", count, most, "points",
            f"{count:,} points are more than the {most:,.0f} that {whose(instrument)} can take "
            "in a file",
            "use a larger point pitch, a beam with a larger spot, or several files",
        )  # fmt: skip


def dwell_limits(
    shortest_us: float, longest_us: float, instrument: Instrument
) -> Iterator[Complaint]:
    """Compare the longest and the shortest dwell."""
    most, least = instrument.longest_dwell_us, instrument.shortest_dwell_us
    if most is not None and longest_us > most * A_HAIR:
        yield Complaint(
            "error", "longest dwell", longest_us, most, "us",
            f"A dwell of {dwell_text(longest_us)} is longer than the {dwell_text(most)} that "
            f"{whose(instrument)} can do",
            "use more passes",
        )  # fmt: skip
    if least is not None and shortest_us < least / A_HAIR:
        yield Complaint(
            "error", "shortest dwell", shortest_us, least, "us",
            f"A dwell of {dwell_text(shortest_us)} is shorter than the {dwell_text(least)} that "
            f"{whose(instrument)} can do",
            "use fewer passes or a smaller current",
        )  # fmt: skip


def largest_size(width_um: float, height_um: float, instrument: Instrument) -> Iterator[Complaint]:
    """Compare width and height with what the beam can be deflected over."""
    size = instrument.largest_pattern_um
    if size is not None and (width_um > size[0] * A_HAIR or height_um > size[1] * A_HAIR):
        across = width_um * size[1] > height_um * size[0]
        value, limit = (width_um, size[0]) if across else (height_um, size[1])
        yield Complaint(
            "error", "pattern size", value, limit, "um",
            f"The pattern of {width_um:.4g} x {height_um:.4g} um is larger than the {size[0]:g} x "
            f"{size[1]:g} um that {whose(instrument)} can deflect over",
            "use a smaller pitch or version, or several fields",
        )  # fmt: skip


def within_field(farthest_um: float, hfw_um: float, slack_um: float = 0.0) -> Iterator[Complaint]:
    """Compare the point that is farthest from the centre, in x or y, with half of the field."""
    if farthest_um > hfw_um / 2 * A_HAIR + slack_um:
        yield Complaint(
            "error", "field", farthest_um, hfw_um / 2, "um",
            f"The pattern reaches {farthest_um:.4g} um from the centre, and a field of "
            f"{hfw_um:g} um ends at {hfw_um / 2:g} um",
            "widen the field (HFW)",
        )  # fmt: skip


def within_steps(
    low: Sequence[int], high: Sequence[int], profile: StreamProfile
) -> Iterator[Complaint]:
    """Compare the lowest and highest steps in x and y with those of the deflection."""
    ranges = ((0, 2**profile.bits - 1), (profile.y_min, profile.y_max))
    for axis, first, last, (least, most) in zip("xy", low, high, ranges, strict=True):
        if first < least or last > most:
            value, limit = (first, least) if first < least else (last, most)
            yield Complaint(
                "error", f"range of {axis}", value, limit, "steps",
                f"The pattern reaches the steps {first} to {last} in {axis}, outside {least} to "
                f"{most}",
                "widen the field (HFW)",
            )  # fmt: skip


def layout_limits(
    layers: tuple[int, int], highest_factor: float, instrument: Instrument
) -> Iterator[Complaint]:
    """Compare the lowest and highest layer, and the highest dose factor."""
    most = instrument.highest_layer
    if most is not None and not 0 <= layers[0] <= layers[1] <= most:
        wrong = layers[0] if layers[0] < 0 else layers[1]
        yield Complaint(
            "error", "layer", wrong, most, "",
            f"Layer {wrong} is not one of the 0 to {most:g} of {whose(instrument)}",
            "use one of them",
        )  # fmt: skip
    highest = instrument.highest_dose_factor
    if highest is not None and highest_factor > highest * A_HAIR:
        yield Complaint(
            "error", "dose factor", highest_factor, highest, "",
            f"A dose factor of {highest_factor:.4g} is more than the {highest:g} that "
            f"{whose(instrument)} can take",
            "use a higher base dose",
        )  # fmt: skip
