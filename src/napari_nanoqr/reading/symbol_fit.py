"""Fit a symbol's grid where finder patterns say that one may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.bend import bent, by_rows
from napari_nanoqr.reading.finder_set import STRONG
from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.interpolation import interpolate
from napari_nanoqr.reading.probe import corner, looks_mirrored, nearby, probe
from napari_nanoqr.reading.register import Fit, refine
from napari_nanoqr.reading.scaled import Scaled
from napari_nanoqr.reading.template import Template, make_template
from napari_nanoqr.reading.triples import Place, corners_of
from napari_nanoqr.symbols.layout import Modules
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.tables import side_modules

CONVINCING = 12.0
"""Score that neither noise nor several codes' finder patterns together reach."""

LEAST = 0.3
"""Correlation; candidates below are not worth a try."""

_PROBE = 0.22
"""Correlation before any fit, below which weak finder patterns are taken for accidents."""

_VERSIONS = 4
"""Most versions that are fitted at one place."""

_POOR = 0.88
"""Correlation, as a share of the finder patterns', below which a fit may have gone astray."""

_HOPELESS = 0.27
"""Correlation below which nothing suggests that there is a symbol at all."""

_NEAR = 10.0
"""Modules from a finder pattern's centre within which no scan bends a symbol noticeably."""

_NEAR_SHARE = 0.25
"""Correlation of what lies there beside the finder patterns. Noise at the dose limit leaves 0.5;
three shapes of a texture that happen to stand like finder patterns have no timing patterns."""

_FIT_SCORE = 6.0
"""Score of an affine fit that needs no such check."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place where a QR symbol seems to be.

    Parameters
    ----------
    grid : Grid
        Fitted to the function patterns; upright and not mirrored in its coordinates.
    version : int or str
        Of the layout.
    correlation : float
        Of the smoothed and flattened image with the version's function patterns (those of a
        finder pattern that was not found left out); negative where dark modules are the
        brighter ones.
    mirrored : bool
        The image shows the symbol mirrored, as far as the format information tells.
    score : float
        Fisher's transform of the correlation in standard deviations, which are one over the
        root of the number of function modules, times the share of what the modules outside
        of finder patterns reach of it: comparable between versions.
    """

    grid: Grid
    version: int | str
    correlation: float
    mirrored: bool
    score: float


def fit_symbol(scaled: Scaled, place: Place, strength: float) -> Candidate | None:
    """Fit the grids of all likely versions to an image and return the best.

    Parameters
    ----------
    scaled : Scaled
        The image.
    place : Place
        Where the symbol may be.
    strength : float
        Least correlation of its finder patterns.

    Returns
    -------
    Candidate or None
        None where it looks like no symbol.
    """
    lost = place.finders.index(-1) if -1 in place.finders else None
    starts: list[tuple[float, int, Grid]] = []
    for version in place.versions[: 9 if lost is None else 3]:
        corners = scaled.scaled(corners_of(place, version))
        if lost is None:
            starts += probe(scaled.image, corners[None], version, lost)
        else:
            around = nearby(corners, lost, side_modules(version))
            starts += sorted(probe(scaled.image, around, version, lost), key=lambda s: -abs(s[0]))[
                :2
            ]
    starts.sort(key=lambda s: -abs(s[0]))
    best: tuple[float, int, Fit] | None = None
    for start, version, grid in starts[:_VERSIONS]:
        if strength < STRONG and abs(start) < _PROBE:
            continue
        if not _starts_well(scaled.image, grid, version, lost):
            continue
        fit = _fit(scaled.image, grid, version, lost, strength)
        score = _score(scaled.image, fit, version, lost)
        if abs(fit.correlation) >= LEAST and (best is None or score > best[0]):
            best = (score, version, fit)
    if best is None:
        return None
    score, version, fit = best
    mirrored = looks_mirrored(scaled.image, fit, version)
    grid = Grid(fit.grid.shape, scaled.to_original @ fit.grid.perspective, fit.grid.bend)
    return Candidate(
        grid.transposed() if mirrored else grid, version, fit.correlation, mirrored, score
    )


def _score(image: NDArray[np.float32], fit: Fit, version: int, lost: int | None) -> float:
    """Return how far a correlation with function patterns is from noise.

    The finder patterns led here: that they fit says little. What counts is that the rest,
    timing and alignment patterns, fits as well as they do.
    """
    layout = qr_layout(version)
    count = int(layout.certain.sum()) - 64 * (lost is not None)
    return significance(image, fit, layout.dark, layout.certain & ~layout.finders, count)


