"""Quantities are said with the digits that their uncertainty leaves."""

from __future__ import annotations

import pytest

from napari_nanoqr.measuring.quantity import COVERAGE, Quantity


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (Quantity(49.01234, 0.0123 / COVERAGE, "nm"), "49.012 ± 0.012 nm"),
        (Quantity(1234.5, 23.0 / COVERAGE, "nm"), "1234 ± 23 nm"),
        (Quantity(0.25, 0.1 / COVERAGE), "0.25 ± 0.10"),
        (Quantity(49.01234, None, "nm"), "49.01 nm"),
        (Quantity(3.0, float("nan"), "nm"), "3 nm"),
        (Quantity(-1.5, 0.0, "nm"), "-1.5 nm"),
    ],
)
def test_a_quantity_is_said_with_two_digits_of_its_uncertainty(
    quantity: Quantity, said: str
) -> None:
    assert str(quantity) == said


def test_a_quantity_becomes_plain_json() -> None:
    assert Quantity(2.0, 0.5, "nm").to_dict() == {
        "value": 2.0, "uncertainty": 0.98, "unit": "nm"
    }  # fmt: skip
