"""The outer code: any k members give back the data, and it computes what it says it computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.codes.cauchy import TooManyLost, encode, recover
from napari_nanoqr.codes.gf256 import PRIMITIVE


def times(a: int, b: int) -> int:
    """Product of two numbers of the field, by long multiplication."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= PRIMITIVE << bit - 8
    return product


def inverse(a: int) -> int:
    return next(b for b in range(1, 256) if times(a, b) == 1)


def elements(member: NDArray[np.uint8]) -> list[int]:
    """Numbers of the field in a member: bit b of number i is bit i of its b-th eighth."""
    parts = np.unpackbits(member.reshape(8, -1), axis=1)
    return [sum(int(parts[b, i]) << b for b in range(8)) for i in range(parts.shape[1])]


def members_of(k: int, m: int, length: int = 16, seed: int = 1) -> NDArray[np.uint8]:
    data = np.random.default_rng(seed).integers(0, 256, (k, length), dtype=np.uint8)
    return np.concatenate((data, encode(data, m)))


def test_parity_is_the_sum_that_the_format_describes() -> None:
    members = members_of(5, 3, length=8)
    data = [elements(member) for member in members[:5]]
    for r in range(3):
        expected = [0] * 8
        for c in range(5):
            factor = inverse((255 - r) ^ c)
            expected = [e ^ times(factor, x) for e, x in zip(expected, data[c], strict=True)]
        assert elements(members[5 + r]) == expected


@settings(max_examples=30)
@given(data=st.data())
def test_any_losses_up_to_the_parity_are_given_back(data: st.DataObject) -> None:
    k = data.draw(st.integers(1, 60))
    m = data.draw(st.integers(1, 30))
    members = members_of(k, m, length=8 * data.draw(st.integers(1, 30)))
    gone = data.draw(st.permutations(range(k + m)))[: data.draw(st.integers(0, m))]
    there = {place: member for place, member in enumerate(members) if place not in gone}
    assert (recover(there, k, m) == members[:k]).all()


def test_the_largest_group_bears_all_its_losses() -> None:
    members = members_of(231, 25, length=1024)
    there = dict(enumerate(members))
    for place in (*range(0, 230, 10), 230, 255):
        del there[place]
    assert (recover(there, 231, 25) == members[:231]).all()


def test_more_parity_than_data_is_enough_alone() -> None:
    members = members_of(20, 236)
    assert (
        recover({20 + i: members[20 + i] for i in range(200, 220)}, 20, 236) == members[:20]
    ).all()


def test_slots_are_coded_each_for_itself() -> None:
    data = np.random.default_rng(3).integers(0, 256, (7, 5, 632), dtype=np.uint8)
    parity = encode(data, 4)
    assert parity.shape == (4, 5, 632)
    for slot in range(5):
        assert (parity[:, slot] == encode(data[:, slot], 4)).all()
    members = dict(enumerate(np.concatenate((data, parity))))
    for place in (0, 3, 6, 8):
        del members[place]
    assert (recover(members, 7, 4) == data).all()


def test_a_group_without_losses_or_parity_is_its_data() -> None:
    members = members_of(4, 0)
    assert members.shape == (4, 16)
    assert (recover(dict(enumerate(members)), 4, 0) == members).all()


def test_one_loss_too_many_is_said() -> None:
    there = dict(enumerate(members_of(6, 2)[:5]))
    with pytest.raises(TooManyLost, match=r"5 of 6 \+ 2 members .* any 6 are needed"):
        recover(there, 6, 2)


def test_what_is_no_group_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot have 250 \+ 7 members"):
        encode(np.zeros((250, 8), np.uint8), 7)
    with pytest.raises(ValueError, match="multiple of 8 bytes, not 12"):
        encode(np.zeros((3, 12), np.uint8), 2)
    members = dict(enumerate(members_of(3, 2)))
    with pytest.raises(ValueError, match="Member 5 is not in a group"):
        recover({**members, 5: members[0]}, 3, 2)
    with pytest.raises(ValueError, match="differ in length"):
        recover({**members, 4: members[0][:8]}, 3, 2)
