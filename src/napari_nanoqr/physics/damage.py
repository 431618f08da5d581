"""What a specimen suffers: grain, scratches, particles, areas that were lost or never milled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.milling import FilmState

Effect = Literal["unmilled", "stripped", "covered"]

_GRAIN, _DEBRIS = range(2)
"""Each kind of damage has random numbers of its own."""

_DISC_SIDES = 48

_DEBRIS_YIELDS = (0.3, 2.0)
"""Dust is brighter or darker than the film, by its material and its charge."""


@dataclass(frozen=True, eq=False)
class Patch:
    """An area that does not show what was written there.

    Parameters
    ----------
    outline_nm : (n, 2) float array
        Corners of a polygon, x to the right and y down from the middle of the field.
    effect : {"unmilled", "stripped", "covered"}
        The film is whole, it is gone down to the substrate, or something lies on it.
    relative_yield : float
        For what covers: its yield in units of the film's.

    Raises
    ------
    ValueError
        Where the outline is none, the effect is unknown, or the yield is negative.
    """

    outline_nm: NDArray[np.float64]
    effect: Effect = "covered"
    relative_yield: float = 1.5

    def __post_init__(self) -> None:
        outline = np.asarray(self.outline_nm, dtype=np.float64)
        if outline.ndim != 2 or outline.shape[0] < 3 or outline.shape[1] != 2:
            raise ValueError("The outline of a patch is three or more corners, x and y.")
        if not np.isfinite(outline).all():
            raise ValueError("The corners of a patch are finite numbers.")
        if self.effect not in ("unmilled", "stripped", "covered"):
            raise ValueError(
                f"An effect {self.effect!r} does not exist: use 'unmilled', 'stripped' or "
                "'covered'."
            )
        if not 0 <= self.relative_yield < 100:
            raise ValueError(f"A yield of {self.relative_yield:g} times the film's cannot be.")

    @classmethod
    def disc(
        cls,
        centre_nm: ArrayLike,
        radius_nm: float,
        effect: Effect = "covered",
        relative_yield: float = 1.5,
    ) -> Patch:
        """Return a round patch: a particle, a pit, a drop."""
        if not radius_nm > 0:
            raise ValueError(f"A radius of {radius_nm:g} nm cannot be.")
        angle = np.arange(_DISC_SIDES) * 2 * np.pi / _DISC_SIDES
        outline = np.asarray(centre_nm) + radius_nm * np.stack((np.cos(angle), np.sin(angle)), 1)
        return cls(outline, effect, relative_yield)

    @classmethod
    def scratch(
        cls,
        start_nm: ArrayLike,
        end_nm: ArrayLike,
        width_nm: float,
        effect: Effect = "stripped",
    ) -> Patch:
        """Return a straight scratch."""
        start, end = np.asarray(start_nm, float), np.asarray(end_nm, float)
        length = float(np.hypot(*(end - start)))
        if not (width_nm > 0 and length > 0):
            raise ValueError("A scratch has a length and a width.")
        across = (end - start)[::-1] * [-1, 1] / length * width_nm / 2
        return cls(np.array([start - across, end - across, end + across, start + across]), effect)

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Return the cells of a grid whose centres lie inside, ``(rows, columns)``."""
        from skimage.draw import polygon

        x, y = np.asarray(self.outline_nm, dtype=np.float64).T
        inside = np.zeros((grid.rows, grid.columns), dtype=bool)
        rows = (y - grid.top_nm) / grid.cell_nm - 0.5
        columns = (x - grid.left_nm) / grid.cell_nm - 0.5
        inside[polygon(rows, columns, inside.shape)] = True  # type: ignore[no-untyped-call]
        return inside


