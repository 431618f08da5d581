"""Structured Append: every part is a symbol that readers know, and joined they are the message."""

from __future__ import annotations

from functools import reduce
from operator import xor

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.reading.append import join_sets
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.append import appended_capacity, encode_appended
from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import PayloadTooLong


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=16))
def test_each_symbol_tells_its_place_in_the_set(payloads: list[bytes]) -> None:
    parity = reduce(xor, b"".join(payloads))
    symbols = encode_appended(payloads, 4, "L")
    assert {(symbol.version, symbol.error) for symbol in symbols} == {(4, "L")}
    for index, (symbol, payload) in enumerate(zip(symbols, payloads, strict=True)):
        content = decode_modules(symbol.matrix).content
        assert content.payload == content.stored == payload
        assert content.structured_append == (index, len(payloads), parity)


@pytest.mark.parametrize(("version", "error"), [(1, "H"), (9, "M"), (10, "Q"), (40, "L")])
def test_symbols_hold_just_what_they_are_said_to(version: int, error: str) -> None:
    room = appended_capacity(version, error)
    payload = np.random.default_rng(version).bytes(room)
    (symbol,) = encode_appended([payload], version, error)
    (seen,) = zxingcpp.read_barcodes(
        np.kron(np.where(np.pad(symbol.matrix, 4), 0, 255), np.ones((3, 3))).astype(np.uint8)
    )
    assert seen.bytes == payload
    with pytest.raises(PayloadTooLong, match=f"holds {room}"):
        encode_appended([payload + b"!"], version, error)


def test_a_message_over_three_symbols_is_joined() -> None:
    message = "Ceramics last. " * 12
    data = message.encode()
    thirds = [data[start : start + 60] for start in range(0, 180, 60)]
    modules = np.hstack([np.pad(s.matrix, 4) for s in encode_appended(thirds, 5, "M")])
    readings = read_codes(np.where(np.kron(modules, np.ones((4, 4))), 30, 220))
    (joined,) = join_sets(readings)
    assert joined.text == message


@pytest.mark.parametrize("count", [0, 17])
def test_a_set_has_1_to_16_symbols(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        encode_appended([b"x"] * count, 5, "M")
