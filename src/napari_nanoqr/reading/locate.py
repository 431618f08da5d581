"""Locate QR symbols where other readers see nothing but noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.assemble import Assembly
from napari_nanoqr.reading.finder_set import (
    TRUSTED,
    Finders,
    distinct,
    joined,
    without_weak,
)
from napari_nanoqr.reading.finders import find_finders
from napari_nanoqr.reading.grid import Points
from napari_nanoqr.reading.interpolation import load_compiled
from napari_nanoqr.reading.scaled import Scaled, scale_image, scale_window
from napari_nanoqr.reading.scene import inside
from napari_nanoqr.reading.single import find_singles
from napari_nanoqr.reading.symbol_fit import CONVINCING, Candidate

__all__ = ["CONVINCING", "Candidate", "locate", "merge"]

_WEAK = 40
"""Most finder patterns that may be noise; more of them cost time and bring nothing."""

_STRETCHES = (1.0, 1.27, 1.62)
"""Foreshortening to be tried where none is told: each within 13 %, up to a tilt of 58 degrees."""

_UNEVEN = 1.17
"""Ratio of a module's sides: a little more than what lies between two stretches."""

_LADDER = 1.3
"""Ratio of one pitch to be tried to the next where it is not known."""

_LEAST_PITCH = 2.6
"""Pixels; of smaller modules too little is left for a search."""

_LEAST_MODULES = 11
"""Of a symbol with its quiet zone along the shorter side: rMQR codes have seven and four."""

_SINGLES = 6
"""Most finder patterns of one search that may be a symbol's only one."""

_STRONGER = 0.05
"""Correlation by which a finder pattern has to be stronger than one seen there before."""

_COARSE = 2
"""Pixels a module in such a search; symbols found are looked at more closely."""

_KEPT = 4_000_000
"""Pixels below which an image is kept at all scales for the next search."""

Scale = Callable[..., Scaled]
"""Returns the image as `scale_image` does, stretched already."""


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
    load_compiled()
    image = np.ascontiguousarray(image, dtype=np.float32)
    asked = cancelled or (lambda: False)
    best: list[Candidate] = []
    tried: list[Finders] = []
    others = [s for s in _STRETCHES if not 1 / 1.1 < s / stretch_y < 1.1]
    for number, stretch in enumerate([stretch_y, *others]):
        scale: Scale = partial(scale_image, image, stretch_y=stretch)
        if image.size < _KEPT:
            scale = cache(scale)
        for bare in (False, True) if number == 0 else (False,):
            if pitch_px is None:
                new, assembly = _climb(image, scale, stretch, bare, asked)
            else:
                new, assembly = _search_one(image, scale, pitch_px, bare, asked)
            best = merge(best + new + _singles(assembly, tried, asked))
            if asked():
                return best
            if best and best[0].score >= CONVINCING and _square(best[0], stretch):
                return best
    return best


def _square(candidate: Candidate, stretch: float) -> bool:
    """Return whether modules are square at the stretch under which they were found.

    If not, another stretch shows more.
    """
    linear = candidate.grid.perspective[:2, :2] * np.array([[stretch], [1.0]])
    long, short = np.linalg.svd(linear, compute_uv=False)
    return bool(long < _UNEVEN * short)


def _search_one(
    image: NDArray[np.float32], scale: Scale, pitch: float, bare: bool, asked: Callable[[], bool]
) -> tuple[list[Candidate], Assembly]:
    """Look for symbols of a pitch that is known."""
    scaled = scale(pitch)
    finders = find_finders(scaled, _WEAK, bare=bare)
    assembly = Assembly(finders, image.shape, lambda ids, points: scaled, asked, True)
    return assembly.run(), assembly


def _climb(
    image: NDArray[np.float32],
    scale: Scale,
    stretch: float,
    bare: bool,
    asked: Callable[[], bool],
) -> tuple[list[Candidate], Assembly]:
    """Look for symbols of any pitch, from the largest one down: that costs least."""
    largest = max(min(image.shape) / _LEAST_MODULES, _LEAST_PITCH)
    steps = int(np.log(largest / _LEAST_PITCH) / np.log(_LADDER)) + 1
    finders: Finders | None = None
    found: list[Candidate] = []
    known: dict[bytes, Candidate | None] = {}
    last = 0.0
    for step in reversed(range(steps)):
        pitch = _LEAST_PITCH * _LADDER**step
        if finders is not None and (asked() or pitch < last):
            break
        new = find_finders(scale(pitch, per_module=_COARSE), _WEAK, bare=bare)
        finders = new if finders is None else distinct(joined(finders, new))
        finders = without_weak(finders, _WEAK)
        show = _close_up(image, finders, stretch)
        assembly = Assembly(finders, image.shape, show, asked, known=known)
        # nothing is put together from what may be noise before all has been seen
        if step == 0 or (np.abs(new.correlation) > TRUSTED).sum() >= 3:
            found = assembly.run()
            if last == 0 and found and max(c.score for c in found) >= CONVINCING:
                # codes side by side are hardly ever of very different pitch
                last = pitch / _LADDER**2.5
    return found, assembly


def _singles(
    assembly: Assembly, tried: list[Finders], asked: Callable[[], bool]
) -> list[Candidate]:
    """Look for symbols with one finder pattern at those that belong to no other symbol.

    Not where one was tried before that was hardly any weaker.
    """
    found: list[Candidate] = []
    for i in assembly.left[:_SINGLES]:
        finder = assembly.finders[i : i + 1]
        size = np.sqrt(np.abs(np.linalg.det(finder.frame[0])))
        before = [f for f in tried if np.linalg.norm(f.centre - finder.centre) < 2 * size]
        strength = float(np.abs(finder.correlation[0]))
        if asked():
            break
        if all(strength > np.abs(f.correlation[0]) + _STRONGER for f in before):
            found += find_singles(finder, partial(assembly.show, [i]))
            tried.append(finder)
    return found


def _close_up(
    image: NDArray[np.float32], finders: Finders, stretch: float
) -> Callable[[list[int], Points], Scaled]:
    """Return what shows a place at the pitch that its finder patterns tell."""

    def show(ids: list[int], points: Points) -> Scaled:
        area = np.exp(np.log(np.abs(np.linalg.det(finders.frame[ids]))).mean())
        return scale_window(image, points, float(np.sqrt(area * stretch)), stretch)

    return show


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
