"""What a vendor's reader is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from napari_nanoqr.sem.files.quantities import PixelSize, differ, in_words, plausible
from napari_nanoqr.sem.files.text import decode

# A sidecar is a page of text; what is larger is something else that happens to have the name.
_LARGEST_SIDECAR = 1 << 20


@dataclass(frozen=True)
class ImageFile:
    """The headers of an image file, before any pixel is read.

    Parameters
    ----------
    path : Path
        The image file.
    width, height : int
        Size of its pictures in pixels, the data bar among them.
    tags : mapping of int to bytes
        Raw bytes of the TIFF tags that a reader may want; empty for other formats.
    resolution : tuple of float
        TIFF X and Y resolution in pixels per unit, NaN where absent.
    embedded : bytes
        XML or JSON about the picture in a file that is not a TIFF.
    """

    path: Path
    width: int
    height: int
    tags: Mapping[int, bytes] = field(default_factory=dict)
    resolution: tuple[float, float] = (float("nan"), float("nan"))
    embedded: bytes = b""

    @property
    def description(self) -> str:
        """ImageDescription, tag 270, of the first page."""
        return decode(self.tags.get(270, b""))

    def sidecars(self, *names: str) -> Iterator[tuple[str, str]]:
        """Yield name and text of the files of these names beside the image.

        Capital or small letters of the ending do not matter, as microscopes run Windows.
        """
        for name in names:
            stem, dot, ending = name.rpartition(".")
            for spelling in dict.fromkeys((name, stem + dot + ending.upper())):
                candidate = self.path.with_name(spelling)
                try:
                    if candidate.is_file() and candidate.stat().st_size <= _LARGEST_SIDECAR:
                        yield spelling, decode(candidate.read_bytes())
                        break
                except OSError:
                    # a sidecar that may not be read is as good as none
                    continue


class ImageSource(Protocol):
    """An open image file, of whatever format."""

    file: ImageFile
    notes: list[str]

    def pixels(self, pages: slice | None = None) -> NDArray[Any]:
        """Read the frames as grey values, ``(y, x)`` or ``(frame, y, x)``."""

    def levels(self) -> list[Any]:
        """Return a large picture lazily, from full size on ever coarser; else an empty list."""


@dataclass
class Acquisition:
    """What a file tells of how its image was taken.

    Parameters
    ----------
    vendor : str or None
        Maker of the microscope, None where the format does not tell.
    pixel_size_nm, pixel_size_source
        As in `Micrograph`.
    metadata : dict
        Entries with a fixed meaning and others; None values are left out.
    fields : dict
        The vendor's own fields, flat, as text or numbers.
    databar_rows : int
        Rows of the data bar at the bottom, 0 for none or not told.
    notes : list of str
        What a person should know about the reading.
    worth_claiming : bool
        False where a general reader knows better what to do with the file: it tells no
        pixel size, or its pages are not frames of one image but channels or slices.
    stored : dict
        How `write_micrograph` laid out the arrays; empty for files of other programs.
    """

    vendor: str | None
    pixel_size_nm: PixelSize | None = None
    pixel_size_source: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    databar_rows: int = 0
    notes: list[str] = field(default_factory=list)
    worth_claiming: bool = True
    stored: dict[str, Any] = field(default_factory=dict)

    def conflict(self, sentence: str, key: str = "pixel_size_nm") -> None:
        """Add to what the file says against its own value of a quantity."""
        conflicts = self.metadata.setdefault("conflicts", {})
        known = conflicts.get(key)
        conflicts[key] = f"{known} {sentence}" if known else sentence

    def compare(
        self, key: str, name: str, other: float | None, other_name: str, tolerance: float = 0.01
    ) -> None:
        """Say so where another field gives another value of an entry of the metadata.

        Parameters
        ----------
        key : str
            The entry, whose value is in SI units, electronvolts or degrees.
        name, other_name : str
            The fields that the two values come from.
        other : float or None
            None for a field that is not there.
        tolerance : float
            What counts as rounding, as a share of the larger value; of angles, in degrees.
        """
        value = self.metadata.get(key)
        if value is None or not plausible(value, key) or not plausible(other, key):
            return
        apart = (
            abs(value - other) > tolerance if key == "tilt_deg" else differ(value, other, tolerance)
        )
        if apart:
            self.conflict(
                f"{name} gives {in_words(key, value)}, but {other_name} gives "
                f"{in_words(key, other)}.",
                key,
            )

    def cross_check(self, other_nm: float | None, name: str, tolerance: float = 0.01) -> None:
        """Say so where another field ``name`` gives another pixel width."""
        if self.pixel_size_nm is None or other_nm is None:
            return
        width = self.pixel_size_nm[1]
        if differ(width, other_nm, tolerance):
            self.conflict(
                f"{self.pixel_size_source} gives {width:.6g} nm, "
                f"but {name} gives {other_nm:.6g} nm: check it before measuring."
            )
