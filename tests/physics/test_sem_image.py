"""The micrograph: counting statistics, blur, tilt and drift are those that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.sem import (
    SemModel,
    detect,
    emission,
    expected_electrons,
    image_film,
)
from napari_nanoqr.physics.view import View

PLAIN = SemModel(topography=0, edge=0, read_noise_electrons=0, bits=16)


def step_film(cell_nm: float = 1.0, cells: int = 400) -> FilmState:
    """Intact film at the left, bare glass at the right."""
    depth = np.zeros((cells, cells))
    depth[:, cells // 2 :] = 15
    half = cells * cell_nm / 2
    return FilmState(depth, Grid(-half, -half, cell_nm, cells, cells), Film())


def dots(spots_nm: list[tuple[float, float]]) -> FilmState:
    """Holes of 100 nm in a film, at x and y."""
    y, x = (np.mgrid[:500, :500] + 0.5) * 2 - 500
    depth = np.zeros((500, 500))
    for spot in spots_nm:
        depth[np.hypot(x - spot[0], y - spot[1]) < 50] = 15
    return FilmState(depth, Grid(-500, -500, 2, 500, 500), Film())


def centroid(image: np.ndarray) -> tuple[float, float]:
    """Centre of the one dark spot, (y, x)."""
    weight = np.clip(np.median(image) - image.astype(float), 0, None)
    weight[weight < 0.4 * weight.max()] = 0
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return (weight * y).sum() / weight.sum(), (weight * x).sum() / weight.sum()


class TestCounting:
    @pytest.mark.parametrize("mean", [0.5, 9.0, 300.0])
    def test_variance_is_the_mean_and_the_read_noise(self, mean: float) -> None:
        model = SemModel(read_noise_electrons=2.0, bits=16)
        levels = (-20.0, mean + 20 * np.sqrt(mean) + 20)
        grey = detect(np.full((400, 400), mean), levels, model, np.random.default_rng(3))
        electrons = grey / 65535 * (levels[1] - levels[0]) + levels[0]
        assert electrons.mean() == pytest.approx(mean, abs=0.01 * mean + 0.02)
        assert electrons.var() == pytest.approx(mean + 4, rel=0.03)

    def test_signal_to_noise_is_the_root_of_the_detected_electrons(self) -> None:
        view = View(5, 300, 300)
        flat = FilmState(np.zeros((9, 9)), Grid(-9, -9, 2, 9, 9), Film())
        image = image_film(flat, view, electrons_per_pixel=1000, model=PLAIN, seed=1).image
        # 100 electrons are detected; black and white lie 2.5 standard deviations either side
        assert image.std() / 65535 == pytest.approx(1 / 5, rel=0.03)
        assert image.mean() / 65535 == pytest.approx(0.5, abs=0.01)

    def test_contrast_to_noise_falls_with_the_root_of_the_dose(self) -> None:
        measured = []
        for electrons in (4000, 1000):
            image = image_film(
                step_film(), View(2, 150, 150), electrons_per_pixel=electrons, model=PLAIN, seed=2
            ).image.astype(float)
            film, floor = image[:, 10:60], image[:, -60:-10]
            measured.append((film.mean() - floor.mean()) / film.std())
        assert measured[0] / measured[1] == pytest.approx(2, rel=0.05)

    def test_noise_scatters_about_the_expected_electrons(self) -> None:
        view = View(4, 50, 60, frames=2, drift_nm=(100, 0))
        expected = list(expected_electrons(step_film(), view, electrons_per_pixel=400, model=PLAIN))
        assert len(expected) == 2
        assert expected[0][:, 0] == pytest.approx(40)
        assert expected[0][:, -1] == pytest.approx(18)
        stack = image_film(
            step_film(), view, electrons_per_pixel=400, model=PLAIN, seed=1
        ).image.astype(float)
        for mean, frame in zip(expected, stack, strict=True):
            # grey values are electrons, but for gain and black level
            gain, black = np.polyfit(mean.ravel(), frame.ravel(), 1)
            counted = (frame - black) / gain
            assert ((counted - mean) ** 2 / mean).mean() == pytest.approx(1, rel=0.08)

    def test_the_same_seed_gives_the_same_image(self) -> None:
        first, same, other = (
            image_film(step_film(), View(4, 50, 60), seed=seed).image for seed in (1, 1, 2)
        )
        assert np.array_equal(first, same)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("probe_nm", [3.0, 8.0])
def test_an_edge_is_as_wide_as_the_probe(probe_nm: float) -> None:
    image = image_film(
        step_film(), View(1, 300, 300), electrons_per_pixel=3e5, probe_nm=probe_nm, model=PLAIN,
        seed=1,
    ).image  # fmt: skip
    slope = -np.diff(image.astype(float).mean(axis=0))[100:200]
    x = np.arange(slope.size)
    middle = (slope * x).sum() / slope.sum()
    sigma = np.sqrt((slope * (x - middle) ** 2).sum() / slope.sum())
    assert sigma == pytest.approx(probe_nm, rel=0.07)


def test_a_tilted_probe_is_longer_on_the_specimen_but_not_in_the_image() -> None:
    film = step_film()
    turned = FilmState(film.depth_nm.T, film.grid, film.film)
    image = image_film(
        turned, View(1, 300, 300, tilt_deg=60), electrons_per_pixel=3e5, probe_nm=5, model=PLAIN,
        seed=1,
    ).image  # fmt: skip
    slope = -np.diff(image.astype(float).mean(axis=1))[110:190]
    y = np.arange(slope.size)
    middle = (slope * y).sum() / slope.sum()
    assert np.sqrt((slope * (y - middle) ** 2).sum() / slope.sum()) == pytest.approx(5, rel=0.07)


class TestGeometry:
    @pytest.mark.parametrize("tilt_deg", [0, 52, -40])
    @pytest.mark.parametrize("rotation_deg", [0, 30, -100])
    @pytest.mark.parametrize("drift_nm", [(0, 0), (60, -90)])
    def test_a_spot_is_where_the_view_says(
        self, tilt_deg: float, rotation_deg: float, drift_nm: tuple[float, float]
    ) -> None:
        spot = (150.0, -80.0)
        view = View(3, 250, 260, rotation_deg, tilt_deg, drift_nm)
        image = image_film(
            dots([spot]), view, electrons_per_pixel=1e5, model=PLAIN, seed=1
        ).image  # fmt: skip
        assert centroid(image) == pytest.approx(tuple(view.to_pixels(np.array([spot]))[0]), abs=0.3)

    def test_rotation_is_counter_clockwise_as_seen(self) -> None:
        y, x = View(1, 201, 201, rotation_deg=90).to_pixels(np.array([[50.0, 0.0]]))[0]
        assert (y, x) == pytest.approx((50, 100))

    def test_tilt_shrinks_y_by_its_cosine(self) -> None:
        points = np.array([[0, -100.0], [0, 100]])
        flat, tilted = (View(1, 301, 301, tilt_deg=t).to_pixels(points)[:, 0] for t in (0, 52))
        assert np.diff(tilted) / np.diff(flat) == pytest.approx(0.616, abs=5e-4)

    def test_drift_goes_on_over_the_frames(self) -> None:
        view = View(2, 200, 200, drift_nm=(80, 40), frames=4)
        stack = image_film(dots([(0, 0)]), view, electrons_per_pixel=1e5, model=PLAIN, seed=1).image
        assert stack.shape == (4, 200, 200)
        where = np.array([centroid(frame) for frame in stack])
        # 80 nm are 40 pixels in four frames; what moves along with the scan is met a bit later
        step = np.array([10, 5]) / (1 - 10 / 200)
        assert np.diff(where, axis=0).mean(axis=0) == pytest.approx(step, abs=0.1)
        for frame in range(4):
            there = view.to_pixels(np.zeros((1, 2)), frame)[0]
            assert tuple(where[frame]) == pytest.approx(tuple(there), abs=0.3)

    @given(
        turn=st.floats(-180, 180), tilt=st.floats(-70, 70), dy=st.floats(-50, 50),
        dx=st.floats(-50, 50), frame=st.integers(0, 2), row=st.integers(0, 39),
        column=st.integers(0, 49),
    )  # fmt: skip
    def test_there_and_back(
        self, turn: float, tilt: float, dy: float, dx: float, frame: int, row: int, column: int
    ) -> None:
        view = View(5, 40, 50, turn, tilt, (dy, dx), 3)
        x, y = view.to_specimen(frame)
        there = view.to_pixels(np.array([[x[row, column], y[row, column]]]), frame)[0]
        assert there == pytest.approx([row, column], abs=1e-6)

    @pytest.mark.parametrize("tilt_deg", [0, 60])
    @pytest.mark.parametrize("rotation_deg", [0, 30, 135])
    def test_bounds_hold_all_that_is_seen(self, rotation_deg: float, tilt_deg: float) -> None:
        view = View(3, 40, 70, rotation_deg, tilt_deg)
        left, top, right, bottom = view.bounds_nm
        x, y = view.to_specimen()
        assert (left < x.min(), top < y.min(), x.max() < right, y.max() < bottom) == (True,) * 4
        assert right - left == pytest.approx(np.ptp(x), abs=9 / np.cos(np.deg2rad(tilt_deg)))


class TestSignal:
    def test_film_and_floor_have_their_yields(self) -> None:
        signal = emission(step_film(), View(1, 9, 9), PLAIN)
        assert signal[:, 0] == pytest.approx(1)
        assert signal[:, -1] == pytest.approx(0.45)

    def test_the_floor_can_be_the_brighter_one(self) -> None:
        model = SemModel(film_yield=0.5, floor_yield=1.0)
        image = image_film(step_film(), View(2, 100, 100), model=model, seed=1).image
        assert image[:, -20:].mean() > image[:, :20].mean() + 50

    def test_a_rest_of_film_still_shines(self) -> None:
        state = step_film()
        rest = FilmState(np.minimum(state.depth_nm, 13), state.grid, state.film)
        signal = emission(rest, View(1, 9, 9), PLAIN)
        assert signal[0, -1] == pytest.approx(0.45 + 0.55 * (1 - np.exp(-1)), rel=1e-3)

    def test_tilt_brightens_and_slopes_stand_out(self) -> None:
        model = SemModel(edge=0, topography=0.5)
        assert emission(step_film(), View(1, 9, 9, tilt_deg=60), model)[0, 0] == pytest.approx(2)
        slant = np.arange(50.0)[None, :] * np.full((50, 1), 0.1)
        ramp = FilmState(slant, Grid(0, 0, 1, 50, 50), Film(thickness_nm=1000))
        slope = emission(ramp, View(1, 9, 9), model)[25, 25]
        assert slope == pytest.approx(1 + 0.5 * (np.hypot(1, 0.1) - 1), rel=1e-3)

    def test_edges_glow_on_the_upper_side(self) -> None:
        signal = emission(step_film(), View(1, 9, 9), SemModel(topography=0, edge=0.5))[0]
        assert signal[199] > 1.15
        assert signal[201] < 0.5
        assert signal[150] == pytest.approx(1)


@pytest.mark.parametrize("values", [{"bits": 12}, {"film_yield": 0}, {"topography": 2},
                                    {"read_noise_electrons": -1}, {"edge": -1}])  # fmt: skip
def test_a_model_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"positive|bits|slopes"):
        SemModel(**values)


@pytest.mark.parametrize("values", [{"pixel_size_nm": 0}, {"tilt_deg": 85}, {"frames": 0},
                                    {"rows": 0}, {"frames": 10**6}])  # fmt: skip
def test_a_view_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|stages|at least|too many"):
        View(**({"pixel_size_nm": 5, "rows": 99, "columns": 99} | values))


@pytest.mark.parametrize("values", [{"electrons_per_pixel": 0}, {"probe_nm": -1}])
def test_an_exposure_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Electrons per pixel"):
        image_film(step_film(), View(2, 9, 9), **values)
