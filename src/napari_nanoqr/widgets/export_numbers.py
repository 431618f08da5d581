"""What a plan will do, in numbers for people."""

from __future__ import annotations

from collections.abc import Sequence

from napari_nanoqr.cli.export import duration
from napari_nanoqr.fib.complaint import Complaint
from napari_nanoqr.fib.plan import MillPlan

ROWS = ("Points", "Passes", "Dose", "Beam", "Beam time", "Mills", "Field", "Notes")


def headline(plan: MillPlan) -> str:
    """Return beam, points, time and dose in one line."""
    return (
        f"{plan.beam.current_pa:g} pA · {plan.n_points:,} points · {plan.passes:,} passes · "
        f"{duration(plan.beam_on_time_s)} · dose {plan.ion_dose_nc_per_um2:.3g} nC/µm²"
    )


def numbers(plan: MillPlan, reason: str, complaints: Sequence[Complaint]) -> dict[str, str]:
    """Return the text of each of the `ROWS`.

    Parameters
    ----------
    plan : MillPlan
        What is told.
    reason : str
        Why this beam was taken; empty where the user chose it.
    complaints : sequence of Complaint
        What the check of the plan found.
    """
    low, high = plan.depth_range_nm
    volume = plan.volume_per_dose
    corrected = "; corrected point by point" if plan.relative_dose is not None else ""
    return {
        "Points": f"{plan.n_points:,} in each pass, {plan.point_pitch_nm:.4g} nm apart "
        f"({plan.overlap_percent:.0f} % overlap), {plan.points_per_module} x "
        f"{plan.points_per_module} in a module",
        "Passes": f"{plan.passes:,} of {plan.dwell_us:.4g} µs a point",
        "Dose": f"{plan.ion_dose_nc_per_um2:.4g} nC/µm² "
        f"({plan.needed_dose_nc_per_um2:.4g} needed){corrected}",
        "Beam": reason or str(plan.beam),
        "Beam time": f"{duration(plan.beam_on_time_s)} with the beam on; blanking and "
        "settling come on top",
        "Mills": f"{plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g}) of the "
        f"{plan.design.film}; {volume.value:g} µm³/nC ({volume.low:.3g} to {volume.high:.3g}; "
        f"{volume.source})",
        "Field": f"{plan.hfw_um:g} µm wide (HFW)",
        "Notes": "\n".join(complaint.sentence for complaint in complaints) or "none",
    }
