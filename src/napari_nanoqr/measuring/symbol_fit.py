"""Fit a drawing of a whole symbol to the pixels: its lattice, its edges and its brightness at once.

All modules are known once the code has been decoded, so that the image is explained but for
noise: each edge of each module says where the lattice lies.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.blurred import Derivatives, EdgeShape, darkness
from napari_nanoqr.measuring.clusters import clustered_covariance
from napari_nanoqr.measuring.inverse import as_bent_affine, centres, straight_part, to_modules
from napari_nanoqr.reading.grid import Grid, Points, interpolate, polynomials

MOST_PIXELS = 80_000
"""Of larger symbols about so many are looked at: uncertainties are far below any need."""

_TILE = 8
"""Modules a side of the tiles that are chosen for that."""

_BEYOND = 0.4
"""Modules around the symbol that are looked at: its outer edges are there."""

_BRIGHTNESS = 3
"""Degree of the polynomial that follows slow changes of the brightness."""

_DENSITY_SIGMA = 0.6
"""Modules. Edges follow how much is milled around them, by the tail of the ion beam and by what
falls back: without that the outermost edges, on whose outer side nothing is milled, would make a
symbol narrower by one or two parts in 10,000."""

_CORRECTION_DOUBT = 0.4
"""Share of what that changes of the lattice which counts as its uncertainty: how far the edges
follow what is around them, and from what distance, is not known."""

_DENSITY_STEPS = 4
_AROUND = 3
"""Points a module at which that is drawn, and modules around the symbol."""

_LEVELS = (_BRIGHTNESS + 1) * (_BRIGHTNESS + 2) // 2
_FIRST = _LEVELS + 3 + 2
"""Terms of the brightness, and terms before those of the lattice."""

_RIDGE = 1e-10
"""Keeps what the image does not tell at zero."""

_BENT = 3
"""Degree of the polynomial that bends the lattice, where a bend is seen."""

_SEEN = 5.0
"""Standard deviations by which a bend has to stand out of what noise does."""

_STEPS = 12
_STILL, _STILL_EDGES = 1e-4, 1e-3
"""Modules; a fit that would move lattice and edges by less has come to its end."""

_STRANGE = 6.0
"""Standard deviations by which the mean of a module that shows something else is off."""

_OFF = 0.25
"""Share of the contrast by which it has to be off as well."""

_TOO_STRANGE = 0.5
"""Share of such modules from which on this is not the symbol."""


@dataclass(frozen=True, eq=False)
class SymbolFit:
    """A symbol in an image, as exactly as the image tells.

    Parameters
    ----------
    grid : Grid
        Where the modules are.
    steps : (2, 2) float array
        Pixels (y, x) from row to row, ``[:, 0]``, and from column to column, ``[:, 1]``: of the
        straight lattice that is nearest to all modules.
    steps_covariance : (4, 4) float array
        Of ``steps.ravel()``.
    shape : EdgeShape
        Edges in modules, of rows and columns.
    shape_covariance : (4, 4) float array
        Of both biases and both sigmas.
    light, dark : float
        Grey values of large areas, in the middle of the symbol.
    levels_covariance : (2, 2) float array
        Of these.
    strange : (rows, columns) bool array
        Modules that show something else than written and were left out.
    bent : bool
        The lattice is seen not to be straight.
    linear : (15,) float array
        Coefficients of brightness, contrast, and how edges follow what is around them.
    dense : (y, x) float32 array
        How much is dark around each place, less the mean.
    sigma : float
        Standard deviation of what the drawing leaves over at a pixel.
    """

    grid: Grid
    steps: NDArray[np.float64]
    steps_covariance: NDArray[np.float64]
    shape: EdgeShape
    shape_covariance: NDArray[np.float64]
    light: float
    dark: float
    levels_covariance: NDArray[np.float64]
    strange: NDArray[np.bool_]
    bent: bool
    linear: NDArray[np.float64] = field(repr=False)
    dense: NDArray[np.float32] = field(repr=False)
    sigma: float

    def levels(self, places: Points) -> NDArray[np.float64]:
        """Return the grey values of light and of dark areas at some places, ``(2, n)``."""
        scaled = self.grid.scaled(places)
        light = polynomials(scaled, _BRIGHTNESS) @ self.linear[:_LEVELS]
        slopes = self.linear[_LEVELS : _LEVELS + 3]
        return np.stack((light, light + slopes[0] + scaled @ slopes[1:]))

    def expected(self, places: Points, drawn: Derivatives) -> NDArray[np.float64]:
        """Return the grey values that the drawing of a symbol stands for.

        Parameters
        ----------
        places : (n, 2) float array
            Row and column in modules.
        drawn : (7, n) float array
            What :func:`~napari_nanoqr.measuring.blurred.darkness` gives there.
        """
        light, dark = self.levels(places)
        follows = self.linear[_LEVELS + 3 :] @ drawn[3:5] * _density_at(self.dense, places)
        return np.asarray(light + (dark - light) * (drawn[0] + follows))


def fit_symbol(
    image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_]
) -> SymbolFit | None:
    """Fit lattice, edges and brightness of a symbol whose modules are known.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor flattened.
    grid : Grid
        Where the symbol is, to a fifth of a module.
    modules : (rows, columns) bool array
        What is written, True = dark.

    Returns
    -------
    SymbolFit or None
        None where the image shows no contrast there, or hardly anything of the symbol.

    Notes
    -----
    Gauss-Newton on the squared differences of all pixels; the covariance is that of
    :func:`~napari_nanoqr.measuring.clusters.clustered_covariance`. A lattice is taken for
    straight unless a bend stands out of the noise: perspective is one, too.
    """
    straight = _Fit(image, as_bent_affine(grid, 1), modules, 1)
    if straight.run() and straight.bend_score() < _SEEN:
        return straight.result()
    bent = _Fit(image, as_bent_affine(grid, _BENT), modules, _BENT)
    return bent.result() if bent.run() else None


class _Fit:
    """The state of one fit.

    The terms are, in this order: brightness, contrast and its slopes, how the edges follow what
    is around them, lattice, edges. Up to the lattice all are linear.
    """

    def __init__(
        self, image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_], degree: int
    ) -> None:
        self.grid, self.modules, self.degree = grid, modules, degree
        self.shape = EdgeShape()
        self.strange: NDArray[np.bool_] = np.zeros(modules.shape, dtype=bool)
        self.pixels = pixels_of(image.shape, grid)
        at = self.pixels.astype(np.intp)
        self.seen = image[at[:, 0], at[:, 1]].astype(np.float64)
        self.dense = _density(modules)
        self.solution: NDArray[np.float64] | None = None

    @property
    def terms(self) -> int:
        """Terms of the polynomial that moves the lattice, for each direction."""
        return (self.degree + 1) * (self.degree + 2) // 2

    def run(self) -> bool:
        """Iterate; False where there is nothing to fit."""
        if len(self.pixels) < 4 * self.modules.size or not np.ptp(self.seen):
            return False
        for step in range(_STEPS):
            self._look()
            if step > 1:
                self._leave_out_what_is_strange()
            if self.strange.mean() > _TOO_STRANGE or not self._solve():
                return False
            change = self._change
            most = float(np.abs(change).max())
            if np.abs(change[:-4]).max() < _STILL and most < _STILL_EDGES:
                break
            if step < _STEPS - 1:
                # no step beyond what the gradient can tell
                change = change * min(1.0, 0.3 / most)
                self.grid = self.grid.bent(change[:-4].reshape(self.terms, 2))
                self.shape = self.shape.moved(change[-4:])
        return True

    def _look(self) -> None:
        """Draw the symbol and its derivatives at all pixels."""
        self.places = to_modules(self.grid, self.pixels)
        scaled = self.grid.scaled(self.places)
        drawn = darkness(self.modules, self.shape, self.places)
        basis = polynomials(scaled, max(_BRIGHTNESS, self.degree))
        design = np.empty((len(self.seen), _FIRST + 2 * self.terms + 4))
        design[:, :_LEVELS] = basis[:, :_LEVELS]
        design[:, _LEVELS] = drawn[0]
        design[:, _LEVELS + 1 : _LEVELS + 3] = drawn[0][:, None] * scaled
        dense = _density_at(self.dense, self.places)
        design[:, _LEVELS + 3 : _FIRST] = (drawn[3:5] * dense).T
        # a lattice that is moved on shows at each pixel what lay before
        moves = -basis[:, : self.terms, None] * drawn[1:3].T[:, None]
        design[:, _FIRST:-4] = moves.reshape(len(moves), -1)
        design[:, -4:] = drawn[3:].T
        if self.solution is None:
            # the levels first: where to go depends on which side is bright
            plain = design[:, : _LEVELS + 3]
            levels = np.linalg.lstsq(plain, self.seen, rcond=None)[0]
            self.solution = np.append(levels, np.zeros(design.shape[1] - len(levels)))
        slopes = self.solution[_LEVELS : _LEVELS + 3]
        design[:, _LEVELS + 3 :] *= (slopes[0] + scaled @ slopes[1:])[:, None]
        self.design = design
        cell = [
            np.floor(self.places[:, i]).astype(np.intp).clip(0, n - 1)
            for i, n in enumerate(self.modules.shape)
        ]
        self.module = np.column_stack(cell)

    def _solve(self) -> bool:
        """Solve for levels and for changes of all else."""
        used, seen = self.design, self.seen
        if self.strange.any():
            used, seen = used[self._counted], seen[self._counted]
        normal = used.T @ used
        size = np.sqrt(np.diag(normal))
        if not (size > 0).all():
            return False
        # gradients and levels differ by orders of magnitude: solved on one scale
        normal = normal / np.outer(size, size) + _RIDGE * np.eye(len(size))
        self.solution = np.linalg.solve(normal, used.T @ seen / size) / size
        return bool(np.isfinite(self.solution).all())

    @property
    def _change(self) -> NDArray[np.float64]:
        """Changes of lattice and edges that the last solution asks for."""
        assert self.solution is not None
        return self.solution[_FIRST:]

    @property
    def left(self) -> NDArray[np.float64]:
        """What the drawing leaves over at each pixel."""
        assert self.solution is not None
        return np.asarray(self.seen - self.design[:, :_FIRST] @ self.solution[:_FIRST])

    @property
    def _counted(self) -> NDArray[np.bool_]:
        """Pixels that are not in a module that shows something else."""
        return np.asarray(~self.strange[self.module[:, 0], self.module[:, 1]])

    def _leave_out_what_is_strange(self) -> None:
        """Find modules whose pixels are off together, once lattice and edges are about right."""
        assert self.solution is not None
        rows, columns = self.modules.shape
        number = self.module[:, 0] * columns + self.module[:, 1]
        count = np.bincount(number, minlength=rows * columns)
        mean = np.bincount(number, self.left, rows * columns) / np.maximum(count, 1)
        sigma = 1.4826 * float(np.median(np.abs(mean - np.median(mean))))
        limit = max(_STRANGE * sigma, _OFF * abs(float(self.solution[_LEVELS])))
        self.strange = np.asarray(np.abs(mean) > limit).reshape(rows, columns)

    def _covariance(self, left: NDArray[np.float64]) -> NDArray[np.float64]:
        counted = self._counted
        line = self.pixels[counted, 0].astype(np.intp)
        return clustered_covariance(self.design[counted], left[counted], line, self.module[counted])

    def bend_score(self) -> float:
        """Return how many standard deviations the step towards a bend is above noise."""
        further = copy(self)
        further.degree = _BENT
        further._look()
        if not further._solve():
            return float("inf")
        bend = further._change[6:-4]
        covariance = further._covariance(self.left)[_FIRST + 6 : -4, _FIRST + 6 : -4]
        square = float(bend @ np.linalg.pinv(covariance, hermitian=True) @ bend)
        return float((square - bend.size) / np.sqrt(2 * bend.size))

    def _moved_by_density(self) -> NDArray[np.float64]:
        """Return how far the lattice would lie elsewhere if its edges were taken to be even."""
        assert self.solution is not None
        density = np.arange(_LEVELS + 3, _FIRST)
        others = np.delete(np.arange(self.design.shape[1]), density)
        used = self.design[self._counted]
        plain, dense = used[:, others], used[:, density]
        size = np.sqrt((plain**2).sum(axis=0))
        normal = (plain / size).T @ (plain / size) + _RIDGE * np.eye(len(size))
        moved = np.linalg.solve(normal, (plain / size).T @ (dense @ self.solution[density])) / size
        return np.asarray(moved[_LEVELS + 3 : -4])

    def result(self) -> SymbolFit:
        """Return what came out."""
        assert self.solution is not None
        covariance = self._covariance(self.left)
        straight = as_bent_affine(self.grid, 1).perspective[:2, :2]
        # a bend moves the nearest straight lattice by what it moves modules, in its steps
        part = straight_part(self.modules.shape, self.degree)
        change = np.einsum("yk,at,kc->yatc", straight, part, np.eye(2)).reshape(4, -1)
        place = covariance[_FIRST:-4, _FIRST:-4]
        corrected = self._moved_by_density()
        place = place + _CORRECTION_DOUBT**2 * np.outer(corrected, corrected)
        levels = np.zeros((2, len(covariance)))
        levels[:, :_LEVELS] = _means(self.modules.shape)
        levels[1, _LEVELS] = 1
        light, dark = levels @ np.append(self.solution[:_FIRST], np.zeros(len(place) + 4))
        return SymbolFit(
            grid=self.grid,
            steps=straight,
            steps_covariance=change @ place @ change.T,
            shape=self.shape,
            shape_covariance=covariance[-4:, -4:],
            light=float(light),
            dark=float(dark),
            levels_covariance=levels @ covariance @ levels.T,
            strange=self.strange,
            bent=self.degree > 1,
            linear=self.solution[:_FIRST],
            dense=self.dense,
            sigma=float(np.sqrt((self.left[self._counted] ** 2).mean())),
        )


def _density(modules: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how much is dark around each place, less the mean, in quarters of modules."""
    from scipy.ndimage import gaussian_filter

    fine = np.kron(np.pad(modules, _AROUND), np.ones((_DENSITY_STEPS, _DENSITY_STEPS)))
    dense = gaussian_filter(fine.astype(np.float32), _DENSITY_SIGMA * _DENSITY_STEPS)
    return np.asarray(dense - np.float32(modules.mean()), dtype=np.float32)


