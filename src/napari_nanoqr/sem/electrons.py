"""Electron dose: how many electrons hit a pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

ELECTRONS_PER_PA_US = 6.24
"""Electrons in 1 pA x 1 us."""


def electrons_per_pixel(metadata: Mapping[str, Any]) -> float | None:
    """Return the primary electrons for each pixel of an image.

    Parameters
    ----------
    metadata : mapping
        Of a `napari_nanoqr.sem.micrograph.Micrograph`: ``beam_current_a``, ``dwell_s`` of one
        scan, and ``averaged``, the number of scans, where it is not one.

    Returns
    -------
    float or None
        None where current or dwell are not told or make no sense, or where the beam is one of
        ions.
    """
    if metadata.get("beam") == "ion":
        return None
    current, dwell = (_positive(metadata.get(key)) for key in ("beam_current_a", "dwell_s"))
    if current is None or dwell is None:
        return None
    scans = _positive(metadata.get("averaged")) or 1.0
    return ELECTRONS_PER_PA_US * current * 1e12 * dwell * 1e6 * scans


def _positive(value: Any) -> float | None:
    if isinstance(value, (int, float)) and np.isfinite(value) and value > 0:
        return float(value)
    return None
