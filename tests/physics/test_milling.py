"""Milled depth: dose times volume per dose, spread by the beam, and faster through the film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.pattern import PointPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics import milling
from napari_nanoqr.physics.blur import blur
from napari_nanoqr.physics.milling import FWHM_PER_SIGMA, BeamShape, mill, milled_depth_nm
from napari_nanoqr.symbols.encode import encode

BEAM = Beam(26, 12.5)
THICK = Film(thickness_nm=1000)
CORE_ONLY = BeamShape(tail_fraction=0)


def square(side: int, pitch_nm: float, dwell_us: float, passes: int) -> PointPattern:
    """A square field of points."""
    y, x = np.mgrid[:side, :side].reshape(2, -1)
    return PointPattern(
        format="test", steps=np.stack((x, y), axis=1), dwell_units=np.ones(side**2, dtype=int),
        beam_on=np.ones(side**2, dtype=bool), passes=passes,
        centre_step=((side - 1) / 2, (side - 1) / 2), step_nm=pitch_nm,
        dwell_unit_s=dwell_us * 1e-6,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [CORE_ONLY, BeamShape(0.2, 5)])
@pytest.mark.parametrize("pitch_nm", [5.0, 6.9, 7.0])
def test_a_wide_field_is_as_deep_as_dose_times_volume_per_dose(
    shape: BeamShape, pitch_nm: float
) -> None:
    dose = 26e-3 * 1e-6 * 500 / (pitch_nm / 1000) ** 2
    state = mill(
        square(101, pitch_nm, 1, 500), THICK, BEAM, volume_per_dose_um3_per_nc=0.12, shape=shape
    )
    middle = np.array(state.depth_nm.shape) // 2
    floor = state.depth_nm[middle[0] - 30 : middle[0] + 30, middle[1] - 30 : middle[1] + 30]
    assert floor.mean() == pytest.approx(1000 * dose * 0.12, rel=2e-3)
    assert floor.std() < 0.005 * floor.mean()


def test_the_removed_volume_is_charge_times_volume_per_dose() -> None:
    state = mill(square(9, 7, 1, 300), THICK, BEAM, volume_per_dose_um3_per_nc=0.12)
    volume_um3 = state.depth_nm.sum() * state.grid.cell_nm**2 * 1e-9
    assert volume_um3 == pytest.approx(26e-3 * 81 * 300e-6 * 0.12, rel=5e-3)


@pytest.mark.parametrize("spot_nm", [5.3, 12.5, 36.6])
def test_one_point_is_as_wide_as_the_spot(spot_nm: float) -> None:
    state = mill(
        square(1, 1, 1, 1000), THICK, Beam(26, spot_nm), volume_per_dose_um3_per_nc=0.12,
        shape=CORE_ONLY, cell_nm=spot_nm / 8,
    )  # fmt: skip
    across = state.depth_nm.sum(axis=0)
    x = np.arange(across.size) * state.grid.cell_nm
    mean = (across * x).sum() / across.sum()
    sigma = np.sqrt((across * (x - mean) ** 2).sum() / across.sum())
    assert sigma * FWHM_PER_SIGMA == pytest.approx(spot_nm, rel=0.02)
    assert mean == pytest.approx(x.mean(), abs=0.1)


def test_the_tail_widens_what_the_core_mills() -> None:
    narrow, wide = (
        mill(square(5, 7, 1, 300), THICK, BEAM, volume_per_dose_um3_per_nc=0.12, cell_nm=3,
             shape=BeamShape(share, 4))
        for share in (0.0, 0.2)
    )  # fmt: skip
    assert wide.depth_nm.max() < narrow.depth_nm.max()
    assert (wide.depth_nm > 0.1).sum() > 1.5 * (narrow.depth_nm > 0.1).sum()


def test_through_the_film_the_substrates_rate_holds() -> None:
    doses = np.array([0.0, 0.05, 0.125, 0.25])
    depth = milled_depth_nm(doses, 15, 0.12, 0.24)
    assert depth == pytest.approx([0, 6, 15, 45])
    assert milled_depth_nm(doses, 15, 0.12, 0.12) == pytest.approx(120 * doses)


@pytest.mark.parametrize("suffix", [".str", ".bmp", ".gds"])
def test_every_format_predicts_the_same_film(record: Design, tmp_path: Path, suffix: str) -> None:
    plan = plan_milling(record)
    write_pattern(plan, tmp_path / f"a{suffix}")
    state = mill(read_pattern(tmp_path / f"a{suffix}"), record.film, cell_nm=3.5)
    grid, pitch = state.grid, record.pitch_nm
    centres = (np.arange(37) + 0.5) * pitch - record.field_size_nm[0] / 2
    rows = np.clip(((centres - grid.top_nm) / 3.5).astype(int), 0, grid.rows - 1)
    columns = np.clip(((centres - grid.left_nm) / 3.5).astype(int), 0, grid.columns - 1)
    depth = state.depth_nm[np.ix_(rows, columns)]
    inner = np.s_[4:-4, 4:-4]
    assert depth[record.milled] == pytest.approx(14.7, abs=0.6)
    assert depth[inner][~record.milled[inner]].max() < 1.5
    assert state.remaining_nm.max() == pytest.approx(15, abs=0.01)


def test_more_dose_mills_deeper_and_less_leaves_film(record: Design, tmp_path: Path) -> None:
    left = []
    for over_etch in (0.6, 1.0, 1.4):
        write_pattern(plan_milling(record, over_etch=over_etch), tmp_path / "a.str")
        state = mill(read_pattern(tmp_path / "a.str"), record.film)
        left.append(np.quantile(state.remaining_nm, 0.01))
    assert left[0] == pytest.approx(6, abs=0.5)
    assert left[1] < 0.5
    assert left[2] == 0


class TestWhatIsMissing:
    def test_beam(self) -> None:
        with pytest.raises(ValueError, match="give current and spot"):
            mill(square(3, 7, 1, 1), THICK)

    def test_scale(self) -> None:
        bare = PointPattern(
            format="test", steps=np.zeros((1, 2), dtype=int), dwell_units=np.ones(1, dtype=int),
            beam_on=np.ones(1, dtype=bool), passes=1, centre_step=(0, 0), dwell_unit_s=1e-7,
        )  # fmt: skip
        with pytest.raises(ValueError, match="give its HFW"):
            mill(bare, THICK, BEAM)

    def test_base_dose(self) -> None:
        layout = ShapePattern(
            format="test", polygons_nm=(np.array([[0, 0], [9, 0], [9, 9], [0, 9.0]]),),
            dose_factors=np.ones(1), layers=np.zeros(1, dtype=int),
        )  # fmt: skip
        with pytest.raises(ValueError, match="base dose"):
            mill(layout, THICK, BEAM)
        deep = mill(layout, THICK, Beam(26, 1), base_dose_nc_per_um2=0.1, shape=CORE_ONLY)
        assert deep.depth_nm.max() == pytest.approx(12, rel=0.01)

    def test_materials(self) -> None:
        with pytest.raises(ValueError, match="volume per dose of Unobtainium"):
            mill(square(3, 7, 1, 1), Film("Unobtainium"), BEAM)

    @pytest.mark.parametrize("values", [(-0.1, 4), (1, 4), (0.1, 0.5)])
    def test_sense_of_the_tail(self, values: tuple[float, float]) -> None:
        with pytest.raises(ValueError, match="tail"):
            BeamShape(*values)


def test_blur_keeps_the_sum_and_adds_variances() -> None:
    image = np.zeros((61, 81))
    image[30, 40] = 1
    blurred = blur(image, 2.0, [(1.0, np.array([[36.0, 10.0], [10.0, 16.0]]))])
    y, x = np.mgrid[:61, :81] * 2.0
    assert blurred.sum() == pytest.approx(1)
    assert (blurred * (x - 80) ** 2).sum() == pytest.approx(36, rel=1e-3)
    assert (blurred * (y - 60) ** 2).sum() == pytest.approx(16, rel=1e-3)
    assert (blurred * (x - 80) * (y - 60)).sum() == pytest.approx(10, rel=1e-3)


def test_what_is_blurred_over_one_edge_does_not_come_back_at_the_other() -> None:
    image = np.zeros((40, 40))
    image[0] = 1
    cov = np.eye(2) * 4.0
    assert blur(image, 1.0, [(1.0, cov)])[-5:].max() < 1e-4
    assert blur(np.ones((9, 9)), 1.0, [(1.0, cov)], surroundings="edge") == pytest.approx(1)


def test_a_large_pattern_is_predicted_more_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milling, "MOST_CELLS", 400)
    design = Design(encode(b"x", "L", 2), pitch_nm=400)
    plan = plan_milling(design, Beam(26, 40), point_pitch_nm=20)
    points = plan.points_nm
    pattern = PointPattern(
        format="test", steps=np.rint(points).astype(int),
        dwell_units=np.full(len(points), 10), beam_on=np.ones(len(points), dtype=bool),
        passes=plan.passes, centre_step=(0, 0), step_nm=1.0, dwell_unit_s=1e-7,
    )  # fmt: skip
    state = mill(pattern, design.film, plan.beam)
    assert max(state.depth_nm.shape) in (400, 401)
    volume = np.minimum(state.depth_nm, 15).sum() * state.grid.cell_nm**2 * 1e-9
    assert volume == pytest.approx(plan.volume_um3, rel=0.05)
