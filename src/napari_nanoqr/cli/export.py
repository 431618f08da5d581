"""``nanoqr export``: a design to the files that a FIB reads."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Plan the milling of a design and write it for a FIB. Each file is read back and the symbol in
it decoded before it counts as written. The suffix says the format:
  .str   Thermo/FEI stream file (see --stream)
  .bmp   Thermo/FEI 24-bit bitmap, one pixel a point
  .gds   GDSII, milled modules merged into rectangles
What a format cannot hold, such as the field width of a stream, goes into FILE.json beside it."""

EPILOG = """\
examples:
  nanoqr export record.json --to record.str record.bmp record.gds
  nanoqr export record.json --beam "7 pA" --dwell 0.5 --to slow.str
  nanoqr export record.json --volume-per-dose 0.15 --stream s16,25ns --to calibrated.str
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "export",
        help="a design to FIB pattern files (.str, .bmp, .gds)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("design", type=Path, metavar="DESIGN", help="a design (.json)")
    parser.add_argument(
        "--to", type=Path, nargs="+", required=True, metavar="FILE", help="what to write"
    )
    add_plan_options(parser)
    parser.add_argument(
        "--stream", choices=("s16", "s16,25ns", "s"), default="s16",
        help="form of .str: 16 bit, 16 bit with 25 ns dwell unit, 12 bit (default s16)",
    )  # fmt: skip
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a plan of a design."""
    parser.add_argument("--beam", metavar="CURRENT", help='e.g. "26 pA" (default), "0.26 nA"')
    parser.add_argument(
        "--spot", type=float, metavar="NM", help="measured spot, instead of the table's"
    )
    pitch = parser.add_mutually_exclusive_group()
    pitch.add_argument("--point-pitch", type=float, metavar="NM", help="distance of points")
    pitch.add_argument("--overlap", type=float, metavar="PERCENT", help="of neighbouring spots")
    parser.add_argument("--dwell", type=float, metavar="US", help="per point and pass (default 1)")
    parser.add_argument("--passes", type=int, metavar="N", help="default: as the dose needs")
    parser.add_argument(
        "--scan", choices=("serpentine", "raster"), default="serpentine", help="order of points"
    )
    parser.add_argument(
        "--volume-per-dose", type=float, metavar="UM3_PER_NC", help="calibrated for your film"
    )
    parser.add_argument(
        "--volume-per-dose-uncertainty", type=float, default=10.0, metavar="PERCENT",
        help="of the calibrated value (default 10)",
    )  # fmt: skip
    parser.add_argument(
        "--over-etch", type=float, default=1.0, metavar="FACTOR", help="on the dose (default 1)"
    )
    parser.add_argument("--hfw", type=float, metavar="UM", help="horizontal field width")


def plan_from(design: Any, options: argparse.Namespace) -> Any:
    """Plan a design with the options of the command line."""
    from napari_nanoqr.fib.columns import find_beam
    from napari_nanoqr.fib.materials import VolumePerDose
    from napari_nanoqr.fib.plan import plan_milling

    beam = find_beam(options.beam) if options.beam else find_beam()
    if options.spot is not None:
        beam = replace(beam, spot_nm=options.spot, source="spot given by the user")
    volume = options.volume_per_dose
    if volume is not None:
        volume = VolumePerDose.within(volume, options.volume_per_dose_uncertainty)
    return plan_milling(
        design,
        beam,
        point_pitch_nm=options.point_pitch,
        overlap_percent=options.overlap,
        dwell_us=options.dwell,
        passes=options.passes,
        scan=options.scan,
        volume_per_dose_um3_per_nc=volume,
        over_etch=options.over_etch,
        hfw_um=options.hfw,
    )


def run(options: argparse.Namespace) -> int:
    """Plan, write, read back, and say what was found."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.pattern_files import write_pattern

    plan = plan_from(Design.load(options.design), options)
    print(summary(plan))
    for path in options.to:
        found = write_pattern(plan, path, stream=options.stream)
        print(f"written: {path} · {verdict(found)}")
    return 0


def summary(plan: Any) -> str:
    """Describe a plan in a few lines."""
    low, high = plan.depth_range_nm
    lines = [
        f"{plan.beam} · field {plan.hfw_um:g} um",
        f"{plan.n_points:,} points {plan.point_pitch_nm:.3g} nm apart · {plan.dwell_us:g} us x "
        f"{plan.passes:,} passes, {plan.scan} · {duration(plan.beam_on_time_s)} beam on",
        f"dose {plan.ion_dose_nc_per_um2:.3g} nC/um^2 · volume per dose {plan.volume_per_dose}",
        f"mills {plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g}) of {plan.design.film}",
    ]
    return "\n".join(lines + [f"note: {warning}" for warning in plan.warnings])


def verdict(found: Any) -> str:
    """Say what was read back from a pattern file."""
    content = found.text if found.text is not None else f"{len(found.payload)} bytes"
    error = max(abs(found.dose_error_percent), 0.01)
    return f"read back and decoded ({content}), dose within {error:.2g} %"


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"
