"""Hold predicted read probabilities against doses that were counted, and against counts.

Usage: ``python tests/benchmarks/read_probability.py [--count M4-L@11.3 1-L@16 ...] [--images N]``.
First the electrons a pixel at which 99 % of the images are predicted to be read, for two sets of
noise, beside those that ``readers.py`` counted for symbols full of any bytes (with ``--arbitrary``)
and full of text. With ``--count``, codes at a dose: the share that is predicted from a channel of
another symbol, and the one that is read. All are milled as the other benchmarks' codes, with a
yield that does not depend on the angle.
"""

from __future__ import annotations

import argparse
from functools import lru_cache
from typing import Any

import numpy as np
from simulated_codes import PITCH_NM, code, pictured

from napari_nanoqr.physics.simulate import mill_pattern, pattern_of
from napari_nanoqr.planning.channel import Channel, measure_channel, representative_plan
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.read_probability import read_probability, wilson_interval
from napari_nanoqr.reading.read import read_codes

COUNTED = {
    "3-L@5": (33.4, 28.1), "3-L@8": (15.3, 12.9), "3-L@12": (8.4, 7.3),
    "4-H@8": (6.7, 6.4), "10-Q@8": (7.0, 6.4), "20-M@8": (10.4, 9.1),
}  # fmt: skip
"""Electrons a pixel at which 99 % of the images were read, by code and pixels a module: full of any
bytes, and of text."""

PER_OCTAVE = 4


@lru_cache(maxsize=256)
def channel_at(pixels: float, step: int, seed: int) -> Channel:
    """Return the channel at a dose of the ladder."""
    sem = SemCondition(PITCH_NM / pixels, 2 ** (step / PER_OCTAVE))
    return measured(sem, seed=seed)


def measured(sem: SemCondition, **options: Any) -> Channel:
    """Return the channel of a film that is milled as in the images that are counted."""
    plan = representative_plan(PITCH_NM)
    return measure_channel(plan, sem, milled=mill_pattern(pattern_of(plan)), **options)


def predicted_dose(name: str, pixels: float, seed: int, share: float = 0.99) -> float:
    """Return the electrons a pixel at which so many images are predicted to be read."""
    version, level = name.split("-")
    low, high = np.log2(3.0), np.log2(120.0)
    for _ in range(14):
        middle = (low + high) / 2
        step, part = divmod(middle * PER_OCTAVE, 1)
        one, two = (channel_at(pixels, int(step) + i, seed).bits for i in (0, 1))
        channel = Channel(one + part * (two - one))
        enough = read_probability(channel, int(version), level).probability > share
        low, high = (low, middle) if enough else (middle, high)
    return float(2**high)


def count(name: str, electrons: float, images: int) -> None:
    """Print what is predicted and what is read."""
    shown = code(name, 0)
    sem = SemCondition(electrons_per_pixel=electrons)
    channel = measured(sem, images=6)
    told = read_probability(channel, shown.version, shown.level)
    read = 0
    for number in range(images):
        shown, micrograph = pictured(name, number, electrons)
        found = read_codes(micrograph, pitch_nm=PITCH_NM)
        read += any(reading.payload == shown.payload for reading in found)
    low, high = wilson_interval(read, images)
    print(
        f"{name} at {electrons:g}: predicted {told}; read {read} of {images} "
        f"({100 * low:.0f} to {100 * high:.0f} %)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", nargs="*", default=[], help="code@electrons a pixel")
    parser.add_argument("--images", type=int, default=40)
    options = parser.parse_args()
    for item in options.count:
        name, _, electrons = item.partition("@")
        count(name, float(electrons), options.images)
    if options.count:
        return
    print(
        "| code | px a module | text | any bytes | predicted | differs |\n|---|---|---|---|---|---|"
    )
    for item, (dose, of_text) in COUNTED.items():
        name, _, pixels = item.partition("@")
        found = [predicted_dose(name, float(pixels), seed) for seed in (0, 100)]
        said = ", ".join(f"{each:.1f}" for each in found)
        off = ", ".join(f"{100 * (each / dose - 1):+.0f} %" for each in found)
        print(f"| {name} | {pixels} | {of_text:g} | {dose:g} | {said} | {off} |", flush=True)


if __name__ == "__main__":
    main()
