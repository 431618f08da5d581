"""Symbols with one finder pattern: found, weighed and decoded where other readers see noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.finder_set import Finders
from napari_nanoqr.reading.locate import Candidate, locate
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.scaled import scale_image
from napari_nanoqr.reading.single import find_singles
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.soft_decode import decode_likelihoods
from napari_nanoqr.symbols.symbol import Symbol

M2 = encode("ABC12", "L", "M2")
M4 = encode("thirteen byte", "M", "M4")
KINDS = [
    encode("12345", "L", "M1"),
    M2,
    encode("nano", "M", "M3"),
    M4,
    encode("small", "M", "R7x43"),
    encode("short", "M", "R11x27"),
    encode("one of middling height", "H", "R13x77"),
    encode("the longest", "H", "R7x139"),
]


def picture(
    symbol: Symbol,
    noise: float = 0.0,
    *,
    turn: float = 0.0,
    pitch: float = 6.0,
    mirrored: bool = False,
    bright: bool = False,
    squeezed: float = 1.0,
    blur: float = 0.3125,
    seed: int = 0,
) -> np.ndarray:
    """Light modules 1 and dark ones -1, blurred, turned about the middle, with noise."""
    modules = symbol.matrix.T if mirrored else symbol.matrix
    fine = np.kron(np.pad(modules, 4), np.ones((8, 8))) > 0
    side = int(pitch * (max(modules.shape) + 12))
    rows, columns = (np.indices((side, side)) - (side - 1) / 2) / pitch
    rows = rows * squeezed
    cosine, sine = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    at = np.stack((cosine * rows - sine * columns, sine * rows + cosine * columns))
    at = 8 * (at + np.array(modules.shape).reshape(2, 1, 1) / 2 + 4) - 0.5
    soft = gaussian_filter(np.where(fine, -1.0, 1.0), 8 * blur)
    image = map_coordinates(soft, at, order=1, cval=1.0) * (-1 if bright else 1)
    rng = np.random.default_rng(seed)
    return (image + noise * rng.normal(size=image.shape)).astype(np.float32)


def decoded(image: np.ndarray, candidates: list[Candidate]) -> DecodedSymbol | None:
    for candidate in candidates:
        seen = module_likelihoods(image, candidate.grid, inverted=candidate.correlation < 0)
        result = decode_likelihoods(seen.llr, places=20)
        if isinstance(result, DecodedSymbol):
            return result
    return None


@pytest.mark.parametrize("symbol", KINDS, ids=lambda symbol: symbol.version)
@pytest.mark.parametrize(
    ("turn", "mirrored", "bright"),
    [(20.0, False, False), (200.0, True, False), (290.0, True, True)],
)
def test_every_kind_is_read_however_it_lies(
    symbol: Symbol, turn: float, mirrored: bool, bright: bool
) -> None:
    image = picture(symbol, 0.8, turn=turn, mirrored=mirrored, bright=bright)
    candidates = locate(image, pitch_px=6.0)
    assert candidates[0].version == symbol.version
    assert (candidates[0].mirrored, candidates[0].correlation < 0) == (mirrored, bright)
    result = decoded(image, candidates)
    assert result is not None
    assert result.symbol == symbol


@pytest.mark.parametrize("symbol", [M2, M4, KINDS[4]], ids=lambda symbol: symbol.version)
def test_pitch_and_tilt_need_not_be_told(symbol: Symbol) -> None:
    image = picture(symbol, 0.5, turn=130, squeezed=1.25, pitch=7.0)
    result = decoded(image, locate(image))
    assert result is not None
    assert result.symbol == symbol


def test_most_are_read_in_noise_where_no_plain_reader_sees_anything() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    for symbol, noise in ((M2, 2.2), (M4, 2.2), (KINDS[4], 2.2)):
        right = 0
        for seed in range(6):
            image = picture(symbol, noise, turn=40.0 * seed, seed=seed)
            grey = (128 + 30 * image).clip(0, 255).astype(np.uint8)
            assert not zxingcpp.read_barcodes(grey)
            result = decoded(image, locate(image, pitch_px=6.0))
            assert result is None or result.symbol == symbol
            right += result is not None
        assert right >= 4


def test_a_finder_pattern_that_noise_nearly_hides_is_tried_where_the_pitch_is_told() -> None:
    symbol = encode("MARK", "H", "R13x27")
    right = 0
    for seed in range(12):
        image = picture(symbol, 3.8, turn=40.0 * seed, seed=seed)
        result = decoded(image, locate(image, pitch_px=6.0))
        assert result is None or result.symbol == symbol
        right += result is not None
    # a quarter as many where patterns have to be beyond doubt
    assert right >= 6


def test_a_finder_pattern_seen_a_little_wrong_still_leads_to_its_symbol() -> None:
    # modules that melt into one another: the pattern tells size and direction to a few percent
    found = 0
    for sign in (1, -1):
        true = 5.0 * np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])
        off = (1 + 0.02 * sign) * np.array([[1, 0.015 * sign], [-0.015 * sign, 1]]) @ true
        for seed in range(20):
            image = picture(M4, 1.2, turn=np.rad2deg(0.4), pitch=5.0, blur=0.6, seed=seed)
            middle = (np.array(image.shape) - 1) / 2
            centre = middle + true @ (3.5 - np.array(M4.matrix.shape) / 2)
            seen = Finders(centre[None], off[None], np.array([0.8]))
            scaled = scale_image(image, 5.0)
            best = find_singles(seen, lambda _, scaled=scaled: scaled)[:1]
            ends = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) - 0.5
            corners = middle + ends * M4.matrix.shape @ true.T
            found += any(np.abs(one.grid.corners_yx - corners).max() < 3 for one in best)
    # half as many where only the pattern's own size and direction are tried
    assert found >= 15


def test_what_is_read_is_told_in_full() -> None:
    for symbol, symbology, mask in ((M4, "Micro QR", M4.mask), (KINDS[4], "rMQR", None)):
        image = picture(symbol, 1.2, mirrored=True)
        (reading,) = read_codes((128 + 30 * image).clip(0, 255).astype(np.uint8))
        assert reading.payload == symbol.payload
        assert (reading.symbology, reading.version, reading.error, reading.mask) == (
            symbology, symbol.version, symbol.error, mask,
        )  # fmt: skip
        assert (reading.mirrored, reading.inverted, reading.reader) == (True, False, "nanoqr")
        assert reading.matrix is not None
        assert reading.matrix.shape == symbol.matrix.shape
        assert reading.confidence > 1 - 1e-6
        # mirrored: the first row runs down the image
        rows, columns = symbol.matrix.shape
        middle = (len(image) - 1) / 2
        start = middle - 6 * np.array([columns, rows]) / 2
        end = middle + 6 * np.array([columns, rows]) / 2
        corners = [start, [end[0], start[1]], end, [start[0], end[1]]]
        np.testing.assert_allclose(reading.corners_yx, corners, atol=1.5)


def test_the_finder_patterns_of_a_qr_code_are_no_symbols_of_their_own() -> None:
    symbol = encode("a code like any other", "M", 2)
    for noise in (0.0, 1.5):
        candidates = locate(picture(symbol, noise, turn=30, seed=1), pitch_px=6.0)
        assert [candidate.version for candidate in candidates] == [2]


def test_one_finder_pattern_alone_is_nothing() -> None:
    rng = np.random.default_rng(2)
    modules = rng.random((13, 13)) < 0.5
    modules[:8, :8] = M2.matrix[:8, :8]
    for seed in range(4):
        image = picture(Symbol(b"", np.rot90(modules, seed).copy(), "M2", "L", 0), 0.5, seed=seed)
        assert decoded(image, locate(image, pitch_px=6.0)) is None


def test_symbols_of_several_kinds_are_found_side_by_side() -> None:
    parts = [picture(s, pitch=6.0) for s in (encode("QR", "M", 1), M4, encode("1", "L", "M1"))]
    tallest = max(len(part) for part in parts)
    image = np.hstack(
        [np.pad(p, ((0, tallest - len(p)), (0, 0)), constant_values=1) for p in parts]
    )
    image += 0.8 * np.random.default_rng(0).normal(size=image.shape).astype(np.float32)
    readings = read_codes((128 + 30 * image).clip(0, 255).astype(np.uint8))
    assert {r.payload for r in readings} == {b"QR", M4.payload, b"1"}


def test_noise_has_no_candidates_of_any_kind() -> None:
    for seed in range(4):
        noise = np.random.default_rng(seed).normal(size=(300, 300)).astype(np.float32)
        assert not [c for c in locate(noise, pitch_px=7.0) if c.score > 8]
