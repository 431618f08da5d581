"""What decoding one image gave, as JSON and in lines for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.measuring.record import Record
    from napari_nanoqr.reading.comparison import Comparison
    from napari_nanoqr.reading.reading import Reading
    from napari_nanoqr.reading.readings import Readings


@dataclass(frozen=True)
class DecodeResult:
    """What decoding one image gave.

    Parameters
    ----------
    file : str
        Path or name of the image.
    pixel_size_nm : float or (float, float) or None
        One number, or y and x where they differ.
    pixel_size_source : str or None
        In words.
    readings : Readings
        What was read, and what was seen and not read.
    comparisons : tuple of Comparison or None
        Where a design was found in it; None where none was looked for.
    error : str or None
        Why the image could not be opened.
    """

    file: str
    pixel_size_nm: Any
    pixel_size_source: str | None
    readings: Readings
    comparisons: tuple[Comparison, ...] | None = None
    error: str | None = None

    @classmethod
    def of(cls, record: Record) -> DecodeResult:
        """Take what a record says, with corners in pixels of the whole image."""
        from napari_nanoqr.reading.readings import Readings, moved

        row, column = (record.settings.region or (0, 0))[:2]
        found, compared = record.readings, record.comparisons
        return cls(
            record.name if record.path is None else str(record.path),
            record.pixel_size_nm,
            record.pixel_size_source,
            Readings(moved(found, row, column), moved(found.unread, row, column), found.advice),
            None if compared is None else tuple(moved(compared, row, column)),
            record.error,
        )

    @property
    def status(self) -> int:
        """0 where there was a code, 1 where there was none, 2 where the image is unreadable."""
        return 2 if self.error else 0 if self.readings else 1

    @property
    def size(self) -> Any:
        """The pixel size as a number, or as a list of two that differ."""
        size = self.pixel_size_nm
        if not isinstance(size, tuple | list):
            return size
        return size[0] if size[0] == size[1] else list(size)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the image: what ``--json`` prints, and the widget saves."""
        from napari_nanoqr.reading.append import join_sets

        compared = self.comparisons
        return {
            "file": self.file,
            "pixel_size_nm": self.size,
            "pixel_size_source": self.pixel_size_source,
            "codes": [reading.to_dict() for reading in self.readings],
            "unread": [seen.to_dict() for seen in self.readings.unread],
            "sets": [joined.to_dict() for joined in join_sets(self.readings)],
            "comparisons": None if compared is None else [found.to_dict() for found in compared],
            "failed_stage": None if self.error else self.readings.failed_stage,
            "error": self.error or self.readings.advice or None,
        }

    def to_text(self) -> str:
        """Say it in lines for people."""
        from napari_nanoqr.reading.advice import describe_unread, margin_in_words
        from napari_nanoqr.reading.append import join_sets

        if self.error is not None:
            return f"{self.file}: {self.error}"
        lines = [f"{self.file} ({self._scale()})"]
        if not self.readings:
            lines = [f"{self.file}: {self.readings.advice}"]
        for reading in self.readings:
            content = reading.text if reading.text is not None else f"hex {reading.payload.hex()}"
            lines += [f"  {content}", f"    {facts_of(reading)}"]
            if reading.margin is not None:
                lines.append(f"    {margin_in_words(reading.margin)}")
        lines += [f"  {joined}" for joined in join_sets(self.readings)]
        if self.readings:
            lines += [
                f"  not read: {describe_unread(seen)}. {seen.advice}"
                for seen in self.readings.unread
            ]
        if self.comparisons is not None:
            lines += [f"  {found}" for found in self.comparisons] or [
                "  The design was not found in this image."
            ]
        return "\n".join(lines)

    def _scale(self) -> str:
        if self.size is None:
            return "no pixel size"
        sizes = self.size if isinstance(self.size, list) else [self.size]
        return f"{' x '.join(f'{s:.5g}' for s in sizes)} nm a pixel, {self.pixel_size_source}"


def facts_of(reading: Reading) -> str:
    """Say in a line what was read, and how."""
    level = f"-{reading.error}" if reading.error else ""
    facts = [f"{reading.symbology} {reading.version}{level}"]
    if reading.pitch_nm is not None:
        facts.append(f"pitch {reading.pitch_nm:.4g} nm")
    if reading.corrected_codewords is not None:
        facts.append(f"{reading.corrected_codewords} codewords corrected")
    facts += [name for name in ("mirrored", "inverted") if getattr(reading, name)]
    return " · ".join([*facts, f"by {reading.reader}"])
