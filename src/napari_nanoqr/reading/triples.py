"""Put finder patterns together to symbols: three of them, or two and a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.finder_set import Finders
from napari_nanoqr.reading.grid import Points
from napari_nanoqr.symbols.tables import side_modules

_TURN = 0.2
"""Sine of the largest angle between a side and the finder patterns at its ends."""

_UNLIKE = 1.35
"""Largest ratio of two finder patterns' sizes, or of a length as either of them tells it."""

_RATIO = 1.2
"""Largest ratio of a symbol's two sides."""

_VERSION = 0.06
"""How far a length may be off, as its share; half a version more is allowed for small ones."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a symbol may be.

    Parameters
    ----------
    centres : (3, 2) float array
        Of the finder patterns top left, top right, bottom left, in pixels; not mirrored.
    modules : float
        How far they are apart in modules, by the finder patterns' sizes.
    finders : tuple of int
        Which finder patterns they are; -1 for one that was only guessed.
    merit : float
        The better ones are to be tried first.
    """

    centres: Points
    modules: float
    finders: tuple[int, int, int]
    merit: float

    @property
    def versions(self) -> list[int]:
        """Versions of about this size, the nearest first."""
        nearest = (self.modules - 10) / 4
        reach = 0.55 + self.modules * _VERSION / 4
        possible = [v for v in range(1, 41) if abs(v - nearest) <= reach]
        return sorted(possible, key=lambda v: abs(v - nearest))


@dataclass(frozen=True, eq=False)
class Sides:
    """Pairs of finder patterns that may be the two ends of a symbol's side.

    Parameters
    ----------
    start, end : (n,) int arrays
        The finder patterns.
    direction : (n,) int array
        Quarter turns from the start's first axis (0 to 3).
    modules : (n,) float array
        Distance.
    error : (n,) float array
        How far off the angles are, as a sine.
    """

    start: NDArray[np.intp]
    end: NDArray[np.intp]
    direction: NDArray[np.intp]
    modules: NDArray[np.float64]
    error: NDArray[np.float64]


def find_sides(finders: Finders) -> Sides:
    """Return all pairs that lie on each other's axes, like in size and polarity."""
    inverse = np.linalg.inv(finders.frame)
    apart = finders.centre[None] - finders.centre[:, None]
    # element i, j: where j is, in modules along the axes of i
    local = np.einsum("iab,ijb->ija", inverse, apart)
    length = np.linalg.norm(local, axis=-1)
    along = np.abs(local).argmax(axis=-1)
    across = np.abs(local).min(axis=-1) / np.maximum(length, 1e-9)
    size = np.sqrt(np.abs(np.linalg.det(finders.frame)))
    sign = finders.correlation > 0
    mean = np.sqrt(length * length.T)
    fine = (across < _TURN) & (across.T < _TURN) & (sign[:, None] == sign)
    fine &= np.maximum(length, length.T) < _UNLIKE * np.minimum(length, length.T)
    fine &= np.maximum(size[:, None], size) < _UNLIKE * np.minimum(size[:, None], size)
    fine &= (mean > 12.5) & (mean < 185)
    start, end = np.nonzero(fine)
    along = along[start, end]
    forward = local[start, end, along] > 0
    return Sides(
        start, end, along + np.where(forward, 0, 2), mean[start, end],
        np.maximum(across, across.T)[start, end],
    )  # fmt: skip


def find_triples(finders: Finders, sides: Sides) -> list[Place]:
    """Return corners with two sides of like length at a right angle, most likely first."""
    places = []
    strength = np.abs(finders.correlation)
    for corner in np.unique(sides.start):
        mine = np.nonzero(sides.start == corner)[0]
        # axis 0 of a frame is down and axis 1 right of it: not mirrored, the second side
        # is a quarter turn before the first one
        for top in mine:
            left = mine[sides.direction[mine] == (sides.direction[top] - 1) % 4]
            length = sides.modules[top]
            fits = np.maximum(sides.modules[left], length) < _RATIO * np.minimum(
                sides.modules[left], length
            )
            for other in left[fits]:
                ids = (int(corner), int(sides.end[top]), int(sides.end[other]))
                unlike = abs(np.log(sides.modules[other] / length))
                merit = strength[list(ids)].mean() + 0.5 * strength[list(ids)].min()
                merit -= unlike + sides.error[top] + sides.error[other]
                middle = float(np.sqrt(length * sides.modules[other]))
                places.append(Place(finders.centre[list(ids)], middle, ids, float(merit)))
    # of like ones the smaller: in a field of many symbols finders of different ones fit too
    places.sort(key=lambda place: -place.merit + 1e-3 * place.modules)
    return places


