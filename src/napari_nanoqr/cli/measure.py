"""``nanoqr measure``: micrographs of codes to numbers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.acquisition_options import add_acquisition_options, image_settings
from napari_nanoqr.cli.batch_options import (
    add_batch_options,
    add_jobs_option,
    images_of,
    say_written,
)

if TYPE_CHECKING:
    from napari_nanoqr.measuring.record import Record

DESCRIPTION = """\
Measure the codes in micrographs: pitch, sizes and edges of modules, roughness, contrast, noise,
dose, and the grade, each with its uncertainty: the true value lies within it in 95 of 100 cases.
The pixel size is taken from the file where it tells it; its own error is not known and no part of
that. With a design, codes are measured also where they cannot be read any more.
Exit status 0 where every image gave a code, 1 where some gave none, 2 for bad use or a file
that cannot be read (the others are still measured)."""

EPILOG = """\
examples:
  nanoqr measure image_012.tif
  nanoqr measure *.tif --json > measured.jsonl
  nanoqr measure image_012.tif --design record.json
  nanoqr measure images --table codes.csv --report images.html
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "measure",
        help="micrographs of codes to sizes, edges, noise and grades",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="files or folders")
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known: for reading"
    )
    parser.add_argument(
        "--design", type=Path, metavar="FILE",
        help="a design, or a pattern file with one: what was written",
    )  # fmt: skip
    parser.add_argument(
        "--no-margin", action="store_true", help="do not measure how many electrons would have done"
    )
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    add_acquisition_options(parser)
    add_batch_options(parser)
    add_jobs_option(parser)
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure each image, on all cores where there are many."""
    from napari_nanoqr.cli.decode import load_design
    from napari_nanoqr.measuring.batch import read_batch
    from napari_nanoqr.measuring.batch_files import BatchFiles
    from napari_nanoqr.measuring.record_settings import RecordSettings

    design = None if options.design is None else load_design(options.design)
    settings = RecordSettings(
        pitch_nm=options.pitch, design=design, margin=not options.no_margin,
        **image_settings(options),
    )  # fmt: skip
    images = images_of(options.images, subfolders=options.subfolders)
    worst = 0
    with BatchFiles(options.table, options.report) as files:
        items = read_batch(
            images, settings, reports=options.reports, thumbnails=options.report is not None,
            jobs=options.jobs,
        )  # fmt: skip
        for number, item in enumerate(items, start=1):
            if len(images) > 1 or not options.json:
                print(f"[{number}/{len(images)}] {item.path.name}", file=sys.stderr, flush=True)
            record = item.record
            print(json.dumps(_values(record)) if options.json else _text(record), flush=True)
            files.add(item)
            worst = max(worst, 2 if record.error else 0 if record.measurements else 1)
    say_written(options)
    return worst


def _values(record: Record) -> dict[str, Any]:
    """Return the JSON object of an image, with corners in pixels of all of it."""
    row, column = (record.settings.region or (0, 0))[:2]
    codes = [code.to_dict() for code in record.measurements]
    for code in codes:
        code["corners_yx"] = [[y + row, x + column] for y, x in code["corners_yx"]]
    return {
        "file": str(record.path),
        "pixel_size_nm": record.pixel_size_nm,
        "pixel_size_source": record.pixel_size_source,
        "codes": codes,
        "error": _problem(record),
    }


def _problem(record: Record) -> str | None:
    """Say why nothing was measured."""
    if record.error or record.measurements:
        return record.error
    return record.readings.advice or "No code was measured."


def _text(record: Record) -> str:
    """Say what was measured in lines for people."""
    from napari_nanoqr.measuring.rows import value_rows

    problem = _problem(record)
    lines = [f"{record.path}" if problem is None else f"{record.path}: {problem}"]
    for code in record.measurements:
        lines.append(f"  {code.title}")
        lines += [f"    {name}: {value}" for name, value in value_rows(code)]
    return "\n".join(lines)
