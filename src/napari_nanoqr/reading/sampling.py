"""Weigh all modules of a symbol together, by drawing symbols as the image tells.

Cancelling what neighbours leak by what is expected of each takes them for independent. Where the
image is so soft that a module and its neighbours can only be told apart together, they are not.
Here whole symbols are drawn from their joint distribution given the image, module after module,
each from its own given the others (Gibbs sampling: S. Geman and D. Geman, IEEE TPAMI 6 (1984)
721), and how often each module is light is counted.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.reading.bonds import pictures
from napari_nanoqr.reading.pulse import Pulse
from napari_nanoqr.reading.pulse_shapes import REACH
from napari_nanoqr.reading.subsample import CELLS, MARGIN

_SIDE = 2 * REACH + 1

SETTLING, COUNTED = 60, 240
"""Drawings of all modules before they count, and those that do."""

_FIRST_SPREAD = 1.2
"""Noise of a whole module over that of cells, before it is measured: cells share pixels."""


def sampled(
    cells: NDArray[np.float32],
    pulse: Pulse,
    signs: NDArray[np.float64],
    contrast: NDArray[np.float64],
    open_: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return log-likelihoods of modules that take the others into account.

    Parameters
    ----------
    cells : (3, 3, rows, columns) float32 array
        Grey values with the margin, uneven brightness removed.
    pulse : Pulse
        What modules do to them.
    signs : (rows, columns) float array
        What is known of each module, -1 to 1.
    contrast : (rows, columns) float array
        Relative contrast at each.
    open_ : (rows, columns) bool array
        Modules that are drawn; the others stay as they are.

    Returns
    -------
    (rows, columns) float64 array
        Natural logarithm of P(light) / P(dark), 0 where a module was not drawn.
    """
    state = np.where(open_, np.where(signs < 0, -1.0, 1.0), signs)
    shown = _shown(pulse)
    left = (cells - pulse.expected(state, contrast)).transpose(2, 3, 0, 1)
    left = np.ascontiguousarray(left, dtype=np.float32).reshape(*state.shape, CELLS**2)
    places = np.argwhere(open_)
    light = np.zeros(state.shape)
    rng = np.random.default_rng(0)
    rest = (left, shown, state.astype(np.float32), contrast.astype(np.float32), places)
    _draw(*rest, 1 / (_FIRST_SPREAD * pulse.noise), SETTLING, rng, light)
    light[:] = 0
    noise = _spread(left, shown[0]) * pulse.noise
    _draw(*rest, 1 / noise, COUNTED, rng, light)
    # what was always light may be dark once in twice as many drawings
    share = (light + 0.25) / (COUNTED + 0.5)
    return np.where(open_, np.log(share / (1 - share)), 0.0)


def _shown(pulse: Pulse) -> NDArray[np.float32]:
    """Return what a module shows around it, and its bonds with the four neighbours.

    ``(5, 5, 5, 9)``: row and column of the module, then its cell.
    """
    alone = pulse.taps[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
    edge = ((0, 0), (1, 1), (1, 1), (0, 0), (0, 0))
    bonds = np.pad(pictures(pulse.bonds).transpose(0, 3, 4, 1, 2), edge)
    both = np.concatenate((alone[None], bonds)).astype(np.float32)
    return np.ascontiguousarray(both.reshape(5, _SIDE, _SIDE, CELLS**2))


def _spread(left: NDArray[np.float32], alone: NDArray[np.float32]) -> float:
    """Return how much more noise there is of the pulse's shape than in a cell, at least as much.

    Cells share pixels, and grain is wider than a cell.
    """
    shape = alone[REACH, REACH] / np.sqrt((alone[REACH, REACH] ** 2).sum())
    inside = left[MARGIN:-MARGIN, MARGIN:-MARGIN]
    power = float((inside**2).mean())
    return max(float(((inside @ shape) ** 2).mean()) / power, 1.0) if power > 0 else 1.0


@partial(compiled, fastmath=True)
def _draw(
    left: NDArray[np.float32],
    shown: NDArray[np.float32],
    state: NDArray[np.float32],
    contrast: NDArray[np.float32],
    places: NDArray[np.int64],
    precision: float,
    times: int,
    rng: np.random.Generator,
    light: NDArray[np.float64],
) -> Any:
    """Draw all places so many times, and add up the probabilities of light, in place.

    ``left`` is what the present state leaves of the cells.
    """
    change = np.empty((_SIDE, _SIDE, CELLS * CELLS), np.float32)
    for _ in range(times):
        for n in range(places.shape[0]):
            i, j = places[n, 0], places[n, 1]
            before, after = state[i, j - 1], state[i, j + 1]
            above, below = state[i - 1, j], state[i + 1, j]
            product, energy = np.float32(0), np.float32(0)
            for k in range(_SIDE):
                for m in range(_SIDE):
                    for c in range(CELLS * CELLS):
                        value = (
                            shown[0, k, m, c]
                            + before * shown[1, k, m, c]
                            + after * shown[2, k, m, c]
                            + above * shown[3, k, m, c]
                            + below * shown[4, k, m, c]
                        )
                        change[k, m, c] = value
                        product += value * left[i + k - REACH, j + m - REACH, c]
                        energy += value * value
            size, old = contrast[i, j], state[i, j]
            odds = 2 * size * (product + size * old * energy) * precision
            share = 1 / (1 + np.exp(-min(max(odds, -40.0), 40.0)))
            light[i, j] += share
            new = np.float32(1) if rng.random() < share else np.float32(-1)
            if new != old:
                state[i, j] = new
                step = size * (old - new)
                for k in range(_SIDE):
                    for m in range(_SIDE):
                        for c in range(CELLS * CELLS):
                            left[i + k - REACH, j + m - REACH, c] += step * change[k, m, c]
