"""``nanoqr simulate``: the micrograph that is to be expected."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Predict what an SEM will see once a design, or a pattern file, is milled. The result is an
OME-TIFF that carries its pixel size and the acquisition."""

EPILOG = """\
examples:
  nanoqr simulate record.json -o clean.tif
  nanoqr simulate record.str --electrons 100 --tilt 52 -o tilted.tif
  nanoqr simulate record.json --frames 12 --electrons 60 --drift 5 20 -o stack.tif
  nanoqr simulate record.json --vibration 25 --charging 0.4 --grain 0.15 -o poor.tif
  nanoqr simulate record.json --age 500 --electrons 300 -o old.tif
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "simulate",
        help="a design or a pattern file to the micrograph that is to be expected",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", type=Path, metavar="DESIGN", help="a design (.json) or a pattern (.str, ...)"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=".tif")
    parser.add_argument(
        "--pixel-size", type=float, default=6.125, metavar="NM", help="default 6.125"
    )
    parser.add_argument(
        "--electrons", type=float, default=3000.0, metavar="N",
        help="primary electrons for each pixel of each frame (default 3000)",
    )  # fmt: skip
    parser.add_argument("--rotation", type=float, default=0.0, metavar="DEG", help="default 0")
    parser.add_argument("--tilt", type=float, default=0.0, metavar="DEG", help="default 0")
    parser.add_argument(
        "--probe", type=float, default=2.0, metavar="NM", help="sigma of the probe (default 2)"
    )
    parser.add_argument(
        "--drift", type=float, nargs=2, default=(0.0, 0.0), metavar=("Y", "X"),
        help="nm from the first pixel to the last (default 0 0)",
    )  # fmt: skip
    parser.add_argument("--frames", type=int, default=1, metavar="N", help="more than 1: a stack")
    parser.add_argument(
        "--wander", type=float, default=0.0, metavar="NM",
        help="longest step of the specimen's random walk from frame to frame (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--warp", type=float, default=0.0, metavar="NM",
        help="greatest displacement by a curved distortion of the scan (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--vibration", type=float, default=0.0, metavar="NM", help="its amplitude (default 0)"
    )
    parser.add_argument(
        "--charging", type=float, default=0.0, metavar="SHARE",
        help="of the signal; 0.1 is slight, 0.4 strong (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--grain", type=float, default=0.0, metavar="SHARE",
        help="by which the yield of the film's grains varies, 1 sigma (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--age", type=float, default=0.0, metavar="YEARS",
        help="kept so long after milling, by a model whose rates are assumptions (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--temperature", type=float, default=25.0, metavar="C",
        help="at which it was kept (default 25)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, metavar="N", help="for the same noise again")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Mill, image, and save."""
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.pattern_files import read_pattern
    from napari_nanoqr.physics.ageing import Ageing
    from napari_nanoqr.physics.damage import Damage
    from napari_nanoqr.physics.scan import ScanFaults
    from napari_nanoqr.physics.simulate import simulate_micrograph
    from napari_nanoqr.sem.write import write_micrograph

    path: Path = options.source
    source = Design.load(path) if path.suffix.lower() == ".json" else read_pattern(path)
    which = options.seed or 0
    faults = ScanFaults(
        warp_nm=options.warp,
        vibration_nm=options.vibration,
        wander_nm=options.wander,
        charging=options.charging,
        seed=which,
    )
    micrograph = simulate_micrograph(
        source,
        pixel_size_nm=options.pixel_size,
        electrons_per_pixel=options.electrons,
        rotation_deg=options.rotation,
        tilt_deg=options.tilt,
        probe_nm=options.probe,
        drift_nm=tuple(options.drift),
        frames=options.frames,
        faults=faults,
        damage=Damage(grain=options.grain, seed=which) if options.grain else None,
        ageing=Ageing(options.age, options.temperature, seed=which) if options.age else None,
        seed=options.seed,
    )
    write_micrograph(micrograph, options.output)
    shape = " x ".join(str(n) for n in micrograph.image.shape)
    print(f"{shape} px of {options.pixel_size:g} nm, {options.electrons:g} electrons a pixel")
    print(f"written: {options.output}")
    return 0
