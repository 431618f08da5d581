"""What a reader takes of an image layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_nanoqr.reading.image import open_source
from napari_nanoqr.sem.given import Given
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.widgets.layers import KEY
from napari_nanoqr.widgets.pixel_size import PixelSize, pixel_size_of
from napari_nanoqr.widgets.planes import Plane, finest, plane_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

LARGE = 100_000_000
"""Pixels from which on reading takes so long that the user should know."""

TOO_LARGE = 400_000_000
"""Pixels that would take several gigabytes of memory while they are brought into line."""

ACQUISITION = (
    "beam", "tilt_deg", "tilt_correction", "beam_current_a", "dwell_s", "averaged",
)  # fmt: skip
"""Of a micrograph's metadata, what reading makes use of."""

Box = tuple[int, int, int, int]
"""First row, end of rows, first column, end of columns."""


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
    acquisition : dict
        What the layer's metadata tell of tilt and dose, under the names that a micrograph has.
    """

    data: Any
    rgb: bool
    plane: Plane
    all_frames: bool
    pixel_size: PixelSize
    acquisition: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        viewer: ViewerModel,
        layer: Image,
        all_frames: bool = True,
        given: Given | None = None,
    ) -> ImageSource:
        """Take what a viewer shows of a layer; what is given wins over what the layer says."""
        given = given or Given()
        plane = plane_of(viewer, layer)
        size = pixel_size_of(layer, plane)
        if given.pixel_size_nm is not None:
            size = PixelSize((given.pixel_size_nm, given.pixel_size_nm), "given")
        facts = layer.metadata.get(KEY)
        facts = given.over(facts if isinstance(facts, dict) else {})
        known = {key: facts[key] for key in ACQUISITION if facts.get(key) is not None}
        return cls(finest(layer), bool(layer.rgb), plane, all_frames, size, known)

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
        return Micrograph(
            pixels[0] if frames == 1 else pixels,
            self.pixel_size.nm,
            None if self.pixel_size.nm is None else self.pixel_size.source,
            dict(self.acquisition),
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
