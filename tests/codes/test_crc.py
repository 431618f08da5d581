"""CRC-64/XZ against its published check value and against its definition bit by bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.codes.crc import CHECK, POLYNOMIAL, crc64


def bit_by_bit(data: bytes) -> int:
    register = 2**64 - 1
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register ^ 2**64 - 1


def of(data: bytes) -> int:
    return int(crc64(np.frombuffer(data, np.uint8)[None])[0])


def test_the_published_check_value_comes_out() -> None:
    assert of(b"123456789") == CHECK == 0x995DC9BBDF1939FA


@given(data=st.binary(max_size=60))
def test_any_bytes_agree_with_the_definition(data: bytes) -> None:
    assert of(data) == bit_by_bit(data)


def test_several_blocks_each_have_the_checksum_they_have_alone() -> None:
    blocks = np.random.default_rng(1).integers(0, 256, (5, 1029), dtype=np.uint8)
    assert crc64(blocks).tolist() == [of(block.tobytes()) for block in blocks]


def test_a_last_byte_counts_as_if_it_stood_in_the_block() -> None:
    blocks = np.random.default_rng(2).integers(0, 256, (3, 20), dtype=np.uint8)
    assert (crc64(blocks[:, :-1], blocks[:, -1]) == crc64(blocks)).all()
