"""Recesses of several depths whose signals lie equally far apart, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.film import Film
from napari_nanoqr.physics.sem import SemModel

END_POINT_SPREAD = 0.01
"""Standard deviation of a module's depth, as a share of it: current, dwell and film thickness. An
assumption for one field of view; a writer finds out its own from a verified sheet."""


@dataclass(frozen=True, eq=False)
class LevelSet:
    """The levels of a module: how deep, with how much dose, how bright.

    Parameters
    ----------
    depth_nm : (levels,) float64 array
        Depth of the floor, rising; the first is 0, the intact film.
    dose : (levels,) float64 array
        Dose in units of that which just mills through the film.
    signal : (levels,) float64 array
        Relative yield that the SEM sees in the middle of a wide area.
    spread : (levels,) float64 array
        Standard deviation of the signal that comes from modules milled too deep or too shallow.
    """

    depth_nm: NDArray[np.float64]
    dose: NDArray[np.float64]
    signal: NDArray[np.float64]
    spread: NDArray[np.float64]

    @property
    def bits(self) -> int:
        """Bits that a module carries."""
        return round(math.log2(len(self.depth_nm)))

    @property
    def dose_per_bit(self) -> float:
        """Mean dose for each bit, all levels as frequent, in units of the end-point's dose."""
        return float(self.dose.mean() / self.bits)

    def error_rate(self, detected: float, pixels: float) -> float:
        """Predict how often the nearest level is not the one that was milled.

        Parameters
        ----------
        detected : float
            Detected electrons for each pixel at a relative yield of 1.
        pixels : float
            Pixels that together tell the level of a module; fewer than it has, since its
            neighbours blur into those at its edges.

        Returns
        -------
        float
            Share of wrong levels, all as frequent: shot noise and end-point spread are taken as
            Gaussians, decided half-way between neighbouring signals.

        Raises
        ------
        ValueError
            Where a number is not positive.
        """
        if not (detected > 0 and pixels > 0):
            raise ValueError("Levels are told apart by positive numbers of electrons and pixels.")
        sigma = np.hypot(self.spread, np.sqrt(self.signal / (detected * pixels)))
        half = np.abs(np.diff(self.signal)) / 2
        wrong = np.zeros(len(self.signal))
        for level, gap in enumerate(half):
            for side in (level, level + 1):
                wrong[side] += 0.5 * math.erfc(gap / sigma[side] / math.sqrt(2))
        return float(wrong.mean())


def level_set(
    bits: int = 1,
    film: Film | None = None,
    model: SemModel | None = None,
    *,
    over_etch: float = 1.0,
    end_point_spread: float = END_POINT_SPREAD,
) -> LevelSet:
    """Choose depths so that the signals of the levels are equally spaced.

    Parameters
    ----------
    bits : int
        Bits a module: 1 or 2.
    film : Film, optional
        By default 15 nm of CrN on glass.
    model : SemModel, optional
        Yields and escape depth.
    over_etch : float
        Dose of the deepest level, in units of that which just mills through.
    end_point_spread : float
        Standard deviation of a module's dose or of the film's thickness, as a share.

    Returns
    -------
    LevelSet
        Of 2 or 4 levels.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    The signal of a film of which r nm remain is
    ``floor + (film - floor) (1 - exp(-r / escape)) / (1 - exp(-thickness / escape))``, as
    `napari_nanoqr.physics.sem` takes it. It falls only where little is left: with 2 nm of escape
    depth and 15 nm of film the four depths are 0, 12.8, 14.2 and 15 nm, and a share of the
    end-point moves the middle ones most. Landing energies at which the signal comes from deeper
    make them easier to hit.
    """
    if bits not in (1, 2):
        raise ValueError(f"A module carries 1 or 2 bits, not {bits}.")
    if not 1 <= over_etch <= 3 or not 0 <= end_point_spread < 0.5:
        raise ValueError("An over-etch is from 1 to 3, and a spread of depths from 0 to 0.5.")
    film, model = film or Film(), model or SemModel()
    cover = np.linspace(1, 0, 2**bits)
    whole = -math.expm1(-film.thickness_nm / model.escape_nm)
    left = -model.escape_nm * np.log1p(-cover * whole)
    depth = film.thickness_nm - left
    depth[0] = 0.0
    dose = depth / film.thickness_nm
    dose[-1] = over_etch
    contrast = model.film_yield - model.floor_yield
    steepness = contrast / whole / model.escape_nm * np.exp(-left / model.escape_nm)
    spread = np.abs(steepness) * end_point_spread * dose * film.thickness_nm
    # beyond the film there is nothing whose thickness could differ
    spread[-1] *= math.exp(-(over_etch - 1) * film.thickness_nm / model.escape_nm)
    return LevelSet(depth, dose, model.floor_yield + contrast * cover, spread)
