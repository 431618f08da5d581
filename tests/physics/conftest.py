"""A small design that the tests of the prediction use."""

from __future__ import annotations

import pytest

from napari_nanoqr.design.design import Design
from napari_nanoqr.symbols.encode import encode


@pytest.fixture(scope="session")
def record() -> Design:
    """The record's case: 29 x 29 modules of 49 nm in 15 nm CrN on glass."""
    return Design(encode("https://www.tuwien.at/en/", "M", 3))
