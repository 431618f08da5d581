"""Tiles: what is drawn is read again, through noise, scratches and lost headers, or is not told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanoqr.archive import margin
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.layout import GRAY, RATES, data_cells, header_cells, known_modules
from napari_nanoqr.archive.tile import (
    combine,
    decode_tile,
    decode_tiles,
    encode_tile,
    read_header,
    read_headers,
)

HEADER = TileHeader(Role.DATA, b"archive1", sheet=2, tile=77, tiles=900, root=b"root")


def payload_for(header: TileHeader, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(header.capacity)


def signs(levels: NDArray[np.uint8], bits: int) -> NDArray[np.int64]:
    """1 where a bit of a module is 0, else -1; (bits, 512, 512)."""
    planes = np.array(GRAY)[levels].transpose(2, 0, 1) if bits == 2 else levels[None]
    return 1 - 2 * planes.astype(int)


def clean(levels: NDArray[np.uint8], bits: int = 1) -> NDArray[np.int8]:
    return (40 * signs(levels, bits)).astype(np.int8)


def noisy(levels: NDArray[np.uint8], rho: float, seed: int = 1, bits: int = 1) -> NDArray[np.int8]:
    """Soft bits through white noise: amplitude rho times sigma."""
    rng = np.random.default_rng(seed)
    received = rho * signs(levels, bits) + rng.normal(size=(bits, 512, 512))
    return np.clip(np.rint(16 * rho * received), -127, 127).astype(np.int8)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("bits", [1, 2])
def test_a_payload_of_any_rate_comes_back_exactly(rate: str, bits: int) -> None:
    header = replace(HEADER, rate=rate, bits=bits)
    payload = payload_for(header)[:-5]
    levels = encode_tile(header, payload)
    assert levels.shape == (512, 512)
    assert levels.dtype == np.uint8
    assert levels.max() == 2**bits - 1
    tile = decode_tile(clean(levels, bits))
    assert tile.header == header.holding(payload)
    assert tile.payload == payload
    assert tile.good.all()
    assert tile.wrong.tolist() == [0] * 25 * bits
    assert b"".join(block or b"" for block in tile.blocks) == payload + bytes(5)


def test_with_two_bits_a_module_all_but_the_data_uses_the_extreme_levels() -> None:
    header = replace(HEADER, bits=2)
    levels = encode_tile(header, payload_for(header))
    idle = np.ones(512**2, bool)
    idle[data_cells()[:258_000]] = False
    assert set(levels.ravel()[idle].tolist()) == {0, 3}
    assert np.bincount(levels.ravel()[~idle]).min() > 60_000


@pytest.mark.parametrize("bits", [1, 2])
def test_what_every_tile_shares_stands_in_every_tile(bits: int) -> None:
    header = replace(HEADER, bits=bits)
    known, milled = known_modules()
    levels = encode_tile(header, b"anything")
    assert (levels[known] == milled[known] * (2**bits - 1)).all()


def test_a_tile_of_zeros_looks_like_any_other() -> None:
    levels = encode_tile(HEADER, bytes(HEADER.capacity))
    shares = levels.reshape(16, 32, 16, 32).mean((1, 3))
    assert abs(levels.mean() - 0.5) < 0.005
    assert np.abs(shares - 0.5).max() < 0.1


def test_a_payload_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="25601 bytes do not fit"):
        encode_tile(HEADER, bytes(25_601))


def test_a_tile_with_more_than_three_percent_of_its_bits_wrong_is_read() -> None:
    payload = payload_for(HEADER)
    tile = decode_tile(noisy(encode_tile(HEADER, payload), rho=1.78))
    assert tile.payload == payload
    assert tile.error_rate.mean() == pytest.approx(0.0375, abs=0.002)
    assert 0.2 < np.median(tile.margin_db) < 0.8


def test_a_tile_beyond_its_threshold_is_lost_and_says_so() -> None:
    tile = decode_tile(noisy(encode_tile(HEADER, payload_for(HEADER)), rho=1.4))
    assert tile.header is not None
    assert tile.payload is None
    assert tile.blocks == (None,) * 25
    assert tile.lost == 25
    assert tile.error_rate.mean() == pytest.approx(0.081, abs=0.005)
    assert tile.margin < -1


def test_a_scratch_costs_all_codewords_the_same_and_the_tile_nothing() -> None:
    payload = payload_for(HEADER)
    soft = noisy(encode_tile(HEADER, payload), rho=2.6)
    # as wide as 8 % of the tile, from edge to edge, and read as if all were milled
    rows, columns = np.mgrid[:512, :512]
    soft[0][np.abs(rows - 0.7 * columns - 40) < 20] = 0
    tile = decode_tile(soft)
    assert tile.payload == payload
    assert np.ptp(tile.information) < 0.02


@pytest.mark.parametrize("side", range(4))
def test_a_sixth_of_a_tile_may_be_missing_at_any_side(side: int) -> None:
    payload = payload_for(HEADER)
    soft = clean(encode_tile(HEADER, payload))
    np.rot90(soft[0], side)[:82] = 0
    assert decode_tile(soft).payload == payload


def test_a_patch_may_be_missing_anywhere() -> None:
    payload = payload_for(HEADER)
    soft = clean(encode_tile(HEADER, payload))
    soft[0, 150:350, 60:260] = 0
    assert decode_tile(soft).payload == payload


def test_less_than_the_information_is_not_enough_and_costs_no_time() -> None:
    payload = payload_for(HEADER)
    soft = clean(encode_tile(HEADER, payload))
    soft[0, :105] = 0
    tile = decode_tile(soft)
    assert tile.header == HEADER.holding(payload)
    assert tile.blocks == (None,) * 25
    assert tile.iterations.max() == 0
    assert tile.margin < 0


def test_a_scratch_that_lies_is_borne_too() -> None:
    payload = payload_for(HEADER)
    soft = clean(encode_tile(HEADER, payload))
    soft[0, :, 300:308] = -40
    tile = decode_tile(soft)
    assert tile.payload == payload
    assert tile.error_rate.mean() == pytest.approx(4 / 512, abs=0.001)


@pytest.mark.parametrize("copy", [0, 1])
def test_either_copy_of_the_header_is_enough(copy: int) -> None:
    levels = encode_tile(HEADER, b"payload")
    soft = noisy(levels, rho=1.6)
    soft[0].flat[header_cells()[copy]] = 0
    assert read_header(soft) == HEADER.holding(b"payload")
    # a copy that tells nonsense does not spoil the other
    soft[0].flat[header_cells()[copy]] = 127
    assert read_header(soft) == HEADER.holding(b"payload")


def test_a_header_is_read_where_the_data_are_long_lost() -> None:
    assert read_header(noisy(encode_tile(HEADER, b""), rho=1.0)) == HEADER.holding(b"")


def test_noise_holds_no_header_and_no_tile() -> None:
    rng = np.random.default_rng(4)
    noise = rng.integers(-60, 61, (3, 1, 512, 512)).astype(np.int8)
    assert read_headers(list(noise)) == [None] * 3
    nothing = decode_tile(np.zeros((1, 512, 512), np.int8))
    assert nothing.header is None
    assert nothing.payload is None
    assert nothing.blocks == ()
    assert np.isnan(nothing.margin)


def test_a_codeword_of_another_place_does_not_count() -> None:
    # all codewords hold the same zeros, and yet each has a checksum of its own
    levels = encode_tile(HEADER, b"")
    soft = clean(levels)
    soft[0] = np.roll(soft[0], 1, axis=1)
    assert not decode_tile(soft, HEADER).good.any()


def test_another_tiles_data_under_this_header_is_no_payload() -> None:
    ours, other = (clean(encode_tile(HEADER, text)) for text in (b"ours", b"other"))
    mixed = other.copy()
    mixed[0].flat[header_cells()] = ours[0].flat[header_cells()]
    tile = decode_tile(mixed)
    assert tile.good.all()
    assert tile.contradictory
    assert tile.payload is None


def test_many_tiles_of_several_kinds_are_read_together_as_each_alone() -> None:
    headers = [
        replace(HEADER, tile=number, rate=rate, bits=bits)
        for number, (rate, bits) in enumerate([("4/5", 1), ("1/2", 2), ("4/5", 1), ("0.88", 1)])
    ]
    payloads = [payload_for(header, number) for number, header in enumerate(headers)]
    softs = [
        noisy(encode_tile(header, payload), 2.4, number, header.bits)
        for number, (header, payload) in enumerate(zip(headers, payloads, strict=True))
    ]
    softs.insert(2, np.zeros((1, 512, 512), np.int8))
    tiles = decode_tiles(softs)
    assert [tile.payload for tile in tiles] == [*payloads[:2], None, *payloads[2:]]
    alone = decode_tile(softs[1])
    assert (alone.wrong == tiles[1].wrong).all()
    assert decode_tiles([]) == []


def test_a_tile_of_two_bits_seen_as_one_bit_tells_its_header_at_least() -> None:
    header = replace(HEADER, bits=2)
    soft = clean(encode_tile(header, b"deep"), bits=2)
    tile = decode_tile(soft[:1])
    assert tile.header == header.holding(b"deep")
    assert tile.lost == 50


def test_two_sightings_that_are_too_weak_alone_are_enough_together() -> None:
    payload = payload_for(HEADER)
    levels = encode_tile(HEADER, payload)
    sightings = [noisy(levels, rho=1.45, seed=seed) for seed in (1, 2)]
    assert [decode_tile(soft).payload for soft in sightings] == [None, None]
    assert decode_tile(combine(sightings)).payload == payload


def test_the_least_byte_is_a_soft_bit_like_any_other() -> None:
    payload = payload_for(HEADER)
    levels = encode_tile(HEADER, payload)
    tile = decode_tile(np.where(levels[None] == 1, -128, 127).astype(np.int8))
    assert tile.payload == payload
    assert tile.wrong.sum() == 0


def test_sums_of_sightings_do_not_overflow() -> None:
    soft = np.array([[[127, -127, 100, -128]]], np.int8)
    assert combine([soft] * 3).tolist() == [[[127, -127, 127, -127]]]


@pytest.mark.parametrize("rate", RATES)
def test_codewords_are_read_above_a_margin_of_zero_and_not_below(rate: str) -> None:
    header = replace(HEADER, rate=rate)
    levels = encode_tile(header, payload_for(header))
    at_threshold = margin.threshold_rho(rate)
    above = decode_tile(noisy(levels, at_threshold * 10 ** (0.7 / 20)))
    below = decode_tile(noisy(levels, at_threshold * 10 ** (-0.4 / 20)))
    assert above.good.all()
    assert np.median(above.margin_db) == pytest.approx(0.7, abs=0.1)
    assert below.lost > 20
    # what the soft bits claim is as good as what they told
    assert np.median(below.margin_db) == pytest.approx(-0.4, abs=0.1)


def test_soft_bits_that_are_not_sure_enough_have_the_margin_they_deserve() -> None:
    levels = encode_tile(HEADER, payload_for(HEADER))
    soft = noisy(levels, rho=2.2)
    modest = (soft // 3).astype(np.int8)
    assert decode_tile(modest).margin == pytest.approx(decode_tile(soft).margin, abs=0.3)
