"""What a pattern mills: dose, beam shape, film and substrate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.materials import volume_per_dose as known_volume_per_dose
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern
from napari_nanoqr.fib.raster import SPREAD_VARIANCE, Grid
from napari_nanoqr.physics.blur import blur
from napari_nanoqr.physics.sputtering import IDEAL, Sputtering, Stack

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
CELLS_PER_SPOT = 3
MOST_CELLS = 4000
"""Cells along the longer side; a larger pattern is predicted more coarsely."""

MOST_LANDING_CELLS = 1_200_000
"""Redeposition is reckoned in cells of a third of a spot too, or in larger ones if these are more:
two thirds in a symbol of version 40."""

MANY_PASSES = 100
"""Where a layout leaves them to the instrument."""


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
        How deep the surface lies below the original one, with what fell back on it.
    grid : Grid
        Where the cells are.
    film : Film
        Thickness and materials.
    film_gain : (rows, columns) float64 array, optional
        Yield of the film in each cell, relative to its mean.
    covered : (rows, columns) float64 array, optional
        Yield of what lies on each cell, in units of the film's; nan where nothing does.
    redeposited_nm : (rows, columns) float64 array, optional
        Thickness of what was sputtered elsewhere and lies on each cell; by default nothing.
    spread_nm : float
        Standard deviation by which material and relief have spread since they were milled.
    contrast : float
        Share that is left of the difference between the yields of film and floor.
    """

    depth_nm: NDArray[np.float64]
    grid: Grid
    film: Film
    film_gain: NDArray[np.float64] | None = None
    covered: NDArray[np.float64] | None = None
    redeposited_nm: NDArray[np.float64] | None = None
    spread_nm: float = 0.0
    contrast: float = 1.0

    @property
    def remaining_nm(self) -> NDArray[np.float64]:
        """Film that is left, ``(rows, columns)``, 0 where the beam broke through.

        What fell back counts as film: most of it is.
        """
        fallen = 0.0 if self.redeposited_nm is None else self.redeposited_nm
        native = self.film.thickness_nm - self.depth_nm - fallen
        return np.asarray(np.maximum(native, 0.0) + fallen)


