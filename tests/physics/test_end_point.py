"""Rate and thickness that are not known exactly bracket the film that will be left."""

from __future__ import annotations

import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.material import VolumePerDose
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.end_point import end_points
from napari_nanoqr.physics.milling import mill
from napari_nanoqr.physics.simulate import pattern_of
from napari_nanoqr.physics.sputtering import EXPECTED


@pytest.fixture(scope="module")
def milled(record: Design) -> Pattern:
    return pattern_of(plan_milling(record))


def test_the_ends_enclose_what_was_planned(record: Design, milled: Pattern) -> None:
    ends = end_points(milled, record.film)
    left = [state.remaining_nm.min() for state in (ends.low, ends.nominal, ends.high)]
    assert left[0] > left[1] >= left[2] == 0
    assert (ends.low.depth_nm <= ends.nominal.depth_nm).all()
    assert (ends.nominal.depth_nm <= ends.high.depth_nm + 1e-9).all()
    assert ends.nominal.depth_nm == pytest.approx(mill(milled, record.film).depth_nm)


def test_an_exact_rate_leaves_the_thickness(record: Design, milled: Pattern) -> None:
    exact = VolumePerDose.exactly(0.12)
    ends = end_points(milled, record.film, volume=exact, thickness_percent=0)
    assert (ends.low.depth_nm == ends.high.depth_nm).all()
    spread = end_points(milled, record.film, volume=exact, thickness_percent=20)
    assert spread.low.film == Film(thickness_nm=18)
    assert spread.high.film == Film(thickness_nm=12)


def test_what_falls_back_can_be_asked_for(record: Design, milled: Pattern) -> None:
    ends = end_points(milled, record.film, sputtering=EXPECTED, cell_nm=8)
    assert ends.low.redeposited_nm is not None
    assert ends.low.depth_nm.sum() < ends.high.depth_nm.sum()


def test_a_film_has_a_thickness(record: Design, milled: Pattern) -> None:
    with pytest.raises(ValueError, match="100 % thinner"):
        end_points(milled, record.film, thickness_percent=100)
