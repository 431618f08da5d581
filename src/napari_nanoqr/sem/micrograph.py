"""A micrograph: pixels with the size of a pixel, where that size comes from, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Micrograph:
    """An electron micrograph, or a stack of frames of one field of view.

    Parameters
    ----------
    image : ndarray
        ``(y, x)`` grey values, ``(frame, y, x)`` for a stack; any real dtype. The data bar,
        where the file says how tall it is, is not part of it. A picture too large to be loaded
        at once is a dask array: what is sliced out of it is read from the file then.
    pixel_size_nm : tuple of float or None
        Pixel size ``(y, x)`` in nm as the specimen is seen by the scan (no tilt
        correction applied), or None where it is not known.
    pixel_size_source : str or None
        Where the pixel size was read, in words for people, e.g. ``"Zeiss tag 34118"``.
    metadata : dict
        The acquisition as plain JSON-able values. Keys with a fixed meaning, each present
        only where the file tells: ``vendor``; ``beam`` (``"electron"`` or ``"ion"``);
        ``tilt_deg``, ``tilt_correction`` (bool) and ``tilt_correction_deg``; ``dwell_s`` of
        one scan and ``averaged``, how many scans the image averages or adds;
        ``beam_current_a``, ``landing_energy_ev``, ``detector``, ``databar_rows``. ``conflicts`` has
        a sentence under the name of each quantity of which two fields disagree, such as
        ``pixel_size_nm``; ``notes`` are other sentences for people.
        The file's own entries are in ``fields``, by their own names.
    databar : ndarray or None
        The rows that were cut off, ``(rows, x)`` or ``(frame, rows, x)``.
    path : Path or None
        The file it was read from.
    coarser : tuple of array
        The image with ever fewer pixels, for viewers; empty where it is small.
    """

    image: NDArray[Any]
    pixel_size_nm: tuple[float, float] | None = None
    pixel_size_source: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    databar: NDArray[Any] | None = None
    path: Path | None = None
    coarser: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.image.ndim not in (2, 3):
            raise ValueError(
                "a micrograph is one (y, x) image or a (frame, y, x) stack, "
                f"not an array of shape {self.image.shape}"
            )

    @property
    def frames(self) -> int:
        """Number of frames of the stack; 1 for a single image."""
        return 1 if self.image.ndim == 2 else int(self.image.shape[0])

    @property
    def mean_image(self) -> NDArray[np.float32]:
        """Mean over the frames without registration, ``(y, x)`` float32."""
        image = np.asarray(self.image, dtype=np.float32)
        return image if image.ndim == 2 else np.asarray(image.mean(axis=0, dtype=np.float32))

    def region(self, top: int, left: int, height: int, width: int) -> Micrograph:
        """Return a part of the image, loaded; the rest of a large one stays in its file.

        Parameters
        ----------
        top, left : int
            First row and column, counted from 0.
        height, width : int
            Rows and columns; what lies outside the image is left out.

        Returns
        -------
        Micrograph
            ``(height, width)``, or as many frames of it, without data bar.

        Raises
        ------
        ValueError
            Where nothing of the image lies in it.
        """
        rows, columns = self.image.shape[-2:]
        y, x = max(top, 0), max(left, 0)
        bottom, right = min(top + height, rows), min(left + width, columns)
        if bottom <= y or right <= x:
            raise ValueError(
                f"The region of {width} x {height} pixels from column {left} and row {top} on does "
                f"not lie on the image of {columns} x {rows}."
            )
        part = np.ascontiguousarray(self.image[..., y:bottom, x:right])
        return replace(self, image=part, databar=None, coarser=())
