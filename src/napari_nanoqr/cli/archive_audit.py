"""``nanoqr archive audit``: samples of an archive, and the trend of their margins."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from napari_nanoqr.cli.archive_read import add_reading_options, tell_progress

DESCRIPTION = """\
Audit an archive by sampling. With --fields it names a random sample of the fields of view to look
at. With images of such a sample it checks their tiles, adds a line to audits.csv of the archive
and tells how the margins change from audit to audit.
Exit status 0 where every tile of the sample is as written, 1 where not, 2 for bad use."""

EPILOG = """\
examples:
  nanoqr archive audit my-archive --fields 20 --seed 2031
  nanoqr archive audit my-archive images-of-2031 --date 2031-05-04
  nanoqr archive audit my-archive
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "audit",
        help="check a sample of an archive, and the trend of its margins",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("archive", type=Path, metavar="DIR", help="as archive write made it")
    parser.add_argument(
        "images", type=Path, nargs="*", metavar="IMAGES", help="of a sample of its fields"
    )
    parser.add_argument("--fields", type=int, metavar="N", help="name so many fields to look at")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another sample (default 0)"
    )
    parser.add_argument(
        "--date", type=date.fromisoformat, metavar="YYYY-MM-DD",
        help="when the images were taken (default today)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_reading_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Name a sample, or check one."""
    from napari_nanoqr.archive.audit import (
        add_audit,
        audit_of,
        audit_text,
        margin_trend,
        read_audits,
        trend_dict,
    )
    from napari_nanoqr.archive.manifest import ArchiveManifest
    from napari_nanoqr.archive.verify import verify_archive

    manifest = ArchiveManifest.load(options.archive)
    if options.fields is not None:
        if options.images:
            raise ValueError("Name a sample with --fields, or check its images: not both at once.")
        return _name_sample(manifest, options)
    good, audits = True, read_audits(options.archive)
    if options.images:
        result = verify_archive(
            manifest, options.images, sample=True, scheduler=options.scheduler, jobs=options.jobs,
            pixel_size_nm=options.pixel_size, progress=tell_progress,
        )  # fmt: skip
        good = result.good
        audits = add_audit(options.archive, audit_of(result, options.date or date.today()))
        print(f"written: {options.archive / 'audits.csv'}", file=sys.stderr)
    trend = margin_trend(audits)
    print(json.dumps(trend_dict(audits, trend)) if options.json else audit_text(audits, trend))
    return 0 if good else 1


def _name_sample(manifest: Any, options: argparse.Namespace) -> int:
    from napari_nanoqr.archive.audit import fields_to_audit, share_surely_found

    fields = fields_to_audit(manifest, options.fields, options.seed)
    share = share_surely_found(manifest.plan.all_fields, len(fields))
    if options.json:
        values = [
            {"sheet": f.sheet + 1, "field": f.number + 1, "x_nm": f.centre_nm[1],
             "y_nm": f.centre_nm[0]}
            for f in fields
        ]  # fmt: skip
        print(json.dumps({"fields": values, "bad_share_found": share}))
        return 0
    print("sheet  field        x um        y um")
    for field in fields:
        y, x = field.centre_nm
        print(f"{field.sheet + 1:5}  {field.number + 1:5}  {x / 1000:10.1f}  {y / 1000:10.1f}")
    print(
        f"If all of them are good, fewer than {100 * share:.1f} % of all fields are bad, "
        "with 95 % confidence."
    )
    return 0
