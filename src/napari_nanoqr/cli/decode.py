"""``nanoqr decode``: micrographs to payloads."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
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
    from napari_nanoqr.cli.decode_result import DecodeResult
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.reading.readings import Readings

DESCRIPTION = """\
Read the codes in micrographs. The pixel size is taken from the file where it tells it.
Exit status 0 where every image gave a code, 1 where some gave none, 2 for bad use or a file
that cannot be read (the others are still read). For each code it is measured how many of the
electrons would have done; where none was read, it is said what was seen and what to change."""

EPILOG = """\
examples:
  nanoqr decode image_012.tif
  nanoqr decode *.tif --json > readings.jsonl
  nanoqr decode image_012.tif --design record.json
  nanoqr decode plain.png --pixel-size 6.1 --pitch 49 --save payloads
  nanoqr decode overview.tif --region 9000,11000,400,400
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "decode",
        help="micrographs to payloads",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="files or folders")
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known"
    )
    parser.add_argument(
        "--design", type=Path, metavar="FILE",
        help="a design, or a pattern file with one: tell which modules are not as designed",
    )  # fmt: skip
    parser.add_argument(
        "--no-margin", action="store_true", help="do not measure how many electrons would have done"
    )
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    add_acquisition_options(parser)
    add_batch_options(parser)
    add_jobs_option(parser)
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="save the exact bytes of each payload here"
    )
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read each image, on all cores where there are many."""
    from napari_nanoqr.cli.decode_result import DecodeResult
    from napari_nanoqr.measuring.batch import read_batch
    from napari_nanoqr.measuring.batch_files import BatchFiles
    from napari_nanoqr.measuring.record_settings import RecordSettings

    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
    settings = RecordSettings(
        pitch_nm=options.pitch,
        design=None if options.design is None else load_design(options.design),
        margin=not options.no_margin,
        measure=False,
        **image_settings(options),
    )
    images = images_of(options.images, subfolders=options.subfolders)
    results = []
    with BatchFiles(options.table, options.report) as files:
        items = read_batch(
            images, settings, reports=options.reports, thumbnails=options.report is not None,
            jobs=options.jobs,
        )  # fmt: skip
        for number, item in enumerate(items, start=1):
            if len(images) > 1 or not options.json:
                print(f"[{number}/{len(images)}] {item.path.name}", file=sys.stderr, flush=True)
            result = DecodeResult.of(item.record)
            results.append(result)
            print(json.dumps(result.to_dict()) if options.json else result.to_text(), flush=True)
            files.add(item)
            if options.save is not None:
                _save(result.readings, item.path, options.save)
    say_sets(results, options.json)
    say_written(options)
    return max(result.status for result in results)


def load_design(path: Path) -> Design:
    """Return the design of a file: a design, a pattern's sidecar, or a pattern beside one.

    Raises
    ------
    ValueError
        Where there is none in it.
    OSError
        Where it cannot be read.
    """
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.pattern_files import read_pattern

    if path.suffix.lower() != ".json":
        return _only(path, read_pattern(path).metadata)
    values = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(values, dict) and {"design", "designs"} & set(values):
        return _only(path, values)
    return Design.load(path)


def _only(path: Path, metadata: dict[str, Any]) -> Design:
    """Return the design of a sidecar that tells no more than one."""
    from napari_nanoqr.design.design import BadDesign
    from napari_nanoqr.fib.sidecar import placed_designs

    placed = placed_designs(metadata)
    if not placed:
        raise BadDesign(f"{path.name} does not tell its design: its sidecar is missing.")
    if len(placed) > 1:
        raise BadDesign(
            f"{path.name} holds {len(placed)} designs: name the design file of the one that the "
            "images show."
        )
    return placed[0].design


def say_sets(results: Sequence[DecodeResult], as_json: bool) -> None:
    """Print the sets of codes that only several images together hold."""
    from napari_nanoqr.reading.append import join_sets

    alone = [joined for result in results for joined in join_sets(result.readings)]
    together = join_sets(reading for result in results for reading in result.readings)
    if len(together) == len(alone):
        return
    if as_json:
        files = [result.file for result in results]
        print(json.dumps({"files": files, "sets": [joined.to_dict() for joined in together]}))
    else:
        print("All images together\n" + "\n".join(f"  {joined}" for joined in together))


def _save(readings: Readings, path: Path, folder: Path) -> None:
    from napari_nanoqr.files import write_bytes

    for number, reading in enumerate(readings, start=1):
        suffix = f"-{number}" if len(readings) > 1 else ""
        target = folder / f"{path.stem}{suffix}.bin"
        write_bytes(target, reading.payload)
        print(f"saved: {target}", file=sys.stderr)
