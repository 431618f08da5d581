"""Soft decoding: reads what a threshold no longer can, and says nothing rather than wrong."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, decode_modules
from napari_nanoqr.symbols.encode import byte_capacity, encode
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.placement import bit_order, block_positions
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.soft_decode import (
    NotReadable,
    decode_likelihoods,
    likely_formats,
    mirror_odds,
)
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.tables import block_structure


def noisy(symbol: Symbol, rho: float, seed: int) -> np.ndarray:
    """Exact ln P(light) / P(dark) of modules of amplitude 1 in Gaussian noise 1 / rho."""
    rng = np.random.default_rng(seed)
    signs = np.where(symbol.matrix, -1.0, 1.0)
    return (2 * rho**2 * (signs + rng.normal(size=signs.shape) / rho)).astype(np.float32)


def full(version: int, error: str, seed: int = 1) -> Symbol:
    payload = np.random.default_rng(seed).bytes(byte_capacity(version, error))
    return encode(payload, error, version)


@pytest.mark.parametrize(
    ("version", "error", "rho"), [(3, "L", 1.95), (5, "M", 1.6), (4, "H", 1.15), (7, "L", 2.0)]
)
def test_codes_are_read_where_a_threshold_fails(version: int, error: str, rho: float) -> None:
    symbol, hard, soft = full(version, error), 0, 0
    for seed in range(10):
        llr = noisy(symbol, rho, seed)
        with contextlib.suppress(Undecodable):
            hard += decode_modules(llr < 0).symbol == symbol
        result = decode_likelihoods(llr, effort=2)
        soft += isinstance(result, DecodedSymbol) and result.symbol == symbol
    assert hard <= 2
    assert soft >= 8


def test_what_had_to_be_repaired_is_told() -> None:
    symbol = full(3, "L")
    llr = noisy(symbol, 2.2, 3)
    result = decode_likelihoods(llr)
    assert isinstance(result, DecodedSymbol)
    assert (result.wrong == ((llr < 0) ^ symbol.matrix)).all()
    assert result.chance < 1e-6


def test_noise_says_nothing() -> None:
    rng = np.random.default_rng(7)
    for side in (21, 29, 45):
        for _ in range(5):
            llr = rng.normal(size=(side, side)).astype(np.float32) * 4
            assert isinstance(decode_likelihoods(llr, effort=1), NotReadable)


def test_an_even_surface_says_nothing() -> None:
    for value in (-8.0, 0.0, 8.0):
        result = decode_likelihoods(np.full((29, 29), value, np.float32), effort=1)
        assert isinstance(result, NotReadable) or not result.content.payload


def test_a_lost_block_is_named() -> None:
    symbol = full(5, "Q")  # four blocks
    llr = np.where(symbol.matrix, -6.0, 6.0).astype(np.float32)
    rows, columns = qr_layout(5).codeword_places
    structure = block_structure(5, "Q")
    lost = block_positions(structure)[2]
    placed = np.flatnonzero(np.isin(bit_order(structure) // 8, lost))
    llr[rows[placed], columns[placed]] = np.random.default_rng(0).normal(size=placed.size) * 6
    result = decode_likelihoods(llr, effort=1)
    assert isinstance(result, NotReadable)
    assert (result.failed_blocks, result.blocks) == ((2,), 4)
    assert (result.error, result.mask) == ("Q", symbol.mask)


def test_the_format_is_found_by_its_likelihood() -> None:
    symbol = full(2, "M")
    formats = [likely_formats(noisy(symbol, 1.2, seed), qr_layout(2)) for seed in range(30)]
    assert sum(found[0] == ("M", symbol.mask) for found in formats) >= 28
    assert all(("M", symbol.mask) in found for found in formats)


@pytest.mark.parametrize("shape", [(20, 20), (21, 25), (181, 181)])
def test_what_is_no_qr_code_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(Undecodable):
        decode_likelihoods(np.zeros(shape, np.float32))


@pytest.mark.parametrize("name", ["M3", "1", "7"])
def test_format_and_dark_module_tell_which_way_round_a_symbol_is(name: str) -> None:
    symbol = encode(b"1234", version=int(name) if name.isdecimal() else name)
    layout = layout_of(symbol.matrix.shape)
    llr = np.where(symbol.matrix, -4.0, 4.0).astype(np.float32)
    odds = mirror_odds(llr, layout)
    assert odds < -4
    assert mirror_odds(llr.T, layout) == pytest.approx(-odds)
    # data say nothing of it
    llr[layout.codeword_places] *= -1
    assert mirror_odds(llr, layout) == pytest.approx(odds)
    wide = layout_of(encode(b"1234", symbology="rMQR").matrix.shape)
    assert mirror_odds(np.zeros(wide.shape, np.float32), wide) == -np.inf
