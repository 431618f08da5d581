"""Encode preview: kinds of symbols, and what each of them leaves to choose from."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_nanoqr.cli import main
from napari_nanoqr.cli.settings import command_line
from napari_nanoqr.design.design import Design
from napari_nanoqr.widgets.encode_fields import AUTOMATIC
from napari_nanoqr.widgets.encode_preview import EncodePreview

URL = "https://www.tuwien.at"


@pytest.fixture
def widget(qtbot) -> EncodePreview:  # type: ignore[no-untyped-def]
    made = EncodePreview(ViewerModel())
    qtbot.addWidget(made)
    made.payload.text.value = "sample 7"
    made.update_preview()
    return made


def choose(widget: EncodePreview, **values: object) -> None:
    for name, value in values.items():
        getattr(widget.fields, name).value = value
    widget.update_preview()


def levels(widget: EncodePreview) -> str:
    """Levels that can be chosen."""
    model = widget.fields.error.native.model()
    return "".join("LMQH"[row] for row in range(4) if model.item(row).isEnabled())


def made(widget: EncodePreview) -> Design:
    assert widget.design is not None, widget.status.text()
    return widget.design


@pytest.mark.parametrize(
    ("symbol", "version", "shape"),
    [("qr", 1, (21, 21)), ("micro", "M3", (15, 15)), ("rmqr", "R11x27", (11, 27))],
)
def test_each_kind_makes_its_symbols(widget, symbol: str, version: object, shape: object) -> None:  # type: ignore[no-untyped-def]
    widget.payload.text.value = "SAMPLE 7"
    choose(widget, symbol=symbol)
    assert made(widget).symbol.version == version
    assert made(widget).symbol.matrix.shape == shape
    assert made(widget).symbol.text == "SAMPLE 7"


def test_the_smallest_of_all_kinds_is_taken(widget: EncodePreview) -> None:
    sizes = {}
    for symbol in ("qr", "micro", "rmqr", "smallest"):
        choose(widget, symbol=symbol)
        sizes[symbol] = made(widget).area_um2
    assert sizes.pop("smallest") == min(sizes.values())


@pytest.mark.parametrize(
    ("symbol", "count", "masks"),
    [("qr", 40, 8), ("micro", 4, 4), ("rmqr", 32, 1), ("smallest", 0, 8)],
)
def test_versions_and_masks_follow_the_kind(widget, symbol: str, count: int, masks: int) -> None:  # type: ignore[no-untyped-def]
    choose(widget, version=3, mask=7)
    choose(widget, symbol=symbol)
    assert len(widget.fields.version.choices) == count + 1
    assert len(widget.fields.mask.choices) == masks + 1
    # of another kind they would mean another thing
    assert widget.fields.version.value == (3 if symbol == "qr" else AUTOMATIC)
    assert widget.fields.mask.value == (7 if symbol == "qr" else AUTOMATIC)
    assert made(widget)


def test_versions_stay_when_the_panel_is_docked(widget: EncodePreview, qtbot) -> None:  # type: ignore[no-untyped-def]
    from qtpy.QtWidgets import QMainWindow

    choose(widget, symbol="micro", version="M4")
    window = QMainWindow()
    window.setCentralWidget(widget)
    assert widget.fields.version.value == "M4"
    assert len(widget.fields.version.choices) == 5
    assert levels(widget) == "LMQ"
    window.takeCentralWidget()


class TestLevelsThatDoNotExist:
    @pytest.mark.parametrize(
        ("symbol", "version", "left"),
        [
            ("qr", 1, "LMQH"),
            ("micro", AUTOMATIC, "LMQ"),
            ("micro", "M1", "L"),
            ("micro", "M2", "LM"),
            ("rmqr", AUTOMATIC, "MH"),
            ("smallest", AUTOMATIC, "LMQH"),
        ],
    )
    def test_are_greyed(self, widget, symbol: str, version: object, left: str) -> None:  # type: ignore[no-untyped-def]
        choose(widget, symbol=symbol, version=version)
        assert levels(widget) == left

    def test_say_why(self, widget: EncodePreview) -> None:
        choose(widget, symbol="rmqr")
        item = widget.fields.error.native.model().item(0)
        assert item.data(Qt.ItemDataRole.ToolTipRole) == "rMQR has no level L"

    def test_are_never_changed_silently(self, widget: EncodePreview) -> None:
        choose(widget, error="L")
        choose(widget, symbol="rmqr")
        assert widget.fields.error.value == "L"
        assert widget.design is None
        assert "rMQR has no level L: use M or H." in widget.status.text()


class TestQuietZone:
    def test_is_what_the_kind_needs(self, widget: EncodePreview) -> None:
        for symbol, zone in (("qr", 4), ("micro", 2), ("rmqr", 2), ("qr", 4)):
            choose(widget, symbol=symbol)
            assert made(widget).quiet_zone == widget.fields.quiet_zone.value == zone

    def test_is_that_of_the_symbol_which_was_found(self, widget: EncodePreview) -> None:
        choose(widget, symbol="smallest")
        assert made(widget).quiet_zone == 2
        widget.payload.text.value = "x" * 400
        widget.update_preview()
        assert made(widget).quiet_zone == 4

    def test_stays_what_the_user_chose(self, widget: EncodePreview) -> None:
        choose(widget, quiet_zone=1)
        for symbol in ("micro", "qr"):
            choose(widget, symbol=symbol)
            assert made(widget).quiet_zone == 1


def test_folded_sections_tell_what_is_in_them(widget: EncodePreview) -> None:
    titles = widget.fields._version_section, widget.fields._film_section
    assert [title.text() for title in titles] == [
        "Version auto, mask auto, quiet zone 4",
        "Film: 15 nm CrN on glass",
    ]
    widget.payload.text.value = "SAMPLE 7"
    choose(widget, symbol="micro", version="M3", mask=0)
    assert titles[0].text() == "Version M3, mask 0, quiet zone 2"
    # without a symbol, too
    widget.payload.text.value = ""
    choose(widget, quiet_zone=3, thickness=20)
    assert widget.design is None
    assert titles[0].text().endswith("quiet zone 3")
    assert titles[1].text() == "Film: 20 nm CrN on glass"


def test_a_url_goes_into_capitals_where_that_is_allowed(widget: EncodePreview) -> None:
    widget.payload.text.value = URL
    choose(widget, symbol="micro", error="L")
    assert widget.design is None
    choose(widget, allow_upper=True)
    assert made(widget).symbol.text == "HTTPS://WWW.TUWIEN.AT"
    assert made(widget).symbol.version == "M4"


def test_capitals_leave_other_payloads_alone(widget: EncodePreview) -> None:
    choose(widget, allow_upper=True)
    assert made(widget).symbol.text == "sample 7"
    widget.payload.kind.value, widget.payload.text.value = "hex", "00ff"
    widget.update_preview()
    assert made(widget).symbol.payload == b"\x00\xff"


def test_another_character_set_takes_less_room(widget: EncodePreview) -> None:
    widget.payload.text.value = "Жук и паук"
    choose(widget, error="L")
    assert made(widget).symbol.version == 2
    choose(widget, eci=True)
    assert made(widget).symbol.version == 1
    assert made(widget).symbol.text == "Жук и паук"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (URL, {"symbol": "micro", "error": "L", "allow_upper": True, "mask": 3}),
        ("sample 7", {"symbol": "rmqr", "version": "R11x43", "error": "H", "quiet_zone": 3}),
        ("sample 7", {"symbol": "smallest", "error": "Q", "mill": "light"}),
        ("Жук и паук", {"eci": True, "error": "L", "version": 1}),
        ("12", {"symbol": "micro", "version": "M1", "error": "L"}),
    ],
)
class TestSettings:
    def test_make_an_equal_design(self, widget, qtbot, text: str, values: dict) -> None:  # type: ignore[no-untyped-def]
        widget.payload.text.value = text
        choose(widget, **values)
        other = EncodePreview(ViewerModel())
        qtbot.addWidget(other)
        other.apply_settings(widget.settings())
        assert made(other) == made(widget)
        assert other.settings() == widget.settings()

    def test_make_an_equal_design_on_the_command_line(
        self, widget, tmp_path: Path, text: str, values: dict
    ) -> None:  # type: ignore[no-untyped-def]
        widget.payload.text.value = text
        choose(widget, **values)
        words = shlex.split(command_line("encode", widget.settings()))[1:]
        target = tmp_path / "d.json"
        assert main([*words, "-o", str(target)]) == 0
        assert Design.load(target) == made(widget)


def test_settings_without_a_kind_take_that_of_the_version(widget: EncodePreview) -> None:
    for version, symbol in (("m4", "micro"), ("r11x43", "rmqr"), ("2", "qr")):
        widget.apply_settings({"version": version})
        assert widget.fields.symbol.value == symbol
        assert str(made(widget).symbol.version).lower() == version


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"symbol": "micro", "mask": 7}, "Mask 7 does not exist"),
        ({"version": 41}, "Version 41 does not exist"),
        ({"symbol": "aztec"}, "Symbol aztec does not exist"),
    ],
)
def test_settings_that_cannot_be_are_told_in_a_sentence(widget, settings, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=said):
        widget.apply_settings(settings)
