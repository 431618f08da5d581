"""Values of a tile's modules become soft bits."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.seeing.cancel import Lesson, cancelled, taught, teachers
from napari_nanoqr.archive.seeing.equalise import filtered, learnt
from napari_nanoqr.archive.seeing.kernels import fast
from napari_nanoqr.archive.seeing.mixture import (
    BLOCK,
    UNSEEN,
    counted,
    fitted,
    looked_up,
    mean_tables,
    soft_tables,
)

BLOCKS = (SIDE // BLOCK, SIDE // BLOCK)
"""Blocks that have a noise of their own."""

COVERED = 0.9
"""Mean of 5 x 5 values, in units of the extreme levels, from which on something lies on them: in
random modules it is so large once in 100,000 places."""

ALIKE = 0.2
"""Variance of 5 x 5 values, in units of that of random modules, below which they are none: again
once in 100,000 places."""


@dataclass(frozen=True)
class Softened:
    """Soft bits of a tile, and how well they can be told.

    Attributes
    ----------
    soft : (planes, 512, 512) int8 array
        8 steps a nat, positive where bit 0 is likelier, 0 where nothing is known.
    contrast : float
        Half the distance between neighbouring levels over the noise around them, its median.
    error_rate : float
        Share of wrong modules that follows from that, of those that are seen.
    lesson : Lesson
        What marks of this tile, and of those before it, taught.
    """

    soft: NDArray[np.int8]
    contrast: float
    error_rate: float
    lesson: Lesson


def softened(
    levels: NDArray[np.float32],
    clear: NDArray[np.float32],
    planes: int = 1,
    lesson: Lesson | None = None,
) -> Softened:
    """Turn values to soft bits.

    Parameters
    ----------
    levels : (512, 512) float32 array
        Values without the mean around them, positive for level 0; 0 where not seen.
    clear : (512, 512) float32 array
        The same equalised, well enough to decide most.
    planes : int
        Bits a module.
    lesson : Lesson or None
        What marks of other tiles of the image taught.

    Returns
    -------
    Softened
        Soft bits.
    """
    ideal = np.linspace(1, -1, 2**planes)
    for _ in range(planes):
        taps = learnt(levels, _decide(_scaled(clear), ideal.astype(np.float32)))
        clear = _scaled(filtered(levels, taps))
        if planes == 2:
            counts = counted(clear).sum(axis=(0, 1))[None]
            ideal = fitted(counts, ideal, 0.2, True)[0][0]
            ideal /= (ideal[0] - ideal[-1]) / 2
    _uncover(clear, np.float32(COVERED), np.float32(ALIKE * np.mean(ideal**2)))
    means, sigmas = _spread(clear, ideal)
    likely = looked_up(clear, mean_tables(means, sigmas, ideal).reshape(*BLOCKS, 1, -1))[0]
    own = taught(levels, likely)
    lesson = own if lesson is None else lesson + own
    better = cancelled(levels, likely, lesson.weights)
    better[clear == 0] = 0
    better = _scaled(better)
    means, sigmas = _spread(better, ideal)
    soft = looked_up(better, soft_tables(means, sigmas, planes).reshape(*BLOCKS, planes, -1))
    gaps = np.abs(np.diff(means, axis=1)).min(axis=1) / 2 / sigmas
    seen = sigmas < UNSEEN
    wrong = np.array([0.5 * erfc(gap / sqrt(2)) for gap in gaps[seen]])
    return Softened(
        soft,
        float(np.median(gaps[seen])) if seen.any() else 0.0,
        float(wrong.mean()) * (1.0 if planes == 1 else 0.75) if seen.any() else 0.5,
        lesson,
    )


def _scaled(clear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply values so that marks are at 1 and -1 on average."""
    places, signs = teachers()
    values = clear[places[:, 0], places[:, 1]]
    size = float(values @ signs) / max(int(np.count_nonzero(values)), 1)
    return clear * np.float32(1 / size) if size > 1e-6 else clear


def _spread(
    clear: NDArray[np.float32], ideal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where levels lie, and how far values are spread about them, in each block."""
    counts = counted(clear)
    whole = counts.sum(axis=(0, 1))[None]
    means, sigma = fitted(whole, ideal, 0.4 / len(ideal) * 2, len(ideal) > 2)
    return fitted(counts.reshape(-1, counts.shape[2]), means[0], float(sigma[0]), False)


def _decide(clear: NDArray[np.float32], ideal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the nearest level of each value; 0 where it is not seen."""
    if len(ideal) == 2:
        return np.sign(clear)
    edges = ((ideal[1:] + ideal[:-1]) / 2)[::-1]
    nearest: NDArray[np.float32] = ideal[::-1][np.searchsorted(edges, clear)]
    nearest[clear == 0] = 0
    return nearest


@fast
def _uncover(clear: NDArray[np.float32], most: np.float32, least: np.float32) -> None:
    """Forget modules where 5 x 5 of them together are brighter or darker than any can be.

    Or where they are more alike than random ones are.
    """
    rows, columns = clear.shape
    down, squares = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    flags = np.zeros((rows, columns), np.bool_)
    part = np.float32(1 / 25)
    for i in range(2, rows - 2):
        a, b, c, d, e = clear[i - 2], clear[i - 1], clear[i], clear[i + 1], clear[i + 2]
        for j in range(columns):
            down[j] = a[j] + b[j] + c[j] + d[j] + e[j]
            squares[j] = a[j] ** 2 + b[j] ** 2 + c[j] ** 2 + d[j] ** 2 + e[j] ** 2
        for j in range(columns - 4):
            five = down[j] + down[j + 1] + down[j + 2] + down[j + 3] + down[j + 4]
            mean = five * part
            power = squares[j] + squares[j + 1] + squares[j + 2] + squares[j + 3] + squares[j + 4]
            flags[i, j + 2] = abs(mean) > most or power * part - mean * mean < least
    for i in range(2, rows - 2):
        for j in range(2, columns - 2):
            if flags[i, j]:
                clear[i - 2 : i + 3, j - 2 : j + 3] = 0
