"""Module likelihoods from small synthetic images whose modules are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_nanoqr.reading.equalise import FIRST_PASSES, Equaliser, module_likelihoods
from napari_nanoqr.reading.evidence import Values, fit_levels
from napari_nanoqr.reading.field import even, fit_field
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.pulse import Pulse, fit_pulse
from napari_nanoqr.reading.subsample import MARGIN, sample_cells
from napari_nanoqr.symbols.encode import encode

SYMBOL = encode(b"what is written here", "L", version=2)
SIDE = SYMBOL.modules


def picture(
    noise: float, *, pitch: int = 8, blur: float = 0.35, surround: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, Grid]:
    """Draw the symbol, light 1 and dark -1, blurred by a share of a module, with noise."""
    border = 5 * pitch
    signs = np.where(SYMBOL.matrix, -1.0, 1.0).repeat(pitch, axis=0).repeat(pitch, axis=1)
    image = gaussian_filter(np.pad(signs, border, constant_values=surround), blur * pitch)
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    low, high = border - 0.5, border + SIDE * pitch - 0.5
    corners = np.array([[low, low], [low, high], [high, high], [high, low]])
    return image.astype(np.float32), Grid.from_corners(corners, (SIDE, SIDE))


def moved(grid: Grid, y: float, x: float) -> Grid:
    """Return the grid further down and to the right by so many pixels."""
    return Grid.from_corners(grid.corners_yx + np.array([y, x]), grid.shape)


def wrong(llr: np.ndarray) -> float:
    return float(((llr < 0) != SYMBOL.matrix).mean())


def _said(llr: np.ndarray, dark: np.ndarray) -> float:
    """Return how many bits modules say of what was written."""
    return float((1 - np.log2(1 + np.exp(np.where(dark, llr, -llr)))).sum())


class TestWhatTheLikelihoodsSay:
    def test_positive_means_light(self) -> None:
        found = module_likelihoods(*picture(0.3))
        assert not found.inverted
        assert wrong(found.llr) == 0

    def test_dark_modules_that_are_bright_are_recognised(self) -> None:
        image, grid = picture(0.3)
        found = module_likelihoods(-image, grid)
        assert found.inverted
        assert wrong(found.llr) == 0

    def test_the_wrong_polarity_says_nothing_rather_than_the_opposite(self) -> None:
        found = module_likelihoods(*picture(0.3), inverted=True)
        assert not found.llr.any()
        assert found.rho == 0

    def test_probabilities_come_true(self) -> None:
        right, said = [], []
        for seed in range(12):
            found = module_likelihoods(*picture(2.7, seed=seed))
            right.append((found.llr < 0) == SYMBOL.matrix)
            said.append(1 / (1 + np.exp(-np.abs(found.llr))))
        came_true, confidence = np.ravel(right), np.ravel(said)
        assert 0.02 < 1 - came_true.mean() < 0.2  # not a case without errors
        edges = np.digitize(confidence, np.linspace(0.5, 1, 6))
        error = sum(
            abs(came_true[edges == bin_].mean() - confidence[edges == bin_].mean())
            * (edges == bin_).mean()
            for bin_ in np.unique(edges)
        )
        assert error < 0.03

    def test_the_expected_error_rate_is_that_of_the_modules(self) -> None:
        rates = [module_likelihoods(*picture(2.7, seed=s)) for s in range(12)]
        expected = np.mean([r.expected_error_rate for r in rates])
        assert expected == pytest.approx(np.mean([wrong(r.llr) for r in rates]), abs=0.02)

    def test_amplitude_is_half_the_distance_of_the_levels(self) -> None:
        image, grid = picture(0.1)
        assert module_likelihoods(50 + 20 * image, grid).amplitude == pytest.approx(20, rel=0.05)

    def test_grey_scale_does_not_matter(self) -> None:
        image, grid = picture(2.0)
        np.testing.assert_allclose(
            module_likelihoods(1000 + 300 * image, grid).llr,
            module_likelihoods(image, grid).llr,
            atol=0.02,
        )

    def test_noise_alone_says_little(self) -> None:
        _, grid = picture(1.0)
        noise = np.random.default_rng(5).normal(size=(300, 300)).astype(np.float32)
        assert module_likelihoods(noise, grid).rho < 1

    def test_a_flat_image_says_nothing(self) -> None:
        _, grid = picture(1.0)
        found = module_likelihoods(np.full((300, 300), 7, np.float32), grid)
        assert not found.llr.any()
        assert found.expected_error_rate == 0.5


class TestLeakBetweenModules:
    def test_is_equalised(self) -> None:
        image, grid = picture(0.5, blur=0.6)
        centres = grid.to_pixels(np.indices((SIDE, SIDE)).transpose(1, 2, 0) + 0.5)
        y, x = centres.round().astype(int).transpose(2, 0, 1)
        assert wrong(gaussian_filter(image, 3)[y, x]) > 0.05
        assert wrong(module_likelihoods(image, grid).llr) < 0.01

    def test_cancelling_with_what_was_decided_gives_less_noise(self) -> None:
        image, grid = picture(1.0, blur=0.5)
        once, more = (module_likelihoods(image, grid, passes=n) for n in (0, 2))
        assert more.rho > 1.1 * once.rho

    def test_what_is_said_under_strong_blur_comes_true(self) -> None:
        found = [module_likelihoods(*picture(2.0, blur=0.5, seed=seed)) for seed in range(8)]
        errors = np.mean([wrong(f.llr) for f in found])
        assert 0.02 < errors < 0.1
        assert np.mean([f.expected_error_rate for f in found]) == pytest.approx(errors, abs=0.02)

    def test_a_known_design_gives_the_least_noise(self) -> None:
        image, grid = picture(1.2, blur=0.6)
        every = (SYMBOL.matrix, np.ones_like(SYMBOL.matrix))
        blind = module_likelihoods(image, grid)
        told = module_likelihoods(image, grid, known=every)
        assert wrong(told.llr) <= wrong(blind.llr)

    def test_a_further_look_goes_on_from_the_last_one(self) -> None:
        image, grid = picture(2.7)
        part = np.zeros_like(SYMBOL.matrix)
        part[:14] = True
        equaliser = Equaliser(image, grid)
        first = equaliser.look(passes=FIRST_PASSES)
        np.testing.assert_array_equal(first.llr, module_likelihoods(image, grid).llr)
        further = equaliser.look((SYMBOL.matrix, part))
        at_once = module_likelihoods(image, grid, known=(SYMBOL.matrix, part))
        rest = ~part
        said = [_said(found.llr[rest], SYMBOL.matrix[rest]) for found in (first, at_once, further)]
        assert said[2] > said[0]
        assert said[2] == pytest.approx(said[1], rel=0.05)

    def test_a_known_design_does_not_hide_what_the_image_shows(self) -> None:
        image, grid = picture(0.3)
        other = SYMBOL.matrix.copy()
        other[12, 12:15] ^= True
        found = module_likelihoods(image, grid, known=(other, np.ones_like(other)))
        assert wrong(found.llr) == 0


class TestDisturbances:
    def test_likelihoods_are_bounded(self) -> None:
        found = module_likelihoods(*picture(0.0))
        assert np.abs(found.llr).max() < 10

    def test_a_particle_is_no_evidence(self) -> None:
        image, grid = picture(0.3)
        y, x = grid.to_pixels(np.array([14.5, 14.5])).round().astype(int)
        image[y - 4 : y + 5, x - 4 : x + 5] = 12
        assert abs(module_likelihoods(image, grid).llr[14, 14]) < 1

    @pytest.mark.parametrize("grey", [-1.0, 1.0, 2.5])
    def test_an_area_that_is_gone_is_no_evidence(self, grey: float) -> None:
        image, grid = picture(1.0)
        (y, x), (bottom, right) = grid.to_pixels(np.array([[12, 10], [20, 18]])).astype(int)
        rng = np.random.default_rng(1)
        image[y:bottom, x:right] = grey + rng.normal(0, 1, (bottom - y, right - x))
        found = module_likelihoods(image, grid)
        assert found.blank[13:19, 11:17].min() > 0.9
        assert np.abs(found.llr[13:19, 11:17]).max() < 2.5
        elsewhere = np.ones((SIDE, SIDE), dtype=bool)
        elsewhere[11:21, 9:19] = False
        assert ((found.llr < 0) != SYMBOL.matrix)[elsewhere].mean() < 0.02

    @pytest.mark.parametrize("grey", [-1.0, 1.0])
    def test_what_was_written_beside_an_area_that_is_gone_counts(self, grey: float) -> None:
        image, grid = picture(0.7)
        (y, x), (bottom, right) = grid.to_pixels(np.array([[9, 9], [20, 20]])).astype(int)
        rng = np.random.default_rng(1)
        image[y:bottom, x:right] = grey + rng.normal(0, 0.7, (bottom - y, right - x))
        found = module_likelihoods(image, grid)
        assert found.blank[11:18, 11:18].min() > 0.9
        beside = np.zeros((SIDE, SIDE), dtype=bool)
        beside[6:23, 6:23] = True
        beside[8:21, 8:21] = False
        assert (found.blank[beside] < 0.5).mean() > 0.9

    def test_nothing_is_called_gone_where_nothing_is(self) -> None:
        for noise in (0.0, 0.5, 2.0):
            assert module_likelihoods(*picture(noise)).blank.max() < 0.5

    def test_a_covered_finder_does_not_spoil_the_rest(self) -> None:
        image, grid = picture(0.8)
        image[30:100, 30:100] = 2.5
        found = module_likelihoods(image, grid)
        elsewhere = np.ones((SIDE, SIDE), dtype=bool)
        elsewhere[:8, :8] = False
        assert ((found.llr < 0) != SYMBOL.matrix)[elsewhere].mean() < 0.02

    def test_a_dark_surround_without_quiet_zone_is_seen(self) -> None:
        found = module_likelihoods(*picture(0.4, blur=0.5, surround=-1.0))
        assert wrong(found.llr) == 0

    def test_a_symbol_at_the_edge_of_the_image_is_read(self) -> None:
        image, grid = picture(0.3)
        cut = 5 * 8
        assert wrong(module_likelihoods(image[cut:, cut:], moved(grid, -cut, -cut)).llr) == 0


def test_where_all_of_it_looks_covered_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_nanoqr.reading import equalise

    monkeypatch.setattr(equalise, "blank_probability", lambda levelled, *_: np.ones((SIDE, SIDE)))
    image, grid = picture(0.2)
    seen = module_likelihoods(image, grid)
    assert not seen.llr.any()
    assert seen.expected_error_rate == 0.5


def test_a_grid_that_is_no_symbols_is_refused() -> None:
    image, grid = picture(0.3)
    with pytest.raises(ValueError, match="24 x 25 modules are not a symbol"):
        module_likelihoods(image, Grid((24, 25), grid.perspective, grid.bend))


class TestUnevenBrightness:
    def test_strong_shading_is_taken_off(self) -> None:
        image, grid = picture(1.5)
        y, x = np.indices(image.shape) / image.shape[0]
        shaded = image + 3 * np.sin(5 * y) * np.cos(4 * x)
        assert wrong(module_likelihoods(shaded.astype(np.float32), grid).llr) < 0.02

    def test_where_the_gain_is_low_less_is_said(self) -> None:
        image, grid = picture(1.5)
        gain = 1 + 0.6 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, image.shape[1]))
        found = module_likelihoods((gain * (image + 4)).astype(np.float32), grid)
        assert wrong(found.llr) < 0.05

    def test_charging_that_leaves_hardly_any_contrast_in_places_is_followed(self) -> None:
        image, grid = picture(0.0)
        y, x = np.indices(image.shape) / image.shape[0]
        gain = 0.6 + 0.45 * np.sin(6 * y + 1) * np.cos(5 * x)
        signal = gain * (image + 3)
        noise = np.random.default_rng(0).normal(size=image.shape) * np.sqrt(signal)
        found = module_likelihoods((signal + noise).astype(np.float32), grid)
        assert wrong(found.llr) < 0.03
        assert found.blank.max() < 0.5

    def test_nothing_is_taken_off_under_even_brightness(self) -> None:
        image, grid = picture(1.5)
        cells = sample_cells(image, grid)
        signs = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
        every = np.pad(np.ones_like(SYMBOL.matrix), MARGIN)
        pulse = fit_pulse(cells, signs, np.zeros_like(signs), every)
        assert not fit_field(cells, pulse, signs, 0.0, even(signs.shape)).brightness.any()


class TestPulse:
    def fitted(self, image: np.ndarray, grid: Grid) -> Pulse:
        signs = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
        every = np.pad(np.ones_like(SYMBOL.matrix), MARGIN)
        return fit_pulse(sample_cells(image, grid), signs, np.zeros_like(signs), every)

    def test_explains_the_image_that_it_was_learned_from(self) -> None:
        image, grid = picture(0.05, blur=0.45)
        pulse = self.fitted(image, grid)
        signs = np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), MARGIN, constant_values=1.0)
        left = sample_cells(image, grid) - pulse.expected(signs)
        assert left[..., MARGIN:-MARGIN, MARGIN:-MARGIN].std() < 0.05

    def test_holds_a_leak_that_is_wider_along_rows(self) -> None:
        image, grid = picture(0.2)
        smeared = gaussian_filter(image, (0, 5))
        picture_of_it = self.fitted(smeared, grid).picture
        along, down = picture_of_it[7], picture_of_it[:, 7]
        assert along[3:6].sum() > 1.5 * down[3:6].sum()

    def test_noise_alone_gives_hardly_any(self) -> None:
        _, grid = picture(1.0)
        noise = np.random.default_rng(5).normal(size=(300, 300)).astype(np.float32)
        assert abs(self.fitted(noise, grid).amplitude) < 0.1


class TestGrid:
    @pytest.mark.parametrize("shift", [(0.12, 0.0), (-0.1, 0.1)])
    def test_is_moved_to_where_the_modules_are(self, shift: tuple[float, float]) -> None:
        image, grid = picture(1.0)
        off = moved(grid, 8 * shift[0], 8 * shift[1])
        found = module_likelihoods(image, off)
        error = np.linalg.norm(found.grid.corners_yx - grid.corners_yx, axis=1).max() / 8
        assert error < 0.08

    def test_follows_a_bend(self) -> None:
        image, grid = picture(0.5)
        bend = np.zeros((6, 2))
        bend[3, 1] = 0.2
        found = module_likelihoods(image, grid.bent(bend))
        points = np.indices((SIDE, SIDE)).transpose(1, 2, 0) + 0.5
        off = np.linalg.norm(found.grid.to_pixels(points) - grid.to_pixels(points), axis=-1) / 8
        assert off.mean() < 0.05


class TestLevels:
    def test_depend_on_the_neighbours_where_the_image_saturates(self) -> None:
        image, grid = picture(0.0, blur=0.45)
        noise = np.random.default_rng(3).normal(0, 0.4, image.shape)
        linear = module_likelihoods((image + noise).astype(np.float32), grid)
        saturated = np.tanh(2 * image) + noise
        found = module_likelihoods(saturated.astype(np.float32), grid)
        assert wrong(found.llr) == wrong(linear.llr) == 0
        # saturation sharpens what the blur had softened; a linear model takes it for noise
        assert found.rho > 0.8 * linear.rho

    def test_noise_that_grows_with_the_signal_is_told_apart(self) -> None:
        rng = np.random.default_rng(0)
        light = rng.random((40, 40)) < 0.5
        values = np.where(light, 1 + rng.normal(0, 0.6, (40, 40)), rng.normal(-1, 0.2, (40, 40)))
        nothing = np.zeros((40, 40))
        seen = Values(values, np.ones((40, 40)), nothing, nothing)
        levels = fit_levels(seen, nothing > 0, light, 0.4)
        assert levels.dark.sigma == pytest.approx(0.2, abs=0.05)
        assert levels.light.sigma == pytest.approx(0.6, abs=0.08)

    def test_noise_is_not_underestimated_where_the_levels_overlap(self) -> None:
        rng = np.random.default_rng(1)
        light = rng.random((60, 60)) < 0.5
        values = np.where(light, 1.0, -1.0) + rng.normal(0, 0.9, (60, 60))
        nothing = np.zeros((60, 60))
        levels = fit_levels(Values(values, np.ones((60, 60)), nothing, nothing), nothing > 0,
                            light, 0.5)  # fmt: skip
        assert levels.rho == pytest.approx(1 / 0.9, rel=0.07)
