"""A pattern of any program is held against the limits, each complaint with its number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.fib.check_pattern import check_pattern
from napari_nanoqr.fib.complaint import Complaint
from napari_nanoqr.fib.describe import complaints, describe_pattern
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.instruments import Instrument, InstrumentFormat, find_instrument
from napari_nanoqr.fib.pattern import PointPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def points(*lines: tuple[int, int, int, int], hfw_um: float | None = 5.0) -> PointPattern:
    """Dwell in 100 ns, x, y and flag of each point of a 16-bit stream."""
    table = np.array(lines, dtype=np.int64)
    return PointPattern(
        format="Thermo/FEI stream, 16 bit, 100 ns", hfw_um=hfw_um, steps=table[:, 1:3],
        dwell_units=table[:, 0], beam_on=table[:, 3] == 1, passes=1,
        centre_step=(32768.0, 32768.0), dwell_unit_s=1e-7,
        step_nm=None if hfw_um is None else hfw_um * 1000 / 65536,
    )  # fmt: skip


GOOD = (10, 32000, 32000, 1), (10, 32100, 32000, 1)


def only(found: list[Complaint]) -> Complaint:
    (complaint,) = found
    assert complaint.sentence.endswith(complaint.way_out + ".")
    return complaint


@pytest.mark.parametrize("suffix", [".str", ".bmp", ".gds"])
def test_what_is_written_here_is_well(plan: MillPlan, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_pattern(plan, path)
    for instrument in (None, find_instrument("Thermo/FEI 16 bit"), find_instrument("Raith")):
        assert check_pattern(read_pattern(path), instrument) == []
    assert describe_pattern(read_pattern(path))["complaints"] == []


@pytest.mark.parametrize(
    ("extra", "what", "severity", "value", "limit"),
    [
        ((0, 32200, 32000, 1), "dwell of nothing", "warning", 1, 0),
        ((50_000, 32200, 32000, 1), "longest dwell", "error", 5000, 4500),
        ((10, 32100, 32000, 1), "points at the same place", "warning", 1, 0),
    ],
)
def test_each_complaint(
    extra: tuple[int, int, int, int], what: str, severity: str, value: float, limit: float
) -> None:
    assert check_pattern(points(*GOOD)) == []
    found = only(check_pattern(points(*GOOD, extra)))
    assert (found.what, found.severity) == (what, severity)
    assert (found.value, found.limit) == (pytest.approx(value), limit)
    assert found.sentence in complaints(points(*GOOD, extra))


def test_blanked_points_are_no_harm() -> None:
    assert check_pattern(points(*GOOD, (0, 32100, 32000, 0), (60_000, 5, 5, 0))) == []


def test_a_file_that_mills_nothing_is_told() -> None:
    assert only(check_pattern(points((0, 1, 1, 1), (10, 2, 2, 0)))).what == "exposed points"


def test_too_many_points_are_told() -> None:
    few = Instrument("few", most_points=1)
    assert only(check_pattern(points(*GOOD), few)).value == 2


def test_the_range_of_y_is_the_instruments() -> None:
    profile = StreamProfile(16, 100, 0, 56575, 28288)
    old = Instrument("old", (InstrumentFormat(".str", {"stream": profile}),))
    high = points(*GOOD, (10, 32000, 60000, 1))
    assert check_pattern(high) == []
    found = only(check_pattern(high, old))
    assert (found.what, found.value, found.limit) == ("range of y", 60000, 56575)
    assert check_pattern(points(*GOOD), old) == []


def test_a_pattern_beyond_the_deflection_is_too_large() -> None:
    wide = points((10, 100, 32000, 1), (10, 65000, 32000, 1), hfw_um=900.0)
    found = only(check_pattern(wide))
    assert (found.what, found.limit) == ("pattern size", 800)
    # without a scale nothing is said about sizes
    assert check_pattern(points((10, 100, 32000, 1), (10, 65000, 32000, 1), hfw_um=None)) == []


def shapes(layer: int, factor: float, side_nm: float = 100.0) -> ShapePattern:
    square = np.array([(0, 0), (side_nm, 0), (side_nm, 100), (0, 100)], dtype=float)
    return ShapePattern(
        format="GDSII", hfw_um=1.0, polygons_nm=(square,), dose_factors=np.array([factor]),
        layers=np.array([layer]), base_dose_nc_per_um2=0.1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "what", "value", "limit"),
    [
        (shapes(64, 1), "layer", 64, 63),
        (shapes(0, 40), "dose factor", 40, 32.767),
        (shapes(0, 0), "shapes without dose", 1, 0),
        (shapes(0, 1, 0), "shapes without area", 1, 0),
        (shapes(0, 1, 700), "field", 0.7, 0.5),
    ],
)
def test_shapes(pattern: ShapePattern, what: str, value: float, limit: float) -> None:
    found = only(check_pattern(pattern, find_instrument("Raith")))
    assert (found.what, found.value, found.limit) == (what, pytest.approx(value), limit)
    assert check_pattern(shapes(63, 32.767), find_instrument("Raith")) == []


@pytest.mark.shared
def test_files_of_other_tools(shared_dir: Path) -> None:
    """The dwell of 0 at the top of one of them is told with the number of points."""
    folder = shared_dir / "fib-files"
    said = complaints(read_pattern(folder / "vulcan_recreation_65131pts.str", hfw_um=5))
    assert any("points that are not blanked have no dwell" in each for each in said)
    grid = complaints(read_pattern(folder / "vulcan_grid_15pts.str", hfw_um=5))
    assert not any("no dwell" in each for each in grid)
