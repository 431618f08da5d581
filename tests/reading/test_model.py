"""The reader of our own: it reads where no other can, and never says anything wrong."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.image import open_source
from napari_nanoqr.reading.model import ModelStep, is_clean
from napari_nanoqr.reading.prepare import Preparations
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.scene import Scene
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import encode

PAYLOAD = b"a payload that fills it: 0123456789 0123456789 0123"


@pytest.fixture(scope="module")
def design() -> Design:
    return Design(encode(PAYLOAD, "L", 3))


def weigh(micrograph: Micrograph, pitch_px: float | None = 8.0) -> list[Reading]:
    source = open_source(micrograph)
    return ModelStep(pitch_px).run(Scene(source, Preparations(source, pitch_px)))


@pytest.mark.parametrize("rotation", [0, 33, 160, 275])
def test_thirty_electrons_a_pixel_are_enough(design: Design, rotation: int) -> None:
    micrograph = simulate_micrograph(
        design, electrons_per_pixel=30, rotation_deg=rotation, seed=rotation
    )
    (reading,) = weigh(micrograph)
    assert reading.payload == PAYLOAD
    truth = np.array(micrograph.metadata["truth"]["corners_yx"])
    assert np.abs(reading.corners_yx - truth).max() < 0.4 * 8
    assert reading.confidence > 1 - 1e-6
    assert reading.likelihoods is not None
    assert reading.wrong is not None
    assert ((reading.likelihoods < 0) ^ encode(PAYLOAD, "L", 3, reading.mask).matrix
            == reading.wrong).all()  # fmt: skip


def test_the_scale_need_not_be_known(design: Design) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=40, rotation_deg=15, seed=2)
    (reading,) = read_codes(micrograph.image)
    assert reading.payload == PAYLOAD
    assert reading.pitch_nm is None


def test_a_mirrored_and_inverted_image_is_read(design: Design) -> None:
    image = simulate_micrograph(design, electrons_per_pixel=60, rotation_deg=10, seed=3).image
    (reading,) = weigh(Micrograph(255 - image[:, ::-1]))
    assert reading.payload == PAYLOAD
    assert reading.mirrored
    assert reading.inverted


def test_far_below_the_limit_nothing_is_said(design: Design) -> None:
    for seed in range(6):
        micrograph = simulate_micrograph(design, electrons_per_pixel=6, seed=seed)
        assert [r for r in weigh(micrograph) if r.payload != PAYLOAD] == []


def test_noise_is_not_read() -> None:
    rng = np.random.default_rng(11)
    for _ in range(4):
        assert weigh(Micrograph(rng.poisson(20, (300, 300)).astype(np.float32))) == []


def test_a_search_can_be_cancelled(design: Design) -> None:
    micrograph = simulate_micrograph(design, electrons_per_pixel=30, seed=1)
    source = open_source(micrograph)
    step = ModelStep(8.0, cancelled=lambda: True)
    assert step.run(Scene(source, Preparations(source, 8.0))) == []


def test_native_readers_that_read_well_are_left_alone(design: Design) -> None:
    picture = np.kron(~np.pad(design.symbol.matrix, 4), np.ones((6, 6), np.uint8)) * np.uint8(255)
    readings = read_codes(picture)
    assert all(is_clean(reading) for reading in readings)
    source = open_source(picture)
    scene = Scene(source, Preparations(source, None))
    scene.found.extend(readings)
    assert ModelStep(None).run(scene) == []
