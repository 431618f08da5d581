"""OASIS: the same shapes as GDSII, and no damage that crashes."""

from __future__ import annotations

from pathlib import Path

import gdstk
import numpy as np
import pytest

from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.gdsii import write_gds
from napari_nanoqr.fib.formats.oasis import CRC32, checksum_kind, write_oas
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.materials import VolumePerDose
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def library() -> gdstk.Library:
    """A layout with a triangle, a path, a label, and references that turn and repeat."""
    part, top = gdstk.Cell("PART"), gdstk.Cell("TOP")
    part.add(gdstk.rectangle((0, 0), (1, 2), layer=3, datatype=1500))
    part.add(gdstk.Polygon([(0, 0), (1, 0), (0, 1)]))
    part.add(gdstk.FlexPath([(0, 0), (3, 3)], 0.2, simple_path=True, layer=1))
    part.add(gdstk.Label("x", (0, 0)))
    top.add(gdstk.Reference(part, (10, 10), rotation=0.3, magnification=2, x_reflection=True))
    top.add(gdstk.Reference(part, columns=3, rows=2, spacing=(5, 5)))
    made = gdstk.Library()
    made.add(part, top)
    return made


def random_exposure(rows: int, columns: int, levels: int = 1) -> Exposure:
    """Modules of 49 nm that are milled at random, with some doses."""
    rng = np.random.default_rng(5)
    dose = rng.integers(0, levels + 1, (rows, columns)).astype(np.float32) / levels
    lattice = Lattice(dose, 49.0, -24.5 * columns, -24.5 * rows)
    volume = VolumePerDose.exactly(0.12)
    return Exposure((lattice,), find_beam(), 100.0, 1.0, 100, volume)


def read_shapes(path: Path) -> ShapePattern:
    pattern = read_pattern(path)
    assert isinstance(pattern, ShapePattern)
    return pattern


def test_the_same_shapes_as_in_gdsii_in_a_smaller_file(plan: MillPlan, tmp_path: Path) -> None:
    for suffix in (".gds", ".oas"):
        write_pattern(plan, tmp_path / f"a{suffix}", layer=7, dose_factor=1.25)
    gds, oas = (read_shapes(tmp_path / f"a{suffix}") for suffix in (".gds", ".oas"))
    corners = [
        sorted(np.rint(polygon.min(axis=0)).tolist() for polygon in pattern.polygons_nm)
        for pattern in (gds, oas)
    ]
    assert corners[0] == corners[1]
    assert set(oas.layers) == {7}
    assert set(oas.dose_factors) == {1.25}
    assert oas.charge_nc == pytest.approx(plan.exposure.charge_nc)
    assert (tmp_path / "a.oas").stat().st_size < (tmp_path / "a.gds").stat().st_size / 4


@pytest.mark.parametrize("validation", [None, "crc32", "checksum32"])
def test_layouts_of_other_programs_are_read(tmp_path: Path, validation: str | None) -> None:
    path = tmp_path / "a.oas"
    library().write_oas(str(path), validation=validation)
    kind = {None: 0, "crc32": CRC32, "checksum32": 2}[validation]
    assert checksum_kind(path.read_bytes()) == kind
    pattern = read_shapes(path)
    assert len(pattern.polygons_nm) == 7 * 3
    assert set(pattern.layers) == {0, 1, 3}
    assert set(pattern.dose_factors[pattern.layers == 3]) == {1.5}
    assert sorted(pattern.areas_um2[pattern.layers == 3]) == pytest.approx([2] * 6 + [8])


def test_a_file_without_checksum_may_crash_its_reader(tmp_path: Path) -> None:
    """The library ends the process at some of these; nothing but a refusal may come of it."""
    path = tmp_path / "a.oas"
    library().write_oas(str(path), compression_level=0)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(12):
        damaged = bytearray(whole)
        for at in rng.integers(13, len(whole) - 256, 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            pattern = read_pattern(path)
        except BadPattern:
            continue
        assert isinstance(pattern, ShapePattern)


def test_a_wrong_checksum_is_damage(plan: MillPlan, tmp_path: Path) -> None:
    write_pattern(plan, tmp_path / "a.oas")
    whole = bytearray((tmp_path / "a.oas").read_bytes())
    whole[40] ^= 1
    (tmp_path / "a.oas").write_bytes(bytes(whole))
    with pytest.raises(BadPattern, match=r"a.oas is damaged: its \d+ bytes do not fit"):
        read_pattern(tmp_path / "a.oas")


@pytest.mark.parametrize("signed", [None, "crc32"])
def test_references_to_nowhere_in_circles_or_without_end_are_refused(
    tmp_path: Path, signed: str | None
) -> None:
    def nowhere(one: gdstk.Cell, two: gdstk.Cell) -> None:
        two.add(gdstk.Reference("NONE"))

    def in_a_circle(one: gdstk.Cell, two: gdstk.Cell) -> None:
        two.add(gdstk.Reference(one))
        one.add(gdstk.Reference(two))

    def without_end(one: gdstk.Cell, two: gdstk.Cell) -> None:
        two.add(gdstk.Reference(one, columns=10**5, rows=10**5, spacing=(5, 5)))

    for add, said in [
        (nowhere, "'TWO' refers to 'NONE', which is not there"),
        (in_a_circle, "refers to itself"),
        (without_end, "'TWO' holds more polygons than fit"),
    ]:
        one, two = gdstk.Cell("ONE"), gdstk.Cell("TWO")
        one.add(gdstk.rectangle((0, 0), (1, 1)))
        add(one, two)
        made = gdstk.Library()
        made.add(one, two)
        made.write_oas(str(tmp_path / "a.oas"), validation=signed)
        with pytest.raises(BadPattern, match=said):
            read_pattern(tmp_path / "a.oas")


def test_an_empty_layout_and_another_kind_of_file_are_refused(tmp_path: Path) -> None:
    made = gdstk.Library()
    made.new_cell("EMPTY")
    made.write_oas(str(tmp_path / "a.oas"), validation="crc32")
    with pytest.raises(BadPattern, match="holds no polygon"):
        read_pattern(tmp_path / "a.oas")
    (tmp_path / "a.oas").write_bytes(b"GDS")
    with pytest.raises(BadPattern, match="is no OASIS file"):
        read_pattern(tmp_path / "a.oas")


class TestAgainstAnIndependentReader:
    """KLayout reads both formats with code of its own."""

    @pytest.mark.parametrize("suffix", [".gds", ".oas"])
    @pytest.mark.parametrize("levels", [1, 4])
    def test_area_and_dose_are_exact(self, tmp_path: Path, suffix: str, levels: int) -> None:
        klayout = pytest.importorskip("klayout.db")
        exposure = random_exposure(60, 90, levels)
        write = write_gds if suffix == ".gds" else write_oas
        write(exposure, tmp_path / f"a{suffix}", layer=5, dose_factor=2.0)
        layout = klayout.Layout()
        layout.read(str(tmp_path / f"a{suffix}"))
        assert layout.dbu == pytest.approx(1e-3)
        assert layout.top_cell().name == "NANOQR"
        found = {}
        for index in layout.layer_indexes():
            region = klayout.Region(layout.top_cell().begin_shapes_rec(index))
            assert sum(shape.area() for shape in region.each()) == region.merged().area()
            info = layout.get_info(index)
            assert info.layer == 5
            found[info.datatype] = region.area()
        cells = exposure.lattices[0].dose
        for level in range(1, levels + 1):
            count = np.count_nonzero(np.isclose(cells, level / levels))
            assert found.pop(2000 * level // levels) == count * 49 * 49
        assert not found
