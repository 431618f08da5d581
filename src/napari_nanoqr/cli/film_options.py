"""The options that say what is milled, for every command that makes designs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.design.film import Film


def add_film_options(parser: Any) -> None:
    """Add the options that make a film on a substrate."""
    parser.add_argument("--film", default="CrN", help="material of the film (default CrN)")
    parser.add_argument(
        "--thickness", type=float, default=15.0, metavar="NM", help="of the film (default 15)"
    )
    parser.add_argument(
        "--below", default="", metavar="LAYERS",
        help='between film and substrate, from the top: "5 nm Cr, 100 nm SiO2"',
    )  # fmt: skip
    parser.add_argument("--substrate", default="glass", help="beneath the film (default glass)")


def film_from(options: argparse.Namespace) -> Film:
    """Return the film of the options of a parser with :func:`add_film_options`.

    Raises
    ------
    ValueError
        Where a thickness makes no sense, or a layer is none.
    """
    from napari_nanoqr.design.film import Film, parse_layers

    layers = parse_layers(options.below)
    return Film(options.film, options.thickness, options.substrate, layers)