def significance(
    image: NDArray[np.float32], fit: Fit, dark: Modules, rest: Modules, count: int
) -> float:
    """Return the score of a candidate.

    Parameters
    ----------
    image : (y, x) float32 array
        The scaled image.
    fit : Fit
        Where the symbol is in it.
    dark, rest : (rows, columns) bool arrays
        Dark modules, and those that are known beside the finder patterns.
    count : int
        Modules that are known.
    """
    far = float(np.arctanh(min(abs(fit.correlation), 0.9999)) * np.sqrt(count))
    share = _correlation(image, fit, dark, rest) / max(abs(fit.correlation), 1e-12)
    return far * float(np.clip(share, 0, 1))


def _correlation(
    image: NDArray[np.float32], fit: Fit, modules: NDArray[np.bool_], some: NDArray[np.bool_]
) -> float:
    """Return the correlation with some modules, of the same sign as that of all."""
    value = np.where(modules[some], -1.0, 1.0) * np.sign(fit.correlation)
    value -= value.mean()
    points = np.argwhere(some).astype(np.float64) + 0.5
    seen = interpolate(image, fit.grid.to_pixels(points)).astype(float)
    seen -= seen.mean()
    norm = float(np.sqrt((seen @ seen) * (value @ value)))
    return float(seen @ value) / max(norm, 1e-12)


def _starts_well(image: NDArray[np.float32], grid: Grid, version: int, lost: int | None) -> bool:
    """Return whether more than finder patterns is to be seen, before anything is fitted closely."""
    straight = refine(image, grid, _coarse_template(version, lost, np.inf))
    if _score(image, straight, version, lost) > _FIT_SCORE:
        return True
    layout = qr_layout(version)
    rest = layout.certain & ~layout.finders
    rest[rest] = _from_finders(np.argwhere(rest).astype(np.float64) + 0.5, version) < _NEAR
    near = refine(image, straight.grid, _coarse_template(version, lost, _NEAR))
    return _correlation(image, near, layout.dark, rest) > _NEAR_SHARE


def _part(template: Template, version: int, reach: float) -> Template:
    """Return what lies so near to finder patterns."""
    return template.some(_from_finders(template.points, version) < reach)


def _from_finders(points: Points, version: int) -> NDArray[np.float64]:
    """Return the distance in modules to the nearest finder pattern's centre."""
    side = side_modules(version)
    centres = np.array([[3.5, 3.5], [3.5, side - 3.5], [side - 3.5, 3.5]])
    distance: NDArray[np.float64] = np.linalg.norm(points[:, None] - centres, axis=-1).min(axis=1)
    return distance


def _fit(
    image: NDArray[np.float32], grid: Grid, version: int, lost: int | None, strength: float
) -> Fit:
    """Fit affinely, then bent as far as that says more than noise; from further away if need be."""
    template = _template(version, lost)
    count = int(qr_layout(version).certain.sum())
    best = bent(image, refine(image, grid, template), template, count)
    if version > 1 and _HOPELESS < abs(best.fit.correlation) < _POOR * strength:
        best = max(
            best, bent(image, _grown(image, grid, template, version), template, count),
            key=lambda model: -model.cost,
        )  # fmt: skip
    return best.fit


def _grown(image: NDArray[np.float32], grid: Grid, template: Template, version: int) -> Fit:
    """Fit what is near the finder patterns, then more and more: for symbols that are bent."""
    side = side_modules(version)
    fit = Fit(grid, 0.0)
    reach = _NEAR
    while reach < 1.3 * side:
        part = _part(template, version, reach)
        degree = 2 if reach < 12 else 3 if reach < 0.4 * side else 4
        within = by_rows(fit.grid, degree)
        fit = refine(image, fit.grid, part, degree=degree, stiffness=0.01, within=within)
        reach *= 1.3
    return fit


@lru_cache(maxsize=60)
def _template(version: int, lost: int | None) -> Template:
    layout, known = qr_layout(version), qr_layout(version).certain
    if lost is not None:
        known = known & ~corner(version, lost)
    return make_template(layout.dark, known)


@lru_cache(maxsize=120)
def _coarse_template(version: int, lost: int | None, reach: float) -> Template:
    """Return what lies so near, with few points: they show whether a closer look pays."""
    return _part(_template(version, lost), version, reach).thinned()
