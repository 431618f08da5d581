"""Edges of modules: where they come to lie, before and after the dose is corrected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.correction import corrected_dose
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.edges import edge_bias_nm
from napari_nanoqr.physics.milling import BeamShape, FilmState, mill
from napari_nanoqr.symbols.encode import encode

SMALL = Design(encode("1", "L", "M1"), quiet_zone=1)


def bias_of(plan: MillPlan, folder: Path, suffix: str = ".str") -> np.ndarray:
    """Edge biases of the film that a file leaves, as it is read back."""
    path = folder / f"a{suffix}"
    options = {"stream": "s16,25ns"} if suffix == ".str" else {}
    write_pattern(plan, path, **options)
    beam = plan.beam
    state = mill(
        read_pattern(path), plan.design.film, beam,
        volume_per_dose_um3_per_nc=plan.volume_per_dose.value,
        shape=BeamShape(beam.tail_fraction, beam.tail_width), cell_nm=1.5,
    )  # fmt: skip
    return edge_bias_nm(state, plan.placed)


def test_a_sharp_beam_puts_every_edge_where_it_belongs(tmp_path: Path) -> None:
    plan = plan_milling(SMALL, Beam(1, 5.3, tail_fraction=0))
    assert np.abs(bias_of(plan, tmp_path)).max() < 0.2


def test_over_etching_widens_modules_by_what_the_error_function_says(tmp_path: Path) -> None:
    """On a straight edge half of the film is gone where erfc is 1 over the over-etch."""
    from scipy.special import erfcinv

    plan = plan_milling(SMALL, Beam(26, 12.5, tail_fraction=0), over_etch=1.4)
    moved = np.sqrt(2) * plan.beam.core_sigma_nm * erfcinv(1 / 1.4)
    # corners of modules take a few percent of it
    assert np.median(bias_of(plan, tmp_path)) == pytest.approx(moved, rel=0.1)


@pytest.mark.parametrize("grown_nm", [-6, 0, 4])
def test_the_bias_of_a_film_that_was_drawn_is_measured(grown_nm: int) -> None:
    milled = SMALL.milled.repeat(49, axis=0).repeat(49, axis=1)
    depth = 15.0 * (
        binary_dilation(milled, np.ones((3, 3)), iterations=grown_nm)
        if grown_nm > 0
        else binary_erosion(milled, np.ones((3, 3)), iterations=-grown_nm)
        if grown_nm
        else milled
    )
    left, top = Placed(SMALL).corner_nm
    state = FilmState(depth, Grid(left, top, 1.0, *depth.shape), SMALL.film)
    assert edge_bias_nm(state, [Placed(SMALL)]) == pytest.approx(grown_nm, abs=0.02)


@pytest.mark.parametrize("suffix", [".str", ".bmp", ".gds"])
@pytest.mark.parametrize("mill_", ["dark", "light"])
def test_corrected_modules_keep_their_size_in_every_format(
    tmp_path: Path, suffix: str, mill_: str
) -> None:
    design = Design(SMALL.symbol, mill=mill_, quiet_zone=1)  # type: ignore[arg-type]
    beam = Beam(90, 0.5 * 49, tail_fraction=0.15, tail_width=4)
    before = bias_of(plan_milling(design, beam, over_etch=1.2), tmp_path, suffix)
    plan = plan_milling(design, beam, over_etch=1.2, correct_edges=True)
    after = bias_of(plan, tmp_path, suffix)
    assert np.abs(before).max() > 2.5
    assert np.abs(after).max() < (1.0 if suffix != ".gds" else 2.0)


@settings(max_examples=15, deadline=None)
@given(
    spot=st.floats(0.15, 0.5), tail=st.floats(0, 0.3), width=st.floats(2, 8),
    over_etch=st.floats(1, 1.5), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_edges_settle_for_any_beam_that_resolves_the_pitch(
    spot: float, tail: float, width: float, over_etch: float, seed: int
) -> None:
    from napari_nanoqr.fib.correction import Spread

    milled = np.random.default_rng(seed).random((12, 12)) < 0.5
    milled[5, 5] = True
    beam = Beam(26, 49 * spot, tail_fraction=tail, tail_width=width)
    k = max(1, round(1 / (0.55 * spot)))
    dose = corrected_dose(milled, k, 49 / k, beam, over_etch)
    assert dose.shape == (12 * k, 12 * k)
    assert np.array_equal(dose > 0, milled.repeat(k, axis=0).repeat(k, axis=1))
    padded = np.pad(dose.astype(float), 1)
    spread = Spread(padded, 49 / k, beam)
    right = (padded > 0) & ~(np.roll(padded, -1, 1) > 0)
    off = np.log(spread.at("right")[right] * 2 * over_etch) * beam.core_sigma_nm * 1.25
    assert np.sqrt(np.mean(off**2)) < 1.2


def test_a_film_without_edges_has_none(tmp_path: Path) -> None:
    plan = plan_milling(SMALL, ion_dose_nc_per_um2=0.02)
    assert np.isnan(bias_of(plan, tmp_path)).all()
