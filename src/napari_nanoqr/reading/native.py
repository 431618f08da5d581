"""Ask the native readers in a process of their own, which may crash or hang without harm."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.processes import python_module, start_process
from napari_nanoqr.reading.worker import read_frame, write_frame

_log = logging.getLogger(__name__)

START_LIMIT_S = 60.0
"""How long the process may take to start; virus scanners make a first start slow."""

ZBAR_MISSING = (
    "libzbar is not installed, so one of the readers stays out. Codes are read without it; to "
    "add it: 'apt-get install libzbar0' on Debian or Ubuntu, 'brew install zbar' on macOS."
)


@dataclass(frozen=True)
class NativeAnswer:
    """What a native reader says about one code.

    Parameters
    ----------
    reader : str
        ``"zxing-cpp"`` or ``"zbar"``.
    symbology : {"QR", "Micro QR", "rMQR"}
        Kind of symbol.
    payload : bytes or None
        The decoded bytes as the symbol stores them; None where it found a symbol and could not
        decode it.
    corners_yx : (4, 2) float array
        Corners in pixels of the image it was given, centre of the first pixel (0, 0).
    version, error, mask
        As the reader tells them; None where it does not.
    matrix : (rows, columns) bool array or None
        Modules as the reader sampled them, True = dark, turned upright but mirrored where the
        image is; None where it does not tell.
    """

    reader: str
    symbology: str
    payload: bytes | None
    corners_yx: NDArray[np.float64]
    version: str | None
    error: str | None
    mask: int | None
    matrix: NDArray[np.bool_] | None = None


class NoAnswer(RuntimeError):
    """The reader crashed, took too long, or failed; it is ready again for the next image."""


class NativeProcess:
    """A process that runs native readers, restarted whenever it dies or hangs.

    It starts with the first request (or :meth:`start`) and ends with :meth:`close` or with the
    program. Any thread may ask; requests are answered one after the other.

    Parameters
    ----------
    command : sequence of str, optional
        The program to run; by default :mod:`napari_nanoqr.reading.worker`.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = command or python_module("napari_nanoqr.reading.worker")
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._frames: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        self._ready = False
        self._owner = os.getpid()

    def start(self) -> None:
        """Start the process, without waiting until it is ready."""
        with self._lock:
            self._start()

    def close(self) -> None:
        """End the process; a later request starts a new one."""
        with self._lock:
            self._end()

    def ask(
        self,
        reader: str,
        image: NDArray[np.uint8],
        *,
        limit_s: float = 10.0,
    ) -> list[dict[str, Any]]:
        """Ask one reader for the codes in an image.

        Parameters
        ----------
        reader : str
            Name of the reader, as the process knows it.
        image : (y, x) uint8 array
            The image.
        limit_s : float
            Time limit in seconds; after it the process is killed.

        Returns
        -------
        list of dict
            The reader's answers.

        Raises
        ------
        NoAnswer
            Where the reader crashed, hung or failed on this image.
        OSError
            Where the process cannot be started at all.
        """
        with self._lock:
            self._start()
            if not self._ready:
                try:
                    self._receive(START_LIMIT_S, "did not start")
                except NoAnswer as problem:
                    raise OSError(
                        "The process of the native readers does not start; installing zxing-cpp "
                        "and numpy anew may help."
                    ) from problem
                self._ready = True
            assert self._process is not None
            assert self._process.stdin is not None
            header = {"reader": reader, "shape": image.shape}
            try:
                write_frame(self._process.stdin, header, np.ascontiguousarray(image).tobytes())
            except OSError as problem:
                self._end()
                raise NoAnswer("The native readers' process ended unexpectedly.") from problem
            answer = self._receive(limit_s, f"gave no answer within {limit_s:g} s")
            if "problem" in answer:
                raise NoAnswer(answer["problem"])
            answers: list[dict[str, Any]] = answer["answers"]
            return answers

    def _receive(self, limit_s: float, failure: str) -> dict[str, Any]:
        try:
            frame = self._frames.get(timeout=limit_s)
        except queue.Empty:
            self._end()
            raise NoAnswer(f"The native readers' process {failure}.") from None
        if frame is None:
            self._end()
            raise NoAnswer("The native readers' process crashed.")
        return frame[0]

    def _start(self) -> None:
        if self._owner != os.getpid():
            # after a fork the pipes belong to the other process
            self._process, self._owner = None, os.getpid()
        if self._process is not None and self._process.poll() is None:
            return
        self._end()
        self._process = start_process(self._command)
        self._ready = False
        self._frames = queue.SimpleQueue()
        assert self._process.stdout is not None
        threading.Thread(
            target=_pump, args=(self._process.stdout, self._frames), daemon=True, name="nanoqr-read"
        ).start()
        atexit.register(self.close)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.close)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        process.kill()
        process.wait()


def _pump(
    stream: IO[bytes], frames: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None]
) -> None:
    """Hand frames on until the process ends: a pipe has no time limit of its own."""
    with contextlib.suppress(OSError, ValueError), stream:
        while frame := read_frame(stream):
            frames.put(frame)
    frames.put(None)


@functools.cache
def shared_process() -> NativeProcess:
    """Return the process that all readings of this program share."""
    return NativeProcess()


class NativeReaders:
    """The native readers that this installation has.

    Parameters
    ----------
    process : NativeProcess, optional
        By default the shared one.
    """

    def __init__(self, process: NativeProcess | None = None) -> None:
        self._process = process or shared_process()

    def start(self) -> None:
        """Start the process while something else is being done."""
        self._process.start()

    def read(
        self, reader: str, image: NDArray[np.uint8], *, limit_s: float = 10.0
    ) -> list[NativeAnswer]:
        """Ask a reader; a crash, a hang or a missing library is an empty list.

        Parameters
        ----------
        reader : {"zxing-cpp", "zbar"}
            Which one.
        image : (y, x) uint8 array
            The image.
        limit_s : float
            Time limit in seconds.

        Returns
        -------
        list of NativeAnswer
            Decoded codes, and places of codes that were found but not decoded.
        """
        try:
            answers = self._process.ask(reader, image, limit_s=limit_s)
        except NoAnswer as problem:
            if reader == "zbar" and "ImportError" in str(problem):
                _say_that_zbar_is_missing()
            else:
                _log.warning("%s: %s The reading goes on without it.", reader, problem)
            return []
        return [
            NativeAnswer(
                reader,
                answer["symbology"],
                bytes.fromhex(answer["payload"]) if answer["valid"] else None,
                np.array(answer["corners_yx"], dtype=float),
                answer["version"],
                answer["error"],
                answer["mask"],
                _matrix(answer["matrix"]),
            )
            for answer in answers
        ]


def _matrix(rows: list[str] | None) -> NDArray[np.bool_] | None:
    if not rows or min(len(row) for row in rows) == 0:
        return None
    return np.array([[module == "1" for module in row] for row in rows])


@functools.cache
def _say_that_zbar_is_missing() -> None:
    _log.warning(ZBAR_MISSING)
