"""Measure the outer code on one core: parity of groups, and lost members given back.

Usage: ``python tests/benchmarks/outer_code.py [--data 230] [--parity 25] [--slots 25]
[--bytes 1024] [--seconds 2]``.

Each line tells megabytes of data a second: the k members of a group, whatever the work. The
copy of the same bytes with numpy in the last line tells how fast the machine is at the moment.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from napari_nanoqr.codes import cauchy


def rate(work: Callable[[], object], size: int, seconds: float) -> float:
    """Megabytes a second of the fastest run, repeated for so long."""
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return size / best / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=int, default=230)
    parser.add_argument("--parity", type=int, default=25)
    parser.add_argument("--slots", type=int, default=25)
    parser.add_argument("--bytes", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    shape = (given.data, given.slots, given.bytes)
    data = rng.integers(0, 256, shape, dtype=np.uint8)
    parity = cauchy.encode(data, given.parity)
    print(f"{given.data} + {given.parity}, {given.slots} slots of {given.bytes} bytes")
    speed = rate(lambda: cauchy.encode(data, given.parity), data.size, given.seconds)
    print(f"encode                    {speed:8.0f} MB/s")
    everyone = dict(enumerate(np.concatenate((data, parity))))
    for lost in sorted({1, given.parity // 2, given.parity} - {0}):
        gone = rng.choice(given.data, lost, replace=False).tolist()
        there = {place: member for place, member in everyone.items() if place not in gone}

        def work(there: dict[int, np.ndarray] = there) -> np.ndarray:
            return cauchy.recover(there, given.data, given.parity)

        assert (work() == data).all()
        speed = rate(work, data.size, given.seconds)
        print(f"recover with {lost:3d} lost      {speed:8.0f} MB/s")
    speed = rate(data.copy, data.size, given.seconds)
    print(f"(copy alone               {speed:8.0f} MB/s)")


if __name__ == "__main__":
    main()
