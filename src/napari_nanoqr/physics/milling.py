"""What a pattern mills: dose, beam shape, film and substrate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.materials import volume_per_dose as known_volume_per_dose
from napari_nanoqr.fib.pattern import Pattern, PointPattern
from napari_nanoqr.fib.raster import SPREAD_VARIANCE, Grid
from napari_nanoqr.physics.blur import blur

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
CELLS_PER_SPOT = 3
MOST_CELLS = 4000
"""Cells along the longer side; a larger pattern is predicted more coarsely."""


@dataclass(frozen=True)
class BeamShape:
    """Two Gaussians of revolution: the core and a wider tail.

    Parameters
    ----------
    tail_fraction : float
        Share of the current in the tail, 0 to below 1.
    tail_width : float
        Width of the tail in units of the core's.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    That 30 kV gallium beams have tails is measured (arXiv:2511.00320); share and width depend
    on the column and its alignment. The defaults are an assumption of the right order.
    """

    tail_fraction: float = 0.1
    tail_width: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.tail_fraction < 1 or not 1 <= self.tail_width <= 100:
            raise ValueError(
                "A beam's tail holds from 0 to below 1 of the current and is 1 to 100 times as "
                "wide as the core."
            )


@dataclass(frozen=True, eq=False)
class FilmState:
    """A film after milling.

    Parameters
    ----------
    depth_nm : (rows, columns) float64 array
        How deep the surface lies below the original one.
    grid : Grid
        Where the cells are.
    film : Film
        Thickness and materials.
    film_gain : (rows, columns) float64 array, optional
        Yield of the film in each cell, relative to its mean.
    covered : (rows, columns) float64 array, optional
        Yield of what lies on each cell, in units of the film's; nan where nothing does.
    """

    depth_nm: NDArray[np.float64]
    grid: Grid
    film: Film
    film_gain: NDArray[np.float64] | None = None
    covered: NDArray[np.float64] | None = None

    @property
    def remaining_nm(self) -> NDArray[np.float64]:
        """Film that is left, ``(rows, columns)``, 0 where the beam broke through."""
        return np.asarray(np.maximum(self.film.thickness_nm - self.depth_nm, 0.0))


def mill(
    pattern: Pattern,
    film: Film,
    beam: Beam | None = None,
    *,
    volume_per_dose_um3_per_nc: float | None = None,
    substrate_volume_per_dose_um3_per_nc: float | None = None,
    base_dose_nc_per_um2: float | None = None,
    shape: BeamShape | None = None,
    cell_nm: float | None = None,
) -> FilmState:
    """Predict the film that a pattern leaves.

    Parameters
    ----------
    pattern : Pattern
        As read back from its file.
    film : Film
        What is milled.
    beam : Beam, optional
        By default the one that the pattern's sidecar names.
    volume_per_dose_um3_per_nc, substrate_volume_per_dose_um3_per_nc : float, optional
        By default the tabulated values of the film's and the substrate's material.
    base_dose_nc_per_um2 : float, optional
        For shapes: dose at a dose factor of 1; by default as the sidecar says.
    shape : BeamShape, optional
        Tail of the beam.
    cell_nm : float, optional
        Side of the cells; by default a third of the spot, more for large patterns.

    Returns
    -------
    FilmState
        Depth on a grid that reaches beyond the pattern by the reach of the beam.

    Raises
    ------
    ValueError
        Where the pattern has no scale or mills nothing, or beam, dose or material are unknown.

    Notes
    -----
    Depth is dose times volume per dose, in the film until it is through and then in the
    substrate. Neither redeposition nor the dependence on the angle is modelled.
    """
    beam = beam or pattern.beam
    if beam is None:
        raise ValueError("The pattern file does not tell its beam: give current and spot.")
    bounds = pattern.bounds_nm
    if bounds is None:
        raise ValueError("The pattern mills nothing, or does not tell its scale: give its HFW.")
    shape = shape or BeamShape()
    core_nm = beam.spot_nm / FWHM_PER_SIGMA
    reach = 4 * core_nm * (shape.tail_width if shape.tail_fraction else 1.0)
    left, top, right, bottom = bounds
    largest = max(right - left, bottom - top) + 2 * reach
    cell = cell_nm or max(beam.spot_nm / CELLS_PER_SPOT, largest / MOST_CELLS)
    grid = Grid.around((left - reach, top - reach, right + reach, bottom + reach), cell)
    dose = _dose(pattern, grid, beam, base_dose_nc_per_um2)
    # the charges of points were widened when they were divided among cells
    known = SPREAD_VARIANCE * cell**2 if isinstance(pattern, PointPattern) else 0.0
    gaussians = [
        (share, np.eye(2) * max((core_nm * width) ** 2 - known, 0.0))
        for share, width in (
            (1 - shape.tail_fraction, 1.0),
            (shape.tail_fraction, shape.tail_width),
        )
        if share
    ]
    blurred = np.maximum(blur(dose, cell, gaussians), 0.0)
    in_film = volume_per_dose_um3_per_nc or known_volume_per_dose(film.material, beam.ion).value
    beneath = (
        substrate_volume_per_dose_um3_per_nc
        or known_volume_per_dose(film.substrate, beam.ion).value
    )
    return FilmState(milled_depth_nm(blurred, film.thickness_nm, in_film, beneath), grid, film)


def milled_depth_nm(
    dose_nc_per_um2: NDArray[np.float64],
    thickness_nm: float,
    film_um3_per_nc: float,
    substrate_um3_per_nc: float,
) -> NDArray[np.float64]:
    """Return the depth that doses mill through a film and into its substrate.

    Parameters
    ----------
    dose_nc_per_um2 : float64 array
        Ion dose in nC/um^2.
    thickness_nm : float
        Film thickness in nm.
    film_um3_per_nc, substrate_um3_per_nc : float
        Volumes per dose in um^3/nC.

    Returns
    -------
    float64 array
        Depth in nm, of the same shape.
    """
    depth = 1000 * film_um3_per_nc * dose_nc_per_um2
    below = np.maximum(depth - thickness_nm, 0.0) * (substrate_um3_per_nc / film_um3_per_nc)
    return np.asarray(np.minimum(depth, thickness_nm) + below)


def _dose(pattern: Pattern, grid: Grid, beam: Beam, base_dose: float | None) -> NDArray[np.float64]:
    """Dose in each cell in nC/um^2, before the beam's width."""
    if isinstance(pattern, PointPattern):
        charge_nc = pattern.spread(grid) * beam.current_pa / 1000
        return charge_nc / (grid.cell_nm / 1000) ** 2
    base = base_dose or pattern.metadata.get("base_dose_nc_per_um2")
    if base is None:
        raise ValueError("The layout does not tell its base dose: give it in nC/um^2.")
    return pattern.rasterise(grid) * float(base)
