"""Options of commands that read many micrographs, and what comes of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path


def add_batch_options(parser: argparse.ArgumentParser) -> None:
    """Add what many images can be written to."""
    group = parser.add_argument_group("many images")
    group.add_argument(
        "--table", type=Path, metavar="FILE",
        help="a row a code: .csv, .tsv or .parquet",
    )  # fmt: skip
    group.add_argument(
        "--report", type=Path, metavar="FILE", help="one HTML page with a picture of each image"
    )
    group.add_argument(
        "--reports", type=Path, metavar="DIR",
        help="a report of each image in this folder, as HTML and JSON",
    )  # fmt: skip
    group.add_argument(
        "--subfolders", action="store_true", help="look in all folders below a folder too"
    )


def add_jobs_option(parser: argparse.ArgumentParser) -> None:
    """Add how many processes read."""
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes; by default as many as there are cores"
    )


def images_of(paths: Iterable[Path], *, subfolders: bool = False) -> list[Path]:
    """Return the images that are meant by files, folders and patterns such as ``*.tif``.

    Parameters
    ----------
    paths : iterable of Path
        Shells on Windows leave patterns to the program. A file of just that name comes first,
        and a pattern that fits nothing stays as it is, to be reported as missing.
    subfolders : bool
        Look in all folders below a folder too.

    Raises
    ------
    ValueError
        Where there is no image in a folder.
    """
    from napari_nanoqr.measuring.batch import images_in

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = images_in(path, subfolders=subfolders)
            if not inside:
                raise ValueError(f"There is no image in {path}.")
            found += inside
        elif any(sign in path.name for sign in "*?[") and not path.exists():
            found += sorted(path.parent.glob(path.name)) or [path]
        else:
            found.append(path)
    return found


def say_written(options: argparse.Namespace) -> None:
    """Name the files on the screen."""
    for path in (options.table, options.report, options.reports):
        if path is not None:
            print(f"written: {path}", file=sys.stderr)
