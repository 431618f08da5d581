"""Measure the electron dose that reading takes, on images of our own simulator.

Usage: ``python tests/benchmarks/reading_dose.py [--images N] [--code 3-L] [--pixels 8]
[--doses 10 12 14 ...]``. Every image has a payload, a rotation, a place and noise of its own.
All readers see the same images; "nanoqr" is `read_codes` as users call it, with pixel size and
pitch known.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from simulated_codes import full_payload

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode

PITCH_NM = 49.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--code", default="3-L", help="version and level, e.g. 3-L or M4-M")
    parser.add_argument("--pixels", type=float, default=8.0, help="pixels a module")
    parser.add_argument("--doses", type=float, nargs="+", default=[10, 12, 14, 17, 20, 25, 30])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    version, level = options.code.split("-")
    patterns = [_pattern(version, level, options.seed + i) for i in range(8)]
    print(f"{options.code} at {options.pixels:g} px a module, {options.images} images a dose")
    print("electrons |  right  wrong |  zxing-cpp |  s median")
    for dose in options.doses:
        rng = np.random.default_rng(options.seed)
        count: Counter[str] = Counter()
        seconds = []
        for number in range(options.images):
            payload, pattern = patterns[number % len(patterns)]
            micrograph = simulate_micrograph(
                pattern,
                pixel_size_nm=PITCH_NM / options.pixels,
                electrons_per_pixel=dose,
                rotation_deg=float(rng.uniform(0, 360)),
                seed=int(rng.integers(1 << 31)),
            )
            start = time.perf_counter()
            readings = read_codes(micrograph, pitch_nm=PITCH_NM)
            seconds.append(time.perf_counter() - start)
            count["right"] += any(r.payload == payload for r in readings)
            count["wrong"] += sum(r.payload != payload for r in readings)
            count["zxing"] += _zxing_reads(micrograph.image, payload)
        print(
            f"{dose:9g} | {count['right']:6d} {count['wrong']:6d} | {count['zxing']:10d} | "
            f"{np.median(seconds):9.3f}",
            flush=True,
        )


def _pattern(version: str, level: str, seed: int) -> tuple[bytes, Pattern]:
    number = int(version) if version.isdecimal() else version
    payload = full_payload(number, level, np.random.default_rng(seed))
    design = Design(encode(payload, level, number), PITCH_NM)
    return payload, pattern_of(plan_milling(design))


def _zxing_reads(image: np.ndarray, payload: bytes) -> bool:
    import zxingcpp

    return any(b.bytes == payload for b in zxingcpp.read_barcodes(image))


if __name__ == "__main__":
    main()
