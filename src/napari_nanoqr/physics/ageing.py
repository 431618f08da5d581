"""What years do to a milled film: spreading, fading, pits, scratches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.damage import Patch, widened
from napari_nanoqr.physics.milling import FilmState

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""CODATA 2018."""

ZERO_C_IN_K = 273.15

_PITS, _SCRATCHES = range(2)
"""Each kind of damage has random numbers of its own."""

_PIT_SIZES = (0.5, 1.5)
"""Least and largest pit in units of the mean one."""


def acceleration(temperature_c: float, reference_c: float, activation_ev: float) -> float:
    """Return how many times as fast a thermally activated process runs.

    Parameters
    ----------
    temperature_c, reference_c : float
        Temperatures in degrees Celsius: of the process, and of the one it is compared with.
    activation_ev : float
        Activation energy in eV.

    Returns
    -------
    float
        Rate over the rate at the reference.

    Raises
    ------
    ValueError
        Where a temperature is below the absolute zero.

    References
    ----------
    S. Arrhenius, Z. Phys. Chem. 4 (1889) 226: a rate goes with exp(-E / kT).
    """
    kelvin = [temperature_c + ZERO_C_IN_K, reference_c + ZERO_C_IN_K]
    if min(kelvin) <= 0:
        raise ValueError(f"A temperature of {min(temperature_c, reference_c):g} °C cannot be.")
    # exp overflows where nobody measures
    exponent = activation_ev / BOLTZMANN_EV_PER_K * (1 / kelvin[1] - 1 / kelvin[0])
    return float(np.exp(np.clip(exponent, -500, 500)))


@dataclass(frozen=True)
class Ageing:
    """What happens to a film while it is kept. Without a time, nothing.

    Nobody has measured how chromium nitride on glass ages: **every rate and every activation
    energy below is an assumption**. The rates are chosen so that the record's code shows its age
    after some centuries at 25 °C, so as to try out how a trend is followed; they are no
    prediction.

    Parameters
    ----------
    years : float
        Time since milling.
    temperature_c : float
        At which it was kept, in degrees Celsius.
    diffusion_nm2_per_year : float
        Diffusion constant D at the reference temperature. Material and relief spread by
        sigma = sqrt(2 D t) along x and y.
    fading_per_year : float
        Rate k at the reference temperature: the difference between film and floor falls as
        exp(-k t), as for a reaction of first order.
    pits_per_um2_year : float
        Pits that open in each um^2 and year at the reference temperature, at random times and
        places; the film is gone there.
    pit_nm : float
        Mean diameter of a pit; they are from half to one and a half times as wide.
    readouts_per_year : float
        How often the specimen is taken out and read.
    scratches_per_readout : float
        Scratches through the field that each readout leaves on average, whatever the
        temperature.
    scratch_nm : float
        Width of a scratch.
    diffusion_ev, fading_ev, pits_ev : float
        Activation energies of the three.
    reference_c : float
        Temperature at which the rates hold.
    seed : int
        Where and when pits and scratches come.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """

    years: float = 0.0
    temperature_c: float = 25.0
    diffusion_nm2_per_year: float = 0.2
    fading_per_year: float = 5e-4
    pits_per_um2_year: float = 5e-3
    pit_nm: float = 40.0
    readouts_per_year: float = 0.1
    scratches_per_readout: float = 0.0
    scratch_nm: float = 30.0
    diffusion_ev: float = 1.0
    fading_ev: float = 1.0
    pits_ev: float = 1.0
    reference_c: float = 25.0
    seed: int = 0

    def __post_init__(self) -> None:
        rates = (
            self.years, self.diffusion_nm2_per_year, self.fading_per_year, self.pits_per_um2_year,
            self.readouts_per_year, self.scratches_per_readout, self.diffusion_ev, self.fading_ev,
            self.pits_ev, float(self.seed),
        )  # fmt: skip
        if not (np.isfinite(rates).all() and min(rates) >= 0):
            raise ValueError("Years, rates, activation energies and seeds are not negative.")
        if not (0 < self.pit_nm < 1e6 and 0 < self.scratch_nm < 1e6):
            raise ValueError("Pits and scratches have a size in nm.")
        # raises where a temperature cannot be
        acceleration(self.temperature_c, self.reference_c, 0.0)

    @property
    def spread_nm(self) -> float:
        """Standard deviation by which material and relief have spread."""
        reach = self.diffusion_nm2_per_year * self._time(self.diffusion_ev)
        return float(np.sqrt(2 * reach))

    @property
    def contrast(self) -> float:
        """Share that is left of the difference between film and floor."""
        return float(np.exp(-self.fading_per_year * self._time(self.fading_ev)))

    def suffered_by(
        self, state: FilmState, bounds_nm: tuple[float, float, float, float] | None = None
    ) -> FilmState:
        """Return a film as it is after the time.

        Parameters
        ----------
        state : FilmState
            The film as milled. Pits lie within its grid.
        bounds_nm : tuple of float, optional
            Left, top, right and bottom of a field of view, over which scratches go on.

        Returns
        -------
        FilmState
            The same seed gives the same pits, and those of a later time hold all those of an
            earlier one.

        Notes
        -----
        Pits and scratches spread with all that there was before them, although they are younger.
        """
        patches = self._patches(state.grid)
        if bounds_nm is not None:
            state = widened(state, bounds_nm)
        depth = state.depth_nm.copy()
        fallen = None if state.redeposited_nm is None else state.redeposited_nm.copy()
        for patch in patches:
            gone = patch.mask(state.grid) & (depth < state.film.thickness_nm)
            depth[gone] = state.film.thickness_nm
            if fallen is not None:
                fallen[gone] = 0.0
        return replace(
            state, depth_nm=depth, redeposited_nm=fallen,
            spread_nm=float(np.hypot(state.spread_nm, self.spread_nm)),
            contrast=state.contrast * self.contrast,
        )  # fmt: skip

    def _time(self, activation_ev: float) -> float:
        """Years at the reference temperature that would do the same."""
        return self.years * acceleration(self.temperature_c, self.reference_c, activation_ev)

    def _patches(self, grid: Grid) -> list[Patch]:
        side = np.array([grid.columns, grid.rows]) * grid.cell_nm
        corner = np.array([grid.left_nm, grid.top_nm])
        pits = self.pits_per_um2_year * float(np.prod(side / 1000)) * self._time(self.pits_ev)
        low, high = (size * self.pit_nm / 2 for size in _PIT_SIZES)
        # what is cut off by the border of the grid would go on beyond it
        inner = np.maximum(side - 2 * (high + grid.cell_nm), 0.0)
        found = []
        for place, turn in _events(np.random.default_rng([self.seed, _PITS]), pits):
            centre = corner + side / 2 + inner * (place - 0.5)
            found.append(Patch.disc(centre, low + (high - low) * turn, "stripped"))
        scratches = self.readouts_per_year * self.scratches_per_readout * self.years
        for place, turn in _events(np.random.default_rng([self.seed, _SCRATCHES]), scratches):
            along = np.array([np.cos(np.pi * turn), np.sin(np.pi * turn)]) * 2 * np.hypot(*side)
            through = corner + side * place
            found.append(Patch.scratch(through - along, through + along, self.scratch_nm))
        return found


def _events(rng: np.random.Generator, until: float) -> list[tuple[NDArray[np.float64], float]]:
    """Draw a Poisson process of rate 1: place in the unit square and a number for each event."""
    found, time = [], rng.exponential()
    # one event after the other, so that more time adds events and changes none
    while time <= until:
        found.append((rng.uniform(size=2), float(rng.uniform())))
        time += rng.exponential()
    return found
