"""Versions of an image in which a native reader may see more, most promising first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.image import Source
from napari_nanoqr.reading.smooth import block_means, smoothed
from napari_nanoqr.sem.restore.register import registered_mean

Grey = NDArray[np.float32]

_SIGMAS_PX = (1.6, 2.4, 3.6)
"""Smoothing when nothing is known of the modules' size: good for modules of 4 to 20 pixels."""

_SIGMAS_MODULES = (0.22, 0.32, 0.45)
"""Smoothing when it is known; beyond half a module neighbours melt into one another."""

_PIXELS_PER_MODULE = 6
"""More pixels than twice this number make the readers slower, not better."""

_LARGE_PX = 3_000_000
"""Images of more pixels are tried at half the size first."""


@dataclass(frozen=True)
class Attempt:
    """One version of an image for one reader.

    Parameters
    ----------
    reader : str
        Which native reader to ask.
    preparation : str
        What was done to the image, in words.
    make : callable
        Returns the ``(y, x)`` uint8 image.
    stretch : tuple of float
        Size of its pixels in pixels of the original, y and x.
    plain : bool
        Close enough to the original that symbols with weak error correction are believed.
    """

    reader: str
    preparation: str
    make: Callable[[], NDArray[np.uint8]]
    stretch: tuple[float, float] = (1.0, 1.0)
    plain: bool = False

    def to_source(self, points_yx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points of the prepared image in pixels of the original."""
        moved: NDArray[np.float64] = (points_yx + 0.5) * np.array(self.stretch) - 0.5
        return moved


class Preparations:
    """Makes versions of one image, each when it is asked for.

    Parameters
    ----------
    source : Source
        The image.
    pitch_px : float or None
        Size of a module in pixels where it is known.
    """

    def __init__(self, source: Source, pitch_px: float | None = None) -> None:
        self.source = source
        self.pitch_px = pitch_px
        self._first: tuple[tuple[int, float], Grey] | None = None

    @cached_property
    def base(self) -> Grey:
        """The image without any processing but the averaging of frames, ``(y, x)`` float32."""
        return registered_mean(self.source.frames)

    def attempts(self) -> Iterator[Attempt]:
        """Return all attempts in the order in which they are worth their time."""
        yield Attempt("zxing-cpp", "as it is", self._plain, plain=True)
        levels = self._levels()
        for level in levels:
            if level > 1:
                yield self._smaller(level)
            told = 1.0
            if self.source.tilt_deg > 20:
                told = float(1 / np.cos(np.deg2rad(self.source.tilt_deg)))
            for number, sigma in enumerate(self._sigmas(level)):
                yield self._smoothed(level, sigma, (told, 1.0), plain=number == 0)
        level, sigma = levels[0], self._sigmas(levels[0])[0]
        yield self._flattened(level, sigma)
        yield Attempt("zbar", "as it is", self._plain)
        yield self._smoothed(level, sigma, reader="zbar")

    def _levels(self) -> list[int]:
        """Return by how many times the image is made smaller, one number after the other."""
        if self.pitch_px is not None:
            return [max(1, int(self.pitch_px / _PIXELS_PER_MODULE))]
        height, width = self.source.shape
        return [2, 1] if height * width > _LARGE_PX else [1]

    def _sigmas(self, level: int) -> tuple[float, ...]:
        if self.pitch_px is None:
            return _SIGMAS_PX
        return tuple(max(0.4, self.pitch_px / level * sigma) for sigma in _SIGMAS_MODULES)

    def _plain(self) -> NDArray[np.uint8]:
        frames = self.source.frames
        if frames.dtype == np.uint8 and len(frames) == 1:
            return np.asarray(frames[0], dtype=np.uint8)
        return as_bytes(self.base)

    def _at(self, level: int) -> Grey:
        return self.base if level == 1 else block_means(self.base, level)

    def _soft(self, level: int, sigma: float) -> Grey:
        """Return the image smoothed; not to be changed, since the first is used three times."""
        if self._first is None:
            self._first = (level, sigma), smoothed(self._at(level), sigma)
        known, soft = self._first
        return soft if known == (level, sigma) else smoothed(self._at(level), sigma)

    def _smoothed(
        self,
        level: int,
        sigma: float,
        stretch: tuple[float, float] = (1.0, 1.0),
        *,
        reader: str = "zxing-cpp",
        plain: bool = False,
    ) -> Attempt:
        def make() -> NDArray[np.uint8]:
            return as_bytes(_stretched(self._soft(level, sigma), stretch))

        words = f"smoothed by {sigma * level:.2g} px"
        if stretch != (1.0, 1.0):
            words += f", stretched by {stretch[0]:.3g} x {stretch[1]:.3g}"
        pixel = (level / stretch[0], level / stretch[1])
        return Attempt(reader, words, make, pixel, plain=plain)

    def _flattened(self, level: int, sigma: float) -> Attempt:
        def make() -> NDArray[np.uint8]:
            smooth = self._soft(level, sigma)
            wide = max(8 * sigma, min(smooth.shape) / 24)
            smooth = smooth - _background(smooth, wide)
            spread = np.sqrt(np.maximum(_background(smooth * smooth, 1.5 * wide), 0))
            return as_bytes(smooth / np.maximum(spread, spread.mean() * 0.2 + 1e-12))

        words = f"flattened, smoothed by {sigma * level:.2g} px"
        return Attempt("zxing-cpp", words, make, (float(level), float(level)))

    def _smaller(self, level: int) -> Attempt:
        def make() -> NDArray[np.uint8]:
            return as_bytes(self._at(level))

        words = f"made {level} times smaller"
        return Attempt("zxing-cpp", words, make, (float(level), float(level)))


def as_bytes(image: Grey) -> NDArray[np.uint8]:
    """Return an image in 8 bits, all but the outermost half percents within their range."""
    step = max(1, int(np.sqrt(image.size / 40_000)))
    low, high = np.percentile(image[::step, ::step], (0.5, 99.5))
    spread = image - np.float32(low)
    spread *= np.float32(255 / max(float(high - low), 1e-12))
    return spread.clip(0, 255, out=spread).astype(np.uint8)


def _background(image: Grey, sigma: float) -> Grey:
    """Return what is left after wide smoothing, worked out on a coarse version of the image."""
    step = max(1, int(sigma / 4))
    # whole blocks; the last ones are filled up with the edge
    short = [-n % step for n in image.shape]
    filled = np.pad(image, ((0, short[0]), (0, short[1])), mode="edge")
    coarse = block_means(filled, step)
    smooth = smoothed(coarse, sigma / step)
    fine = _stretched(smooth, (float(step), float(step)))
    return fine[: image.shape[0], : image.shape[1]]


def _stretched(image: Grey, stretch: tuple[float, float]) -> Grey:
    """Return an image with more pixels, by linear interpolation."""
    for axis, factor in enumerate(stretch):
        if factor == 1.0:
            continue
        count = image.shape[axis]
        places = (np.arange(round(count * factor)) + 0.5) / factor - 0.5
        places = np.clip(places, 0, count - 1)
        before = np.minimum(places.astype(np.intp), max(count - 2, 0))
        after = np.minimum(before + 1, count - 1)
        share = (places - before).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        image = image.take(before, axis) * (1 - share) + image.take(after, axis) * share
    return image
