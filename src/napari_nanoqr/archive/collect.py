"""Read images one after the other into what is known, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from napari_nanoqr.archive.sightings import ImageSighting
from napari_nanoqr.archive.sources import ImageSource
from napari_nanoqr.archive.state import ReadingState
from napari_nanoqr.archive.tasks import (
    ReadingOptions,
    UnreadImage,
    graph_of,
    merge_sightings,
)
from napari_nanoqr.archive.workers import Workers
from napari_nanoqr.progress import Progress, go_on

_WAIT_S = 0.2


class WorkersLost(ValueError):
    """Those who did the tasks are gone; what was read stays known."""


def collect_images(
    sources: Iterable[ImageSource],
    state: ReadingState,
    workers: Workers,
    options: ReadingOptions | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[UnreadImage]:
    """Read the images that are not known yet.

    Parameters
    ----------
    sources : iterable of ImageSource
        In any order; contents that were read before are passed over.
    state : ReadingState
        What is known; each image is added to it as a whole.
    workers : Workers
        Who reads. No more than their capacity of images are on their way at once, however many
        there are.
    options : ReadingOptions, optional
        How images are looked at.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    list of UnreadImage
        Images that could not be opened.

    Raises
    ------
    Cancelled
        Where it is no longer wanted; what was read by then stays known.
    WorkersLost
        Where a task could not be done at all.
    """
    options = options or ReadingOptions()
    every = list(sources)
    ended: SimpleQueue[Any] = SimpleQueue()
    unread: list[UnreadImage] = []
    waiting = _unknown(every, state, unread)
    running: dict[Any, ImageSource] = {}
    handed = 0
    try:
        while True:
            go_on(cancelled)
            while handed < len(every) and len(running) < workers.capacity:
                handed += 1
                found = next(waiting)
                if found is not None:
                    source, digest = found
                    # the search is narrower once an image has told the pitch
                    told = replace(options, pitch_nm=options.pitch_nm or state.pitch_nm)
                    graph = graph_of(source, digest, told)
                    running[workers.start(graph, ended.put)] = source
            if not running:
                return unread
            try:
                future = ended.get(timeout=_WAIT_S)
            except Empty:
                continue
            source = running.pop(future)
            result = _result(future, source)
            if isinstance(result, UnreadImage):
                unread.append(result)
            else:
                state.add(result, merge_sightings)
            if progress is not None:
                progress(handed - len(running), len(every), f"{source.name}: read")
    finally:
        for future in running:
            future.cancel()


def _unknown(
    sources: Iterable[ImageSource], state: ReadingState, unread: list[UnreadImage]
) -> Iterator[tuple[ImageSource, str] | None]:
    """For each source itself and its hash, or None where there is nothing to read."""
    begun: set[str] = set()
    for source in sources:
        try:
            digest = source.digest()
        except OSError as problem:
            unread.append(UnreadImage(source.name, problem.strerror or str(problem)))
            yield None
            continue
        new = digest not in begun and not state.has(digest)
        begun.add(digest)
        yield (source, digest) if new else None


def _result(future: Any, source: ImageSource) -> ImageSighting | UnreadImage:
    """Return what a task told; one that failed takes no other image with it.

    Raises
    ------
    WorkersLost
        Where nobody is there any more.
    """
    try:
        result: ImageSighting | UnreadImage = future.result()
    except Exception as problem:
        kind = type(problem).__name__
        if kind in ("CancelledError", "FutureCancelledError", "CommClosedError"):
            raise WorkersLost(
                "The scheduler is gone. What was read is kept: start again with the same folder."
            ) from problem
        if kind == "KilledWorker":
            return UnreadImage(source.name, "each worker that read it ended")
        return UnreadImage(source.name, f"{kind}: {problem}")
    return result
