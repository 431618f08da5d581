"""Fit a grid to the image, by the modules whose value is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points, interpolate, polynomials
from napari_nanoqr.symbols.layout import Layout

_FINE = 4
"""Template points a module and axis."""

_STRAIGHT = 1e-3
"""Gain in correlation below which a grid is not bent any further."""

_RANK = float(np.finfo(np.float64).eps)
"""Share below which a combination of coefficients counts as not seen, times their number."""

_MOST_POINTS = 8_000
"""More points than this make the fit slower, not better."""


@dataclass(frozen=True, eq=False)
class Template:
    """What an image is expected to show where modules are known.

    Parameters
    ----------
    points : (n, 2) float array
        Module coordinates.
    value, slope : (n,) and (n, 2) float arrays
        Expected brightness, -1 for dark and 1 for light, blurred, and its derivative by module.
    """

    points: Points
    value: NDArray[np.float64]
    slope: NDArray[np.float64]

    def some(self, which: NDArray[np.bool_]) -> Template:
        """Return a part of the points."""
        return Template(self.points[which], self.value[which], self.slope[which])

    def thinned(self) -> Template:
        """Return a quarter of the points: enough where there is hardly any noise."""
        return self.some((np.floor(self.points * _FINE) % 2 == 0).all(axis=1))


def make_template(
    modules: NDArray[np.bool_], known: NDArray[np.bool_], blur: float = 0.4
) -> Template:
    """Return the expectation for modules that are known.

    Parameters
    ----------
    modules : (rows, columns) bool array
        True = dark.
    known : (rows, columns) bool array
        Which of them count.
    blur : float
        Width of the Gaussian with which edges are blurred, in modules.

    Returns
    -------
    Template
        On a grid of 4 x 4 points in each known module.
    """
    signs = np.where(known, np.where(modules, -1.0, 1.0), 0.0)
    # next to modules that are not known, and outside, the middle between dark and light
    fine = signs.repeat(_FINE, axis=0).repeat(_FINE, axis=1)
    blurred = _blurred(fine, blur * _FINE)
    along_rows, along_columns = np.gradient(blurred, 1 / _FINE)
    slope = np.stack((along_rows, along_columns), axis=-1)
    rows, columns = np.nonzero(np.kron(known, np.ones((_FINE, _FINE), dtype=bool)))
    if rows.size > _MOST_POINTS:
        chosen = np.random.default_rng(0).integers(rows.size, size=_MOST_POINTS)
        rows, columns = rows[chosen], columns[chosen]
    points = (np.stack((rows, columns), axis=-1) + 0.5) / _FINE
    return Template(points, blurred[rows, columns], slope[rows, columns])


def _blurred(fine: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return a Gaussian mean, zero outside."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    height, width = fine.shape
    padded = np.pad(fine, reach)
    down = np.zeros((height, width + 2 * reach))
    for i, share in enumerate(kernel):
        down += share * padded[i : i + height]
    across = np.zeros((height, width))
    for i, share in enumerate(kernel):
        across += share * down[:, i : i + width]
    return across


@lru_cache(maxsize=16)
def function_template(layout: Layout) -> Template:
    """Return the expectation for the modules that all symbols of a kind have in common."""
    return make_template(layout.dark, layout.certain)


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
    terms = (degree + 1) * (degree + 2) // 2
    basis = polynomials(grid.scaled(template.points), max(degree, grid.degree))
    moves = (basis[:, :terms, None] * template.slope[:, None]).reshape(len(basis), 2 * terms)
    if within is not None:
        moves = moves @ within
    held = np.zeros(2 + moves.shape[1])
    held[2 + 6 :] = stiffness * len(template.points)
    design = np.empty((len(template.points), held.size))
    design[:, 0], design[:, 1], design[:, 2:] = 1, template.value, moves
    solve = np.linalg.pinv(design.T @ design + np.diag(held), _RANK * held.size)

    def look(place: Grid) -> tuple[Fit, NDArray[np.float64]]:
        seen = interpolate(image, place.to_pixels(template.points, basis)).astype(float)
        return Fit(place, _correlation(seen, template.value)), seen

    best, seen = look(grid)
    length = 1.0
    for _ in range(steps):
        # image = a + b * (template - slope * shift): solve for a, b and -b * shift
        solution = solve @ ((seen - seen.mean()) @ design)
        contrast = solution[1] or _slope(seen, template.value)
        if contrast == 0:
            break
        shift = -solution[2:] / contrast
        # a step beyond a module leaves the range in which the gradient says anything
        shift *= length * min(1.0, 1.0 / max(float(np.abs(shift).max()), 1e-9))
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
    template = make_template(modules, np.ones_like(modules)).thinned()
    fit = refine(image, grid, template, degree=1)
    for degree in (2, 3):
        bent = refine(image, fit.grid, template, degree=degree)
        gain = abs(bent.correlation) - abs(fit.correlation)
        fit = bent
        if gain < _STRAIGHT:
            break
    return fit


def _slope(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    centred = expected - expected.mean()
    return float((centred * seen).sum() / max(float((centred * centred).sum()), 1e-12))


def _correlation(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    a, b = seen - seen.mean(), expected - expected.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
