"""The yield against the angle, and the depth of a dose through layers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.physics.sputtering import EXPECTED, IDEAL, Sputtering, Stack


def yield_at(angle_deg: float, sputtering: Sputtering = EXPECTED) -> float:
    return float(sputtering.relative_yield(np.tan(np.deg2rad([angle_deg])) ** 2)[0])


def test_the_yield_is_normalised_to_normal_incidence() -> None:
    assert yield_at(0) == 1
    assert yield_at(5) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("best_deg", [65.0, 79.0, 83.0])
def test_the_yield_is_highest_at_the_best_angle_and_falls_beyond(best_deg: float) -> None:
    angles = np.arange(0, 89.01, 0.05)
    law = Sputtering(best_angle_deg=best_deg)
    yields = law.relative_yield(np.tan(np.deg2rad(angles)) ** 2)
    assert angles[yields.argmax()] == pytest.approx(best_deg, abs=0.1)
    assert yields[-1] < yields.max() / 2


def test_the_default_law_is_that_of_heavy_ions() -> None:
    assert 1.5 < yield_at(45) < 1.9
    assert 4.5 < yield_at(79) < 6.5


def test_an_ideal_yield_knows_no_angle() -> None:
    assert yield_at(80, IDEAL) == 1
    assert IDEAL.ideal
    assert not EXPECTED.ideal
    assert not Sputtering(angle_power=0).ideal


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"angle_power": -1}, "power of 0 to 10"),
        ({"best_angle_deg": 90}, "below 90 degrees"),
        ({"cascade_nm": -1}, "cascade"),
        ({"sticking": 1.1}, "from 0 to 1"),
        ({"sticking": float("nan")}, "from 0 to 1"),
    ],
)
def test_nonsense_is_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sputtering(**values)


class TestStack:
    def test_each_layer_is_milled_at_its_own_rate(self) -> None:
        stack = Stack(((15, 0.12), (10, 0.05), (20, 1.5)), 0.24)
        through = np.array([15 / 120, 10 / 50, 20 / 1500])
        doses = np.array([0, 0.5 * through[0], *np.cumsum(through), through.sum() + 0.1])
        assert stack.depth_nm(doses) == pytest.approx([0, 7.5, 15, 25, 45, 45 + 24])

    @given(
        st.lists(st.tuples(st.floats(1, 50), st.floats(0.01, 2)), max_size=4),
        st.floats(0.01, 2),
        st.lists(st.floats(0, 5), min_size=2, max_size=9),
    )
    def test_more_dose_is_never_less_deep(
        self, layers: list[tuple[float, float]], below: float, doses: list[float]
    ) -> None:
        depths = Stack(tuple(layers), below).depth_nm(np.sort(doses))
        assert (np.diff(depths) >= -1e-9).all()

    def test_cutting_a_layer_in_two_changes_nothing(self) -> None:
        doses = np.linspace(0, 1, 50)
        whole, cut = Stack(((30, 0.12),), 0.24), Stack(((11, 0.12), (19, 0.12)), 0.24)
        assert cut.depth_nm(doses) == pytest.approx(whole.depth_nm(doses))

    @pytest.mark.parametrize("layers", [((0, 0.1),), ((10, -0.1),)])
    def test_it_is_made_of_something(self, layers: tuple[tuple[float, float], ...]) -> None:
        with pytest.raises(ValueError, match="positive"):
            Stack(layers, 0.2)
