"""Reading in the background: steps, errors, and an end in good time."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.panel import GOOD, Panel
from napari_nanoqr.widgets.pixel_size import PixelSize
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.regions import read_regions
from napari_nanoqr.widgets.stepwise import stepwise


def spent(generator):
    """All that a generator yields, and what it returns."""
    steps = []
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return steps, end.value


class TestStepwise:
    def test_yields_the_progress_and_returns_the_result(self):
        def call(progress, cancelled):
            progress(1, 2, "half")
            progress(2, 2, "all")
            return "result"

        steps, result = spent(stepwise(call, threading.Event()))
        assert steps == [(0, 0, "Starting …"), (1, 2, "half"), (2, 2, "all")]
        assert result == "result"

    def test_yields_while_nothing_is_reported(self):
        def call(progress, cancelled):
            progress(1, 5, "slow")
            time.sleep(0.35)

        steps, _ = spent(stepwise(call, threading.Event()))
        assert steps.count((1, 5, "slow")) >= 3

    def test_passes_on_what_goes_wrong(self):
        def call(progress, cancelled):
            raise OSError("no disk")

        with pytest.raises(OSError, match="no disk"):
            spent(stepwise(call, threading.Event()))

    def test_closing_it_tells_the_call_to_end(self):
        ended = threading.Event()

        def call(progress, cancelled):
            while not cancelled():
                time.sleep(0.005)
            ended.set()

        steps = stepwise(call, threading.Event())
        next(steps), next(steps)
        before = time.monotonic()
        steps.close()
        assert ended.wait(2)
        assert time.monotonic() - before < 1


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
        def job():
            yield (0, 0, "busy")
            raise RuntimeError("native code gave up")

        panel.run(job, lambda _: pytest.fail("there is no result"))
        self.finish(qtbot, panel)
        assert "native code gave up" in panel.status.text()
        assert panel._progress_row.isHidden()

    def test_cancel_closes_the_job(self, qtbot, panel):
        closed = threading.Event()

        def job():
            try:
                while True:
                    yield (0, 0, "busy")
                    time.sleep(0.01)
            finally:
                closed.set()

        panel.run(job, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: panel.status.text() == "busy", timeout=5000)
        panel.cancel()
        self.finish(qtbot, panel)
        assert closed.wait(1)
        assert panel.status.text().startswith("Cancelled")
        assert panel.cancel_button.isEnabled()

    def test_a_panel_that_is_closed_ends_its_job(self, qtbot):
        import shiboken6

        panel = Panel("Test", "decode")
        panel.add_status()
        closed = threading.Event()

        def job():
            try:
                while True:
                    yield (0, 0, "busy")
                    time.sleep(0.01)
            finally:
                closed.set()

        panel.run(job, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: panel.status.text() == "busy", timeout=5000)
        shiboken6.delete(panel)
        qtbot.waitUntil(closed.is_set, timeout=5000)

    def test_a_second_job_can_follow(self, qtbot, panel):
        def job():
            yield (1, 1, "busy")
            return 7

        results = []
        for _ in range(2):
            panel.run(job, results.append)
            self.finish(qtbot, panel)
        panel.say("done", GOOD)
        assert results == [7, 7]


class TestRegions:
    def source(self, image):
        return ImageSource(image, False, Plane((0, 1), (0, 0)), True, PixelSize((12, 12), "given"))

    @pytest.fixture
    def two_codes(self):
        image = np.full((200, 360), 200, np.uint8)
        for payload, left in ((b"left", 40), (b"right", 220)):
            modules = np.kron(encode(payload).matrix, np.ones((4, 4)))
            image[50:134, left : left + 84][modules > 0] = 30
        return image

    def read(self, source, boxes, cancelled=lambda: False, steps=None):
        report = (lambda *step: None) if steps is None else (lambda *step: steps.append(step))
        return read_regions(source, boxes, None, report, cancelled)

    def test_without_a_region_all_is_read(self, two_codes):
        readings = self.read(self.source(two_codes), [])
        assert sorted(reading.payload for reading in readings) == [b"left", b"right"]

    def test_corners_are_those_in_the_whole_image(self, two_codes):
        (reading,) = self.read(self.source(two_codes), [(30, 160, 195, 340)])
        assert reading.payload == b"right"
        assert np.allclose(reading.corners_yx[0], (49.5, 219.5), atol=0.5)
        assert reading.pitch_nm == pytest.approx(48, abs=0.5)

    def test_a_code_in_two_regions_is_given_once(self, two_codes):
        steps = []
        boxes = [(30, 160, 195, 340), (20, 170, 190, 350), (30, 160, 20, 150)]
        readings = self.read(self.source(two_codes), boxes, steps=steps)
        assert sorted(reading.payload for reading in readings) == [b"left", b"right"]
        done = [count / total for count, total, _ in steps]
        assert done == sorted(done)
        assert steps[-1][2].startswith("region 3: ")

    def test_it_ends_between_regions(self, two_codes):
        assert self.read(self.source(two_codes), [], cancelled=lambda: True) == []
