"""The plane of a layer that is on the screen, and the way from its pixels to the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Plane:
    """The plane of a layer that is on the screen.

    Parameters
    ----------
    axes : (int, int)
        Axes of the layer that are seen as y and x.
    index : tuple of int
        Where the plane stands along each axis of the layer, in data coordinates; 0 along
        those of the plane.
    """

    axes: tuple[int, int]
    index: tuple[int, ...]

    def points(self, yx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(n, ndim)`` data coordinates of ``(n, 2)`` points of the plane."""
        points = np.tile(np.asarray(self.index, dtype=np.float64), (len(yx), 1))
        points[:, self.axes] = yx
        return points


def nm_per_unit(unit: Any) -> float | None:
    """Return a unit in nm, None for one that is no length.

    Parameters
    ----------
    unit : pint.Unit
        As in ``layer.units``.
    """
    quantity = 1.0 * unit
    return float(quantity.to("nm").magnitude) if quantity.check("[length]") else None


def unit_ratios(units: Any, others: Any) -> NDArray[np.float64]:
    """Return by what coordinates in some units are multiplied to have them in others.

    Axes that are no lengths in either keep their numbers, as napari has it. The last axes
    correspond, as everywhere in napari.
    """
    ratios = np.ones(len(units))
    for i in range(1, min(len(units), len(others)) + 1):
        here, there = nm_per_unit(units[-i]), nm_per_unit(others[-i])
        if here is not None and there is not None:
            ratios[-i] = here / there
    return ratios


def plane_of(viewer: ViewerModel, layer: Layer) -> Plane:
    """Return the plane of a layer that the viewer shows, or would show in 2D."""
    dims = viewer.dims
    offset = dims.ndim - layer.ndim
    y, x = (axis - offset for axis in dims.order[-2:])
    if min(y, x) < 0 or max(y, x) >= layer.ndim:
        y, x = layer.ndim - 2, layer.ndim - 1
    shown = viewer.layers.extent.units or layer.units
    ratios = unit_ratios(shown, layer.units)[-layer.ndim :]
    point = np.asarray(dims.point, dtype=np.float64)[-layer.ndim :] * ratios
    place = np.rint(np.asarray(layer.world_to_data(point)))
    last = np.asarray(finest(layer).shape[: layer.ndim]) - 1
    index = np.clip(np.nan_to_num(place), 0, np.maximum(last, 0)).astype(int)
    index[[y, x]] = 0
    return Plane((y, x), tuple(int(i) for i in index))


def to_world(layer: Layer, plane: Plane, yx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return world coordinates, in the layer's units, of points of a plane.

    Parameters
    ----------
    layer : Layer
        The image.
    plane : Plane
        Its plane.
    yx : (n, 2) float array
        In pixels; the centre of the first pixel is (0, 0).

    Returns
    -------
    (n, ndim) float array
        With the layer's scale, rotation, shear, translation and affine.
    """
    return np.array([layer.data_to_world(point) for point in plane.points(yx)], dtype=np.float64)


def finest(layer: Layer) -> Any:
    """Return the pixels of a layer, of a pyramid those at full size."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data
