"""Bound from below the dose at which any reader can read, on images of our own simulator.

Usage: ``python tests/benchmarks/bounds.py [--codes 3-L@8 40-L@8 ...] [--images N]``. Three numbers
for each code, electrons a pixel at which 1 % of the symbols are lost:

bound
    Pose, probe, film and all levels are known, and for each module all other modules as well. The
    image then is one binary choice for each module between two known pictures in Poisson and
    read noise, and the log-likelihood of that choice is normal with mean +-d^2 / 2 and variance
    d^2, where d^2 is the sum, over pixels, of the squared difference of the two pictures over
    the noise's variance. A module so carries the capacity C and the dispersion V of a binary
    symbol with rho = d / 2 in Gaussian noise. Both pictures come from milling and imaging the
    symbol with and without the module. The best code of a block's n bits for its k bits fails
    with Q((n C - k + log2(n) / 2) / sqrt(n V)) (normal approximation: Polyanskiy, Poor and Verdu,
    IEEE Trans. Inf. Theory 56, 2307 (2010)); a symbol is lost when one of its blocks is. What is
    known beforehand about payloads is not counted, nor that grey values are rounded and clipped.

likelihoods
    The same from our own likelihoods of modules, on the true grid, nothing but the function
    patterns known: C and V are mean and variance of the information density
    1 - log2(1 + exp(-s L)) over the data modules of all images, L the likelihood of what was
    written, and s the one factor that makes C greatest. The difference from the bound is what
    sampling and equalising lose; that of a reader from this is locating, registering, decoding.

sure
    The same with 20 more bits to carry in each block: what a reader needs that is wrong once in a
    million answers. Short blocks pay most for that.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simulated_codes import PITCH_NM, code, pictured

from napari_nanoqr.codes.bounds import capacity_and_dispersion
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import Pattern, PointPattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.dots import as_dots
from napari_nanoqr.physics.milling import mill
from napari_nanoqr.physics.sem import SemModel, expected_electrons
from napari_nanoqr.physics.view import View
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.tables import block_structure

LOST = 0.01
APART = 4
"""Modules between those whose pictures are told apart at the same time."""

RHO = np.linspace(0.0, 8.0, 401)
Channel = Callable[[float], tuple[float, float]]
"""From electrons a pixel to capacity and dispersion of a data module."""


SURE = 20
"""Bits of each block that tell a right answer from a wrong one but for one in a million."""


def dose_of(channel: Channel, version: int, level: str, lost: float = LOST, sure: int = 0) -> float:
    """Return the electrons a pixel at which so many symbols are lost."""
    low, high = np.log(0.5), np.log(5000.0)
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (
            (low, middle)
            if lost_share(*channel(float(np.exp(middle))), version, level, sure) < lost
            else (middle, high)
        )
    return float(np.exp((low + high) / 2))


def lost_share(
    capacity: float, dispersion: float, version: int, level: str, sure: int = 0
) -> float:
    """Return the share of symbols that the best codes of their blocks lose.

    Where answers have to be sure, so many bits of each block are left for that.
    """
    blocks = block_structure(version, level)
    kept = 1.0
    for data in blocks.data:
        n, k = 8 * (data + blocks.parity), 8 * data + sure
        margin = n * capacity - k + 0.5 * np.log2(n)
        kept *= NormalDist().cdf(margin / np.sqrt(max(n * dispersion, 1e-12)))
    return 1 - kept


def known_neighbours(
    name: str, pixels: float, rotation_deg: float = 20.0, *, probe_nm: float = 2.0,
    tilt_deg: float = 0.0, model: SemModel | None = None, **milled: Any,
) -> Channel:  # fmt: skip
    """Return the channel of a module when all others are known."""
    model = model or SemModel()
    design = code(name, 0).design
    side = design.symbol.modules
    turn = np.deg2rad(rotation_deg)
    across = 1.1 * (side + 8) * pixels * (abs(np.cos(turn)) + abs(np.sin(turn)))
    view = View(PITCH_NM / pixels, int(across), int(across), rotation_deg, tilt_deg)

    def picture(pattern: Pattern) -> NDArray[np.float64]:
        state = mill(pattern, design.film)
        (mean,) = expected_electrons(
            state, view, electrons_per_pixel=1.0, probe_nm=probe_nm, model=model
        )
        return mean

    written = picture(_pattern(design, **milled))
    place = view.to_specimen()[::-1] / PITCH_NM + side / 2
    data = ~layout_of((side, side)).certain
    pairs = []
    for first in np.ndindex(APART, APART):
        matrix = design.symbol.matrix.copy()
        matrix[first[0] :: APART, first[1] :: APART] ^= True
        changed = replace(design, symbol=replace(design.symbol, matrix=matrix))
        other = picture(_pattern(changed, **milled))
        # each pixel counts for the changed module that is nearest
        start = np.array(first)[:, None, None]
        nearest = np.rint((place - 0.5 - start) / APART).astype(int) * APART + start
        index = np.where((nearest < 0) | (nearest >= side), -1, nearest)
        inside = (index >= 0).all(axis=0) & (np.abs(other - written) > 1e-7)
        pairs.append((index[0][inside] * side + index[1][inside], written[inside], other[inside]))
    capacities, dispersions = np.array([capacity_and_dispersion(float(rho)) for rho in RHO]).T

    def channel(electrons: float) -> tuple[float, float]:
        squared = np.zeros(side * side)
        for index, one, two in pairs:
            variance = electrons * (one + two) / 2 + model.read_noise_electrons**2
            difference = electrons * (one - two)
            squared += np.bincount(index, difference**2 / variance, side * side)
        rho = np.sqrt(squared.reshape(side, side)[data]) / 2
        each = np.interp(rho, RHO, capacities)
        # modules differ: a block that gets the worse ones has less
        return float(each.mean()), float(np.interp(rho, RHO, dispersions).mean() + each.var())

    return channel


def _pattern(design: Design, *, over_etch: float = 1.0, dots: bool = False) -> PointPattern:
    """Return what mills some modules, be they a symbol or not."""
    plan = plan_milling(design, over_etch=over_etch)
    step_nm = 0.01
    pattern = PointPattern(
        format="plan", steps=np.rint(plan.points_nm / step_nm).astype(np.int64),
        dwell_units=np.ones(plan.n_points, dtype=np.int64),
        beam_on=np.ones(plan.n_points, dtype=bool), passes=plan.passes, centre_step=(0.0, 0.0),
        step_nm=step_nm, dwell_unit_s=plan.dwell_us * 1e-6, metadata={"beam": asdict(plan.beam)},
    )  # fmt: skip
    return as_dots(pattern, design) if dots else pattern


def our_likelihoods(
    name: str, pixels: float, images: int = 24, disturb: Any = None, **milled: Any
) -> Channel:
    """Return the channel that our own likelihoods of modules make, on the true grid."""
    from napari_nanoqr.reading.equalise import module_likelihoods
    from napari_nanoqr.reading.grid import Grid

    @lru_cache(maxsize=64)
    def at(step: int) -> tuple[float, float]:
        said = []
        for number in range(images):
            shown, micrograph = pictured(
                name, number, float(np.exp(step / 8)), pixels, disturb=disturb, **milled
            )
            dark = shown.design.symbol.matrix
            corners = np.array(micrograph.metadata["truth"]["corners_yx"])
            grid = Grid.from_corners(corners, dark.shape)
            llr = module_likelihoods(micrograph.image.astype(np.float32), grid).llr
            data = ~layout_of(dark.shape).certain
            said.append((llr * np.where(dark, -1, 1))[data].astype(float))
        right = np.concatenate(said)
        densities = [1 - np.logaddexp(0, -s * right) / np.log(2) for s in np.linspace(0.5, 1.5, 21)]
        best = max(densities, key=np.mean)
        return float(best.mean()), float(best.var())

    def channel(electrons: float) -> tuple[float, float]:
        # doses an eighth of a factor e apart, straight in between
        step = np.log(electrons) * 8
        low = int(np.floor(step))
        one, two = np.array(at(low)), np.array(at(low + 1))
        return tuple((one + (step - low) * (two - one)).tolist())

    return channel


CODES = ("3-L@5", "3-L@8", "3-L@12", "4-H@8", "10-Q@8", "20-M@8", "40-L@8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--codes", nargs="+", default=CODES, help="version-level@pixels a module")
    parser.add_argument("--images", type=int, default=24, help="0 leaves our likelihoods out")
    options = parser.parse_args()
    print("| code | px a module | bound | likelihoods | sure |\n|---|---|---|---|---|", flush=True)
    for item in options.codes:
        name, _, pixels = item.partition("@")
        version, level = int(name.split("-")[0]), name[-1]
        bound = dose_of(known_neighbours(name, float(pixels)), version, level)
        ours = sure = "-"
        if options.images:
            channel = our_likelihoods(name, float(pixels), options.images)
            ours = f"{dose_of(channel, version, level):.1f}"
            sure = f"{dose_of(channel, version, level, sure=SURE):.1f}"
        print(f"| {name} | {pixels} | {bound:.1f} | {ours} | {sure} |", flush=True)


if __name__ == "__main__":
    main()
