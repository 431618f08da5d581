"""``nanoqr restore``: a micrograph registered, flattened, straightened."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Restore a micrograph: register the frames of a stack and average them, even out brightness and
contrast, take out stripes, correct the tilt, and straighten the scan by a code in the image. The
steps are taken in this order, whatever the order of the options. The result is an OME-TIFF that
carries the pixel size, the acquisition, and what was done."""

EPILOG = """\
examples:
  nanoqr restore stack.tif --rows -o mean.tif
  nanoqr restore tilted.tif --tilt -o upright.tif
  nanoqr restore poor.tif --flatten --destripe --straighten --pitch 49 -o better.tif
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "restore",
        help="register, flatten, destripe, correct the tilt, straighten",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=".tif")
    parser.add_argument(
        "--register", action="store_true", help="bring frames into line, take their mean"
    )
    parser.add_argument(
        "--rows", action="store_true", help="the same row by row: for drift within frames"
    )
    parser.add_argument(
        "--flatten", action="store_true", help="even out slow changes of brightness and contrast"
    )
    parser.add_argument("--destripe", action="store_true", help="take out rows, columns of stripes")
    parser.add_argument(
        "--tilt", nargs="?", type=float, const=True, default=False, metavar="DEG",
        help="stretch what is tilted; by default by the tilt that the file tells",
    )  # fmt: skip
    parser.add_argument(
        "--straighten", action="store_true", help="take out the distortion that a code shows"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM",
        help="pitch of the code's modules as designed: straightening calibrates by it",
    )  # fmt: skip
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="where the file does not tell it"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Restore and save."""
    from dataclasses import replace

    from napari_nanoqr.measuring.restore import Restoring, restore
    from napari_nanoqr.sem.read import read_micrograph
    from napari_nanoqr.sem.restore.provenance import in_words, steps_of
    from napari_nanoqr.sem.write import write_micrograph

    restoring = Restoring(
        register=options.register,
        rows=options.rows,
        flatten=options.flatten,
        destripe=options.destripe,
        tilt=options.tilt,
        straighten=options.straighten,
        pitch_nm=options.pitch,
    )
    micrograph = read_micrograph(options.image)
    if options.pixel_size is not None:
        if not 0 < options.pixel_size < 1e6:
            raise ValueError(f"A pixel size of {options.pixel_size:g} nm cannot be.")
        size = options.pixel_size
        micrograph = replace(micrograph, pixel_size_nm=(size, size), pixel_size_source="given")
    for step in restore(micrograph, restoring):
        micrograph = step
        entry = steps_of(micrograph)[-1]
        print(f"{entry['step']}: {in_words(entry)}")
    write_micrograph(micrograph, options.output)
    print(f"written: {options.output}")
    return 0
