"""``nanoqr decode``: micrographs to payloads."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.reading.reading import Reading
    from napari_nanoqr.reading.readings import Readings

DESCRIPTION = """\
Read the codes in micrographs. The pixel size is taken from the file where it tells it.
Exit status 0 where every image gave a code, 1 where some gave none, 2 for bad use or a file
that cannot be read (the others are still read). For each code it is measured how many of the
electrons would have done; where none was read, it is said what was seen and what to change."""

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
    parser.add_argument(
        "--no-margin", action="store_true", help="do not measure how many electrons would have done"
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
        record, readings, status = read_file(
            path, options.pixel_size, options.pitch, margin=not options.no_margin
        )
        worst = max(worst, status)
        print(json.dumps(record) if options.json else text_of(record, readings), flush=True)
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
    path: Path,
    pixel_size_nm: float | None = None,
    pitch_nm: float | None = None,
    *,
    margin: bool = True,
) -> tuple[dict[str, Any], Readings, int]:
    """Read the codes of one file.

    Parameters
    ----------
    path : Path
        A micrograph.
    pixel_size_nm : float, optional
        Instead of what the file says.
    pitch_nm : float, optional
        Side of a module, where it is known.
    margin : bool
        Measure how much fainter the image could be.

    Returns
    -------
    record : dict
        The JSON object of the file.
    readings : Readings
        What was read.
    status : int
        0 where there was a code, 1 where there was none, 2 where the file is unreadable.
    """
    from napari_nanoqr.cli import sentence_of
    from napari_nanoqr.reading.read import read_codes
    from napari_nanoqr.reading.readings import Readings
    from napari_nanoqr.sem.describe import describe_micrograph
    from napari_nanoqr.sem.read import read_micrograph

    size: Any = pixel_size_nm
    source = None if pixel_size_nm is None else "given"
    try:
        micrograph = read_micrograph(path)
        if pixel_size_nm is None:
            known = describe_micrograph(micrograph)
            size, source = known["pixel_size_nm"], known["pixel_size_source"]
        readings = read_codes(micrograph, pixel_size_nm, pitch_nm, margin=margin)
    except (ValueError, OSError) as problem:
        none = Readings()
        return record_of(str(path), size, source, none, sentence_of(problem)), none, 2
    return record_of(str(path), size, source, readings), readings, 0 if readings else 1


def record_of(
    file: str,
    pixel_size_nm: Any,
    pixel_size_source: str | None,
    readings: Readings,
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
    readings : Readings
        What was read, and what was seen and not read.
    error : str, optional
        Why the image could not be opened; by default what the readings say where none is there.
    """
    size = list(pixel_size_nm) if isinstance(pixel_size_nm, tuple) else pixel_size_nm
    if isinstance(size, list) and size[0] == size[1]:
        size = size[0]
    return {
        "file": file,
        "pixel_size_nm": size,
        "pixel_size_source": pixel_size_source,
        "codes": [reading.to_dict() for reading in readings],
        "unread": [seen.to_dict() for seen in readings.unread],
        "failed_stage": None if error else readings.failed_stage,
        "error": error or readings.advice or None,
    }


def text_of(record: dict[str, Any], readings: Readings) -> str:
    """Describe what a file gave in lines for people."""
    from napari_nanoqr.reading.advice import describe_unread, margin_in_words

    if record["error"] is not None:
        return f"{record['file']}: {record['error']}"
    size = record["pixel_size_nm"]
    if size is None:
        where = "no pixel size"
    else:
        sizes = " x ".join(f"{s:.5g}" for s in (size if isinstance(size, list) else [size]))
        where = f"{sizes} nm a pixel, {record['pixel_size_source']}"
    lines = [f"{record['file']} ({where})"]
    for reading in readings:
        content = reading.text if reading.text is not None else f"hex {reading.payload.hex()}"
        lines += [f"  {content}", f"    {facts_of(reading)}"]
        if reading.margin is not None:
            lines.append(f"    {margin_in_words(reading.margin)}")
    lines += [f"  not read: {describe_unread(seen)}. {seen.advice}" for seen in readings.unread]
    return "\n".join(lines)


def facts_of(reading: Reading) -> str:
    """Say in a line what was read, and how."""
    level = f"-{reading.error}" if reading.error else ""
    facts = [f"{reading.symbology} {reading.version}{level}"]
    if reading.pitch_nm is not None:
        facts.append(f"pitch {reading.pitch_nm:.4g} nm")
    if reading.corrected_codewords is not None:
        facts.append(f"{reading.corrected_codewords} codewords corrected")
    facts += [name for name in ("mirrored", "inverted") if getattr(reading, name)]
    return " · ".join([*facts, f"by {reading.reader}"])


def _save(readings: Readings, path: Path, folder: Path) -> None:
    from napari_nanoqr.files import write_bytes

    for number, reading in enumerate(readings, start=1):
        suffix = f"-{number}" if len(readings) > 1 else ""
        target = folder / f"{path.stem}{suffix}.bin"
        write_bytes(target, reading.payload)
        print(f"saved: {target}", file=sys.stderr)
