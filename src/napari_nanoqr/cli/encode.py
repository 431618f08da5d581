"""``nanoqr encode``: a payload to a design or a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from napari_nanoqr.cli.film_options import add_film_options, film_from
from napari_nanoqr.symbols.names import SYMBOLS, read_version

DESCRIPTION = """\
Encode a payload as a QR, Micro QR or rMQR code at its true size, and save it as a design or as a
picture. Without -o the symbol is shown in the terminal."""

EPILOG = """\
examples:
  nanoqr encode "https://www.tuwien.at/en/" --error L --version 3 -o record.json
  nanoqr encode --hex 00ff10 --pitch 30 -o small.json -o small.svg
  nanoqr encode "https://www.tuwien.at" --symbol smallest --error L --allow-upper -o tiny.json
  nanoqr encode "sample 7" --version R11x43 -o strip.json
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
    payload.add_argument("text", nargs="?", metavar="TEXT", help="text or a URL")
    payload.add_argument("--hex", metavar="HEX", help="bytes as hex digits")
    payload.add_argument("--file", type=Path, metavar="FILE", help="the bytes of a file")
    parser.add_argument(
        "--error", choices="LMQH", default="M", help="error-correction level (default M)"
    )
    parser.add_argument(
        "--symbol", choices=tuple(SYMBOLS),
        help="kind of symbol, or the smallest of all kinds (default: that of the version, or qr)",
    )  # fmt: skip
    parser.add_argument(
        "--version", type=read_version, metavar="N",
        help="1 to 40, M1 to M4, or e.g. R11x43 (default: the smallest that fits)",
    )  # fmt: skip
    parser.add_argument(
        "--mask", type=int, metavar="N",
        help="0 to 7, of Micro QR codes 0 to 3 (default: the best)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-upper", action="store_true",
        help="write scheme and host of a URL in capitals: the same address, in less room",
    )  # fmt: skip
    parser.add_argument(
        "--eci", action="store_true",
        help="store text in another character set than UTF-8 where that is shorter; "
        "not all phones read it",
    )  # fmt: skip
    parser.add_argument(
        "--pitch", type=float, default=49.0, metavar="NM", help="side of a module (default 49)"
    )
    parser.add_argument(
        "--mill", choices=("dark", "light"), default="dark", help="modules to mill (default dark)"
    )
    parser.add_argument(
        "--quiet-zone", type=int, default=4, metavar="N", help="modules, 0 to 4 (default 4)"
    )
    add_film_options(parser)
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
    from napari_nanoqr.design.pictures import save_design
    from napari_nanoqr.symbols.encode import encode

    symbol = encode(
        _payload(options), options.error, options.version, options.mask,
        symbology=SYMBOLS.get(options.symbol), eci=options.eci,
    )  # fmt: skip
    design = Design(
        symbol, options.pitch, options.mill, options.quiet_zone, film_from(options), options.name
    )
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
        f"{rows} x {columns} modules · version {symbol.version}-{symbol.error}"
        f" · mask {symbol.mask} · {len(symbol.payload)} bytes, room for {n.capacity_bytes} of any"
        " kind",
        f"{height:.4g} x {width:.4g} um · {n.area_um2:.4g} um^2 "
        f"({n.times_record_area:.3g} x the record) · pitch {design.pitch_nm:g} nm · {design.film}",
        f"{n.bits_per_um2:.4g} bits/um^2 net · {n.terabytes_on_a4:.3g} TB on an A4 sheet · "
        f"carries {n.correctable_codewords} wrong codewords of {n.codewords}",
    ]
    return "\n".join(lines)


def _payload(options: argparse.Namespace) -> bytes | str:
    if options.file is not None:
        data: bytes = options.file.read_bytes()
        return data
    if options.hex is not None:
        try:
            return bytes.fromhex(options.hex)
        except ValueError:
            raise ValueError(f"{options.hex!r} is not pairs of hex digits.") from None
    text: str = options.text
    if options.allow_upper:
        from napari_nanoqr.symbols.urls import upper_case_url

        text = upper_case_url(text)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # a command line may hold bytes that are not UTF-8: they go in as they are
        return text.encode("utf-8", "surrogateescape")
    return text


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
