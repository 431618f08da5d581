"""Symbols with one finder pattern: Micro QR, and rMQR with its small second one.

The finder pattern tells place, size and direction to a few percent; not which of its corners is
the symbol's, nor the version. All ways are compared by the modules near it that are known then:
timing patterns, and the format information, which names the version. From there rMQR codes are
followed along their edges, since a percent is more than a module at their other end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.bend import bent, priced
from napari_nanoqr.reading.finder_set import Finders
from napari_nanoqr.reading.grid import Grid, Points
from napari_nanoqr.reading.interpolation import interpolate
from napari_nanoqr.reading.register import Fit, refine
from napari_nanoqr.reading.scaled import Scaled
from napari_nanoqr.reading.symbol_fit import LEAST, Candidate, significance
from napari_nanoqr.reading.template import Template, make_template
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.layout import Layout, Modules, finder_pattern
from napari_nanoqr.symbols.micro import VERSIONS
from napari_nanoqr.symbols.rectangular import SIZES

_NEAR = 13
"""Modules from a finder pattern's centre within which its own size and direction hold."""

_NUDGES = tuple(
    scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for scale in (1.0, 0.98, 1.02)
    for turn in (0.0, -0.02, 0.02)
)
"""Changes of a finder pattern's size and direction that are tried: in noise they are known to a few
percent, and a module at the other end of a symbol is missed by less than half of one then."""

_LEAST_NEAR = 2.0
"""Agreement of the known modules near it in standard deviations; of all ways, one comes as far
in most noise. At the dose limit the right one has 2.9 to 5."""

_TRIED = 8
"""Ways that are fitted, the likeliest first."""

_REACH = 1.35
"""Growth of what is fitted, from step to step."""

_GROUND = 0.4
"""Brightness of the ground around a symbol, between 0 and that of light modules, beyond which it
counts as one of them; the same for dark."""

_WORSE = 1.0
"""Standard deviations by which a way that is tried may agree worse than the best one."""

_KEPT = 2
"""Candidates of one finder pattern: noise may leave open which version it is."""

Show = Callable[[Points], Scaled]
"""Returns the image around some points in pixels of the original."""


@dataclass(frozen=True, eq=False)
class _Way:
    """A way in which a symbol may lie around its finder pattern.

    Parameters
    ----------
    layout : Layout
        Kind and version.
    format : int
        Which of its formats it has.
    turn : (2, 2) float array
        From steps down and right in the symbol to those along the finder pattern's axes.
    """

    layout: Layout
    format: int
    turn: NDArray[np.float64]

    @property
    def mirrored(self) -> bool:
        """Rows and columns are exchanged."""
        return bool(np.linalg.det(self.turn) < 0)


def find_singles(finder: Finders, show: Show) -> list[Candidate]:
    """Return symbols that may belong to one finder pattern.

    Parameters
    ----------
    finder : Finders
        A single one.
    show : callable
        Returns the image around some points.

    Returns
    -------
    list of Candidate
        The likeliest ones, best first; none where nothing but the pattern is to be seen.
    """
    centre = finder.centre[0]
    around = 1.5 * _NEAR * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    near = show(centre + around @ finder.frame[0].T)
    starts = []
    for way, frame in _likeliest(near, centre, finder.frame[0]):
        corners = centre + (_corners(way.layout) - 3.5) @ (frame @ way.turn).T
        scaled = show(corners) if way.layout.symbology == "rMQR" else near
        grid = Grid.from_corners(scaled.scaled(corners), way.layout.shape)
        fit = _followed(scaled.image, grid, way)
        starts.append((_score(scaled.image, fit, way), scaled, fit, way))
    starts.sort(key=lambda start: -start[0])
    found = (_fitted(scaled, fit, way) for _, scaled, fit, way in starts[:_KEPT])
    return sorted((c for c in found if c), key=lambda candidate: -candidate.score)


