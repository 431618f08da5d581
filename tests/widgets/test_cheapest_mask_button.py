"""Encode preview: the cheapest mask is found in the background and set, with what it saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_nanoqr.design.design import Design
from napari_nanoqr.planning.channel import Cancelled
from napari_nanoqr.planning.cheapest import MaskChoice, cheapest_mask, mask_options
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.widgets.encode_preview import EncodePreview, saving

CHEAPEST = "napari_nanoqr.planning.cheapest.cheapest_mask"


@pytest.fixture
def widget(qtbot, few_images: None) -> EncodePreview:  # type: ignore[no-untyped-def]
    made = EncodePreview(ViewerModel())
    qtbot.addWidget(made)
    return made


def without_looking(design: Design, **_: object) -> MaskChoice:
    return cheapest_mask(design, least_margin=0)


def press(widget: EncodePreview, qtbot: Any) -> None:
    widget.choose_cheapest_mask()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)


@pytest.mark.parametrize("symbol", ["qr", "micro", "rmqr"])
def test_mask_and_polarity_are_set(widget, qtbot, symbol: str) -> None:  # type: ignore[no-untyped-def]
    widget.payload.text.value, widget.fields.symbol.value = "SAMPLE 7", symbol
    widget.update_preview()
    before = widget.design
    press(widget, qtbot)
    after = widget.design
    assert widget.fields.mask.value == after.symbol.mask
    assert widget.fields.mill.value == after.mill
    assert after.symbol.payload == before.symbol.payload
    taken = {(o.mask, o.mill): o.beam_time_s for o in mask_options(before)}
    assert taken[after.symbol.mask, after.mill] <= taken[before.symbol.mask, "dark"]
    assert "with the beam on" in widget.status.text()
    assert widget.mask_button.isEnabled()


def test_what_it_saves_is_said(widget: EncodePreview, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    widget.fields.quiet_zone.value = 0
    widget.update_preview()
    assert widget.design is not None
    choice = without_looking(widget.design)
    assert choice.saved_s > 0
    monkeypatch.setattr(CHEAPEST, without_looking)
    press(widget, qtbot)
    assert widget.status.text() == saving(choice)
    assert f"{100 * choice.saved_share:.2g} % less" in widget.status.text()
    assert widget.design == choice.design


def test_the_encoders_own_choice_is_said_to_be_it() -> None:
    choice = without_looking(Design(encode("sample 7")))
    own = replace(choice, chosen=choice.standard)
    assert "encoder's own choice" in saving(own)
    assert "less" not in saving(own)


def test_a_design_that_changed_meanwhile_is_left_alone(widget, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(CHEAPEST, without_looking)
    widget.choose_cheapest_mask()
    widget.payload.text.value = "another text"
    widget.update_preview()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    assert widget.design.symbol.text == "another text"
    assert widget.fields.mask.value == -1
    assert "has changed meanwhile" in widget.status.text()


def test_it_can_be_cancelled(widget, qtbot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    asked: list[bool] = []

    def long(_: Design, *, cancelled: Callable[[], bool], **__: object) -> None:
        while not cancelled():
            asked.append(False)
        asked.append(True)
        raise Cancelled

    monkeypatch.setattr(CHEAPEST, long)
    before = widget.design
    widget.choose_cheapest_mask()
    qtbot.waitUntil(lambda: bool(asked), timeout=20_000)
    widget.cancel()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=20_000)
    qtbot.waitUntil(lambda: asked[-1], timeout=20_000)
    assert widget.design == before
    assert "Cancelled" in widget.status.text()


def test_a_film_of_unknown_material_is_told_in_a_sentence(widget, qtbot) -> None:  # type: ignore[no-untyped-def]
    widget.fields.material.value = "unobtainium"
    widget.update_preview()
    press(widget, qtbot)
    assert "unobtainium" in widget.status.text()
    assert "Error" not in widget.status.text()
