"""Options that tell what the user knows better than the file, and which part of it to read."""

from __future__ import annotations

import argparse
from typing import Any

Region = tuple[int, int, int, int]
"""First row, first column, height and width, in pixels."""


def add_acquisition_options(parser: argparse.ArgumentParser) -> None:
    """Add pixel size, tilt, dwell, current and region."""
    group = parser.add_argument_group("the image, instead of what the file says")
    group.add_argument("--pixel-size", type=float, metavar="NM", help="of square pixels")
    group.add_argument("--tilt", type=float, metavar="DEG", help="of the stage")
    group.add_argument("--dwell", type=float, metavar="US", help="on each pixel, of one scan")
    group.add_argument("--current", type=float, metavar="PA", help="of the beam")
    group.add_argument(
        "--region", type=parse_region, metavar="Y,X,HEIGHT,WIDTH",
        help="only these pixels, counted from 0; the rest of a large TIFF is not loaded",
    )  # fmt: skip


def image_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options under the names that the settings of a record have."""
    dwell, current = options.dwell, options.current
    return {
        "pixel_size_nm": options.pixel_size,
        "tilt_deg": options.tilt,
        "dwell_s": None if dwell is None else dwell * 1e-6,
        "beam_current_a": None if current is None else current * 1e-12,
        "region": options.region,
    }


def parse_region(text: str) -> Region:
    """Return first row, first column, height and width.

    Raises
    ------
    argparse.ArgumentTypeError
        Where the text is not four whole numbers that make a region.
    """
    try:
        y, x, height, width = (int(part) for part in text.split(","))
    except ValueError:
        y = x = height = width = 0
    if min(y, x) < 0 or min(height, width) <= 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not first row, first column, height and width in pixels, such as "
            "9000,11000,400,400"
        )
    return y, x, height, width