def mill(
    pattern: Pattern,
    film: Film,
    beam: Beam | None = None,
    *,
    volume_per_dose_um3_per_nc: float | None = None,
    substrate_volume_per_dose_um3_per_nc: float | None = None,
    base_dose_nc_per_um2: float | None = None,
    shape: BeamShape | None = None,
    sputtering: Sputtering = IDEAL,
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
        By default the tabulated values of the film's and the substrate's material; those of
        layers between are always the tabulated ones.
    base_dose_nc_per_um2 : float, optional
        For shapes: dose at a dose factor of 1; by default as the sidecar says.
    shape : BeamShape, optional
        Tail of the beam, where it is not as the beam says.
    sputtering : Sputtering
        How the yield depends on the angle, and what falls back. By default neither: depth is
        dose times volume per dose, as a plan reckons. ``Sputtering()`` for what is to be
        expected.
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
    The dose of the points or shapes is widened by the beam. It mills with the film's volume per
    dose until the film is through, then with that of each layer below, then of the substrate.
    With the angle of incidence and redeposition see
    :class:`~napari_nanoqr.physics.sputtering.Sputtering` and
    :func:`~napari_nanoqr.physics.erosion.erode`.
    """
    beam = beam or pattern.beam
    if beam is None:
        raise ValueError("The pattern file does not tell its beam: give current and spot.")
    bounds = pattern.bounds_nm
    if bounds is None:
        raise ValueError("The pattern mills nothing, or does not tell its scale: give its HFW.")
    shape = shape or BeamShape(beam.tail_fraction, beam.tail_width)
    core_nm = beam.spot_nm / FWHM_PER_SIGMA
    reach = 4 * core_nm * (shape.tail_width if shape.tail_fraction else 1.0)
    left, top, right, bottom = bounds
    largest = max(right - left, bottom - top) + 2 * reach
    cell = cell_nm or max(beam.spot_nm / CELLS_PER_SPOT, largest / MOST_CELLS)
    grid = Grid.around((left - reach, top - reach, right + reach, bottom + reach), cell)
    dose = _dose(pattern, grid, beam, base_dose_nc_per_um2)
    # dividing points or shapes among cells has widened them already
    known = (SPREAD_VARIANCE if isinstance(pattern, PointPattern) else 1 / 12) * cell**2
    gaussians = [
        (share, np.eye(2) * max((core_nm * width) ** 2 - known, 0.0))
        for share, width in (
            (1 - shape.tail_fraction, 1.0),
            (shape.tail_fraction, shape.tail_width),
        )
        if share
    ]
    blurred = np.maximum(blur(dose, cell, gaussians), 0.0)
    stack = _stack(film, beam.ion, volume_per_dose_um3_per_nc, substrate_volume_per_dose_um3_per_nc)
    if sputtering.ideal:
        return FilmState(stack.depth_nm(blurred), grid, film)
    from napari_nanoqr.physics.erosion import erode

    coarse = max(1, round(beam.spot_nm / CELLS_PER_SPOT / cell))
    while grid.rows * grid.columns > MOST_LANDING_CELLS * coarse**2:
        coarse += 1
    passes, order = _visits(pattern, grid, coarse)
    eroded = erode(blurred, stack, sputtering, cell, coarse=coarse, passes=passes, order=order)
    return FilmState(eroded.depth_nm, grid, film, redeposited_nm=eroded.redeposited_nm)


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
    return Stack(((thickness_nm, film_um3_per_nc),), substrate_um3_per_nc).depth_nm(dose_nc_per_um2)


def _stack(film: Film, ion: str, in_film: float | None, beneath: float | None) -> Stack:
    """Thickness and volume per dose of all that lies beneath the surface."""
    first = in_film or known_volume_per_dose(film.material, ion).value
    below = [
        (layer.thickness_nm, known_volume_per_dose(layer.material, ion).value)
        for layer in film.below
    ]
    last = beneath or known_volume_per_dose(film.substrate, ion).value
    return Stack(((film.thickness_nm, first), *below), last)


def _visits(pattern: Pattern, grid: Grid, coarse: int) -> tuple[int, NDArray[np.float64] | None]:
    """Return the number of passes, and when in one the beam comes to each coarse cell."""
    if not isinstance(pattern, PointPattern):
        return int(pattern.metadata.get("passes") or MANY_PASSES), None
    from scipy.ndimage import minimum_filter

    points = pattern.points_nm
    assert points is not None  # their dose has been added up
    points, steps = points[pattern.exposes], pattern.steps[pattern.exposes]
    # a file may also list the points of all passes one after another
    first, span = steps.min(axis=0), int(np.ptp(steps[:, 0])) + 1
    places = np.unique((steps - first) @ np.array([1, span])).size
    side = coarse * grid.cell_nm
    columns = ((points[:, 0] - grid.left_nm) / side).astype(np.int64)
    rows = ((points[:, 1] - grid.top_nm) / side).astype(np.int64)
    order = np.full((-(-grid.rows // coarse), -(-grid.columns // coarse)), float(len(points)))
    order[rows, columns] = np.arange(len(points))
    # cells between points are visited with the first of those beside them
    order = np.where(order < len(points), order, minimum_filter(order, 3))
    return max(1, round(pattern.passes * len(points) / places)), order


def _dose(pattern: Pattern, grid: Grid, beam: Beam, base_dose: float | None) -> NDArray[np.float64]:
    """Dose in each cell in nC/um^2, before the beam's width."""
    if isinstance(pattern, PointPattern):
        charge_nc = pattern.spread(grid) * beam.current_pa / 1000
        return charge_nc / (grid.cell_nm / 1000) ** 2
    assert isinstance(pattern, ShapePattern)
    base = base_dose or pattern.base_dose_nc_per_um2
    if base is None:
        raise ValueError("The layout does not tell its base dose: give it in nC/um^2.")
    return pattern.rasterise(grid) * base