def _density_at(dense: NDArray[np.float32], places: Points) -> NDArray[np.float64]:
    seen = interpolate(dense, (places + _AROUND) * _DENSITY_STEPS - 0.5)
    return np.asarray(seen, dtype=np.float64)


def _means(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the mean of each brightness polynomial over the symbol."""
    scaled = 2 * centres(shape) / np.array(shape, dtype=float) - 1
    return np.asarray(polynomials(scaled, _BRIGHTNESS).mean(axis=0))


def pixels_of(shape: tuple[int, ...], grid: Grid, beyond: float = _BEYOND) -> Points:
    """Return the pixels on a symbol and a little around it, row by row.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    grid : Grid
        Where the symbol is.
    beyond : float
        How far around, in modules.

    Returns
    -------
    (n, 2) float array
        y and x; not more than `MOST_PIXELS`, drawn at random from all where there are more.
    """
    rows, columns = grid.shape
    t = np.linspace(-beyond, 1, 33)
    down, right = -beyond + (rows + 2 * beyond) * t, -beyond + (columns + 2 * beyond) * t
    rim = np.concatenate(
        [np.column_stack(pair) for pair in (
            (down, np.full_like(t, -beyond)), (down, np.full_like(t, columns + beyond)),
            (np.full_like(t, -beyond), right), (np.full_like(t, rows + beyond), right),
        )]
    )  # fmt: skip
    edge = grid.to_pixels(rim)
    low = np.maximum(np.floor(edge.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(edge.max(axis=0)).astype(int) + 1, shape[:2])
    if (high <= low).any():
        return np.empty((0, 2))
    y, x = np.indices(high - low).reshape(2, -1)
    pixels: Points = np.column_stack((y, x)).astype(float) + low
    places = to_modules(grid, pixels)
    on = ((places > -beyond) & (places < np.array([rows, columns]) + beyond)).all(axis=1)
    if on.sum() <= MOST_PIXELS:
        return np.asarray(pixels[on])
    tiles = -(-rows // _TILE), -(-columns // _TILE)
    chosen = np.random.default_rng(0).random(tiles) < MOST_PIXELS / on.sum()
    at = (np.floor(places / _TILE).astype(np.intp)).clip(0, np.array(tiles) - 1)
    return np.asarray(pixels[on & chosen[at[:, 0], at[:, 1]]])
