"""Shapes with a dose each: taken from an exposure by XML formats, and made a pattern again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.xml_tree import Element
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern

MOST_SHAPES = 100_000
"""Shapes that are written into one XML file; half a gigabyte in the wordiest of them."""

MOST_NOTES = 20
"""Shapes that are named one by one when they are left out."""

CIRCLE_CORNERS = 128
"""Corners of the polygon that stands for a circle."""


def rectangles_of(exposure: Exposure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rectangles of an exposure for a format that spends a lot of text on each.

    Returns
    -------
    rectangles_nm, factors
        See :meth:`~napari_nanoqr.fib.exposure.Exposure.rectangles`.

    Raises
    ------
    ValueError
        Where there are more than an instrument's program could be expected to take.
    """
    rectangles_nm, factors = exposure.rectangles()
    if len(factors) > MOST_SHAPES:
        raise ValueError(
            f"{len(factors):,} rectangles are too many for a format that describes each one by "
            f"one; the most is {MOST_SHAPES:,}. Use fewer points a module, one dose for all, a "
            "stream or a layout."
        )
    return rectangles_nm, factors


def rectangle(
    x: float, y: float, width: float, height: float, turned: float = 0.0
) -> NDArray[np.float64]:
    """Return the corners of a rectangle, ``(4, 2)``.

    Parameters
    ----------
    x, y : float
        Its centre.
    width, height : float
        Its sides.
    turned : float
        By how many radians about its centre, from x to y.
    """
    across, up = width / 2, height / 2
    if turned == 0:
        left, right, low, high = x - across, x + across, y - up, y + up
        return np.array([(left, low), (right, low), (right, high), (left, high)])
    corners = np.array([(-across, -up), (across, -up), (across, up), (-across, up)])
    cos, sin = math.cos(turned), math.sin(turned)
    return np.asarray(corners @ np.array([(cos, sin), (-sin, cos)]) + (x, y))


def ring(x: float, y: float, outer: float, inner: float = 0.0) -> NDArray[np.float64]:
    """Return a circle as a polygon of the same area; a ring is cut open along its radius.

    Parameters
    ----------
    x, y : float
        Its centre.
    outer, inner : float
        Its radii; the inner one is 0 for a full circle.
    """
    angle = 2 * np.pi / CIRCLE_CORNERS
    turns = np.arange(CIRCLE_CORNERS + 1) * angle
    unit = np.stack((np.cos(turns), np.sin(turns)), axis=1) * math.sqrt(angle / math.sin(angle))
    parts = [unit[:-1] * outer] if inner <= 0 else [unit * outer, unit[::-1] * inner]
    return np.asarray(np.concatenate(parts) + np.array((x, y)))


@dataclass
class Shapes:
    """Shapes as they are found in a file.

    Parameters
    ----------
    format : str
        Name of the format, for people.
    path : Path
        The file.
    """

    format: str
    path: Path
    notes: list[str] = field(default_factory=list)
    beams: list[Beam] = field(default_factory=list)
    _polygons: list[NDArray[np.float64]] = field(default_factory=list)
    _doses: list[float] = field(default_factory=list)
    _layers: list[int] = field(default_factory=list)
    _left_out: int = 0

    def add(self, corners_nm: NDArray[np.float64], dose: float | None, layer: int = 0) -> None:
        """Add a shape.

        Parameters
        ----------
        corners_nm : (k, 2) float64 array
            With y up.
        dose : float or None
            In nC/um^2; None where the file does not tell it.
        layer : int
            On which it lies.
        """
        self._polygons.append(corners_nm * (1, -1))
        self._doses.append(math.nan if dose is None else dose)
        self._layers.append(layer)

    def tell_beam(self, current_pa: float, spot_nm: float) -> None:
        """Take note of the beam of a shape; what is not positive is no beam."""
        if current_pa > 0 and spot_nm > 0:
            self.beams.append(Beam(current_pa, spot_nm, "as in the file", source="the file"))

    def note(self, element: Element, what: str) -> None:
        """Note what is worth saying about an element, with its line."""
        self.notes.append(f"Line {element.line}: {element.tag} {what}")

    def leave_out(self, element: Element, why: str) -> None:
        """Note that an element is not among the shapes, and why."""
        self._left_out += 1
        if self._left_out <= MOST_NOTES:
            self.note(element, f"is left out: {why}")

    def pattern(
        self, metadata: dict[str, Any], hfw_um: float | None, own_hfw_um: float | None = None
    ) -> ShapePattern:
        """Return all shapes as a pattern.

        Parameters
        ----------
        metadata : dict
            What the sidecar says.
        hfw_um : float or None
            Field width in um that is known from elsewhere.
        own_hfw_um : float or None
            The one that the file tells.

        Returns
        -------
        ShapePattern
            Its base dose is the one that most of the area has.

        Raises
        ------
        BadPattern
            Where there is no shape.
        """
        if not self._polygons:
            why = f" {self.notes[0]}" if self.notes else ""
            raise BadPattern(f"{self.path.name} holds no shape that could be milled.{why}")
        notes = list(self.notes)
        if self._left_out > MOST_NOTES:
            notes.append(f"{self._left_out - MOST_NOTES} more are left out.")
        doses = np.array(self._doses)
        if np.isnan(doses).any():
            if not np.isnan(doses).all():
                notes.append("Some shapes do not tell their dose, so all are shown alike.")
            doses = np.full(len(doses), math.nan)
        found = ShapePattern(
            format=self.format,
            hfw_um=own_hfw_um if hfw_um is None else hfw_um,
            hfw_source="the file" if hfw_um is None and own_hfw_um is not None else None,
            metadata=metadata,
            path=self.path,
            own_beam=self._beam(notes),
            notes=tuple(notes),
            polygons_nm=tuple(self._polygons),
            dose_factors=np.ones(len(doses)),
            layers=np.array(self._layers, dtype=np.int64),
        )
        base = _usual(doses, found.areas_um2)
        factors = np.ones(len(doses)) if base is None else doses / base
        return replace(found, base_dose_nc_per_um2=base, dose_factors=factors)

    def _beam(self, notes: list[str]) -> Beam | None:
        currents = {f"{beam.current_pa:.4g} pA" for beam in self.beams}
        if len(currents) > 1:
            notes.append(f"Its shapes are for different beams: {', '.join(sorted(currents))}.")
            return None
        return self.beams[0] if self.beams else None


def _usual(doses: NDArray[np.float64], areas: NDArray[np.float64]) -> float | None:
    """Return the dose that most of the area has, None where none is told."""
    if not (doses > 0).any():
        return None
    # values that differ by what rounding leaves are one
    values, which = np.unique([float(f"{dose:.6g}") for dose in doses], return_inverse=True)
    share = np.where(values > 0, np.bincount(which, areas, values.size), -1.0)
    chosen = which == int(np.argmax(share))
    return float(doses[chosen].mean())
