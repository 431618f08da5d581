"""Find the lattice of modules in an image by the lines in the spectrum of its local contrast."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOWS = ((256, 2), (256, 4), (512, 6))
"""Pixels on a side of the windows, after binning, and how many along each side of an image: what
is tried first, and where that shows no lattice without doubt."""

_SURE = 12.0
"""A lattice whose lines stand out so far is taken without looking any longer."""

FINEST, COARSEST = 2.5, 30.0
"""Pixels a module that are searched where nothing is told."""

LEAST_SCORE = 4.0
"""A line stands out by so many times the spectrum around it, or it is none."""

_STEP = 1.35
"""Ratio of neighbouring pitches that are tried; one filter serves for more than that."""

_RING = (0.6, 0.35)
"""Middle, in cycles a module, and width (standard deviation of the logarithm) of the filter."""

_NEAREST, _FARTHEST = 0.72, 1.95
"""Cycles a module where lines are sought: tilt by 54 degrees takes one of them to 1.7."""

_PEAKS = 10
"""Peaks that pairs are made of."""


@dataclass(frozen=True)
class Lattice:
    """Where a lattice of modules repeats.

    Attributes
    ----------
    cycles : (2, 2) float64 array
        Modules a pixel of y and x, ``[:, 0]`` and ``[:, 1]``: of rows ``[0]``, columns ``[1]``.
    score : float
        How far the weaker of its lines stands out of the spectrum.
    """

    cycles: NDArray[np.float64]
    score: float

    @property
    def steps(self) -> NDArray[np.float64]:
        """Pixels (y, x) from row to row, ``[:, 0]``, and from column to column, ``[:, 1]``."""
        return np.linalg.inv(self.cycles.astype(np.float64)).astype(np.float64)

    @property
    def pitch_px(self) -> float:
        """Geometric mean of both pitches."""
        return float(math.sqrt(abs(np.linalg.det(self.steps))))

    @property
    def sizes(self) -> tuple[float, float]:
        """How far a module extends along y and along x, in pixels, as a root mean square."""
        down, right = np.linalg.norm(self.steps, axis=1)
        return float(down), float(right)


def find_lattices(image: NDArray[np.number], pitch_px: float | None = None) -> list[Lattice]:
    """Find the lattices that an image may show.

    The square of a band-passed image of random modules has a line at one cycle a module along
    each axis, as that of a random telegraph signal has: what synchronisers of modems use.

    Parameters
    ----------
    image : (y, x) array
        A micrograph.
    pitch_px : float or None
        Pixels a module as far as it is known, right to some 20 %; None tries all from 2.5 to 30.

    Returns
    -------
    list of Lattice
        The likeliest first, three at most; none where no lines stand out. Which axis is called
        rows is the one that is steeper in the image.

    References
    ----------
    M. Oerder, H. Meyr, Digital filter and square timing recovery, IEEE Trans. Commun. 36 (1988)
    605.
    """
    found: list[Lattice] = []
    for size, count in WINDOWS:
        for pitch in _pitches(pitch_px, min(image.shape)):
            factor = max(1, int(pitch / 3))
            spectrum = _spectrum(image, factor, pitch / factor, size, count)
            if spectrum is not None:
                found += _pairs(spectrum, pitch / factor, factor)
        found.sort(key=lambda lattice: -lattice.score)
        if found and found[0].score > _SURE:
            break
    kept: list[Lattice] = []
    for lattice in found:
        near = [np.abs((lattice.cycles - other.cycles) @ other.steps).max() for other in kept]
        if not near or min(near) > 0.04:
            kept.append(lattice)
    return kept[:3]


def _pitches(told: float | None, side: int) -> list[float]:
    if told is not None:
        return [told]
    pitches, pitch = [], FINEST * math.sqrt(_STEP)
    while pitch < COARSEST * _STEP and pitch * 40 < side:
        pitches.append(pitch)
        pitch *= _STEP
    return pitches


def _windows(image: NDArray[np.number], size: int, most: int) -> Iterator[NDArray[np.float32]]:
    """Yield windows all over an image; they overlap where it is small."""
    starts = []
    for length in image.shape:
        count = min(most, max(1, 2 * length // size - 1))
        room = length - size
        # not at the very edge, which bars and other fields take
        margin = room // (4 * count) if count > 1 else room // 2
        starts.append(np.linspace(margin, room - margin, count).astype(int))
    for y in starts[0]:
        for x in starts[1]:
            yield np.asarray(image[y : y + size, x : x + size], np.float32)


def _spectrum(
    image: NDArray[np.number], factor: int, pitch: float, size: int, count: int
) -> NDArray[np.float32] | None:
    """Return the mean power spectrum of the squared band-passed image, in windows."""
    from scipy import fft

    size = min(size, min(image.shape) // factor) // 2 * 2
    if size < 16 * pitch or size < 32:
        return None
    y, x = fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None, :]
    length = np.maximum(np.hypot(y, x), 1e-6) * pitch
    band = np.exp(-0.5 * (np.log(length / _RING[0]) / _RING[1]) ** 2).astype(np.float32)
    taper = np.hanning(size + 2)[1:-1].astype(np.float32)
    taper = taper[:, None] * taper
    total = np.zeros(band.shape, np.float32)
    for window in _windows(image, size * factor, count):
        if factor > 1:
            window = window.reshape(size, factor, size, factor).mean(axis=(1, 3))
        window = fft.irfft2(fft.rfft2(window - window.mean()) * band, s=(size, size))
        power = window**2
        # one scratch or particle must not outweigh all that is regular
        power = np.minimum(power, 6 * power.mean())
        lines = fft.rfft2((power - power.mean()) * taper)
        here = lines.real**2 + lines.imag**2
        mean = float(here.mean())
        if mean > 0:
            total += here / mean
    return total


def _pairs(power: NDArray[np.float32], pitch: float, factor: int) -> list[Lattice]:
    """Make lattices of pairs of peaks."""
    from scipy.ndimage import maximum_filter, median_filter

    size = len(power)
    rows = (np.arange(size) + size // 2) % size - size // 2
    order = np.argsort(rows)
    power, rows = power[order], rows[order]
    length = np.hypot(rows[:, None], np.arange(power.shape[1])) * (pitch / size)
    # what surrounds a line, each fourth value of a square, without the line
    ground = median_filter(power[::4, ::4], 7, mode="nearest").repeat(4, 0).repeat(4, 1)
    ground = ground[: power.shape[0], : power.shape[1]]
    score = power / np.maximum(ground, 1e-9)
    inside = (length > _NEAREST) & (length < _FARTHEST)
    inside[[0, 1, -1]] = inside[:, -2:] = False
    peaks = (score == maximum_filter(score, 7)) & inside & (score > 1 + LEAST_SCORE / 2)
    places = np.argwhere(peaks)
    places = places[np.argsort(-score[peaks])][:_PEAKS]
    if len(places) == 0:
        return []
    found = []
    lines = [(_refined(power, y, x, rows) / (size * factor), float(score[y, x])) for y, x in places]
    for place, (first, high) in enumerate(lines):
        for second, low in lines[place + 1 :]:
            one, other = np.hypot(*first), np.hypot(*second)
            sine = abs(first[0] * second[1] - first[1] * second[0]) / (one * other)
            if max(one, other) > 2 * min(one, other) or sine < 0.5:
                continue
            pair = [first, second] if abs(first[0]) > abs(second[0]) else [second, first]
            down = pair[0] if pair[0][0] > 0 else -pair[0]
            right = pair[1] if pair[1][1] > 0 else -pair[1]
            worth = min(high, low)
            if worth > LEAST_SCORE:
                found.append(Lattice(np.array([down, right], np.float64), worth))
    return found


def _refined(
    power: NDArray[np.float32], y: int, x: int, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return where a peak is between the values around it."""
    place = []
    around = np.log(np.maximum(power, 1e-9))
    mirrored = around[::-1]
    for axis, middle in ((0, float(rows[y])), (1, float(x))):
        centre = around[y, x]
        if axis == 0:
            before, after = around[y - 1, x], around[y + 1, x]
        else:
            after = around[y, x + 1]
            before = around[y, x - 1] if x > 0 else mirrored[y - 1, 1]
        bend = before - 2 * centre + after
        place.append(middle + (0.5 * (before - after) / bend if bend < 0 else 0.0))
    return np.array(place)
