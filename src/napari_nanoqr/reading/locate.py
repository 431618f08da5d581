"""Locate QR symbols where other readers see nothing but noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.finders import Finders, distinct, find_finders
from napari_nanoqr.reading.grid import Grid, interpolate
from napari_nanoqr.reading.register import Fit, correlate, function_template, refine
from napari_nanoqr.reading.scaled import Scaled, scale_image
from napari_nanoqr.reading.scene import inside
from napari_nanoqr.reading.triples import (
    Place,
    corners_of,
    find_guesses,
    find_sides,
    find_triples,
)
from napari_nanoqr.symbols.layout import format_positions, function_patterns
from napari_nanoqr.symbols.tables import LEVELS, format_information, side_modules

CONVINCING = 0.58
"""Correlation with function patterns that noise and other codes' finders do not reach."""

_LEAST = 0.3
"""Candidates below are not worth a try."""

_STRETCHES = (1.0, 1.27, 1.62)
"""Foreshortening to be tried where none is told: each within 13 %, up to a tilt of 58 degrees."""

_UNEVEN = 1.17
"""Ratio of a module's sides: a little more than what lies between two stretches."""

_LADDER = 1.14
"""Ratio of one pitch to be tried to the next where it is not known."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place where a QR symbol seems to be.

    Parameters
    ----------
    grid : Grid
        Fitted to the function patterns; upright and not mirrored in its coordinates.
    version : int
        1 to 40.
    correlation : float
        Of the flattened image with the version's function patterns; negative where dark
        modules are the brighter ones.
    mirrored : bool
        The image shows the symbol mirrored, as the format information has it.
    score : float
        Fisher's transform of the correlation in its standard deviations, one over the root of
        the number of function modules: comparable between versions. Accidental places reach
        8; symbols begin at 10.
    """

    grid: Grid
    version: int
    correlation: float
    mirrored: bool
    score: float


def locate(
    image: NDArray[np.float32],
    *,
    pitch_px: float | None = None,
    stretch_y: float = 1.0,
    cancelled: Callable[[], bool] | None = None,
) -> list[Candidate]:
    """Find QR symbols by their finder patterns and fit grids to their function patterns.

    Parameters
    ----------
    image : (y, x) float32 array
        Finite grey values.
    pitch_px : float, optional
        Distance of modules along x in pixels, within some percent; all are tried without it.
    stretch_y : float
        How much shorter the image shows lengths along y, at a tilt 1 / cos(tilt); where nothing
        is found with it, others are tried.
    cancelled : callable, optional
        Asked now and then; True ends the search.

    Returns
    -------
    list of Candidate
        Best first.
    """
    best: list[Candidate] = []
    for scales, bare in _attempts(image, pitch_px, stretch_y):
        if cancelled is not None and cancelled():
            break
        best = merge(best + _search(scales, bare, cancelled))
        if best and abs(best[0].correlation) >= CONVINCING and _even(best[0], scales[0]):
            break
    return best


def _even(candidate: Candidate, scaled: Scaled) -> bool:
    """Return whether modules are square at the stretch under which they were found.

    If not, another stretch shows more.
    """
    perspective = candidate.grid.perspective
    linear = perspective[:2, :2] / np.array(scaled.step)[:, None]
    long, short = np.linalg.svd(linear, compute_uv=False)
    return bool(long < _UNEVEN * short)


def _attempts(
    image: NDArray[np.float32], pitch_px: float | None, stretch_y: float
) -> Iterator[tuple[list[Scaled], bool]]:
    """Return what to look through, most likely first."""
    others = [s for s in _STRETCHES if not 1 / 1.1 < s / stretch_y < 1.1]
    for number, stretch in enumerate([stretch_y, *others]):
        if pitch_px is not None:
            pitches = [pitch_px]
        else:
            largest = max(min(image.shape) / 21, 3.0)
            count = int(np.log(largest / 2.6) / np.log(_LADDER)) + 1
            pitches = [2.6 * _LADDER**i for i in range(count)]
        scales = [scale_image(image, p * (stretch**0.5 if number else 1), stretch) for p in pitches]
        yield scales, False
        if number == 0:
            yield scales, True


