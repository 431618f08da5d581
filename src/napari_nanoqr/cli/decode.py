"""``nanoqr decode``: micrographs to payloads."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.reading.reading import Reading

DESCRIPTION = """\
Read the codes in micrographs. The pixel size is taken from the file where it tells it.
Exit status 0 where every image gave a code, 1 where some gave none, 2 for bad use or a file
that cannot be read (the others are still read)."""

EPILOG = """\
examples:
  nanoqr decode image_012.tif
  nanoqr decode *.tif --json > readings.jsonl
  nanoqr decode plain.png --pixel-size 6.1 --pitch 49 --save payloads
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "decode",
        help="micrographs to payloads",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="instead of what the file says"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known"
    )
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="save the exact bytes of each payload here"
    )
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read each image, one after the other."""
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
    worst = 0
    images = [path for given in options.images for path in expand(given)]
    for number, path in enumerate(images, start=1):
        if len(images) > 1 or not options.json:
            print(f"[{number}/{len(images)}] {path.name}", file=sys.stderr, flush=True)
        record, readings, status = read_file(path, options.pixel_size, options.pitch)
        worst = max(worst, status)
        print(json.dumps(record) if options.json else text_of(record), flush=True)
        if options.save is not None:
            _save(readings, path, options.save)
    return worst


def expand(path: Path) -> list[Path]:
    """Return the files that a pattern such as ``*.tif`` stands for.

    Shells on Windows leave it to the program. A file of just that name comes first, and a
    pattern that fits nothing stays as it is, to be reported as missing.
    """
    if not any(sign in path.name for sign in "*?[") or path.exists():
        return [path]
    return sorted(path.parent.glob(path.name)) or [path]


def read_file(
    path: Path, pixel_size_nm: float | None = None, pitch_nm: float | None = None
) -> tuple[dict[str, Any], list[Any], int]:
    """Read the codes of one file.

    Parameters
    ----------
    path : Path
        A micrograph.
    pixel_size_nm : float, optional
        Instead of what the file says.
    pitch_nm : float, optional
        Side of a module, where it is known.

    Returns
    -------
    record : dict
        The JSON object of the file.
    readings : list of Reading
        What was read.
    status : int
        0 where there was a code, 1 where there was none, 2 where the file is unreadable.
    """
    from napari_nanoqr.cli import sentence_of
    from napari_nanoqr.reading.read import read_codes
    from napari_nanoqr.sem.describe import describe_micrograph
    from napari_nanoqr.sem.read import read_micrograph

    size: Any = pixel_size_nm
    source = None if pixel_size_nm is None else "given"
    try:
        micrograph = read_micrograph(path)
        if pixel_size_nm is None:
            known = describe_micrograph(micrograph)
            size, source = known["pixel_size_nm"], known["pixel_size_source"]
        readings = read_codes(micrograph, pixel_size_nm, pitch_nm)
    except (ValueError, OSError) as problem:
        return record_of(str(path), size, source, [], sentence_of(problem)), [], 2
    return record_of(str(path), size, source, readings), readings, 0 if readings else 1


def record_of(
    file: str,
    pixel_size_nm: Any,
    pixel_size_source: str | None,
    readings: Sequence[Reading],
    error: str | None = None,
) -> dict[str, Any]:
    """Return the JSON object of an image: what ``--json`` prints, and what the widget saves.

    Parameters
    ----------
    file : str
        Path or name of the image.
    pixel_size_nm : float or (float, float) or None
        One number, or y and x where they differ.
    pixel_size_source : str or None
        In words.
    readings : sequence of Reading
        What was read.
    error : str, optional
        Why nothing could be read; by default a sentence where there is no reading.
    """
    size = list(pixel_size_nm) if isinstance(pixel_size_nm, tuple) else pixel_size_nm
    if isinstance(size, list) and size[0] == size[1]:
        size = size[0]
    if error is None and not readings:
        error = "No code was found in this image."
    return {
        "file": file,
        "pixel_size_nm": size,
        "pixel_size_source": pixel_size_source,
        "codes": [reading.to_dict() for reading in readings],
        "error": error,
    }


def text_of(record: dict[str, Any]) -> str:
    """Describe a file's record in lines for people."""
    if record["error"] is not None:
        return f"{record['file']}: {record['error']}"
    size = record["pixel_size_nm"]
    if size is None:
        where = "no pixel size"
    else:
        sizes = " x ".join(f"{s:.5g}" for s in (size if isinstance(size, list) else [size]))
        where = f"{sizes} nm a pixel, {record['pixel_size_source']}"
    lines = [f"{record['file']} ({where})"]
    for code in record["codes"]:
        content = code["text"] if code["text"] is not None else f"hex {code['payload_hex']}"
        facts = [
            f"{code['symbology']} {code['version']}{'-' + code['error'] if code['error'] else ''}"
        ]
        if code["pitch_nm"] is not None:
            facts.append(f"pitch {code['pitch_nm']:.4g} nm")
        if code["corrected_codewords"] is not None:
            facts.append(f"{code['corrected_codewords']} codewords corrected")
        facts += [name for name in ("mirrored", "inverted") if code[name]]
        lines.append(f"  {content}\n    {' · '.join(facts)} · by {code['reader']}")
    return "\n".join(lines)


def _save(readings: list[Any], path: Path, folder: Path) -> None:
    from napari_nanoqr.files import write_bytes

    for number, reading in enumerate(readings, start=1):
        suffix = f"-{number}" if len(readings) > 1 else ""
        target = folder / f"{path.stem}{suffix}.bin"
        write_bytes(target, reading.payload)
        print(f"saved: {target}", file=sys.stderr)
