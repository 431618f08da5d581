"""Measure how fast stream files are written and read, side by side with other programs.

Usage: ``python tests/benchmarks/stream_files.py [--points 8000000] [--sizes 8000000 24000000]
[--others PYTHON]``. numpy writes the same lines by savetxt and reads them by loadtxt, both of a
million points, since their time grows with the count; the files that are read stay the same, so
that they lie in memory for both. ``--others`` is the interpreter of an environment of its own that
has f3ast and fibomat: both are GPL, so this project never depends on them. Ratios are of points in
a second, by the clock and by processor time, of the fastest of all rounds: what else runs on a
machine only makes things slower. Memory is the highest resident size of a fresh process that
writes, above that of one that has only imported the package.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.thermo_stream import read_stream, write_stream
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose

MILLION = 1_000_000
PITCH_NM = 7.0

Times = tuple[float, float]

F3AST = """
import sys, time, numpy as np
from f3ast.stream import Stream
table = np.load(sys.argv[1])[:, :3] * [1e-4, 1.0, 1.0]
stream = Stream(table, addressable_pixels=[65536, 65536])
wall, cpu = time.perf_counter(), time.process_time()
stream.write(sys.argv[2], centre=False)
print('TIMES', time.perf_counter() - wall, time.process_time() - cpu)
"""

FIBOMAT = """
import sys, time, types, numpy as np
from fibomat.default_backends.fei import stream_file_impl
from fibomat import U_
table = np.load(sys.argv[1])[:, [1, 2, 0]] * [1.0, 1.0, 0.1]
field = types.SimpleNamespace(center=np.array([32768.0, 32768.0]), width=60000.0, height=50000.0)
units = {'length_unit': U_('µm'), 'time_unit': U_('µs')}
said = {'fov': field, 'number_of_points': len(table), **units}
write = stream_file_impl(hfw_rounding=False)
wall, cpu = time.perf_counter(), time.process_time()
write(sys.argv[2], table, said)
print('TIMES', time.perf_counter() - wall, time.process_time() - cpu)
"""

MEMORY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == '0':
    import napari_nanoqr
else:
    from stream_files import square, write_stream
    write_stream(square(int(sys.argv[2])), Path(sys.argv[3]))
for line in Path('/proc/self/status').read_text().splitlines():
    if line.startswith('VmHWM'):
        print('KB', line.split()[1])
"""


def square(points: int) -> Exposure:
    """Return an exposure of about so many points in a square."""
    side = round(points**0.5)
    corner = -side * PITCH_NM / 2
    lattice = Lattice(np.ones((side, side), dtype=np.float32), PITCH_NM, corner, corner)
    field_um = 1.1 * side * PITCH_NM / 1000
    volume = VolumePerDose.within(0.12, 10)
    return Exposure((lattice,), find_beam(), field_um, 1.0, 10, volume)


def timed(work: Callable[[], object]) -> Times:
    """Return time by the clock and processor time in s."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def elsewhere(python: str, code: str, *arguments: Path) -> Times:
    """Time a piece of another program in its own process."""
    run = subprocess.run(
        [python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    for line in run.stdout.splitlines():
        if line.startswith("TIMES"):
            _, wall, cpu = line.split()
            return float(wall), float(cpu)
    raise SystemExit(f"the other program failed:\n{run.stderr[-2000:]}")


def memory_mb(points: int, path: Path) -> float:
    """Return the highest resident size in MB of a process that writes so many points."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, Path(__file__).parent, str(points), path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(run.stdout.split("KB")[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--points", type=int, default=8 * MILLION)
    parser.add_argument("--sizes", type=int, nargs="*", default=[8 * MILLION, 24 * MILLION])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--others", metavar="PYTHON")
    options = parser.parse_args()
    exposure, million = square(options.points), square(MILLION)
    with tempfile.TemporaryDirectory() as name:
        ours, lines, table, other = (
            Path(name) / part for part in ("a.str", "b.txt", "c.npy", "d.str")
        )
        start = time.perf_counter()
        write_stream(million, ours)
        read_stream(ours, {})
        print(f"first write and read: {time.perf_counter() - start:.1f} s")
        rows = np.loadtxt(ours, dtype=np.int64, skiprows=3)
        np.save(table, rows)
        np.savetxt(lines, rows, fmt="%d", delimiter="\t")
        write_stream(exposure, ours)
        work: dict[str, tuple[int, Callable[[], Times]]] = {
            "write": (exposure.n_points, lambda: timed(lambda: write_stream(exposure, other))),
            "savetxt": (len(rows), lambda: timed(
                lambda: np.savetxt(other, rows, fmt="%d", delimiter="\t")
            )),
            "read": (exposure.n_points, lambda: timed(lambda: read_stream(ours, {}))),
            "loadtxt": (len(rows), lambda: timed(lambda: np.loadtxt(lines, dtype=np.int64))),
            "loadtxt, as it comes": (len(rows), lambda: timed(lambda: np.loadtxt(lines))),
        }  # fmt: skip
        if options.others:
            for label, code in (("f3ast", F3AST), ("fibomat", FIBOMAT)):
                work[label] = (
                    len(rows),
                    lambda code=code: elsewhere(options.others, code, table, other),
                )
        spent: dict[str, list[Times]] = {label: [] for label in work}
        for _ in range(options.rounds):
            for label, (_, run) in work.items():
                spent[label].append(run())
        print_table(work, spent)
        idle = memory_mb(0, ours)
        for points in options.sizes:
            above = memory_mb(points, ours) - idle
            dose = square(points).lattices[0].dose.nbytes / 2**20
            print(f"{points:,} points: {above:.0f} MB above {idle:.0f}, {dose:.0f} of it the doses")


def print_table(
    work: dict[str, tuple[int, Callable[[], Times]]], spent: dict[str, list[Times]]
) -> None:
    """Print ns a point, and how many times as fast we are."""
    print("\n| | ns a point, clock | CPU | ours is faster, clock | CPU |\n|---|---|---|---|---|")
    for label, (count, _) in work.items():
        mine = "read" if "load" in label or label == "read" else "write"
        each = [1e9 * min(column) / count for column in zip(*spent[label], strict=True)]
        own = [1e9 * min(column) / work[mine][0] for column in zip(*spent[mine], strict=True)]
        ratios = (
            ["", ""] if label == mine else [f"{e / o:.1f}" for e, o in zip(each, own, strict=True)]
        )
        print("|", " | ".join([label, *(f"{value:.1f}" for value in each), *ratios]), "|")
    print()


if __name__ == "__main__":
    main()
