"""The window of dose, pitch, focus, drift and thickness in which a symbol is read."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.planning.channel import Cancelled
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.margin import measure_margin
from napari_nanoqr.planning.window import Quantity, Window, default_values, read_window
from napari_nanoqr.symbols.encode import encode

pytestmark = pytest.mark.usefixtures("few_images")


@pytest.fixture(scope="module")
def plan():
    return plan_milling(Design(encode("https://tuwien.at", "M")))


def window(probability: list[float], margin: list[float]) -> Window:
    values = np.arange(len(probability), dtype=float)
    shares = np.array(probability)
    return Window("dose", values, np.array(margin), shares, shares, shares, 1.0)


def test_a_code_is_read_in_a_window_of_dose_and_thickness(plan) -> None:
    dose = read_window(plan, "dose", [1.4, 0.6, 1.1])
    assert dose.values.tolist() == [0.6, 1.1, 1.4]
    assert dose.probability[0] < 0.5 < 0.99 < dose.probability[1]
    assert dose.margin[0] < 1 < dose.margin[1]
    assert dose.recommended == (1.1, 1.4)
    # a film that is too thick for its dose is as bad as too little dose
    thickness = read_window(plan, "thickness", [15 / 1.1, 15 / 0.6])
    assert thickness.probability[1] < 0.5 < 0.99 < thickness.probability[0]


def test_defocus_and_a_smaller_pitch_cost_margin_and_electrons_bring_it(plan) -> None:
    for quantity, values in (("defocus", [0, 18]), ("pitch", [60, 30]), ("electrons", [90, 30])):
        margin = read_window(plan, quantity, values).margin
        worse, better = (margin[-1], margin[0]) if quantity == "defocus" else margin
        assert worse < 0.8 * better


def test_margin_goes_with_the_electrons_also_where_there_is_plenty(plan) -> None:
    margins = [
        measure_margin(plan, 1, "M", SemCondition(electrons_per_pixel=electrons))[1]
        for electrons in (60, 240)
    ]
    assert margins[1] == pytest.approx(4 * margins[0], rel=0.3)


def test_the_recommended_window_is_the_good_run_with_the_most_margin() -> None:
    two = window([1, 0, 0.995, 1, 1, 0.5, 1], [2, 0, 1, 3, 2, 0, 2.5])
    assert two.recommended == (2, 4)
    assert two.best == 3
    assert "2 to 4" in str(two)
    none = window([0.1, 0.98], [0.1, 0.9])
    assert none.recommended is None
    assert "at no value" in str(none)
    everything = window([1, 1], [2, 3])
    assert everything.recommended == (0, 1)


def test_a_window_is_plain_json() -> None:
    said = json.loads(json.dumps(window([0.1, 1], [0.1, 2]).to_dict()))
    assert said["recommended"] == [1, 1]
    assert said["values"] == [0, 1]


@pytest.mark.parametrize("quantity", get_args(Quantity))
def test_default_values_go_through_what_is_planned(quantity: Quantity, plan) -> None:
    values = default_values(quantity, plan, SemCondition())
    planned = {"dose": 1, "pitch": 49, "defocus": 0, "drift": 0, "thickness": 15, "electrons": 50}
    assert (np.diff(values) > 0).all()
    assert np.abs(values - planned[quantity]).min() < 1e-9


def test_large_symbols_are_stood_in_for() -> None:
    large = plan_milling(Design(encode("x" * 500, "M")))
    assert read_window(large, "electrons", [60]).probability > 0.9


def test_it_tells_how_far_it_is_and_can_be_stopped(plan) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        read_window(
            plan, "electrons", [4, 8], progress=lambda *said: told.append(said[:2]),
            cancelled=lambda: bool(told),
        )  # fmt: skip
    assert told == [(1, 2)]


def test_what_cannot_be_is_refused(plan) -> None:
    with pytest.raises(ValueError, match="varied"):
        read_window(plan, "colour")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        read_window(plan, "dose", [])
    with pytest.raises(ValueError, match="dose"):
        read_window(plan, "dose", [0])
    with pytest.raises(ValueError, match="pitch"):
        read_window(plan, "pitch", [0])
