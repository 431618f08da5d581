"""Finder patterns that were found, and how to choose among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRONG = 0.6
"""Correlation that noise hardly ever reaches."""

TRUSTED = 0.68
"""Correlation that noise does not reach; at the dose limit of level L patterns have 0.8."""

_APART = 2.0
"""Modules; a pattern nearer to a better one is the same."""

_AT_ONCE = 256
"""Patterns that are compared with all others at a time: textures may have thousands."""


@dataclass(frozen=True, eq=False)
class Finders:
    """Places that look like finder patterns, best first.

    Parameters
    ----------
    centre : (n, 2) float array
        y and x in pixels of the original.
    frame : (n, 2, 2) float array
        Columns are the steps of one module along the pattern's two sides, in those pixels,
        turned by less than 90 degrees and not mirrored.
    correlation : (n,) float array
        With the fitted pattern; negative where dark modules are the brighter ones.
    """

    centre: NDArray[np.float64]
    frame: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.correlation)

    def __getitem__(self, which: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Finders:
        return Finders(self.centre[which], self.frame[which], self.correlation[which])


def joined(one: Finders, other: Finders) -> Finders:
    """Return the finders of both, in no order."""
    return Finders(
        np.concatenate((one.centre, other.centre)),
        np.concatenate((one.frame, other.frame)),
        np.concatenate((one.correlation, other.correlation)),
    )


def without_weak(finders: Finders, most: int) -> Finders:
    """Return finders without those weak ones that are more than so many."""
    weak = np.abs(finders.correlation) < STRONG
    return finders[~weak | (np.cumsum(weak) <= most)]


def distinct(finders: Finders) -> Finders:
    """Return finders best first, without those on top of better ones."""
    order = np.argsort(-np.abs(finders.correlation), kind="stable")
    finders = finders[order]
    size = _APART * np.sqrt(np.abs(np.linalg.det(finders.frame)))
    y, x = finders.centre.T
    keep = np.ones(len(finders), dtype=bool)
    for first in range(0, len(finders), _AT_ONCE):
        # each of some finders with all after the first of them
        some = slice(first, first + _AT_ONCE)
        apart = (y[some, None] - y[first:]) ** 2 + (x[some, None] - x[first:]) ** 2
        near = apart < np.maximum(size[some, None], size[first:]) ** 2
        for i in range(len(near)):
            if keep[first + i]:
                keep[first + i + 1 :] &= ~near[i, i + 1 :]
    return finders[keep]
