"""A long call with callbacks, turned into the steps that a background job yields."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")
Step = tuple[int, int, str]
Call = Callable[[Callable[[int, int, str], None], Callable[[], bool]], T]

_POLL_S = 0.1


def stepwise(call: Call[T], stop: threading.Event) -> Generator[Step, None, T]:
    """Run a call in a thread of its own and yield its progress, ten times a second.

    It yields while the call is busy as well, so that whoever runs it can leave it at once;
    the call then ends in its own thread, at the next moment it asks whether it should.

    Parameters
    ----------
    call : callable
        Takes ``progress(done, total, sentence)`` and ``cancelled() -> bool``.
    stop : threading.Event
        Tells the call to end. It is set when the generator is closed, too.

    Yields
    ------
    (int, int, str)
        Done, total, sentence.

    Returns
    -------
    Any
        What the call returned.

    Raises
    ------
    Exception
        What the call raised.
    """
    reports: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
    results: list[T] = []
    problems: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call(lambda *step: reports.put(step), stop.is_set))
        except BaseException as problem:
            problems.append(problem)
        finally:
            reports.put(None)

    last: Step = (0, 0, "Starting …")
    yield last
    thread = threading.Thread(target=work, daemon=True, name="nanoqr-job")
    thread.start()
    try:
        while True:
            try:
                report = reports.get(timeout=_POLL_S)
            except queue.Empty:
                yield last
                continue
            if report is None:
                break
            last = report
            yield last
    finally:
        stop.set()
    if problems:
        raise problems[0]
    return results[0]
