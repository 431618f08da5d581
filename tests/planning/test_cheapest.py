"""The cheapest mask and polarity are found, and keep what the symbol says and its margin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.planning.channel import Cancelled, Channel
from napari_nanoqr.planning.cheapest import cheapest_mask, mask_options, remasked
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import encode

pytestmark = pytest.mark.usefixtures("few_images")

MARGIN = "napari_nanoqr.planning.cheapest.measure_margin"
URL = "https://www.tuwien.at/en/news"


@pytest.mark.parametrize("version", [3, 7, "M4", "R13x43"])
def test_a_symbol_under_another_mask_is_the_one_that_is_encoded_with_it(
    version: int | str,
) -> None:
    masks = {"M4": 4, "R13x43": 1}.get(str(version), 8)
    for mask in range(masks):
        wanted = encode("CrN 2025", "M", version, mask)
        assert remasked(encode("CrN 2025", "M", version), mask) == wanted
    with pytest.raises(ValueError, match="does not exist"):
        remasked(wanted, masks)


@pytest.mark.parametrize("quiet_zone", [0, 4])
def test_options_cost_what_the_plan_says(quiet_zone: int) -> None:
    design = Design(encode(URL, "M"), quiet_zone=quiet_zone)
    options = mask_options(design)
    assert len(options) == 16
    for option in options:
        same = replace(design, symbol=remasked(design.symbol, option.mask), mill=option.mill)
        assert option.milled_modules == same.milled.sum()
        assert option.beam_time_s == pytest.approx(plan_milling(same).beam_on_time_s)


def test_the_encoders_own_mask_is_the_standard() -> None:
    for payload, version in ((URL, None), ("CrN 2025", "M4")):
        design = Design(encode(payload, "L", version, mask=1))
        choice = cheapest_mask(design, least_margin=0)
        assert choice.standard.mask == encode(payload, "L", version).mask
        assert choice.standard.mill == "dark"


def test_the_cheapest_is_taken_where_all_keep_their_margin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MARGIN, lambda *_, **__: (Channel(0.9), 1.5))
    design = Design(encode(URL, "M"), quiet_zone=0)
    choice = cheapest_mask(design)
    assert choice.chosen.margin == choice.standard.margin
    assert choice.chosen.mask == choice.options[0].mask
    assert choice.saved_s >= 0
    assert choice.saved_share == pytest.approx(choice.saved_s / choice.standard.beam_time_s)
    assert choice.design.milled.sum() == choice.chosen.milled_modules
    assert decode_modules(choice.design.symbol.matrix).symbol.payload == URL.encode()


def test_what_loses_its_margin_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    own = encode(URL, "M")

    def margin(plan, *_, **__):
        return Channel(0.9), 1.5 if plan.design.symbol.mask == own.mask else 0.6

    monkeypatch.setattr(MARGIN, margin)
    choice = cheapest_mask(Design(encode(URL, "M", mask=(own.mask + 1) % 8)))
    assert choice.chosen == choice.standard
    assert choice.saved_s == 0
    assert choice.design.symbol == own


def test_light_modules_are_dearer_with_their_quiet_zone_and_may_be_cheaper_without() -> None:
    with_zone = mask_options(Design(encode(URL, "M")))
    assert {option.mill for option in with_zone[:8]} == {"dark"}
    without = mask_options(Design(encode(URL, "M"), quiet_zone=0))
    assert {option.mill for option in without[:8]} == {"dark", "light"}


def test_a_choice_is_predicted_and_told_step_by_step() -> None:
    told: list[int] = []
    design = Design(encode("1234", "L", "M2"))
    choice = cheapest_mask(design, progress=lambda *said: told.append(said[0]))
    measured = [option for option in choice.options if option.margin is not None]
    assert told == list(range(1, len(measured) + 1))
    assert choice.chosen.margin >= 0.95 * choice.standard.margin
    assert "mask" in str(choice)
    with pytest.raises(Cancelled):
        cheapest_mask(design, cancelled=lambda: True)


def test_rectangular_symbols_have_one_mask_and_a_choice_of_polarity() -> None:
    design = Design(encode("CrN 2025", "M", "R13x43"))
    options = mask_options(design)
    assert [(option.mask, option.mill) for option in options] == [(0, "dark"), (0, "light")]
    assert np.diff([option.milled_modules for option in options])[0] > 0