def _search(
    scales: list[Scaled], bare: bool, cancelled: Callable[[], bool] | None
) -> list[Candidate]:
    """Look for symbols at one or several scales at once."""
    parts, origin = [], []
    for number, scaled in enumerate(scales):
        area = scaled.image.size / 9
        most = int(np.clip(area / 60, 40, 1200))
        found = find_finders(scaled, most if len(scales) == 1 else min(most, 60), bare=bare)
        parts.append(found)
        origin += [number] * len(found)
    finders = Finders(
        np.concatenate([p.centre for p in parts]),
        np.concatenate([p.frame for p in parts]),
        np.concatenate([p.correlation for p in parts]),
    )
    if len(scales) > 1:
        finders = distinct(finders)
    if len(finders) < 2:
        return []
    sides = find_sides(finders)
    free = np.ones(len(finders), dtype=bool)
    candidates: list[Candidate] = []

    def try_places(places: list[Place], most: int) -> None:
        tried = 0
        for place in places:
            if tried >= most or (cancelled is not None and cancelled()):
                break
            known = [i for i in place.finders if i >= 0]
            if (~free[known]).sum() >= min(2, len(known) - 1):
                continue
            tried += 1
            scaled = _nearest(scales, finders, known)
            candidate = register_place(scaled, place)
            if candidate is None:
                continue
            candidates.append(candidate)
            if abs(candidate.correlation) >= CONVINCING:
                free[known] = False
                inner = inside(finders.centre, candidate.grid.corners_yx)
                free[inner] = False

    try_places(find_triples(finders, sides), 40 + 2 * len(finders))
    strong = free & (np.abs(finders.correlation) > 0.6)
    if strong.sum() >= 2:
        try_places(find_guesses(finders, sides, strong), 12 * int(strong.sum()))
    return candidates


def _nearest(scales: list[Scaled], finders: Finders, which: list[int]) -> Scaled:
    """Return the scale at which modules are nearest to what they should be."""
    if len(scales) == 1:
        return scales[0]
    size = np.log(np.abs(np.linalg.det(finders.frame[which]))).mean()
    return min(scales, key=lambda s: abs(np.log(9 * s.step[0] * s.step[1]) - size))


def register_place(scaled: Scaled, place: Place) -> Candidate | None:
    """Fit the grids of all likely versions to an image and return the best.

    Parameters
    ----------
    scaled : Scaled
        The image.
    place : Place
        Where the symbol may be.

    Returns
    -------
    Candidate or None
        None where it looks like no symbol.
    """
    starts: list[tuple[float, int, Grid]] = []
    for version in place.versions:
        side = side_modules(version)
        corners = scaled.scaled(corners_of(place, version))
        try:
            grid = Grid.from_corners(corners, (side, side))
        except ValueError:
            continue
        template = function_template(version)
        starts.append((abs(correlate(scaled.image, grid, template)), version, grid))
    best: tuple[float, int, Fit] | None = None
    for start, version, grid in sorted(starts, key=lambda s: -s[0])[:4]:
        if start < 0.15:
            continue
        template = function_template(version)
        fit = refine(scaled.image, grid, template)
        if abs(fit.correlation) < _LEAST:
            continue
        fit = refine(scaled.image, fit.grid, template, degree=2)
        score = score_of(fit.correlation, version)
        if best is None or score > best[0]:
            best = (score, version, fit)
    if best is None:
        return None
    score, version, fit = best
    mirrored = _is_mirrored(scaled.image, fit, version)
    grid = Grid(fit.grid.shape, scaled.to_original @ fit.grid.perspective, fit.grid.bend)
    return Candidate(
        grid.transposed() if mirrored else grid, version, fit.correlation, mirrored, score
    )


def score_of(correlation: float, version: int) -> float:
    """Return how far a correlation with function patterns is from noise."""
    count = int(function_patterns(version)[1].sum()) - 31
    return float(np.arctanh(min(abs(correlation), 0.9999)) * np.sqrt(count))


def _is_mirrored(image: NDArray[np.float32], fit: Fit, version: int) -> bool:
    """Return whether the format information fits better with rows and columns exchanged."""
    (rows, columns), (more_rows, more_columns) = format_positions(version)
    indices = np.stack((np.append(rows, more_rows), np.append(columns, more_columns)), axis=-1)
    places = indices.astype(np.float64) + 0.5
    words = np.array(
        [
            [(format_information(level, mask) >> bit) & 1 for bit in range(15)]
            for level in LEVELS
            for mask in range(8)
        ]
    )
    signs = np.tile(1 - 2 * words, (1, 2)) * np.sign(fit.correlation)
    fits = []
    for exchanged in (False, True):
        at = places[:, ::-1] if exchanged else places
        seen = interpolate(image, fit.grid.to_pixels(at)).astype(float)
        fits.append(float((signs @ seen).max()))
    return fits[1] > fits[0]


def merge(candidates: list[Candidate]) -> list[Candidate]:
    """Return candidates best first, of several at one place only those of like score."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.score):
        middle = candidate.grid.corners_yx.mean(axis=0)
        there = [
            k
            for k in kept
            if inside(middle, k.grid.corners_yx)
            or inside(k.grid.corners_yx.mean(axis=0), candidate.grid.corners_yx)
        ]
        same = any(
            k.version == candidate.version
            and np.linalg.norm(middle - k.grid.corners_yx.mean(axis=0)) < 2 * k.grid.pitch_px
            for k in there
        )
        if not same and (not there or candidate.score > 0.7 * there[0].score) and len(there) < 3:
            kept.append(candidate)
    return kept
