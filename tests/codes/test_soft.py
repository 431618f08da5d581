"""Soft decoding: what was sent comes back from noise that defeats hard decisions."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.codes.gf256 import EXP, evaluate
from napari_nanoqr.codes.soft import decode_soft

BLOCKS = [(26, 19), (70, 55), (35, 13), (67, 43), (43, 19), (25, 9), (148, 118), (44, 16)]


def sent_block(rng: np.random.Generator, n: int, k: int) -> NDArray[np.uint8]:
    data = rng.integers(0, 256, k, dtype=np.uint8)
    return np.concatenate((data, reed_solomon.encode(data, n - k)))


def received(
    rng: np.random.Generator, codeword: NDArray[np.uint8], rho: float
) -> NDArray[np.float32]:
    signs = 1.0 - 2.0 * np.unpackbits(codeword)
    samples = rho * signs + rng.standard_normal(signs.size)
    return (2 * rho * samples).astype(np.float32).reshape(-1, 8)


@pytest.mark.parametrize(("n", "k"), BLOCKS)
def test_a_clean_block_comes_back_with_no_cost(n: int, k: int) -> None:
    codeword = sent_block(np.random.default_rng(n), n, k)
    llr = (5.0 - 10.0 * np.unpackbits(codeword)).astype(np.float32).reshape(n, 8)
    answer = decode_soft(llr, n - k, effort=0)
    assert answer is not None
    assert answer.codeword.tolist() == codeword.tolist()
    assert (answer.cost, answer.flips, answer.wrong_codewords) == (0, 0, 0)
    assert answer.stage == "errors"
    assert answer.log2_chance == -8 * (n - k)


# a little above where 99 % come back; hard decisions fail for nearly all of these
@pytest.mark.parametrize(
    ("n", "k", "rho"),
    [(26, 19, 1.95), (70, 55, 1.95), (35, 13, 1.3), (67, 43, 1.6), (43, 19, 1.25), (25, 9, 1.2)],
)
def test_noise_near_the_limit_is_read(n: int, k: int, rho: float) -> None:
    rng = np.random.default_rng(5)
    right = hard = 0
    for _ in range(12):
        codeword = sent_block(rng, n, k)
        llr = received(rng, codeword, rho)
        answer = decode_soft(llr, n - k)
        right += answer is not None and answer.codeword.tolist() == codeword.tolist()
        hard += int((np.packbits(llr < 0) != codeword).sum()) <= (n - k) // 2
    assert right >= 11
    assert hard <= 6


@given(seed=st.integers(0, 2**32 - 1), effort=st.integers(0, 2), rho=st.floats(0.3, 3))
@settings(deadline=None, max_examples=40)
def test_an_answer_is_a_codeword_that_costs_what_it_says(
    seed: int, effort: int, rho: float
) -> None:
    rng = np.random.default_rng(seed)
    n, k = BLOCKS[seed % 6]
    llr = received(rng, sent_block(rng, n, k), rho)
    answer = decode_soft(llr, n - k, effort=effort)
    if answer is None:
        assert effort == 0
        return
    assert not evaluate(answer.codeword, EXP[: n - k]).any()
    differ = np.unpackbits(answer.codeword).reshape(n, 8).astype(bool) != (llr < 0)
    assert answer.flips == differ.sum()
    assert answer.wrong_codewords == differ.any(axis=1).sum()
    assert answer.cost == pytest.approx(np.abs(llr[differ]).sum(), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("n", "k"), [(26, 19), (70, 55)])
def test_more_effort_never_finds_a_farther_codeword(n: int, k: int) -> None:
    rng = np.random.default_rng(8)
    for _ in range(4):
        llr = received(rng, sent_block(rng, n, k), 1.5)
        answers = [decode_soft(llr, n - k, effort=effort) for effort in range(4)]
        costs = [np.inf if answer is None else answer.cost for answer in answers]
        assert costs == sorted(costs, reverse=True)


def test_the_true_codeword_of_a_short_code_is_never_beaten() -> None:
    # two data codewords: all 65536 codewords can be looked at
    rng = np.random.default_rng(3)
    data = np.stack(np.divmod(np.arange(65536), 256), axis=1).astype(np.uint8)
    words = np.concatenate((data, reed_solomon.encode(data, 6)), axis=1)
    bits = np.unpackbits(words, axis=1).astype(np.float32)
    for rho in (0.4, 0.8, 1.2) * 3:
        llr = received(rng, words[rng.integers(65536)], rho)
        nearest = words[np.argmin(bits @ llr.ravel())]
        answer = decode_soft(llr, 6, effort=2)
        assert answer is not None
        assert answer.codeword.tolist() == nearest.tolist()


def test_a_scratch_of_as_many_codewords_as_parity_is_read() -> None:
    rng = np.random.default_rng(2)
    codeword = sent_block(rng, 70, 55)
    llr = received(rng, codeword, 5.0)
    llr[20:35] = 0.01 * rng.standard_normal((15, 8))
    answer = decode_soft(llr, 15, effort=0)
    assert answer is not None
    assert answer.codeword.tolist() == codeword.tolist()
    assert answer.stage == "erasures"


def test_known_bits_lead_to_the_answer() -> None:
    rng = np.random.default_rng(4)
    codeword = sent_block(rng, 26, 9)
    llr = received(rng, codeword, 0.75)
    known = np.zeros((26, 8), dtype=bool)
    known[2:9] = True
    signs = 1.0 - 2.0 * np.unpackbits(codeword).reshape(26, 8)
    llr[known] = signs[known]
    answer = decode_soft(llr, 17, known=known)
    assert answer is not None
    assert answer.codeword.tolist() == codeword.tolist()
    without = decode_soft(llr, 17)
    assert without is None or without.log2_chance > answer.log2_chance


def test_bits_known_wrongly_leave_nothing_near() -> None:
    rng = np.random.default_rng(4)
    codeword = sent_block(rng, 26, 9)
    llr = received(rng, codeword, 1.5)
    known = np.zeros((26, 8), dtype=bool)
    known[2:9] = True
    llr[known] = 1.0 - 2.0 * rng.integers(0, 2, 56)
    answer = decode_soft(llr, 17, known=known)
    assert answer is None or answer.log2_chance > -12
    if answer is not None:
        bits = np.unpackbits(answer.codeword).reshape(26, 8).astype(bool)
        assert (bits[known] == (llr < 0)[known]).all()


def test_where_all_is_known_there_is_nothing_to_search() -> None:
    rng = np.random.default_rng(4)
    codeword = sent_block(rng, 26, 19)
    llr = received(rng, codeword, 9.0)
    answer = decode_soft(llr, 7, known=np.ones((26, 8), dtype=bool))
    assert answer is not None
    assert answer.codeword.tolist() == codeword.tolist()
    # no check is left that could have failed
    assert answer.log2_chance == 0
    llr[3] *= -1
    assert decode_soft(llr, 7, known=np.ones((26, 8), dtype=bool)) is None


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_random_words_are_told_from_answers(scale: float) -> None:
    rng = np.random.default_rng(6)
    for _ in range(30):
        llr = scale * (1.0 + rng.standard_normal((25, 8))) * rng.choice([-1, 1], (25, 8))
        answer = decode_soft(llr.astype(np.float32), 16, effort=1)
        assert answer is not None
        assert answer.log2_chance > -12


def test_the_chance_of_an_accident_is_what_it_says() -> None:
    # of a code with few data the nearest codeword is always found: then the bound is tight
    rng = np.random.default_rng(11)
    chances = []
    for _ in range(800):
        llr = rng.exponential(2.0, (8, 8)) * rng.choice([-1, 1], (8, 8))
        answer = decode_soft(llr.astype(np.float32), 6, effort=1)
        assert answer is not None
        chances.append(answer.log2_chance)
    for bits in (4, 5, 6):
        expected = 800 * 2.0**-bits
        count = sum(chance < -bits for chance in chances)
        assert abs(count - expected) < 4 * expected**0.5
    assert min(chances) > -20


@pytest.mark.parametrize("scale", [0.8, 100.0])
def test_the_scale_of_the_ratios_does_not_change_the_answer(scale: float) -> None:
    rng = np.random.default_rng(7)
    llr = received(rng, sent_block(rng, 70, 55), 1.9)
    one, other = decode_soft(llr, 15), decode_soft(np.float32(scale) * llr, 15)
    assert one is not None
    assert other is not None
    assert one.codeword.tolist() == other.codeword.tolist()
    assert one.log2_chance == pytest.approx(other.log2_chance, abs=0.5)


def test_certain_bits_may_be_infinite() -> None:
    rng = np.random.default_rng(9)
    codeword = sent_block(rng, 26, 19)
    signs = (1.0 - 2.0 * np.unpackbits(codeword)).astype(np.float32).reshape(26, 8)
    llr = np.float32(np.inf) * signs
    llr[3:8] = 0.1 * rng.standard_normal((5, 8))
    answer = decode_soft(llr, 7)
    assert answer is not None
    assert answer.codeword.tolist() == codeword.tolist()


def test_bad_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="not \\(n, 8\\)"):
        decode_soft(np.zeros(80, dtype=np.float32), 4)
    with pytest.raises(ValueError, match="parity"):
        decode_soft(np.zeros((10, 8), dtype=np.float32), 10)
    with pytest.raises(ValueError, match="not a number"):
        decode_soft(np.full((10, 8), np.nan, dtype=np.float32), 4)
    with pytest.raises(ValueError, match="known"):
        decode_soft(np.zeros((10, 8), dtype=np.float32), 4, known=np.zeros(80, dtype=bool))


def test_importing_it_loads_no_compiler() -> None:
    code = "import sys, napari_nanoqr.codes.soft; print('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
