"""``nanoqr measure``: micrographs of codes to numbers."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.measuring.measurement import Measurement

DESCRIPTION = """\
Measure the codes in micrographs: pitch, sizes and edges of modules, roughness, contrast, noise,
dose, and the grade, each with its standard uncertainty. The pixel size is taken from the file where
it tells it; its own error is not known and not part of any uncertainty. With a design, codes are
measured also where they cannot be read any more.
Exit status 0 where every image gave a code, 1 where some gave none, 2 for bad use or a file
that cannot be read (the others are still measured)."""

EPILOG = """\
examples:
  nanoqr measure image_012.tif
  nanoqr measure *.tif --json > measured.jsonl
  nanoqr measure image_012.tif --design record.json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "measure",
        help="micrographs of codes to sizes, edges, noise and grades",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument(
        "--pixel-size", type=float, metavar="NM", help="instead of what the file says"
    )
    parser.add_argument(
        "--pitch", type=float, metavar="NM", help="side of a module, where it is known: for reading"
    )
    parser.add_argument(
        "--design", type=Path, metavar="FILE",
        help="a design, or a pattern file with one: what was written",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="JSON Lines, one object an image")
    parser.add_argument("--settings", metavar="FILE", help="options as saved by the widget")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure each image, one after the other."""
    from napari_nanoqr.cli.decode import expand, load_design

    design = None if options.design is None else load_design(options.design)
    images = [path for given in options.images for path in expand(given)]
    worst = 0
    for number, path in enumerate(images, start=1):
        if len(images) > 1 or not options.json:
            print(f"[{number}/{len(images)}] {path.name}", file=sys.stderr, flush=True)
        result = measure_file(path, options.pixel_size, options.pitch, design)
        print(json.dumps(result.to_dict()) if options.json else result.to_text(), flush=True)
        worst = max(worst, result.status)
    return worst


@dataclass(frozen=True)
class MeasureResult:
    """What measuring one image gave.

    Parameters
    ----------
    file : str
        Path or name of the image.
    pixel_size_nm : float or (float, float) or None
        One number, or y and x where they differ.
    pixel_size_source : str or None
        In words.
    codes : tuple of Measurement
        What was measured.
    error : str or None
        Why there is nothing, or why the image could not be opened.
    status : int
        0 where a code was measured, 1 where none was, 2 where the image is unreadable.
    """

    file: str
    pixel_size_nm: Any
    pixel_size_source: str | None
    codes: tuple[Measurement, ...]
    error: str | None
    status: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the image."""
        size = self.pixel_size_nm
        return {
            "file": self.file,
            "pixel_size_nm": list(size) if isinstance(size, tuple) else size,
            "pixel_size_source": self.pixel_size_source,
            "codes": [code.to_dict() for code in self.codes],
            "error": self.error,
        }

    def to_text(self) -> str:
        """Say it in lines for people."""
        from napari_nanoqr.measuring.rows import value_rows

        if self.error is not None:
            return f"{self.file}: {self.error}"
        lines = [self.file]
        for code in self.codes:
            lines.append(f"  {code.title}")
            lines += [f"    {name}: {value}" for name, value in value_rows(code)]
        return "\n".join(lines)


def measure_file(
    path: Path,
    pixel_size_nm: float | None = None,
    pitch_nm: float | None = None,
    design: Design | None = None,
) -> MeasureResult:
    """Measure the codes of one file.

    Parameters
    ----------
    path : Path
        A micrograph.
    pixel_size_nm : float, optional
        Instead of what the file says.
    pitch_nm : float, optional
        Side of a module, where it is known.
    design : Design, optional
        What was written.

    Returns
    -------
    MeasureResult
        With a sentence where there is nothing to be measured.
    """
    from napari_nanoqr.cli import sentence_of
    from napari_nanoqr.measuring.measure import measure_codes
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
        codes = tuple(measure_codes(micrograph, pixel_size_nm, design=design, readings=readings))
    except (ValueError, OSError) as problem:
        return MeasureResult(str(path), size, source, (), sentence_of(problem), 2)
    error = None if codes else readings.advice or "No code was measured."
    return MeasureResult(str(path), size, source, codes, error, 0 if codes else 1)
