"""Reading micrographs in several processes; one that ends takes no other image with it.

Started as a module this is such a process: it takes pickled requests on its standard input, the
arguments of `batch_item`, and answers each with a pickled `BatchItem` or the error.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from napari_nanoqr.measuring.batch import BatchItem, batch_item
from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.processes import python_module, start_process
from napari_nanoqr.progress import Cancelled

Request = tuple[Path, RecordSettings, Path | None, bool]
"""File, how it is read, where its report goes, whether a small picture is drawn."""

_WAIT_S = 0.2

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""Each process has a core; more threads would only get in each other's way."""


def read_in_processes(
    requests: Sequence[Request], jobs: int, cancelled: Callable[[], bool] | None = None
) -> Iterator[BatchItem]:
    """Read files in several processes at once.

    Parameters
    ----------
    requests : sequence of tuple
        Arguments of `batch_item`.
    jobs : int
        Processes.
    cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Yields
    ------
    BatchItem
        For each request, in their order. A file at which a process ends twice is told as one that
        cannot be read.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    OSError
        Where no process can be started, or a report not be written.
    """
    readers = [_Reader() for _ in range(jobs)]
    idle: SimpleQueue[_Reader] = SimpleQueue()
    for reader in readers:
        idle.put(reader)

    def read(request: Request) -> BatchItem:
        reader = idle.get()
        try:
            return reader.read(request)
        finally:
            idle.put(reader)

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="nanoqr-batch")
    waiting: deque[Future[BatchItem]] = deque()
    try:
        for request in requests:
            waiting.append(pool.submit(read, request))
            if len(waiting) > 2 * jobs:
                yield _result(waiting.popleft(), cancelled)
        while waiting:
            yield _result(waiting.popleft(), cancelled)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for reader in readers:
            reader.close()


def _result(future: Future[BatchItem], cancelled: Callable[[], bool] | None) -> BatchItem:
    while True:
        if cancelled is not None and cancelled():
            raise Cancelled
        try:
            return future.result(timeout=_WAIT_S)
        except TimeoutError:
            if future.done():
                raise


class _Reader:
    """A process that reads; it is started when it is first needed, and again when it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def read(self, request: Request) -> BatchItem:
        """Read one file."""
        for _ in range(2):
            answer = self._ask(request)
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                return answer
            if self._closed:
                raise Cancelled
        return _lost(request)

    def close(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ask(self, request: Request) -> BatchItem | Exception | None:
        """Return what the process answers; None where it ended instead."""
        with self._lock:
            if self._closed:
                return None
            if self._process is None or self._process.poll() is not None:
                self._process = start_process(python_module(__name__), _ONE_THREAD)
            process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(request, process.stdin)
            process.stdin.flush()
            answer: BatchItem | Exception = pickle.load(process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            process.kill()
            process.wait()
            return None
        return answer


def _lost(request: Request) -> BatchItem:
    path, settings, *_ = request
    record = Record(
        path.name, settings, "", path=path,
        error="Reading it ended the process that read it: the file may be damaged.",
    )  # fmt: skip
    return BatchItem(path, record)


def serve() -> None:
    """Answer requests on the standard streams until the input is closed."""
    requests = sys.stdin.buffer
    # what a library prints must not get between the answers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            request: Request = pickle.load(requests)
        except EOFError:
            return
        answer: BatchItem | Exception
        try:
            answer = batch_item(*request)
        except Exception as problem:
            # its own kind may not survive being sent
            known = isinstance(problem, (ValueError, OSError))
            answer = problem if known else RuntimeError(f"{type(problem).__name__}: {problem}")
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    # what is sent must not be of a module that is called __main__ elsewhere
    from napari_nanoqr.measuring import batch_process

    batch_process.serve()
