"""Micrographs of sheets agree with the slow model, with each other, and with what was asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanoqr.archive.levels import (
    DETECTED,
    GRAY,
    PIXELS,
    PIXELS_TOLD,
    level_set,
    levels_of,
)
from napari_nanoqr.archive.simulate import Imaging, SheetMicrographs, aged, pits_per_field
from napari_nanoqr.archive.simulation.micrograph import (
    Scratch,
    Specimen,
    field_signal,
    grey_values,
)
from napari_nanoqr.archive.simulation.sheet import FieldPlace, Sheet
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import find_beam
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.blur import blur
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel, expected_electrons
from napari_nanoqr.physics.view import View

PITCH = 49.0


def random_levels(side: int, bits: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 2**bits, (side, side)).astype(np.uint8)


class TestLevels:
    @pytest.mark.parametrize("escape", [2.0, 5.0, 20.0])
    def test_doses_near_those_chosen_tell_no_more(self, escape: float) -> None:
        model, film, beam = SemModel(escape_nm=escape), Film(), find_beam()
        levels = level_set(2, film, model, beam)
        assert levels.dose[0] == 0
        assert (np.diff(levels.dose) > 0.05).all()
        assert (np.diff(levels.signal) < 0).all()

        def told(dose: NDArray[np.float64]) -> float:
            return levels_of(dose, film, model, beam, left=1.0).information(DETECTED, PIXELS)

        best = told(levels.dose)
        for level in (1, 2):
            for step in (-0.05, 0.05):
                assert told(levels.dose + step * np.eye(4)[level]) < best

    @pytest.mark.parametrize("beam", ["26 pA", "90 pA"])
    def test_levels_look_as_in_micrographs(self, beam: str) -> None:
        drawn = random_levels(64, 2)
        specimen = Specimen(2, beam=find_beam(beam), model=SemModel(escape_nm=4.0, edge=0.0))
        view = View(PITCH / 4, 240, 240)
        middle = (32 * PITCH, 32 * PITCH)
        image = field_signal(drawn, (0.0, 0.0), middle, view, specimen, probe_nm=0.5)
        modules = image.reshape(60, 4, 60, 4).mean(axis=(1, 3))
        for level, signal in enumerate(specimen.levels.signal):
            assert modules[drawn[2:-2, 2:-2] == level].mean() == pytest.approx(signal, abs=0.01)

    def test_one_bit_takes_more_dose_for_a_bit_and_two_bits_more_for_a_module(self) -> None:
        one, two = level_set(1), level_set(2)
        assert two.dose.mean() > one.dose.mean()
        assert two.dose_per_bit < one.dose_per_bit

    def test_errors_that_are_predicted_are_those_that_come(self) -> None:
        levels = level_set(2, end_point_spread=0.03)
        rng = np.random.default_rng(0)
        which = rng.integers(0, 4, 200_000)
        sigma = np.hypot(levels.spread, np.sqrt(levels.signal / (30.0 * 8 * PIXELS_TOLD)))
        seen = levels.signal[which] + sigma[which] * rng.normal(size=which.size)
        off = (seen[:, None] - levels.signal) / sigma
        likely = np.exp(-0.5 * off**2) / sigma
        wrong = []
        for plane in np.array(GRAY).T:
            one = likely[:, plane == 1].sum(axis=1) > likely[:, plane == 0].sum(axis=1)
            wrong.append(np.mean(one != plane[which]))
        assert levels.error_rate(30.0, 8) == pytest.approx(np.mean(wrong), rel=0.03)

    def test_more_electrons_and_steadier_doses_tell_more(self) -> None:
        steady, unsteady = level_set(2), level_set(2, end_point_spread=0.05)
        few, many = (steady.information(detected, 16) for detected in (20.0, 200.0))
        assert few < many <= 1
        assert unsteady.information(200.0, 16) < many
        with pytest.raises(ValueError, match="positive"):
            steady.information(0.0, 16)

    @pytest.mark.parametrize("wrong", [{"bits": 3}, {"over_etch": 0.5}, {"end_point_spread": 0.7}])
    def test_what_cannot_be_is_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=r"1 or 2|from 1 to 3"):
            level_set(**wrong)  # type: ignore[arg-type]


class TestSignal:
    @pytest.mark.parametrize("bits", [1, 2])
    @pytest.mark.parametrize("tilt", [0.0, 20.0])
    def test_it_is_that_of_the_slow_model(self, bits: int, tilt: float) -> None:
        side, parts = 24, 12
        levels = random_levels(side, bits)
        model = SemModel(topography=0.0, escape_nm=4.0)
        specimen = Specimen(bits=bits, end_point_spread=0.0, model=model)
        view = View(
            12.25, 70, 70, 3.0, tilt, (10.0, -15.0),
            faults=ScanFaults(warp_nm=20.0, vibration_nm=5.0, seed=2),
        )  # fmt: skip
        middle = side * PITCH / 2
        quick = field_signal(levels, (0.0, 0.0), (middle, middle), view, specimen)
        beam = specimen.beam
        dose = np.kron(specimen.levels.dose[levels], np.ones((parts, parts))) * 15.0
        core = beam.core_sigma_nm**2 * np.eye(2)
        share = beam.tail_fraction
        gaussians = [(1 - share, core), (share, core * beam.tail_width**2)]
        depth = blur(dose, PITCH / parts, gaussians, surroundings="edge")
        grid = Grid(-middle, -middle, PITCH / parts, side * parts, side * parts)
        (slow,) = expected_electrons(
            FilmState(depth, grid, Film()), view, electrons_per_pixel=10, model=model
        )
        difference = quick - slow
        # of a contrast of 0.55
        assert difference.std() < 0.025
        assert abs(difference.mean()) < 0.01

    def test_two_views_of_a_module_agree_on_its_depth(self) -> None:
        levels = random_levels(40)
        specimen = Specimen(end_point_spread=0.05, bits=1)
        view = View(12.25, 40, 40)
        at = (1000.0, 1000.0)
        whole = field_signal(levels, (0.0, 0.0), at, view, specimen)
        cut = field_signal(levels[4:, 6:], (4 * PITCH, 6 * PITCH), at, view, specimen)
        even = field_signal(levels, (0.0, 0.0), at, view, replace(specimen, end_point_spread=0.0))
        assert np.allclose(whole, cut, atol=2e-3)
        assert not np.allclose(whole, even, atol=2e-3)

    def test_along_a_scratch_the_floor_is_seen(self) -> None:
        levels = np.zeros((40, 40), np.uint8)
        view = View(12.25, 81, 81)
        scratch = Scratch(980.0, 980.0, 0.0, 200.0)
        seen = field_signal(
            levels, (0.0, 0.0), (980.0, 980.0), view, Specimen(), scratches=(scratch,)
        )
        floor = SemModel().floor_yield
        dark = np.isclose(seen, floor).all(axis=1)
        assert np.flatnonzero(dark).tolist() == list(range(32, 49))
        assert not np.isclose(seen, floor)[~dark].any()

    @pytest.mark.parametrize("electrons", [30.0, 1000.0])
    def test_noise_has_the_mean_and_variance_of_counted_electrons(self, electrons: float) -> None:
        model = SemModel(bits=16, read_noise_electrons=0.5)
        signal = np.full((600, 600), 0.7, np.float32)
        signal[:300] = 1.0
        grey = grey_values(signal, electrons, model, seed=1).astype(float)
        counts = electrons * model.detected * np.array([1.0, 0.7])
        # two areas of known counts tell the gain
        gain = (grey[:300].mean() - grey[300:].mean()) / (counts[0] - counts[1])
        inner = grey[:300]
        clipped = np.mean((inner == 0) | (inner == 65535))
        assert clipped < 0.02
        assert (inner / gain).var() == pytest.approx(counts[0] + 0.25, rel=0.1)

    def test_no_electrons_no_image(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            grey_values(np.ones((4, 4), np.float32), 0.0, SemModel(), 1)


def small_sheet(**damage: float) -> Sheet:
    places = [
        FieldPlace(0, row * 2 + column, row * 516 * PITCH, column * 516 * PITCH, 512, 512)
        for row in range(2)
        for column in range(2)
    ]
    return Sheet(places, lambda place: random_levels(512), PITCH, **damage)  # type: ignore[arg-type]


class TestSheet:
    def test_modules_come_from_all_fields_with_their_gaps(self) -> None:
        sheet = small_sheet()
        levels = random_levels(512)
        seen = sheet.modules(500, 500, 40, 40)
        assert np.array_equal(seen[:12, :12], levels[500:, 500:])
        assert np.array_equal(seen[16:, 16:], levels[:24, :24])
        assert not seen[12:16].any()
        assert not sheet.modules(-50, -50, 40, 40).any()

    def test_as_many_tiles_are_missing_as_said_and_always_the_same(self) -> None:
        sheet = small_sheet(missing=0.5, seed=4)
        assert len(sheet.missing) == 2
        assert sheet.missing == small_sheet(missing=0.5, seed=4).missing
        for number in sheet.missing:
            top, left = (516 * n for n in divmod(number, 2))
            assert not sheet.modules(top, left, 512, 512).any()

    def test_what_cannot_be_is_refused(self) -> None:
        with pytest.raises(ValueError, match="share"):
            small_sheet(missing=1.5)
        with pytest.raises(ValueError, match="Scratches"):
            small_sheet(scratches=-1)
        with pytest.raises(ValueError, match="pixels a module"):
            Imaging(px_per_module=0.5)

    def test_images_are_the_same_again_and_tell_how_they_were_taken(self) -> None:
        images = SheetMicrographs(small_sheet(particles=2.0), imaging=Imaging(seed=5))
        first, again = (images.take(images.sheet.fields[1]) for _ in range(2))
        assert np.array_equal(first.image, again.image)
        assert first.image.shape == (4 * 560, 4 * 560)
        assert first.pixel_size_nm == (12.25, 12.25)
        assert first.metadata["stage_x_nm"] == 772 * PITCH

    def test_fields_out_of_focus_and_not_taken(self) -> None:
        imaging = Imaging(unreadable=0.25, not_taken=0.25)
        images = SheetMicrographs(small_sheet(), imaging=imaging)
        assert len(images.taken) == 3
        (blurred,) = images.unreadable
        sharp = next(p for p in images.taken if p.number != blurred)
        (poor,) = (p for p in images.taken if p.number == blurred)
        alike = []
        for place in (sharp, poor):
            inner = images.take(place).image[200:1800, 200:1800].astype(float)
            alike.append(np.corrcoef(inner[:, 1:].ravel(), inner[:, :-1].ravel())[0, 1])
        # noise alone is left of the one out of focus
        assert alike[1] < alike[0] / 2

    def test_years_fade_the_contrast_and_open_pits(self) -> None:
        ageing = Ageing(years=300.0)
        old = aged(Specimen(), ageing)
        assert (old.contrast, old.spread_nm) == (ageing.contrast, ageing.spread_nm)
        sheet = small_sheet()
        area = (512 * PITCH / 1000) ** 2
        expected = 300 * ageing.pits_per_um2_year * area
        assert pits_per_field(ageing, sheet.fields, PITCH) == pytest.approx(expected)
        new, faded = (
            SheetMicrographs(sheet, specimen).take(sheet.fields[0]).image for specimen in
            (Specimen(model=SemModel(bits=16)), replace(old, model=SemModel(bits=16)))
        )  # fmt: skip
        assert not np.array_equal(new, faded)
