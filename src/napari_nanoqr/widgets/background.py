"""Calls in the background: in threads that touch nothing of Qt.

A thread leaves what it has to say in a queue, and a timer of the window's thread looks there some
dozen times a second. So no signal, no widget and no end of one ever crosses threads.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QCoreApplication, QObject, QTimer

from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.garbage import GarbageHold

T = TypeVar("T")
Call = Callable[[Progress, IsCancelled], T]
"""``call(progress, cancelled)`` returns the result of a job; it runs in a thread of its own."""

_BEAT_MS = 25


class BackgroundCall(Generic[T]):
    """A call that runs in a thread of its own; what comes of it is told in the window's.

    It starts at once. After :meth:`cancel` nothing more is told but `cancelled` and `finished`,
    also while the call goes on to the next moment at which it asks whether it is still wanted.

    Parameters
    ----------
    call : callable
        Takes ``progress(done, total, sentence)`` and ``cancelled() -> bool``. It must not touch
        Qt nor the viewer.
    done : callable
        Gets the result.
    failed : callable
        Gets the exception that the call raised.
    step : callable, optional
        Gets the progress; of several reports between two looks, the last.
    cancelled, finished : callable, optional
        Told once the call was cancelled, and after any end.
    owner : QObject, optional
        Once it is gone the call is cancelled, and nothing is told but `finished`.
    """

    def __init__(
        self, call: Call[T], done: Callable[[T], None], failed: Callable[[BaseException], None], *,
        step: Progress | None = None, cancelled: Callable[[], None] | None = None,
        finished: Callable[[], None] | None = None, owner: QObject | None = None,
    ) -> None:  # fmt: skip
        self._call, self._done, self._failed = call, done, failed
        self._step, self._cancelled, self._finished = step, cancelled, finished
        self._owner = owner
        self._stop = threading.Event()
        self._over = False
        self._latest: deque[tuple[int, int, str]] = deque(maxlen=1)
        self._thread = threading.Thread(target=self._work, daemon=True, name="nanoqr-job")
        _watch.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Tell the call to end; what comes of it is still told."""
        self._stop.set()

    def cancel(self) -> None:
        """Tell the call to end, and wait for nothing more of it."""
        self._stop.set()
        self._tell(self._cancelled)

    # -- in its own thread ------------------------------------------------------------------

    def _work(self) -> None:
        # what the call leaves is kept here until the window's thread drops it: the last to hold
        # a widget must not be this thread
        try:
            self._result = self._call(self._report, self._stop.is_set)
        except BaseException as problem:
            self._problem = problem
            self._tell(lambda: self._failed(self._problem))
        else:
            self._tell(lambda: self._done(self._result))

    def _report(self, done: int, total: int, sentence: str) -> None:
        self._latest.append((done, total, sentence))

    def _tell(self, how_it_ended: Callable[[], None] | None) -> None:
        _watch.acts.put((self, self._end, (how_it_ended,)))

    # -- in the window's thread -------------------------------------------------------------

    @property
    def _is_orphan(self) -> bool:
        return self._owner is not None and not isalive(self._owner)  # type: ignore[no-untyped-call]

    def _end(self, tell: Callable[[], None] | None) -> None:
        if self._over:
            return
        self._over = True
        try:
            if tell is not None and not self._is_orphan:
                tell()
        finally:
            if self._finished is not None:
                self._finished()

    def look(self) -> None:
        """Show how far the call is, or end it where nobody is left to be told."""
        if self._is_orphan:
            self._stop.set()
            self._end(None)
        if self._latest and self._step is not None:
            latest = self._latest.popleft()
            if not self._over and not self._stop.is_set():
                self._step(*latest)

    @property
    def runs(self) -> bool:
        """Whether its thread still runs, if only to its end."""
        return self._thread.is_alive()


def in_window(act: Callable[..., None], *values: Any, owner: QObject) -> None:
    """Have something done in the window's thread soon, by a call that runs in the background.

    Parameters
    ----------
    act : callable
        What to do.
    *values
        What it gets.
    owner : QObject
        Nothing is done once it is gone.
    """
    _watch.acts.put((owner, act, values))


@contextlib.contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do something in one more thread, and wait for its end, also after an error."""
    thread = threading.Thread(target=act, daemon=True, name="nanoqr-meanwhile")
    thread.start()
    try:
        yield
    finally:
        thread.join()


class _Watch:
    """The timer, the queue, and the calls whose threads run."""

    def __init__(self) -> None:
        self.acts: queue.SimpleQueue[tuple[Any, Callable[..., None], tuple[Any, ...]]]
        self.acts = queue.SimpleQueue()
        self._calls: list[BackgroundCall[Any]] = []
        self._garbage = GarbageHold()
        self._timer: QTimer | None = None

    def add(self, call: BackgroundCall[Any]) -> None:
        self._calls.append(call)
        self._garbage.hold()
        if self._timer is None or not isalive(self._timer):  # type: ignore[no-untyped-call]
            self._timer = QTimer(QCoreApplication.instance())
            self._timer.setInterval(_BEAT_MS)
            self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        # these have left all they had to say in the queue
        ended = [call for call in self._calls if not call.runs]
        for call in list(self._calls):
            call.look()
        # an act may wait for the user meanwhile, as a dialog does, and this run within it
        while not self.acts.empty():
            teller, act, values = self.acts.get()
            if isinstance(teller, BackgroundCall) or isalive(teller):  # type: ignore[no-untyped-call]
                act(*values)
        self._calls = [call for call in self._calls if call not in ended]
        self._garbage.collect()
        if not self._calls and self._timer is not None:
            self._timer.stop()
            self._garbage.release()


_watch = _Watch()
