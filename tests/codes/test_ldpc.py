"""Quasi-cyclic codes: what they encode satisfies its checks, and what they decode is right."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.codes.ldpc import RATES, LdpcCode, header_code, tile_code

NAMES = [*RATES, "header"]
INFORMATION_BITS = {"1/2": 5160, "2/3": 6880, "4/5": 8256, "0.88": 9116, "header": 390}
MILD_RHO = {"1/2": 1.3, "2/3": 1.6, "4/5": 1.9, "0.88": 2.3, "header": 1.6}
"""Amplitude over sigma, about 1 dB above where words begin to fail."""


def code_of(name: str) -> LdpcCode:
    return header_code() if name == "header" else tile_code(name)


def parities(code: LdpcCode, word: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All checks of a word, straight from what an entry is said to mean."""
    blocks = word.reshape(-1, code.size)
    sums = np.zeros((code.rows, code.size), np.uint8)
    for row, column, shift in code.entries:
        for z in range(code.size):
            sums[row, z] ^= blocks[column, (z + shift) % code.size]
    return sums


def random_bits(code: LdpcCode, words: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, (words, code.k), dtype=np.uint8)


def noisy(word: NDArray[np.uint8], rho: float, seed: int = 0) -> NDArray[np.int8]:
    """Soft bits of words that were sent through Gaussian noise."""
    noise = np.random.default_rng(seed).standard_normal(word.shape)
    ratios = 2 * rho * (rho * (1.0 - 2.0 * word) + noise)
    return np.clip(np.rint(8 * ratios), -127, 127).astype(np.int8)


def surely(word: NDArray[np.uint8]) -> NDArray[np.int8]:
    return np.where(word, -40, 40).astype(np.int8)


