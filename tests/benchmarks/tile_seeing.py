"""Measure how fast micrographs become soft bits, and how many tiles are read in random poses.

Usage: ``OMP_NUM_THREADS=1 python tests/benchmarks/tile_seeing.py [--repeats N] [--poses N]
[--electrons N N ...]``.

First a Markdown table of processor time on one core for an image of 2 x 2 tiles at 4 pixels a
module: each stage and the whole, beside a copy of the image to float32 and scipy's
``map_coordinates`` (order 1) for 4 samples a module, in turns, since a busy machine slows all of
them. Then, with ``--poses``, the share of tiles of which every codeword is read: random rotation,
mirroring, polarity, tilt up to 54 degrees, drift up to 3 modules, charging, blur of 0.25 to 0.5
modules, and noise up to where the code gives up; pitch and pixel size are told in 6 of 10.

With ``--electrons`` a sheet of 48 tiles of rate 0.8 is milled and imaged by the simulator, 4
pixels a module, with so many electrons a pixel: for each, the share of modules that are wrong
were each decided alone, the share that the soft bits foretell, and what is lost.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))

from drawn_tiles import Pose, clean, field_of, matrix_of, micrograph
from scipy.ndimage import map_coordinates

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.seeing import see, see_tiles
from napari_nanoqr.archive.simulate import Imaging, SheetMicrographs
from napari_nanoqr.archive.simulation.micrograph import Specimen
from napari_nanoqr.archive.simulation.sheet import FieldPlace, Sheet
from napari_nanoqr.archive.tile import decode_tiles, encode_tile

STAGES = (
    "find_lattices", "binned", "eight_bits", "smooth_pixels", "block_phases", "unwrapped",
    "mesh_of", "sampled", "levelled", "self_taught", "filtered", "find_tiles", "followed", "_tile",
)  # fmt: skip


def tiles(seed: int, bits: int = 1) -> list[list[NDArray[np.uint8]]]:
    rng = np.random.default_rng(seed)
    drawn = []
    for number in range(4):
        header = TileHeader(Role.DATA, rng.bytes(8), bits=bits, tile=number, tiles=4)
        drawn.append(encode_tile(header, rng.bytes(header.capacity)))
    return [drawn[:2], drawn[2:]]


def picture(pose: Pose, own: list[list[NDArray[np.uint8]]], seed: int) -> NDArray[np.uint8]:
    """Return a field of 2 x 2 tiles with parts of the fields around it."""
    rng = np.random.default_rng(seed)
    planes = [(field_of(own), (0.0, 0.0), 0.0)]
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            if a or b:
                off = rng.uniform(-1.5, 1.5, 2)
                other = rng.integers(0, 2, (1024, 1024)).astype(np.float32)
                place = (1028 * a + off[0], 1028 * b + off[1])
                planes.append((other, place, float(rng.uniform(-0.1, 0.1))))
    return micrograph(clean(planes, pose), pose)


def random_pose(seed: int) -> tuple[Pose, int, bool]:
    """Return a pose that shows all four tiles, bits a module, and whether the pitch is told."""
    rng = np.random.default_rng(seed)
    bits = 2 if rng.random() < 0.12 else 1
    tilt = float(rng.choice([0, 0, 0, 30, 45, 54]))
    pitch = float(
        rng.choice([4, 5, 6] if tilt else [3.5, 4, 4, 4, 5, 6.3]) * rng.uniform(0.95, 1.05)
    )
    blur = rng.uniform(0.25, 0.5) if bits == 1 else rng.uniform(0.2, 0.35)
    most = np.interp(blur, [0.25, 0.35, 0.45, 0.5], [0.6, 0.45, 0.3, 0.22]) * pitch / 4
    most *= np.sqrt(np.cos(np.radians(tilt))) * (1 if bits == 1 else 0.16)
    pose = Pose(
        pitch, float(rng.uniform(0, 360)), tilt, bool(rng.random() < 0.3), bool(rng.random() < 0.7),
        float(blur), float(most * rng.uniform(0.3, 1)), float(rng.choice([0, 1, 3])),
        float(rng.choice([0, 0.2, 0.4])), float(rng.choice([0, 0, 0.1, 0.3])), seed=seed,
    )  # fmt: skip
    corners = matrix_of(pose) @ np.array([[-520, -520, 520, 520], [-520, 520, -520, 520]])
    extent = 2 * np.abs(corners).max(axis=1) + 4 * pose.drift_modules * pitch + 40
    shape = (int(extent[0]), int(extent[1]))
    return Pose(**{**pose.__dict__, "shape": shape}), bits, bool(rng.random() < 0.6)


def spent(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def stages(repeats: int) -> None:
    pose = Pose(rotation_deg=2, noise=0.5, drift_modules=1)
    image = picture(pose, tiles(0), 0)
    used = dict.fromkeys(STAGES, 0.0)

    def timed(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **options: object) -> object:
            start = time.process_time()
            try:
                return work(*args, **options)
            finally:
                used[name] += time.process_time() - start

        return run

    places = np.mgrid[0:2048, 0:2048] * 2.0
    see_tiles(image, 12.25, 49)
    times: dict[str, list[float]] = {}
    for _ in range(repeats):
        times.setdefault("copy to float32", []).append(spent(lambda: image.astype(np.float32)))
        times.setdefault("map_coordinates, 4 a module", []).append(
            spent(lambda: map_coordinates(image, places, np.float32, order=1))
        )
        times.setdefault("see_tiles", []).append(spent(lambda: see_tiles(image, 12.25, 49)))
    plain = {name: getattr(see, name) for name in STAGES}
    for name in STAGES:
        setattr(see, name, timed(name, plain[name]))
    for _ in range(repeats):
        see_tiles(image, 12.25, 49)
    for name in STAGES:
        setattr(see, name, plain[name])
    print("| step | ms, least | median | Mpx/s a core, most |\n|---|---|---|---|")
    for name, seconds in times.items():
        least, middle = min(seconds), float(np.median(seconds))
        rate = image.size / least / 1e6
        print(f"| {name} | {1000 * least:.0f} | {1000 * middle:.0f} | {rate:.0f} |")
    for name, seconds in used.items():
        print(f"| ... {name} | | {1000 * seconds / repeats:.1f} | |")


def sheet_of(rows: int, columns: int, seed: int) -> tuple[Sheet, dict[int, NDArray[np.uint8]]]:
    """Return fields of 2 x 2 tiles with a gap of 4 modules, and the tiles by number."""
    rng = np.random.default_rng(seed)
    places = [
        FieldPlace(0, columns * a + b, 1028 * 49.0 * a, 1028 * 49.0 * b, 1024, 1024)
        for a in range(rows) for b in range(columns)
    ]  # fmt: skip
    drawn = {}
    for number in range(4 * len(places)):
        header = TileHeader(Role.DATA, b"electron", tile=number, tiles=4 * len(places))
        drawn[number] = encode_tile(header, rng.bytes(header.capacity))

    def read(place: FieldPlace) -> NDArray[np.uint8]:
        own = [drawn[4 * place.number + k] for k in range(4)]
        return np.block([own[:2], own[2:]])

    return Sheet(places, read, 49.0), drawn


def electrons(counts: list[float], seed: int) -> None:
    sheet, drawn = sheet_of(4, 3, seed)
    print("| electrons a pixel | wrong modules | foretold | codewords lost | tiles lost |")
    print("|---|---|---|---|---|")
    for count in counts:
        imaging = Imaging(electrons_per_pixel=count, seed=seed)
        series = SheetMicrographs(sheet, Specimen(), imaging)
        wrong, foretold, whole, words = [], [], 0, 0
        for place in sheet.fields:
            shot = series.take(place)
            seen = [one for one in see_tiles(shot.image, 49 / 4, 49) if one.seen > 0.99]
            decoded = decode_tiles([one.soft for one in seen], [one.header for one in seen])
            for one, read in zip(seen, decoded, strict=True):
                foretold.append(one.error_rate)
                if one.header is not None:
                    right = drawn[one.header.tile] > 0
                    wrong.append(float(np.mean(right ^ (one.soft[0] < 0))))
                    whole += bool(read.good.all())
                    words += int(read.good.sum())
        print(
            f"| {count:g} | {100 * np.mean(wrong):.2f} % | {100 * np.mean(foretold):.2f} % "
            f"| {25 * len(drawn) - words} of {25 * len(drawn)} | {len(drawn) - whole} "
            f"of {len(drawn)} |",
            flush=True,
        )


def poses(count: int) -> None:
    read = 0
    for seed in range(count):
        pose, bits, told = random_pose(seed)
        image = picture(pose, tiles(seed, bits), seed)
        seen = see_tiles(image, 49 / pose.pitch_px if told else None, 49 if told else None)
        decoded = decode_tiles([one.soft for one in seen], [one.header for one in seen])
        whole = sum(bool(one.good.all()) for one in decoded if one.header is not None)
        read += whole
        if whole < 4:
            print(f"pose {seed}: {whole} of 4 tiles, told {told}, bits {bits}, {pose}", flush=True)
    print(f"{read} of {4 * count} tiles read wholly")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--poses", type=int, default=0)
    parser.add_argument("--electrons", type=float, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.repeats:
        stages(options.repeats)
    if options.poses:
        poses(options.poses)
    if options.electrons:
        electrons(options.electrons, options.seed)
