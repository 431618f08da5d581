"""Where result layers lie: on the image that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_nanoqr.widgets.planes import Plane, to_world

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Place:
    """Where result layers lie: on an image, in its units.

    Parameters
    ----------
    ndim : int
        2, unless the image is seen along an unusual pair of axes.
    axes : (int, int)
        Axes of the result layers that are seen as y and x.
    fixed : (ndim,) float array
        World coordinates of the plane.
    matrix : (2, 3) float array
        From pixels (y, x, 1) of the image to world coordinates along ``axes``.
    units, axis_labels : tuple
        Of the result layers.
    """

    ndim: int
    axes: tuple[int, int]
    fixed: NDArray[np.float64]
    matrix: NDArray[np.float64]
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]

    @classmethod
    def on(cls, viewer: ViewerModel, image: Image, plane: Plane) -> Place:
        """Find the place of results that belong to the plane of an image."""
        total = viewer.dims.ndim
        # axes count from the last one, as napari brings layers into line
        seen = [axis - image.ndim for axis in plane.axes]
        ndim = 2 if set(seen) == {-2, -1} else total
        axes = (seen[0] + ndim, seen[1] + ndim)
        base, down, right = to_world(image, plane, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        matrix = np.stack([(down - base)[seen], (right - base)[seen], base[seen]], axis=1)
        fixed = np.zeros(ndim)
        common = min(ndim, image.ndim)
        fixed[-common:] = base[-common:]
        units: list[Any] = ["pixel"] * ndim
        units[-common:] = [str(unit) for unit in image.units[-common:]]
        labels = list(image.axis_labels[-common:])
        if all(label.startswith("axis ") for label in labels):
            labels = [f"axis {i - common}" for i in range(common)]
            labels[seen[0]], labels[seen[1]] = "y", "x"
        labels = [f"axis {i - ndim}" for i in range(ndim - common)] + labels
        return cls(ndim, axes, fixed, matrix, tuple(units), tuple(labels))

    def world(self, yx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(n, ndim)`` world coordinates of ``(n, 2)`` pixels of the image."""
        points = np.tile(self.fixed, (len(yx), 1))
        points[:, self.axes] = np.asarray(yx) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return points

    def affine(self, step: float, corner: tuple[float, float]) -> NDArray[np.float64]:
        """Return the affine of a layer with pixels of another size.

        Parameters
        ----------
        step : float
            Size of its pixels in pixels of the image.
        corner : (float, float)
            Centre of its first pixel, in pixels of the image.
        """
        result = np.eye(self.ndim + 1)
        result[:-1, -1] = self.fixed
        result[np.ix_(self.axes, self.axes)] = self.matrix[:, :2] * step
        result[self.axes, -1] = self.matrix[:, :2] @ np.array(corner) + self.matrix[:, 2]
        return result

    @property
    def world_per_pixel(self) -> float:
        """Length of a pixel of the image in world coordinates, mean of y and x."""
        return float(np.linalg.norm(self.matrix[:, :2], axis=0).mean())
