"""Fit a grid to the image, by the modules whose value is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.grid import Grid, Points, interpolate, polynomials
from napari_nanoqr.symbols.layout import format_positions, function_patterns

_FINE = 4
"""Template points a module and axis."""

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
    fine = np.kron(signs, np.ones((_FINE, _FINE)))
    reach = int(np.ceil(3 * blur * _FINE))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (blur * _FINE)) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(fine, reach)
    height, width = fine.shape
    blurred = sum(k * padded[i : i + height] for i, k in enumerate(kernel))
    blurred = sum(k * blurred[:, i : i + width] for i, k in enumerate(kernel))
    slope = np.stack(np.gradient(blurred, 1 / _FINE), axis=-1)
    rows, columns = np.nonzero(np.kron(known, np.ones((_FINE, _FINE), dtype=bool)))
    if rows.size > _MOST_POINTS:
        chosen = np.random.default_rng(0).integers(rows.size, size=_MOST_POINTS)
        rows, columns = rows[chosen], columns[chosen]
    points = (np.stack((rows, columns), axis=-1) + 0.5) / _FINE
    return Template(points, blurred[rows, columns], slope[rows, columns])


@lru_cache(maxsize=16)
def function_template(version: int) -> Template:
    """Return the expectation for the function patterns of a QR version."""
    modules, known = function_modules(version)
    return make_template(modules, known)


@lru_cache(maxsize=40)
def function_modules(version: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the modules that do not depend on what a symbol says, and which they are."""
    modules, reserved = function_patterns(version)
    known = reserved.copy()
    for rows, columns in format_positions(version):
        known[rows, columns] = False
    known.setflags(write=False)
    return modules, known


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

    Returns
    -------
    Fit
        The best grid seen, at worst the one given.

    References
    ----------
    B. D. Lucas and T. Kanade, IJCAI 1981: the image is developed in the template's gradient.
    """
    best = Fit(grid, 0.0)
    terms = (degree + 1) * (degree + 2) // 2
    basis = polynomials(grid.scaled(template.points), degree)
    held = np.zeros(2 + 2 * terms)
    held[2 + 2 * min(3, terms) :] = stiffness * len(template.points)
    design = np.empty((len(template.points), 2 + 2 * terms))
    design[:, 0], design[:, 1] = 1, template.value
    design[:, 2::2] = basis * template.slope[:, :1]
    design[:, 3::2] = basis * template.slope[:, 1:]
    normal = design.T @ design
    for _ in range(steps + 1):
        seen = interpolate(image, grid.to_pixels(template.points)).astype(float)
        correlation = _correlation(seen, template.value)
        if abs(correlation) <= abs(best.correlation) + 1e-5 and best.correlation:
            if abs(correlation) > abs(best.correlation):
                best = Fit(grid, correlation)
            break
        best = Fit(grid, correlation)
        contrast = _slope(seen, template.value)
        if contrast == 0:
            break
        # image = a + b * (template - slope * shift): solve for a, b and -b * shift
        solution = np.linalg.lstsq(
            normal + np.diag(held), design.T @ (seen - seen.mean()), rcond=None
        )[0]
        shift = -solution[2:] / (solution[1] or contrast)
        # a step beyond a module leaves the range in which the gradient says anything
        shift *= min(1.0, 1.0 / max(np.abs(shift).max(), 1e-9))
        grid = grid.bent(shift.reshape(terms, 2))
    return best


def _slope(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    centred = expected - expected.mean()
    return float((centred * seen).sum() / max(float((centred * centred).sum()), 1e-12))


def _correlation(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    a, b = seen - seen.mean(), expected - expected.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0