def _likeliest(
    scaled: Scaled, centre: NDArray[np.float64], frame: NDArray[np.float64]
) -> list[tuple[_Way, NDArray[np.float64]]]:
    """Return the ways that agree best with what is near the finder pattern, each with its frame."""
    ways, signs, known = _all_ways()
    steps = np.indices((2 * _NEAR + 1,) * 2).reshape(2, -1).T.astype(np.float64) - _NEAR
    frames = [nudge @ frame for nudge in _NUDGES]
    points = np.stack([centre + steps @ each.T for each in frames])
    seen = interpolate(scaled.image, scaled.scaled(points)).astype(float)
    # the finder pattern's own modules tell what is dark and what is light
    ring = np.abs(steps).max(axis=1)
    dark = seen[:, (ring < 2) | (ring == 3)].mean(axis=1, keepdims=True)
    light = seen[:, ring == 2].mean(axis=1, keepdims=True)
    apart = light - dark
    told = np.divide(2 * (seen - dark), apart, out=np.ones_like(seen), where=apart != 0) - 1
    levels = told.clip(-2, 2).astype(np.float32).T
    # in standard deviations of modules that are anything, as light or dark as these are
    agreement = signs @ levels / np.sqrt(known @ levels**2 + 1e-9)
    best = agreement.max(axis=1)
    order = np.argsort(-best, kind="stable")[:_TRIED]
    least = max(_LEAST_NEAR, best[order[0]] - _WORSE)
    return [(ways[i], frames[agreement[i].argmax()]) for i in order if best[i] > least]


@lru_cache(maxsize=1)
def _all_ways() -> tuple[list[_Way], NDArray[np.float32], NDArray[np.float32]]:
    """Return all ways, what is light (1) and dark (-1) near the finder pattern, and what either."""
    quarter, exchange = np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    turns = [np.linalg.matrix_power(quarter, n) for n in range(4)]
    turns += [turn @ exchange for turn in turns]
    ways, signs = [], []
    names = [*VERSIONS, *(f"R{rows}x{columns}" for rows, columns in SIZES)]
    for layout in map(layout_named, names):
        for number in range(len(layout.formats)):
            dark, known = _known(layout, number)
            places = np.argwhere(known & ~layout.finders)
            light = np.where(dark[tuple(places.T)], -1.0, 1.0)
            for turn in turns:
                steps = np.rint((places - 3) @ turn.T).astype(int)
                near = (np.abs(steps) <= _NEAR).all(axis=1)
                row = np.zeros((2 * _NEAR + 1,) * 2, dtype=np.float32)
                row[tuple((steps[near] + _NEAR).T)] = light[near]
                ways.append(_Way(layout, number, turn))
                signs.append(row.ravel())
    return ways, np.stack(signs), np.abs(np.stack(signs))


@lru_cache(maxsize=128)
def _known(layout: Layout, number: int) -> tuple[Modules, Modules]:
    """Return what is known of a symbol with one of its formats: dark modules, and which."""
    dark, known = layout.dark.copy(), layout.certain.copy()
    dark[layout.format_places] = layout.format_words[number]
    known[layout.format_places] = True
    return dark, known


@lru_cache(maxsize=64)
def _template(layout: Layout, number: int, surround: int = 0) -> Template:
    """Return the expectation for a symbol with one of its formats.

    The ring of modules around it counts as light (1) or dark (-1): along an edge with a timing
    pattern nothing else holds the grid across.
    """
    dark, known = (np.pad(part, 1) for part in _known(layout, number))
    ring = np.pad(np.zeros(layout.shape, dtype=bool), 1, constant_values=True)
    dark |= ring & (surround < 0)
    known |= ring & (surround != 0)
    template = make_template(dark, known)
    return Template(template.points - 1, template.value, template.slope)