def find_guesses(finders: Finders, sides: Sides, free: NDArray[np.bool_]) -> list[Place]:
    """Return places with one finder pattern missing.

    Parameters
    ----------
    finders : Finders
        Those that were found.
    sides : Sides
        Of them.
    free : (n,) bool array
        Which of them do not belong to a symbol yet.

    Returns
    -------
    list of Place
        Most likely first.
    """
    places: list[Place] = []
    strength = np.abs(finders.correlation)
    for i in np.nonzero(free[sides.start] & free[sides.end] & (sides.start < sides.end))[0]:
        start, end = int(sides.start[i]), int(sides.end[i])
        a, b = finders.centre[start], finders.centre[end]
        frame = (finders.frame[start] + _alike(finders.frame[end], finders.frame[start])) / 2
        modules = sides.modules[i]
        # across the side, in the mean frame: a quarter turn forward of its direction
        along = np.linalg.solve(frame, b - a)
        aside = frame @ (np.array([-along[1], along[0]]) * modules / np.linalg.norm(along))
        merit = float(strength[[start, end]].mean() + strength[[start, end]].min() / 2)
        merit -= float(sides.error[i])
        for one, other, ids in ((a, b, (start, end)), (b, a, (end, start))):
            for sense in (1, -1):
                third = one + sense * aside
                places.append(_place(one, other, third, (*ids, -1), modules, merit))
    places += _diagonal_guesses(finders, free)
    places.sort(key=lambda place: -place.merit + 1e-3 * place.modules)
    return places


def _diagonal_guesses(finders: Finders, free: NDArray[np.bool_]) -> list[Place]:
    """Return places whose corner between two finder patterns is the missing one."""
    places = []
    strength = np.abs(finders.correlation)
    which = np.nonzero(free)[0]
    for n, start in enumerate(which):
        for end in which[n + 1 :]:
            frame = (finders.frame[start] + _alike(finders.frame[end], finders.frame[start])) / 2
            down, right = np.linalg.solve(frame, finders.centre[end] - finders.centre[start])
            modules = float(np.hypot(down, right) / 2**0.5)
            error = abs(abs(down) - abs(right)) / max(2 * modules, 1e-9)
            same = (finders.correlation[start] > 0) == (finders.correlation[end] > 0)
            if not same or error > _TURN or not 12.5 < modules < 185:
                continue
            ids = (int(start), int(end))
            merit = float(strength[list(ids)].mean() + strength[list(ids)].min() / 2 - error)
            for move in (np.array([down, 0.0]), np.array([0.0, right])):
                corner = finders.centre[start] + frame @ move
                places.append(
                    _place(
                        corner, finders.centre[start], finders.centre[end], (-1, *ids),
                        modules, merit,
                    )
                )  # fmt: skip
    return places


def _place(
    corner: Points,
    one: Points,
    other: Points,
    ids: tuple[int, int, int],
    modules: float,
    merit: float,
) -> Place:
    """Return a place with its two ends in the order that is not mirrored."""
    a, b = one - corner, other - corner
    if b[0] * a[1] - b[1] * a[0] < 0:
        one, other, ids = other, one, (ids[0], ids[2], ids[1])
    return Place(np.stack((corner, one, other)), float(modules), ids, merit)


def _alike(frame: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a frame turned by quarter turns so that it is as near to another as may be."""
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    turned = [frame]
    for _ in range(3):
        turned.append(turned[-1] @ quarter)
    return min(turned, key=lambda t: float(np.abs(t - other).sum()))


def corners_of(place: Place, version: int) -> Points:
    """Return a symbol's outer corners from its finder patterns' centres."""
    side = side_modules(version)
    top_left, top_right, bottom_left = place.centres
    right, down = (top_right - top_left) / (side - 7), (bottom_left - top_left) / (side - 7)
    first = top_left - 3.5 * (right + down)
    return np.stack(
        (first, first + side * right, first + side * (right + down), first + side * down)
    )
