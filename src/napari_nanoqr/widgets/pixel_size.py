"""The size of a layer's pixels in nm, and where it is known from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from napari.layers import Image, Layer

from napari_nanoqr.widgets.layers import KEY
from napari_nanoqr.widgets.planes import Plane, nm_per_unit, to_world


@dataclass(frozen=True)
class PixelSize:
    """The size of a layer's pixels.

    Parameters
    ----------
    nm : (float, float) or None
        y and x, None where it is not known.
    source : str
        Where it comes from, in words.
    from_file : bool
        A command that reads the layer's file would find the same.
    """

    nm: tuple[float, float] | None
    source: str
    from_file: bool = False

    def __str__(self) -> str:
        if self.nm is None:
            return f"unknown ({self.source})"
        y, x = self.nm
        size = f"{x:.5g} nm" if np.isclose(y, x, rtol=1e-6) else f"{y:.5g} × {x:.5g} nm (y × x)"
        return f"{size} ({self.source})"


def pixel_size_of(layer: Image, plane: Plane) -> PixelSize:
    """Find the pixel size of a layer, and say where it comes from.

    What the file said counts as long as the layer's scale agrees with it, else the scale
    counts where its units are lengths.
    """
    y, x = plane.axes
    base, along_y, along_x = to_world(layer, plane, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    lengths = [nm_per_unit(unit) for unit in layer.units]
    seen = None
    units = [lengths[y], lengths[x]]
    if None not in units:
        in_nm = np.array([1.0 if length is None else length for length in lengths])
        seen = (
            float(np.linalg.norm((along_y - base) * in_nm)),
            float(np.linalg.norm((along_x - base) * in_nm)),
        )
    told = _told_by_file(layer)
    if told is not None:
        size, source = told
        if seen is not None and np.allclose(size, seen, rtol=1e-4):
            return PixelSize(size, source, from_file=True)
        if seen is None and np.allclose(np.asarray(layer.scale)[[y, x]], 1):
            return PixelSize(size, source, from_file=True)
    if seen is not None:
        unit = f"{layer.units[x]:~P}"
        replaced = "" if told is None else f"; the file said {told[0][1]:.5g} nm"
        return PixelSize(seen, f"layer scale, {unit}{replaced}")
    return PixelSize(None, "the layer has no unit of length")


def _told_by_file(layer: Layer) -> tuple[tuple[float, float], str] | None:
    facts = layer.metadata.get(KEY)
    if not isinstance(facts, dict) or facts.get("kind") != "micrograph":
        return None
    size, source = facts.get("pixel_size_nm"), facts.get("pixel_size_source")
    if not isinstance(size, list | tuple) or len(size) != 2:
        return None
    try:
        y, x = float(size[0]), float(size[1])
    except (TypeError, ValueError):
        return None
    return ((y, x), str(source or "file")) if y > 0 and x > 0 else None


def path_of(layer: Layer) -> str | None:
    """Return the file that a layer was opened from, None where there is none."""
    facts = layer.metadata.get(KEY)
    if isinstance(facts, dict) and facts.get("path"):
        return str(facts["path"])
    return None if layer.source.path is None else str(layer.source.path)
