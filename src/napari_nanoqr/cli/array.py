"""``nanoqr array``: many payloads, or a dose test, to files and stage positions."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.film_options import add_film_options, film_from
from napari_nanoqr.cli.plan_options import (
    add_instrument_option,
    add_plan_options,
    add_shapes_option,
    instrument_from,
    milling_options,
    writing_options,
)

if TYPE_CHECKING:
    from napari_nanoqr.fib.complaint import Complaint
    from napari_nanoqr.fib.instruments import Instrument
    from napari_nanoqr.fib.jobs.entries import JobEntry
    from napari_nanoqr.fib.jobs.job import Job

DESCRIPTION = """\
Lay out many symbols in a grid with labels and marks, divide them into fields of view, and write
a pattern file for each field with a list of stage positions. The symbols come from
  LIST.txt   one payload a line
  LIST.csv   a table: payload or payload_hex, and any of label, pitch, dose, error, version,
             mask, symbol, mill, quiet_zone; what a cell leaves open, the options say
or are the dose test of one design (--wedge): the first thing to mill on a new film. Every file is
read back and every symbol in it decoded. The folder is written whole or not at all."""

EPILOG = """\
examples:
  nanoqr array samples.csv --to samples --columns 10
  nanoqr array samples.txt --to samples --format gds --error L --pitch 40 --hfw 50
  nanoqr array --wedge record.json --doses 0.6:1.6:6 --pitches 40:60:3 --to wedge
  nanoqr array --wedge record.json --doses 0.8,1,1.2 --beam "7 pA" --to wedge
