"""The smallest symbols that hold a payload are found, with what they take and promise."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.codes.bounds import capacity_and_dispersion
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.beam_choice import (
    LEAST_FILM_KEPT,
    film_kept,
    finest_beam,
    resolved_pitch_nm,
)
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.planning.channel import Cancelled, Channel
from napari_nanoqr.planning.choice import Choice
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.needed import least_rho
from napari_nanoqr.planning.read_probability import predict_reading
from napari_nanoqr.planning.smallest import smallest_symbols
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import encode


@pytest.fixture
def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules tell 0.85 bits whatever is asked: for tests of the ranking alone."""
    monkeypatch.setattr(
        "napari_nanoqr.planning.smallest.measure_channel", lambda *_, **__: Channel(0.85)
    )


@lru_cache
def smallest_of_26_pa() -> Choice:
    (choice,) = smallest_symbols(
        "https://tuwien.at", beam=find_beam("26 pA"), symbologies=["QR"], most=1
    )
    return choice


def symbol_of(choice: Choice):
    return encode(choice.payload, choice.error, choice.version, choice.mask)


def test_a_short_url_fits_into_half_the_records_area() -> None:
    first, *_ = smallest_symbols("https://tuwien.at")
    assert (first.name, first.modules) == ("QR 1-L", (21, 21))
    assert first.area_um2 <= 1.06
    assert first.reading.probability > 0.99


def test_in_capitals_a_url_fits_into_a_third_of_it() -> None:
    first, *_ = smallest_symbols("https://www.tuwien.at", allow_upper=True)
    assert (first.name, first.payload) == ("Micro QR M4-L", "HTTPS://WWW.TUWIEN.AT")
    assert first.area_um2 <= 0.70
    assert first.reading.probability > 0.99


@pytest.mark.usefixtures("clear")
def test_capitals_are_taken_only_where_they_are_allowed_and_needed() -> None:
    allowed = smallest_symbols("https://www.tuwien.at", allow_upper=True, most=None)
    plain = smallest_symbols("https://www.tuwien.at", most=None)
    assert {choice.payload for choice in plain} == {"https://www.tuwien.at"}
    kept = {choice.name for choice in allowed if choice.payload == "https://www.tuwien.at"}
    assert kept == {choice.name for choice in plain}
    assert len(allowed) > len(plain)


@pytest.mark.usefixtures("clear")
@settings(max_examples=25, deadline=None)
@given(st.one_of(st.binary(min_size=1, max_size=60), st.text("0123456789ABC", min_size=1)))
def test_every_choice_holds_the_payload_and_they_are_in_order(payload: bytes | str) -> None:
    choices = smallest_symbols(payload, most=12)
    areas = [choice.area_um2 for choice in choices]
    assert areas == sorted(areas)
    for choice in choices:
        symbol = symbol_of(choice)
        assert symbol.matrix.shape == choice.modules
        assert decode_modules(symbol.matrix).symbol.payload == symbol.payload
        assert choice.area_um2 == pytest.approx(np.prod(choice.modules) * 0.049**2)


@pytest.mark.usefixtures("clear")
def test_what_is_dominated_or_read_too_seldom_can_be_left_out() -> None:
    everything = smallest_symbols("https://tuwien.at", most=None)
    front = smallest_symbols("https://tuwien.at", most=None, dominated=False)
    sure = smallest_symbols("https://tuwien.at", most=None, least_probability=0.99)
    assert set(front) < set(everything)
    assert set(sure) < set(everything)
    assert front[0] == everything[0]
    read = [choice.reading.probability for choice in front]
    assert read == sorted(set(read))
    assert min(choice.reading.probability for choice in sure) >= 0.99
    assert {"QR", "rMQR"} == {choice.symbology for choice in everything}


@pytest.mark.usefixtures("clear")
def test_kinds_and_the_length_of_the_list_can_be_chosen() -> None:
    choices = smallest_symbols("12345", symbologies=["rMQR"], most=3)
    assert [choice.symbology for choice in choices] == ["rMQR"] * 3


def test_the_beam_time_is_that_of_the_plan() -> None:
    beam, choice = find_beam("26 pA"), smallest_of_26_pa()
    plan = plan_milling(Design(symbol_of(choice)), beam)
    assert choice.beam_time_s == pytest.approx(plan.beam_on_time_s, rel=1e-6)
    assert choice.beam == beam


def test_the_prediction_is_that_of_the_symbol_itself() -> None:
    sem = SemCondition(electrons_per_pixel=16)
    beam = find_beam("26 pA")
    choice = smallest_symbols("https://tuwien.at", beam=beam, sem=sem, most=1)[0]
    itself = predict_reading(plan_milling(Design(symbol_of(choice)), beam), sem)
    assert choice.reading.low <= itself.high
    assert itself.low <= choice.reading.high


def test_finer_pitches_are_smaller_and_read_less_often() -> None:
    told: list[str] = []
    choices = smallest_symbols(
        "CrN", [49, 20], most=None, symbologies=["QR"], sem=SemCondition(electrons_per_pixel=12),
        progress=lambda *said: told.append(said[2]),
    )  # fmt: skip
    by_pitch = {
        pitch: next(c for c in choices if c.name == "QR 1-L" and c.pitch_nm == pitch)
        for pitch in (49, 20)
    }
    assert by_pitch[20].area_um2 < by_pitch[49].area_um2
    assert by_pitch[20].reading.probability < by_pitch[49].reading.probability
    assert by_pitch[20].beam.spot_nm < by_pitch[49].beam.spot_nm
    assert len(told) == 2


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        smallest_symbols("")
    with pytest.raises(ValueError, match="resolves"):
        smallest_symbols("CrN", 3.0)
    with pytest.raises(ValueError, match="pitch"):
        smallest_symbols("CrN", [])
    with pytest.raises(Cancelled):
        smallest_symbols("CrN", cancelled=lambda: True)
    assert smallest_symbols(bytes(4000)) == []


