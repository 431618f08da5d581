"""``nanoqr watch``: read each micrograph as the microscope saves it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_nanoqr.cli.acquisition_options import add_acquisition_options, image_settings
from napari_nanoqr.cli.batch_options import add_batch_options, say_written

if TYPE_CHECKING:
    from napari_nanoqr.measuring.batch import BatchItem
    from napari_nanoqr.measuring.record_settings import RecordSettings

DESCRIPTION = """\
Wait for new micrographs in a folder, and read and measure each one once it is complete.
Ctrl+C ends it; the table and the report are up to date at any time. Exit status 0 where every
image gave what it should, 1 where some did not."""

EPILOG = """\
examples:
  nanoqr watch D:\\images
  nanoqr watch images --design record.json --table today.csv --report today.html
  nanoqr watch images --existing --for 3600 --json > readings.jsonl
"""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "watch",
        help="read each micrograph as the microscope saves it",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--existing", action="store_true", help="begin with the images that are there already"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known"
    )
    parser.add_argument(
        "--design", type=Path, metavar="FILE",
        help="a design, or a pattern file with one: every image should show it",
    )  # fmt: skip
    parser.add_argument("--no-margin", action="store_true", help="do not measure the margin")
    parser.add_argument("--no-measure", action="store_true", help="read, do not measure or grade")
    parser.add_argument(
        "--for", dest="seconds", type=float, metavar="S", help="stop after so many seconds"
    )
    parser.add_argument("--count", type=int, metavar="N", help="stop after so many images")
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    add_acquisition_options(parser)
    add_batch_options(parser)
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read images until it is enough."""
    from napari_nanoqr.cli.decode import load_design
    from napari_nanoqr.measuring.batch_files import BatchFiles
    from napari_nanoqr.measuring.record_settings import RecordSettings

    design = None if options.design is None else load_design(options.design)
    settings = RecordSettings(
        pitch_nm=options.pitch, design=design, margin=not options.no_margin,
        measure=not options.no_measure, **image_settings(options),
    )  # fmt: skip
    if options.reports is not None:
        options.reports.mkdir(parents=True, exist_ok=True)
    good = True
    try:
        with BatchFiles(options.table, options.report, growing=True) as files:
            waiting = f"Waiting for images in {options.folder}. Ctrl+C ends it."
            print(waiting, file=sys.stderr, flush=True)
            for item in _images(options, settings):
                files.add(item)
                good = good and item.good
                values = item.record.to_dict()
                print(json.dumps(values) if options.json else _line(item), flush=True)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    say_written(options)
    return 0 if good else 1


def _images(options: argparse.Namespace, settings: RecordSettings) -> Iterator[BatchItem]:
    from napari_nanoqr.measuring.batch import batch_item
    from napari_nanoqr.measuring.watch import watch_folder

    ends = None if options.seconds is None else time.monotonic() + options.seconds

    def over() -> bool:
        return ends is not None and time.monotonic() > ends

    count = 0
    for path in watch_folder(
        options.folder, existing=options.existing, subfolders=options.subfolders, cancelled=over
    ):
        if path is None:
            continue
        page = None
        if options.reports is not None:
            page = options.reports / f"{path.stem}.html"
        yield batch_item(path, settings, page, options.report is not None)
        count += 1
        if options.count is not None and count >= options.count:
            return


def _line(item: BatchItem) -> str:
    """Say in a line or two what became of an image."""
    lines = [f"{item.path.name}: {item.verdict}"]
    for row in item.rows:
        if row["code"] is None:
            continue
        facts = [row["text"] if row["text"] is not None else f"hex {row['payload_hex']}"]
        if row["pitch_x_nm"] is not None:
            facts.append(f"pitch {row['pitch_x_nm']:.3f} x {row['pitch_y_nm']:.3f} nm")
        if row["grade"] is not None:
            limited = f" ({row['grade_limited_by']})" if row["grade_limited_by"] else ""
            facts.append(f"grade {row['grade']}{limited}")
        if row["stop_dose_share"] is not None:
            facts.append(f"readable with {100 * row['stop_dose_share']:.0f} % of the electrons")
        lines.append("  " + " · ".join(facts))
    return "\n".join(lines)
