"""Measure what the likelihoods of modules are worth, before any decoding.

Usage: ``python tests/benchmarks/module_likelihoods.py [IMAGES] [FOLDER...]``

First on images of our own simulator, version 3-L, with the true grid and with one that is up to
0.2 modules off and registered on the function patterns; then on folders with a ``truth.json``.
Columns: share of data modules that a plain Gaussian sample with a threshold gets wrong, the
share after equalising, the share that the likelihoods expect, rho, bits of information per
module (1 is all), the expected calibration error in ten bins, and milliseconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.register import refine
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.reading.template import function_template
from napari_nanoqr.reading.window import Window
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_of

DOSES = {5: (24, 30, 60), 8: (10, 14, 20, 30), 12: (6.5, 9, 14)}
"""Primary electrons a pixel, around the limit, by pixels a module."""


class Tally:
    """Likelihoods against the truth."""

    def __init__(self) -> None:
        self.plain: list[np.ndarray] = []
        self.llr: list[np.ndarray] = []
        self.dark: list[np.ndarray] = []
        self.rho: list[float] = []
        self.seconds: list[float] = []

    def add(self, image: np.ndarray, grid: Grid, dark: np.ndarray) -> None:
        start = time.process_time()
        found = module_likelihoods(image, grid)
        self.seconds.append(time.process_time() - start)
        layout = layout_of(grid.shape)
        function, known = layout.dark, layout.certain
        values = sample_modules(image, grid, 0.4)
        levels = values[known & function].mean(), values[known & ~function].mean()
        is_dark = (values < np.mean(levels)) ^ (levels[0] > levels[1])
        self.plain.append((is_dark != dark)[~known])
        self.llr.append(found.llr[~known].astype(float))
        self.dark.append(dark[~known])
        self.rho.append(found.rho)

    def row(self, name: str) -> str:
        llr, dark = np.concatenate(self.llr), np.concatenate(self.dark)
        right = (llr < 0) == dark
        confidence = 1 / (1 + np.exp(-np.abs(llr)))
        bins = np.minimum((confidence - 0.5) * 20, 9).astype(int)
        error = sum(
            abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)
        )
        information = 1 - np.log1p(np.exp(-llr * np.where(dark, -1, 1))).mean() / np.log(2)
        return (
            f"| {name} | {len(self.llr)} | {np.concatenate(self.plain).mean():.4f} | "
            f"{1 - right.mean():.4f} | {1 - confidence.mean():.4f} | {np.mean(self.rho):.2f} | "
            f"{information:.4f} | {error:.4f} | {1e3 * np.median(self.seconds):.0f} |"
        )


def simulated(
    pixels: int, dose: float, images: int
) -> Iterator[tuple[np.ndarray, Grid, np.ndarray]]:
    """Yield images of random payloads at random angles, their true grids and modules."""
    rng = np.random.default_rng(int(1000 * pixels + dose))
    for _ in range(images):
        symbol = encode(bytes(rng.integers(32, 127, 50, dtype=np.uint8)), "L", version=3)
        micrograph = simulate_micrograph(
            plan_milling(Design(symbol)),
            pixel_size_nm=49 / pixels,
            electrons_per_pixel=dose,
            rotation_deg=float(rng.uniform(0, 360)),
            seed=int(rng.integers(1 << 31)),
        )
        corners = np.array(micrograph.metadata["truth"]["corners_yx"])
        image = np.asarray(micrograph.image, dtype=np.float32)
        yield image, Grid.from_corners(corners, symbol.matrix.shape), symbol.matrix


def registered(image: np.ndarray, grid: Grid) -> Grid:
    """Return a grid as registration by the function patterns leaves it."""
    template = function_template(layout_of(grid.shape))
    window = Window.around(image, grid.corners_yx, grid.pitch_px)
    fit = refine(window.softened, window.inside(grid), template)
    return window.outside(refine(window.softened, fit.grid, template, degree=2).grid)


def off(grid: Grid, rng: np.random.Generator) -> Grid:
    """Return a grid with its corners 0.1 to 0.2 modules off."""
    angle = rng.uniform(0, 2 * np.pi, 4)
    distance = rng.uniform(0.1, 0.2, (4, 1)) * grid.pitch_px
    moved = grid.corners_yx + distance * np.stack((np.sin(angle), np.cos(angle)), axis=1)
    return Grid.from_corners(moved, grid.shape)


def folder_rows(folder: Path) -> None:
    from napari_nanoqr.sem.read import read_micrograph

    tallies: dict[str, Tally] = {}
    for entry in json.loads((folder / "truth.json").read_text()):
        image = np.asarray(read_micrograph(folder / entry["file"]).image, dtype=np.float32)
        image = image.mean(axis=0) if image.ndim == 3 else image
        for code in entry["codes"]:
            if not str(code["version"]).isdecimal():
                continue
            version = int(code["version"])
            side = 17 + 4 * version
            grid = registered(image, Grid.from_corners(np.array(code["corners_yx"]), (side, side)))
            seen = module_likelihoods(image, grid).llr < 0
            payload = bytes.fromhex(code["payload_hex"])
            written = [encode(payload, code["ec"], version, mask).matrix for mask in range(8)]
            dark = min(written, key=lambda modules: (modules != seen).sum())
            tallies.setdefault(entry["category"], Tally()).add(image, grid, dark)
    for name, tally in tallies.items():
        print(tally.row(f"{folder.name}: {name}"))


def main(arguments: list[str]) -> None:
    images = int(arguments[0]) if arguments else 10
    print("| images | n | plain wrong | wrong | expected | rho | bits | calibration | ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for pixels, doses in DOSES.items():
        for dose in doses:
            true, found = Tally(), Tally()
            rng = np.random.default_rng(0)
            for image, grid, dark in simulated(pixels, dose, images):
                true.add(image, grid, dark)
                found.add(image, registered(image, off(grid, rng)), dark)
            print(true.row(f"{pixels} px, {dose:g} e/px, true grid"))
            print(found.row(f"{pixels} px, {dose:g} e/px, registered"), flush=True)
    for name in arguments[1:]:
        folder_rows(Path(name))


if __name__ == "__main__":
    main(sys.argv[1:])
