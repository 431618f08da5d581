"""Measure the dose at which each reader reads 99 % of the same images, side by side.

Usage: ``python tests/benchmarks/readers.py [--codes 3-L@8 40-L@8 ...] [--readers nanoqr WeChat
...] [--images N] [--most E] [--arbitrary]``. WeChat's reader needs
``pip install --group benchmark``.

Images come from our own simulator, each with a payload, an angle, a place and noise of its own,
and are the same for all readers. Pixel size and pitch are known to ours; the exhaustive script is
told the pixels a module. Doses are powers of the sixteenth root of two. A reader climbs them by
half octaves, then halves the interval between the last dose that failed and the first that
passed. A dose passes where no more than 1 % of the images are missed, and is given up as soon as
more are. Payloads are text, or with ``--arbitrary`` any bytes, of which nothing is known
beforehand (some readers mangle them). With few images (``--images 20``) none may be missed. The
output is a Markdown table: electrons a pixel, ">5000" where more would be needed, and in brackets
wrong answers if there were any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bounds import CODES, dose_of, known_neighbours, our_likelihoods
from numpy.typing import NDArray
from other_readers import OTHERS, versions
from simulated_codes import PITCH_NM, pictured

from napari_nanoqr.reading.read import read_codes

PER_OCTAVE = 16
COARSE = 8
"""Rungs of the ladder between the doses that are tried first."""

STARTS = {
    "nanoqr": 1.0,
    "exhaustive script": 1.2,
    "WeChat": 24.0,
    "zxing-cpp": 24.0,
    "pyzbar": 24.0,
    "OpenCV": 24.0,
}
"""First doses, in bounds of the code."""

Reader = Callable[[NDArray[Any], float], set[bytes]]


def ours(image: NDArray[Any], pitch_px: float) -> set[bytes]:
    """Read with known pixel size and pitch, and nothing else."""
    readings = read_codes(image, PITCH_NM / pitch_px, PITCH_NM)
    return {reading.payload for reading in readings}


@dataclass
class Search:
    """One reader at one code."""

    reader: str
    read: Reader
    code: str
    pixels: float
    images: int
    seed: int
    arbitrary: bool = False
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)

    def passes(self, step: int) -> bool:
        """Whether a dose is enough."""
        electrons = 2 ** (step / PER_OCTAVE)
        may_miss = self.images // 100
        missed = 0
        seconds = []
        for number in range(self.images):
            shown, micrograph = pictured(
                self.code, number, electrons, self.pixels, seed=self.seed, arbitrary=self.arbitrary
            )
            start = time.perf_counter()
            found = self.read(micrograph.image, self.pixels)
            seconds.append(time.perf_counter() - start)
            self.wrong += len(found - {shown.payload})
            missed += shown.payload not in found
            if missed > may_miss:
                break
        passed = missed <= may_miss
        said = "passed" if passed else "failed"
        print(
            f"{self.reader}, {self.code} at {self.pixels:g} px, {electrons:.1f} electrons: {said}, "
            f"{missed} missed of {len(seconds)}, {np.median(seconds):.2f} s",
            file=sys.stderr,
            flush=True,
        )
        if passed:
            self.seconds = seconds
        return passed

    def least(self, first: float, most: float) -> float | None:
        """Return the least dose of the ladder that is enough, None where the most is not."""
        last = int(np.floor(np.log2(most) * PER_OCTAVE))
        step = min(round(np.log2(first) * PER_OCTAVE), last)
        if self.passes(step):
            # it began above the threshold
            while self.passes(step - COARSE):
                step -= COARSE
            low, high = step - COARSE, step
        else:
            low, high = step, min(step + COARSE, last)
            while not self.passes(high):
                if high == last:
                    return None
                low, high = high, min(high + COARSE, last)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.passes(middle) else (middle, high)
        return float(2 ** (high / PER_OCTAVE))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--codes", nargs="+", default=CODES, help="version-level@pixels a module")
    parser.add_argument("--readers", nargs="+", default=list(STARTS), choices=list(STARTS))
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--most", type=float, default=5000.0, help="electrons a pixel")
    parser.add_argument("--likelihoods", type=int, default=24, help="images for that column")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--arbitrary", action="store_true", help="bytes in place of text")
    options = parser.parse_args()
    readers: dict[str, Reader] = {"nanoqr": ours, **OTHERS}
    compared = [f"{options.images} images a dose", versions(options.readers)]
    print("; ".join(part for part in compared if part) + ".\n")
    titles = ["code", "px a module", "bound", "likelihoods", *options.readers, "nanoqr, s median"]
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}", flush=True)
    for item in options.codes:
        name, _, pixels = item.partition("@")
        version, level = int(name.split("-")[0]), name[-1]
        bound = dose_of(known_neighbours(name, float(pixels)), version, level)
        cells = [name, pixels, f"{bound:.1f}", "-"]
        if options.likelihoods:
            channel = our_likelihoods(name, float(pixels), options.likelihoods)
            cells[-1] = f"{dose_of(channel, version, level):.1f}"
        seconds = "-"
        for reader in options.readers:
            search = Search(
                reader, readers[reader], name, float(pixels), options.images, options.seed,
                options.arbitrary,
            )  # fmt: skip
            least = search.least(STARTS[reader] * bound, options.most)
            cell = f">{options.most:g}" if least is None else f"{least:.{1 if least < 50 else 0}f}"
            cells.append(cell + (f" ({search.wrong} wrong)" if search.wrong else ""))
            if reader == "nanoqr" and search.seconds:
                seconds = f"{np.median(search.seconds):.2f}"
        print(f"| {' | '.join([*cells, seconds])} |", flush=True)


if __name__ == "__main__":
    main()
