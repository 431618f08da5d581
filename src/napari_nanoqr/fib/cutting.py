"""A part of a pattern, for what looks at one symbol of many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern

FEW = 2
"""Symbols that a part may hold: to cut further would take as long as to look at all."""


def cut_out(pattern: Pattern, bounds_nm: tuple[float, float, float, float]) -> Pattern:
    """Return the points within bounds, or the polygons that reach into them.

    Parameters
    ----------
    pattern : Pattern
        With a scale.
    bounds_nm : tuple of float
        Left, top, right and bottom.

    Returns
    -------
    Pattern
        Of the same kind; all else is left as it is.
    """
    left, top, right, bottom = bounds_nm
    if isinstance(pattern, PointPattern):
        points = pattern.points_nm
        assert points is not None  # it has a scale
        x, y = points.T
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        return replace(
            pattern,
            steps=pattern.steps[inside],
            dwell_units=pattern.dwell_units[inside],
            beam_on=pattern.beam_on[inside],
        )
    assert isinstance(pattern, ShapePattern)
    first = np.array([corners.min(axis=0) for corners in pattern.polygons_nm]).reshape(-1, 2)
    last = np.array([corners.max(axis=0) for corners in pattern.polygons_nm]).reshape(-1, 2)
    met = (first < (right, bottom)).all(axis=1) & (last > (left, top)).all(axis=1)
    return replace(
        pattern,
        polygons_nm=tuple(pattern.polygons_nm[index] for index in np.flatnonzero(met)),
        dose_factors=pattern.dose_factors[met],
        layers=pattern.layers[met],
    )


def by_parts(
    pattern: Pattern, placed: Sequence[Placed], moved_nm: tuple[float, float] = (0.0, 0.0)
) -> Iterator[tuple[int, Pattern]]:
    """Yield for each design the part of a pattern that holds it, and not much more.

    Halves are halved again, so that the time grows with the logarithm of the number of designs
    rather than with the number.

    Parameters
    ----------
    pattern : Pattern
        With a scale.
    placed : sequence of Placed
        Designs at their places.
    moved_nm : tuple of float
        By how much (x, y) the pattern is displaced.

    Yields
    ------
    index : int
        Of the design.
    part : Pattern
        What holds it.
    """
    corners = np.array([item.corner_nm for item in placed]) + moved_nm
    sizes = np.array([item.design.field_size_nm[::-1] for item in placed])
    yield from _halved(pattern, np.arange(len(placed)), corners, corners + sizes)


def _halved(
    pattern: Pattern, which: np.ndarray, first: np.ndarray, last: np.ndarray
) -> Iterator[tuple[int, Pattern]]:
    if len(which) <= FEW:
        for index in which.tolist():
            yield index, pattern
        return
    spread = np.ptp(first[which], axis=0)
    order = which[np.argsort(first[which, int(np.argmax(spread))], kind="stable")]
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        low, high = first[half].min(axis=0), last[half].max(axis=0)
        part = cut_out(pattern, (*low.tolist(), *high.tolist()))
        yield from _halved(part, half, first, last)
