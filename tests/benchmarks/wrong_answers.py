"""Count wrong answers where there is nothing to read, or too little of it.

Usage: ``python tests/benchmarks/wrong_answers.py [--images N] [--seed S]``. An eighth of the
images each are white noise, smoothed noise, textures (gratings, lattices of dots, random
squares of the size of modules), and codes below the dose that reading takes; the other half are
codes that have enough: QR codes, a Micro QR and an rMQR code. Whatever is read in the first three
is wrong, and in the others whatever is not the payload. Pixel size and pitch are told for every
second eight of them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode

ELECTRONS = {"too faint": (2, 14), "readable": (20, 200)}
"""Electrons a pixel of images with a code, from and to."""

TEXT = b"abcdefghijklmnopqrstuvwxyz0123456789-./:"

PIXEL_NM, PITCH_NM = 6.125, 49.0
"""What is told of pixel size and pitch."""

KINDS = ("white noise", "smoothed noise", "texture", *ELECTRONS)
ORDER = (*KINDS[:4], *["readable"] * 4)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    texts = [rng.choice(np.frombuffer(TEXT, dtype=np.uint8), n).tobytes() for n in (53, 21)]
    payloads = [rng.bytes(50), rng.bytes(9), rng.bytes(30), *texts]
    codes = [encode(payload, level) for payload, level in zip(payloads[:3], "LHQ", strict=True)]
    # one full of text, and one half empty
    codes += [encode(text, "L", 3) for text in texts]
    # and two with one finder pattern
    payloads += [rng.choice(np.frombuffer(TEXT, dtype=np.uint8), n).tobytes() for n in (13, 6)]
    codes += [encode(payloads[5], "M", "M4"), encode(payloads[6], "M", "R11x27")]
    patterns = [pattern_of(plan_milling(Design(code))) for code in codes]
    images: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for number in range(options.images):
        kind = ORDER[number % len(ORDER)]
        which = int(rng.integers(len(patterns)))
        if kind in ELECTRONS:
            seen = simulate_micrograph(
                patterns[which],
                electrons_per_pixel=float(rng.uniform(*ELECTRONS[kind])),
                rotation_deg=float(rng.uniform(0, 360)),
                seed=int(rng.integers(1 << 31)),
            ).image
        else:
            seen = empty(kind, rng)
        start = time.perf_counter()
        told = (PIXEL_NM, PITCH_NM) if number // len(ORDER) % 2 else (None, None)
        readings = read_codes(seen, *told)
        seconds[kind] += time.perf_counter() - start
        images[kind] += 1
        for reading in readings:
            good = kind in ELECTRONS and reading.payload == payloads[which]
            (right if good else wrong)[kind] += 1
    print(f"{'':16}{'images':>8}{'right':>8}{'wrong':>8}{'s each':>9}")
    for kind in KINDS:
        each = seconds[kind] / max(images[kind], 1)
        print(f"{kind:16}{images[kind]:8}{right[kind]:8}{wrong[kind]:8}{each:9.2f}")


def empty(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Make an image without a code."""
    side = int(rng.integers(200, 400))
    noise = rng.normal(size=(side, side))
    if kind == "white noise":
        return noise
    if kind == "smoothed noise":
        return gaussian_filter(noise, rng.uniform(1, 6)) + 0.05 * noise
    y, x = np.indices((side, side)) / rng.uniform(4, 12)
    turn = rng.uniform(0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    shape = rng.integers(3)
    if shape == 0:
        texture = np.sin(2 * np.pi * u / 2)
    elif shape == 1:
        texture = np.sin(2 * np.pi * u / 2) * np.sin(2 * np.pi * v / 2)
    else:
        # squares of one module, as in a code, without its patterns
        modules = rng.random((128, 128)) < 0.5
        texture = modules[np.floor(v).astype(int) % 128, np.floor(u).astype(int) % 128] * 2.0 - 1
    return np.asarray(texture + rng.uniform(0.1, 2) * noise)


if __name__ == "__main__":
    main()
