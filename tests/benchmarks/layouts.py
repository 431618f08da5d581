"""A million modules as GDSII and OASIS, both read back by KLayout.

Run as ``OMP_NUM_THREADS=1 python tests/benchmarks/layouts.py [--side 1000] [--doses 1]``. The
modules are milled at random, and merged into rectangles and into polygons. Time is that of merging
them and writing the file; reading back by this program is told beside it. The area of every data
type, as KLayout finds it, has to be that of the modules to the last unit, no two shapes may
overlap, and none may have more corners than GDSII allows; else the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import get_args

import klayout.db
import numpy as np

from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats import gdsii, oasis
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.outlining import Merged

PITCH_NM = 49.0
SHAPES = get_args(Merged)


def random_modules(side: int, doses: int, seed: int) -> Exposure:
    """Return modules of which half are milled, with as many doses as wanted."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(1, 0.5, doses, dtype=np.float32)
    dose = levels[rng.integers(0, doses, (side, side))] * (rng.random((side, side)) < 0.5)
    corner = -PITCH_NM * side / 2
    lattice = Lattice(dose.astype(np.float32), PITCH_NM, corner, corner)
    volume = VolumePerDose.exactly(0.12)
    return Exposure((lattice,), find_beam(), side * PITCH_NM / 800, 1.0, 100, volume)


def wrong_areas(exposure: Exposure, path: Path) -> int:
    """Count the data types whose area KLayout finds to be another, or covered twice."""
    layout = klayout.db.Layout()
    layout.read(str(path))
    unit = round(PITCH_NM / (1000 * layout.dbu))
    found: dict[int, int] = {}
    for index in layout.layer_indexes():
        region = klayout.db.Region(layout.top_cell().begin_shapes_rec(index))
        region.merged_semantics = False
        if any(polygon.num_points() > 199 for polygon in region.each()):
            return 1
        found[layout.get_info(index).datatype] = region.area()
    everything = klayout.db.Region()
    for index in layout.layer_indexes():
        everything.insert(layout.top_cell().begin_shapes_rec(index))
    twice = everything.merged().area() != sum(found.values())
    values, counts = np.unique(np.rint(exposure.lattices[0].dose * 1000), return_counts=True)
    wanted = {int(v): int(n) * unit**2 for v, n in zip(values, counts, strict=True) if v > 0}
    wrong = [kind for kind in wanted | found if wanted.get(kind) != found.get(kind)]
    return len(wrong) + int(twice)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--doses", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    exposure = random_modules(options.side, options.doses, options.seed)
    milled = exposure.lattices[0].n_points
    area = milled * (PITCH_NM / 1000) ** 2
    print(f"{options.side**2:,} modules, {milled:,} milled ({area:,.1f} um^2)")
    for shapes in SHAPES:
        start = time.perf_counter()
        outlines = exposure.outlines(shapes)
        merging = time.perf_counter() - start
        print(
            f"merged into {len(outlines.factors):,} {shapes} with {len(outlines.corners_nm):,} "
            f"corners in {merging:.2f} s"
        )
    print("| format | shapes | write, s | size, MB | area exact | read, s |")
    print("|---|---|---|---|---|---|")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for form, shapes in product((gdsii.FORMAT, oasis.FORMAT), SHAPES):
            path = Path(folder) / f"modules{form.suffix}"
            start = time.perf_counter()
            said = form.write(exposure, path, shapes=shapes)
            writing = time.perf_counter() - start
            wrong = wrong_areas(exposure, path)
            failed += wrong
            start = time.perf_counter()
            pattern = form.read(path, said, None)
            reading = time.perf_counter() - start
            failed += not np.isclose(pattern.charge_nc, exposure.charge_nc, rtol=1e-9)
            size = path.stat().st_size / 1e6
            exact = "no" if wrong else "yes"
            print(
                f"| {form.name} | {shapes} | {writing:.2f} | {size:.2f} | {exact} | {reading:.2f} |"
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
