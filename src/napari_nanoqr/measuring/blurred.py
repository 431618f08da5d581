"""What a symbol looks like whose edges are displaced and soft, at any place and with slopes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Points

_POINTS_PER_SIGMA = 1.2
_LEAST_POINTS = 6
"""Points between which is interpolated: so many to the sigma of the edges, and to a module."""

_TILE = 16
"""Modules a side that are drawn at once: most of each profile is zero in a larger one."""

_REACH = 3
"""Modules around a tile that are drawn with it: more than four times the softest edge."""

LEAST_SIGMA, MOST_SIGMA = 0.03, 0.6
"""Modules: sharper edges fall between the points, softer ones leave nothing of the modules."""

MOST_BIAS = 0.4
"""Modules: beyond, single modules are gone."""

Derivatives = NDArray[np.float64]
"""``(7, n)``: the value and its derivatives by row, column, both biases and both sigmas."""


@dataclass(frozen=True)
class EdgeShape:
    """Where edges lie, and how soft they are; all in modules, for rows and for columns.

    Parameters
    ----------
    bias : tuple of float
        How far dark areas reach beyond their nominal edges.
    sigma : tuple of float
        Standard deviations of the Gaussian that softens them.
    """

    bias: tuple[float, float] = (0.0, 0.0)
    sigma: tuple[float, float] = (0.15, 0.15)

    def moved(self, change: NDArray[np.float64]) -> EdgeShape:
        """Return this with changes added, within what can be."""
        bias = np.clip(np.add(self.bias, change[:2]), -MOST_BIAS, MOST_BIAS)
        sigma = np.clip(np.add(self.sigma, change[2:]), LEAST_SIGMA, MOST_SIGMA)
        return replace(
            self, bias=(float(bias[0]), float(bias[1])), sigma=(float(sigma[0]), float(sigma[1]))
        )


def darkness(modules: NDArray[np.bool_], shape: EdgeShape, points: Points) -> Derivatives:
    """Return how dark a symbol is at some places, 0 for light to 1 for dark.

    Parameters
    ----------
    modules : (rows, columns) bool array
        True = dark; outside of it all is light.
    shape : EdgeShape
        Where its edges lie and how soft they are.
    points : (n, 2) float array
        Row and column in modules, the symbol spanning 0 to its number of modules.

    Returns
    -------
    (7, n) float array
        The value, and its derivatives by row, by column, by the biases of edges between rows and
        between columns, and by both sigmas.

    Notes
    -----
    Dark modules are squares; where their edges move outwards, strips are added along all edges,
    and corners where two strips meet: exact for areas with sharp corners. All of these are
    products of a function of the row and one of the column, also when blurred by a Gaussian.
    """
    result = np.empty((7, len(points)))
    fine = max(_LEAST_POINTS, int(np.ceil(_POINTS_PER_SIGMA / min(shape.sigma))))
    # one module earlier, so that what is seen around the symbol makes no tiles of its own
    tiles = np.floor((points + 1) / _TILE).astype(np.intp)
    tiles -= tiles.min(axis=0)
    number = tiles[:, 0] * (tiles[:, 1].max() + 1) + tiles[:, 1]
    order = np.argsort(number, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        inside = points[here]
        first = np.floor(inside.min(axis=0)).astype(int)
        size = np.ceil(inside.max(axis=0)).astype(int) + 1 - first
        drawn = _draw(_cut(modules, first, size), shape, size, fine)
        result[:, here] = _look(drawn, inside - first, fine)
    return result


def _cut(
    modules: NDArray[np.bool_], first: NDArray[np.int_], size: NDArray[np.int_]
) -> NDArray[np.float32]:
    """Return modules from some place on with those around, light where there are none."""
    cut = np.zeros(size + 2 * _REACH, dtype=np.float32)
    start = first - _REACH
    low, high = np.maximum(start, 0), np.minimum(start + cut.shape, modules.shape)
    if (high > low).all():
        target = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
        cut[target] = modules[low[0] : high[0], low[1] : high[1]]
    return cut


def _draw(
    dark: NDArray[np.float32], shape: EdgeShape, size: NDArray[np.int_], fine: int
) -> NDArray[np.float32]:
    """Return value and derivatives on a fine lattice, ``(rows, columns, 7)``."""
    up, down = (
        _profiles(n, bias, sigma, fine)
        for n, bias, sigma in zip(size, shape.bias, shape.sigma, strict=True)
    )
    # dark before, and dark after an edge between rows, and between columns
    lead = [np.maximum(-np.diff(dark, axis=axis), 0) for axis in (0, 1)]
    trail = [np.maximum(np.diff(dark, axis=axis), 0) for axis in (0, 1)]
    corners = _corners(dark, shape.bias)
    pairs = (
        (up.value, down.value), (up.slope, down.value), (up.value, down.slope),
        (up.by_bias, down.value), (up.value, down.by_bias),
        (up.by_sigma, down.value), (up.value, down.by_sigma),
    )  # fmt: skip
    drawn = np.empty((*(fine * size + 1), len(pairs)), dtype=np.float32)
    for k, ((box_u, after_u, before_u), (box_v, after_v, before_v)) in enumerate(pairs):
        whole = box_u @ dark + after_u @ lead[0] + before_u @ trail[0]
        after = box_u @ lead[1] + after_u @ corners[1, 1] + before_u @ corners[-1, 1]
        before = box_u @ trail[1] + after_u @ corners[1, -1] + before_u @ corners[-1, -1]
        drawn[:, :, k] = whole @ box_v.T + after @ after_v.T + before @ before_v.T
    return drawn


def _corners(
    dark: NDArray[np.float32], bias: tuple[float, float]
) -> dict[tuple[int, int], NDArray[np.float32]]:
    """Return how often the place where two strips meet has to be added, by where it lies.

    Where dark areas grow, an outer corner is in no strip, and an inner one in two; where they
    shrink the light areas do the same.
    """
    if bias[0] * bias[1] <= 0:
        none_at_all = np.zeros(np.subtract(dark.shape, 1), np.float32)
        return {(a, b): none_at_all for a in (1, -1) for b in (1, -1)}
    grows = bias[0] > 0
    kind = dark > 0.5 if grows else dark < 0.5
    quarter = {
        (a, b): kind[(a > 0) : len(kind) - (a < 0), (b > 0) : kind.shape[1] - (b < 0)]
        for a in (1, -1)
        for b in (1, -1)
    }
    result = {}
    for a, b in quarter:
        # the corner lies in the module at (a, b) from the vertex where areas grow, and strips
        # lie in the module opposite where they shrink
        at = (a, b) if grows else (-a, -b)
        beside = quarter[-at[0], at[1]], quarter[at[0], -at[1]]
        across = quarter[-at[0], -at[1]]
        free = ~quarter[at]
        both, none = beside[0] & beside[1], ~beside[0] & ~beside[1]
        count = (free & none & across).astype(np.float32) - (free & both)
        result[a, b] = count if grows else -count
    return result


Profile = tuple[NDArray[np.float32], ...]
"""Functions of one coordinate: ``(points, modules)`` boxes of modules, and ``(points, edges)``
strips after and before edges."""


class _Profiles(NamedTuple):
    """Those profiles and their derivatives."""

    value: Profile
    slope: Profile
    by_bias: Profile
    by_sigma: Profile


def _profiles(count: int, bias: float, sigma: float, fine: int) -> _Profiles:
    from scipy.special import ndtr

    at = np.arange(fine * count + 1) / fine
    edges = np.arange(-_REACH, count + _REACH + 1, dtype=float)
    z = (at[:, None] - edges) / sigma
    after, before = z - bias / sigma, z + bias / sigma
    step, step_after, step_before = ndtr(z), ndtr(after), ndtr(before)
    bell, bell_after, bell_before = (
        np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) / sigma for x in (z, after, before)
    )
    inner = np.s_[:, 1:-1]

    def triple(
        plain: NDArray[np.float64], moved: NDArray[np.float64], back: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        return plain[:, :-1] - plain[:, 1:], (plain - moved)[inner], (back - plain)[inner]

    zero = np.zeros_like(bell[:, :-1])
    kinds = (
        triple(step, step_after, step_before),
        triple(bell, bell_after, bell_before),
        (zero, bell_after[inner], bell_before[inner]),
        triple(-z * bell, -after * bell_after, -before * bell_before),
    )
    return _Profiles(*(tuple(part.astype(np.float32) for part in kind) for kind in kinds))


def _look(drawn: NDArray[np.float32], points: Points, fine: int) -> NDArray[np.float64]:
    """Interpolate between the points of the lattice, the value with the help of its slopes."""
    at = points * fine
    whole = np.minimum(np.floor(at).astype(np.intp), np.array(drawn.shape[:2]) - 2)
    y, x = (at - whole).astype(np.float32).T
    flat, width = drawn.reshape(-1, drawn.shape[2]), drawn.shape[1]
    corner = whole[:, 0] * width + whole[:, 1]
    seen = np.zeros((len(points), drawn.shape[2]), dtype=np.float32)
    bent = np.zeros(len(points), dtype=np.float32)
    for down in (0, 1):
        for right in (0, 1):
            near = flat[corner + down * width + right]
            share_y, share_x = (y if down else 1 - y), (x if right else 1 - x)
            seen += near * (share_y * share_x)[:, None]
            # cubics through value and slope at both ends (Hermite), along each side of the cell
            value, by_y, by_x = near[:, 0], near[:, 1] / fine, near[:, 2] / fine
            off_y = ((1 - 2 * y) * value + share_y * by_y) * (-1 if down else 1)
            off_x = ((1 - 2 * x) * value + share_x * by_x) * (-1 if right else 1)
            bent += share_x * y * (1 - y) * off_y + share_y * x * (1 - x) * off_x
    seen[:, 0] += bent
    return np.asarray(seen.T, dtype=np.float64)
