"""The smallest symbols that hold a payload are found, with what they take and promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.planning.channel import Cancelled, Channel
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.read_probability import predict_reading
from napari_nanoqr.planning.smallest import Choice, smallest_symbols
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import encode


@pytest.fixture
def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules tell 0.85 bits whatever is asked: for tests of the ranking alone."""
    monkeypatch.setattr(
        "napari_nanoqr.planning.smallest.measure_channel", lambda *_, **__: Channel(0.85)
    )


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
    beam = find_beam("26 pA")
    choice = smallest_symbols("https://tuwien.at", beam=beam, symbologies=["QR"], most=1)[0]
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
