"""Whoever knows the design finds it where nobody can read it, and sees what became of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.compare import compare_with_design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import encode


@pytest.fixture(scope="module")
def design() -> Design:
    return Design(encode(np.random.default_rng(1).bytes(53), "L", 3, mask=5), name="mine")


@pytest.fixture(scope="module")
def micrograph(design: Design) -> Micrograph:
    return simulate_micrograph(design, electrons_per_pixel=100, rotation_deg=20, seed=3)


def found_in(micrograph: Micrograph, design: Design) -> Comparison:
    (comparison,) = compare_with_design(micrograph, design)
    return comparison


def test_a_good_copy_has_no_difference(design: Design, micrograph: Micrograph) -> None:
    comparison = found_in(micrograph, design)
    truth = np.array(micrograph.metadata["truth"]["corners_yx"])
    assert np.abs(comparison.corners_yx - truth).max() < 1.5
    assert comparison.name == "mine"
    assert comparison.raw_bit_error_rate < 0.003
    assert comparison.agreement > 0.98
    assert comparison.damage == ()
    assert comparison.readable
    assert comparison.pitch_nm == pytest.approx(49, rel=0.01)


def test_it_is_found_where_it_cannot_be_read(design: Design) -> None:
    faint = simulate_micrograph(design, electrons_per_pixel=7, rotation_deg=20, seed=8)
    assert read_codes(faint, pitch_nm=49) == []
    comparison = found_in(faint, design)
    truth = np.array(faint.metadata["truth"]["corners_yx"])
    assert np.abs(comparison.corners_yx - truth).max() < 3
    assert not comparison.readable
    assert comparison.failed_blocks == (0,)
    assert 0.06 < comparison.raw_bit_error_rate < 0.2
    # noise is no damage
    assert comparison.damage == ()


@pytest.mark.parametrize("change", ["mirrored", "inverted"])
def test_it_is_found_however_it_is_shown(
    design: Design, micrograph: Micrograph, change: str
) -> None:
    image = micrograph.image[:, ::-1] if change == "mirrored" else 255 - micrograph.image
    comparison = found_in(replace(micrograph, image=image), design)
    assert getattr(comparison, change)
    assert comparison.raw_bit_error_rate < 0.003


def test_every_copy_in_an_image_is_found(design: Design, micrograph: Micrograph) -> None:
    two = np.hstack([micrograph.image, micrograph.image[::-1, ::-1]])
    comparisons = compare_with_design(replace(micrograph, image=two), design)
    assert len(comparisons) == 2


def test_another_payload_of_the_same_version_is_not_the_design(design: Design) -> None:
    other = Design(encode(np.random.default_rng(2).bytes(53), "L", 3, mask=5))
    seen = simulate_micrograph(other, electrons_per_pixel=100, rotation_deg=20, seed=3)
    assert compare_with_design(seen, design) == []
    larger = Design(encode(b"x" * 70, "L", 4))
    assert compare_with_design(seen, larger) == []


def test_noise_is_not_the_design(design: Design) -> None:
    for seed in range(3):
        assert (
            compare_with_design(np.random.default_rng(seed).normal(size=(250, 250)), design) == []
        )


def test_modules_that_were_written_otherwise_are_told(design: Design) -> None:
    modules = design.symbol.matrix.copy()
    modules[12:15, 14:18] ^= True
    changed = Design(replace(design.symbol, matrix=modules))
    seen = simulate_micrograph(changed, electrons_per_pixel=100, rotation_deg=20, seed=3)
    comparison = found_in(seen, design)
    assert comparison.different[12:15, 14:18].sum() >= 9
    assert comparison.different.sum() <= 14
    (damage,) = comparison.damage
    assert (damage.row, damage.column, damage.rows, damage.columns) == (12, 14, 3, 4)
    assert damage.covered == 0


def test_what_is_covered_is_told_with_its_place(design: Design) -> None:
    seen = simulate_micrograph(design, electrons_per_pixel=100, seed=3)
    image = seen.image.copy()
    corners = np.array(seen.metadata["truth"]["corners_yx"])
    top, left = corners[0] + 10 * 8
    image[int(top) : int(top) + 72, int(left) : int(left) + 88] = 210
    comparison = found_in(replace(seen, image=image), design)
    largest = comparison.damage[0]
    assert largest.covered > 40
    # modules at its edge may count as covered too
    assert 6 <= largest.row <= 11
    assert 6 <= largest.column <= 11
    assert 18 <= largest.row + largest.rows <= 23
    assert 20 <= largest.column + largest.columns <= 25


def test_it_is_json(design: Design, micrograph: Micrograph) -> None:
    told = json.loads(json.dumps(found_in(micrograph, design).to_dict()))
    assert told["design"] == "mine"
    assert told["readable"] is True
    assert told["damage"] == []


@pytest.mark.parametrize("image", [np.zeros((0, 4)), np.full((30, 30), np.nan)])
def test_what_is_no_image_is_refused(design: Design, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="image"):
        compare_with_design(image, design)
