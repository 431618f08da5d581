"""Limits of the spot against module and pitch, and of what layouts carry."""

from __future__ import annotations

from collections.abc import Iterator

from napari_nanoqr.fib.checks.case import Case
from napari_nanoqr.fib.checks.rules import A_HAIR, layout_limits, whose
from napari_nanoqr.fib.complaint import Complaint


def layout(case: Case) -> Iterator[Complaint]:
    """Compare layer and dose factor with what layouts can carry."""
    layer, first = case.options.get("layer", 0), case.exposure.lattices[0].pitch_nm
    factor = case.options.get("dose_factor", 1.0) * max(
        high * (first / lattice.pitch_nm) ** 2 for lattice, _, high in case.doses
    )
    yield from layout_limits((layer, layer), factor, case.instrument)


def spot(case: Case) -> Iterator[Complaint]:
    """Compare the spot with the module and the point pitch."""
    spot = case.exposure.beam.spot_nm
    module = min(lattice.pitch_nm * lattice.points_per_module
                 for lattice in case.exposure.lattices)  # fmt: skip
    if spot > module * A_HAIR:
        yield Complaint(
            "warning", "spot", spot, module, "nm",
            f"The spot of {spot:g} nm is larger than the module of {module:.4g} nm, and "
            "neighbouring modules will run together",
            "use a smaller current or a larger pitch",
        )  # fmt: skip
    widest = max(lattice.pitch_nm for lattice in case.exposure.lattices)
    if widest > spot * A_HAIR:
        yield Complaint(
            "warning", "point pitch", widest, spot, "nm",
            f"The point pitch of {widest:.3g} nm is larger than the spot of {spot:g} nm, and "
            "the floor will be uneven",
            "use a smaller point pitch, or a beam with a larger spot",
        )  # fmt: skip
    closest = min(lattice.pitch_nm for lattice in case.exposure.lattices)
    overlap, most = 100 * (1 - closest / spot), case.instrument.largest_overlap_percent
    if most is not None and overlap >= most:
        yield Complaint(
            "error", "overlap", overlap, most, "%",
            f"An overlap of {overlap:.4g} % of neighbouring spots is not below the {most:g} "
            f"% that {whose(case.instrument)} can do",
            "use a larger point pitch",
        )  # fmt: skip