class TestTheTables:
    @pytest.mark.parametrize("name", NAMES)
    def test_codes_have_the_sizes_of_the_format(self, name: str) -> None:
        code = code_of(name)
        assert (code.n, code.k) == (780 if name == "header" else 10320, INFORMATION_BITS[name])

    @pytest.mark.parametrize("name", NAMES)
    def test_entries_lie_within_the_code(self, name: str) -> None:
        code = code_of(name)
        entries = np.array(code.entries)
        assert (entries >= 0).all()
        assert (entries < [code.rows, code.n // code.size, code.size]).all()
        assert len({(row, column) for row, column, _ in code.entries}) == len(entries)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_bit_of_information_is_in_three_checks_or_more(self, name: str) -> None:
        code = code_of(name)
        assert min(len(block) for block in code.information) >= 3

    @pytest.mark.parametrize("name", NAMES)
    def test_no_two_bits_share_two_checks(self, name: str) -> None:
        code = code_of(name)
        by_column: dict[int, list[tuple[int, int]]] = {}
        for row, column, shift in code.entries:
            by_column.setdefault(column, []).append((row, shift))
        turns = [
            (first, second, (one - other) % code.size)
            for block in by_column.values()
            for (first, one), (second, other) in combinations(sorted(block), 2)
        ]
        assert len(set(turns)) == len(turns)


class TestEncoding:
    @pytest.mark.parametrize("name", NAMES)
    @settings(max_examples=5, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_words_satisfy_all_checks_and_begin_with_the_information(
        self, name: str, seed: int
    ) -> None:
        code = code_of(name)
        bits = random_bits(code, 1, seed)
        word = code.encode(bits)
        assert word.shape == (1, code.n)
        assert (word[:, : code.k] == bits).all()
        assert not parities(code, word[0]).any()

    @pytest.mark.parametrize("name", NAMES)
    def test_the_sum_of_words_is_the_word_of_the_sum(self, name: str) -> None:
        code = code_of(name)
        one, other = random_bits(code, 3, 1), random_bits(code, 3, 2)
        assert (code.encode(one ^ other) == code.encode(one) ^ code.encode(other)).all()

    def test_a_single_bit_changes_many(self) -> None:
        code = tile_code("4/5")
        assert (code.encode(np.eye(50, code.k, dtype=np.uint8)).sum(axis=1) >= 10).all()

    @pytest.mark.parametrize("name", ["0.88", "header"])
    def test_bits_beyond_the_information_in_its_last_byte_change_nothing(self, name: str) -> None:
        code = code_of(name)
        data = np.packbits(random_bits(code, 2), axis=1)
        other = data.copy()
        other[:, -1] |= 0xFF >> (code.k % 8)
        assert (code.encode_packed(data) == code.encode_packed(other)).all()

    def test_packed_words_are_the_same_words(self) -> None:
        code = tile_code("2/3")
        bits = random_bits(code, 4)
        packed = code.encode_packed(np.packbits(bits, axis=1))
        assert (np.unpackbits(packed, axis=1)[:, : code.n] == code.encode(bits)).all()


class TestDecoding:
    @pytest.mark.parametrize("name", NAMES)
    def test_clean_words_give_their_information_at_once(self, name: str) -> None:
        code = code_of(name)
        bits = random_bits(code, 3)
        decoded = code.decode(surely(code.encode(bits)))
        assert (decoded.bits == bits).all()
        assert decoded.converged.all()
        assert not decoded.iterations.any()
        assert not decoded.flipped.any()

    @pytest.mark.parametrize("name", NAMES)
    def test_mild_noise_is_corrected_and_counted(self, name: str) -> None:
        code = code_of(name)
        bits = random_bits(code, 25)
        word = code.encode(bits)
        soft = noisy(word, MILD_RHO[name])
        decoded = code.decode(soft)
        assert decoded.converged.all()
        assert (decoded.bits == bits).all()
        assert (decoded.flipped == ((soft < 0) != word).sum(axis=1, where=soft != 0)).all()

    @pytest.mark.parametrize("name", NAMES)
    def test_noise_alone_is_never_taken_for_a_word(self, name: str) -> None:
        code = code_of(name)
        soft = np.random.default_rng(1).integers(-127, 128, (25, code.n)).astype(np.int8)
        decoded = code.decode(soft)
        assert not decoded.converged.any()
        assert (decoded.iterations == 100).all()  # of two tries

    @pytest.mark.parametrize("name", NAMES)
    def test_where_nothing_is_known_nothing_is_claimed(self, name: str) -> None:
        code = code_of(name)
        assert not code.decode(np.zeros((2, code.n), np.int8)).converged.any()

    @pytest.mark.parametrize("name", NAMES)
    def test_unknown_bits_are_filled_in(self, name: str) -> None:
        code = code_of(name)
        bits = random_bits(code, 5)
        soft = surely(code.encode(bits))
        lost = int(0.6 * (code.n - code.k))
        for word, places in enumerate(np.random.default_rng(2).random(soft.shape).argsort(axis=1)):
            soft[word, places[:lost]] = 0
        decoded = code.decode(soft)
        assert decoded.converged.all()
        assert (decoded.bits == bits).all()

    def test_good_words_are_read_beside_hopeless_ones(self) -> None:
        code = tile_code("4/5")
        bits = random_bits(code, 4)
        soft = noisy(code.encode(bits), 1.9)
        soft[::2] = np.random.default_rng(3).permuted(soft[::2], axis=1)
        decoded = code.decode(soft)
        assert decoded.converged.tolist() == [False, True, False, True]
        assert (decoded.bits[1::2] == bits[1::2]).all()

    def test_the_loudest_soft_bits_are_no_exception(self) -> None:
        code = tile_code("4/5")
        bits = random_bits(code, 2)
        loud = np.where(code.encode(bits), -128, 127).astype(np.int8)
        loud[:, ::200] = -1 - loud[:, ::200]
        decoded = code.decode(loud)
        assert decoded.converged.all()
        assert (decoded.bits == bits).all()

    def test_sure_errors_are_healed_too(self) -> None:
        code = tile_code("4/5")
        bits = random_bits(code, 10)
        soft = noisy(code.encode(bits), 2.0)
        rng = np.random.default_rng(4)
        hit = rng.random(soft.shape) < 0.01
        soft[hit] = rng.choice(np.array([-127, 127], np.int8), int(hit.sum()))
        decoded = code.decode(soft)
        assert decoded.converged.all()
        assert (decoded.bits == bits).all()

    def test_words_need_not_lie_together_in_memory(self) -> None:
        code = header_code()
        bits = random_bits(code, 6)
        soft = np.asfortranarray(noisy(code.encode(bits), 1.8))
        assert (code.decode(soft).bits == bits).all()
        assert (code.decode(soft[::2]).bits == bits[::2]).all()

    def test_no_words_give_no_words(self) -> None:
        code = header_code()
        assert code.encode(np.zeros((0, code.k), np.uint8)).shape == (0, code.n)
        assert code.decode(np.zeros((0, code.n), np.int8)).bits.shape == (0, code.k)

    def test_no_iterations_give_the_hard_decisions(self) -> None:
        code = header_code()
        word = code.encode(random_bits(code, 1))
        soft = surely(word)
        soft[0, 5] *= -1
        decoded = code.decode(soft, iterations=0)
        assert not decoded.converged.any()
        assert (decoded.bits[0] != word[0, : code.k]).sum() == 1


class TestBadInput:
    def test_an_unknown_rate_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"no code of rate '3/4'; there are 1/2, 2/3, 4/5"):
            tile_code("3/4")

    def test_a_wrong_width_is_named(self) -> None:
        code = header_code()
        with pytest.raises(ValueError, match=r"must be \(words, 390\), not \(2, 780\)"):
            code.encode(np.zeros((2, 780), np.uint8))
        with pytest.raises(ValueError, match=r"must be \(words, 780\), not \(780,\)"):
            code.decode(np.zeros(780, np.int8))
        with pytest.raises(ValueError, match=r"must be \(words, 49\)"):
            code.encode_packed(np.zeros((2, 48), np.uint8))

    def test_what_is_no_bit_is_refused(self) -> None:
        code = header_code()
        with pytest.raises(ValueError, match="0 or 1"):
            code.encode(np.full((1, 390), 2, np.uint8))
        with pytest.raises(ValueError, match="0 or 1"):
            code.encode(np.full((1, 390), 0.5))

    def test_soft_bits_of_another_type_are_refused(self) -> None:
        code = header_code()
        with pytest.raises(ValueError, match="int8, not float64"):
            code.decode(np.zeros((1, 780)))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="uint8, not int64"):
            code.encode_packed(np.zeros((1, 49), np.int64))

    def test_fewer_than_no_iterations_are_refused(self) -> None:
        with pytest.raises(ValueError, match="-1 iterations"):
            header_code().decode(np.zeros((1, 780), np.int8), iterations=-1)