@dataclass(frozen=True, eq=False)
class Damage:
    """What a specimen suffers after or despite milling. Without arguments, nothing.

    Parameters
    ----------
    grain : float
        Standard deviation of the film's yield from grain to grain, 0 to 0.5.
    grain_nm : float
        Size of the grains: the distance at which the yields' correlation has fallen to 1/e.
    particles : int
        Dust in the field of view, at random places.
    scratches : int
        Straight lines across the field along which the film is gone, at random.
    size_nm : float
        Diameter of the largest particles; scratches are up to half as wide.
    patches : tuple of Patch
        Areas at places of their own; later ones lie over earlier ones.
    seed : int
        Which grain, and where particles and scratches lie.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    Sputtered CrN grows in columns of 10 to 50 nm (Mayrhofer et al., Prog. Mater. Sci. 51, 1032
    (2006)). Their yield differs by orientation and height; by how much is a free parameter.
    """

    grain: float = 0.0
    grain_nm: float = 15.0
    particles: int = 0
    scratches: int = 0
    size_nm: float = 150.0
    patches: tuple[Patch, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.grain <= 0.5:
            raise ValueError(f"A grain of {self.grain:g} cannot be: use 0 to 0.5.")
        if not (0 < self.grain_nm < 1e6 and 0 < self.size_nm < 1e6):
            raise ValueError("Grains and particles have a size in nm.")
        if min(self.particles, self.scratches, self.seed) < 0:
            raise ValueError("Numbers of particles and scratches, and seeds, are not negative.")

    def suffered_by(
        self, state: FilmState, bounds_nm: tuple[float, float, float, float]
    ) -> FilmState:
        """Return a film with the damage.

        Parameters
        ----------
        state : FilmState
            The film as milled.
        bounds_nm : tuple of float
            Left, top, right and bottom of the field of view.

        Returns
        -------
        FilmState
            On a grid that covers the field of view, since damage does not end with the pattern.
        """
        state = widened(state, bounds_nm)
        grid, depth = state.grid, state.depth_nm.copy()
        gain, cover = np.ones_like(depth), np.full(depth.shape, np.nan)
        fallen = np.zeros_like(depth)
        if state.redeposited_nm is not None:
            fallen = state.redeposited_nm.copy()
        if self.grain:
            gain += self.grain * self._texture(grid)
        for patch in (*self.patches, *self._debris(bounds_nm)):
            inside = patch.mask(grid)
            # what covers has an even surface, and so has untouched film
            depth[inside] = state.film.thickness_nm if patch.effect == "stripped" else 0.0
            fallen[inside] = 0.0
            cover[inside] = patch.relative_yield if patch.effect == "covered" else np.nan
        return replace(
            state, depth_nm=depth, film_gain=np.maximum(gain, 0.0), covered=cover,
            redeposited_nm=fallen,
        )  # fmt: skip

    def _texture(self, grid: Grid) -> NDArray[np.float64]:
        """Correlated noise of mean 0 and standard deviation 1."""
        from scipy.ndimage import gaussian_filter

        white = np.random.default_rng([self.seed, _GRAIN]).normal(size=(grid.rows, grid.columns))
        # noise smoothed with sigma is correlated by exp(-d^2 / (4 sigma^2))
        smooth = gaussian_filter(white, self.grain_nm / 2 / grid.cell_nm, mode="wrap")
        return np.asarray(smooth / smooth.std())

    def _debris(self, bounds_nm: tuple[float, float, float, float]) -> list[Patch]:
        rng = np.random.default_rng([self.seed, _DEBRIS])
        corner, size = np.array(bounds_nm[:2]), np.subtract(bounds_nm[2:], bounds_nm[:2])
        found = []
        for _ in range(self.particles):
            radius = self.size_nm / 2 * rng.uniform(0.3, 1)
            centre = corner + size * rng.uniform(size=2)
            found.append(Patch.disc(centre, radius, "covered", rng.uniform(*_DEBRIS_YIELDS)))
        for _ in range(self.scratches):
            through = corner + size * rng.uniform(0.2, 0.8, 2)
            turn = rng.uniform(0, np.pi)
            along = np.array([np.cos(turn), np.sin(turn)]) * np.hypot(*size)
            width = self.size_nm / 2 * rng.uniform(0.2, 1)
            found.append(Patch.scratch(through - along, through + along, width))
        return found


def widened(state: FilmState, bounds_nm: tuple[float, float, float, float]) -> FilmState:
    """Continue a film, as it is at the border of its grid, over a field of view.

    Parameters
    ----------
    state : FilmState
        The film.
    bounds_nm : tuple of float
        Left, top, right and bottom of the field of view.

    Returns
    -------
    FilmState
        On a grid of the same cells that covers both.
    """
    grid = state.grid
    left, top, right, bottom = bounds_nm
    more = np.ceil(
        [
            (grid.left_nm - left) / grid.cell_nm,
            (grid.top_nm - top) / grid.cell_nm,
            (right - grid.left_nm) / grid.cell_nm - grid.columns,
            (bottom - grid.top_nm) / grid.cell_nm - grid.rows,
        ]
    )
    before_x, before_y, after_x, after_y = np.maximum(more, 0).astype(int)
    wider = Grid(
        grid.left_nm - before_x * grid.cell_nm,
        grid.top_nm - before_y * grid.cell_nm,
        grid.cell_nm,
        grid.rows + before_y + after_y,
        grid.columns + before_x + after_x,
    )
    margins = ((before_y, after_y), (before_x, after_x))
    depth = np.pad(state.depth_nm, margins, mode="edge")
    fallen = state.redeposited_nm
    if fallen is not None:
        fallen = np.pad(fallen, margins, mode="edge")
    return replace(state, depth_nm=depth, grid=wider, redeposited_nm=fallen)
