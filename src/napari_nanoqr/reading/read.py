"""Read every code in an image: find, confirm, and look for more."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.reading.confirm import Confirmed, confirm
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.native import NativeAnswer, NativeReaders
from napari_nanoqr.reading.prepare import Attempt, Preparations
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.symbol import as_text

Progress = Callable[[int, int, str], None]
"""Called with attempts done, attempts planned, and a sentence."""

_MORE_ATTEMPTS = 4
"""Attempts without a new code before the search for further ones ends."""


def read_codes(
    image: ArrayLike | Micrograph,
    pixel_size_nm: float | tuple[float, float] | None = None,
    pitch_nm: float | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    time_limit_s: float = 30.0,
    readers: NativeReaders | None = None,
) -> list[Reading]:
    """Read the QR codes in an image.

    Parameters
    ----------
    image : array or Micrograph
        ``(y, x)``, colour ``(y, x, 3 or 4)`` or a stack ``(frame, y, x)`` whose frames are
        brought into line and averaged; any real dtype.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph.
    pitch_nm : float, optional
        Distance from module to module, where it is known; smoothing then fits the modules.
    progress : callable, optional
        Called after each attempt with the number done, the number planned, and a sentence.
    cancelled : callable, optional
        Asked before each attempt; True ends the search with what was found until then.
    time_limit_s : float
        No new attempt starts after so many seconds.
    readers : NativeReaders, optional
        By default those that the whole program shares.

    Returns
    -------
    list of Reading
        From the top of the image to its bottom; empty where no code was found. A code of
        which there is any doubt is left out.

    Raises
    ------
    ValueError
        Where the image is none, is empty or holds no number; where the pixel size or the
        pitch is not positive.
    OSError
        Where the process of the native readers cannot be started.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_nanoqr.symbols.encode import encode
    >>> modules = np.pad(encode(b"CrN", error="H").matrix, 4)
    >>> read_codes(np.where(np.kron(modules, np.ones((5, 5))), 20, 200))[0].payload
    b'CrN'
    """
    source = open_source(image, pixel_size_nm)
    if pitch_nm is not None and not (np.isfinite(pitch_nm) and pitch_nm > 0):
        raise ValueError(f"A pitch is a positive number of nm, not {pitch_nm!r}.")
    readers = readers or NativeReaders()
    readers.start()
    pitch_px = None
    if pitch_nm is not None and source.pixel_size_nm is not None:
        pitch_px = pitch_nm / float(np.mean(source.pixel_size_nm))
    preparations = Preparations(source, pitch_px)
    search = _Search(source, preparations, readers)
    ends = time.monotonic() + time_limit_s
    attempts = list(preparations.attempts())
    for number, attempt in enumerate(attempts):
        if (cancelled is not None and cancelled()) or time.monotonic() > ends:
            break
        search.run(attempt)
        if progress is not None:
            progress(number + 1, len(attempts), search.sentence(attempt))
        if search.exhausted:
            break
    if progress is not None:
        progress(len(attempts), len(attempts), search.sentence(None))
    return sorted(search.found, key=lambda reading: tuple(reading.corners_yx.min(axis=0)))


class _Search:
    """What was found so far, and whether to go on."""

    def __init__(self, source: Source, preparations: Preparations, readers: NativeReaders) -> None:
        self._source = source
        self._preparations = preparations
        self._readers = readers
        self.found: list[Reading] = []
        self._idle = 0

    @property
    def exhausted(self) -> bool:
        """Enough was found, or enough was tried after the last find."""
        if not self.found:
            return False
        return self._idle >= _MORE_ATTEMPTS or not self._room_for_another()

    def run(self, attempt: Attempt) -> None:
        """Ask a native reader, and believe what can be confirmed."""
        picture = attempt.make()
        for reading in self.found:
            picture = _painted_over(picture, reading.corners_yx, attempt)
        answers = self._readers.read(attempt.reader, picture, **dict(attempt.options))
        before = len(self.found)
        # decoded ones first: the place of a failed one may lie on top of them
        for answer in sorted(answers, key=lambda a: a.payload is None):
            moved = _moved(answer, attempt)
            if self._taken(moved):
                continue
            new = self._believe(moved, attempt)
            if new is not None and not self._taken(new):
                self.found.append(new)
        self._idle = 0 if len(self.found) > before else self._idle + 1

    def sentence(self, attempt: Attempt | None) -> str:
        """Say how things stand."""
        count = len(self.found)
        codes = "no code" if count == 0 else "1 code" if count == 1 else f"{count} codes"
        if attempt is None:
            return f"{codes} found"
        return f"{attempt.reader}, image {attempt.preparation}: {codes} so far"

    def _believe(self, answer: NativeAnswer, attempt: Attempt) -> Reading | None:
        if answer.symbology != "QR":
            return None
        confirmed = confirm(self._preparations.base, answer)
        if confirmed is None:
            return None
        return _reading(confirmed, answer, attempt, self._source)

    def _taken(self, code: NativeAnswer | Reading) -> bool:
        """Whether the middle of a code lies within one that was read."""
        middle = code.corners_yx.mean(axis=0)
        return any(_inside(middle, reading.corners_yx) for reading in self.found)

    def _room_for_another(self) -> bool:
        """Whether an empty rectangle is left that could hold another code of this size."""
        height, width = self._source.shape
        corners = np.concatenate([reading.corners_yx for reading in self.found])
        (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
        side = 0.7 * min(float(np.ptp(reading.corners_yx, axis=0).min()) for reading in self.found)
        margin = max(top, left, height - bottom, width - right)
        # between several codes there may be room as well
        return margin >= side or len(self.found) > 1


def _reading(
    confirmed: Confirmed, answer: NativeAnswer, attempt: Attempt, source: Source
) -> Reading:
    decoded = confirmed.decoded
    corners = confirmed.grid.corners_yx
    text = as_text(decoded.symbol.payload)
    if text is None and confirmed.agrees and answer.text and answer.text.isprintable():
        # other character sets, as far as the symbol or the reader knows them
        text = answer.text if decoded.content.eci is not None else None
    edge = corners[1] - corners[0]
    return Reading(
        payload=decoded.symbol.payload,
        text=text,
        symbology="QR",
        version=decoded.symbol.version,
        error=decoded.symbol.error,
        mask=decoded.symbol.mask,
        corners_yx=corners,
        mirrored=confirmed.mirrored,
        inverted=confirmed.inverted,
        pitch_px=confirmed.grid.pitch_px,
        pitch_nm=_pitch_nm(corners, decoded.symbol.modules, source),
        rotation_deg=float(np.rad2deg(np.arctan2(edge[0], edge[1]))),
        corrected_codewords=sum(decoded.corrected),
        confidence=1.0 - decoded.chance,
        reader=answer.reader if confirmed.agrees else "nanoqr",
        preparation=attempt.preparation,
        corrected_per_block=decoded.corrected,
        correctable_per_block=decoded.correctable,
        matrix=confirmed.sampled,
        wrong=decoded.wrong,
        structured_append=decoded.content.structured_append,
    )


def _pitch_nm(corners: NDArray[np.float64], modules: int, source: Source) -> float | None:
    if source.pixel_size_nm is None:
        return None
    flat = np.array(source.pixel_size_nm) / [np.cos(np.deg2rad(source.tilt_deg)), 1.0]
    sides = np.linalg.norm((corners - np.roll(corners, -1, axis=0)) * flat, axis=1)
    return float(sides.mean() / modules)


def _moved(answer: NativeAnswer, attempt: Attempt) -> NativeAnswer:
    corners = attempt.to_source(answer.corners_yx)
    return NativeAnswer(**{**answer.__dict__, "corners_yx": corners})


def _inside(point: NDArray[np.float64], corners: NDArray[np.float64]) -> bool:
    """Whether a point lies within a convex quadrangle."""
    edges = np.roll(corners, -1, axis=0) - corners
    towards = point - corners
    sides = edges[:, 0] * towards[:, 1] - edges[:, 1] * towards[:, 0]
    return bool((sides > 0).all() or (sides < 0).all())


def _painted_over(
    picture: NDArray[np.uint8], corners: NDArray[np.float64], attempt: Attempt
) -> NDArray[np.uint8]:
    """Return a picture in which a code that was read no longer shows."""
    quad = (corners + 0.5) / np.array(attempt.stretch) - 0.5
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, picture.shape)
    if (high <= low).any():
        return picture
    y, x = np.mgrid[low[0] : high[0], low[1] : high[1]]
    signs = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        edge = end - start
        signs.append(edge[0] * (x - start[1]) - edge[1] * (y - start[0]))
    inside = (np.stack(signs) > 0).all(axis=0) | (np.stack(signs) < 0).all(axis=0)
    result = picture.copy()
    part = result[low[0] : high[0], low[1] : high[1]]
    part[inside] = int(np.median(picture))
    return result
