"""``nanoqr plan``: points, dose and times of a milling, and whether an instrument can do it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.plan_options import (
    add_instrument_option,
    add_plan_options,
    beam_choice,
    instrument_from,
    plan_from,
)

if TYPE_CHECKING:
    from napari_nanoqr.fib.complaint import Complaint
    from napari_nanoqr.fib.instruments import Instrument
    from napari_nanoqr.fib.plan import MillPlan
    from napari_nanoqr.fib.timing import Times

WIDTH = 100
"""Of the lines that are shown."""

DESCRIPTION = """\
Plan the milling of a design and write nothing: points, dose, depth, time, and every limit of the
instrument that the plan is beyond, with the way out."""

EPILOG = """\
examples:
  nanoqr plan record.json
  nanoqr plan record.json --instrument "Thermo/FEI 12 bit" --to .str
  nanoqr plan record.json --beam fastest --correct-edges --settling 2 --blanking 0.5
  nanoqr plan record.json --column our-column.json --materials our-films.json --json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "plan",
        help="points, dose and times of a milling, and what the instrument's limits say",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("design", type=Path, metavar="DESIGN", help="a design (.json)")
    add_plan_options(parser)
    add_instrument_option(parser)
    parser.add_argument(
        "--to", metavar="FILE",
        help="file that it would be written to, or its suffix: its format's limits hold too "
        "(default: the instrument's usual format)",
    )  # fmt: skip
    parser.add_argument(
        "--settling", type=float, metavar="US",
        help="time to settle after a jump (default: as the column's file says)",
    )  # fmt: skip
    parser.add_argument(
        "--blanking", type=float, metavar="US",
        help="time of blanking for a jump (default: as the column's file says)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--settings", metavar="FILE", help="options as a file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plan, check, and show."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.check import check_plan
    from napari_nanoqr.fib.timing import times_of

    instrument = instrument_from(options.instrument)
    design = Design.load(options.design)
    plan, choice = plan_from(design, options, instrument), beam_choice(design, options)
    suffix = _suffix(options.to, instrument)
    complaints = check_plan(plan, instrument, suffix)
    times = times_of(plan.exposure, settling_us=options.settling, blanking_us=options.blanking)
    values = describe(plan, times, complaints, instrument, suffix)
    values["beam_reason"] = None if choice is None else choice.reason
    if options.json:
        print(json.dumps({"file": str(options.design)} | values))
    else:
        print("\n".join(table(plan, times, complaints, values)))
    return 0


def describe(
    plan: MillPlan,
    times: Times,
    complaints: Sequence[Complaint],
    instrument: Instrument,
    suffix: str | None = None,
) -> dict[str, Any]:
    """Describe a plan by plain values.

    Parameters
    ----------
    plan : MillPlan
        The plan.
    times : Times
        What it takes.
    complaints : sequence of Complaint
        Of the instrument.
    instrument : Instrument
        That it was held against.
    suffix : str, optional
        Of the format that it was held against.

    Returns
    -------
    dict
        JSON-able; what is not known is None.
    """
    from napari_nanoqr.fib.complaint import limits_met

    return {
        "design": plan.design.name,
        "film": str(plan.design.film),
        "beam": asdict(plan.beam),
        "hfw_um": plan.hfw_um,
        "points": plan.n_points,
        "points_per_module": plan.points_per_module,
        "point_pitch_nm": plan.point_pitch_nm,
        "overlap_percent": plan.overlap_percent,
        "dwell_us": plan.dwell_us,
        "passes": plan.passes,
        "scan": plan.scan,
        "ion_dose_nc_per_um2": plan.ion_dose_nc_per_um2,
        "needed_dose_nc_per_um2": plan.needed_dose_nc_per_um2,
        "charge_nc": plan.exposure.charge_nc,
        "volume_per_dose_um3_per_nc": asdict(plan.volume_per_dose),
        "depth_nm": plan.depth_nm,
        "depth_range_nm": list(plan.depth_range_nm),
        "area_um2": plan.area_um2,
        "volume_um3": plan.volume_um3,
        "edge_correction": edge_correction(plan),
        "beam_on_time_s": plan.beam_on_time_s,
        "times": times.to_dict(),
        "instrument": instrument.name,
        "format": suffix,
        "limits_met": limits_met(complaints),
        "complaints": [complaint.to_dict() for complaint in complaints],
    }


def edge_correction(plan: MillPlan) -> dict[str, float] | None:
    """Say how far a correction of the edges goes, None where there is none."""
    dose = plan.relative_dose
    if dose is None:
        return None
    used = dose[dose > 0]
    return {
        "lowest_dose": round(float(used.min()), 4),
        "highest_dose": round(float(used.max()), 4),
        "mean_dose": round(float(used.mean(dtype="float64")), 4),
    }


def table(
    plan: MillPlan, times: Times, complaints: Sequence[Complaint], values: dict[str, Any]
) -> list[str]:
    """Return a plan as lines of a name and a value.

    Parameters
    ----------
    plan : MillPlan
        The plan.
    times : Times
        What it takes.
    complaints : sequence of Complaint
        Of the instrument.
    values : dict
        Of :func:`describe`.
    """
    from napari_nanoqr.cli.export import duration

    low, high = plan.depth_range_nm
    corrected = values["edge_correction"]
    rows = [
        ("design", f"{plan.design.name} · {plan.design.film}"),
        ("beam", str(plan.beam)),
        ("", values.get("beam_reason")),
        ("field", f"{plan.hfw_um:g} um wide (HFW)"),
        ("points", f"{plan.n_points:,} in each pass, {plan.point_pitch_nm:.4g} nm apart "
                   f"({plan.overlap_percent:.0f} % overlap), {plan.scan}"),
        ("passes", f"{plan.passes:,} of {plan.dwell_us:.4g} us a point"),
        ("edges", None if corrected is None else
         f"corrected, doses of {corrected['lowest_dose']:.2f} to {corrected['highest_dose']:.2f}"),
        ("dose", f"{plan.ion_dose_nc_per_um2:.4g} nC/um^2, "
                 f"{plan.needed_dose_nc_per_um2:.4g} needed"),
        ("mills", f"{plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g})"),
        ("beam on", duration(times.beam_on_s)),
        ("settling", _extra(times.settling_s, times.settling_us, times, "--settling")),
        ("blanking", _extra(times.blanking_s, times.blanking_us, times, "--blanking")),
        ("total", "not known" if times.total_s is None else duration(times.total_s)),
        ("travel", f"{times.travel_um_per_pass:.4g} um in each pass"),
        ("instrument", values["instrument"] + f", {values['format']}" * bool(values["format"])),
        ("limits", "met" if values["limits_met"] else "NOT MET"),
        *((complaint.severity, complaint.sentence) for complaint in complaints),
    ]  # fmt: skip
    return [
        line
        for name, value in rows
        if value is not None
        for line in wrap(value, WIDTH, initial_indent=f"{name:>10}  ", subsequent_indent=" " * 12)
    ]


def _extra(seconds: float | None, each_us: float | None, times: Times, option: str) -> str:
    from napari_nanoqr.cli.export import duration

    if seconds is None:
        return f"not known; give it by {option} or in the column's file ({times.jumps:,} jumps)"
    return f"{duration(seconds)} ({times.jumps:,} jumps of {each_us:g} us)"


def _suffix(to: str | None, instrument: Instrument) -> str | None:
    """Find the format that is meant: what is named, or the instrument's usual one."""
    if to is None:
        return instrument.formats[0].suffix if instrument.formats else None
    suffix = Path("a" + to if to.startswith(".") else to).suffix.lower()
    if not suffix:
        raise ValueError(f"{to} has no suffix of a pattern file.")
    return suffix
