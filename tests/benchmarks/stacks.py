"""Measure what a stack of frames is worth against one frame of the same dose.

Usage: ``python tests/benchmarks/stacks.py [--frames 4 12 40] [--walk 0.5] [--images N]``. Between
the starts of frames the specimen walks in a random direction by up to ``--walk`` modules. The
total dose is spread over the frames. Doses are an eighth root of two apart, from where a tenth
of the images are read to where nearly all are; a normal distribution function of the logarithm
of the dose is fitted to the counts (maximum likelihood), and gives the doses for 50 % and 90 %.
Differences are in dB, 10 log10 of the doses, positive where the stack needs more. In brackets
stands the standard error of the dose for 50 %, from the fit. The output is a Markdown table.

A detector adds its read noise to every frame, which no reader can undo: 0.5 electrons in each of
12 frames of 0.14 detected ones are twice the shot noise. So that the reader is measured, there is
next to none here (``--read-noise``), and grey values have 16 bits.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm
from simulated_codes import PITCH_NM, Code, pictured

from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.reading.read import read_codes

STEP = 2 ** (1 / 8)
FIRST_LOOK = 8
"""Images that tell where a dose is worth all of them."""


class Curve:
    """Share of the images that are read, by total dose."""

    def __init__(self, frames: int, walk: float, options: argparse.Namespace) -> None:
        self.code, self.pixels, self.images = options.code, options.pixels, options.images
        self.frames, self.walk = frames, walk
        self.model = SemModel(read_noise_electrons=options.read_noise, bits=16)
        self.counts: dict[int, tuple[int, int]] = {}

    def right(self, step: int, images: int) -> int:
        """Return how many of the first images are read at a dose."""
        if self.counts.get(step, (0, 0))[1] < images:
            done = self.counts.get(step, (0, 0))
            more = sum(self._reads(number, step) for number in range(done[1], images))
            self.counts[step] = (done[0] + more, images)
            print(f"{self.frames} frames, {STEP**step:.1f} electrons: {self.counts[step]}",
                  file=sys.stderr, flush=True)  # fmt: skip
        return self.counts[step][0]

    def measure(self, guess: float) -> tuple[float, float, float]:
        """Return the doses for 50 % and 90 %, and the standard error of the first in dB."""
        step = round(np.log(guess) / np.log(STEP))
        while self.right(step, FIRST_LOOK) > FIRST_LOOK // 2:
            step -= 2
        while self.right(step, FIRST_LOOK) <= FIRST_LOOK // 2:
            step += 1
        # what is below hardly ever is read, what is above nearly always
        for near in range(step - 3, step + 4):
            self.right(near, self.images)
        return self._fit()

    def _fit(self) -> tuple[float, float, float]:
        steps = np.array(sorted(self.counts))
        right, shown = np.array([self.counts[step] for step in steps]).T
        x = steps * np.log(STEP)

        def unlikely(parameters: np.ndarray) -> float:
            p = np.clip(norm.cdf((x - parameters[0]) / np.exp(parameters[1])), 1e-6, 1 - 1e-6)
            return float(-(right * np.log(p) + (shown - right) * np.log(1 - p)).sum())

        start = np.array([np.interp(0.5, np.maximum.accumulate(right / shown), x), np.log(0.1)])
        found = minimize(unlikely, start, method="Nelder-Mead")
        middle, spread = found.x[0], np.exp(found.x[1])
        # curvature along the place of the threshold
        h = 0.3 * spread / np.sqrt(shown.sum())
        up, down = (unlikely(found.x + np.array([d, 0.0])) for d in (h, -h))
        error = 1 / np.sqrt(max((up + down - 2 * found.fun) / h**2, 1e-9))
        ninety = middle + spread * norm.ppf(0.9)
        return float(np.exp(middle)), float(np.exp(ninety)), float(10 / np.log(10) * error)

    def _reads(self, number: int, step: int) -> bool:
        def disturb(_: Code, rng: np.random.Generator) -> dict[str, Any]:
            if self.frames == 1:
                return {"model": self.model}
            walk = ScanFaults(wander_nm=self.walk * PITCH_NM, seed=int(rng.integers(1 << 31)))
            return {"frames": self.frames, "faults": walk, "model": self.model}

        electrons = STEP**step / self.frames
        shown, micrograph = pictured(self.code, number, electrons, self.pixels, disturb=disturb)
        readings = read_codes(replace(micrograph, metadata={}), pitch_nm=PITCH_NM)
        wrong = [r.payload for r in readings if r.payload != shown.payload]
        if wrong:
            print(f"WRONG: {self.frames} frames, image {number}: {wrong}", flush=True)
        return any(r.payload == shown.payload for r in readings)


def decibel(one: float, other: float) -> str:
    return f"{10 * np.log10(one / other):+.2f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--code", default="3-L")
    parser.add_argument("--pixels", type=float, default=8.0)
    parser.add_argument("--frames", type=int, nargs="+", default=[4, 12, 40])
    parser.add_argument("--walk", type=float, default=0.5, help="modules a frame, at most")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--guess", type=float, default=18.0, help="electrons for one frame")
    parser.add_argument("--read-noise", type=float, default=0.01, help="electrons a frame")
    options = parser.parse_args()
    alone = Curve(1, 0.0, options).measure(options.guess)
    print(
        f"{options.code} at {options.pixels:g} px, {options.images} images a dose, walks of up "
        f"to {options.walk:g} modules a frame\n"
    )
    print("| frames | 50 % at | 90 % at | dB at 50 % | dB at 90 % |\n|---|---|---|---|---|")
    print(f"| 1 | {alone[0]:.1f} ({alone[2]:.2f} dB) | {alone[1]:.1f} | 0 | 0 |", flush=True)
    for frames in options.frames:
        curve = Curve(frames, options.walk, options)
        half, ninety, error = curve.measure(alone[0])
        print(
            f"| {frames} | {half:.1f} ({error:.2f} dB) | {ninety:.1f} | "
            f"{decibel(half, alone[0])} | {decibel(ninety, alone[1])} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