"""

MOST_SHOWN = 12
"""Fields and notes that are shown one by one."""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "array",
        help="many payloads, or a dose test, to pattern files and stage positions",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("list", nargs="?", type=Path, metavar="LIST", help=".txt or .csv")
    source.add_argument("--wedge", type=Path, metavar="DESIGN", help="a design (.json)")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="what to write")
    parser.add_argument(
        "--format", default="str", metavar="SUFFIX", help="of the files (default str)"
    )
    parser.add_argument("--name", metavar="NAME", help="of the files (default: the folder's)")
    test = parser.add_argument_group("dose test")
    test.add_argument(
        "--doses", type=_numbers, default="0.6:1.6:6", metavar="FROM:TO:N",
        help="or a list such as 0.8,1,1.2; in units of the usual dose (default 0.6:1.6:6)",
    )  # fmt: skip
    test.add_argument(
        "--pitches", type=_numbers, metavar="FROM:TO:N",
        help="or a list, in nm (default: the design's)",
    )  # fmt: skip
    _add_layout_options(parser.add_argument_group("layout"))
    _add_symbol_options(parser.add_argument_group("symbols of a list"))
    milling = parser.add_argument_group("milling")
    add_plan_options(milling)
    add_instrument_option(milling)
    milling.add_argument(
        "--stream", choices=("s16", "s16,25ns", "s"), help="form of .str (default s16)"
    )
    add_shapes_option(milling)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--settings", metavar="FILE", help="options from a file")
    parser.set_defaults(run=run)


def _add_layout_options(group: Any) -> None:
    group.add_argument("--columns", type=int, metavar="N", help="default: about a square")
    group.add_argument(
        "--spacing", type=float, metavar="NM",
        help="from quiet zone or label to the next quiet zone (default 4 modules)",
    )  # fmt: skip
    group.add_argument("--no-labels", action="store_true", help="mill no labels")
    group.add_argument("--no-marks", action="store_true", help="mill no marks at the corners")
    group.add_argument(
        "--most-points", type=int, metavar="N",
        help="in a file (default: as the instrument takes, 8 million)",
    )  # fmt: skip


def _add_symbol_options(group: Any) -> None:
    group.add_argument(
        "--error", choices="LMQH", default="M", help="error-correction level (default M)"
    )
    group.add_argument(
        "--symbol", choices=("qr", "micro", "rmqr", "smallest"), help="kind of symbol (default qr)"
    )
    group.add_argument("--version", metavar="N", help="default: the smallest that fits")
    group.add_argument(
        "--allow-upper", action="store_true", help="write scheme and host of URLs in capitals"
    )
    group.add_argument("--eci", action="store_true", help="other character sets than UTF-8")
    group.add_argument(
        "--pitch", type=float, default=49.0, metavar="NM", help="side of a module (default 49)"
    )
    group.add_argument(
        "--mill", choices=("dark", "light"), default="dark", help="modules to mill (default dark)"
    )
    group.add_argument(
        "--quiet-zone", type=int, default=4, metavar="N", help="modules, 0 to 4 (default 4)"
    )
    add_film_options(group)


def run(options: argparse.Namespace) -> int:
    """Lay out, check, write, read back, and say what was found."""
    from napari_nanoqr.fib.jobs.files import replaceable, write_job

    # before the work rather than after it
    replaceable(options.to)
    instrument = instrument_from(options.instrument)
    suffix = "." + options.format.lower().lstrip(".")
    told = writing_options(options)
    job = job_from(options, instrument)
    complaints = _complaints(job, instrument, suffix, told)
    refused = [each.sentence for each in complaints if each.severity == "error"]
    if options.instrument is not None and refused:
        raise ValueError(" ".join(["Nothing was written.", *refused[:MOST_SHOWN]]))
    own = (instrument.options_for(suffix) if instrument.takes(suffix) else {}) | told
    written = write_job(job, options.to, suffix, progress=_progress, **own)
    if options.json:
        print(json.dumps({
            "folder": str(written.folder), "instrument": instrument.name,
            "complaints": [each.to_dict() for each in complaints],
        } | written.stages))  # fmt: skip
        return 0
    total = written.stages["total_time_s"]
    print(summary(job, [each.sentence for each in complaints], total))
    read = sum(len(found.payloads) for found in written.found)
    worst = max(max(abs(found.dose_error_percent or 0) for found in written.found), 0.01)
    print(
        f"written: {written.folder} · {_count(len(written.files), 'pattern file')}, read back, "
        f"{_count(read, 'symbol')} decoded, dose within {worst:.2g} % of the planned"
    )
    print("         stages.json, stages.csv, symbols.csv, overview.svg, overview.png")
    return 0


def job_from(options: argparse.Namespace, instrument: Instrument) -> Job:
    """Plan the job that the options of the command line describe."""
    from napari_nanoqr.fib.jobs.job import plan_job
    from napari_nanoqr.fib.jobs.layout import JobLayout
    from napari_nanoqr.fib.plan import FIELD_USED

    entries = _entries(options)
    columns = options.columns
    if columns is None and options.wedge is not None:
        columns = len(options.doses)
    most = options.most_points or instrument.most_points
    layout = JobLayout(
        columns, options.spacing, not options.no_labels, not options.no_marks, options.hfw,
        min(FIELD_USED, instrument.screen_aspect or 1.0), None if most is None else int(most),
    )  # fmt: skip
    return plan_job(
        entries,
        layout,
        name=options.name or options.to.resolve().name,
        progress=_progress,
        **milling_options(entries[0].design, options),
    )


def _entries(options: argparse.Namespace) -> list[JobEntry]:
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.design.settings import DesignSettings
    from napari_nanoqr.fib.jobs.entries import dose_test, read_payloads
    from napari_nanoqr.symbols.names import SYMBOLS, read_version

    if options.wedge is not None:
        design = Design.load(options.wedge)
        return dose_test(design, options.doses, options.pitches or [design.pitch_nm])
    version = None if options.version is None else read_version(options.version)
    settings = DesignSettings(
        options.error, version, None, SYMBOLS.get(options.symbol), options.eci,
        options.allow_upper, options.pitch, options.mill, options.quiet_zone,
        film_from(options),
    )  # fmt: skip
    return read_payloads(options.list, settings, progress=_progress)


def _complaints(
    job: Job, instrument: Instrument, suffix: str, told: dict[str, Any]
) -> list[Complaint]:
    """Find what is wrong with any of the fields, errors first; alike ones once."""
    from napari_nanoqr.fib.check import check_exposure

    found: dict[str, Complaint] = {}
    for field in job.fields:
        for each in check_exposure(field.plan.exposure, instrument, suffix, **told):
            found.setdefault(each.what, each)
    return sorted(found.values(), key=lambda each: each.severity != "error")


def summary(job: Job, notes: list[str], total_s: float | None = None) -> str:
    """Describe a job in a few lines.

    Parameters
    ----------
    job : Job
        Laid out.
    notes : list of str
        Sentences on it.
    total_s : float, optional
        Time with settling and blanking, where it is known.

    Returns
    -------
    str
        What it is, how long it takes, and its fields.
    """
    from napari_nanoqr.cli.export import duration

    base, symbols = job.base, job.symbols
    times = [symbol.item.plan.beam_on_time_s for symbol in symbols]
    each = duration(times[0])
    if max(times) > 1.01 * min(times):
        each = f"{duration(min(times))} to {duration(max(times))}"
    lines = [
        f"{_count(len(symbols), 'symbol')} in {job.rows} x {job.columns} (rows x columns) · "
        f"{_count(len(job.fields), 'field')} of {job.hfw_um:g} um",
        f"{base.beam} · {base.dwell_us:.4g} us x {base.passes:,} passes at a dose of 1, "
        f"{base.ion_dose_nc_per_um2:.3g} nC/um^2",
        f"beam on {duration(job.beam_on_time_s)} in all, {each} a symbol · "
        f"{'' if total_s is None else f'{duration(total_s)} with settling and blanking · '}"
        f"{job.n_points:,} points",
    ]
    for number, field in enumerate(job.fields[:MOST_SHOWN], start=1):
        names = [symbol.entry.label or "-" for symbol in field.symbols]
        held = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        lines.append(
            f"field {number}: stage {field.x_um:g}, {field.y_um:g} um · "
            f"{_count(len(names), 'symbol')} ({held}) · {field.plan.n_points:,} points · "
            f"{duration(field.plan.beam_on_time_s)}"
        )
    if len(job.fields) > MOST_SHOWN:
        lines.append(f"... and {len(job.fields) - MOST_SHOWN} more, see stages.csv")
    return "\n".join(lines + [f"note: {note}" for note in notes[:MOST_SHOWN]])


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" + "s" * (count != 1)


def _numbers(word: str) -> list[float]:
    """Read ``FROM:TO:N`` or numbers with commas between them."""
    try:
        if ":" not in word:
            return [float(part) for part in word.split(",")]
        first, last, count = word.split(":")
        n = int(count)
        step = (float(last) - float(first)) / max(n - 1, 1)
        if n < 1:
            raise ValueError
        # without the digits that adding leaves
        return [float(f"{float(first) + index * step:.9g}") for index in range(n)]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{word!r} is neither FROM:TO:N nor numbers with commas between them"
        ) from None


def _progress(done: int, planned: int, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{done}/{planned}: {text}", end="", file=sys.stderr, flush=True)
        if done + 1 == planned:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
