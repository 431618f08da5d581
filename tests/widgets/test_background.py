"""Calls in the background: what is told of them, and in which thread."""

from __future__ import annotations

import gc
import threading
import time

import pytest
from qtpy.QtCore import QObject

from napari_nanoqr.widgets.background import BackgroundCall, in_window, meanwhile
from napari_nanoqr.widgets.panel import GOOD, Panel

WINDOW = threading.main_thread()


class Told:
    """What a call told, in order, and in which threads."""

    def __init__(self):
        self.words = []
        self.threads = set()

    def teller(self, word):
        def tell(*values):
            self.words.append((word, *values))
            self.threads.add(threading.current_thread())

        return tell

    def start(self, call, **options):
        names = ("step", "cancelled", "finished")
        callbacks = {name: self.teller(name) for name in names}
        return BackgroundCall(
            call, self.teller("done"), self.teller("failed"), **callbacks, **options
        )

    @property
    def over(self):
        return ("finished",) in self.words


@pytest.fixture
def told():
    return Told()


@pytest.fixture(autouse=True)
def all_threads_end(qtbot):
    yield
    qtbot.waitUntil(gc.isenabled, timeout=5000)


def until_told(cancelled, most_s=5.0):
    end = time.monotonic() + most_s
    while not cancelled() and time.monotonic() < end:
        time.sleep(0.005)
    return "told" if cancelled() else "forgotten"


def test_the_result_is_told_in_the_windows_thread(qtbot, told):
    ran_in = []

    def call(progress, cancelled):
        ran_in.append(threading.current_thread())
        return "result"

    told.start(call)
    qtbot.waitUntil(lambda: told.over)
    assert told.words == [("done", "result"), ("finished",)]
    assert told.threads == {WINDOW}
    assert WINDOW not in ran_in


def test_progress_is_told_while_the_call_is_busy(qtbot, told):
    seen = threading.Event()

    def call(progress, cancelled):
        for count in range(1000):
            progress(count, 1000, "steps")
        seen.wait(5)

    told.start(call)
    # of a thousand reports between two looks only the last is shown
    qtbot.waitUntil(lambda: ("step", 999, 1000, "steps") in told.words)
    assert len(told.words) < 100
    seen.set()
    qtbot.waitUntil(lambda: told.over)


@pytest.mark.parametrize("kind", [OSError, RuntimeError, StopIteration, SystemExit])
def test_any_error_is_told(qtbot, told, kind):
    problem = kind("no disk")

    def call(progress, cancelled):
        raise problem

    told.start(call)
    qtbot.waitUntil(lambda: told.over)
    assert told.words == [("failed", problem), ("finished",)]


def test_after_cancel_nothing_more_is_told(qtbot, told):
    ended = []

    def call(progress, cancelled):
        ended.append(until_told(cancelled))
        progress(1, 1, "late")
        return "late"

    running = told.start(call)
    running.cancel()
    running.cancel()
    qtbot.waitUntil(lambda: told.over and bool(ended))
    qtbot.wait(100)
    assert told.words == [("cancelled",), ("finished",)]
    assert ended == ["told"]


def test_cancel_does_not_wait_for_a_call_that_is_busy(qtbot, told):
    go_on = threading.Event()
    running = told.start(lambda *_: go_on.wait(5))
    running.cancel()
    qtbot.waitUntil(lambda: told.over)
    assert running.runs
    go_on.set()


def test_a_result_that_is_there_before_cancel_is_told(qtbot, told):
    running = told.start(lambda *_: "written")
    while running.runs:
        time.sleep(0.001)
    running.cancel()
    qtbot.waitUntil(lambda: told.over)
    assert told.words == [("done", "written"), ("finished",)]


def test_what_belongs_to_somebody_ends_with_them(qtbot, told):
    import shiboken6

    owner, ended = QObject(), []
    told.start(lambda progress, cancelled: ended.append(until_told(cancelled)), owner=owner)
    shiboken6.delete(owner)
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == ["told"]
    assert told.words == [("finished",)]


