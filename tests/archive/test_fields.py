"""Fields of view as pattern files: what is written is read back, by us and by others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.archive.fields import FIELD_SUFFIXES, read_field, write_field
from napari_nanoqr.archive.levels import level_set
from napari_nanoqr.fib.pattern import BadPattern
from napari_nanoqr.fib.pattern_files import read_pattern

THIRDS = (0, 1 / 3, 2 / 3, 1)


def some_levels(rows: int = 512, columns: int = 1024, bits: int = 1, seed: int = 0) -> NDArray:
    rng = np.random.default_rng(seed)
    # runs of several lengths, as text and marks have
    fine = rng.integers(0, 2**bits, (rows, columns))
    coarse = rng.integers(0, 2, (rows // 8, columns // 8)).repeat(8, axis=0).repeat(8, axis=1)
    return np.where(np.arange(columns) < columns // 3, coarse, fine).astype(np.uint8)


@pytest.mark.parametrize("suffix", FIELD_SUFFIXES)
@pytest.mark.parametrize("bits", [1, 2])
def test_levels_and_pitch_come_back(suffix: str, bits: int, tmp_path: Path) -> None:
    levels = some_levels(bits=bits)
    path = tmp_path / f"field{suffix}"
    write_field(levels, path, 49.5, doses=level_set(bits).dose.tolist())
    read, pitch = read_field(path)
    assert pitch == pytest.approx(49.5)
    assert np.array_equal(read, levels)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".oas", ".gds"])
def test_big_letters_alone_keep_their_pitch_and_the_size_of_their_field(
    suffix: str, tmp_path: Path
) -> None:
    levels = np.zeros((512, 512), dtype=np.uint8)
    levels[16:32, 64:96] = 3
    write_field(levels, tmp_path / f"a{suffix}", doses=THIRDS)
    read, pitch = read_field(tmp_path / f"a{suffix}")
    assert pitch == pytest.approx(49.0)
    assert np.array_equal(read, levels)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 40), columns=st.integers(1, 40), seed=st.integers(0, 2**32 - 1),
    dark=st.floats(0.02, 1.0), pitch_pm=st.integers(1000, 90000),
    suffix=st.sampled_from(FIELD_SUFFIXES),
)  # fmt: skip
def test_any_field_of_any_pitch_comes_back(
    rows: int, columns: int, seed: int, dark: float, pitch_pm: int, suffix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    levels = (rng.random((rows, columns)) < dark).astype(np.uint8)
    levels[rng.integers(rows), rng.integers(columns)] = 1
    path = tmp_path_factory.mktemp("field") / f"f{suffix}"
    write_field(levels, path, pitch_pm / 1000)
    read, pitch = read_field(path)
    assert pitch == pytest.approx(pitch_pm / 1000, abs=2e-3)
    assert np.array_equal(read, levels)


@pytest.mark.parametrize("suffix", [".oas", ".gds"])
def test_an_independent_reader_sees_the_same_rectangles(suffix: str, tmp_path: Path) -> None:
    klayout = pytest.importorskip("klayout.db")
    levels = some_levels(64, 128, bits=2)
    path = tmp_path / f"field{suffix}"
    write_field(levels, path, 49.0, doses=THIRDS, layer=7)
    layout = klayout.Layout()
    layout.read(str(path))
    seen = np.zeros_like(levels)
    for dose, level in ((333, 1), (667, 2), (1000, 3)):
        shapes = layout.top_cell().shapes(layout.layer(7, dose))
        for shape in shapes.each():
            box = shape.dbbox()
            left, right = round(box.left / 0.049) + 64, round(box.right / 0.049) + 64
            top, bottom = 32 - round(box.top / 0.049), 32 - round(box.bottom / 0.049)
            assert not seen[top:bottom, left:right].any()
            seen[top:bottom, left:right] = level
    assert layout.dbu == pytest.approx(0.001)
    assert np.array_equal(seen, levels)


@pytest.mark.parametrize("suffix", FIELD_SUFFIXES)
def test_the_plans_of_the_other_commands_read_fields_too(suffix: str, tmp_path: Path) -> None:
    levels = some_levels(16, 24)
    write_field(levels, tmp_path / f"f{suffix}", 49.0)
    pattern = read_pattern(tmp_path / f"f{suffix}", hfw_um=5)
    left, top, right, bottom = pattern.bounds_nm or (0, 0, 0, 0)
    assert (right - left) == pytest.approx(24 * 49, abs=49)
    assert (bottom - top) == pytest.approx(16 * 49, abs=49)


def test_a_layout_without_our_name_is_understood_by_its_shapes(tmp_path: Path) -> None:
    import gdstk

    levels = some_levels(512, 512)
    write_field(levels, tmp_path / "a.oas", 40.0)
    library = gdstk.read_oas(str(tmp_path / "a.oas"))
    library.cells[0].name = "TOP"
    library.write_gds(str(tmp_path / "b.gds"))
    read, pitch = read_field(tmp_path / "b.gds")
    assert pitch == pytest.approx(40.0)
    assert np.array_equal(read, levels)


def test_the_same_levels_are_the_same_file(tmp_path: Path) -> None:
    levels = some_levels(64, 64)
    for suffix in FIELD_SUFFIXES:
        write_field(levels, tmp_path / f"a{suffix}")
        write_field(levels, tmp_path / f"b{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_what_cannot_be_a_field_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    levels = some_levels(8, 8)
    levels[0, 0] = 1
    for bad, path, pitch, words in (
        (levels * 0, "a.oas", 49.0, "milled"),
        (levels * 3, "a.oas", 49.0, "dose"),
        (levels, "a.str", 49.0, ".oas"),
        (levels, "a.oas", 49.00001, "three decimals"),
        (levels, "a.oas", float("nan"), "pitch"),
    ):
        with pytest.raises(ValueError, match=words):
            write_field(bad, tmp_path / path, pitch)
    with pytest.raises(ValueError, match="Layer"):
        write_field(levels, tmp_path / "a.oas", layer=64)
    assert not list(tmp_path.iterdir())


def test_doses_that_do_not_tell_their_levels_are_asked_for(tmp_path: Path) -> None:
    levels = np.zeros((512, 512), dtype=np.uint8)
    levels[0, 0], levels[9, 9] = 1, 3
    write_field(levels, tmp_path / "a.oas", doses=THIRDS)
    with pytest.raises(BadPattern, match="give the doses"):
        read_field(tmp_path / "a.oas")
    assert np.array_equal(read_field(tmp_path / "a.oas", doses=THIRDS)[0], levels)
    with pytest.raises(BadPattern, match="other doses"):
        read_field(tmp_path / "a.oas", doses=(0, 1))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    for suffix in FIELD_SUFFIXES:
        path = tmp_path / f"a{suffix}"
        write_field(some_levels(64, 64), path)
        data = bytearray(path.read_bytes())
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(BadPattern, match=path.name):
            read_field(path)
    with pytest.raises(BadPattern, match="no file of a field"):
        read_field(tmp_path / "a.txt")
