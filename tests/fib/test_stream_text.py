"""Stream files are written and read in blocks; what stands in them is as if it were by the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats import stream_table
from napari_nanoqr.fib.formats.stream_text import MOST_UNITS, stream_lines
from napari_nanoqr.fib.formats.thermo_stream import read_stream, write_stream
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.scan import SCAN_ORDERS, scan_order

steps = st.integers(0, 65535)
points = st.lists(st.tuples(st.integers(0, MOST_UNITS), steps, steps), min_size=1, max_size=30)
blanks = st.sampled_from(["", " ", "\t", " \r", "\n", "\r\n\n"])
betweens = st.sampled_from([" ", "\t", "   ", "\t "])


@settings(deadline=None)
@given(points)
def test_lines_are_as_if_formatted_one_by_one(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows)
    said = stream_lines(table[:, 0], table[:, 1:].T)
    assert said.decode() == "".join(f"{d}\t{x}\t{y}\t1\n" for d, x, y in rows)


@settings(deadline=None)
@given(
    rows=points, data=st.data(), flagged=st.booleans(), block=st.sampled_from([1, 7, 64, 1 << 20])
)
def test_whatever_stands_between_the_numbers_they_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, int]], data: st.DataObject, flagged: bool, block: int,
) -> None:  # fmt: skip
    flags = data.draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows)))
    text = f"s16\n1\n{len(rows)}\n"
    for row, flag in zip(rows, flags, strict=True):
        words = [str(number) for number in (*row, flag)[: 4 if flagged else 3]]
        text += data.draw(blanks) + data.draw(betweens).join(words) + "\n"
    text += data.draw(st.sampled_from(["", "\n", "  \n"]))
    path = tmp_path_factory.getbasetemp() / "lines.str"
    path.write_text(text.rstrip("\n") if data.draw(st.booleans()) else text, newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_table, "_BLOCK", block)
        found = read_stream(path, {})
    assert np.column_stack((found.dwell_units, found.steps)).tolist() == [list(row) for row in rows]
    assert found.beam_on.tolist() == [not flagged or flag == 1 for flag in flags]


@pytest.mark.parametrize("scan", SCAN_ORDERS)
def test_points_come_in_the_order_of_the_scan_however_many_at_a_time(
    monkeypatch: pytest.MonkeyPatch, scan: str
) -> None:
    dose = np.random.default_rng(1).random((24, 36)).astype(np.float32)
    dose[dose < 0.4] = 0
    lattice = Lattice(dose, 10.0, -180.0, -120.0, scan, 4)
    index = scan_order(dose > 0, scan, 4)
    for chunk in (1, 50, 100, 1000):
        monkeypatch.setattr("napari_nanoqr.fib.lattice.CHUNK", chunk)
        found = list(lattice.points())
        assert np.array_equal(np.concatenate([dose for _, dose in found]), dose.ravel()[index])
        row, column = np.divmod(index, 36)
        wanted = np.stack((column * 10 - 175, row * 10 - 115), axis=1)
        assert np.concatenate([points for points, _ in found]) == pytest.approx(wanted)


def test_a_dwell_of_seconds_is_refused(plan: MillPlan, tmp_path: Path) -> None:
    whole = plan.exposure
    slow = Exposure(whole.lattices, whole.beam, whole.hfw_um, 1.5e6, 1, whole.volume_per_dose)
    with pytest.raises(ValueError, match=r"dwell of 1.5 s is longer than a stream file holds"):
        write_stream(slow, tmp_path / "a.str")


def test_quick_reading_finds_what_reading_line_by_line_finds_or_nothing(tmp_path: Path) -> None:
    """Lines like the one before are read by a shortcut, which damage must not get past."""
    rng = np.random.default_rng(1)
    path = tmp_path / "a.str"
    units = rng.choice([9, 10, 10, 10], 60)
    at = np.stack((np.arange(60) % 20 * 7 + 9940, np.arange(60) // 20 + 40_000))
    whole = stream_lines(units, at)
    quick = 0
    for _ in range(600):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 3)):
            damaged[place] = rng.choice(list(b"0123456789\t \n\r.-x"))
        path.write_bytes(bytes(damaged))
        count = bytes(damaged).count(b"\n") + (damaged[-1] != ord("\n"))
        found = stream_table._quickly(path, 0, count, 65535)
        if found is None:
            continue
        quick += 1
        table = stream_table._by_line(damaged.decode(), path, count)
        assert np.array_equal(np.column_stack((found[1], found[0], found[2])), table)
    assert quick > 100
