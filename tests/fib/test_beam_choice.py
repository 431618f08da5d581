"""The fastest beam that resolves the pitch is chosen, and the limit is where it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.fib.beam_choice import LEAST_FILM_KEPT, choose_beam, film_kept
from napari_nanoqr.fib.columns import Beam, Column, find_beam, find_column

SIGMA_PER_FWHM = 1 / (2 * np.sqrt(2 * np.log(2)))


def test_the_fastest_that_resolves_the_record_is_90_picoampere() -> None:
    choice = choose_beam(49)
    assert choice.beam == find_beam("90 pA")
    assert choice.reason == (
        "90 pA: fastest of Helios G4 whose spot (20.4 nm) stays below 0.70 of the 49 nm pitch; "
        "0.26 nA (36.6 nm) would leave a module alone among milled ones 71 % of its film, and "
        "75 % are needed."
    )


def test_all_beams_are_compared() -> None:
    options = choose_beam(49).options
    assert [option.beam for option in options] == list(find_column().beams)
    assert [option.resolves for option in options] == [True] * 5 + [False] * 9
    by_current = {option.beam.current_pa: option for option in options}
    assert by_current[90].relative_time == 1
    assert by_current[1].relative_time == 90
    assert by_current[260].relative_time == pytest.approx(90 / 260)
    assert by_current[26].spot_per_pitch == pytest.approx(12.5 / 49)


def test_a_wider_tail_asks_for_a_finer_spot() -> None:
    spots = ((26.0, 12.5), (90.0, 20.4), (200.0, 33.0))
    chosen = {
        share: choose_beam(49, Column("own", spots, tail_fraction=share)).beam.current_pa
        for share in (0.0, 0.1, 0.2, 0.3, 0.35)
    }
    assert chosen == {0.0: 200, 0.1: 200, 0.2: 90, 0.3: 90, 0.35: 26}


def test_the_only_current_of_a_column_is_said_to_be_that() -> None:
    reason = choose_beam(49, "Orion NanoFab Ne").reason
    assert reason.startswith("1 pA: the only current listed for Orion NanoFab Ne; its spot (1.9 nm")


def test_where_none_resolves_the_smallest_pitch_is_told_and_is_right() -> None:
    with pytest.raises(ValueError, match=r"1 pA with a spot of 5\.3 nm, .* at least 7\.6 nm"):
        choose_beam(5)
    assert choose_beam(7.6).beam.current_pa == 1


@pytest.mark.parametrize("pitch_nm", [0, -49, float("nan"), float("inf")])
def test_a_pitch_that_cannot_be_is_refused(pitch_nm: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        choose_beam(pitch_nm)


@pytest.mark.parametrize("share", [0, 1, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        choose_beam(49, least_film_kept=share)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="Known: Helios G4"):
        choose_beam(49, "Hero")


@given(st.floats(5, 500))
def test_spots_up_to_half_a_pitch_resolve_it(pitch_nm: float) -> None:
    assert film_kept(Beam(1, pitch_nm / 2), pitch_nm) == pytest.approx(0.887, abs=0.001)
    assert film_kept(Beam(1, pitch_nm / 2), pitch_nm) > LEAST_FILM_KEPT


@given(st.floats(10, 200), st.floats(0.1, 3), st.floats(0, 0.9))
def test_a_finer_spot_and_a_smaller_tail_keep_more(pitch: float, ratio: float, tail: float) -> None:
    kept = film_kept(Beam(1, ratio * pitch, tail_fraction=tail), pitch)
    assert 0 < kept <= 1
    assert film_kept(Beam(1, 0.9 * ratio * pitch, tail_fraction=tail), pitch) >= kept
    assert film_kept(Beam(1, ratio * pitch, tail_fraction=tail + 0.05), pitch) <= kept


def test_what_is_kept_is_what_two_blurred_squares_leave() -> None:
    from scipy.ndimage import gaussian_filter

    beam, pitch = Beam(1, 30, tail_fraction=0.2, tail_width=3), 49
    around = np.ones((601, 601))
    around[300 - 24 : 300 + 25, 300 - 24 : 300 + 25] = 0
    sigma = beam.spot_nm * SIGMA_PER_FWHM
    dose = 0.8 * gaussian_filter(around, sigma) + 0.2 * gaussian_filter(around, 3 * sigma)
    assert 1 - dose[300, 300] == pytest.approx(film_kept(beam, pitch), abs=2e-3)


def least_lost(spot_per_pitch: float, *, side: int = 4, cells: int = 3) -> float | None:
    """Film lost at kept centres of a chequerboard with the best dose there can be."""
    from scipy.optimize import linprog
    from scipy.special import erf

    milled = np.indices((side, side)).sum(axis=0) % 2 == 0
    centres = (np.arange(side * cells) + 0.5) / cells
    where = np.argwhere(milled.repeat(cells, 0).repeat(cells, 1))

    def reach(points: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
        found = np.zeros((len(points), len(centres)))
        for copy in range(-3, 4):
            far = points[:, None] - centres + copy * side
            for end in (0.5, -0.5):
                found += np.sign(end) * erf((far + end / cells) / np.sqrt(2) / sigma) / 2
        return found

    def dose(points: NDArray[np.float64]) -> NDArray[np.float64]:
        sigma = spot_per_pitch * SIGMA_PER_FWHM
        return sum(
            share * reach(points[:, 0], width * sigma)[:, where[:, 0]]
            * reach(points[:, 1], width * sigma)[:, where[:, 1]]
            for share, width in ((0.9, 1), (0.1, 4))
        )  # fmt: skip

    steps = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
    middles = np.concatenate([np.argwhere(milled) + 0.5 + step / 2 for step in steps])
    outwards = steps.repeat(milled.sum(), axis=0)
    limits = [
        (-dose(middles - 0.04 * outwards), -0.5, 0),
        (dose(middles + 0.04 * outwards), 0.5, 0),
        (-dose(np.argwhere(milled) + 0.5), -1.0, 0),
        (dose(np.argwhere(~milled) + 0.5), 0.0, -1),
    ]
    found = linprog(
        [0.0] * len(where) + [1.0],
        A_ub=np.vstack([np.c_[rows, np.full(len(rows), loss)] for rows, _, loss in limits]),
        b_ub=np.concatenate([np.full(len(rows), bound) for rows, bound, _ in limits]),
        bounds=[(0, 2)] * len(where) + [(0, None)],
    )
    return float(found.x[-1]) if found.status == 0 else None


def test_a_correction_of_the_dose_can_do_what_the_limit_promises() -> None:
    for spot_per_pitch, lost in ((0.5, 0.066), (0.7, 0.177), (0.75, 0.226)):
        assert least_lost(spot_per_pitch) == pytest.approx(lost, abs=0.005)
    assert least_lost(0.8) is None
