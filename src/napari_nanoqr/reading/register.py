"""Fit a grid to the image, by the modules whose value is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, polynomials
from napari_nanoqr.reading.interpolation import interpolate, interpolate_under
from napari_nanoqr.reading.template import Template, make_template

_STRAIGHT = 1e-3
"""Gain in correlation below which a grid is not bent any further."""

_STILL = 1e-3
"""Modules; a fit that would move by less has come to its end."""

_RANK = float(np.finfo(np.float64).eps)
"""Share below which a combination of coefficients counts as not seen, times their number."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A grid, and how well the image there agrees with a template.

    Parameters
    ----------
    grid : Grid
        The place.
    correlation : float
        -1 to 1; negative where dark modules are the brighter ones.
    """

    grid: Grid
    correlation: float


@dataclass(frozen=True, eq=False)
class _Moves:
    """What a template looks like when the grid is bent.

    Parameters
    ----------
    basis : (n, terms) float array
        Polynomials at the template's points.
    design : (n, 2 + 2 terms) float array
        One, the template, and its change with each coefficient, for rows and columns in turn.
    gram : (2 + 2 terms, 2 + 2 terms) float array
        Products of these.
    """

    basis: NDArray[np.float64]
    design: NDArray[np.float64]
    gram: NDArray[np.float64]


@lru_cache(maxsize=64)
def _moves(template: Template, shape: tuple[int, int], degree: int) -> _Moves:
    """Return how a template changes: the same wherever in an image it is looked for."""
    basis = polynomials(2 * template.points / np.array(shape, dtype=float) - 1, degree)
    moves = (basis[:, :, None] * template.slope[:, None]).reshape(len(basis), -1)
    design = np.empty((len(basis), 2 + moves.shape[1]))
    design[:, 0], design[:, 1], design[:, 2:] = 1, template.value, moves
    return _Moves(basis, design, design.T @ design)


def correlate(image: NDArray[np.float32], grid: Grid, template: Template) -> float:
    """Return the correlation of the image with a template, -1 to 1."""
    seen = interpolate(image, grid.to_pixels(template.points)).astype(float)
    return _correlation(seen, template.value)


def refine(
    image: NDArray[np.float32],
    grid: Grid,
    template: Template,
    *,
    degree: int = 1,
    steps: int = 6,
    stiffness: float = 0.1,
    within: NDArray[np.float64] | None = None,
) -> Fit:
    """Bend a grid until the image under it looks like the template (Gauss-Newton).

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    grid : Grid
        Where the symbol is thought to be; up to about half a module off.
    template : Template
        What it should look like.
    degree : int
        Degree of the polynomial that is fitted: 1 is affine.
    steps : int
        Most iterations.
    stiffness : float
        How strongly terms of degree 2 and more are held at zero: the squared correlation that
        a displacement of one module has to gain.
    within : (2 terms, n) float array, optional
        Combinations of coefficients to which the fit is held: of the polynomial's terms, lower
        degrees first, for rows and columns in turn. Only the first six may be constant and linear.

    Returns
    -------
    Fit
        The best grid seen, at worst the one given.

    References
    ----------
    B. D. Lucas and T. Kanade, IJCAI 1981: the image is developed in the template's gradient.
    """
    moved = _moves(template, grid.shape, degree)
    basis, design, gram, terms = moved.basis, moved.design, moved.gram, moved.basis.shape[1]
    if grid.degree > degree:
        basis = polynomials(grid.scaled(template.points), grid.degree)
    kept = np.eye(gram.shape[0])
    if within is not None:
        kept = np.zeros((gram.shape[0], 2 + within.shape[1]))
        kept[[0, 1], [0, 1]] = 1
        kept[2:, 2:] = within
        gram = kept.T @ gram @ kept
    held = np.zeros(gram.shape[0])
    held[2 + 6 :] = stiffness * len(template.points)
    solve = np.linalg.pinv(gram + np.diag(held), _RANK * held.size) @ kept.T

    expected = template.value - template.value.mean()
    norm = float(expected @ expected)

    def look(place: Grid) -> tuple[Fit, NDArray[np.float64]]:
        bent = place.bent_points(template.points, basis)
        seen = interpolate_under(image, place.perspective, bent).astype(float)
        seen -= seen.sum() / seen.size
        scale = float(seen @ seen) * norm
        return Fit(place, float(seen @ expected) / scale**0.5 if scale > 0 else 0.0), seen

    best, seen = look(grid)
    length = 1.0
    for _ in range(steps):
        # image = a + b * (template - slope * shift): solve for a, b and -b * shift
        solution = solve @ (seen @ design)
        contrast = solution[1] or float(seen @ expected) / max(norm, 1e-12)
        if contrast == 0:
            break
        shift = -solution[2:] / contrast
        most = float(np.abs(shift).max())
        if most < _STILL:
            break
        # a step beyond a module leaves the range in which the gradient says anything
        shift *= length / max(most, 1.0)
        change = shift if within is None else within @ shift
        further, seen_further = look(best.grid.bent(change.reshape(terms, 2)))
        gain = abs(further.correlation) - abs(best.correlation)
        if gain > 0:
            best, seen = further, seen_further
        if gain < 1e-5:
            # too far, or there already
            length /= 2
            if gain > 0 or length < 0.2:
                break
    return best


def refine_known(image: NDArray[np.float32], grid: Grid, modules: NDArray[np.bool_]) -> Fit:
    """Fit a grid once every module of the symbol is known.

    Parameters
    ----------
    image : (y, x) float32 array
        The softened image, see :class:`~napari_nanoqr.reading.window.Window`.
    grid : Grid
        Where the symbol is, to a fraction of a module.
    modules : (rows, columns) bool array
        The symbol in the grid's coordinates, True = dark.

    Returns
    -------
    Fit
        Bent step by step, up to degree 3.
    """
    template = make_template(modules, np.ones_like(modules))
    fit = refine(image, grid, template, degree=1)
    for degree in (2, 3):
        bent = refine(image, fit.grid, template, degree=degree)
        gain = abs(bent.correlation) - abs(fit.correlation)
        fit = bent
        if gain < _STRAIGHT:
            break
    return fit


def _correlation(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    a, b = seen - seen.mean(), expected - expected.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
