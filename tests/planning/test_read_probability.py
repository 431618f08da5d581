"""Whether a milled symbol will be read can be told beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.codes.bounds import normal_approximation_rho, word_failure
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.planning.channel import Cancelled, Channel, measure_channel, representative_plan
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.read_probability import (
    ReadProbability,
    count_reading,
    predict_reading,
    read_probability,
    wilson_interval,
)
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.rectangular import SIZES

EVERY = [
    (version, error)
    for version in (1, 2, 7, 40, "M1", "M2", "M3", "M4", *(f"R{r}x{c}" for r, c in SIZES))
    for error in layout_named(version).blocks
]


def bits_at(electrons: float = 20.0, plan=None, **condition) -> float:
    sem = SemCondition(electrons_per_pixel=electrons, **condition)
    return measure_channel(plan or representative_plan(49.0), sem, images=2).bits


def test_modules_tell_more_the_more_electrons_there_are() -> None:
    told = [bits_at(electrons) for electrons in (4, 16, 64)]
    assert 0 < told[0] < told[1] - 0.1 < told[2] - 0.1
    assert told[2] < 1


def test_modules_tell_less_where_they_are_blurred_or_smaller_or_not_milled_through() -> None:
    plain = bits_at()
    assert bits_at(defocus_nm=15) < plain - 0.1
    assert bits_at(plan=representative_plan(30.0)) < plain - 0.1
    assert bits_at(plan=representative_plan(49.0, over_etch=0.8)) < plain - 0.1


def test_drift_and_tilt_that_the_grid_follows_cost_little() -> None:
    assert bits_at(drift_nm=(100, -60)) == pytest.approx(bits_at(), abs=0.05)


def test_without_contrast_nothing_is_told_and_nothing_read() -> None:
    channel = measure_channel(
        representative_plan(49.0),
        SemCondition(model=SemModel(floor_yield=1.0, edge=0.0, topography=0.0)),
    )
    assert channel.bits < 0.1
    assert read_probability(channel, 1, "H").probability < 1e-3


def test_a_channel_is_the_same_each_time() -> None:
    assert bits_at() == bits_at()


@pytest.mark.parametrize(("version", "error"), EVERY)
def test_every_symbol_is_read_where_modules_are_clear_and_none_where_they_are_not(
    version: int | str, error: str
) -> None:
    assert read_probability(Channel(0.999), version, error).probability > 0.99
    assert read_probability(Channel(0.05), version, error).probability < 0.01
    assert read_probability(Channel(0.0), version, error).probability < 0.01


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 0.98), st.sampled_from(EVERY))
def test_a_prediction_lies_in_its_interval_and_rises_with_what_modules_tell(
    bits: float, symbol: tuple[int | str, str]
) -> None:
    found = read_probability(Channel(bits), *symbol)
    assert 0 <= found.low <= found.probability <= found.high <= 1
    assert read_probability(Channel(bits + 0.02), *symbol).probability >= found.probability


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 0.98), st.integers(1, 40))
def test_the_stronger_level_is_read_at_least_as_often(bits: float, version: int) -> None:
    # but for blocks that differ in length, which 1 % covers
    read = [read_probability(Channel(bits), version, error).probability for error in "LH"]
    assert read[0] <= read[1] + 0.01


@given(st.integers(40, 1200), st.floats(0.1, 0.9), st.floats(1e-6, 0.5))
def test_how_a_code_fails_is_the_inverse_of_what_it_needs(
    bits: int, rate: float, failure: float
) -> None:
    rho = normal_approximation_rho(bits, rate * bits, failure)
    assert word_failure(bits, rate * bits, rho) == pytest.approx(failure, rel=1e-3)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0, 0.2775), (8, 10, 0.4902, 0.9433), (5, 5, 0.5655, 1)],
)
def test_wilsons_interval_is_as_in_the_tables(
    hits: int, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(hits, trials) == pytest.approx((low, high), abs=1e-4)


def test_predictions_come_true_in_images_that_are_read() -> None:
    plan = plan_milling(Design(encode("https://tuwien.at", "L", 1)))
    clear, faint = (SemCondition(electrons_per_pixel=electrons) for electrons in (60.0, 4.0))
    assert predict_reading(plan, clear).probability > 0.99
    assert count_reading(plan, clear, images=6).probability == 1
    assert predict_reading(plan, faint).probability < 0.01
    assert count_reading(plan, faint, images=2).probability == 0


def test_counting_tells_how_far_it_is_and_can_be_stopped() -> None:
    plan = plan_milling(Design(encode("1", "L", "M1")))
    told: list[tuple[int, int, str]] = []
    found = count_reading(
        plan, SemCondition(electrons_per_pixel=400), images=50,
        progress=lambda *said: told.append(said), cancelled=lambda: len(told) == 3,
    )  # fmt: skip
    assert [said[:2] for said in told] == [(1, 50), (2, 50), (3, 50)]
    assert found.images == 3
    assert found.how == "counted"
    with pytest.raises(Cancelled):
        count_reading(plan, images=5, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        measure_channel(plan, cancelled=lambda: True)
    with pytest.raises(ValueError, match="not enough"):
        count_reading(plan, images=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pixel_size_nm": 0}, {"pixel_size_nm": np.nan}, {"electrons_per_pixel": 0},
        {"defocus_nm": -1}, {"probe_nm": np.nan}, {"tilt_deg": 85},
    ],
)  # fmt: skip
def test_impossible_conditions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"nm|electrons|tilt"):
        SemCondition(**wrong)


def test_a_probability_reads_well() -> None:
    assert str(read_probability(Channel(0.999), 1, "L")) == ">99.9 %"
    assert str(ReadProbability(0.9712, 0.5, 1, "predicted")) == "97.1 % (50 to >99.9 %)"
    assert (
        str(ReadProbability(0, 0, 0.28, "counted", 10)) == "0 % (0 to 28 %), counted on 10 images"
    )
