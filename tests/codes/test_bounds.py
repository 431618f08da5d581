"""The bound on what any code can do, and the count of error patterns."""

from __future__ import annotations

from itertools import combinations
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.codes.bounds import (
    capacity_and_dispersion,
    normal_approximation_rho,
    rho_of_information,
)
from napari_nanoqr.codes.error_patterns import log2_accident, log2_accident_at_most


def test_half_a_bit_needs_the_textbooks_signal() -> None:
    # rate 1/2 on the binary-input Gaussian channel: Eb/N0 = 0.187 dB, rho^2 = 2 R Eb/N0
    capacity, _ = capacity_and_dispersion((10**0.0187) ** 0.5)
    assert capacity == pytest.approx(0.5, abs=2e-4)


def test_much_signal_carries_one_bit_and_none_carries_nothing() -> None:
    assert capacity_and_dispersion(6.0) == pytest.approx((1.0, 0.0), abs=1e-6)
    assert capacity_and_dispersion(0.001) == pytest.approx((0.0, 0.0), abs=1e-5)


@pytest.mark.parametrize("rho", [0.3, 1.0, 1.71, 2.6])
def test_information_tells_the_signal_that_it_came_with(rho: float) -> None:
    assert rho_of_information(capacity_and_dispersion(rho)[0]) == pytest.approx(rho, rel=1e-3)
    assert rho_of_information(0.0) == 0
    assert rho_of_information(1.0) == 5


@pytest.mark.parametrize(
    ("n", "k", "rho"), [(70, 55, 1.71), (26, 19, 1.64), (67, 43, 1.39), (25, 9, 0.98)]
)
def test_the_bound_of_qr_blocks_is_the_known_one(n: int, k: int, rho: float) -> None:
    assert normal_approximation_rho(8 * n, 8 * k, 0.01) == pytest.approx(rho, abs=0.006)


def test_rarer_errors_and_more_bits_need_more_signal() -> None:
    base = normal_approximation_rho(560, 440, 0.01)
    assert normal_approximation_rho(560, 440, 0.001) > base
    assert normal_approximation_rho(560, 460, 0.01) > base
    assert normal_approximation_rho(5600, 4400, 0.01) < base


@pytest.mark.parametrize(("n", "k", "error"), [(8, 8, 0.01), (8, 0, 0.01), (8, 4, 0), (8, 4, 0.6)])
def test_what_is_no_code_is_refused(n: int, k: int, error: float) -> None:
    with pytest.raises(ValueError, match=r"rate|fail"):
        normal_approximation_rho(n, k, error)


@given(
    reliabilities=st.lists(st.floats(0, 10, width=32), min_size=1, max_size=10),
    cost=st.floats(0, 30),
)
@settings(deadline=None)  # the first example waits for the compiler
def test_the_count_is_never_too_small_and_hardly_too_large(
    reliabilities: list[float], cost: float
) -> None:
    array = np.array(reliabilities, dtype=np.float32)
    sums = [
        float(array[list(chosen)].sum(dtype=np.float64))
        for size in range(array.size + 1)
        for chosen in combinations(range(array.size), size)
    ]
    bound = log2_accident(array, cost, 0)
    assert bound >= log2(sum(total <= cost * (1 - 1e-6) for total in sums)) - 1e-9
    # each of ten bits is rounded down by at most one of 2047 cells
    assert bound <= log2(sum(total <= cost * 1.0055 + 1e-9 for total in sums)) + 1e-9


@given(
    reliabilities=st.lists(st.floats(0, 10, width=32), min_size=1, max_size=10),
    cost=st.floats(0, 30),
)
def test_the_quick_bound_is_one_too(reliabilities: list[float], cost: float) -> None:
    array = np.array(reliabilities, dtype=np.float32)
    within = sum(
        float(array[list(chosen)].sum(dtype=np.float64)) <= cost
        for size in range(array.size + 1)
        for chosen in combinations(range(array.size), size)
    )
    assert log2_accident_at_most(array, cost, 7) >= log2(within) - 7 - 1e-6


@pytest.mark.parametrize("mean", [1.5, 3.0, 6.0])
def test_the_quick_bound_is_hardly_looser_near_the_right_word(mean: float) -> None:
    ratios = np.random.default_rng(1).normal(mean, (2 * mean) ** 0.5, 8 * 70).astype(np.float32)
    reliabilities, cost = np.abs(ratios), float(-ratios[ratios < 0].sum())
    counted = log2_accident(reliabilities, cost, 208)
    assert counted <= log2_accident_at_most(reliabilities, cost, 208) < counted + 9


def test_a_perfect_word_is_an_accident_with_the_probability_of_its_checks() -> None:
    assert log2_accident(np.ones(80, dtype=np.float32), 0.0, 24) == -24


def test_bits_of_which_nothing_is_known_cost_a_check_each() -> None:
    reliabilities = np.ones(80, dtype=np.float32)
    reliabilities[:10] = 0
    assert log2_accident(reliabilities, 0.0, 24) == -14
    assert log2_accident(reliabilities, 0.5, 24) == pytest.approx(-14)


def test_a_single_flip_multiplies_by_the_bits_that_could_have_flipped() -> None:
    assert log2_accident(np.ones(63, dtype=np.float32), 1.0, 24) == pytest.approx(-18)
