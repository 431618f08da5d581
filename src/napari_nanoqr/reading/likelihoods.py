"""What the image says about each module of a symbol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.evidence import Levels
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.pulse import Pulse


@dataclass(frozen=True, eq=False)
class ModuleLikelihoods:
    """What the image says about each module.

    Parameters
    ----------
    llr : (side, side) float32 array
        ln P(light) / P(dark), from the image alone: positive = light. Bounded, since a few
        modules in a thousand are covered by something else.
    amplitude : float
        Half the distance between the grey values of light and dark areas.
    sigma : float
        Noise of a module after equalising, in grey values; rho = amplitude / sigma, for
        modules of which half of the neighbours are light. Where milling saturates, the levels
        of others lie closer or further apart: the error rate below knows that, rho does not.
    expected_error_rate : float
        Share of the modules that a threshold gets wrong, as the likelihoods expect it.
    inverted : bool
        Dark modules are the brighter ones.
    grid : Grid
        Where the modules were sampled.
    blank : (side, side) float32 array
        How likely each module lies in an area that is covered or gone; its likelihood is
        reduced accordingly.
    """

    llr: NDArray[np.float32]
    amplitude: float
    sigma: float
    expected_error_rate: float
    inverted: bool
    grid: Grid
    blank: NDArray[np.float32]

    @property
    def rho(self) -> float:
        """Half the distance between the levels over the noise of a module."""
        return self.amplitude / self.sigma if self.sigma > 0 else 0.0

    def transposed(self) -> ModuleLikelihoods:
        """Return the same with rows and columns exchanged."""
        return replace(self, llr=self.llr.T, blank=self.blank.T, grid=self.grid.transposed())


def likelihoods_of(
    llr: NDArray[np.float64] | None,
    lost: NDArray[np.float64],
    levels: Levels | None,
    pulse: Pulse,
    grid: Grid,
) -> ModuleLikelihoods:
    """Return what was seen with the last levels and pulse, and nothing where there are none."""
    amplitude = abs(pulse.amplitude)
    if llr is None or levels is None or levels.rho <= 0 or amplitude <= 0:
        return ModuleLikelihoods(
            np.zeros(grid.shape, np.float32),
            0.0,
            0.0,
            0.5,
            pulse.amplitude < 0,
            grid,
            np.zeros(grid.shape, np.float32),
        )
    error = float((1 / (1 + np.exp(np.abs(llr)))).mean())
    return ModuleLikelihoods(
        llr.astype(np.float32),
        amplitude,
        amplitude / levels.rho,
        error,
        pulse.amplitude < 0,
        grid,
        lost.astype(np.float32),
    )


def mixed(llr: NDArray[np.float64], lost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log-likelihoods, ln P(light) / P(dark), of modules that may be lost.

    Parameters
    ----------
    llr : (rows, columns) float64 array
        Theirs where they are not.
    lost : (rows, columns) float64 array
        Probability that a module is covered or gone, and says nothing.
    """
    dark = 1 / (1 + np.exp(llr))
    result: NDArray[np.float64] = np.log((1 - lost) * (1 - dark) + lost / 2) - np.log(
        (1 - lost) * dark + lost / 2
    )
    return result
