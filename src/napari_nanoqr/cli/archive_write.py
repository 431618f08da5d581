"""``nanoqr archive write``: files to the sheets of an archive."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from napari_nanoqr.cli.archive_options import (
    add_needs_options,
    add_settings_options,
    needs_from,
    settings_from,
)

if TYPE_CHECKING:
    from napari_nanoqr.archive.manifest import ArchiveManifest

WIDTH = 96

DESCRIPTION = """\
Write files and folders as an archive: a folder with a pattern file for each field of view, stage
positions, a manifest, a log of events, a plan, and a README for whoever finds it. The files go into
a BagIt bag and that into a tar; one folder that is a bag already is checked and taken as it is.
Your files are not changed, and the folder is written whole or not at all."""

EPILOG = """\
examples:
  nanoqr archive write letters photos -o my-archive
  nanoqr archive write data.bin -o my-archive --bits-per-pixel 2 --tile-loss 0.05
  nanoqr archive write data.bin -o my-archive --tiles qr
  nanoqr archive write a-bag -o my-archive --compress --recipient age1... --format gds
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "write",
        help="files to sheets of pattern files, with everything that belongs to them",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILES", help="files and folders")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="a new folder"
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of an archive that stands there"
    )
    parser.add_argument("--name", help="of the bag's folder (default: the first file's)")
    parser.add_argument("--compress", action="store_true", help="with zstd")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument(
        "--recipient", action="append", default=[], metavar="KEY",
        help="encrypt for this public key (age1..., ssh-...); may be given several times",
    )  # fmt: skip
    keys.add_argument(
        "--passphrase-file", type=Path, metavar="FILE",
        help="encrypt with the passphrase in its first line",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes that write (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="print manifest.json")
    add_settings_options(parser)
    add_needs_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write, and say what was written."""
    from napari_nanoqr.archive.electrons import reading_warning
    from napari_nanoqr.archive.write import check_target, write_archive
    from napari_nanoqr.cli.archive_read import first_line

    # before the work rather than after it
    check_target(options.output, options.replace)
    secret = None if options.passphrase_file is None else first_line(options.passphrase_file)
    settings = settings_from(
        options, compress=options.compress, recipients=tuple(options.recipient), passphrase=secret
    )
    needs = needs_from(options, settings)
    warning = reading_warning(settings, needs)
    if warning is not None:
        print(fill(f"WARNING {warning}", WIDTH), file=sys.stderr)
    manifest = write_archive(
        options.files, options.output, settings, needs=needs,
        name=options.name, replace=options.replace, jobs=options.jobs, progress=_progress,
    )  # fmt: skip
    _end_progress()
    print(json.dumps(manifest.to_dict()) if options.json else summary(manifest))
    return 0


def summary(manifest: ArchiveManifest) -> str:
    """Return what was written as lines for people."""
    plan = manifest.plan
    groups = plan.groups
    files = f"{manifest.file_count:,} file{'s' * (manifest.file_count != 1)}"
    lines = [
        f"{files}, {manifest.user_bytes:,} bytes, as a {manifest.index.facts.kind} of "
        f"{manifest.index.facts.size:,} bytes",
        f"{plan.sheets:,} sheet{'s' * (plan.sheets != 1)} · {plan.all_fields:,} fields of view · "
        f"{plan.all_tiles:,} tiles with a header · groups of {groups.data_count(0)} + "
        f"{groups.parity}",
        f"written: {manifest.folder} · {manifest.pattern_bytes:,} bytes of pattern files",
        "         README.txt tells what is what; nanoqr archive read reads micrographs of it back",
    ]
    return "\n".join(lines)


def _progress(done: int, planned: int, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
