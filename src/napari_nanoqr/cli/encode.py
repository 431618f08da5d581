"""``nanoqr encode``: a payload to a design or a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Encode a payload as a QR code at its true size, and save it as a design or as a picture.
Without -o the symbol is shown in the terminal."""

EPILOG = """\
examples:
  nanoqr encode "https://www.tuwien.at/en/" --error L --version 3 -o record.json
  nanoqr encode --hex 00ff10 --pitch 30 -o small.json -o small.svg
  nanoqr encode --file data.bin --error Q --mill light -o data.json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "encode",
        help="a payload to a design (.json) or a picture (.png, .svg, .tif)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    payload = parser.add_mutually_exclusive_group(required=True)
    payload.add_argument("text", nargs="?", metavar="TEXT", help="text or a URL, stored as UTF-8")
    payload.add_argument("--hex", metavar="HEX", help="bytes as hex digits")
    payload.add_argument("--file", type=Path, metavar="FILE", help="the bytes of a file")
    parser.add_argument(
        "--error", choices="LMQH", default="M", help="error-correction level (default M)"
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help="1 to 40 (default: the smallest that fits)"
    )
    parser.add_argument("--mask", type=int, metavar="N", help="0 to 7 (default: the best)")
    parser.add_argument(
        "--pitch", type=float, default=49.0, metavar="NM", help="side of a module (default 49)"
    )
    parser.add_argument(
        "--mill", choices=("dark", "light"), default="dark", help="modules to mill (default dark)"
    )
    parser.add_argument(
        "--quiet-zone", type=int, default=4, metavar="N", help="modules, 0 to 4 (default 4)"
    )
    parser.add_argument("--film", default="CrN", help="material of the film (default CrN)")
    parser.add_argument(
        "--thickness", type=float, default=15.0, metavar="NM", help="of the film (default 15)"
    )
    parser.add_argument("--substrate", default="glass", help="beneath the film (default glass)")
    parser.add_argument("--name", default="design", help="what layers and files are named after")
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.add_argument(
        "-o", "--output", type=Path, action="append", metavar="OUT",
        help=".json, .png, .svg or .tif; may be given more than once",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Encode, save, and say what it will be."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.design.film import Film
    from napari_nanoqr.design.pictures import save_design
    from napari_nanoqr.symbols.encode import encode

    symbol = encode(_payload(options), options.error, options.version, options.mask)
    film = Film(options.film, options.thickness, options.substrate)
    design = Design(symbol, options.pitch, options.mill, options.quiet_zone, film, options.name)
    for path in options.output or ():
        save_design(design, path)
    if not options.output:
        print(_blocks(design))
    print(summary(design))
    for path in options.output or ():
        print(f"written: {path}")
    return 0


def summary(design: Any) -> str:
    """Describe a design in a few lines."""
    from napari_nanoqr.design.density import density

    symbol, n = design.symbol, density(design)
    (rows, columns), (height, width) = symbol.matrix.shape, n.size_um
    lines = [
        f"{columns} x {rows} modules · version {symbol.version}-{symbol.error}"
        f" · mask {symbol.mask} · {len(symbol.payload)} of {n.capacity_bytes} bytes",
        f"{width:.4g} x {height:.4g} um · {n.area_um2:.4g} um^2 "
        f"({n.times_record_area:.3g} x the record) · pitch {design.pitch_nm:g} nm · {design.film}",
        f"{n.bits_per_um2:.4g} bits/um^2 net · {n.terabytes_on_a4:.3g} TB on an A4 sheet · "
        f"carries {n.correctable_codewords} wrong codewords of {n.codewords}",
    ]
    return "\n".join(lines)


def _payload(options: argparse.Namespace) -> bytes:
    if options.file is not None:
        data: bytes = options.file.read_bytes()
        return data
    if options.hex is not None:
        try:
            return bytes.fromhex(options.hex)
        except ValueError:
            raise ValueError(f"{options.hex!r} is not pairs of hex digits.") from None
    text: str = options.text
    # a command line may hold bytes that are not UTF-8: they go in as they are
    return text.encode("utf-8", "surrogateescape")


def _blocks(design: Any) -> str:
    """Draw a symbol for a dark terminal with two modules to a character."""
    import numpy as np

    light = ~np.pad(design.symbol.matrix, 2)
    light = np.pad(light, ((0, light.shape[0] % 2), (0, 0)))
    characters = " ▄▀█"
    return "\n".join(
        "".join(characters[2 * upper + lower] for upper, lower in zip(top, bottom, strict=True))
        for top, bottom in zip(light[::2].astype(int), light[1::2].astype(int), strict=True)
    )
