"""Stream files: strict when written, tolerant when read, and never half right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.fib.describe import describe_pattern
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.pattern import BadPattern, PointPattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def read(folder: Path, text: str, **options: float) -> PointPattern:
    path = folder / "a.str"
    path.write_bytes(text.encode())
    pattern = read_pattern(path, **options)
    assert isinstance(pattern, PointPattern)
    return pattern


@pytest.mark.parametrize("stream", ["s", "s16", "s16,25ns"])
def test_the_written_form_is_strict(plan: MillPlan, tmp_path: Path, stream: str) -> None:
    write_pattern(plan, tmp_path / "a.str", stream=stream)
    text = (tmp_path / "a.str").read_bytes().decode("ascii")
    head, passes, count, *lines, end = text.split("\n")
    assert (head, int(passes), int(count), end) == (stream, plan.passes, len(lines), "")
    table = np.array([[int(word) for word in line.split("\t")] for line in lines])
    assert len(table) == plan.n_points + 1
    assert set(table[:, 0]) == {40 if stream.endswith("25ns") else 10}
    assert table[:-1, 3].all()
    # the beam is blanked at the end, where it already is
    assert table[-1].tolist() == [*table[-2, :3], 0]
    top = 4095 if stream == "s" else 65535
    assert 0 <= table[:, 1:3].min() <= table[:, 1:3].max() <= top
    # the centre of the field is the middle of the range
    assert table[:, 1:3].min(axis=0) + table[:, 1:3].max(axis=0) == pytest.approx(top + 1, abs=1)


@pytest.mark.parametrize(
    "text",
    [
        "s16\n2\n2\n10\t100\t200\t1\n20\t101\t201\t1\n",
        "S16\n2\n2\n10 100 200\n20 101 201",
        "s16 \r\n 2\r\n2 \r\n10   100  200 1  \r\n20 101\t201 1\r\n",
        "\ufeffs16\n2\n2\n\n10 100 200 1\n20 101 201\n\n\n",
        "s16\n2\n2\n10 100 200\n20 101 201 1",
    ],
)
def test_whatever_is_in_the_field_is_read(tmp_path: Path, text: str) -> None:
    pattern = read(tmp_path, text)
    assert pattern.steps.tolist() == [[100, 200], [101, 201]]
    assert pattern.dwell_units.tolist() == [10, 20]
    assert pattern.beam_on.all()
    assert pattern.passes == 2
    assert pattern.dwell_s == pytest.approx([1e-6, 2e-6])
    assert pattern.beam_on_time_s == pytest.approx(6e-6)


def test_blanked_points_and_dwell_0_receive_nothing(tmp_path: Path) -> None:
    pattern = read(tmp_path, "s16\n1\n3\n10 0 0 1\n10 5 5 0\n0 9 9 1\n", hfw_um=65.536)
    assert pattern.exposes.tolist() == [True, False, False]
    assert pattern.beam_on_time_s == pytest.approx(1e-6)
    assert pattern.bounds_nm == (-32768, -32768, -32768, -32768)
    assert describe_pattern(pattern)["blanked_points"] == 2


@pytest.mark.parametrize(("head", "unit_ns"), [("s16,25ns", 25), ("S16, 25 NS", 25), ("s", 100)])
def test_the_dwell_unit_is_the_headers(tmp_path: Path, head: str, unit_ns: float) -> None:
    pattern = read(tmp_path, f"{head}\n1\n1\n4 8 8 1\n")
    assert pattern.dwell_unit_s == pytest.approx(unit_ns * 1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 says ''"),
        ("s16", "ends after 1 lines"),
        ("s12\n1\n1\n1 1 1\n", "line 1 says 's12'"),
        ("s,25ns\n1\n1\n1 1 1\n", "line 1 says 's,25ns'"),
        ("s16\n0\n1\n1 1 1\n", "line 2: '0' is not the number of passes"),
        ("s16\n1\nmany\n1 1 1\n", "line 3: 'many' is not the number of points"),
        ("s16\n1\n2\n1 1 1\n", "says 2 points in line 3 but holds 1"),
        ("s16\n1\n1\n1 1 1\n2 2 2\n", "says 1 points in line 3 but holds 2"),
        ("s16\n1\n1\n", "says 1 points in line 3 but holds 0"),
        ("s16\n1\n3\n1 1 1 1\n2 2", "it says 3 points in line 3 but ends with '2 2' in line 5"),
        ("s16\n1\n2\n1 1 1 1\n2 222 2", "was cut short: line 5"),
        ("s16\n1\n2\n1 1 1\n2 x 2\n", "line 5: '2 x 2' is not"),
        ("s16\n1\n2\n1 1.5 1\n2 2 2\n", "line 4: '1 1.5 1' is not"),
        ("s16\n1\n1\n1 1 1 1 1\n", "line 4"),
        ("s16\n1\n2\n1 1 1\n-1 1 1\n", "line 5: '-1 1 1 1' is out of range"),
        ("s16\n1\n2\n1 1 1\n1 65536 1\n", "line 5: '1 65536 1 1' is out of range"),
        ("s\n1\n1\n1 1 4096\n", "line 4: '1 1 4096 1' is out of range: x and y are 0..4095"),
        ("s16\n1\n1\n1 1 1 2\n", "line 4: '1 1 1 2' is out of range"),
        ("s16\n1\n1\n1 99999999999999999999 1\n", "line 4"),
    ],
)  # fmt: skip
def test_damage_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadPattern) as problem:
        read(tmp_path, text)
    assert said in str(problem.value)
    assert str(problem.value).startswith("a.str")


@settings(deadline=None)
@given(content=st.one_of(st.binary(), st.text("s16,25n\n\t 0").map(str.encode)))
def test_no_bytes_crash_the_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.str"
    path.write_bytes(content)
    try:
        pattern = read_pattern(path, hfw_um=5)
    except BadPattern:
        return
    assert describe_pattern(pattern)["points"] >= 1


@pytest.mark.parametrize(
    "profile",
    [{"bits": 14}, {"bits": 12, "dwell_unit_ns": 25}, {"y_max": 65536}, {"y_centre": 70000},
     {"y_min": 40000}, {"y_min": -1}],
)  # fmt: skip
def test_profiles_that_cannot_be_are_refused(profile: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="does not"):
        StreamProfile(**profile)


def test_a_profile_shifts_the_pattern_and_is_kept_in_the_sidecar(
    plan: MillPlan, tmp_path: Path
) -> None:
    profile = StreamProfile(y_max=56575, y_centre=28288)
    write_pattern(plan, tmp_path / "a.str", stream=profile)
    write_pattern(plan, tmp_path / "b.str")
    a, b = read_pattern(tmp_path / "a.str"), read_pattern(tmp_path / "b.str")
    assert isinstance(a, PointPattern)
    assert isinstance(b, PointPattern)
    assert set(b.steps[:, 1] - a.steps[:, 1]) == {32768 - 28288}
    assert np.array_equal(a.points_nm, b.points_nm)
    (tmp_path / "a.str.json").unlink()
    # without the profile the pattern is off by a third of a micrometre at 5 um HFW
    blind = read_pattern(tmp_path / "a.str", hfw_um=5)
    assert isinstance(blind, PointPattern)
    shift = (blind.points_nm - b.points_nm)[:, 1]
    assert shift == pytest.approx(-342, abs=1)


@pytest.mark.shared
class TestFilesOfOtherPrograms:
    def test_grid(self, shared_dir: Path) -> None:
        pattern = read_pattern(shared_dir / "fib-files" / "vulcan_grid_15pts.str", hfw_um=5)
        assert isinstance(pattern, PointPattern)
        assert (len(pattern.steps), pattern.passes) == (15, 1000)
        assert pattern.dwell_s == pytest.approx(1e-6)
        assert sorted(set(pattern.steps[:, 0])) == [22768, 27768, 32768, 37768, 42768]
        assert pattern.bounds_nm == pytest.approx((-763, -381, 763, 381), abs=1)

    def test_dwell_0_and_no_flags(self, shared_dir: Path) -> None:
        pattern = read_pattern(shared_dir / "fib-files" / "vulcan_recreation_65131pts.str")
        assert isinstance(pattern, PointPattern)
        assert (len(pattern.steps), pattern.passes) == (65131, 21)
        assert pattern.dwell_units[0] == 0
        assert pattern.beam_on.all()
        assert describe_pattern(pattern)["size_nm"] is None

    def test_cut_short(self, shared_dir: Path) -> None:
        with pytest.raises(BadPattern, match=r"cut short: it says 175603 points.*line 12079"):
            read_pattern(shared_dir / "fib-files" / "cam2fib_truncated.str")
