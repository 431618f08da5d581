"""The end of readability: told where a series tells it, and not where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.trend import trend_of
from napari_nanoqr.measuring.trend_model import AgeingModel, extrapolate
from napari_nanoqr.measuring.trend_need import HALF, damaged_share, log_dose_factor
from napari_nanoqr.measuring.trend_point import TrendPoint
from napari_nanoqr.physics.ageing import acceleration
from napari_nanoqr.reading.dose import Dose
from napari_nanoqr.reading.reading import Reading


def reading(payload: bytes = b"x") -> Reading:
    return Reading(
        payload, "x", "QR", 3, "L", 0, np.zeros((4, 2)), False, False, 8.0, 49.0, 0.0, 0, 1.0,
        "nanoqr", "",
    )  # fmt: skip


def point(years: float, share: float | None, **known: object) -> TrendPoint:
    """A date with the share of 100 electrons a pixel at which the code is lost."""
    values = {"dose": Dose(100.0), "damaged": Quantity(0.0, 1e-3)} | known
    if share is None:
        return TrendPoint(f"{years:g}.tif", years, **values)  # type: ignore[arg-type]
    return TrendPoint(
        f"{years:g}.tif", years, reading=reading(), share=Quantity(share), **values  # type: ignore[arg-type]
    )  # fmt: skip


def fading(
    life: float, dates: int = 8, seed: int = 0, scatter: float = 0.1, start: float = 0.1
) -> list[TrendPoint]:
    """A code that takes exponentially more electrons, seen up to half its life."""
    rng = np.random.default_rng(seed)
    gone = -float(log_dose_factor(np.zeros(1), 3, "L", HALF)[0])
    rate = (gone - np.log(start)) / life
    times = np.linspace(0, life / 2, dates)
    return [point(t, start * np.exp(rate * t + scatter * rng.normal())) for t in times]


def test_the_interval_holds_the_end_and_the_end_is_near() -> None:
    held, errors = 0, []
    for seed in range(15):
        made = extrapolate(fading(40, seed=seed)).forecast
        assert made.end is not None
        assert made.low is not None
        assert made.high is not None
        held += made.low <= 40 <= made.high
        errors.append(made.end / 40 - 1)
    assert held >= 13
    assert np.median(np.abs(errors)) < 0.2


def test_images_of_different_doses_tell_the_same_end() -> None:
    points = fading(40, scatter=0)
    other = [
        point(p.years, p.share.value / factor, dose=Dose(100.0 * factor))
        for p, factor in zip(points, (1, 5, 0.9, 2, 10, 3, 0.9, 1), strict=True)
        if p.share is not None
    ]
    first, second = (extrapolate(each).forecast.end for each in (points, other))
    assert first == pytest.approx(second, rel=1e-6)


def test_where_nothing_changes_no_end_is_told() -> None:
    rng = np.random.default_rng(1)
    trend = trend_of([point(t, 0.1 * np.exp(0.1 * rng.normal())) for t in range(8)])
    assert trend.extrapolation is not None
    made = trend.extrapolation.forecast
    assert made.end is None
    assert made.later_than > 7
    assert "No end in sight" in trend.verdict


def test_an_unread_image_pulls_the_end_to_its_date() -> None:
    points = fading(40, scatter=0.3)
    before = extrapolate(points).forecast
    after = extrapolate([*points, point(30, None), point(31, None), point(32, None)]).forecast
    assert after.end is not None
    assert before.high is not None
    assert after.high is not None
    assert after.high < before.high
    assert after.end < 33


def test_two_dates_are_too_few() -> None:
    trend = trend_of([point(0, 0.1), point(1, 0.2), point(1, 0.2)])
    assert trend.extrapolation is None
    assert "3 are needed" in trend.verdict
    assert "nothing to follow" in trend_of([point(0, None), point(1, None)]).verdict


def test_damage_ends_a_code_however_many_electrons_there_are() -> None:
    lost = [point(t, 0.1, damaged=Quantity(1e-3 * t, 1e-3), dose=Dose(1000.0)) for t in range(13)]
    intact = [point(t, 0.1, dose=Dose(1000.0)) for t in range(13)]
    told, untold = extrapolate(lost).forecast, extrapolate(intact).forecast
    assert untold.end is None
    # it is never said to last for more than twice the time that was seen
    assert untold.later_than == pytest.approx(24)
    assert np.median(told.ends) < 0.5 * np.median(untold.ends)


class TestArrhenius:
    def test_a_given_energy_turns_hot_hours_into_cold_years(self) -> None:
        points = fading(1.0, scatter=0.02)
        model = AgeingModel("arrhenius", 200, 20, 1.0)
        made = extrapolate(points, model)
        assert made.storage_c == 20
        assert made.forecast.end == pytest.approx(acceleration(200, 20, 1.0), rel=0.1)

    def test_the_energy_is_fitted_to_several_temperatures(self) -> None:
        points, rng = [], np.random.default_rng(3)
        for specimen, warm, last in (("A", 150.0, 10.0), ("B", 200.0, 1.0)):
            rate = acceleration(warm, 150, 0.8)
            for t in np.linspace(0, last, 6):
                share = 0.1 * np.exp(0.5 * rate * t / 3 + 0.03 * rng.normal())
                points.append(point(t, share, specimen=specimen, temperature_c=warm))
        made = extrapolate(points, AgeingModel("arrhenius", storage_c=150))
        assert made.activation_ev is not None
        assert made.activation_ev.uncertainty is not None
        doubt = made.activation_ev.uncertainty
        assert abs(made.activation_ev.value - 0.8) < 3 * doubt < 0.6

    def test_what_is_missing_is_said(self) -> None:
        points = fading(1.0)
        said = trend_of(points, AgeingModel("arrhenius", activation_ev=1.0)).verdict
        assert "temperature" in said
        said = trend_of(points, AgeingModel("arrhenius", temperature_c=100)).verdict
        assert "two or more temperatures" in said

    @pytest.mark.parametrize(
        "values", [{"kind": "cubic"}, {"temperature_c": -300.0}, {"activation_ev": -1.0}]
    )
    def test_what_cannot_be_is_refused(self, values: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"cannot be|no model"):
            AgeingModel(**values)  # type: ignore[arg-type]


class TestDamage:
    @pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
    def test_is_counted_with_the_noise_left_out(self, share: float) -> None:
        rng, found, true = np.random.default_rng(2), [], []
        written = rng.random((29, 29)) < 0.5
        for _ in range(20):
            damaged = rng.random(written.shape) < share
            true.append(damaged.mean())
            seen = np.where(written ^ damaged, -1.8, 1.8) + rng.normal(size=written.shape)
            found.append(damaged_share((3.6 * seen).astype(np.float32), written))
        errors = np.array([quantity.value for quantity in found]) - true
        doubt = np.mean([quantity.uncertainty or 0 for quantity in found])
        assert np.mean(errors) == pytest.approx(0, abs=0.002)
        assert np.std(errors) < 1.2 * doubt

    def test_takes_more_electrons_and_at_last_more_than_there_are(self) -> None:
        shares = np.array([0.0, 0.005, 0.01, 0.015, 0.2])
        factors = log_dose_factor(shares, 3, "L")
        assert factors[0] == 0
        assert (np.diff(factors[:4]) > 0).all()
        assert factors[-1] == np.inf
        # the strongest level stands what the weakest does not
        assert log_dose_factor(np.array([0.05]), 3, "H")[0] < 2
