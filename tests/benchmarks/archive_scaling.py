"""Measure how reading an archive scales: pixels a second, and memory of the workers.

Usage: ``python tests/benchmarks/archive_scaling.py [--gigapixels 1] [--px 4] [--workers 1 2 4]
[--kinds threads,processes]``. A few fields are written and imaged once, and stand for
as many as are wanted: each copy of an image differs by one pixel value at its corner, so that each
is an image of its own to the program. The same images are read with each number of threads, and of
processes of a dask cluster. Time is from the first task to the last image in the state; memory is
the highest resident size that each process had, from the half of the run on against the first half,
so that what grows with the number of images shows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import numpy as np

from napari_nanoqr.archive.collect import collect_images
from napari_nanoqr.archive.simulate import Imaging
from napari_nanoqr.archive.simulate_archive import simulate_archive
from napari_nanoqr.archive.sources import image_sources
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.archive.workers import PROCESSES, open_workers
from napari_nanoqr.archive.write import write_archive


def make_images(folder: Path, pixels: float, px: float) -> tuple[Path, float]:
    """Images of so many pixels together, and how many they really are."""
    import tifffile

    (folder / "random.bin").write_bytes(np.random.default_rng(0).bytes(100_000))
    manifest = write_archive([folder / "random.bin"], folder / "archive", jobs=2)
    simulate_archive(manifest, folder / "few", Imaging(px), jobs=2)
    originals = [path for path in sorted((folder / "few").iterdir()) if "01.tif" not in path.name]
    originals = originals[1:]
    many = folder / "many"
    many.mkdir()
    done, number = 0.0, 0
    while done < pixels:
        path = originals[number % len(originals)]
        target = many / f"{number:05}.tif"
        shutil.copyfile(path, target)
        image = tifffile.memmap(target, mode="r+")
        image[0, 0] = number % 256
        image[0, 1] = number // 256
        image.flush()
        done += image.size
        number += 1
    return many, done


class Memory:
    """Highest resident size of processes while something runs, in halves of the images."""

    def __init__(self) -> None:
        self.highest = [0, 0]
        self.half = 0
        self._end = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        own = psutil.Process(os.getpid())
        while not self._end.wait(0.2):
            sizes = [own.memory_info().rss]
            for child in own.children(recursive=True):
                try:
                    sizes.append(child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            self.highest[self.half] = max(self.highest[self.half], *sizes)


def read(images: Path, folder: Path, scheduler: str | None, workers: int) -> tuple[float, Memory]:
    sources = image_sources([images])
    shutil.rmtree(folder, ignore_errors=True)
    with (
        ReadingState(folder) as state,
        open_workers(scheduler, workers) as pool,
        Memory() as memory,
    ):

        def tell(done: int, planned: int, _sentence: str) -> None:
            memory.half = int(done > planned / 2)

        begun = time.perf_counter()
        collect_images(sources, state, pool, progress=tell)
        return time.perf_counter() - begun, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigapixels", type=float, default=1.0)
    parser.add_argument("--px", type=float, default=4.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--kinds", default="threads,processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        images, pixels = make_images(folder, options.gigapixels * 1e9, options.px)
        count = len(list(images.iterdir()))
        print(f"{count} images, {pixels / 1e9:.2f} Gpx, {os.cpu_count()} cores", flush=True)
        print("kind       workers      s   Mpx/s   speed-up   MB first half   MB second half")
        for kind in options.kinds.split(","):
            first = 0.0
            for workers in options.workers:
                scheduler = PROCESSES if kind == "processes" else None
                took, memory = read(images, folder / "out", scheduler, workers)
                first = first or took * options.workers[0]
                one, two = (size / 1e6 for size in memory.highest)
                print(
                    f"{kind:10} {workers:7} {took:6.1f} {pixels / took / 1e6:7.1f} "
                    f"{first / took:10.2f} {one:15.0f} {two:16.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
