"""``nanoqr archive verify``: images of an archive against what was written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from napari_nanoqr.cli.archive_read import add_reading_options, tell_progress

DESCRIPTION = """\
Hold micrographs of an archive against what was written: whether every tile is there and is what
its pattern file says, with how much to spare. The check is added to the archive's events.
Exit status 0 where every tile is as written with margin to spare, 1 where not, 2 for bad use."""

EPILOG = """\
examples:
  nanoqr archive verify my-archive images
  nanoqr archive verify my-archive images --rewrite rewrite.csv --json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "verify",
        help="images of an archive against what was written",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("archive", type=Path, metavar="DIR", help="as archive write made it")
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGES", help="files, folders, OME-Zarr stores"
    )
    parser.add_argument(
        "--sample", action="store_true",
        help="the images show a part: leave out fields that none of them shows",
    )  # fmt: skip
    parser.add_argument(
        "--rewrite", type=Path, metavar="FILE", help="tiles that are worth writing again, as .csv"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_reading_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the images, and compare."""
    from napari_nanoqr.archive.manifest import ArchiveManifest
    from napari_nanoqr.archive.verify import verify_archive
    from napari_nanoqr.files import write_text

    if options.rewrite is not None and options.rewrite.exists():
        raise ValueError(f"{options.rewrite} exists: give another name.")
    result = verify_archive(
        ArchiveManifest.load(options.archive), options.images, sample=options.sample,
        scheduler=options.scheduler, jobs=options.jobs, pixel_size_nm=options.pixel_size,
        progress=tell_progress,
    )  # fmt: skip
    if options.rewrite is not None:
        write_text(options.rewrite, result.rewrite_csv)
        print(f"written: {options.rewrite}", file=sys.stderr)
    print(json.dumps(result.to_dict()) if options.json else result.to_text())
    return 0 if result.good else 1
