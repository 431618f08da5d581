"""``nanoqr archive simulate``: the micrographs that a microscope would take of an archive."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from napari_nanoqr.cli.archive_read import tell_progress

DESCRIPTION = """\
Take one micrograph of each field of view of an archive, as a microscope would: with noise, stage
errors, drift, and with the damage that is asked for. What the pattern files say is what is milled.
The images are OME-TIFF files that tell their pixel size, or OME-Zarr stores."""

EPILOG = """\
examples:
  nanoqr archive simulate my-archive -o images
  nanoqr archive simulate my-archive -o images --missing 0.08 --scratches 1 --unreadable 0.01
  nanoqr archive simulate my-archive -o images --px-per-module 3 --electrons 200 --seed 7
  nanoqr archive simulate my-archive -o images --zarr
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "simulate",
        help="an archive to the micrographs that are to be expected",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("archive", type=Path, metavar="DIR", help="as archive write made it")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="IMAGES", help="folder of the images"
    )
    parser.add_argument(
        "--zarr", action="store_true", help="an OME-Zarr store a sheet instead of files"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="other noise, other damage"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: as many as cores)")
    imaging = parser.add_argument_group("imaging")
    for name, default, metavar, text in (
        ("--px-per-module", 4.0, "N", "pixels along a module"),
        ("--electrons", 1000.0, "N", "primary electrons for each pixel"),
        ("--probe", 2.0, "NM", "sigma of the probe"),
        ("--margin", 24.0, "N", "modules that are seen beyond each side of a field"),
        ("--stage-error", 200.0, "NM", "sigma of where the stage stops"),
        ("--rotation", 0.2, "DEG", "sigma of the rotation"),
        ("--tilt", 0.0, "DEG", "of the stage about the image's x axis"),
        ("--drift", 20.0, "NM", "from the first row to the last"),
        ("--vibration", 2.0, "NM", "its amplitude"),
        ("--warp", 0.0, "NM", "greatest displacement by a curved distortion of the scan"),
        ("--charging", 0.0, "SHARE", "of the signal; 0.1 is slight, 0.4 strong"),
    ):
        imaging.add_argument(
            name, type=float, default=default, metavar=metavar, help=f"{text} (default {default:g})"
        )
    imaging.add_argument(
        "--escape", type=float, metavar="NM",
        help="thickness of film over which the signal falls to 1/e (default: what the archive was "
        "written for)",
    )  # fmt: skip
    damage = parser.add_argument_group("damage")
    for name, default, metavar, text in (
        ("--missing", 0.0, "SHARE", "of the tiles that are missing"),
        ("--unreadable", 0.0, "SHARE", "of the fields whose image is out of focus"),
        ("--not-taken", 0.0, "SHARE", "of the fields of which there is no image"),
        ("--scratch-width", 2000.0, "NM", "of each scratch"),
        ("--particles", 0.0, "N", "mean number on a field"),
        ("--dose-spread", 0.01, "SHARE", "by which doses of modules differ"),
        ("--age", 0.0, "YEARS", "kept so long, by a model whose rates are assumptions"),
        ("--temperature", 25.0, "C", "at which it was kept"),
    ):
        damage.add_argument(
            name, type=float, default=default, metavar=metavar, help=f"{text} (default {default:g})"
        )
    damage.add_argument(
        "--scratches", type=int, default=0, metavar="N",
        help="straight ones across each sheet (default 0)",
    )  # fmt: skip
    damage.add_argument(
        "--over-etch", type=float, metavar="X",
        help="full dose in units of that which just mills through (default: 1.1; with two bits a "
        "module what was planned)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Take the images."""
    from napari_nanoqr.archive.manifest import ArchiveManifest
    from napari_nanoqr.archive.simulate import Imaging
    from napari_nanoqr.archive.simulate_archive import simulate_archive
    from napari_nanoqr.physics.ageing import Ageing
    from napari_nanoqr.physics.sem import SemModel

    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"{options.jobs} jobs cannot be: use 1 or more.")
    imaging = Imaging(
        options.px_per_module, options.electrons, options.probe, options.margin,
        options.stage_error, options.rotation, options.tilt, options.drift, options.vibration,
        options.warp, options.charging, options.unreadable, options.not_taken, options.seed,
    )  # fmt: skip
    result = simulate_archive(
        ArchiveManifest.load(options.archive), options.output, imaging,
        model=None if options.escape is None else SemModel(escape_nm=options.escape),
        over_etch=options.over_etch, end_point_spread=options.dose_spread,
        missing=options.missing, scratches=options.scratches, scratch_nm=options.scratch_width,
        particles=options.particles,
        ageing=Ageing(options.age, options.temperature, seed=options.seed) if options.age else None,
        mosaic=options.zarr, jobs=options.jobs or os.cpu_count() or 1, progress=tell_progress,
    )  # fmt: skip
    print(f"{result.images} images of fields of view")
    if result.missing:
        print(f"missing: {len(result.missing)} tiles")
    if result.unreadable:
        print(f"out of focus: {len(result.unreadable)} images")
    if result.not_taken:
        print(f"not taken: {len(result.not_taken)} images")
    print(f"written: {options.output}")
    return 0
