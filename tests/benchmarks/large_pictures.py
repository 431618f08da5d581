"""Measure how soon a TIFF of 16384 x 16384 pixels is seen, and how much memory that takes.

Usage: ``python tests/benchmarks/large_pictures.py [--size 16384] [--viewer]``. The picture is
noise, which no compression makes smaller: the worst that a microscope can do. For each way to
store it a fresh process opens the file, reads the level that a window shows first, and then a
region of 300 x 300 pixels at full size. Memory is the highest resident size, above that of a
process that has only imported the package; processor time tells what the clock would without other
programs, divided by the cores that help in decoding. With ``--viewer`` a window of napari opens
each file, and the time is that to the first picture in it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

LAYOUTS: dict[str, tuple[type, dict[str, Any]]] = {
    "8 bit": (np.uint8, {}),
    "16 bit": (np.uint16, {}),
    "8 bit, strips of 16 rows, deflate": (np.uint8, {"rowsperstrip": 16, "compression": "zlib"}),
    "16 bit, strips of 1 row, LZW": (np.uint16, {"rowsperstrip": 1, "compression": "lzw"}),
    "8 bit, tiles of 256, LZW": (np.uint8, {"tile": (256, 256), "compression": "lzw"}),
    "16 bit, tiles of 512, deflate": (np.uint16, {"tile": (512, 512), "compression": "zlib"}),
    "8 bit, one strip, deflate": (np.uint8, {"rowsperstrip": 1 << 20, "compression": "zlib"}),
}
HEADER = "[Scan]\nPixelWidth=6e-09\nPixelHeight=6e-09\nDwelltime=1e-06\n"


def write(path: Path, size: int, dtype: type, options: dict[str, Any]) -> None:
    """Write noise with the tag of a microscope."""
    tile = np.random.default_rng(1).normal(120, 18, (2048, 2048)).clip(0, 255)
    pixels = np.tile(tile.astype(dtype), (-(-size // 2048),) * 2)[:size, :size]
    if dtype == np.uint16:
        pixels = pixels * np.uint16(200) + np.arange(size, dtype=np.uint16) % 200
    tags = [(34682, 2, 0, HEADER, True)]
    tifffile.imwrite(path, pixels, metadata=None, extratags=tags, photometric="minisblack",
                     **options)  # fmt: skip


def peak_mb() -> float:
    """Return the highest resident size since this process began, on Linux."""
    # not by getrusage, which counts the process that this one was forked from
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def without_viewer(path: Path) -> str:
    """Open, look at the coarsest level, and read a region."""
    import dask.array  # noqa: F401
    import imagecodecs  # noqa: F401

    from napari_nanoqr.sem.read import read_micrograph

    before = peak_mb()
    clock, processor = time.perf_counter(), time.process_time()
    micrograph = read_micrograph(path)
    np.asarray(micrograph.coarser[-1])
    seen = time.perf_counter() - clock
    worked = time.process_time() - processor
    clock = time.perf_counter()
    half = micrograph.image.shape[0] // 2
    micrograph.region(half, half, 300, 300)
    region = time.perf_counter() - clock
    return (
        f"first picture {seen:.2f} s (processor {worked:.2f} s), region {region:.2f} s, "
        f"memory {peak_mb() - before:.0f} MB"
    )


def in_viewer(path: Path) -> str:
    """Open the file in a window."""
    import napari

    viewer = napari.Viewer()
    viewer.add_image(np.zeros((9, 9)))
    viewer.screenshot(flash=False)
    viewer.layers.clear()
    clock, processor = time.perf_counter(), time.process_time()
    viewer.open(str(path), plugin="napari-nanoqr")
    viewer.screenshot(flash=False)
    seen, worked = time.perf_counter() - clock, time.process_time() - processor
    viewer.close()
    return f"first picture in the window {seen:.2f} s (processor {worked:.2f} s)"


def main() -> None:
    """Write, and measure in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=16384)
    parser.add_argument("--viewer", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(in_viewer(options.one) if options.viewer else without_viewer(options.one))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, (dtype, layout) in LAYOUTS.items():
            path = Path(folder) / "large.tif"
            write(path, options.size, dtype, layout)
            command = [sys.executable, __file__, "--one", str(path)]
            command += ["--viewer"] if options.viewer else []
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{name}: {done.stdout.strip().splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    main()
