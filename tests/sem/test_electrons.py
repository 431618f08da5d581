"""Electrons for each pixel, from beam current and dwell."""

from __future__ import annotations

import pytest

from napari_nanoqr.sem.electrons import electrons_per_pixel


def test_current_times_dwell_times_scans() -> None:
    told = {"beam_current_a": 50e-12, "dwell_s": 1e-6}
    assert electrons_per_pixel(told) == pytest.approx(312)
    assert electrons_per_pixel(told | {"averaged": 4}) == pytest.approx(4 * 312)
    assert electrons_per_pixel(told | {"beam": "electron"}) == pytest.approx(312)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"beam_current_a": 50e-12},
        {"dwell_s": 1e-6},
        {"beam_current_a": 0, "dwell_s": 1e-6},
        {"beam_current_a": float("nan"), "dwell_s": 1e-6},
        {"beam_current_a": "50 pA", "dwell_s": 1e-6},
        {"beam_current_a": 50e-12, "dwell_s": 1e-6, "beam": "ion"},
    ],
)
def test_what_is_not_told_is_not_guessed(told: dict[str, object]) -> None:
    assert electrons_per_pixel(told) is None
