"""Bitmaps: one pixel a point, green for the beam, blue for the dwell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_nanoqr.fib.describe import describe_pattern
from napari_nanoqr.fib.pattern import BadPattern, PointPattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def test_another_program_sees_the_milled_points(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "a.bmp")
    with Image.open(tmp_path / "a.bmp") as image:
        assert (image.mode, image.format) == ("RGB", "BMP")
        pixels = np.asarray(image)
    edge = plan.design.quiet_zone * plan.points_per_module
    mask = plan.exposure.lattices[0].dose[edge:-edge, edge:-edge] > 0
    assert np.array_equal(pixels[..., 0], np.zeros_like(mask))
    assert np.array_equal(pixels[..., 1], mask)
    assert np.array_equal(pixels[..., 2], 255 * mask)


def test_the_file_alone_tells_the_pixel_but_not_the_dwell(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "a.bmp")
    (tmp_path / "a.bmp.json").unlink()
    pattern = read_pattern(tmp_path / "a.bmp")
    assert isinstance(pattern, PointPattern)
    assert pattern.step_nm == pytest.approx(7, rel=1e-6)
    assert pattern.dwell_s is None
    assert describe_pattern(pattern)["beam_on_time_s"] is None


def test_a_picture_of_the_screens_resolution_has_no_scale(tmp_path: Path) -> None:
    pixels = np.zeros((3, 5, 3), dtype=np.uint8)
    pixels[1, 2] = (9, 1, 128)
    Image.fromarray(pixels).save(tmp_path / "a.bmp", dpi=(96, 96))
    pattern = read_pattern(tmp_path / "a.bmp")
    assert isinstance(pattern, PointPattern)
    assert pattern.step_nm is None
    assert pattern.steps.tolist() == [[2, 1]]
    assert pattern.dwell_units.tolist() == [128]
    assert pattern.centre_step == (2, 1)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_bitmaps_of_other_depths_are_refused(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "a.bmp")
    with pytest.raises(BadPattern, match="not a 24-bit bitmap"):
        read_pattern(tmp_path / "a.bmp")


def test_another_kind_of_picture_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.bmp")
    with pytest.raises(BadPattern, match="not a bitmap"):
        read_pattern(tmp_path / "a.bmp")
    with pytest.raises(FileNotFoundError):
        read_pattern(tmp_path / "none.bmp")
