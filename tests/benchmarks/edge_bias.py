"""Measure the edge bias of modules before and after the dose is corrected.

Usage: ``python tests/benchmarks/edge_bias.py [--version V] [--pitch NM]``. Each plan is written as
a stream file with 25 ns, read back, and milled in cells of 1 nm with the beam's core and tail;
an edge is where half of the film is gone. Distances in nm over all sides between a milled and a
kept module, in their middles; the last column is the time of the correction alone.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.physics.edges import edge_bias_nm
from napari_nanoqr.physics.milling import BeamShape, mill
from napari_nanoqr.physics.simulate import pattern_of
from napari_nanoqr.symbols.encode import encode


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", type=int, default=3)
    parser.add_argument("--pitch", type=float, default=49.0)
    options = parser.parse_args()
    print("| spot/pitch | tail | over-etch | mean, most before | mean, most after | s |")
    print("|---|---|---|---|---|---|")
    design = Design(encode("https://www.tuwien.at/", "L", options.version), options.pitch)
    for spot in (0.15, 0.25, 0.4, 0.5, 0.6):
        for tail, width, over_etch in ((0.1, 4, 1.0), (0.1, 4, 1.2), (0.25, 5, 1.2)):
            beam = Beam(26, spot * options.pitch, tail_fraction=tail, tail_width=width)
            before = plan_milling(design, beam, over_etch=over_etch)
            start = time.process_time()
            after = plan_milling(design, beam, over_etch=over_etch, correct_edges=True)
            seconds = time.process_time() - start
            print(
                f"| {spot:g} | {100 * tail:g} % x {width} | {over_etch:g} | {said(before)} | "
                f"{said(after)} | {seconds:.2f} |",
                flush=True,
            )


def said(plan: MillPlan) -> str:
    """Mean and largest bias of a plan."""
    bias = bias_of(plan)
    return f"{np.nanmean(bias):+.2f}, {np.nanmax(np.abs(bias)):.2f}"


def bias_of(plan: MillPlan) -> NDArray[np.float64]:
    """Biases of the film that the plan's file leaves."""
    beam = plan.beam
    state = mill(
        pattern_of(plan), plan.design.film, beam,
        volume_per_dose_um3_per_nc=plan.volume_per_dose.value,
        shape=BeamShape(beam.tail_fraction, beam.tail_width), cell_nm=1.0,
    )  # fmt: skip
    return edge_bias_nm(state, plan.placed)


if __name__ == "__main__":
    main()
