"""What a reader needs of an image layer: its pixels, their size, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer, Shapes
from numpy.typing import NDArray

from napari_nanoqr.reading.image import open_source
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.layers import KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

LARGE = 100_000_000
"""Pixels from which on reading takes so long that the user should know."""

TOO_LARGE = 400_000_000
"""Pixels that would take several gigabytes of memory while they are brought into line."""

_MARGIN = 0.05
"""Of its size, by which a region is widened: a box drawn tight still shows the whole code."""

Box = tuple[int, int, int, int]
"""First row, end of rows, first column, end of columns."""


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
    last = np.asarray(_finest(layer).shape[: layer.ndim]) - 1
    index = np.clip(np.nan_to_num(place), 0, np.maximum(last, 0)).astype(int)
    index[[y, x]] = 0
    return Plane((y, x), tuple(int(i) for i in index))


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


def region_boxes(region: Shapes, layer: Image, plane: Plane) -> list[Box]:
    """Return the boxes around the shapes of a layer, in pixels of an image.

    Parameters
    ----------
    region : Shapes
        The selected shapes count, without a selection all of them.
    layer : Image
        The image; the two may be scaled, moved and turned in different ways.
    plane : Plane
        Its plane.

    Raises
    ------
    ValueError
        Where there is no shape, or none on the image.
    """
    chosen = sorted(region.selected_data) or range(len(region.data))
    if not chosen:
        raise ValueError(
            f"{region.name} has no shapes: draw a rectangle around the code, or set the region "
            "to the whole image."
        )
    ratios = unit_ratios(region.units, layer.units)
    height, width = (_finest(layer).shape[axis] for axis in plane.axes)
    boxes = []
    for i in chosen:
        world = [np.asarray(region.data_to_world(vertex)) * ratios for vertex in region.data[i]]
        points = np.array([layer.world_to_data(vertex) for vertex in world])[:, plane.axes]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = _MARGIN * (high - low)
        # rounded first: napari keeps shapes as float32
        first, last = np.floor(np.round(low - margin, 2)), np.ceil(np.round(high + margin, 2))
        top, left = np.maximum(first, 0).astype(int)
        bottom, right = np.minimum(last + 1, (height, width)).astype(int)
        if bottom - top > 1 and right - left > 1:
            boxes.append((int(top), int(bottom), int(left), int(right)))
    if not boxes:
        raise ValueError(
            f"{region.name} does not lie on {layer.name}: draw it over the code, or set "
            "the region to the whole image."
        )
    return boxes


@dataclass(frozen=True)
class ImageSource:
    """Pixels that are to be read, taken from a layer without touching it again.

    Parameters
    ----------
    data : array
        Of the layer, at its finest level; may be lazy.
    rgb : bool
        The last axis is colour.
    plane : Plane
        What is read.
    all_frames : bool
        All planes along the other axes, not only this one.
    pixel_size : PixelSize
        In nm and where from.
    tilt_deg : float or None
        Stage tilt.
    """

    data: Any
    rgb: bool
    plane: Plane
    all_frames: bool
    pixel_size: PixelSize
    tilt_deg: float | None = None

    @classmethod
    def of(
        cls, viewer: ViewerModel, layer: Image, all_frames: bool = True, given_nm: float = 0.0
    ) -> ImageSource:
        """Take what a viewer shows of a layer; a pixel size given in nm wins over what it says."""
        plane = plane_of(viewer, layer)
        size = pixel_size_of(layer, plane)
        if given_nm:
            size = PixelSize((given_nm, given_nm), "given")
        facts = layer.metadata.get(KEY)
        tilt = facts.get("tilt_deg") if isinstance(facts, dict) else None
        return cls(_finest(layer), bool(layer.rgb), plane, all_frames, size, tilt)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the plane."""
        y, x = self.plane.axes
        return int(self.data.shape[y]), int(self.data.shape[x])

    @property
    def frames(self) -> int:
        """Number of planes along the other axes."""
        others = [n for axis, n in enumerate(self._axes) if axis not in self.plane.axes]
        return int(np.prod(others, dtype=np.int64))

    @property
    def pixels(self) -> int:
        """Number of pixels that are read."""
        return int(np.prod(self.shape, dtype=np.int64)) * (self.frames if self.all_frames else 1)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(self.data.shape[: len(self.plane.index)])

    def describe(self) -> str:
        """Say what kind of image it is, in a line."""
        rows, columns = self.shape
        words = [f"{columns} × {rows} px"]
        if self.frames != 1:
            words.append(f"{self.frames} frames")
        words.append("colour" if self.rgb else str(np.dtype(self.data.dtype)))
        if self.pixels > LARGE:
            words.append("large, draw a region to be quicker")
        return " · ".join(words)

    def micrograph(self, box: Box | None = None) -> Micrograph:
        """Load the pixels, all or those in a box.

        Raises
        ------
        ValueError
            With what to try, where there is nothing that could be read.
        """
        y, x = self.plane.axes
        rows, columns = self.shape
        top, bottom, left, right = box or (0, rows, 0, columns)
        frames = self.frames if self.all_frames else 1
        if not (rows and columns and frames):
            raise ValueError("This image is empty. Choose another one.")
        if (bottom - top) * (right - left) * frames > TOO_LARGE:
            raise ValueError(
                f"{frames} frames of {right - left} × {bottom - top} pixels are too many for one "
                "reading: draw a region, or read the current frame only."
                if frames > 1
                else f"{right - left} × {bottom - top} pixels are too many for one reading: draw "
                "a region around the code."
            )
        taken: list[Any] = [slice(None) if self.all_frames else slice(i, i + 1)
                            for i in self.plane.index]  # fmt: skip
        taken[y], taken[x] = slice(top, bottom), slice(left, right)
        pixels = np.asarray(self.data[tuple(taken)])
        end = (-3, -2) if self.rgb else (-2, -1)
        pixels = np.moveaxis(pixels, (y, x), end)
        pixels = pixels.reshape((frames, *pixels.shape[end[0] :]))
        if self.rgb:
            pixels = np.concatenate([open_source(frame).frames for frame in pixels])
        _check(pixels)
        metadata = {} if self.tilt_deg is None else {"tilt_deg": self.tilt_deg}
        return Micrograph(
            pixels[0] if frames == 1 else pixels,
            self.pixel_size.nm,
            None if self.pixel_size.nm is None else self.pixel_size.source,
            metadata,
        )


def _check(pixels: NDArray[Any]) -> None:
    """Refuse an image in which nothing can be seen."""
    # a coarse look first, for most images are neither
    sample = pixels[..., ::7, ::7]
    low, high = float(sample.min()), float(sample.max())
    if np.isfinite([low, high]).all() and low < high:
        return
    if pixels.dtype.kind == "f":
        finite = np.isfinite(pixels)
        if not finite.any():
            raise ValueError(
                "This image has no values: every pixel is NaN or infinite. Choose another "
                "image or frame."
            )
        low, high = float(pixels[finite].min()), float(pixels[finite].max())
    else:
        low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        raise ValueError(
            f"This image is {low:g} everywhere: there is nothing to read in it. Choose another "
            "image, frame or region."
        )


def _finest(layer: Layer) -> Any:
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data
