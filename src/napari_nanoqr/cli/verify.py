"""``nanoqr verify``: a design and micrographs of it to a verdict."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.measuring.verdict import Verdict, VerifyLimits

DESCRIPTION = """\
Hold micrographs against the design that was written: is the payload read back exactly, how many
modules differ and where, how good is the code, are pitch and edges as designed. The verdict is
pass, marginal, fail or not found, with its reasons.
Exit status 0 where every image passes, 1 where one does not, 2 for bad use or a file that cannot
be read (the others are still verified)."""

EPILOG = """\
examples:
  nanoqr verify record.json image_012.tif
  nanoqr verify record.str *.tif --json > verdicts.jsonl
  nanoqr verify record.json image_012.tif --pictures differences
"""

_LETTERS = "FDCBA"


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "verify",
        help="a design and micrographs of it to a verdict",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "design", type=Path, metavar="DESIGN", help="a design, or a pattern file with one"
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="instead of what the file says"
    )
    parser.add_argument(
        "--black-level", type=float, metavar="GREY",
        help="grey value of no signal, for the contrast (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--grade", choices=list(_LETTERS[::-1]), default="C",
        help="lowest SEM grade that passes (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR",
        help="save a picture of each code here, with the modules that differ marked",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    parser.add_argument("--settings", metavar="FILE", help="options of a settings file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Verify each image, one after the other."""
    from napari_nanoqr.cli import sentence_of
    from napari_nanoqr.cli.batch_options import images_of
    from napari_nanoqr.cli.decode import load_design
    from napari_nanoqr.measuring.verdict import VerifyLimits

    design = load_design(options.design)
    limits = replace(VerifyLimits(), grade=_LETTERS.index(options.grade))
    images = images_of(options.images)
    status = 0
    for number, path in enumerate(images, start=1):
        if len(images) > 1:
            print(f"[{number}/{len(images)}] {path.name}", file=sys.stderr, flush=True)
        try:
            verdict = _verify(design, path, limits, options)
        except (ValueError, OSError) as problem:
            sentence = sentence_of(problem)
            status = 2
            if options.json:
                values: dict[str, Any] = {"file": str(path), "design": design.name, "outcome": None,
                          "reasons": [], "places": [], "error": sentence}  # fmt: skip
                print(json.dumps(values), flush=True)
            else:
                print(f"{path}: {sentence}", flush=True)
            continue
        status = max(status, 0 if verdict.passed else 1)
        if options.json:
            print(json.dumps({"file": str(path), **verdict.to_dict(), "error": None}), flush=True)
        else:
            print(f"{path}\n{verdict}", flush=True)
    return status


def _verify(
    design: Design, path: Path, limits: VerifyLimits, options: argparse.Namespace
) -> Verdict:
    from napari_nanoqr.measuring.write_verify import write_verify
    from napari_nanoqr.sem.read import read_micrograph

    micrograph = read_micrograph(path)
    verdict = write_verify(
        design, micrograph, options.pixel_size, limits=limits, black_level=options.black_level
    )
    if options.pictures is not None:
        from napari_nanoqr.measuring.verify_picture import save_difference_picture
        from napari_nanoqr.reading.image import open_source
        from napari_nanoqr.sem.restore.register import registered_mean

        options.pictures.mkdir(parents=True, exist_ok=True)
        grey = registered_mean(open_source(micrograph).frames)
        for number, place in enumerate(verdict.places, start=1):
            suffix = f"-{number}" if len(verdict.places) > 1 else ""
            target = options.pictures / f"{path.stem}{suffix}.png"
            save_difference_picture(target, grey, place.comparison)
            print(f"saved: {target}", file=sys.stderr)
    return verdict
