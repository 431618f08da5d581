"""Position lists place layouts on a chip, and are read with the layouts that they place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.fib.formats.raith_positions import Position, position_list
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import is_pattern, read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


@pytest.fixture
def folder(plan: MillPlan, tmp_path: Path) -> Path:
    """A layout, and a list that exposes it at two places."""
    write_pattern(plan, tmp_path / "code.gds")
    places = [
        Position("code.gds", 1.0, 2.0, plan.hfw_um),
        Position("code.gds", 1.5, 2.0, plan.hfw_um, dose_factor=1.25),
    ]
    (tmp_path / "a.pls").write_text(position_list(places), newline="")
    return tmp_path


def test_every_layout_comes_to_its_place(folder: Path) -> None:
    assert is_pattern(folder / "a.pls")
    layout, found = read_pattern(folder / "code.gds"), read_pattern(folder / "a.pls")
    assert isinstance(layout, ShapePattern)
    assert isinstance(found, ShapePattern)
    count = len(layout.polygons_nm)
    assert len(found.polygons_nm) == 2 * count
    first, second = found.polygons_nm[0], found.polygons_nm[count]
    assert first - layout.polygons_nm[0] == pytest.approx(np.array([[1e6, -2e6]] * 4), abs=1e-3)
    assert second - first == pytest.approx(np.array([[5e5, 0]] * 4), abs=1e-3)
    assert found.dose_factors[:count] == pytest.approx(1)
    assert found.dose_factors[count:] == pytest.approx(1.25)


def test_the_written_form_names_its_columns(folder: Path) -> None:
    text = (folder / "a.pls").read_bytes().decode("ascii")
    assert text.count("\n") == text.count("\r\n")
    head, _, data = text.partition("[DATA]\r\n")
    names = next(line for line in head.split("\r\n") if line.startswith("FORMAT=")).split(",")
    columns = [*"IXYZRTUVWATC", *names[1::2]]
    words = dict(zip(columns, data.split("\r\n")[1].split(","), strict=True))
    assert (words["I"], words["U"], words["V"]) == ("1", "1.500000", "2.000000")
    assert (words["C"], words["Type"], words["File"]) == ("NANOQR", "EXPOSURE", "code.gds")
    assert (words["DoseFactor"], words["Layer"]) == ("1.250", "0")
    assert words["Area"] == "-2.500;-2.500;2.500;2.500"


def test_lists_of_others_are_read(folder: Path) -> None:
    path = folder / "a.pls"
    head = path.read_text().partition("[DATA]")[0] + "[DATA]\n"
    empty = "," * 13
    rows = [
        "0,1.5,2.5,0.0,0.0,0.0,0.0,0.0,35.0,MS,dUV,Focus,15.0,MACRO,,,,,,,,,,,C:\\Lib\\focus.js",
        "1,,,,,,1.0,2.0,,XN,UV,NANOQR,,EXPOSURE,100,100,,,,,50,50,,,D:\\x\\code.gds,0,"
        f"-50;-50;50;50,2{empty}",
        "",
        "2,,,,,,1.0,2.0,,XN,UV,OTHER,,EXPOSURE,,,,,,,,,,,code.gds,7",
    ]
    path.write_text(head + "\n".join(rows) + "\n")
    found = read_pattern(path)
    assert isinstance(found, ShapePattern)
    assert found.bounds_nm == pytest.approx((999_289.5, -2_000_710.5, 1_000_710.5, -1_999_289.5))
    assert set(found.dose_factors) == {2.0}
    assert found.notes == ("1 lines that expose nothing are left out.",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("code.gds", "none.gds", "the layout 'none.gds' does not lie beside the list"),
        ("1.500000", "x", "has a place, area, layer or dose that is none"),
        ("1.250,", "much,", "has a place, area, layer or dose that is none"),
        ("EXPOSURE,5", "EXPOSURE" + "," * 60 + "5", "columns"),
        ("[DATA]", "[DATE]", "has no [DATA]"),
        ("IXYZ", "XYZ", "names other columns"),
        ("[HEADER]", "", "not of the format Raith position list"),
    ],
)
def test_damage_is_named_with_its_line(folder: Path, old: str, new: str, said: str) -> None:
    text = (folder / "a.pls").read_text()
    assert old in text
    (folder / "a.pls").write_text(text.replace(old, new))
    with pytest.raises(BadPattern) as problem:
        read_pattern(folder / "a.pls")
    assert str(problem.value).startswith("a.pls")
    assert said in str(problem.value)


def test_damaged_lists_never_crash(folder: Path) -> None:
    path = folder / "a.pls"
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(100):
        damaged = bytearray(whole)
        for at in rng.integers(len(whole) - 600, len(whole), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            read_pattern(path)
        except BadPattern as problem:
            assert str(problem)  # noqa: PT017


def test_a_list_is_not_written_in_place_of_a_pattern(plan: MillPlan, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no shapes, only where layouts are exposed"):
        write_pattern(plan, tmp_path / "a.pls")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="rename it"):
        position_list([Position("a,b.gds", 0, 0, 5)])
