"""Time and memory of reading, measuring and reporting a folder of micrographs.

Run as ``python tests/benchmarks/batch.py [--images N] [--jobs N]``. Prints the time of all of it
after a first image (which compiles), and the memory of all processes together in the course.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.batch import images_in, read_batch
from napari_nanoqr.measuring.batch_files import BatchFiles
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--jobs", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "images"
        folder.mkdir()
        for n in range(options.images):
            make(folder / f"{n:03d}.tif", n)
        measure(folder, Path(name), options.jobs)


def make(path: Path, seed: int) -> None:
    """Write an image of 1024 x 1024 pixels with a symbol of version 3 of another dose and turn."""
    image = simulate_micrograph(
        Design(encode(f"https://www.tuwien.at/{seed:04d}", "L", version=3)),
        electrons_per_pixel=[60, 200, 600, 3000][seed % 4], rotation_deg=7.0 * seed,
        shape=(1024, 1024), seed=seed,
    )  # fmt: skip
    write_micrograph(image, path)


def measure(folder: Path, out: Path, jobs: int | None) -> None:
    """Print what it takes."""
    done = threading.Event()
    seen: list[float] = []

    def look() -> None:
        while not done.wait(0.5):
            seen.append(memory_mb())

    images = images_in(folder)
    list(read_batch(images[:1], jobs=1))
    watcher = threading.Thread(target=look)
    start = time.perf_counter()
    watcher.start()
    good = 0
    with BatchFiles(out / "codes.parquet", out / "report.html") as files:
        for item in read_batch(images, reports=out / "reports", thumbnails=True, jobs=jobs):
            files.add(item)
            good += item.good
    taken = time.perf_counter() - start
    done.set()
    watcher.join()
    half = len(seen) // 2
    print(
        f"{good} of {len(images)} read, measured and reported in {taken:.1f} s "
        f"({taken / len(images):.2f} s an image); memory of all processes at most "
        f"{max(seen[:half]):.0f} MB in the first half, {max(seen[half:]):.0f} MB in the second"
    )


def memory_mb() -> float:
    """Return the resident memory of this process and of all below it (Linux)."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)], pages[int(entry.name)] = int(fields[1]), int(fields[21])
        except (ValueError, OSError):
            continue
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(pages.get(process, 0) for process in ours) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
