"""The options that make a plan of a design, for every command that plans."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.beam_choice import BeamChoice
    from napari_nanoqr.fib.columns import Beam
    from napari_nanoqr.fib.instruments import Instrument
    from napari_nanoqr.fib.plan import MillPlan

FASTEST = "fastest"
"""What ``--beam`` says for the fastest beam that resolves the pitch."""


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a plan of a design."""
    parser.add_argument(
        "--beam", metavar="CURRENT",
        help='e.g. "26 pA" (default), "0.26 nA"; fastest: the fastest that resolves the pitch',
    )  # fmt: skip
    parser.add_argument(
        "--column", metavar="NAME|FILE",
        help="whose beams; a name, or a column's file (.json). Without --beam its fastest",
    )  # fmt: skip
    parser.add_argument(
        "--spot", type=float, metavar="NM", help="measured spot, instead of the table's"
    )
    parser.add_argument("--materials", type=Path, metavar="FILE", help="your materials (.json)")
    pitch = parser.add_mutually_exclusive_group()
    pitch.add_argument("--point-pitch", type=float, metavar="NM", help="distance of points")
    pitch.add_argument("--overlap", type=float, metavar="PERCENT", help="of neighbouring spots")
    parser.add_argument("--dwell", type=float, metavar="US", help="per point and pass (default 1)")
    parser.add_argument("--passes", type=int, metavar="N", help="default: as the dose needs")
    parser.add_argument(
        "--scan", type=_order, default="serpentine", metavar="ORDER",
        help="order of points: serpentine (default), raster, interlaced, spiral-out, spiral-in, "
        "contour-first, module-by-module, random, shortest-travel",
    )  # fmt: skip
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
    parser.add_argument(
        "--correct-edges", action="store_true",
        help="give each point the dose with which modules keep their size",
    )  # fmt: skip
    parser.add_argument("--hfw", type=float, metavar="UM", help="horizontal field width")


def add_instrument_option(parser: Any) -> None:
    """Add the option that names the instrument."""
    parser.add_argument(
        "--instrument", metavar="NAME|FILE",
        help='whose limits hold, e.g. "Thermo/FEI 16 bit"; a name, or an instrument\'s file '
        "(.json)",
    )  # fmt: skip


def add_shapes_option(parser: Any) -> None:
    """Add the option that says to what modules are merged."""
    parser.add_argument(
        "--shapes", choices=("rectangles", "polygons"),
        help="what modules are merged into in .gds, .oas, .asc, .dc2, .svg and .dxf: rectangles "
        "(default), or the outlines of areas that hang together",
    )  # fmt: skip


def writing_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of the command line say to the writers of formats."""
    given = {"stream": options.stream, "shapes": options.shapes}
    return {name: value for name, value in given.items() if value is not None}


def _order(word: str) -> str:
    """Orders of more than one word are easier to type with hyphens."""
    return word.replace("-", " ")


def instrument_from(name: str | None) -> Instrument:
    """Find the instrument that is named, or load its file; without a name the generic one."""
    from napari_nanoqr.fib.instruments import find_instrument, load_instrument

    if name is None:
        return find_instrument()
    return load_instrument(name) if _is_file(name) else find_instrument(name)


def plan_from(
    design: Design, options: argparse.Namespace, instrument: Instrument | None = None
) -> MillPlan:
    """Plan a design with the options of the command line.

    Parameters
    ----------
    design : Design
        What to mill.
    options : Namespace
        Of a parser with :func:`add_plan_options`.
    instrument : Instrument, optional
        The field is chosen so that its screen shows the whole design.

    Returns
    -------
    MillPlan
        The plan.
    """
    from napari_nanoqr.fib.plan import FIELD_USED, plan_milling, usual_hfw_um

    hfw = options.hfw
    if hfw is None and instrument is not None and instrument.screen_aspect is not None:
        height, width = design.field_size_nm
        hfw = usual_hfw_um(max(width, height * max(1, FIELD_USED / instrument.screen_aspect)))
    return plan_milling(design, hfw_um=hfw, **milling_options(design, options))


def milling_options(design: Design, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of the command line say to ``plan_milling``, but for the field.

    Parameters
    ----------
    design : Design
        For which the beam is chosen, where it is to be the fastest.
    options : Namespace
        Of a parser with :func:`add_plan_options`.

    Returns
    -------
    dict
        By the names of the arguments.
    """
    from napari_nanoqr.fib.materials import VolumePerDose, load_materials

    if options.materials is not None:
        load_materials(options.materials)
    choice = beam_choice(design, options)
    beam = _named_beam(options) if choice is None else choice.beam
    if options.spot is not None:
        beam = replace(beam, spot_nm=options.spot, source="spot given by the user")
    volume = options.volume_per_dose
    if volume is not None:
        volume = VolumePerDose.within(volume, options.volume_per_dose_uncertainty)
    return {
        "beam": beam,
        "point_pitch_nm": options.point_pitch,
        "overlap_percent": options.overlap,
        "dwell_us": options.dwell,
        "passes": options.passes,
        "scan": options.scan,
        "volume_per_dose_um3_per_nc": volume,
        "over_etch": options.over_etch,
        "correct_edges": options.correct_edges,
    }


def beam_choice(design: Design, options: argparse.Namespace) -> BeamChoice | None:
    """Choose the beam, with a reason; None where one is named or the default is meant."""
    from napari_nanoqr.fib.beam_choice import choose_beam

    named = options.beam is not None and options.beam.strip().lower() != FASTEST
    if named or (options.beam is None and options.column is None):
        return None
    return choose_beam(design.pitch_nm, named_column(options.column))


def _named_beam(options: argparse.Namespace) -> Beam:
    from napari_nanoqr.fib.columns import find_beam, find_column

    name = named_column(options.column)
    column = None if name is None else find_column(name).name
    return find_beam(column=column) if options.beam is None else find_beam(options.beam, column)


def named_column(name: str | None) -> str | None:
    """Load a column's file, so that it is known by its name."""
    from napari_nanoqr.fib.columns import load_column

    return load_column(name).name if name is not None and _is_file(name) else name


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() == ".json"
