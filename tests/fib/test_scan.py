"""Every order visits every point once, each in its own way."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern_files import write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.scan import SCAN_ORDERS, ScanOrder, scan_order
from napari_nanoqr.symbols.encode import encode

RECORD = Design(encode("https://www.tuwien.at/en/", "M", 3))

masks = st.builds(
    lambda seed, rows, columns, k, share: (
        (np.random.default_rng(seed).random((rows, columns)) < share)
        .repeat(k, axis=0)
        .repeat(k, axis=1),
        k,
    ),
    st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 8), st.integers(1, 4),
    st.floats(0, 1),
)  # fmt: skip


def places(mask: np.ndarray, order: ScanOrder, k: int = 1) -> np.ndarray:
    """Rows and columns in the order of the scan."""
    return np.stack(np.divmod(scan_order(mask, order, k), mask.shape[1]), axis=1)


def travel(mask: np.ndarray, order: ScanOrder, k: int) -> float:
    """Distance over which the beam jumps, in points."""
    steps = np.hypot(*np.diff(places(mask, order, k), axis=0).T)
    return float(steps[steps > 1.5].sum())


@pytest.mark.parametrize("order", SCAN_ORDERS)
@settings(deadline=None)
@given(drawn=masks)
def test_every_point_is_visited_once(order: ScanOrder, drawn: tuple[np.ndarray, int]) -> None:
    mask, k = drawn
    assert np.array_equal(np.sort(scan_order(mask, order, k)), np.flatnonzero(mask))


@pytest.mark.parametrize("order", get_args(ScanOrder))
def test_files_of_every_order_hold_the_symbol(order: ScanOrder, tmp_path: Path) -> None:
    plan = plan_milling(RECORD, scan=order)
    assert write_pattern(plan, tmp_path / "a.str").matches
    assert plan.beam_on_time_s == plan_milling(RECORD).beam_on_time_s


def test_interlacing_leaves_every_other_row_for_later() -> None:
    rows = places(np.ones((5, 3), dtype=bool), "interlaced")[:, 0]
    assert rows[::3].tolist() == [0, 2, 4, 1, 3]


def test_spirals_go_from_ring_to_ring() -> None:
    mask = np.ones((7, 7), dtype=bool)
    rings = np.abs(places(mask, "spiral out") - 3).max(axis=1)
    assert (np.diff(rings) >= 0).all()
    out = places(mask, "spiral out").tolist()
    assert places(mask, "spiral in").tolist() == out[::-1]
    steps = np.abs(np.diff(out, axis=0)).max(axis=1)
    assert (steps <= 2).all()


def test_the_contour_comes_before_what_it_encloses() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[1:8, 1:8] = True
    depth = 3 - np.abs(places(mask, "contour first") - 4).max(axis=1)
    assert (np.diff(depth) >= 0).all()
    assert np.count_nonzero(depth == 0) == 24
    steps = np.abs(np.diff(places(mask, "contour first"), axis=0)).max(axis=1)
    assert np.count_nonzero(steps > 1) <= 3


def test_a_module_is_finished_before_the_next() -> None:
    k = 3
    modules = places(RECORD.milled.repeat(k, 0).repeat(k, 1), "module by module", k) // k
    changes = np.flatnonzero(np.any(np.diff(modules, axis=0) != 0, axis=1)) + 1
    assert changes.tolist() == list(range(k * k, k * k * RECORD.milled.sum(), k * k))


def test_random_is_the_same_every_time_and_has_no_direction() -> None:
    mask = RECORD.milled
    found = places(mask, "random")
    assert np.array_equal(found, places(mask, "random"))
    assert abs(np.corrcoef(np.arange(len(found)), found[:, 0])[0, 1]) < 0.1


@pytest.mark.parametrize("k", [1, 4, 7])
def test_the_shortest_travel_is_far_shorter_than_that_of_rows(k: int) -> None:
    mask = RECORD.milled.repeat(k, 0).repeat(k, 1)
    assert travel(mask, "shortest travel", k) < 0.6 * travel(mask, "serpentine", k)
    others = [order for order in SCAN_ORDERS if order != "shortest travel"]
    assert all(travel(mask, "shortest travel", k) < travel(mask, order, k) for order in others)


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="'zigzag' does not exist: use serpentine"):
        scan_order(np.ones((2, 2), dtype=bool), "zigzag")  # type: ignore[arg-type]
