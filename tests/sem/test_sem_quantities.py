"""Numbers with units as microscopes write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.sem.files.quantities import in_nm, in_si, number, pixel_size, plain
from napari_nanoqr.sem.files.text import decode, json_safe, parse_sections


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("593.3 nm", 593.3),
        ("607.5 µm", 607500),
        ("607.5 μm", 607500),
        ("1.5um", 1500),
        ("820 pm", 0.82),
        ("2.5 Å", 0.25),
        ("3 micron", 3000),
        ("1e-9 m", 1),
        ("5 kV", None),
        ("nm", None),
        ("", None),
        (None, None),
    ],
)
def test_lengths_of_any_unit_become_nm(text, nm):
    assert in_nm(text) == (None if nm is None else pytest.approx(nm, rel=1e-12))


def test_a_unit_in_the_text_goes_before_the_expected_one():
    assert in_si("5.00", "V", "kV") == 5000
    assert in_si("5000 Volt", "V", "kV") == 5000
    assert in_si(2e-7, "s", "s") == 2e-7


@given(st.floats(1e-3, 1e6))
def test_any_size_between_the_limits_can_be_true(nm):
    assert pixel_size(nm, nm) == pytest.approx((nm, nm), rel=1e-11)


@pytest.mark.parametrize("bad", [0.0, -5.0, math.nan, math.inf, 1e-4, 2e6])
def test_a_size_that_cannot_be_true_is_unknown(bad):
    assert pixel_size(bad, 5.0) is None
    assert pixel_size(5.0, bad) is None
    assert pixel_size(bad, bad) is None


def test_one_side_of_a_pixel_stands_for_both():
    assert pixel_size(None, 5.0) == (5.0, 5.0)
    assert pixel_size(4.0, None) == (4.0, 4.0)
    assert pixel_size(None, None) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-1.5e3", -1500.0),
        ("007", "007"),
        ("12345678901234567890", "12345678901234567890"),
        ("10.1.7.5675", "10.1.7.5675"),
        ("nan", "nan"),
        ("1e999", "1e999"),
        ("5 kV", "5 kV"),
    ],
)
def test_a_field_becomes_a_number_only_where_nothing_is_lost(text, value):
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_infinity_is_no_number():
    assert number("1e999") is None
    assert number(True) is None


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4, max_size=40))
def test_text_is_decoded_whatever_the_encoding(text):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"):
        assert decode(text.encode(encoding)) == text


def test_sections_survive_lines_that_are_not_theirs():
    text = "before=1\n[A]\nx = 5\nnonsense\nx=6\n[B]\ny=100%\n"
    assert parse_sections(text) == {"": {"before": "1"}, "A": {"x": "6"}, "B": {"y": "100%"}}


def test_what_json_cannot_carry_is_made_plain():
    assert json_safe({1: (math.nan, 2.5), "a": [None, True]}) == {
        "1": [None, 2.5],
        "a": [None, True],
    }
