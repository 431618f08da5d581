"""Measure locating on folders of micrographs whose truth is known.

Usage: ``python tests/benchmarks/locating.py [--unknown] FOLDER...``; with ``--unknown``
neither the pitch nor the tilt is told.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import open_source
from napari_nanoqr.reading.locate import Candidate, locate
from napari_nanoqr.reading.subsample import sample_modules
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.sem.restore.register import registered_mean
from napari_nanoqr.symbols.encode import encode

CLOSE = 0.5
"""Modules; a grid whose corners are nearer to the truth can be read."""


FAR = 4
"""Modules; under drift and warp the corners told are those of the symbol before it was bent."""


def fits_better(image: np.ndarray, candidate: Candidate, code: dict) -> bool:
    """Return whether the symbol's modules are to be seen at a place, better than where told."""
    corners = np.array(code["corners_yx"])
    shape = candidate.grid.shape
    agreement = []
    for grid in (candidate.grid, Grid.from_corners(corners, shape)):
        seen = sample_modules(image, grid) * -np.sign(candidate.correlation)
        fits = [
            np.corrcoef(
                seen.ravel(), encode(payload, code["ec"], code["version"], m).matrix.ravel()
            )
            for payload in (bytes.fromhex(code["payload_hex"]),)
            for m in range(8)
        ]
        agreement.append(max(fit[0, 1] for fit in fits))
    return agreement[0] > agreement[1] + 0.05


def corner_error(candidate: Candidate, corners_yx: np.ndarray) -> float:
    """Return the largest distance of a corner in modules."""
    distance = np.linalg.norm(candidate.grid.corners_yx - corners_yx, axis=1)
    return float(distance.max() / candidate.grid.pitch_px)


class Tally:
    """What was found in one category."""

    def __init__(self) -> None:
        self.codes = self.first = self.found = 0
        self.errors: list[float] = []
        self.correlations: list[float] = []
        self.others: list[float] = []
        self.seconds: list[float] = []

    def add(
        self, image: np.ndarray, candidates: list[Candidate], truth: list[dict], seconds: float
    ) -> list[str]:
        """Count one image; the answer says what was missed."""
        self.seconds.append(seconds)
        missed = []
        right = set()
        # Micro QR is for others
        codes = [code for code in truth if isinstance(code["version"], int)]
        for code in codes:
            self.codes += 1
            corners = np.array(code["corners_yx"])
            errors = [corner_error(c, corners) for c in candidates]
            fits = [
                i
                for i, c in enumerate(candidates[: 5 * len(codes)])
                if c.version == code["version"]
                and (errors[i] < CLOSE or (errors[i] < FAR and fits_better(image, c, code)))
            ]
            if fits:
                self.found += 1
                self.first += fits[0] < len(codes)
                self.errors.append(errors[fits[0]])
                self.correlations.append(abs(candidates[fits[0]].correlation))
                right.update(fits)
            else:
                near = min(zip(errors, candidates, strict=True), key=lambda e: e[0], default=None)
                missed.append(
                    "nothing" if near is None
                    else f"{near[0]:.2f} modules off, version {near[1].version} "
                    f"for {code['version']}, correlation {near[1].correlation:.2f}"
                )  # fmt: skip
        self.others += [c.score for i, c in enumerate(candidates) if i not in right]
        return missed

    def row(self, name: str) -> str:
        """Return the category as a row of a table."""
        errors = self.errors or [float("nan")]
        ms = np.array(self.seconds) * 1000
        return (
            f"| {name} | {self.codes} | {self.found} | {self.first} | {np.median(errors):.2f} | "
            f"{max(errors):.2f} | {min(self.correlations, default=float('nan')):.2f} | "
            f"{max(self.others, default=0):.1f} | {np.median(ms):.0f} | {ms.max():.0f} |"
        )


HEAD = (
    "| category | codes | found | at once | corner error, median | largest | least correlation "
    "| best other score | ms, median | most |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main(arguments: list[str]) -> None:
    """Print a table for each folder."""
    unknown = "--unknown" in arguments
    for folder in (Path(a) for a in arguments if not a.startswith("--")):
        tallies: dict[str, Tally] = defaultdict(Tally)
        for entry in json.loads((folder / "truth.json").read_text()):
            source = open_source(read_micrograph(folder / entry["file"]))
            image = registered_mean(source.frames)
            pitch = None if unknown else entry["module_nm"] / entry["pixel_nm"]
            stretch = 1.0 if unknown else 1 / np.cos(np.deg2rad(source.tilt_deg))
            if unknown or source.pixel_size_nm is None:
                pitch = None
            start = time.perf_counter()
            candidates = locate(image, pitch_px=pitch, stretch_y=stretch)
            seconds = time.perf_counter() - start
            for name in (entry["category"], "all"):
                missed = tallies[name].add(image, candidates, entry["codes"], seconds)
            for words in missed:
                print(f"{folder.name}/{entry['file']}: {words}", file=sys.stderr)
        print(f"\n{folder.name}\n\n{HEAD}")
        for name in sorted(tallies, key=lambda n: n == "all"):
            print(tallies[name].row(name))


if __name__ == "__main__":
    main(sys.argv[1:])
