"""What the tests of the widgets share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def installed_plugin(npe2pm: Any) -> Iterator[None]:
    """Make our plugin known, which npe2 hides from tests by default, and no other."""
    with npe2pm.tmp_plugin(package="napari-nanoqr"):
        yield
