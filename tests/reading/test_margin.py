"""How much fainter an image of a code could be, against what fainter images show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_nanoqr.codes.bounds import capacity_and_dispersion
from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.dose import Dose
from napari_nanoqr.reading.information import damaged_modules, needed_rho, surplus
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Margin
from napari_nanoqr.reading.readings import Readings
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import byte_capacity, encode

# measured: 29 of 30 images are read at 16 electrons a pixel, 19 at 13
STOP = 16.0


@pytest.fixture(scope="module")
def design() -> Design:
    return Design(encode(np.random.default_rng(1).bytes(byte_capacity(3, "L")), "L", 3))


@pytest.fixture(scope="module")
def stop(design: Design) -> float:
    """The dose at which the code is lost, as a few images at five times as much tell it."""
    return float(np.mean([told(design, 100, seed) for seed in (11, 12, 13)]))


def margin_of(readings: Readings) -> Margin:
    (reading,) = readings
    assert reading.margin is not None
    return reading.margin


def told(design: Design, electrons: float, seed: int, **conditions: Any) -> float:
    micrograph = simulate_micrograph(
        design, electrons_per_pixel=electrons, rotation_deg=20, seed=seed, **conditions
    )
    stop = margin_of(read_codes(micrograph, pitch_nm=49, margin=True)).stop.per_pixel
    assert stop is not None
    return stop


@pytest.mark.parametrize("electrons", [40, 400, 3000])
def test_every_image_tells_the_same_dose_at_which_the_code_is_lost(
    design: Design, stop: float, electrons: int
) -> None:
    assert told(design, electrons, seed=electrons) == pytest.approx(stop, rel=0.3)


def test_that_is_where_the_code_is_lost(design: Design, stop: float) -> None:
    read = {}
    for factor in (0.55, 1.35):
        images = [
            simulate_micrograph(
                design, electrons_per_pixel=factor * stop, rotation_deg=20, seed=seed
            )
            for seed in range(5)
        ]
        read[factor] = sum(bool(read_codes(image, pitch_nm=49)) for image in images)
    assert read[0.55] <= 1
    assert read[1.35] == 5


def test_it_is_told_in_every_unit(design: Design) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=100, rotation_deg=20, seed=1)
    margin = margin_of(read_codes(micrograph, pitch_nm=49, margin=True))
    assert margin.dose.per_pixel == pytest.approx(100)
    assert margin.stop.per_pixel == pytest.approx(100 * margin.share)
    assert margin.stop.per_nm2 == pytest.approx(100 * margin.share / 6.125**2)
    assert margin.noise == pytest.approx([margin.share**-0.5])


def test_a_stack_is_told_by_the_dose_of_all_its_frames(design: Design, stop: float) -> None:
    assert told(design, 25, 1, frames=4) == pytest.approx(stop, rel=0.4)


def test_without_current_and_dwell_the_share_is_told_alone(design: Design, stop: float) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=100, seed=1)
    (reading,) = read_codes(replace(micrograph, metadata={}), margin=True)
    assert reading.margin is not None
    assert reading.margin.stop == Dose()
    told = reading.to_dict()["margin"]
    assert told["stop_electrons_per_pixel"] is None
    assert told["stop_dose_share"] == pytest.approx(stop / 100, rel=0.3)


def test_what_native_readers_read_gets_likelihoods_with_the_margin(design: Design) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=3000, seed=1)
    (plain,) = read_codes(micrograph)
    assert plain.margin is None
    assert plain.to_dict()["margin"] is None
    (reading,) = read_codes(micrograph, margin=True)
    assert reading.reader == plain.reader
    assert reading.margin is not None
    assert reading.likelihoods is not None
    np.testing.assert_array_equal(reading.likelihoods < 0, design.symbol.matrix)


def test_a_mirrored_code_has_the_same_margin(design: Design, stop: float) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=100, rotation_deg=20, seed=2)
    for image in (micrograph.image, 255 - micrograph.image[:, ::-1]):
        margin = margin_of(read_codes(replace(micrograph, image=image), margin=True))
        assert margin.stop.per_pixel == pytest.approx(stop, rel=0.3)


def test_a_drawn_picture_has_no_margin() -> None:
    picture = np.where(np.kron(np.pad(encode("x").matrix, 4), np.ones((6, 6))), 20, 200)
    (reading,) = read_codes(Micrograph(picture.astype(np.uint8)), margin=True)
    assert reading.margin is None


class TestSurplus:
    def likelihoods(self, matrix: np.ndarray, rho: float, seed: int = 0) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(size=matrix.shape)
        seen = np.where(matrix, -rho, rho) + noise
        return (2 * rho * seen).astype(np.float32)

    def test_is_the_signal_over_what_a_block_needs(self) -> None:
        symbol = encode(b"x" * 300, "M", 13)
        blocks = 9
        for rho in (1.2, 1.6):
            left = surplus(self.likelihoods(symbol.matrix, rho), "M")
            assert left.shape == (blocks,)
            needed = needed_rho(8 * 59, 22, blocks)
            assert left.mean() == pytest.approx(rho / needed, rel=0.04)

    def test_damage_counts_where_it_is(self) -> None:
        symbol = encode(b"x" * 300, "M", 13)
        hurt = np.where(symbol.matrix, -9.0, 9.0).astype(np.float32)
        before = surplus(hurt, "M", damaged_modules(hurt, symbol.matrix))
        hurt[30:38, 30:38] *= -1
        damaged = damaged_modules(hurt, symbol.matrix)
        assert damaged.sum() == 64
        after = surplus(hurt, "M", damaged)
        assert after.min() < 0.9 * before.min()

    def test_damage_takes_no_more_of_a_sharper_image(self) -> None:
        symbol = encode(b"x" * 300, "M", 13)
        damaged = np.zeros(symbol.matrix.shape, dtype=bool)
        damaged[30:38, 30:38] = True
        right = np.where(symbol.matrix ^ damaged, -1.0, 1.0).astype(np.float32)
        faint, sharp = (surplus(sure * right, "M", damaged) for sure in (9.0, 90.0))
        assert (sharp >= faint).all()
        assert sharp.min() > 1

    def test_a_weaker_level_needs_more(self) -> None:
        assert needed_rho(560, 15) > needed_rho(560, 26)
        assert needed_rho(560, 15, 4) > needed_rho(560, 15)
        # no code does better than the channel's capacity
        assert capacity_and_dispersion(needed_rho(560, 15))[0] > 55 / 70
