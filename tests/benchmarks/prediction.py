"""Measure how long a prediction takes, and how near the milled film comes to theory.

Usage: ``OMP_NUM_THREADS=1 python tests/benchmarks/prediction.py [--repeats N]``. A symbol of
version 3 and one of version 40 are planned with defaults; timed is, from the pattern as read
back, the film with the angle of incidence and redeposition, and the micrograph of it. Given is
the fastest of a few runs after a first one, in wall time and in time of the processor. Beside
it the film as the plan reckons, without slopes and fallout. Theory is a wide rectangle under a
beam of two Gaussians: its edges are sums of error functions, its volume charge times rate.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.milling import FWHM_PER_SIGMA, FilmState, mill
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.physics.sputtering import EXPECTED
from napari_nanoqr.symbols.encode import encode

REACH_S = {3: 0.5, 40: 10.0}
BEAM = Beam(26, 12.5)
PITCH_NM, POINTS = 7.0, 121
DOSE = 0.125
"""Mills 15 nm of CrN."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print("| symbol | cells | film as planned | film | film and micrograph | processor | reach |")
    print("|---|---|---|---|---|---|---|")
    for version, reach in REACH_S.items():
        design = Design(encode(b"https://www.tuwien.at/en/", "L", version))
        pattern = pattern_of(plan_milling(design))
        state = mill(pattern, design.film)
        plain, _ = fastest(repeats, lambda p=pattern, d=design: mill(p, d.film))
        film, _ = fastest(repeats, lambda p=pattern, d=design: mill(p, d.film, sputtering=EXPECTED))
        both, busy = fastest(
            repeats, lambda p=pattern: simulate_micrograph(p, sputtering=EXPECTED, seed=1)
        )
        print(
            f"| version {version}, {design.symbol.modules} modules | {state.grid.rows} x "
            f"{state.grid.columns} | {plain:.3f} s | {film:.3f} s | {both:.3f} s | {busy:.3f} s | "
            f"{reach:g} s |"
        )
    print("\n| against theory | edge, of the depth | removed volume |")
    print("|---|---|---|")
    for name, pattern, width in (("points", points(), POINTS * PITCH_NM), ("shape", box(), 847.0)):
        state = mill(pattern, Film(thickness_nm=1000), BEAM)
        print(
            f"| {name} | {100 * edge_error(state, pattern, width):.2f} % | "
            f"{100 * volume_error(state, width):+.3f} % |"
        )


def fastest(repeats: int, work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of wall and of processor time."""
    work()  # compiles
    times = []
    for _ in range(repeats):
        wall, busy = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - busy))
    wall, busy = np.min(times, axis=0)
    return float(wall), float(busy)


def points() -> PointPattern:
    y, x = np.mgrid[:POINTS, :POINTS].reshape(2, -1)
    middle = (POINTS - 1) / 2
    seconds = DOSE * (PITCH_NM / 1000) ** 2 / BEAM.current_pa * 1000
    return PointPattern(
        format="benchmark", steps=np.stack((x, y), axis=1), passes=1,
        dwell_units=np.ones(POINTS**2, dtype=int), beam_on=np.ones(POINTS**2, dtype=bool),
        centre_step=(middle, middle), step_nm=PITCH_NM, dwell_unit_s=seconds,
    )  # fmt: skip


def box() -> ShapePattern:
    half = POINTS * PITCH_NM / 2
    corners = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    return ShapePattern(
        format="benchmark", polygons_nm=(corners,), dose_factors=np.ones(1),
        layers=np.zeros(1, dtype=int), base_dose_nc_per_um2=DOSE,
    )  # fmt: skip


def edge_error(state: FilmState, pattern: Pattern, width_nm: float) -> float:
    """Return the largest difference along the middle row, as a share of the depth."""
    grid = state.grid
    x = grid.left_nm + (np.arange(grid.columns) + 0.5) * grid.cell_nm
    theory = np.zeros(grid.columns)
    core = BEAM.spot_nm / FWHM_PER_SIGMA
    for share, sigma in (
        (1 - BEAM.tail_fraction, core), (BEAM.tail_fraction, core * BEAM.tail_width)
    ):  # fmt: skip
        if isinstance(pattern, PointPattern):
            at = (np.arange(POINTS) - (POINTS - 1) / 2) * PITCH_NM
            bells = np.exp(-(((x[:, None] - at) / sigma) ** 2) / 2).sum(axis=1)
            theory += share * bells * PITCH_NM / sigma / np.sqrt(2 * np.pi)
        else:
            half = width_nm / 2
            theory += share * (ndtr((x + half) / sigma) - ndtr((x - half) / sigma))
    return float(np.abs(state.depth_nm[grid.rows // 2] / (DOSE * 120) - theory).max())


def volume_error(state: FilmState, width_nm: float) -> float:
    volume = state.depth_nm.sum() * state.grid.cell_nm**2
    return float(volume / (width_nm**2 * DOSE * 120) - 1)


if __name__ == "__main__":
    main()
