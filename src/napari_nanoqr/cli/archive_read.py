"""``nanoqr archive read``: micrographs of sheets to files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Read an archive from micrographs of its fields of view: in any order, overlapping, turned, with
tiles missing or damaged. No manifest is needed. Files that are exact go into the output folder;
its folder "nanoqr-reading" gets reports, maps and what is left of other files. The same output
folder again goes on where the last reading stopped, and more images add to what is known.
Exit status 0 only where every file is exact, 1 where something is lost, 2 for bad use."""

EPILOG = """\
examples:
  nanoqr archive read images -o files
  nanoqr archive read sheet_01.zarr -o files --json
  nanoqr archive read images more-images -o files --scheduler tcp://10.0.0.5:8786
  nanoqr archive read images -o files --identity key.txt
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "read",
        help="micrographs of an archive to files, each with its verdict",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGES", help="files, folders, OME-Zarr stores"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="folder of the files"
    )
    parser.add_argument("--json", action="store_true", help="print report.json")
    parser.add_argument(
        "--archive", metavar="NUMBER", help="which one, where the images show several"
    )
    add_reading_options(parser)
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument(
        "--identity", type=Path, action="append", default=[], metavar="FILE",
        help="secret key of age or SSH; may be given several times",
    )  # fmt: skip
    keys.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="its first line is the passphrase"
    )
    parser.set_defaults(run=run)


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add how images are looked at, and by whom."""
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="where the files do not tell it"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: as many as cores)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help='of a running dask.distributed cluster, tcp://HOST:PORT; or "processes" for processes '
        "on this machine",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Read the images, and restore the files."""
    from napari_nanoqr.archive.read import read_archive

    reading = read_archive(
        options.images, options.output, scheduler=options.scheduler, jobs=options.jobs,
        archive=options.archive, pixel_size_nm=options.pixel_size, pitch_nm=options.pitch,
        identities=[word for path in options.identity for word in read_identities(path)],
        passphrase=None if options.passphrase_file is None else first_line(options.passphrase_file),
        progress=tell_progress,
    )  # fmt: skip
    print(json.dumps(reading.to_dict()) if options.json else reading.to_text(), flush=True)
    print(f"written: {options.output}", file=sys.stderr)
    return 0 if reading.exact else 1


def read_identities(path: Path) -> list[str]:
    """Return the secret keys of a file: lines of age-keygen, or one SSH key as a whole."""
    text = path.read_text(encoding="utf-8")
    if "PRIVATE KEY" in text:
        return [text]
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def tell_progress(done: int, planned: int, sentence: str) -> None:
    """Print how far a job is."""
    print(f"[{done}/{planned}] {sentence}", file=sys.stderr, flush=True)


def first_line(path: Path) -> str:
    """Return the passphrase of a file: its first line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise ValueError(f"{path} holds no passphrase in its first line.")
    return lines[0]
