"""``nanoqr export``: a design to the files that a FIB reads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.plan_options import (
    add_instrument_option,
    add_plan_options,
    add_shapes_option,
    beam_choice,
    instrument_from,
    plan_from,
    writing_options,
)

if TYPE_CHECKING:
    from napari_nanoqr.fib.complaint import Complaint

DESCRIPTION = """\
Plan the milling of a design and write it for a FIB. Each file is read back and the symbol in
it decoded before it counts as written. The suffix says the format:
  .str         Thermo/FEI stream file (see --stream)
  .bmp         Thermo/FEI 24-bit bitmap, one pixel a point
  .ptf         Thermo/FEI pattern file
  .gds, .oas   GDSII and OASIS, milled modules merged (see --shapes)
  .asc, .dc2   Raith ASCII, NPGS
  .ely, .xml   Zeiss SmartFIB, TESCAN DrawBeam
  .txt, .csv   NPVE deflection list, points as a table
  .svg, .dxf   drawings for everything else
What a format cannot hold, such as the field width of a stream, goes into FILE.json beside it.
With --instrument nothing is written that is beyond one of its limits; without, what most
instruments cannot do is noted."""

EPILOG = """\
examples:
  nanoqr export record.json --to record.str record.bmp record.gds
  nanoqr export record.json --beam "7 pA" --dwell 0.5 --to slow.str
  nanoqr export record.json --correct-edges --to record.str --report record.report.html
  nanoqr export record.json --volume-per-dose 0.15 --stream s16,25ns --to calibrated.str
  nanoqr export record.json --shapes polygons --to outlines.gds
  nanoqr export record.json --instrument "Thermo/FEI 12 bit" --to old.str
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "export",
        help="a design to FIB pattern files (.str, .bmp, .gds, ...)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("design", type=Path, metavar="DESIGN", help="a design (.json)")
    parser.add_argument(
        "--to", type=Path, nargs="+", required=True, metavar="FILE", help="what to write"
    )
    add_plan_options(parser)
    taken = parser.add_mutually_exclusive_group()
    add_instrument_option(taken)
    taken.add_argument(
        "--stream", choices=("s16", "s16,25ns", "s"),
        help="form of .str: 16 bit, 16 bit with 25 ns dwell unit, 12 bit (default s16)",
    )  # fmt: skip
    add_shapes_option(parser)
    parser.add_argument(
        "--report", type=Path, metavar="FILE",
        help="predict what each file will do, and report it as FILE.html and FILE.json",
    )  # fmt: skip
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plan, check, write, read back, and say what was found."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.check import check_plan
    from napari_nanoqr.fib.pattern_files import write_pattern

    instrument = instrument_from(options.instrument)
    design = Design.load(options.design)
    plan, choice = plan_from(design, options, instrument), beam_choice(design, options)
    told = writing_options(options)
    found: dict[str, Complaint] = {}
    for path in options.to:
        suffix = path.suffix.lower()
        found |= {each.sentence: each for each in check_plan(plan, instrument, suffix, **told)}
    refused = [each.sentence for each in found.values() if each.severity == "error"]
    if options.instrument is not None and refused:
        raise ValueError(" ".join(["Nothing was written.", *refused]))
    if choice is not None:
        print(choice.reason)
    print(summary(plan, list(found)))
    written = []
    for path in options.to:
        own = instrument.options_for(path.suffix.lower()) | told
        written.append((path, write_pattern(plan, path, **own)))
        print(f"written: {path} · {verdict(written[-1][1])}")
    if options.report is None:
        return 0
    from napari_nanoqr.planning.report import export_report

    report = export_report(plan, written)
    for path in report.save(options.report):
        print(f"written: {path}")
    print(report.files[0][2].verdict)
    return 0 if report.good else 1


def summary(plan: Any, notes: Sequence[str] | None = None) -> str:
    """Describe a plan in a few lines, with notes on it; by default its warnings."""
    low, high = plan.depth_range_nm
    lines = [
        f"{plan.beam} · field {plan.hfw_um:g} um",
        f"{plan.n_points:,} points {plan.point_pitch_nm:.3g} nm apart · {plan.dwell_us:g} us x "
        f"{plan.passes:,} passes, {plan.scan} · {duration(plan.beam_on_time_s)} beam on",
        f"dose {plan.ion_dose_nc_per_um2:.3g} nC/um^2 · volume per dose {plan.volume_per_dose}",
        f"mills {plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g}) of {plan.design.film}",
    ]
    if plan.relative_dose is not None:
        used = plan.relative_dose[plan.relative_dose > 0]
        lines.append(
            f"edges corrected: points get {used.min():.2f} to {used.max():.2f} of the dose"
        )
    notes = plan.warnings if notes is None else notes
    return "\n".join(lines + [f"note: {note}" for note in notes])


def verdict(found: Any) -> str:
    """Say what was read back from a pattern file."""
    content = found.text if found.text is not None else f"{len(found.payload)} bytes"
    error = max(abs(found.dose_error_percent), 0.01)
    return f"read back and decoded ({content}), dose within {error:.2g} % of the planned"


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"
