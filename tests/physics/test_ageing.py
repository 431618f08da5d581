"""Ageing: what years do to a film, and that more of them do more of the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.ageing import Ageing, acceleration
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.sem import SemModel, emission
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.physics.view import View
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode

PLAIN = SemModel(topography=0, edge=0)
ONLY = {"diffusion_nm2_per_year": 0.0, "fading_per_year": 0.0, "pits_per_um2_year": 0.0}


def film() -> FilmState:
    """A film of 1 um, of which the right half has been milled away."""
    depth = np.zeros((250, 250))
    depth[:, 125:] = 15
    return FilmState(depth, Grid(-500, -500, 4, 250, 250), Film())


def gone(ageing: Ageing) -> np.ndarray:
    """Where the film was, and is no longer."""
    return (ageing.suffered_by(film()).depth_nm > film().depth_nm)[:, :125]


def signal(ageing: Ageing) -> np.ndarray:
    return emission(ageing.suffered_by(film()), View(4, 9, 9), PLAIN)


def test_without_years_nothing_happens() -> None:
    np.testing.assert_array_equal(signal(Ageing()), emission(film(), View(4, 9, 9), PLAIN))


def test_an_edge_spreads_by_the_root_of_twice_the_diffusion_and_the_time() -> None:
    values = ONLY | {"diffusion_nm2_per_year": 2.0}
    profile = signal(Ageing(100, **values))[125]
    slope = -np.gradient(profile, 4)
    sigma = (profile.max() - profile.min()) / (slope.max() * np.sqrt(2 * np.pi))
    assert sigma == pytest.approx(20.0, rel=0.02)
    assert Ageing(100, **values).spread_nm == pytest.approx(20.0)


def test_the_contrast_falls_as_a_reaction_of_first_order() -> None:
    def contrast(years: float) -> float:
        seen = signal(Ageing(years, **ONLY | {"fading_per_year": 0.01}))
        return float(seen.max() - seen.min())

    assert contrast(50) / contrast(0) == pytest.approx(np.exp(-0.5))


@given(seed=st.integers(0, 1000), years=st.floats(1, 100), more=st.floats(0, 100))
@settings(max_examples=20, deadline=None)
def test_what_is_pitted_stays_so(seed: int, years: float, more: float) -> None:
    values = ONLY | {"pits_per_um2_year": 0.5, "scratches_per_readout": 0.2, "seed": seed}
    early, late = gone(Ageing(years, **values)), gone(Ageing(years + more, **values))
    assert not (early & ~late).any()
    np.testing.assert_array_equal(early, gone(Ageing(years, **values)))


def test_pits_come_at_their_rate_and_size() -> None:
    areas = [
        gone(Ageing(10, **ONLY | {"pits_per_um2_year": 1.0, "pit_nm": 30.0, "seed": seed})).sum()
        for seed in range(40)
    ]
    # 5 pits in half a um^2; the mean area of discs of half to one and a half times the diameter
    expected = 5 * np.pi / 4 * 30**2 * (1 + 1 / 12) / 16
    assert np.mean(areas) == pytest.approx(expected, rel=0.15)


def test_heat_does_in_a_year_what_arrhenius_says() -> None:
    # 1.0 eV from 25 to 125 degrees: exp(11604.5 (1 / 298.15 - 1 / 398.15))
    assert acceleration(125, 25, 1.0) == pytest.approx(17600, rel=1e-3)
    assert acceleration(25, 25, 1.0) == 1
    hot = Ageing(1, 125)
    assert hot.spread_nm == pytest.approx(Ageing(acceleration(125, 25, 1.0)).spread_nm)


def test_heat_makes_no_scratches() -> None:
    values = ONLY | {"scratches_per_readout": 0.5}
    np.testing.assert_array_equal(gone(Ageing(50, 25, **values)), gone(Ageing(50, 400, **values)))


@pytest.mark.parametrize(
    "values",
    [{"years": -1}, {"years": np.nan}, {"fading_per_year": -1e-3}, {"pit_nm": 0},
     {"temperature_c": -300}, {"seed": -1}],
)  # fmt: skip
def test_what_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"not negative|size in nm|cannot be"):
        Ageing(**values)  # type: ignore[arg-type]


def test_an_old_code_is_harder_to_read() -> None:
    design = Design(encode("age", "L"))
    shares = []
    for years in (0, 600):
        image = simulate_micrograph(
            design, electrons_per_pixel=300, ageing=Ageing(years, seed=1), seed=1
        )
        (reading,) = read_codes(image, pitch_nm=49, margin=True)
        assert reading.margin is not None
        shares.append(reading.margin.share)
    assert shares[1] > 1.5 * shares[0]
