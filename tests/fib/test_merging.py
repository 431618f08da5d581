"""Merged cells cover what they should exactly once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.fib.merging import merge_rectangles


@given(
    seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 9), columns=st.integers(1, 9),
    kinds=st.integers(1, 4),
)  # fmt: skip
def test_rectangles_cover_each_class_exactly_once(
    seed: int, rows: int, columns: int, kinds: int
) -> None:
    classes = np.random.default_rng(seed).integers(0, kinds, (rows, columns))
    covered = np.zeros(classes.shape, dtype=int)
    for (top, left, bottom, right), value in zip(*merge_rectangles(classes), strict=True):
        assert not covered[top:bottom, left:right].any()
        covered[top:bottom, left:right] = value
    assert np.array_equal(covered, classes)


def test_equal_runs_are_joined() -> None:
    rectangles, values = merge_rectangles(np.full((7, 5), 3))
    assert (rectangles.tolist(), values.tolist()) == ([[0, 0, 7, 5]], [3])


def test_runs_of_different_classes_are_not() -> None:
    rectangles, values = merge_rectangles(np.array([[1, 1, 2], [1, 1, 0]]))
    assert rectangles.tolist() == [[0, 0, 2, 2], [0, 2, 1, 3]]
    assert values.tolist() == [1, 2]
