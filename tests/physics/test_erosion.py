"""A film milled in slices: slopes go faster, what falls back is cleared by further passes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_nanoqr.physics.erosion import Eroded, erode
from napari_nanoqr.physics.sputtering import EXPECTED, IDEAL, Sputtering, Stack

BULK = Stack((), 0.12)
FALLS = Sputtering(angle_power=0.0)
SLOPES = Sputtering(sticking=0.0)
CELL = 4.0


def trench_dose(depth_nm: float, *, cells: int = 96, width: int = 12) -> NDArray[np.float64]:
    """Dose that mills a trench along y into bulk material, with soft edges."""
    dose = np.zeros((cells, cells))
    dose[20:-20, (cells - width) // 2 : (cells + width) // 2] = depth_nm / 120
    return gaussian_filter(dose, 1.3)


def fallen_share(eroded: Eroded) -> float:
    return float(eroded.redeposited_nm.sum() / eroded.native_nm.sum())


@pytest.mark.parametrize("stack", [BULK, Stack(((15, 0.12), (10, 0.05)), 0.24)])
def test_without_slopes_and_fallout_depth_is_that_of_the_dose(stack: Stack) -> None:
    dose = trench_dose(60)
    eroded = erode(dose, stack, IDEAL, CELL)
    assert eroded.depth_nm == pytest.approx(stack.depth_nm(dose), rel=1e-5, abs=1e-4)
    assert not eroded.redeposited_nm.any()


@pytest.mark.parametrize("sputtering", [EXPECTED, FALLS, SLOPES])
def test_an_even_dose_mills_its_depth_whatever_the_model(sputtering: Sputtering) -> None:
    eroded = erode(np.full((40, 40), 0.5), BULK, sputtering, CELL, passes=3)
    assert eroded.depth_nm == pytest.approx(60, rel=1e-4)


def test_slopes_are_milled_faster_and_floors_are_not() -> None:
    dose = trench_dose(60, width=30)
    depth = erode(dose, BULK, SLOPES, CELL).depth_nm
    plain = BULK.depth_nm(dose)
    assert depth.sum() > 1.01 * plain.sum()
    assert (depth > plain - 1e-3).all()
    assert depth[48, 48] == pytest.approx(60, rel=1e-3)


def test_a_ramp_is_lowered_by_the_yield_of_its_slope() -> None:
    x = np.arange(200) + np.zeros((40, 1))
    dose = np.maximum(x - 20.0, 0) * 0.5 * CELL / 120  # a slope of 1/2 in the end
    depth = erode(dose, BULK, Sputtering(cascade_nm=0, sticking=0), CELL).depth_nm
    # z' = g(slope) z0' with the slope growing itself: solved in small steps
    slope = 0.0
    for _ in range(2000):
        slope += 0.5 / 2000 * float(SLOPES.relative_yield(np.array([slope**2]))[0])
    assert np.diff(depth[20, 80:120]).mean() / CELL == pytest.approx(slope, rel=0.01)


def test_a_wide_cascade_does_not_feel_a_narrow_edge() -> None:
    dose = trench_dose(20)
    volumes = [
        erode(dose, BULK, Sputtering(cascade_nm=width, sticking=0), CELL).depth_nm.sum()
        for width in (0, 5, 20, 200)
    ]
    assert volumes == sorted(volumes, reverse=True)
    assert volumes[-1] == pytest.approx(BULK.depth_nm(dose).sum(), rel=1e-3)


@pytest.mark.parametrize("passes", [1, 2, 7, 200])
@pytest.mark.parametrize("coarse", [1, 2, 3])
def test_what_is_sputtered_escapes_or_falls(passes: int, coarse: int) -> None:
    eroded = erode(trench_dose(60), BULK, EXPECTED, CELL, passes=passes, coarse=coarse)
    gone = eroded.sputtered_nm.sum() - eroded.stuck_nm.sum()
    assert eroded.depth_nm.sum() == pytest.approx(gone, rel=1e-4)
    assert 0 < eroded.stuck_nm.sum() < eroded.sputtered_nm.sum()
    assert eroded.redeposited_nm.min() >= 0


def test_nothing_is_lost_between_coarse_and_fine_cells() -> None:
    once, coarsely = (erode(trench_dose(40), BULK, FALLS, CELL, coarse=coarse) for coarse in (1, 2))
    assert coarsely.stuck_nm.sum() == pytest.approx(once.stuck_nm.sum(), rel=0.3)
    assert coarsely.depth_nm.sum() == pytest.approx(
        coarsely.sputtered_nm.sum() - coarsely.stuck_nm.sum(), rel=1e-4
    )


def test_more_passes_leave_less() -> None:
    shares = [
        fallen_share(erode(trench_dose(60), BULK, EXPECTED, CELL, passes=passes))
        for passes in (1, 3, 10, 100, 1000)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.02
    # where the walls get hardly any dose, nothing clears them
    assert shares[-1] < shares[0] / 10


def test_a_deeper_trench_catches_more() -> None:
    shares = []
    for depth in (5, 15, 45, 135):
        eroded = erode(trench_dose(depth), BULK, FALLS, CELL)
        shares.append(eroded.stuck_nm.sum() / eroded.sputtered_nm.sum())
    assert shares == sorted(shares)
    assert shares[0] < 0.03
    assert shares[-1] > 0.2


def test_what_falls_makes_a_trench_shallower() -> None:
    dose = trench_dose(60)
    plain = BULK.depth_nm(dose).sum()
    depths = [
        erode(dose, BULK, Sputtering(angle_power=0, sticking=share), CELL).depth_nm.sum()
        for share in (0.0, 0.5, 1.0)
    ]
    assert depths[0] == pytest.approx(plain, rel=1e-5)
    assert depths[0] > depths[1] > depths[2]


@pytest.mark.parametrize("passes", [1, 50])
def test_symmetric_input_gives_symmetric_output(passes: int) -> None:
    y, x = np.mgrid[-40:41, -40:41]
    dose = gaussian_filter(((abs(x) < 9) & (abs(y) < 9)) * 0.4, 1.5)
    depth = erode(dose, BULK, EXPECTED, CELL, passes=passes).depth_nm
    for turned in (depth[::-1], depth[:, ::-1], depth.T):
        assert turned == pytest.approx(depth, abs=2e-3)


def test_a_single_pass_leaves_its_fallout_where_it_began() -> None:
    y, x = np.mgrid[-40:41, -40:41]
    dose = gaussian_filter(((abs(x) < 9) & (abs(y) < 9)) * 0.6, 1.5)
    left = erode(dose, BULK, EXPECTED, CELL, order=y + 40).redeposited_nm
    assert left[:40].sum() > 2 * left[41:].sum()


def test_breaking_through_reaches_the_rate_of_each_layer() -> None:
    stack = Stack(((15, 0.12), (10, 0.05)), 0.24)
    through = 15 / 120 + 10 / 50
    eroded = erode(np.full((30, 30), through + 0.1), stack, EXPECTED, CELL, passes=9)
    assert eroded.depth_nm == pytest.approx(25 + 24, rel=1e-4)
