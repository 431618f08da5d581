"""Measure how long reading takes on one core, clean images side by side with zxing-cpp.

Usage: ``OMP_NUM_THREADS=1 python tests/benchmarks/times.py [--rows clean noise limit many]
[--repeats N]``. Prints a Markdown table: processor time, that of the native readers' process
included, as the mean of all repeats, and time by the clock as their median, after a first call.
In each repeat zxing-cpp and nanoqr read the same image one after the other, so that a machine
that is busy slows both: zxing-cpp once as it comes, looking for bar codes of all kinds, and once
for QR, Micro QR and rMQR codes only, as nanoqr asks it. All else is as it comes (``try_rotate``,
``try_downscale`` and ``try_invert`` on).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import zxingcpp
from numpy.typing import NDArray
from simulated_codes import PITCH_NM, code, pictured

from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.prepare import as_bytes
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode

QR_FORMATS = zxingcpp.BarcodeFormats(
    [getattr(zxingcpp.BarcodeFormat, name) for name in ("QRCode", "MicroQRCode", "RMQRCode")]
)

SIDE = 1024
"""Pixels along a side of the images that are clean, or hold nothing."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    image: Any
    codes: int
    told: bool
    """Pixel size and pitch are told."""
    beside_zxing: bool = False
    repeats: int = 15

    def read(self) -> list[Any]:
        pitch = PITCH_NM if self.told else None
        return list(read_codes(self.image, pitch_nm=pitch))


def rendered(name: str, pixels: int) -> NDArray[np.uint8]:
    """Return a code without any noise in the middle of a light image."""
    version, level = name.split("-")
    modules = encode(code(name, 0).payload, level, int(version)).matrix
    picture = np.full((SIDE, SIDE), 255, dtype=np.uint8)
    dark = np.kron(modules, np.full((pixels, pixels), True))
    first = (SIDE - len(dark)) // 2
    picture[first : first + len(dark), first : first + len(dark)][dark] = 0
    return picture


def micrograph(name: str, pixels: float) -> Any:
    """Return a simulated micrograph of 1024 pixels and 3000 electrons a pixel."""
    return simulate_micrograph(
        code(name, 0).pattern, pixel_size_nm=PITCH_NM / pixels, electrons_per_pixel=3000,
        rotation_deg=7, shape=(SIDE, SIDE), seed=1,
    )  # fmt: skip


def clean() -> Iterator[Row]:
    """Return clean images, each as an image without any scale."""
    for name, pixels in (("3-L", 20), ("10-Q", 12)):
        image = as_bytes(micrograph(name, pixels).image.astype(np.float32))
        yield Row(f"micrograph, {name} at {pixels} px", image, 1, False, True, 25)
    for name, pixels in (("3-L", 8), ("3-L", 24), ("10-Q", 14), ("40-L", 5)):
        yield Row(f"rendering, {name} at {pixels} px", rendered(name, pixels), 1, False, True, 25)


def noise() -> Iterator[Row]:
    """Return images with nothing in them."""
    from napari_nanoqr.sem.micrograph import Micrograph

    values = np.random.default_rng(0).normal(128, 40, (SIDE, SIDE)).clip(0, 255).astype(np.uint8)
    told = Micrograph(values, (PITCH_NM / 8, PITCH_NM / 8))
    yield Row("white noise", values, 0, False)
    yield Row("white noise, pixel size and pitch told", told, 0, True)


def limit() -> Iterator[Row]:
    """Return codes at the dose at which 99 % are read."""
    for name, electrons, repeats in (("3-L", 16.0, 25), ("40-L", 16.0, 5)):
        seen = pictured(name, 0, electrons)[1]
        yield Row(f"{name} at 8 px and {electrons:g} electrons", seen, 1, True, repeats=repeats)


def many() -> Iterator[Row]:
    """Return a field of codes."""
    for side, count, repeats in ((1800, 12, 5), (8192, 100, 1)):
        across = int(np.ceil(np.sqrt(count)))
        place = side // across
        field = np.full((side, side), 140, dtype=np.float32)
        field += np.random.default_rng(0).normal(0, 25, field.shape).astype(np.float32)
        for number in range(count):
            one = pictured("3-L", number, 50.0)[1].image[:place, :place].astype(np.float32)
            one = (one - one.mean()) / one.std() * 25 + 140
            top, left = (place * n for n in divmod(number, across))
            field[top : top + one.shape[0], left : left + one.shape[1]] = one
        yield Row(f"{count} codes in {side} px", field, count, False, repeats=repeats)


ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "clean": clean, "noise": noise, "limit": limit, "many": many,
}  # fmt: skip


def of_others() -> float:
    """Return processor time of the processes that this one started, in seconds."""
    others = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(float(times.user + times.system) for times in others)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return processor time and time by the clock."""
    before = of_others()
    own, start = time.process_time(), time.perf_counter()
    work()
    own, clock = time.process_time() - own, time.perf_counter() - start
    return own + of_others() - before, clock


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["clean", "noise", "limit"])
    parser.add_argument("--repeats", type=int, help="by default 25 for short ones, less for long")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        print("OMP_NUM_THREADS is not 1: this may use more than one core\n")
    print("| image | codes | ms | by the clock | zxing-cpp, ms | ratio | QR only, ms | ratio |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for row in (row for group in options.rows for row in ROWS[group]()):
        read = len(row.read())
        times: dict[str, list[tuple[float, float]]] = {"nanoqr": [], "all": [], "QR": []}
        for _ in range(options.repeats or row.repeats):
            if row.beside_zxing:
                times["all"].append(timed(lambda row=row: zxingcpp.read_barcodes(row.image)))
                times["QR"].append(
                    timed(lambda row=row: zxingcpp.read_barcodes(row.image, formats=QR_FORMATS))
                )
            times["nanoqr"].append(timed(row.read))
        ours, clock = middle(times["nanoqr"])
        cells = [row.name, f"{read} of {row.codes}", f"{1000 * ours:.1f}", f"{1000 * clock:.1f}"]
        for name in ("all", "QR"):
            if times[name]:
                theirs, _ = middle(times[name])
                cells += [f"{1000 * theirs:.1f}", f"{ours / theirs:.2f}"]
            else:
                cells += ["", ""]
        print("|", " | ".join(cells), "|", flush=True)


def middle(times: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the mean processor time, which counts in steps, and the median by the clock."""
    cpu, clock = np.array(times).T
    return float(cpu.mean()), float(np.median(clock))


if __name__ == "__main__":
    main()
