"""Tiles are found in micrographs and told module by module, in whatever pose they are shown."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from drawn_tiles import Pose, clean, field_of, micrograph, place_of, random_tile

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.seeing import SeenTile, see_tiles
from napari_nanoqr.archive.seeing.mesh import Mesh
from napari_nanoqr.archive.seeing.sample import sampled
from napari_nanoqr.archive.tile import decode_tile, encode_tile


@cache
def tile(bits: int = 1) -> np.ndarray:
    header = TileHeader(Role.DATA, b"aTest123", bits=bits, tile=3, tiles=9)
    return encode_tile(header, np.random.default_rng(bits).bytes(header.capacity))


def pictured(pose: Pose, levels: np.ndarray | None = None) -> np.ndarray:
    levels = tile() if levels is None else levels
    return micrograph(clean([(field_of([[levels]]), (0.0, 0.0), 0.0)], pose), pose)


def only(image: np.ndarray, pixel_nm: float | None = 12.25, pitch: float | None = 49) -> SeenTile:
    (seen,) = see_tiles(image, pixel_nm, pitch)
    return seen


def read_wholly(seen: SeenTile) -> bool:
    return bool(decode_tile(seen.soft, seen.header).good.all())


POSES = {
    "upright": Pose(noise=0.4),
    "turned by 137 degrees and mirrored": Pose(rotation_deg=137, mirrored=True, noise=0.3,
                                               shape=(3000, 3000)),
    "milled bright": Pose(rotation_deg=-4, dark=False, noise=0.4),
    "drifting by 3 modules": Pose(rotation_deg=2, noise=0.3, drift_modules=3, jitter_px=0.3),
    "charging": Pose(rotation_deg=91, noise=0.3, charging=0.3),
    "tilted by 54 degrees": Pose(pitch_px=5, tilt_deg=54, rotation_deg=20, noise=0.2,
                                 shape=(2200, 3300)),
}  # fmt: skip


@pytest.mark.parametrize("name", POSES)
def test_a_tile_is_read_in_any_pose(name: str) -> None:
    pose = POSES[name]
    pose = Pose(**{**pose.__dict__, "shape": pose.shape if pose.shape[0] < 4000 else (2250, 2250)})
    seen = only(pictured(pose), 49 / pose.pitch_px)
    assert seen.header is not None
    assert seen.header.tile == 3
    assert read_wholly(seen)
    assert seen.mirrored == pose.mirrored
    assert seen.dark == pose.dark
    corners = np.array([(-256, -256), (-256, 256), (256, 256), (256, -256)], float)
    assert np.abs(seen.corners - place_of(pose, corners)).max() < 0.3 * pose.pitch_px


def test_neither_pixel_size_nor_pitch_has_to_be_told_rightly() -> None:
    image = pictured(Pose(rotation_deg=8, noise=0.2, shape=(2500, 2500)))
    assert read_wholly(only(image, None, None))
    assert read_wholly(only(image, 12.25, 52))


def test_modules_of_nine_pixels_and_sixteen_bits_are_read() -> None:
    pose = Pose(pitch_px=9, rotation_deg=1, noise=1.0, shape=(4800, 4800))
    image = (pictured(pose).astype(np.uint16) * 100) + 3000
    assert read_wholly(only(image, 49 / 9))


def test_hot_pixels_and_pixels_that_are_no_numbers_do_no_harm() -> None:
    rng = np.random.default_rng(8)
    image = pictured(Pose(rotation_deg=6, noise=0.4, shape=(2400, 2400))).astype(np.float32)
    image[rng.integers(0, 2400, 300), rng.integers(0, 2400, 300)] = 1e6
    image[100:130] = np.nan
    image[:, 2390:] = np.inf
    assert read_wholly(only(image))


def test_few_electrons_and_thin_scratches_leave_a_tile_readable() -> None:
    rng = np.random.default_rng(9)
    pose = Pose(rotation_deg=3, shape=(2300, 2300))
    depth = clean([(field_of([[tile()]]), (0.0, 0.0), 0.0)], pose)
    image = rng.poisson(np.clip(6 * (1 - 0.75 * depth), 0.2, None)).astype(np.uint16)
    across = np.arange(2300)
    for first, slope in ((300, 0.4), (1500, -0.3), (1150, 0.02)):
        for wide in range(-4, 5):
            image[(first + slope * across).astype(int) + wide, across] = 60
    seen = only(image)
    assert read_wholly(seen)
    assert seen.error_rate > 0.005


def test_what_is_sampled_again_is_only_what_was_asked_for() -> None:
    smooth = np.add.outer(np.arange(300), 2 * np.arange(400)).astype(np.uint16)
    nodes = np.stack(np.meshgrid([10.25, 106.25, 202.25], [20.5, 116.5, 212.5], indexing="ij"), -1)
    values = sampled(smooth, Mesh(nodes, (0, 0)))
    place = 3.0 * np.arange(64)
    assert np.allclose(values, np.add.outer(10.25 + place, 2 * (20.5 + place)), atol=0.01)
    before = values.copy()
    again = sampled(smooth, Mesh(nodes + 2, (0, 0)), values, np.array([[True, False], [False] * 2]))
    assert np.allclose(again[:32, :32], before[:32, :32] + 6, atol=0.01)
    assert np.array_equal(again[32:], before[32:])
    beyond = sampled(smooth, Mesh(nodes + np.array([100.0, 0.0]), (0, 0)))
    assert np.isfinite(beyond[:63]).all()
    assert np.isnan(beyond[63:]).all()


def test_two_bits_a_module_are_told() -> None:
    seen = only(pictured(Pose(rotation_deg=3, noise=0.08, shape=(2300, 2300)), tile(2)))
    assert seen.soft.shape == (2, 512, 512)
    assert read_wholly(seen)


def test_soft_bits_say_how_often_they_are_wrong() -> None:
    levels = tile()
    seen = only(pictured(Pose(rotation_deg=5, noise=0.65, shape=(2400, 2400))))
    bits = (levels > 0) ^ (seen.soft[0] < 0)
    for low, high in ((1, 8), (8, 16), (16, 24)):
        these = (np.abs(seen.soft[0]) >= low) & (np.abs(seen.soft[0]) < high)
        told = (1 / (1 + np.exp(np.abs(seen.soft[0][these]) / 8.0))).mean()
        assert bits[these].mean() == pytest.approx(told, abs=0.03)
    assert bits.mean() == pytest.approx(seen.error_rate, abs=0.015)
    assert 0.03 < bits.mean() < 0.06


def test_every_codeword_is_read_where_one_module_in_thirty_is_wrong() -> None:
    seen = only(pictured(Pose(rotation_deg=5, noise=0.6, shape=(2400, 2400))))
    assert np.mean((tile() > 0) ^ (seen.soft[0] < 0)) > 1 / 30
    assert read_wholly(seen)


def test_a_tile_half_outside_the_image_has_no_soft_bits_there() -> None:
    image = pictured(Pose(noise=0.2, shape=(2250, 1200), centre=(0.0, 500.0)))
    seen = only(image)
    assert seen.header is not None
    assert seen.seen == pytest.approx(0.55, abs=0.05)
    assert not seen.soft[0, :, 320:].any()
    shown = np.s_[:, 10:250]
    assert np.mean((tile() > 0)[shown] ^ (seen.soft[0] < 0)[shown]) < 0.01


def test_a_particle_says_nothing_rather_than_something_wrong() -> None:
    pose = Pose(noise=0.2, shape=(2250, 2250))
    image = pictured(pose)
    image[900:1300, 900:1300] = 250
    seen = only(image)
    y, x = (np.array([900, 1300]) - 1125) / 4 + 256
    hidden = np.s_[0, int(y) + 4 : int(x) - 4, int(y) + 4 : int(x) - 4]
    assert np.abs(seen.soft[hidden].astype(int)).mean() < 4
    assert read_wholly(seen)


def test_four_tiles_of_a_field_beside_others_are_all_found() -> None:
    rng = np.random.default_rng(4)
    own = [[tile(), random_tile(rng)], [random_tile(rng), random_tile(rng)]]
    other = field_of([[random_tile(rng)] * 2] * 2)
    pose = Pose(pitch_px=3, rotation_deg=1, noise=0.2, drift_modules=1, shape=(3300, 3300))
    planes = [(field_of(own), (0.0, 0.0), 0.0), (other, (-1028.4, 0.7), 0.1),
              (other, (0.3, 1027.6), -0.1)]  # fmt: skip
    seen = see_tiles(micrograph(clean(planes, pose), pose), 49 / 3, 49)
    whole = [one for one in seen if one.seen > 0.99]
    assert len(whole) == 4
    assert [read_wholly(one) for one in whole if one.header is not None] == [True]
    told = [
        min(np.mean((levels > 0) ^ (one.soft[0] < 0)) for row in own for levels in row)
        for one in whole
    ]
    assert max(told) < 0.03


@pytest.mark.parametrize("kind", ["noise", "flat", "small"])
def test_nothing_is_seen_where_there_is_nothing(kind: str) -> None:
    rng = np.random.default_rng(0)
    image = {
        "noise": rng.integers(0, 255, (900, 900), dtype=np.uint8),
        "flat": np.full((900, 900), 7, np.uint8),
        "small": rng.integers(0, 255, (20, 9), dtype=np.uint8),
    }[kind]
    assert see_tiles(image) == []
    assert see_tiles(image, 12.25, 49) == []


def test_an_image_in_colour_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="one channel"):
        see_tiles(np.zeros((50, 50, 3), np.uint8))


def test_a_search_that_is_cancelled_ends() -> None:
    assert see_tiles(pictured(Pose(noise=0.1, shape=(2250, 2250))), cancelled=lambda: True) == []
