"""Labels can be told apart, and marks from themselves moved."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_nanoqr.design.lettering import CHARACTERS, NoLetter, lettering
from napari_nanoqr.design.marks import SIDE, corner, cross, drift_mark

INK = [letter for letter in CHARACTERS if letter != " "]


def test_all_digits_and_capitals_are_there() -> None:
    assert set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ .-+/") <= set(CHARACTERS)


def test_any_two_letters_differ_in_more_than_one_cell() -> None:
    for one, other in combinations(INK, 2):
        assert np.count_nonzero(lettering(one) != lettering(other)) > 1, (one, other)


@given(st.text(st.sampled_from(INK), min_size=1, max_size=12))
def test_a_text_is_its_letters_with_a_light_column_between(text: str) -> None:
    drawn = lettering(text)
    assert drawn.shape == (7, 6 * len(text) - 1)
    for number, letter in enumerate(text):
        assert (drawn[:, 6 * number : 6 * number + 5] == lettering(letter)).all()
    assert not drawn[:, 5::6].any()


def test_small_letters_are_written_as_capitals() -> None:
    assert (lettering("a1x") == lettering("A1X")).all()


@pytest.mark.parametrize(("text", "said"), [("5 µm", "'Μ'"), ("ö", "'Ö'"), ("a\n", "'\\\\n'")])
def test_what_cannot_be_milled_is_named(text: str, said: str) -> None:
    with pytest.raises(NoLetter, match=said):
        lettering(text)


@pytest.mark.parametrize("text", ["", "   "])
def test_a_label_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(NoLetter, match="has to hold"):
        lettering(text)


def highest_other_peak(mark: NDArray[np.bool_]) -> float:
    """The second highest value of a mark's correlation with itself, in shares of the highest."""
    cells = np.pad(mark - mark.mean(), SIDE)
    spectrum = np.abs(np.fft.fft2(cells)) ** 2
    correlation = np.sort(np.fft.ifft2(spectrum).real.ravel())
    return float(correlation[-2] / correlation[-1])


def test_the_drift_mark_is_told_from_itself_moved_better_than_the_others() -> None:
    assert highest_other_peak(drift_mark()) < 0.3
    assert highest_other_peak(drift_mark()) < 0.7 * highest_other_peak(cross())


def test_the_corner_tells_which_way_up_a_field_is() -> None:
    turned = [np.rot90(corner(), quarter) for quarter in range(4)]
    assert all((one != other).any() for one, other in combinations(turned, 2))


def test_the_cross_does_not() -> None:
    assert (np.rot90(cross()) == cross()).all()
