"""``nanoqr info``: what a file holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.plan_options import add_instrument_option, instrument_from

if TYPE_CHECKING:
    from napari_nanoqr.fib.instruments import Instrument

DESCRIPTION = """\
Say what a design, a pattern file or a micrograph holds. For a micrograph this is among others
the pixel size and where it was found; what the file does not tell is null."""

EPILOG = """\
examples:
  nanoqr info record.str
  nanoqr info record.str --instrument "Thermo/FEI 12 bit"
  nanoqr info image_012.tif --json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "info",
        help="what a design, a pattern file or a micrograph holds",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--hfw", type=float, metavar="UM", help="field width of a stream file that lost it"
    )
    add_instrument_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Describe the file."""
    values = describe(options.file, options.hfw, instrument_from(options.instrument))
    if options.json:
        print(json.dumps(values))
        return 0
    for name, value in values.items():
        if name == "conflicts":
            value = " ".join(value.values()) or None
        if value is None or value == [] or isinstance(value, dict):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{name.replace('_', ' '):>22}  {text}")
    return 0


def describe(
    path: Path, hfw_um: float | None = None, instrument: Instrument | None = None
) -> dict[str, Any]:
    """Describe a file as plain values.

    Raises
    ------
    ValueError
        Where it is none of the kinds that are known.
    OSError
        Where it cannot be read.
    """
    from napari_nanoqr.fib.describe import describe_pattern
    from napari_nanoqr.fib.pattern_files import PICTURES, READABLE, is_pattern, read_pattern
    from napari_nanoqr.sem.describe import describe_micrograph
    from napari_nanoqr.sem.read import read_micrograph

    suffix = path.suffix.lower()
    if suffix == ".json":
        return _describe_design(path)
    # what is no whole pattern, and can be nothing else, gets the complaint of its reader
    if suffix in READABLE and (suffix not in PICTURES or is_pattern(path)):
        return {"file": str(path)} | describe_pattern(read_pattern(path, hfw_um), instrument)
    return describe_micrograph(read_micrograph(path))


def _describe_design(path: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from napari_nanoqr.design.density import density
    from napari_nanoqr.design.design import Design

    design = Design.load(path)
    values = design.to_dict()
    del values["modules"], values["format"], values["format_version"]
    values["film"] = str(design.film)
    return {"kind": "design", "file": str(path)} | values | asdict(density(design))
