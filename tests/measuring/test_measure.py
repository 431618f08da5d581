"""Measured values are true within their uncertainties."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.measure import measure_codes
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.physics.damage import Damage, Patch
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import encode

DESIGN = Design(encode("https://www.tuwien.at/en/", "L", 3))
SMALL = Design(encode("CrN", "L", 1))
"""For what does not depend on the number of modules."""

FINE = 7
"""Points a pixel and axis of what is drawn; 49 nm modules are 7 pixels of 7 points of 1 nm."""


@lru_cache
def simulated(tilt: float = 0.0, electrons: float = 3000.0, frames: int = 1) -> Micrograph:
    return simulate_micrograph(
        DESIGN, tilt_deg=tilt, rotation_deg=12, electrons_per_pixel=electrons, frames=frames, seed=7
    )


@lru_cache
def code_of(tilt: float = 0.0) -> Measurement:
    return measured(simulated(tilt))


@lru_cache
def drawn_code(grow: int) -> Measurement:
    return measured(drawn(grow))


def measured(micrograph: Micrograph, **options: object) -> Measurement:
    (code,) = measure_codes(micrograph, **options)  # type: ignore[arg-type]
    return code


def drawn(grow: int, blur: float = 5.0, noise: float = 10.0) -> Micrograph:
    """A picture of a code whose dark areas reach so many nm beyond their edges."""
    from scipy.ndimage import binary_dilation, binary_erosion

    fine = np.pad(DESIGN.symbol.matrix, 4).repeat(49, axis=0).repeat(49, axis=1)
    if grow:
        change = binary_dilation if grow > 0 else binary_erosion
        fine = change(fine, np.ones((2 * abs(grow) + 1,) * 2))
    soft = gaussian_filter(np.where(fine, 80.0, 200.0), blur)[FINE // 2 :: FINE, FINE // 2 :: FINE]
    noisy = soft + np.random.default_rng(1).normal(0, noise, soft.shape)
    return Micrograph(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), (FINE, FINE), "drawn")


def near(quantity: Quantity | None, true: float, least: float = 0.0) -> bool:
    """Whether a value is within four of its uncertainties, or within what is let pass."""
    assert quantity is not None
    assert quantity.uncertainty is not None
    return abs(quantity.value - true) <= max(4 * quantity.uncertainty, least)


def test_the_pitch_of_a_simulated_code_is_that_of_its_design() -> None:
    code = code_of()
    for pitch in (code.pitch_x_nm, code.pitch_y_nm):
        assert near(pitch, 49.0)
        assert pitch is not None
        assert pitch.uncertainty is not None
        assert abs(pitch.value - 49) < 0.03
        assert pitch.uncertainty < 0.03
    assert near(code.orthogonality_deg, 0.0)
    assert near(code.pitch_px, 8.0)


def test_a_code_in_dark_film_has_milled_light_modules() -> None:
    design = Design(SMALL.symbol, mill="light", quiet_zone=0)
    code = measured(simulate_micrograph(design, rotation_deg=5, seed=3))
    assert not code.milled_dark
    for pitch in (code.pitch_x_nm, code.pitch_y_nm):
        assert near(pitch, 49.0)
        assert pitch is not None
        assert abs(pitch.value - 49) < 0.03


@pytest.mark.parametrize("tilt", [30.0, 52.0])
def test_the_code_alone_tells_the_tilt_and_the_pitch_does_not_depend_on_it(tilt: float) -> None:
    code = code_of(tilt)
    assert near(code.tilt_deg, tilt)
    assert code.tilt_deg is not None
    assert abs(code.tilt_deg.value - tilt) < 1
    assert near(code.pitch_y_nm, 49.0)
    assert near(code.pitch_x_nm, 49.0)


@pytest.mark.parametrize("grow", [-5, 0, 4])
def test_edges_are_found_where_they_are_drawn(grow: int) -> None:
    code = drawn_code(grow)
    assert near(code.edge_bias_x_nm, grow, 0.3)
    assert near(code.edge_bias_y_nm, grow, 0.3)
    assert near(code.edge_bias_nm, grow, 0.3)
    assert near(code.module_width_nm, 49 + 2 * grow, 0.6)
    assert near(code.module_height_nm, 49 + 2 * grow, 0.6)
    assert near(code.blur_nm, 5.0, 0.3)


def test_straight_edges_are_not_rough_whatever_the_noise() -> None:
    assert near(measured(drawn(0, noise=25.0)).roughness_nm, 0.0, 0.3)


def test_contrast_and_noise_are_those_that_were_drawn() -> None:
    code = drawn_code(0)
    assert near(code.contrast, 120 / 280, 0.005)
    assert near(code.snr, 12.0, 0.3)
    assert near(code.snr_module, 12.0 * 7, 3)


def test_of_milled_light_modules_the_bias_has_the_other_sign() -> None:
    design = Design(SMALL.symbol, mill="light")
    image = np.where(np.kron(design.modules, np.ones((8, 8))), 60.0, 190.0)
    image = gaussian_filter(image, 1.0) + np.random.default_rng(0).normal(0, 4, image.shape)
    dark = measured(Micrograph(image, (5.0, 5.0)))
    light = measured(Micrograph(image, (5.0, 5.0)), design=design)
    assert dark.milled_dark
    assert not light.milled_dark
    assert dark.edge_bias_nm is not None
    assert light.edge_bias_nm is not None
    assert light.edge_bias_nm.value == pytest.approx(-dark.edge_bias_nm.value, abs=0.05)


def test_photon_transfer_finds_how_many_electrons_the_simulator_detects() -> None:
    share = code_of().detected_per_primary
    assert near(share, 0.1, 0.02)
    assert drawn_code(0).detected_per_primary is None


def test_without_a_pixel_size_all_lengths_are_unknown_and_the_rest_is_not() -> None:
    code = measured(Micrograph(simulated().image))
    values = code.to_dict()
    assert values["pitch_nm"] == {"x": None, "y": None, "uncertainty": None}
    assert values["edge_bias_nm"] is None
    assert values["roughness_nm"] is None
    assert values["electron_dose_per_nm2"] is None
    assert near(code.pitch_px, 8.0)
    assert values["snr"] > 5
    assert values["payload_hex"] == DESIGN.symbol.payload.hex()


def test_the_dose_is_that_of_all_frames_and_the_noise_falls_with_them() -> None:
    one, four = code_of(), measured(simulated(frames=4))
    assert one.electron_dose_per_nm2 == pytest.approx(3000 / 6.125**2, rel=0.01)
    assert four.electron_dose_per_nm2 == pytest.approx(4 * 3000 / 6.125**2, rel=0.01)
    assert four.snr.value > 1.5 * one.snr.value


def test_values_and_margin_tell_dark_modules_from_light_ones() -> None:
    code = code_of()
    assert code.values[code.modules].max() < code.values[~code.modules].min()
    assert code.evidence is not None
    assert code.evidence.min() > 0
    assert code.raw_bit_error_rate == 0
    assert code.edge_profile is not None
    distance, grey = code.edge_profile
    assert grey[distance > 15].mean() > grey[distance < -15].mean() + 50


def test_damage_does_not_move_the_lattice() -> None:
    corner = np.array([[-300, -200], [-60, -200], [-60, -50], [-300, -50]], dtype=float)
    gone = Damage(patches=(Patch(corner, "stripped"),))
    micrograph = simulate_micrograph(DESIGN, damage=gone, seed=3)
    code = measured(micrograph, design=DESIGN)
    assert code.comparison is not None
    assert code.comparison.damage
    assert near(code.pitch_x_nm, 49.0, 0.02)
    assert near(code.pitch_y_nm, 49.0, 0.02)


def test_a_design_is_measured_where_the_code_cannot_be_read() -> None:
    micrograph = simulated(electrons=6)
    codes = measure_codes(micrograph, design=DESIGN)
    assert len(codes) == 1
    assert codes[0].comparison is not None
    assert near(codes[0].pitch_x_nm, 49.0)


def test_nothing_is_measured_where_nothing_is_read() -> None:
    noise: NDArray[np.float64] = np.random.default_rng(0).normal(100, 10, (200, 200))
    assert measure_codes(noise, 5.0) == []
    with pytest.raises(ValueError, match="empty"):
        measure_codes(np.zeros((0, 5)))


def test_measuring_tells_its_progress_and_can_be_cancelled() -> None:
    said: list[tuple[int, int]] = []
    measured(simulated(), progress=lambda done, of, _: said.append((done, of)))
    assert said[-1] == (1, 1)
    from napari_nanoqr.reading.read import read_codes

    readings = read_codes(simulated())
    assert measure_codes(simulated(), readings=readings, cancelled=lambda: True) == []
