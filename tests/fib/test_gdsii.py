"""GDSII: exact rectangles, Raith's dose factors, and no damage that crashes."""

from __future__ import annotations

from pathlib import Path

import gdstk
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.formats.layout import database_unit
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.symbols.encode import encode


def layout(folder: Path) -> Path:
    """A layout with a triangle, a path, a label, and references that turn and repeat."""
    part, top = gdstk.Cell("PART"), gdstk.Cell("TOP")
    part.add(gdstk.rectangle((0, 0), (1, 2), layer=3, datatype=1500))
    part.add(gdstk.Polygon([(0, 0), (1, 0), (0, 1)]))
    part.add(gdstk.FlexPath([(0, 0), (3, 3)], 0.2, simple_path=True, layer=1))
    part.add(gdstk.Label("x", (0, 0)))
    top.add(gdstk.Reference(part, (10, 10), rotation=0.3, magnification=2, x_reflection=True))
    top.add(gdstk.Reference(part, columns=3, rows=2, spacing=(5, 5)))
    library = gdstk.Library()
    library.add(part, top)
    library.write_gds(str(folder / "layout.gds"))
    return folder / "layout.gds"


def test_the_pitch_is_exact_and_the_layout_centred(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "a.gds", layer=7, dose_factor=1.25)
    library = gdstk.read_gds(str(tmp_path / "a.gds"))
    assert (library.unit, library.precision) == (pytest.approx(1e-6), pytest.approx(1e-9))
    polygons = library.top_level()[0].polygons
    assert {(polygon.layer, polygon.datatype) for polygon in polygons} == {(7, 1250)}
    corners = np.concatenate([polygon.points for polygon in polygons]) * 1000
    assert np.abs(corners - np.rint(corners)).max() < 1e-6
    left, bottom = corners.min(axis=0)
    modules = (corners - (left, bottom)) / 49
    assert np.abs(modules - np.rint(modules)).max() < 1e-6
    assert sum(polygon.area() for polygon in polygons) == pytest.approx(plan.area_um2)


def test_y_points_up_in_the_file(tmp_path: Path) -> None:
    """The symbol's free corner is at the lower right: x > 0 and y < 0 in the file."""
    design = Design(encode(b"x", "L", 1), quiet_zone=0)
    write_pattern(plan_milling(design), tmp_path / "a.gds")
    points = [p for c in gdstk.read_gds(str(tmp_path / "a.gds")).cells for p in c.polygons]
    finder = (-0.4, 0.4), (0.4, 0.4), (-0.4, -0.4)
    assert all(any(gdstk.inside([spot], points)) for spot in finder)
    rows = design.symbol.matrix[-4:, -4:]
    for (row, column), dark in np.ndenumerate(rows):
        spot = ((column + 17 + 0.5 - 10.5) * 0.049, -(row + 17 + 0.5 - 10.5) * 0.049)
        assert any(gdstk.inside([spot], points)) == dark


@pytest.mark.parametrize(
    ("pitch_nm", "unit_nm"), [(49, 1), (48.5, 0.5), (33.3, 0.1), (48.37, 0.01), (100 / 3, 0.001)]
)
def test_the_database_unit_holds_the_pitch(pitch_nm: float, unit_nm: float) -> None:
    assert database_unit(np.arange(30) * pitch_nm, 29 * pitch_nm) == unit_nm


def test_large_layouts_stay_within_32_bits() -> None:
    assert database_unit(np.arange(178) * 1e6 / 3, 88e6) >= 177e6 / 2**31
    with pytest.raises(ValueError, match="too large for GDSII"):
        database_unit(np.array([1e9]), 1e10)


def test_layouts_of_other_programs_are_read(tmp_path: Path) -> None:
    pattern = read_pattern(layout(tmp_path))
    assert isinstance(pattern, ShapePattern)
    assert len(pattern.polygons_nm) == 7 * 3
    assert set(pattern.layers) == {0, 1, 3}
    assert set(pattern.dose_factors[pattern.layers == 3]) == {1.5}
    assert set(pattern.dose_factors[pattern.layers == 0]) == {1.0}
    areas = pattern.areas_um2[pattern.layers == 3]
    assert sorted(areas) == pytest.approx([2, 2, 2, 2, 2, 2, 8])


def test_an_empty_layout_is_refused(tmp_path: Path) -> None:
    library = gdstk.Library()
    library.new_cell("EMPTY")
    library.write_gds(str(tmp_path / "a.gds"))
    with pytest.raises(BadPattern, match="holds no polygon"):
        read_pattern(tmp_path / "a.gds")


def test_references_to_nowhere_in_circles_or_without_end_are_refused(tmp_path: Path) -> None:
    whole = layout(tmp_path).read_bytes()
    name = b"\x12\x06PART"
    assert whole.count(name) == 2
    path = tmp_path / "a.gds"
    path.write_bytes(whole.replace(name, b"\x12\x06NONE"))
    with pytest.raises(BadPattern, match="'NONE', which is not there"):
        read_pattern(path)
    path.write_bytes(whole.replace(name, b"\x12\x06TOP\0"))
    with pytest.raises(BadPattern, match="'TOP' refers to itself"):
        read_pattern(path)
    times = b"\x13\x02\x00\x03\x00\x02"
    assert whole.count(times) == 1
    path.write_bytes(whole.replace(times, b"\x13\x02\x7f\xff\x7f\xff"))
    with pytest.raises(BadPattern, match="more polygons than fit"):
        read_pattern(path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    damaged = bytearray(layout(folder).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "damaged.gds"
    path.write_bytes(bytes(damaged))
    try:
        pattern = read_pattern(path)
    except BadPattern:
        return
    assert isinstance(pattern, ShapePattern)
    assert pattern.polygons_nm
