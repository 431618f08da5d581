"""The most probable way of a specimen within frames, given what each band of rows says of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

_RATES = (0.01, 0.3, 3.0, 30.0)
"""Standard deviations, in pixels, of the way within a frame; the first cannot be seen."""

_BENDS = (0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
"""Standard deviations of how much the speed changes within a frame, in pixels a frame."""

_ROUGH = 100.0
"""Change of speed from which on it may be vibration, for which finer bands are worth a look."""

_FREE_PX = 0.5
"""Standard deviation of the way from where it is thought to be at the start. It only matters
where frames show next to nothing: a look at the slopes of edges then says less than that."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the bands of all frames say of one coordinate of the way.

    Parameters
    ----------
    at : (frame, band) float array
        How far the specimen seems to be from where it was thought to be, in pixels.
    weight : (frame, band) float array
        One over the variance of that, 0 where it says nothing.
    """

    at: NDArray[np.float64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """How a specimen moves while a frame is scanned, as far as the data tell.

    Parameters
    ----------
    rate_px : float
        Standard deviation of the way within a frame.
    bend_px : float
        Standard deviation of the change of speed within a frame, in pixels a frame.
    """

    rate_px: float
    bend_px: float

    @property
    def rough(self) -> bool:
        """Whether there may be more to see in finer bands."""
        return self.bend_px >= _ROUGH


RIGID = Motion(_RATES[0], _BENDS[0])
"""Frames that move as a whole."""


def likely_motion(seen: tuple[Seen, ...]) -> Motion:
    """Return the motion under which what was seen is most likely.

    Parameters
    ----------
    seen : tuple of Seen
        One for each coordinate.

    Returns
    -------
    Motion
        The most likely of a few.

    Notes
    -----
    The marginal likelihood of a Gaussian process: D. J. C. MacKay, Neural Computation 4, 415
    (1992).
    """
    if seen[0].at.shape[1] == 1:
        return RIGID
    # what does not move does not bend either
    motions = [Motion(rate, bend) for rate, bend in product(_RATES[1:], _BENDS)]
    return max([RIGID, *motions], key=lambda motion: sum(_evidence(one, motion) for one in seen))


def likely_way(seen: Seen, motion: Motion) -> NDArray[np.float64]:
    """Return the most probable place of each band, ``(frame, band)``."""
    from scipy.linalg import solveh_banded

    held = _held(seen.at.shape, motion)
    held[-1] += seen.weight.ravel()
    found: NDArray[np.float64] = solveh_banded(held, (seen.weight * seen.at).ravel())
    return found.reshape(seen.at.shape)


def _evidence(seen: Seen, motion: Motion) -> float:
    """Return the logarithm of the likelihood of what was seen, but for a constant."""
    from scipy.linalg import cho_solve_banded, cholesky_banded

    held = _held(seen.at.shape, motion)
    free = 2 * np.log(cholesky_banded(held)[-1]).sum()
    held[-1] += seen.weight.ravel()
    factor = cholesky_banded(held)
    pull = (seen.weight * seen.at).ravel()
    explained = float(pull @ cho_solve_banded((factor, False), pull))
    return 0.5 * float(free - 2 * np.log(factor[-1]).sum() + explained)


def _held(shape: tuple[int, int], motion: Motion) -> NDArray[np.float64]:
    """Return how strongly the way is held: the upper bands of a symmetric matrix, (3, n)."""
    frames, bands = shape
    result = np.zeros((3, frames, bands))
    result[2] = 1 / (bands * _FREE_PX**2)
    for weights, strength in (
        ((-1.0, 1.0), bands / motion.rate_px**2),
        ((1.0, -2.0, 1.0), bands**3 / motion.bend_px**2),
    ):
        # sums of neighbours are held at zero: steps, and what one differs from the next
        count = bands - len(weights) + 1
        for i, a in enumerate(weights):
            for j, b in enumerate(weights[i:]):
                if count > 0:
                    result[2 - j, :, i + j : i + j + count] += strength * a * b
    return result.reshape(3, -1)
