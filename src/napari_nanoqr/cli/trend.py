"""``nanoqr trend``: the same code read again and again, and when it will no longer be."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.batch_options import images_of

if TYPE_CHECKING:
    from napari_nanoqr.measuring.trend import Trend

DESCRIPTION = """\
Follow a code over time: read all images of it, and extrapolate until when it will be read at the
dose of the last one. An image's date is that of the list, of the file's metadata, or of the
file's last change. Exit status 0 where the last image is read, 1 where it is not."""

EPILOG = """\
examples:
  nanoqr trend series --dates dates.csv
  nanoqr trend *.tif --report trend.html --table trend.csv
  nanoqr trend oven --dates oven.csv --model arrhenius --temperature 400 --storage 20 \\
    --activation-energy 1.1

a list of dates is a CSV file with a line of names, the last two if you like:
  file,date,temperature_c,specimen
  2031.tif,2031-05-17,20,A
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "trend",
        help="how a code ages, and when it will no longer be read",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="FILE|DIR")
    parser.add_argument(
        "--dates", type=Path, metavar="FILE", help="a list of files and dates, .csv"
    )
    parser.add_argument(
        "--design", type=Path, metavar="FILE",
        help="a design, or a pattern file with one: which code is followed",
    )  # fmt: skip
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="instead of what the files say"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known"
    )
    parser.add_argument(
        "--model", choices=("linear", "arrhenius"), default="linear",
        help="at the pace of the series, or with one that follows the temperature",
    )  # fmt: skip
    parser.add_argument(
        "--temperature", type=float, metavar="C", help="at which the specimens were kept"
    )
    parser.add_argument(
        "--storage", type=float, metavar="C",
        help="for which the end is told (default: the last temperature of the series)",
    )  # fmt: skip
    parser.add_argument(
        "--activation-energy", type=float, metavar="EV",
        help="default: fitted, where there are several temperatures",
    )  # fmt: skip
    parser.add_argument("--no-measure", action="store_true", help="read, do not measure or grade")
    parser.add_argument("--table", type=Path, metavar="FILE", help="a row an image: .csv or .tsv")
    parser.add_argument("--report", type=Path, metavar="FILE", help="an HTML page with plots")
    parser.add_argument("--json", action="store_true", help="all numbers as one JSON object")
    parser.add_argument(
        "--subfolders", action="store_true", help="look in all folders below a folder too"
    )
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read all images, extrapolate, say and write."""
    from napari_nanoqr.cli.decode import load_design
    from napari_nanoqr.measuring.record_settings import RecordSettings
    from napari_nanoqr.measuring.trend import follow_trend
    from napari_nanoqr.measuring.trend_dates import read_dates
    from napari_nanoqr.measuring.trend_model import AgeingModel
    from napari_nanoqr.measuring.trend_page import check_points, write_points

    model = AgeingModel(
        options.model, options.temperature, options.storage, options.activation_energy
    )
    design = None if options.design is None else load_design(options.design)
    settings = RecordSettings(
        pixel_size_nm=options.pixel_size, pitch_nm=options.pitch, design=design,
        measure=not options.no_measure,
    )  # fmt: skip
    dates = None if options.dates is None else read_dates(options.dates)
    if options.table is not None:
        # before the work, not after it
        check_points(options.table)
    images = images_of(options.images, subfolders=options.subfolders)

    def progress(done: int, total: int, sentence: str) -> None:
        print(f"[{min(done + 1, total)}/{total}] {sentence}", file=sys.stderr, flush=True)

    trend = follow_trend(images, settings, model, dates=dates, progress=progress)
    print(json.dumps(trend.to_dict()) if options.json else text_of(trend), flush=True)
    if options.table is not None:
        write_points(options.table, trend)
    if options.report is not None:
        trend.save_report(options.report)
    for path in (options.table, options.report):
        if path is not None:
            print(f"written: {path}", file=sys.stderr)
    return 0 if trend.good else 1


def text_of(trend: Trend) -> str:
    """Return a trend as a table for people, with its verdict below."""
    from napari_nanoqr.measuring.trend_page import SHOWN, cells_of

    counting = [cells_of(point) for point in trend.counting]
    rows = [tuple(SHOWN), *counting]
    widths = [max(len(row[column]) for row in rows) for column in range(len(SHOWN))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += [
        f"{point.name}: left out. {point.left_out}" for point in trend.points if not point.counts
    ]
    return "\n".join([*lines, "", trend.verdict, *trend.notes])
