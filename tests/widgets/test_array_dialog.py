"""The window that writes many symbols: what it lays out, writes, and refuses."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_nanoqr.cli import main
from napari_nanoqr.cli.settings import command_line
from napari_nanoqr.design.pictures import save_design
from napari_nanoqr.design.record import record_design
from napari_nanoqr.widgets.array_dialog import LIST, ArrayDialog
from napari_nanoqr.widgets.fib_export import FibExport
from napari_nanoqr.widgets.layers import design_layers


@pytest.fixture
def dialog(qtbot) -> ArrayDialog:  # type: ignore[no-untyped-def]
    viewer = ViewerModel()
    for layer in design_layers(record_design(), "group"):
        viewer.add_layer(layer)
    widget = FibExport(viewer)
    qtbot.addWidget(widget)
    made = ArrayDialog(widget, widget._design, widget.fields)
    made.doses.value = "0.8, 1.2"
    return made


def lay_out(dialog: ArrayDialog, qtbot: Any) -> None:
    dialog.lay_out()
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)


def test_a_dose_test_has_a_symbol_for_each_dose_and_pitch(dialog: ArrayDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.pitches.value = "40, 49, 60"
    lay_out(dialog, qtbot)
    assert dialog.job is not None
    assert len(dialog.job.symbols) == 6
    assert "6 symbols" in dialog.status.text()
    assert not dialog.picture.pixmap().isNull()
    assert "field 1" in dialog.words.text()


def test_it_is_milled_as_the_widget_says(dialog: ArrayDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog._milling.over_etch.value = 1.5
    lay_out(dialog, qtbot)
    assert dialog.job is not None
    usual = dialog.job.beam_on_time_s
    dialog._milling.over_etch.value = 3.0
    lay_out(dialog, qtbot)
    assert dialog.job.beam_on_time_s == pytest.approx(2 * usual, rel=0.01)


def test_the_folder_is_written_and_read_back(dialog: ArrayDialog, qtbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lay_out(dialog, qtbot)
    dialog.write(tmp_path / "test")
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert "2 symbols read back and decoded" in dialog.status.text()
    assert (tmp_path / "test" / "stages.csv").exists()


def test_a_list_of_payloads_is_laid_out_as_the_design_is(
    dialog: ArrayDialog,
    qtbot,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    path = tmp_path / "samples.txt"
    path.write_text("one\ntwo\nthree\n")
    dialog.choose_list(path)
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert dialog.what.value == LIST
    assert dialog.job is not None
    designs = [symbol.entry.design for symbol in dialog.job.symbols]
    assert [design.symbol.payload for design in designs] == [b"one", b"two", b"three"]
    assert {design.pitch_nm for design in designs} == {record_design().pitch_nm}


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("doses", "much", "numbers with commas"),
        ("doses", "1, -1", "positive"),
        ("doses", "", "numbers with commas"),
        ("pitches", "49; nan", "positive"),
    ],
)
def test_what_is_no_number_is_said_and_nothing_can_be_written(
    dialog: ArrayDialog,
    qtbot,  # type: ignore[no-untyped-def]
    field: str,
    text: str,
    words: str,
) -> None:
    lay_out(dialog, qtbot)
    assert dialog.write_button.isEnabled()
    getattr(dialog, field).value = text
    assert not dialog.write_button.isEnabled()
    lay_out(dialog, qtbot)
    assert words in dialog.status.text()
    assert dialog.job is None


def test_without_a_list_it_asks_for_one(dialog: ArrayDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.what.value = LIST
    lay_out(dialog, qtbot)
    assert "Choose the list" in dialog.status.text()


def test_a_list_that_cannot_be_used_is_refused_with_its_lines(
    dialog: ArrayDialog,
    qtbot,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("payload,pitch\none,49\ntwo,wide\n")
    dialog.choose_list(path)
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert "line 3" in dialog.status.text()
    assert dialog.job is None


def test_the_command_line_of_the_window_writes_the_same_job(
    dialog: ArrayDialog,
    qtbot,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    save_design(record_design(), "record.json")
    lay_out(dialog, qtbot)
    dialog.write(tmp_path / "window")
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    words = shlex.split(command_line("array", dialog.settings()))
    assert words[:2] == ["nanoqr", "array"]
    assert main(words[1:]) == 0
    [mine] = (tmp_path / "window").glob("*.str")
    [theirs] = (tmp_path / "array").glob("*.str")
    assert mine.read_bytes() == theirs.read_bytes()


def test_closing_the_window_stops_what_runs(dialog: ArrayDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.doses.value = ", ".join(["1"] * 100)
    dialog.show()
    dialog.lay_out()
    dialog.close()
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert dialog.job is None
