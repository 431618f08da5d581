"""The native readers' process: it may crash or hang, the reading goes on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.reading import native
from napari_nanoqr.reading.native import NativeProcess, NativeReaders, NoAnswer
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode

UNRELIABLE = """
import ctypes, os, sys, time
from napari_nanoqr.reading import worker

def crash(image):
    ctypes.string_at(0)

def hang(image):
    time.sleep(600)

def fail(image):
    raise RuntimeError("no luck")

def chatter(image):
    os.write(1, b"printed by a library")
    return [{"sum": int(image.sum()), "pid": os.getpid()}]

worker.serve({"crash": crash, "hang": hang, "fail": fail, "chatter": chatter,
              "zxing-cpp": crash, "zbar": hang})
"""
IMAGE = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture
def unreliable(tmp_path: Path):
    script = tmp_path / "unreliable.py"
    script.write_text(UNRELIABLE)
    process = NativeProcess([sys.executable, str(script)])
    yield process
    process.close()


def test_an_answer_comes_back_whatever_the_library_prints(unreliable: NativeProcess) -> None:
    (answer,) = unreliable.ask("chatter", IMAGE)
    assert answer["sum"] == 66
    assert answer["pid"] != os.getpid()


def test_a_crash_is_no_answer_and_the_next_request_is_served(unreliable: NativeProcess) -> None:
    with pytest.raises(NoAnswer, match="crashed"):
        unreliable.ask("crash", IMAGE)
    assert unreliable.ask("chatter", IMAGE)[0]["sum"] == 66


def test_a_hang_ends_at_the_time_limit(unreliable: NativeProcess) -> None:
    unreliable.ask("chatter", IMAGE)
    start = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer within"):
        unreliable.ask("hang", IMAGE, limit_s=0.3)
    assert time.monotonic() - start < 5
    assert unreliable.ask("chatter", IMAGE)[0]["sum"] == 66


def test_an_exception_is_no_answer_and_leaves_the_process_alive(unreliable: NativeProcess) -> None:
    pid = unreliable.ask("chatter", IMAGE)[0]["pid"]
    with pytest.raises(NoAnswer, match="no luck"):
        unreliable.ask("fail", IMAGE)
    assert unreliable.ask("chatter", IMAGE)[0]["pid"] == pid


def test_many_threads_may_ask(unreliable: NativeProcess) -> None:
    sums: list[int] = []

    def ask(value: int) -> None:
        image = np.full((5, 5), value, dtype=np.uint8)
        sums.append(unreliable.ask("chatter", image)[0]["sum"] - 25 * value)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [0] * 8


def test_reading_goes_on_when_every_reader_crashes_or_hangs(
    unreliable: NativeProcess, caplog: pytest.LogCaptureFixture
) -> None:
    modules = np.pad(encode("read all the same").matrix, 4)
    with caplog.at_level(logging.WARNING):
        readings = read_codes(
            np.kron(~modules, np.ones((4, 4))), readers=NativeReaders(unreliable), time_limit_s=2
        )
    # the reader of our own needs no other process
    assert [reading.payload for reading in readings] == [b"read all the same"]
    assert "goes on without it" in caplog.text


def test_the_process_ends_with_its_owner(unreliable: NativeProcess) -> None:
    unreliable.ask("chatter", IMAGE)
    running = unreliable._process
    assert running is not None
    unreliable.close()
    assert running.poll() is not None


def test_a_program_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(OSError, match="nowhere"):
        NativeProcess(["/nowhere/python"]).ask("zxing-cpp", IMAGE)


def test_a_program_that_ends_at_once_is_an_error_with_advice() -> None:
    with pytest.raises(OSError, match="installing zxing-cpp"):
        NativeProcess([sys.executable, "-c", "raise ImportError"]).ask("zxing-cpp", IMAGE)


def test_importing_the_readers_is_cheap() -> None:
    code = (
        "import sys, napari_nanoqr.reading.read, napari_nanoqr.reading.worker\n"
        "heavy = {'napari', 'qtpy', 'PySide6', 'magicgui', 'scipy', 'skimage', 'zxingcpp'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_zbar_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = tmp_path / "without_zbar.py"
    script.write_text(
        "from napari_nanoqr.reading import worker\n"
        "def missing(image):\n"
        "    raise ImportError('Unable to find zbar shared library')\n"
        "worker.serve({'zbar': missing})\n"
    )
    native._say_that_zbar_is_missing.cache_clear()
    process = NativeProcess([sys.executable, str(script)])
    readers = NativeReaders(process)
    with caplog.at_level(logging.WARNING):
        assert readers.read("zbar", IMAGE) == []
        assert readers.read("zbar", IMAGE) == []
    process.close()
    assert caplog.text.count("libzbar is not installed") == 1
    assert "apt-get install libzbar0" in caplog.text
