"""Fit a drawing of a whole symbol to the pixels: its lattice, its edges and its brightness at once.

All modules are known once the code has been decoded, so that the image is explained but for
noise: each edge of each module says where the lattice lies.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.blurred import EdgeShape
from napari_nanoqr.measuring.clusters import clustered_covariance
from napari_nanoqr.measuring.fitted import (
    BRIGHTNESS,
    LEVELS,
    LINEAR,
    SymbolFit,
    brightness_means,
    density_at,
    density_of,
    drawing_of,
)
from napari_nanoqr.measuring.inverse import as_bent_affine, straight_part, to_modules
from napari_nanoqr.measuring.surround import surrounded
from napari_nanoqr.measuring.symbol_pixels import pixels_of
from napari_nanoqr.reading.grid import Grid, polynomials

_CORRECTION_DOUBT = 0.35
"""Share of what that changes of the lattice which counts as its uncertainty: how far the edges
follow what is around them, and from what distance, is not known."""

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
        self.around = surrounded(image, grid, modules)
        self.dense = density_of(self.around)
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
        drawn = drawing_of(self.around, self.shape, self.places)
        basis = polynomials(scaled, max(BRIGHTNESS, self.degree))
        design = np.empty((len(self.seen), LINEAR + 2 * self.terms + 4))
        design[:, :LEVELS] = basis[:, :LEVELS]
        design[:, LEVELS] = drawn[0]
        design[:, LEVELS + 1 : LEVELS + 3] = drawn[0][:, None] * scaled
        dense = density_at(self.dense, self.places)
        design[:, LEVELS + 3 : LINEAR] = (drawn[3:5] * dense).T
        # a lattice that is moved on shows at each pixel what lay before
        moves = -basis[:, : self.terms, None] * drawn[1:3].T[:, None]
        design[:, LINEAR:-4] = moves.reshape(len(moves), -1)
        design[:, -4:] = drawn[3:].T
        if self.solution is None:
            # the levels first: where to go depends on which side is bright
            plain = design[:, : LEVELS + 3]
            levels = np.linalg.lstsq(plain, self.seen, rcond=None)[0]
            self.solution = np.append(levels, np.zeros(design.shape[1] - len(levels)))
        slopes = self.solution[LEVELS : LEVELS + 3]
        design[:, LEVELS + 3 :] *= (slopes[0] + scaled @ slopes[1:])[:, None]
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
        return self.solution[LINEAR:]

    @property
    def left(self) -> NDArray[np.float64]:
        """What the drawing leaves over at each pixel."""
        assert self.solution is not None
        return np.asarray(self.seen - self.design[:, :LINEAR] @ self.solution[:LINEAR])

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
        limit = max(_STRANGE * sigma, _OFF * abs(float(self.solution[LEVELS])))
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
        covariance = further._covariance(self.left)[LINEAR + 6 : -4, LINEAR + 6 : -4]
        square = float(bend @ np.linalg.pinv(covariance, hermitian=True) @ bend)
        return float((square - bend.size) / np.sqrt(2 * bend.size))

    def _moved_bydensity_of(self) -> NDArray[np.float64]:
        """Return how far the lattice would lie elsewhere if its edges were taken to be even."""
        assert self.solution is not None
        density = np.arange(LEVELS + 3, LINEAR)
        others = np.delete(np.arange(self.design.shape[1]), density)
        used = self.design[self._counted]
        plain, dense = used[:, others], used[:, density]
        size = np.sqrt((plain**2).sum(axis=0))
        normal = (plain / size).T @ (plain / size) + _RIDGE * np.eye(len(size))
        moved = np.linalg.solve(normal, (plain / size).T @ (dense @ self.solution[density])) / size
        return np.asarray(moved[LEVELS + 3 : -4])

    def result(self) -> SymbolFit:
        """Return what came out."""
        assert self.solution is not None
        covariance = self._covariance(self.left)
        straight = as_bent_affine(self.grid, 1).perspective[:2, :2]
        # a bend moves the nearest straight lattice by what it moves modules, in its steps
        part = straight_part(self.modules.shape, self.degree)
        change = np.einsum("yk,at,kc->yatc", straight, part, np.eye(2)).reshape(4, -1)
        place = covariance[LINEAR:-4, LINEAR:-4]
        corrected = self._moved_bydensity_of()
        place = place + _CORRECTION_DOUBT**2 * np.outer(corrected, corrected)
        levels = np.zeros((2, len(covariance)))
        levels[:, :LEVELS] = brightness_means(self.modules.shape)
        levels[1, LEVELS] = 1
        light, dark = levels @ np.append(self.solution[:LINEAR], np.zeros(len(place) + 4))
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
            linear=self.solution[:LINEAR],
            around=self.around,
            dense=self.dense,
            sigma=float(np.sqrt((self.left[self._counted] ** 2).mean())),
        )
