"""``nanoqr predict``: what a design or a pattern file will leave, and whether it will be read."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_nanoqr.cli.plan_options import add_plan_options, plan_from

DESCRIPTION = """\
Mill a design or a pattern file in the computer, image the film, read the micrograph, and say how
probably such micrographs are read. A design (.json) is planned with the options below; a pattern
file is taken as it is, with the sidecar beside it."""

EPILOG = """\
examples:
  nanoqr predict record.json --electrons 30
  nanoqr predict record.str --images 100
  nanoqr predict record.json --over-etch 1.2 --correct-edges --film film.tif --sem sem.tif
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "predict",
        help="film, micrograph and read probability of a design or a pattern file",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="FILE", help="a design or a pattern file")
    seen = parser.add_argument_group("how it is imaged")
    seen.add_argument(
        "--electrons", type=float, default=50.0, metavar="N", help="a pixel (default 50)"
    )
    seen.add_argument(
        "--pixel-size", type=float, metavar="NM", help="default: an eighth of the pitch"
    )
    seen.add_argument(
        "--probe", type=float, default=2.0, metavar="NM", help="standard deviation (default 2)"
    )
    seen.add_argument(
        "--defocus", type=float, default=0.0, metavar="NM", help="blur on top (default 0)"
    )
    seen.add_argument("--tilt", type=float, default=0.0, metavar="DEG", help="of the stage")
    parser.add_argument(
        "--images", type=int, metavar="N", help="read so many micrographs and count as well"
    )
    parser.add_argument("--depth-map", type=Path, metavar="TIFF", help="write the film's depth")
    parser.add_argument("--micrograph", type=Path, metavar="TIFF", help="write the micrograph")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_plan_options(parser.add_argument_group("how a design is planned"))
    parser.add_argument("--settings", metavar="FILE", help="options from a file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict, write what was asked for, and say what is to be expected."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.pattern_files import read_pattern
    from napari_nanoqr.physics.simulate import pattern_of
    from napari_nanoqr.planning.channel import design_of
    from napari_nanoqr.planning.condition import SemCondition
    from napari_nanoqr.planning.prediction import PIXELS_PER_MODULE, predict

    plan = None
    if options.source.suffix.lower() == ".json":
        plan = plan_from(Design.load(options.source), options)
        pattern = pattern_of(plan)
    else:
        pattern = read_pattern(options.source)
    design = design_of(pattern)
    sem = SemCondition(
        pixel_size_nm=options.pixel_size or design.pitch_nm / PIXELS_PER_MODULE,
        electrons_per_pixel=options.electrons,
        probe_nm=options.probe,
        defocus_nm=options.defocus,
        tilt_deg=options.tilt,
    )
    predicted = predict(pattern, sem)
    values = {"file": str(options.source)} | predicted.to_dict()
    counted = None
    if options.images:
        from napari_nanoqr.planning.read_probability import count_reading

        counted = count_reading(plan or pattern, sem, images=options.images, progress=_progress)
        values["counted"] = counted.to_dict() | {"images": counted.images}
    if options.depth_map:
        _write_depth(options.depth_map, predicted)
    if options.micrograph:
        from napari_nanoqr.sem.write import write_micrograph

        write_micrograph(predicted.micrograph, options.micrograph)
    if options.json:
        print(json.dumps(values))
        return 0
    mean, most = predicted.edge_bias_nm
    print(f"film:  milled modules {predicted.milled_depth_nm:.3g} nm deep of {design.film}, kept "
          f"ones have {predicted.kept_percent:.0f} % of theirs or more")  # fmt: skip
    print(f"edges: {mean:+.2f} nm off on average, at most {most:.2f} nm")
    print(f"seen:  {sem}")
    print(predicted.verdict)
    if counted is not None:
        print(f"Counted: {counted}")
    for path in (options.depth_map, options.micrograph):
        if path:
            print(f"written: {path}")
    return 0


def _progress(done: int, planned: int, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}", end="\n" if done == planned else "", file=sys.stderr, flush=True)


def _write_depth(path: Path, predicted: Any) -> None:
    """Write the depth in nm as a 32-bit TIFF with its pixel size."""
    import numpy as np

    from napari_nanoqr.sem.write import write_micrograph

    film = predicted.film
    depth = replace(
        predicted.micrograph, image=film.depth_nm.astype(np.float32),
        pixel_size_nm=(film.grid.cell_nm,) * 2, metadata={"unit": "nm below the surface"},
    )  # fmt: skip
    write_micrograph(depth, path)
