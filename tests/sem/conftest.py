"""Small SEM files with the tags of real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

ASCII, BYTE, UNDEFINED = 2, 1, 7


def ramp(height: int = 24, width: int = 32, dtype: Any = np.uint8) -> np.ndarray:
    """Grey values that differ from pixel to pixel."""
    values = np.arange(height * width).reshape(height, width) * 7
    return (values % (250 if np.dtype(dtype).itemsize == 1 else 60000)).astype(dtype)


@pytest.fixture
def image() -> np.ndarray:
    return ramp()


@pytest.fixture
def sem_tiff(tmp_path: Path) -> Callable[..., Path]:
    """Write a TIFF with private tags, ``tags={34682: text or bytes}``."""

    def write(
        data: np.ndarray | None = None,
        tags: dict[int, str | bytes] | None = None,
        name: str = "image.tif",
        **options: Any,
    ) -> Path:
        extra = []
        for code, value in (tags or {}).items():
            if isinstance(value, str):
                extra.append((code, ASCII, 0, value, True))
            else:
                extra.append((code, UNDEFINED, len(value), value, True))
        path = tmp_path / name
        settings = {"metadata": None, "extratags": extra, "photometric": "minisblack"} | options
        tifffile.imwrite(path, ramp() if data is None else data, **settings)
        return path

    return write
