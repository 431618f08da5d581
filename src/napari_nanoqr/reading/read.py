"""Read every code in an image."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from napari_nanoqr.reading.advice import nothing_seen, what_failed
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.model import ModelStep
from napari_nanoqr.reading.native import NativeReaders
from napari_nanoqr.reading.prepare import Preparations
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.reading.scene import Scene
from napari_nanoqr.reading.steps import Step, native_steps
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.sem.micrograph import Micrograph

Progress = Callable[[int, int, str], None]
"""Called with attempts done, attempts planned, and a sentence."""

_NATIVE_FIRST = 1
"""Attempts of native readers before our own reader looks."""


def read_codes(
    image: ArrayLike | Micrograph,
    pixel_size_nm: float | tuple[float, float] | None = None,
    pitch_nm: float | None = None,
    *,
    margin: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    time_limit_s: float = 30.0,
    readers: NativeReaders | None = None,
) -> Readings:
    """Read the codes in an image: QR, Micro QR and rMQR.

    Parameters
    ----------
    image : array or Micrograph
        ``(y, x)``, colour ``(y, x, 3 or 4)`` or a stack ``(frame, y, x)`` whose frames are
        brought into line and averaged; any real dtype. Pixels that are not a number count as
        the median of the others.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph.
    pitch_nm : float, optional
        Distance from module to module, where it is known; smoothing then fits the modules.
    margin : bool
        Measure for each code how much fainter the image could be, on the image made noisier:
        `Reading.margin`. It takes a few tenths of a second a code, several for large ones.
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
    Readings
        A list of Reading, from the top of the image to its bottom; empty where no code was read.
        A code of which there is any doubt is left out; ``unread`` tells of symbols that were
        seen and could not be read, ``advice`` what to change.

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
    scene = Scene(source, Preparations(source, pitch_px))
    steps: list[Step] = list(native_steps(scene, readers))
    # the native readers are quicker where they can read at all: on the image as it is
    steps.insert(_NATIVE_FIRST, ModelStep(pitch_px, cancelled=cancelled))
    ends = time.monotonic() + time_limit_s
    for number, step in enumerate(steps):
        if (cancelled is not None and cancelled()) or time.monotonic() > ends:
            break
        scene.found.extend(step.run(scene))
        if progress is not None:
            progress(number + 1, len(steps), f"{step.sentence}: {scene.so_far}")
        # after our own reader the others only help where it has found nothing
        if scene.found and (number >= _NATIVE_FIRST or not scene.room_for_another()):
            break
    found = sorted(scene.found, key=lambda reading: tuple(reading.corners_yx.min(axis=0)))

    def tell(sentence: str) -> None:
        if progress is not None:
            progress(len(steps), len(steps), sentence)

    if margin:
        found = _with_margins(found, scene, tell, cancelled)
    tell(f"finished: {scene.so_far}")
    unread = scene.still_unread
    return Readings(found, unread, "" if found else _advice(source, pitch_nm, unread))


def _with_margins(
    readings: list[Reading],
    scene: Scene,
    tell: Callable[[str], None],
    cancelled: Callable[[], bool] | None,
) -> list[Reading]:
    from napari_nanoqr.reading.margin import with_margin

    measured: list[Reading] = []
    for number, reading in enumerate(readings):
        if cancelled is not None and cancelled():
            break
        tell(f"{scene.so_far}; margin of code {number + 1} of {len(readings)}")
        measured.append(with_margin(reading, scene.preparations.base, scene.source.dose))
    return measured + readings[len(measured) :]


def _advice(source: Source, pitch_nm: float | None, unread: list[Unread]) -> str:
    if unread:
        return what_failed(unread)
    size = source.pixel_size_nm
    return nothing_seen(
        source.shape, len(source.frames), None if size is None else max(size), pitch_nm
    )
