"""Where each pixel of a micrograph looks on the specimen, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.physics.scan import ScanFaults


@dataclass(frozen=True)
class View:
    """A scan over a specimen.

    Parameters
    ----------
    pixel_size_nm : float
        Step of the scan, the same in x and y.
    rows, columns : int
        Size of the image in pixels.
    rotation_deg : float
        By which the specimen appears turned, counter-clockwise as seen, before the tilt.
    tilt_deg : float
        Tilt of the stage about the image's x axis; y shrinks by its cosine.
    drift_nm : tuple of float
        By how much (y, x) the specimen moves in the image plane from the first pixel to the
        last one of the last frame, at a constant rate.
    frames : int
        Frames, one right after the other.
    faults : ScanFaults
        What else displaces what is scanned, and charging.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    Pixel coordinates are (y, x) with the centre of the first pixel at 0, 0; specimen
    coordinates are x to the right and y down in nm, 0 at the middle of the image.
    """

    pixel_size_nm: float
    rows: int
    columns: int
    rotation_deg: float = 0.0
    tilt_deg: float = 0.0
    drift_nm: tuple[float, float] = (0.0, 0.0)
    frames: int = 1
    faults: ScanFaults = field(default_factory=ScanFaults)

    def __post_init__(self) -> None:
        if not 0.01 <= self.pixel_size_nm <= 1e6:
            raise ValueError(f"A pixel of {self.pixel_size_nm:g} nm cannot be.")
        if not abs(self.tilt_deg) <= 80:
            raise ValueError(f"A tilt of {self.tilt_deg:g} degrees is more than stages can do.")
        if self.frames < 1 or self.rows < 1 or self.columns < 1:
            raise ValueError("A scan has at least one frame, one row and one column.")
        if self.frames * self.rows * self.columns > 400_000_000:
            raise ValueError(
                f"{self.frames} frames of {self.columns} x {self.rows} pixels are too many: use "
                "larger pixels, or a smaller field."
            )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """From specimen to image plane, ``(2, 2)`` on (x, y) in nm."""
        turn, tilt = np.deg2rad(self.rotation_deg), np.deg2rad(self.tilt_deg)
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return np.asarray(np.diag([1.0, np.cos(tilt)]) @ rotation)

    def to_pixels(self, points_nm: NDArray[np.float64], frame: int = 0) -> NDArray[np.float64]:
        """Return where points of the specimen appear.

        Parameters
        ----------
        points_nm : (n, 2) array
            x and y on the specimen.
        frame : int
            In which frame.

        Returns
        -------
        (n, 2) float64 array
            y and x in pixels. Vibration is left out: it moves each row by its own amount to
            and fro, and may show a point twice.
        """
        still = (np.asarray(points_nm) @ self.matrix.T)[:, ::-1] / self.pixel_size_nm + self._middle
        pixels = still
        # where a point is displaced to depends on where it appears: a few steps settle it
        for _ in range(20):
            moved = self._moved_nm(frame, pixels[:, 0], pixels[:, 1])
            pixels = still + moved.T / self.pixel_size_nm
        return np.asarray(pixels, dtype=np.float64)

    def to_specimen(self, frame: int = 0) -> NDArray[np.float64]:
        """Return where every pixel of a frame looks, ``(2, rows, columns)``: x and y in nm."""
        y = np.arange(self.rows, dtype=np.float64)[:, None]
        x = np.arange(self.columns, dtype=np.float64)[None, :]
        moved = self._moved_nm(frame, y, x)
        moved += self.faults.shake(frame, self.rows, y, x / self.columns)
        plane_y = (y - self._middle[0]) * self.pixel_size_nm - moved[0]
        plane_x = (x - self._middle[1]) * self.pixel_size_nm - moved[1]
        (xx, xy), (yx, yy) = np.linalg.inv(self.matrix)
        return np.stack((xx * plane_x + xy * plane_y, yx * plane_x + yy * plane_y))

    @property
    def bounds_nm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what a scan without faults sees of the specimen."""
        y, x = self._middle + 0.5
        corners = self.pixel_size_nm * np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
        seen = corners @ np.linalg.inv(self.matrix).T
        return (*seen.min(axis=0).tolist(), *seen.max(axis=0).tolist())

    @property
    def _middle(self) -> NDArray[np.float64]:
        return np.array([(self.rows - 1) / 2, (self.columns - 1) / 2])

    def _moved_nm(
        self, frame: int, y: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """By how much (y, x) what appears at a pixel is displaced there, without vibration."""
        # the time in frames, and no time before the first pixel nor after the last
        time = frame + (y + x / self.columns) / self.rows
        drift = np.multiply.outer(self.drift_nm, time / self.frames)
        moved = drift + self.faults.wandered(np.clip(time, 0, self.frames))
        return np.asarray(moved + self.faults.bend((y + 0.5) / self.rows, (x + 0.5) / self.columns))
