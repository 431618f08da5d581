"""The window that ranks symbols: what it shows, gives back, and leaves alone."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_nanoqr.cli import main
from napari_nanoqr.cli.settings import command_line, load_settings, save_settings
from napari_nanoqr.design.density import RECORD_AREA_UM2
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.planning.channel import Cancelled
from napari_nanoqr.planning.choice import Choice
from napari_nanoqr.widgets.encode_preview import EncodePreview
from napari_nanoqr.widgets.smallest_dialog import SmallestDialog

pytestmark = pytest.mark.usefixtures("few_images")

URL = "https://www.tuwien.at"
RANK = "napari_nanoqr.planning.smallest.smallest_symbols"


@pytest.fixture
def preview(qtbot) -> EncodePreview:  # type: ignore[no-untyped-def]
    made = EncodePreview(ViewerModel())
    qtbot.addWidget(made)
    made.payload.text.value = URL
    made.update_preview()
    return made


@pytest.fixture
def dialog(preview: EncodePreview) -> SmallestDialog:
    return SmallestDialog(preview, preview._asked, preview.use)


def rank(dialog: SmallestDialog, qtbot: Any) -> list[Choice | None]:
    dialog.rank()
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    return dialog.table._choices


def cells(dialog: SmallestDialog, row: int) -> list[str]:
    table = dialog.table
    return [table.item(row, column).text() for column in range(table.columnCount())]


def test_symbols_are_ranked_with_the_record_among_them(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.probability.value = 0
    choices = rank(dialog, qtbot)
    assert choices.count(None) == 1
    areas = [RECORD_AREA_UM2 if choice is None else choice.area_um2 for choice in choices]
    assert areas == sorted(areas)
    assert cells(dialog, choices.index(None))[0] == "the record"
    assert cells(dialog, 0)[0] == choices[0].name
    assert cells(dialog, 0)[5].endswith(" s")


def test_the_record_cannot_be_chosen(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    choices = rank(dialog, qtbot)
    assert dialog.table.selected is choices[0]
    dialog.table.setCurrentCell(choices.index(None), 0)
    assert dialog.table.selected is None
    assert not dialog.use_button.isEnabled()


def test_only_what_is_read_often_enough_is_listed(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.electrons.value, dialog.probability.value = 20, 0
    before = [choice for choice in rank(dialog, qtbot) if choice is not None]
    dialog.probability.value = 50
    after = [choice for choice in rank(dialog, qtbot) if choice is not None]
    assert any(choice.reading.probability < 0.5 for choice in before)
    assert all(choice.reading.probability >= 0.5 for choice in after)


def test_nothing_that_is_read_is_said_in_a_sentence(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.electrons.value = 0.1
    assert rank(dialog, qtbot) == []
    assert dialog.table.rowCount() == 0
    assert "more electrons" in dialog.status.text()
    assert not dialog.use_button.isEnabled()


def test_several_pitches_are_compared(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    rank(dialog, qtbot)
    assert dialog.table.isColumnHidden(2)
    dialog.pitches.value, dialog.probability.value = "60, 49", 0
    choices = [choice for choice in rank(dialog, qtbot) if choice is not None]
    assert {choice.pitch_nm for choice in choices} == {60.0, 49.0}
    assert not dialog.table.isColumnHidden(2)


def test_the_smallest_pitch_of_each_is_shown_with_what_limits_it(
    dialog: SmallestDialog, qtbot
) -> None:  # type: ignore[no-untyped-def]
    rank(dialog, qtbot)
    assert dialog.table.isColumnHidden(8)
    dialog.beam.value, dialog.sweep.value = str(find_beam("90 pA")), True
    assert not dialog.pitches.native.isEnabled()
    first = rank(dialog, qtbot)[0]
    assert first is not None
    assert first.reading.probability > 0.98
    assert not dialog.table.isColumnHidden(8)
    assert cells(dialog, 0)[8] in ("spot", "reading")
    assert dialog.settings()["pitch"] == ["smallest"]
    dialog.apply_settings({"pitch": [40.0]})
    assert not dialog.sweep.value
    dialog.apply_settings({"pitch": ["smallest"]})
    assert dialog.sweep.value


def test_a_beam_with_a_smaller_spot_is_read_more_often(dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    dialog.pitches.value, dialog.probability.value = "60", 0
    dialog.allow_upper.value = True
    fastest = rank(dialog, qtbot)[0]
    dialog.beam.value = str(find_beam("26 pA"))
    finer = rank(dialog, qtbot)[0]
    assert fastest is not None
    assert finer is not None
    assert finer.beam.spot_nm < fastest.beam.spot_nm
    assert finer.reading.probability > fastest.reading.probability


@pytest.mark.parametrize("pitches", ["", "forty", "49; x", "0.5", "49,", "inf", "nan"])
def test_pitches_that_cannot_be_are_refused(dialog: SmallestDialog, pitches: str) -> None:
    dialog.pitches.value = pitches
    dialog.rank()
    assert dialog.worker is None
    assert "itch" in dialog.status.text()
    dialog.menu.copy_command_line()
    assert "itch" in dialog.status.text()


def test_without_a_payload_nothing_is_ranked(preview, dialog: SmallestDialog) -> None:  # type: ignore[no-untyped-def]
    preview.payload.text.value = ""
    dialog.rank()
    assert dialog.worker is None
    assert "Type something" in dialog.status.text()


class TestUsing:
    def test_sets_the_preview(self, preview, dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
        preview.fields.mask.value, preview.fields.mill.value = 7, "light"
        dialog.allow_upper.value, dialog.pitches.value = True, "60"
        dialog.probability.value = 0
        choices = rank(dialog, qtbot)
        assert choices[0] is not None
        dialog.use_selected()
        design = preview.design
        assert design is not None
        assert (design.symbol.version, design.symbol.error) == ("M4", "L")
        assert design.symbol.text == URL.upper()
        assert design.area_um2 == pytest.approx(choices[0].area_um2)
        assert (design.symbol.mask, design.mill) == (choices[0].mask, choices[0].mill)
        assert design.quiet_zone == 2
        assert "M4-L" in dialog.status.text()

    def test_every_choice_makes_its_symbol(self, preview, dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
        dialog.allow_upper.value, dialog.allow_eci.value = True, True
        dialog.probability.value = 0
        for row, choice in enumerate(rank(dialog, qtbot)):
            if choice is None:
                continue
            dialog.table.selectRow(row)
            dialog.use_selected()
            assert preview.design is not None
            assert preview.design.symbol.version == choice.version
            assert preview.design.symbol.text == choice.payload
            assert preview.design.area_um2 == pytest.approx(choice.area_um2)

    def test_is_refused_for_another_payload(self, preview, dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
        rank(dialog, qtbot)
        preview.payload.text.value = "x" * 100
        preview.update_preview()
        before = preview.design
        dialog.use_selected()
        assert preview.design is before
        assert "press Rank again" in dialog.status.text()


def test_bytes_are_ranked_too(preview, dialog: SmallestDialog, qtbot) -> None:  # type: ignore[no-untyped-def]
    preview.payload.kind.value, preview.payload.text.value = "hex", "00ff10"
    rank(dialog, qtbot)
    dialog.use_selected()
    assert preview.design.symbol.payload == b"\x00\xff\x10"


def test_the_window_opens_with_what_the_preview_shows(preview, qtbot) -> None:  # type: ignore[no-untyped-def]
    preview.fields.pitch.value, preview.fields.allow_upper.value = 55.0, True
    preview.show_smallest()
    dialog = preview.smallest
    assert dialog.isWindow()
    assert not dialog.isModal()
    assert dialog.pitches.value == "55"
    assert dialog.allow_upper.value
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert dialog.table.selected.pitch_nm == 55
    dialog.close()


@pytest.mark.parametrize("end", [SmallestDialog.cancel, SmallestDialog.close])
def test_ranking_stops_when_it_is_told_to(
    dialog: SmallestDialog, qtbot: Any, monkeypatch: pytest.MonkeyPatch, end: Callable[..., object]
) -> None:
    asked: list[bool] = []

    def long_ranking(*_: object, cancelled: Callable[[], bool], **__: object) -> None:
        while not cancelled():
            asked.append(False)
        asked.append(True)
        raise Cancelled

    monkeypatch.setattr(RANK, long_ranking)
    dialog.show()
    dialog.rank()
    qtbot.waitUntil(lambda: bool(asked), timeout=20_000)
    assert not dialog.rank_button.isEnabled()
    end(dialog)
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=20_000)
    qtbot.waitUntil(lambda: asked[-1], timeout=20_000)
    assert dialog.rank_button.isEnabled()


def test_qt_deletes_a_panel_without_python() -> None:
    # event() in Python would hold its lock while Qt waits for one that a thread may hold which
    # collects garbage and waits for Python's
    from napari_nanoqr.widgets.panel import Panel

    assert not any(
        "event" in vars(kind) for kind in SmallestDialog.__mro__ if Panel in kind.__mro__
    )


def test_the_window_goes_when_napari_closes_the_dock(preview, qtbot) -> None:  # type: ignore[no-untyped-def]
    from qtpy.QtWidgets import QMainWindow

    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(preview)
    preview.show_smallest()
    dialog = preview.smallest
    assert dialog.isVisible()
    assert dialog.worker is not None
    # as napari does
    preview.setParent(None)
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: dialog.worker is None, timeout=60_000)
    assert dialog.table.rowCount() == 0


class TestSettings:
    def test_come_back_from_a_file(self, preview, dialog: SmallestDialog, tmp_path) -> None:  # type: ignore[no-untyped-def]
        dialog.pitches.value, dialog.electrons.value, dialog.probability.value = "49, 31.5", 20, 95
        dialog.pixel_size.value, dialog.allow_upper.value = 3.125, True
        dialog.beam.value = str(find_beam("26 pA"))
        save_settings(tmp_path / "s.json", "smallest", dialog.settings())
        other = SmallestDialog(preview, preview._asked, preview.use)
        other.apply_settings(load_settings(tmp_path / "s.json", "smallest"))
        assert other.settings() == dialog.settings()

    def test_give_the_same_ranking_on_the_command_line(
        self, dialog: SmallestDialog, qtbot: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import json

        dialog.pitches.value, dialog.probability.value = "60, 49", 60
        dialog.electrons.value, dialog.allow_upper.value = 30, True
        dialog.beam.value = str(find_beam("26 pA"))
        shown = [choice.to_dict() for choice in rank(dialog, qtbot) if choice is not None]
        words = shlex.split(command_line("smallest", dialog.settings()))[1:]
        assert main([*words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["choices"] == shown