class TestTheSmallestPitch:
    @staticmethod
    def power_law(monkeypatch: pytest.MonkeyPatch, rho_at_49: float = 2.5) -> list[float]:
        """Modules tell as much as a power of the pitch says; return the pitches simulated."""
        simulated: list[float] = []

        def measured(plan: MillPlan, *_: object, **__: object) -> Channel:
            pitch = plan.design.pitch_nm
            simulated.append(pitch)
            rho = rho_at_49 * (pitch / 49) ** 1.3
            return Channel(capacity_and_dispersion(rho)[0])

        monkeypatch.setattr("napari_nanoqr.planning.pitch_sweep.measure_channel", measured)
        return simulated

    @pytest.mark.parametrize("least", [0.5, 0.99, 0.999])
    def test_is_read_and_one_nm_less_is_not(
        self, monkeypatch: pytest.MonkeyPatch, least: float
    ) -> None:
        simulated = self.power_law(monkeypatch)
        choices = smallest_symbols(
            "https://tuwien.at", "smallest", least_probability=least, most=None
        )
        areas = [choice.area_um2 for choice in choices]
        assert areas == sorted(areas)
        for choice in choices:
            assert choice.pitch_nm == round(choice.pitch_nm)
            needed = least_rho(choice.version, choice.error, least)
            exact = 49 * (needed / 2.5) ** (1 / 1.3)
            assert exact * 0.999 <= choice.pitch_nm <= exact + 1.01
            assert choice.reading.probability >= least - 1e-3
            assert choice.limited_by == "reading dose"
        # a fraction of what one pitch after the other would take
        assert len(simulated) <= 8

    def test_a_stronger_level_may_be_smaller_than_a_smaller_version(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.power_law(monkeypatch)
        first, *_ = smallest_symbols("https://tuwien.at", "smallest", symbologies=["QR"])
        assert (first.version, first.error) == (2, "Q")

    def test_is_what_the_beam_resolves_where_the_electrons_are_ample(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.power_law(monkeypatch, rho_at_49=100)
        beam = find_beam("0.26 nA")
        choices = smallest_symbols("https://tuwien.at", "smallest", beam=beam, most=None)
        finest = math.ceil(resolved_pitch_nm(beam))
        assert {choice.pitch_nm for choice in choices} == {finest}
        assert {choice.limited_by for choice in choices} == {"beam spot"}
        assert film_kept(beam, finest - 1) < LEAST_FILM_KEPT <= film_kept(beam, finest)

    def test_takes_the_finest_beam_where_none_is_given(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.power_law(monkeypatch)
        beams = {choice.beam for choice in smallest_symbols("CrN", "smallest")}
        assert beams == {finest_beam()}

    def test_is_none_where_no_electrons_are_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        simulated = self.power_law(monkeypatch, rho_at_49=0.01)
        assert smallest_symbols("CrN", "smallest") == []
        # larger modules were tried, up to 16 pixels each
        assert max(simulated) == 16 * 6.125

    def test_is_that_of_the_simulation_itself(self) -> None:
        beam, sem = find_beam("26 pA"), SemCondition(pixel_size_nm=3)
        choice = smallest_symbols(
            "https://tuwien.at", "smallest", beam=beam, sem=sem, symbologies=["QR"]
        )[0]
        there, finer = (
            predict_reading(plan_milling(Design(symbol_of(choice), pitch), beam), sem)
            for pitch in (choice.pitch_nm, choice.pitch_nm - 3)
        )
        assert choice.reading.low <= there.high
        assert there.low <= choice.reading.high
        assert finer.probability < 0.9

    def test_can_be_cancelled_and_tells_how_far_it_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.power_law(monkeypatch)
        told: list[tuple[int, int, str]] = []
        smallest_symbols("CrN", "smallest", progress=lambda *said: told.append(said))
        assert "pitch of 25 nm" in told[0][2]
        assert all(done <= planned for done, planned, _ in told)
        with pytest.raises(Cancelled):
            smallest_symbols("CrN", "smallest", cancelled=lambda: True)

    @pytest.mark.parametrize("least", [0.0, 1.0, -1.0])
    def test_needs_a_probability(self, least: float) -> None:
        with pytest.raises(ValueError, match="between 0 and 1"):
            smallest_symbols("CrN", "smallest", least_probability=least)
        with pytest.raises(ValueError, match="largest"):
            smallest_symbols("CrN", "largest")  # type: ignore[arg-type]


def test_the_cheapest_masks_take_no_more_time() -> None:
    kwargs = {"symbologies": ["QR"], "most": 1, "beam": find_beam("26 pA")}
    usual = [smallest_of_26_pa()]
    cheapest = smallest_symbols("https://tuwien.at", cheapest=True, **kwargs)  # type: ignore[arg-type]
    assert [choice.name for choice in cheapest] == [choice.name for choice in usual]
    for one, other in zip(cheapest, usual, strict=True):
        assert one.beam_time_s <= other.beam_time_s * (1 + 1e-9)
        plan = plan_milling(Design(symbol_of(one), mill=one.mill), one.beam)
        assert one.beam_time_s == pytest.approx(plan.beam_on_time_s, rel=1e-6)