def test_a_call_may_have_things_done_in_the_window(qtbot, told):
    import shiboken6

    owner, gone = QObject(), QObject()
    shiboken6.delete(gone)

    def call(progress, cancelled):
        in_window(told.teller("item"), 1, owner=owner)
        in_window(told.teller("item"), 2, owner=gone)
        in_window(told.teller("item"), 3, owner=owner)

    told.start(call)
    qtbot.waitUntil(lambda: told.over)
    assert told.words == [("item", 1), ("item", 3), ("done", None), ("finished",)]
    assert told.threads == {WINDOW}


def test_what_runs_meanwhile_has_ended_after_it():
    ended = []
    with pytest.raises(OSError, match="no disk"), meanwhile(lambda: ended.append(time.sleep(0.1))):
        raise OSError("no disk")
    assert ended


class TestGarbage:
    """Widgets may only end in the window's thread."""

    class Window(QObject):
        def __init__(self, ended):
            super().__init__()
            self.itself = self
            self.told = Teller(ended)

    @staticmethod
    def litter():
        """Make garbage that only a collection removes, until every generation was collected."""
        for _ in range(50_000):
            ring = []
            ring.append(ring)

    def test_is_collected_in_the_windows_thread_only(self, qtbot, told):
        ended = []
        gc.collect()

        def call(progress, cancelled):
            while not (ended or cancelled()):
                self.litter()

        told.start(call)
        self.Window(ended)
        qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
        assert ended == [WINDOW]
        qtbot.waitUntil(lambda: told.over)

    def test_is_left_to_python_again_once_no_thread_runs(self, qtbot, told):
        first, second = threading.Event(), threading.Event()
        told.start(lambda *_: first.wait(5))
        other = told.start(lambda *_: second.wait(5))
        assert not gc.isenabled()
        first.set()
        qtbot.waitUntil(lambda: told.over)
        other.cancel()
        qtbot.waitUntil(lambda: told.words.count(("finished",)) == 2)
        # it was cancelled, but its thread goes on
        assert not gc.isenabled()
        second.set()
        qtbot.waitUntil(gc.isenabled)

    def test_is_not_turned_on_where_it_was_off(self, qtbot, told):
        gc.disable()
        try:
            running = told.start(lambda *_: None)
            qtbot.waitUntil(lambda: told.over and not running.runs)
            qtbot.wait(100)
            assert not gc.isenabled()
        finally:
            gc.enable()


class Teller:
    """Tells in which thread it ends."""

    def __init__(self, ended):
        self.ended = ended

    def __del__(self):
        self.ended.append(threading.current_thread())


class TestPanelJobs:
    @pytest.fixture
    def panel(self, qtbot):
        made = Panel("Test", "decode")
        made.add_status()
        qtbot.addWidget(made)
        return made

    def finish(self, qtbot, panel):
        qtbot.waitUntil(lambda: panel.worker is None, timeout=5000)

    def test_any_error_ends_the_job_with_a_sentence(self, qtbot, panel):
        def call(progress, cancelled):
            raise RuntimeError("native code gave up")

        panel.run(call, lambda _: pytest.fail("there is no result"))
        assert not panel._progress_row.isHidden()
        self.finish(qtbot, panel)
        assert "native code gave up" in panel.status.text()
        assert panel._progress_row.isHidden()

    def test_cancel_ends_the_job(self, qtbot, panel):
        ended = []

        def call(progress, cancelled):
            progress(0, 0, "busy")
            ended.append(until_told(cancelled))

        panel.run(call, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: panel.status.text() == "busy", timeout=5000)
        panel.cancel()
        self.finish(qtbot, panel)
        qtbot.waitUntil(lambda: ended == ["told"])
        assert panel.status.text().startswith("Cancelled")
        assert panel.cancel_button.isEnabled()

    def test_a_panel_that_is_deleted_ends_its_job(self, qtbot):
        import shiboken6

        panel, ended = Panel("Test", "decode"), []
        panel.add_status()

        def call(progress, cancelled):
            progress(0, 0, "busy")
            ended.append(until_told(cancelled))

        panel.run(call, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: panel.status.text() == "busy", timeout=5000)
        shiboken6.delete(panel)
        qtbot.waitUntil(lambda: ended == ["told"], timeout=5000)

    def test_a_second_job_can_follow(self, qtbot, panel):
        results = []
        for _ in range(2):
            panel.run(lambda *_: 7, results.append)
            self.finish(qtbot, panel)
        panel.say("done", GOOD)
        assert results == [7, 7]
