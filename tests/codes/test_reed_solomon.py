"""Reed-Solomon blocks: what is encoded is decoded, with as many errors as the parity allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.codes.gf256 import EXP, evaluate, multiply


def test_the_standards_example_gets_the_standards_parity() -> None:
    # ISO/IEC 18004:2015, annex I.2: "01234567" as version 1-M
    data = [0x10, 0x20, 0x0C, 0x56, 0x61, 0x80] + [0xEC, 0x11] * 5
    parity = [0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55]
    assert reed_solomon.encode(np.array(data, np.uint8), 10).tolist() == parity


@given(data=st.data())
def test_correctable_errors_are_corrected(data: st.DataObject) -> None:
    parity = data.draw(st.integers(2, 30))
    payload = np.frombuffer(data.draw(st.binary(min_size=1, max_size=120)), np.uint8)
    block = np.concatenate((payload, reed_solomon.encode(payload, parity)))
    count = data.draw(st.integers(0, min(parity // 2, block.size)))
    where = data.draw(st.permutations(range(block.size)))[:count]
    received = block.copy()
    for index in where:
        received[index] ^= data.draw(st.integers(1, 255))
    corrected, errors = reed_solomon.decode(received, parity)
    assert corrected.tolist() == block.tolist()
    assert errors == count


@given(data=st.data())
def test_an_answer_is_always_a_codeword_as_near_as_it_says(data: st.DataObject) -> None:
    parity = data.draw(st.integers(2, 30))
    received = np.frombuffer(data.draw(st.binary(min_size=parity + 1, max_size=150)), np.uint8)
    try:
        corrected, errors = reed_solomon.decode(received, parity)
    except reed_solomon.Uncorrectable:
        return
    assert not evaluate(corrected, EXP[:parity]).any()
    assert errors == (corrected != received).sum() <= parity // 2


def test_more_errors_than_allowed_are_refused() -> None:
    data = np.arange(30, dtype=np.uint8)
    block = np.concatenate((data, reed_solomon.encode(data, 10)))
    block[:3] ^= 1
    assert reed_solomon.decode(block, 10, max_errors=3)[1] == 3
    with pytest.raises(reed_solomon.Uncorrectable):
        reed_solomon.decode(block, 10, max_errors=2)


def test_several_blocks_at_once_equal_each_alone() -> None:
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 256, (5, 40), dtype=np.uint8)
    together = reed_solomon.encode(blocks, 18)
    for block, parity in zip(blocks, together, strict=True):
        assert reed_solomon.encode(block, 18).tolist() == parity.tolist()


def test_every_element_but_zero_has_an_inverse() -> None:
    elements = np.arange(1, 256, dtype=np.uint8)
    table = multiply(elements[:, None], elements[None, :])
    assert ((table == 1).sum(axis=1) == 1).all()
    assert (multiply(elements, np.uint8(0) * elements) == 0).all()
