"""Locating symbols in images that are mostly noise."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.reading.finders import find_finders
from napari_nanoqr.reading.locate import CONVINCING, Candidate, locate, merge
from napari_nanoqr.reading.scaled import PER_MODULE, scale_image
from napari_nanoqr.symbols.encode import encode

PITCH = 6.0


def draw(
    matrix: np.ndarray,
    *,
    shape: tuple[int, int],
    matrix_yx: np.ndarray,
    origin: tuple[float, float],
    surround: float = 1.0,
) -> np.ndarray:
    """Return an image of modules, light 1 and dark -1, under an affine map from modules."""
    from scipy.ndimage import gaussian_filter

    fine = 2
    y, x = np.indices((shape[0] * fine, shape[1] * fine))
    pixels = np.stack((y, x), axis=-1) / fine - 0.25
    modules = (pixels - np.array(origin)) @ np.linalg.inv(matrix_yx).T
    index = np.floor(modules).astype(int)
    inside = ((index >= 0) & (index < matrix.shape)).all(axis=-1)
    index = index.clip(0, np.array(matrix.shape) - 1)
    seen = np.where(inside, np.where(matrix[index[..., 0], index[..., 1]], -1.0, 1.0), surround)
    coarse = seen.reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))
    return np.asarray(gaussian_filter(coarse, 0.15 * PITCH), dtype=np.float32)


def turned(degrees: float, *, mirrored: bool = False, squeeze: float = 1.0) -> np.ndarray:
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    flip = np.array([[0.0, 1.0], [1.0, 0.0]]) if mirrored else np.eye(2)
    return np.diag([squeeze, 1.0]) @ rotation @ flip * PITCH


def placed(side: int, linear: np.ndarray, shape: tuple[int, int]) -> tuple[tuple, np.ndarray]:
    """Return the origin that puts a symbol in the middle, and its corners."""
    origin = np.array(shape) / 2 - linear @ np.array([side / 2, side / 2])
    corners = np.array([[0, 0], [0, side], [side, side], [side, 0]]) @ linear.T + origin
    return tuple(origin), corners


def assert_found(candidate: Candidate, corners: np.ndarray, side: int) -> None:
    assert candidate.grid.shape == (side, side)
    off = np.linalg.norm(candidate.grid.corners_yx - corners, axis=1).max() / PITCH
    assert off < 0.4


@pytest.mark.parametrize("degrees", [0, 17, 45, 91, 200, 290])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_symbol_in_strong_noise_is_found_however_it_lies(degrees: int, mirrored: bool) -> None:
    symbol = encode(b"where am I?", error="M", version=3)
    linear = turned(degrees, mirrored=mirrored)
    shape = (280, 300)
    origin, corners = placed(29, linear, shape)
    image = draw(symbol.matrix, shape=shape, matrix_yx=linear, origin=origin)
    noise = np.random.default_rng(degrees).normal(0, 3, shape)
    candidate = locate((100 - 7 * (image + noise)).astype(np.float32), pitch_px=PITCH)[0]
    assert candidate.version == 3
    assert candidate.mirrored is mirrored
    assert candidate.correlation < 0
    assert candidate.score > CONVINCING
    assert_found(candidate, corners, 29)


def test_polarity_is_told_by_the_sign() -> None:
    symbol = encode(b"sign", version=1)
    linear = turned(30)
    origin, _ = placed(21, linear, (220, 220))
    image = draw(symbol.matrix, shape=(220, 220), matrix_yx=linear, origin=origin)
    assert locate(image, pitch_px=PITCH)[0].correlation > 0.8
    assert locate(-image, pitch_px=PITCH)[0].correlation < -0.8


def test_no_quiet_zone_is_needed() -> None:
    symbol = encode(b"dark ground", version=2)
    linear = turned(8)
    origin, corners = placed(25, linear, (240, 240))
    image = draw(symbol.matrix, shape=(240, 240), matrix_yx=linear, origin=origin, surround=-1.0)
    noisy = image + np.random.default_rng(1).normal(0, 1.5, image.shape)
    assert_found(locate(noisy.astype(np.float32), pitch_px=PITCH)[0], corners, 25)


@pytest.mark.parametrize("squeeze", [1.0, 0.62])
def test_pitch_and_tilt_need_not_be_known(squeeze: float) -> None:
    symbol = encode(b"how large?", version=3)
    linear = turned(12, squeeze=squeeze)
    shape = (260, 280)
    origin, corners = placed(29, linear, shape)
    image = draw(symbol.matrix, shape=shape, matrix_yx=linear, origin=origin)
    noisy = image + np.random.default_rng(2).normal(0, 1.0, shape)
    candidate = locate(noisy.astype(np.float32))[0]
    assert candidate.version == 3
    assert_found(candidate, corners, 29)


def test_noise_convinces_nobody() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 1, (400, 400)).astype(np.float32)
        for candidate in locate(noise, pitch_px=PITCH):
            assert candidate.score < CONVINCING - 2


def test_an_even_image_holds_nothing() -> None:
    assert locate(np.full((100, 120), 7.0, dtype=np.float32), pitch_px=PITCH) == []
    assert locate(np.zeros((3, 2), dtype=np.float32)) == []


def test_a_search_can_be_cancelled() -> None:
    image = np.random.default_rng(0).normal(0, 1, (100, 100)).astype(np.float32)
    assert locate(image, cancelled=lambda: True) == []


def test_finder_patterns_are_found_to_a_fraction_of_a_module() -> None:
    symbol = encode(b"finders", version=1)
    linear = turned(25)
    origin, _ = placed(21, linear, (200, 200))
    image = draw(symbol.matrix, shape=(200, 200), matrix_yx=linear, origin=origin)
    finders = find_finders(scale_image(image, 1.07 * PITCH), 10)
    for place in ((3.5, 3.5), (3.5, 17.5), (17.5, 3.5)):
        expected = linear @ np.array(place) + np.array(origin)
        apart = np.linalg.norm(finders.centre - expected, axis=1)
        nearest = int(apart.argmin())
        assert apart[nearest] < 0.1 * PITCH
        # the fit finds the pitch although it was told a wrong one
        size = np.sqrt(np.linalg.det(finders.frame[nearest]))
        assert size == pytest.approx(PITCH, rel=0.03)


def test_a_scaled_image_keeps_places() -> None:
    image = np.zeros((90, 120), dtype=np.float32)
    image[40, 70] = 1
    scaled = scale_image(image, 6.0, 1.5)
    assert scaled.image.shape == (round(90 * PER_MODULE * 1.5 / 6), round(120 * PER_MODULE / 6))
    peak = np.unravel_index(int(scaled.image.argmax()), scaled.image.shape)
    places = scaled.original(np.array(peak, dtype=float))
    assert np.abs(places - [40, 70]).max() <= 1.5
    np.testing.assert_allclose(scaled.scaled(places), peak)
    np.testing.assert_allclose((scaled.to_original @ [*peak, 1])[:2], places)


def test_the_same_place_is_told_once() -> None:
    symbol = encode(b"twice", version=1)
    linear = turned(0)
    origin, _ = placed(21, linear, (200, 200))
    image = draw(symbol.matrix, shape=(200, 200), matrix_yx=linear, origin=origin)
    found = locate(image, pitch_px=PITCH)
    assert len(found) == 1
    assert merge(found + found) == found


def test_a_destroyed_finder_pattern_is_made_up_for() -> None:
    symbol = encode(b"only two of three", error="H", version=4)
    linear = turned(33)
    origin, corners = placed(33, linear, (300, 300))
    rng = np.random.default_rng(3)
    for row, column in ((3.5, 3.5), (3.5, 29.5), (29.5, 3.5)):
        image = draw(symbol.matrix, shape=(300, 300), matrix_yx=linear, origin=origin)
        y, x = linear @ np.array([row, column]) + np.array(origin)
        down, right = np.indices(image.shape)
        image[np.hypot(down - y, right - x) < 5 * PITCH] = 0.3
        noisy = (image + rng.normal(0, 1.2, image.shape)).astype(np.float32)
        candidate = locate(noisy, pitch_px=PITCH)[0]
        assert candidate.version == 4
        assert_found(candidate, corners, 33)


def test_all_symbols_of_a_field_are_found_each_once() -> None:
    versions = [[1, 2, 3], [3, 1, 5], [2, 2, 1]]
    rng = np.random.default_rng(4)
    field = np.ones((900, 900), dtype=np.float32)
    expected = []
    for i, line in enumerate(versions):
        for j, version in enumerate(line):
            side = 17 + 4 * version
            linear = turned(rng.uniform(0, 360), mirrored=bool((i + j) % 2))
            origin, corners = placed(side, linear, (300, 300))
            symbol = encode(b"%d" % version, version=version)
            part = draw(symbol.matrix, shape=(300, 300), matrix_yx=linear, origin=origin)
            field[300 * i : 300 * i + 300, 300 * j : 300 * j + 300] = part
            expected.append((version, bool((i + j) % 2), corners + np.array([300 * i, 300 * j])))
    noisy = (field + rng.normal(0, 2, field.shape)).astype(np.float32)
    found = [c for c in locate(noisy, pitch_px=1.04 * PITCH) if c.score > CONVINCING]
    assert len(found) == 9
    for version, mirrored, corners in expected:
        middle = corners.mean(axis=0)
        nearest = min(found, key=lambda c: np.linalg.norm(c.grid.corners_yx.mean(axis=0) - middle))
        assert nearest.version == version
        assert nearest.mirrored is mirrored
        assert_found(nearest, corners, 17 + 4 * version)


def test_a_bent_symbol_is_followed() -> None:
    from scipy.ndimage import map_coordinates

    symbol = encode(b"bent", version=10)
    linear = turned(0)
    shape = (440, 440)
    origin, _ = placed(57, linear, shape)
    image = draw(symbol.matrix, shape=shape, matrix_yx=linear, origin=origin)
    y, x = np.indices(shape, dtype=float)
    # no straight grid fits all of this to within 0.7 module
    bend = 1.2 * PITCH * np.sin(2 * np.pi * y / 460)
    bent = map_coordinates(image, [y, x + bend], order=1, mode="nearest")
    noisy = (bent + np.random.default_rng(6).normal(0, 1.2, shape)).astype(np.float32)
    candidate = locate(noisy, pitch_px=PITCH)[0]
    assert candidate.version == 10
    modules = np.indices((57, 57)).transpose(1, 2, 0) + 0.5
    at = candidate.grid.to_pixels(modules)
    back = at + np.stack((0 * at[..., 0], 1.2 * PITCH * np.sin(2 * np.pi * at[..., 0] / 460)), -1)
    off = np.linalg.norm(back - (modules @ linear.T + np.array(origin)), axis=-1) / PITCH
    assert np.percentile(off, 95) < 0.4
