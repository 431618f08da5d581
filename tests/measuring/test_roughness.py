"""Roughness is that of the edges, without noise and without what blur has evened out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.measuring.edges import EdgeBits
from napari_nanoqr.measuring.roughness import roughness_of

BITS = 8


def wandering(sigma: float, length: float, noise: float, seed: int = 0) -> EdgeBits:
    """Edges of six modules each that wander with exponential correlation; all in modules."""
    rng = np.random.default_rng(seed)
    lines, modules, steps = 40, 30, 16
    fine = BITS * modules * steps
    keeps = np.exp(-1 / (BITS * steps * length))
    edge = np.empty((fine, lines))
    edge[0] = rng.normal(size=lines)
    for i in range(1, fine):
        edge[i] = keeps * edge[i - 1] + np.sqrt(1 - keeps**2) * rng.normal(size=lines)
    bits = sigma * edge.reshape(-1, steps, lines).mean(axis=1) + noise * rng.normal(
        size=(BITS * modules, lines)
    )
    place, line = (array.ravel() for array in np.indices(bits.shape))
    at, bit = np.divmod(place, BITS)
    kept = at % 7 < 6
    ones = np.ones(int(kept.sum()))
    return EdgeBits(
        1, line[kept], at[kept], bit[kept], np.where(line[kept] % 2, 1, -1),
        bits.ravel()[kept], ones, BITS,
    )  # fmt: skip


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.08])
@pytest.mark.parametrize(("sigma", "length"), [(0.04, 0.3), (0.06, 1.0)])
def test_roughness_is_told_from_noise(sigma: float, length: float, noise: float) -> None:
    found = roughness_of(wandering(sigma, length, noise), blur=0.02)
    assert found is not None
    assert found.sigma == pytest.approx(sigma, rel=0.1)
    assert abs(found.sigma - sigma) < 4 * found.uncertainty
    assert found.noise == pytest.approx(noise, abs=0.015)


def test_noise_alone_is_no_roughness() -> None:
    found = roughness_of(wandering(0.0, 1.0, 0.05), blur=0.1)
    assert found is not None
    assert found.sigma < max(3 * found.uncertainty, 0.015)


def test_too_few_edges_say_nothing() -> None:
    few = wandering(0.05, 0.5, 0.02)
    some = np.arange(10)
    part = EdgeBits(
        1, few.line[some], few.at[some], few.bit[some], few.sign[some], few.outward[some],
        few.weight[some], BITS,
    )  # fmt: skip
    assert roughness_of(part, blur=0.1) is None
