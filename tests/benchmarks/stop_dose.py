"""Hold the dose at which a code is said to be lost against the dose at which it is.

Usage: ``python tests/benchmarks/stop_dose.py [--images N] [--codes 3-L:8 3-L:5 ...]``. A code is
given with its pixels a module. First, from images of several doses, the dose that the margin
tells (mean, and the range of all images). Then the share of images that are read around it.
"""

from __future__ import annotations

import argparse

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import byte_capacity, encode

PITCH_NM = 49.0
FROM = (2.0, 5.0, 20.0, 150.0)
"""Doses to measure the margin at, over the one that is found."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--codes", nargs="+", default=["3-L:8", "3-L:5", "3-L:12", "4-H:8"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    for given in options.codes:
        code, _, pixels = given.partition(":")
        version, level = code.split("-")
        payload = rng.bytes(byte_capacity(int(version), level))
        pattern = pattern_of(plan_milling(Design(encode(payload, level, int(version)), PITCH_NM)))

        def look(dose: float, margin: bool, pattern=pattern, pixels=pixels):
            seen = simulate_micrograph(
                pattern,
                pixel_size_nm=PITCH_NM / float(pixels),
                electrons_per_pixel=dose,
                rotation_deg=float(rng.uniform(0, 360)),
                seed=int(rng.integers(1 << 31)),
            )
            return read_codes(seen, pitch_nm=PITCH_NM, margin=margin)

        # a first guess, from one image of plenty
        (reading,) = look(3000.0, True)
        stop = reading.margin.stop.per_pixel
        print(f"{code} at {pixels} px a module, {options.images} images a dose")
        for factor in FROM:
            told = [
                reading.margin.stop.per_pixel
                for _ in range(options.images)
                for reading in look(factor * stop, True)
            ]
            print(
                f"  told at {factor * stop:6.0f} electrons: {np.mean(told):6.1f} "
                f"({min(told):.1f} to {max(told):.1f})",
                flush=True,
            )
        for factor in (0.6, 0.8, 1.0, 1.25):
            right = sum(bool(look(factor * stop, False)) for _ in range(options.images))
            print(
                f"  read at {factor * stop:6.1f} electrons: {right} of {options.images}", flush=True
            )


if __name__ == "__main__":
    main()
