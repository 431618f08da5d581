"""Milling as it is to be expected: against theory, through layers, with what falls back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film, Layer
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.pattern import PointPattern, ShapePattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.damage import Damage, Patch
from napari_nanoqr.physics.milling import FWHM_PER_SIGMA, BeamShape, FilmState, mill
from napari_nanoqr.physics.simulate import pattern_of
from napari_nanoqr.physics.sputtering import EXPECTED, Sputtering

BEAM = Beam(26, 12.5)
THICK = Film(thickness_nm=1000)


def box(width_nm: float, height_nm: float, dose: float = 0.125) -> ShapePattern:
    """A rectangle in the middle of the field with a dose in nC/um^2."""
    x, y = width_nm / 2, height_nm / 2
    corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    return ShapePattern(
        format="test", polygons_nm=(corners,), dose_factors=np.ones(1),
        layers=np.zeros(1, dtype=int), base_dose_nc_per_um2=dose,
    )  # fmt: skip


def points(side: int, passes: int, dwell: NDArray[np.int64] | None = None) -> PointPattern:
    """A square field of points of 7 nm pitch, raster by raster."""
    y, x = np.mgrid[:side, :side].reshape(2, -1)
    return PointPattern(
        format="test", steps=np.stack((x, y), axis=1),
        dwell_units=np.full(side**2, 1200 // passes) if dwell is None else dwell,
        beam_on=np.ones(side**2, dtype=bool), passes=passes,
        centre_step=((side - 1) / 2, (side - 1) / 2), step_nm=7.0, dwell_unit_s=1e-6,
    )  # fmt: skip


def at(state: FilmState, x_nm: float, y_nm: float = 0.0) -> float:
    grid = state.grid
    row, column = (y_nm - grid.top_nm) / grid.cell_nm, (x_nm - grid.left_nm) / grid.cell_nm
    return float(state.depth_nm[int(row), int(column)])


@pytest.mark.parametrize("spot_nm", [8.0, 12.5, 40.0])
@pytest.mark.parametrize("shape", [BeamShape(0), BeamShape(), BeamShape(0.3, 6)])
def test_an_edge_is_the_sum_of_two_error_functions(spot_nm: float, shape: BeamShape) -> None:
    state = mill(box(3000, 3000), THICK, Beam(26, spot_nm), shape=shape)
    grid, core = state.grid, spot_nm / FWHM_PER_SIGMA
    x = grid.left_nm + (np.arange(grid.columns) + 0.5) * grid.cell_nm
    theory = sum(
        share * (ndtr((x + 1500) / width) - ndtr((x - 1500) / width))
        for share, width in (
            (1 - shape.tail_fraction, core), (shape.tail_fraction, core * shape.tail_width)
        )
    )  # fmt: skip
    assert state.depth_nm[grid.rows // 2] / 15 == pytest.approx(theory, abs=0.01)


def test_the_tail_is_that_of_the_beam() -> None:
    wide = Beam(26, 12.5, tail_fraction=0.3, tail_width=8)
    told, known = mill(box(100, 100), THICK, wide), mill(box(100, 100), THICK, BEAM)
    asked = mill(box(100, 100), THICK, BEAM, shape=BeamShape(0.3, 8))
    assert told.depth_nm == pytest.approx(asked.depth_nm)
    assert told.depth_nm.shape > known.depth_nm.shape


def test_the_removed_volume_is_charge_times_rate_where_nothing_falls_back() -> None:
    state = mill(box(400, 300), THICK, BEAM)
    assert state.depth_nm.sum() * state.grid.cell_nm**2 == pytest.approx(400 * 300 * 15, rel=1e-3)


def test_the_default_film_is_much_as_planned(record: Design) -> None:
    pattern = pattern_of(plan_milling(record))
    plain, real = (mill(pattern, record.film, **k) for k in ({}, {"sputtering": EXPECTED}))
    assert real.depth_nm.sum() == pytest.approx(plain.depth_nm.sum(), rel=0.02)
    assert np.sqrt(np.mean((real.depth_nm - plain.depth_nm) ** 2)) < 0.5
    assert real.redeposited_nm is not None
    assert real.redeposited_nm.max() < 0.2  # 236 passes


@pytest.mark.parametrize("sputtering", [Sputtering(0, sticking=0), EXPECTED])
def test_milling_breaks_through_each_layer_at_its_own_rate(sputtering: Sputtering) -> None:
    film = Film("CrN", 15, "Si", below=(Layer("Cr", 5), Layer("Au", 30)))
    dose = 15 / 120 + 5 / 100 + 12 / 1500  # into the gold
    middle = at(mill(box(900, 900, dose), film, BEAM, sputtering=sputtering), 0)
    assert middle == pytest.approx(15 + 5 + 12, rel=0.01)
    deep = at(mill(box(900, 900, dose + 18 / 1500 + 0.1), film, BEAM, sputtering=sputtering), 0)
    assert deep == pytest.approx(50 + 27, rel=0.01)


def test_each_point_mills_with_its_own_dwell() -> None:
    dwell = np.where(np.arange(61**2) % 61 < 30, 6, 12)
    state = mill(points(61, 100, dwell), THICK, BEAM, sputtering=EXPECTED)
    assert at(state, 110) == pytest.approx(2 * at(state, -110), rel=0.02)


@pytest.mark.parametrize("passes", [1, 4, 100])
def test_passes_in_the_file_count_as_passes_of_the_instrument(passes: int) -> None:
    asked = points(9, passes)
    listed = replace(
        asked, steps=np.tile(asked.steps, (passes, 1)), passes=1,
        dwell_units=np.tile(asked.dwell_units, passes), beam_on=np.tile(asked.beam_on, passes),
    )  # fmt: skip
    first, second = (mill(each, THICK, BEAM, sputtering=EXPECTED) for each in (asked, listed))
    assert first.redeposited_nm is not None
    assert second.redeposited_nm == pytest.approx(first.redeposited_nm, abs=1e-4)


def test_one_pass_leaves_what_many_clear() -> None:
    left = []
    for passes in (1, 4, 100):
        state = mill(points(9, passes), Film(thickness_nm=30), BEAM, sputtering=EXPECTED)
        assert state.redeposited_nm is not None
        left.append(state.redeposited_nm.sum())
        assert (state.remaining_nm >= state.redeposited_nm).all()
    assert left[0] > left[1] > 5 * left[2]


def test_what_fell_back_on_the_floor_is_film_again() -> None:
    depth, fallen = np.array([[0.0, 14.0, 20.0, 14.0]]), np.array([[0.0, 0.0, 2.0, 3.0]])
    state = FilmState(depth, Grid(0, 0, 1, 1, 4), Film(), redeposited_nm=fallen)
    # whole; 1 nm left; through and 2 nm on the floor; through by 2 nm and 3 nm on the floor
    assert state.remaining_nm == pytest.approx(np.array([[15, 1, 2, 3]]))


def test_damage_takes_what_fell_back_with_it() -> None:
    milled = mill(points(9, 1), Film(thickness_nm=30), BEAM, sputtering=EXPECTED)
    square = np.array([[-99, -99], [99, -99], [99, 99], [-99, 99.0]])
    stripped = Damage(patches=(Patch(square, "stripped"),)).suffered_by(
        milled, (-300, -300, 300, 300)
    )
    assert stripped.redeposited_nm is not None
    assert milled.redeposited_nm is not None
    assert milled.redeposited_nm.max() > 0.5
    assert stripped.redeposited_nm.shape == stripped.depth_nm.shape
    middle = np.array(stripped.depth_nm.shape) // 2
    assert stripped.redeposited_nm[*middle] == 0
    assert stripped.remaining_nm[*middle] == 0
