"""Instruments are data: known ones with the source of each number, and the user's own by file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_nanoqr.fib import instruments as library
from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.instrument import LIMITS, Instrument, InstrumentFormat
from napari_nanoqr.fib.instruments import (
    find_instrument,
    instruments,
    load_instrument,
    save_instrument,
)
from napari_nanoqr.fib.library_files import BadLibraryFile
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


@pytest.fixture(autouse=True)
def _own_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_loaded", {})


OLD = StreamProfile(16, 25, 0, 56575, 28288.0, y_up=True)
OURS = Instrument(
    "our FIB",
    (InstrumentFormat(".str", {"stream": OLD}), InstrumentFormat(".gds", {"layer": 3})),
    dwell_step_ns=25, longest_dwell_us=26_000, largest_pattern_um=(400.0, 300.0),
    sources={"longest_dwell_us": "the manual"},
)  # fmt: skip


def test_every_number_of_the_known_ones_has_a_source() -> None:
    for instrument in instruments():
        told = {name for name in (*LIMITS, "largest_pattern_um")
                if getattr(instrument, name) is not None}  # fmt: skip
        assert told == set(instrument.sources)


def test_each_maker_is_there() -> None:
    names = " ".join(instrument.name for instrument in instruments())
    for maker in ("generic", "12 bit", "25 ns", "Raith", "Zeiss", "TESCAN", "NPGS", "NPVE"):
        assert maker in names


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    for instrument in (OURS, *instruments()):
        save_instrument(tmp_path / "i.json", instrument)
        assert load_instrument(tmp_path / "i.json") == instrument
        assert find_instrument(instrument.name.upper()) == instrument


def test_a_hand_written_file_needs_little(tmp_path: Path) -> None:
    path = tmp_path / "i.json"
    stream = {"bits": 12, "y_up": True}
    values = {"name": "old", "formats": [{"suffix": ".str", "options": {"stream": stream}}]}
    path.write_text(json.dumps({"format": library.FORMAT, **values}))
    profile = load_instrument(path).options_for(".str")["stream"]
    assert profile == StreamProfile(12, 100, 0, 4095, 2048.0, y_up=True)


def test_a_pattern_is_written_as_the_instrument_takes_it(plan: MillPlan, tmp_path: Path) -> None:
    path = tmp_path / "a.str"
    write_pattern(plan, path, **OURS.options_for(".str"))
    assert path.read_text().startswith("s16,25ns\n")
    y = [int(line.split()[2]) for line in path.read_text().splitlines()[3:]]
    assert (min(y) + max(y)) / 2 == pytest.approx(28288, abs=1)
    pattern = read_pattern(path)
    assert pattern.bounds_nm == pytest.approx(plan.exposure.bounds_nm, abs=0.1)


def test_what_it_does_not_take_is_told() -> None:
    with pytest.raises(ValueError, match=r"our FIB takes no \.dc2 files: use \.str, \.gds"):
        OURS.options_for(".dc2")
    assert find_instrument().options_for(".gds") == {}


def test_an_unknown_name_lists_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="Known: generic; Thermo/FEI 16 bit; "):
        find_instrument("my FIB")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"name": ""}, '"name" has to be a text'),
        ({"formats": [{"suffix": "str"}]}, "'str' is no suffix"),
        ({"formats": [{"suffix": ".str"}, {"suffix": ".str"}]}, "has a format twice"),
        ({"formats": [{"suffix": ".str", "stream": {}}]}, 'format 1: "stream" is not known here'),
        ({"formats": [{"suffix": ".str", "options": {"stream": {"bits": 13}}}]}, "13 bits"),
        ({"formats": [{"suffix": ".str", "options": {"stream": {"y_up": 1}}}]}, "true or false"),
        ({"formats": [{"suffix": ".str", "options": {"stream": {"y": 1}}}]}, '"y" is not known'),
        ({"formats": ".str"}, "has to be a list"),
        ({"most_points": 0}, "most_points of 0 cannot be"),
        ({"longest_dwell_us": "4"}, '"longest_dwell_us" has to be a number'),
        ({"shortest_dwell_us": 2, "longest_dwell_us": 1}, "shortest dwell is longer"),
        ({"largest_pattern_um": [3]}, "width and height"),
        ({"largest_pattern_um": [3, -1]}, "largest_pattern_um of -1"),
        ({"sources": {"name": "me"}}, "no limit"),
        ({"dwel_step_ns": 3}, '"dwel_step_ns" is not known here'),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_used(
    tmp_path: Path, values: dict[str, Any], wrong: str
) -> None:
    before = instruments()
    path = tmp_path / "ours.json"
    path.write_text(json.dumps({"format": library.FORMAT, "name": "ours"} | values))
    with pytest.raises(BadLibraryFile, match=rf"ours\.json: .*{wrong}"):
        load_instrument(path)
    assert instruments() == before