def _surround(image: NDArray[np.float32], fit: Fit) -> int:
    """Return whether a symbol stands on a light ground (1), a dark one (-1) or neither."""
    outside = np.pad(np.zeros(fit.grid.shape, dtype=bool), 1, constant_values=True)
    ring = np.argwhere(outside).astype(np.float64)
    seen = interpolate(image, fit.grid.to_pixels(ring - 0.5))
    finder = finder_pattern()
    centres = np.indices(finder.shape, dtype=np.float64).transpose(1, 2, 0) + 0.5
    parts = interpolate(image, fit.grid.to_pixels(centres))
    dark, light = parts[finder].mean(), parts[~finder].mean()
    level = (2 * np.median(seen) - dark - light) / (light - dark) if light != dark else 0.0
    return int(np.sign(level)) if abs(level) > _GROUND else 0


def _corners(layout: Layout) -> Points:
    rows, columns = layout.shape
    return np.array([[0, 0], [0, columns], [rows, columns], [rows, 0]], dtype=float)


def _followed(image: NDArray[np.float32], grid: Grid, way: _Way) -> Fit:
    """Fit what is near the finder pattern, then more and more of a long symbol."""
    fit = Fit(grid, 0.0)
    for template in _growing(way.layout, way.format):
        fit = refine(image, fit.grid, template)
    return fit


@lru_cache(maxsize=256)
def _growing(layout: Layout, number: int) -> list[Template]:
    """Return the expectation near the finder pattern, then more and more of it."""
    # few points do while it is to be seen whether there is anything at all
    template = _template(layout, number).thinned()
    parts, reach = [], float(_NEAR)
    while reach < layout.shape[1]:
        parts.append(template.some(template.points[:, 1] < reach))
        reach *= _REACH
    return [*parts, template]


def _score(image: NDArray[np.float32], fit: Fit, way: _Way) -> float:
    dark, known = _known(way.layout, way.format)
    return significance(image, fit, dark, known & ~way.layout.finders, int(known.sum()))


def _fitted(scaled: Scaled, start: Fit, way: _Way) -> Candidate | None:
    """Fit a grid to all that is known of a symbol."""
    template = _template(way.layout, way.format, _surround(scaled.image, start))
    count = int(_known(way.layout, way.format)[1].sum())
    # little is known of small symbols: modules that are not square have to be worth it
    square = refine(scaled.image, _squared(start.grid), template, within=_similar(start.grid.shape))
    slanting = refine(scaled.image, start.grid, template)
    best = min(priced(square, 4, count), priced(slanting, 6, count), key=lambda m: m.cost)
    if abs(best.fit.correlation) < LEAST:
        return None
    if way.layout.symbology == "rMQR":
        # nothing is known on two sides of a Micro QR code: a bend there would be made up
        best = bent(scaled.image, best.fit, template, count)
    fit = best.fit
    grid = Grid(fit.grid.shape, scaled.to_original @ fit.grid.perspective, fit.grid.bend)
    score = _score(scaled.image, fit, way)
    return Candidate(grid, way.layout.version, fit.correlation, way.mirrored, score)


def _squared(grid: Grid) -> Grid:
    """Return the nearest grid of square modules, the finder pattern where it is."""
    corners = grid.corners_yx
    sides = np.stack((corners[3] - corners[0], corners[1] - corners[0]), axis=-1)
    sides /= np.array(grid.shape)
    left, stretch, right = np.linalg.svd(sides)
    square = stretch.mean() * left @ right
    centre = grid.to_pixels(np.array([3.5, 3.5]))
    ends = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * np.array(grid.shape) - 3.5
    return Grid.from_corners(centre + ends @ square.T, grid.shape)


def _similar(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the changes of a grid that leave its modules square, as `refine` takes them.

    Moved down and to the right, enlarged, and turned.
    """
    rows, columns = shape
    within = np.zeros((6, 4))
    within[[0, 1], [0, 1]] = 1
    within[[2, 5], 2] = 1, columns / rows
    within[[3, 4], 3] = 1, -columns / rows
    return within
