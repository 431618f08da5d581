"""What a micrograph is, for ``nanoqr info`` and for reports."""

from __future__ import annotations

from typing import Any

from napari_nanoqr.sem.micrograph import Micrograph


def describe_micrograph(micrograph: Micrograph) -> dict[str, Any]:
    """Describe a micrograph by values that JSON can carry.

    Returns
    -------
    dict
        ``kind`` (``"micrograph"``), ``file``, ``vendor``, ``pixel_size_nm`` (a number, or
        ``[y, x]`` where the two differ), ``pixel_size_source``, ``tilt_deg``, ``dwell_s``,
        ``beam_current_a``, ``landing_energy_ev``, ``detector``,
        ``databar_rows``, ``frames``, ``shape``, ``dtype``; None where unknown.
        ``conflicts``: sentences about fields that disagree, by quantity; ``notes``.
    """
    metadata = micrograph.metadata
    size: float | list[float] | None = None
    if micrograph.pixel_size_nm is not None:
        y_nm, x_nm = micrograph.pixel_size_nm
        size = x_nm if y_nm == x_nm else [y_nm, x_nm]
    return {
        "kind": "micrograph",
        "file": None if micrograph.path is None else str(micrograph.path),
        "vendor": metadata.get("vendor"),
        "pixel_size_nm": size,
        "pixel_size_source": micrograph.pixel_size_source,
        "tilt_deg": metadata.get("tilt_deg"),
        "dwell_s": metadata.get("dwell_s"),
        "beam_current_a": metadata.get("beam_current_a"),
        "landing_energy_ev": metadata.get("landing_energy_ev"),
        "detector": metadata.get("detector"),
        "databar_rows": metadata.get("databar_rows"),
        "frames": micrograph.frames,
        "shape": list(micrograph.image.shape),
        "dtype": str(micrograph.image.dtype),
        "conflicts": metadata.get("conflicts", {}),
        "notes": metadata.get("notes", []),
    }
