"""How the yield of sputtering depends on the angle, and how a dose eats through layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST_COSECANT = 60.0
"""The law is used up to 89 degrees; no surface of a depth map is steeper for long."""


@dataclass(frozen=True)
class Sputtering:
    """How the yield depends on the angle of incidence, and what becomes of sputtered atoms.

    Parameters
    ----------
    angle_power : float
        Yamamura's f: the yield rises as 1/cos^f at first. 0 for a yield that does not depend
        on the angle.
    best_angle_deg : float
        Angle of incidence of the highest yield.
    cascade_nm : float
        Standard deviation of the surface over which a collision cascade averages; the angle is
        that of the surface so averaged.
    sticking : float
        Share of the sputtered atoms that stay where they hit a facing wall, 0 to 1; the others
        leave. 0 for no redeposition.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    Yamamura, Itikawa and Itoh, "Angular dependence of sputtering yields of monatomic solids",
    IPPJ-AM-26, Nagoya (1983), write ``Y(theta) / Y(0) = x^f exp(-f cos(best) (x - 1))`` with
    ``x = 1 / cos(theta)``. Their formulas for f (with f_s = 1.75, in the middle of their 1.5 to
    2) and for the best angle give, for 30 kV gallium on Cr, Ti, Al, W, Au and Si, f from 1.86
    to 1.95, 78.4 to 80.2 degrees and a highest yield of 4.6 to 6.3 times that at normal
    incidence; the defaults lie in the middle. Ertl (thesis, TU Wien, 2010) uses a factor of 8
    for silicon.

    The law is that of a plane. 30 kV gallium comes to rest about 10 nm deep in a nitride and
    spreads some nm sideways, so an edge narrower than that is no slope to it. Width of the
    average and sticking share are assumptions of the right order, not measured on such films.
    """

    angle_power: float = 1.9
    best_angle_deg: float = 79.0
    cascade_nm: float = 5.0
    sticking: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.angle_power <= 10 or not 0 < self.best_angle_deg < 90:
            raise ValueError(
                "The yield rises with 1/cos to a power of 0 to 10, up to an angle below 90 degrees."
            )
        if not 0 <= self.cascade_nm <= 1000:
            raise ValueError("A cascade averages over a width of 0 to 1000 nm.")
        if not 0 <= self.sticking <= 1:
            raise ValueError("The share of sputtered atoms that stick is from 0 to 1.")

    @property
    def ideal(self) -> bool:
        """Whether depth is nothing but dose times volume per dose."""
        return self.angle_power == 0 and self.sticking == 0

    def relative_yield(self, slope_squared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the yield of slopes in units of that at normal incidence.

        Parameters
        ----------
        slope_squared : float64 array
            Squared tangent of the angle of incidence, for a beam from above.

        Returns
        -------
        float64 array
            Of the same shape; 1 for 0. Since a slope spreads the same ions over more surface,
            and goes down faster than it recedes, by one and the same factor, this is also how
            much faster a depth grows there.
        """
        x = np.minimum(np.sqrt(1 + slope_squared), LARGEST_COSECANT)
        fall = self.angle_power * np.cos(np.deg2rad(self.best_angle_deg))
        return np.asarray(x**self.angle_power * np.exp(-fall * (x - 1)))


EXPECTED = Sputtering()
"""What is to be expected of a film that was not measured."""

IDEAL = Sputtering(angle_power=0.0, sticking=0.0)
"""Depth is dose times volume per dose, whatever the slope, and nothing falls back."""


@dataclass(frozen=True)
class Stack:
    """What lies beneath a surface: layers from the top, then a substrate without end.

    Parameters
    ----------
    layers : sequence of (float, float)
        Thickness in nm and volume per dose in um^3/nC of each layer.
    substrate : float
        Volume per dose of what lies beneath all, in um^3/nC.

    Raises
    ------
    ValueError
        Where a value is not positive.
    """

    layers: Sequence[tuple[float, float]]
    substrate: float

    def __post_init__(self) -> None:
        if min([self.substrate, *(value for layer in self.layers for value in layer)]) <= 0:
            raise ValueError("Thicknesses and volumes per dose are positive.")

    @property
    def film(self) -> float:
        """Volume per dose of the uppermost layer, in um^3/nC."""
        return self.layers[0][1] if self.layers else self.substrate

    @property
    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Dose and depth at which each layer begins, and nm per dose in it, ``(n + 1,)`` each."""
        thickness = np.array([layer[0] for layer in self.layers])
        rate = 1000 * np.array([*(layer[1] for layer in self.layers), self.substrate])
        depth = np.concatenate(([0.0], np.cumsum(thickness)))
        dose = np.concatenate(([0.0], np.cumsum(thickness / rate[:-1])))
        return dose, depth, rate

    def depth_nm(self, dose: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how deep doses in nC/um^2 mill at normal incidence, of the same shape."""
        starts, _, rates = self.corners
        # the depth is a sum of kinks: from each layer on, it grows by another rate
        depth = rates[0] * dose
        for start, change in zip(starts[1:], np.diff(rates), strict=True):
            if change:
                depth = depth + change * np.maximum(dose - start, 0.0)
        return np.asarray(depth)
