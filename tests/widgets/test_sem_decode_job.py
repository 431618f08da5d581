"""Reading of regions: steps, what is given once, and an end in good time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.image_source import ImageSource
from napari_nanoqr.widgets.pixel_size import PixelSize
from napari_nanoqr.widgets.planes import Plane
from napari_nanoqr.widgets.regions import read_regions


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
