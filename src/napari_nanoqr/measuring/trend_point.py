"""What one micrograph tells of how a code ages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any

from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.trend_need import damaged_share
from napari_nanoqr.reading.dose import Dose, rounded
from napari_nanoqr.reading.reading import Reading

MARGIN_DOUBT = 0.12
"""Of the dose at which a code is lost, 1 sigma: by so much images of one code and dose differ."""


@dataclass(frozen=True, eq=False)
class TrendPoint:
    """One micrograph of a series.

    Parameters
    ----------
    name : str
        Of the file.
    years : float
        Since the first image of the series.
    taken : datetime or None
        When the image was taken.
    date_source : str
        Where that is from, in words.
    temperature_c : float or None
        At which the specimen was kept since the image before.
    specimen : str
        Which one, where there are several.
    reading : Reading or None
        The code; None where it was not read.
    dose : Dose
        Of the image.
    share : Quantity or None
        Share of the electrons with which it would still be read in 99 of 100 images.
    damaged : Quantity or None
        Share of the modules that show the opposite of what was written, noise left out.
    raw_bit_error_rate, contrast, snr, blur_nm : Quantity or None
        As measured; contrast to blur only where images are measured.
    grade : str or None
        A to F.
    left_out : str
        Why it does not count, in a sentence; empty where it does.
    """

    name: str
    years: float
    taken: datetime | None = None
    date_source: str = ""
    temperature_c: float | None = None
    specimen: str = ""
    reading: Reading | None = field(default=None, repr=False)
    dose: Dose = field(default_factory=Dose)
    share: Quantity | None = None
    damaged: Quantity | None = None
    raw_bit_error_rate: Quantity | None = None
    contrast: Quantity | None = None
    snr: Quantity | None = None
    blur_nm: Quantity | None = None
    grade: str | None = None
    left_out: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is part of the series."""
        return not self.left_out

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "file": self.name,
            "taken": None if self.taken is None else self.taken.isoformat(timespec="seconds"),
            "date_source": self.date_source,
            "years": round(self.years, 6),
            "temperature_c": self.temperature_c,
            "specimen": self.specimen,
            "read": self.reading is not None,
            "payload_hex": None if self.reading is None else self.reading.payload.hex(),
            "grade": self.grade,
            "electrons_per_pixel": rounded(self.dose.per_pixel),
            "electrons_per_nm2": rounded(self.dose.per_nm2),
            "stop_dose_share": _plain(self.share),
            "damaged_share": _plain(self.damaged),
            "raw_bit_error_rate": _plain(self.raw_bit_error_rate),
            "contrast": _plain(self.contrast),
            "snr": _plain(self.snr),
            "blur_nm": _plain(self.blur_nm),
            "left_out": self.left_out or None,
        }


def point_of(
    record: Record, years: float, *, payload: bytes | None = None, **known: Any
) -> TrendPoint:
    """Take from a record what tells of ageing.

    Parameters
    ----------
    record : Record
        Of one image, with margins.
    years : float
        Since the first image.
    payload : bytes, optional
        What the code says, where images may show others too; by default the first one counts.
    **known
        Date, temperature and specimen, as fields of `TrendPoint`.

    Returns
    -------
    TrendPoint
        Left out where the file cannot be opened or shows other codes only. An image that shows
        none is past the end, and counts.
    """
    found = [r for r in record.readings if payload is None or r.payload == payload]
    if record.error is not None:
        return TrendPoint(record.name, years, left_out=record.error, **known)
    if not found and record.readings:
        other = record.readings[0]
        said = other.text if other.text is not None else f"hex {other.payload.hex()}"
        return TrendPoint(
            record.name, years, left_out=f"It shows another code: {said}.", **known
        )  # fmt: skip
    if not found:
        unread = record.readings.unread
        dose = unread[0].dose if unread else _dose(record)
        return TrendPoint(record.name, years, dose=dose, **known)
    reading = found[0]
    measured, margin = record.measurement_of(reading), reading.margin
    values: dict[str, Any] = {}
    if measured is not None:
        values = {"contrast": measured.contrast, "snr": measured.snr, "blur_nm": measured.blur_nm}
        values["grade"] = None if measured.grade is None else measured.grade.letter
    if margin is not None:
        values |= {
            "share": Quantity(margin.share, MARGIN_DOUBT * margin.share),
            "dose": margin.dose,
        }
    if reading.matrix is not None and reading.wrong is not None:
        if reading.likelihoods is not None:
            values["damaged"] = damaged_share(reading.likelihoods, reading.matrix ^ reading.wrong)
        rate, count = float(reading.wrong.mean()), reading.wrong.size
        # the rule of Laplace keeps the doubt of none at all from being none
        doubt = sqrt((rate * count + 1) * (count - rate * count + 1) / (count + 2) ** 2 / count)
        values["raw_bit_error_rate"] = Quantity(rate, doubt)
    return TrendPoint(record.name, years, reading=reading, **values, **known)


def _dose(record: Record) -> Dose:
    """Reckon the dose of an image in which nothing was seen."""
    from napari_nanoqr.reading.image import open_source

    return Dose() if record.micrograph is None else open_source(record.micrograph).dose


def _plain(quantity: Quantity | None) -> dict[str, float | None] | None:
    if quantity is None:
        return None
    return {"value": rounded(quantity.value), "uncertainty": rounded(quantity.uncertainty)}
