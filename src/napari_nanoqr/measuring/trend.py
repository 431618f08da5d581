"""The same code read again and again: how it ages, and when it will no longer be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.files import write_text
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.record import Record
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.recording import record_file
from napari_nanoqr.measuring.trend_dates import (
    FROM_CHANGE,
    SECONDS_PER_YEAR,
    Dated,
    dated,
    starts,
    years_after,
)
from napari_nanoqr.measuring.trend_model import AgeingModel, Extrapolation, extrapolate
from napari_nanoqr.measuring.trend_point import TrendPoint, point_of
from napari_nanoqr.progress import Progress, go_on

FORMAT = "napari-nanoqr trend"

QUANTITIES = {
    "stop_dose_share": "share", "damaged_share": "damaged",
    "raw_bit_error_rate": "raw_bit_error_rate", "contrast": "contrast", "snr": "snr",
    "blur_nm": "blur_nm",
}  # fmt: skip
"""What is followed, by its name in tables and JSON, and as field of `TrendPoint`."""


@dataclass(frozen=True, eq=False)
class Trend:
    """How a code ages.

    Parameters
    ----------
    points : tuple of TrendPoint
        A point an image, by date; those that are left out last.
    model : AgeingModel
        How it is extrapolated.
    extrapolation : Extrapolation or None
        The end of readability; None where the data do not suffice for any.
    problem : str
        Why there is none, in a sentence.
    """

    points: tuple[TrendPoint, ...] = field(repr=False)
    model: AgeingModel
    extrapolation: Extrapolation | None = None
    problem: str = ""

    @property
    def counting(self) -> list[TrendPoint]:
        """Points that are not left out."""
        return [point for point in self.points if point.counts]

    @property
    def payload(self) -> bytes | None:
        """What the code says; None where it was never read."""
        read = [point.reading for point in self.counting if point.reading is not None]
        return read[0].payload if read else None

    @property
    def good(self) -> bool:
        """Whether the code was read in the last image."""
        counting = self.counting
        return bool(counting) and counting[-1].reading is not None

    @property
    def verdict(self) -> str:
        """The sentence that counts."""
        if self.extrapolation is None:
            return self.problem
        made, storage = self.extrapolation.forecast, self.extrapolation.storage_c
        under = "linear model" if storage is None else f"model of Arrhenius, kept at {storage:g} °C"
        if made.end is None:
            return (
                f"No end in sight: it stays readable for more than {span(made.later_than)} from "
                f"the first image at 95 % ({under})."
            )
        assert made.low is not None
        assert made.high is not None
        when = self._date(made.end)
        return (
            f"Half of such images will not be read {span(made.end)} after the first image"
            f"{when} ({span(made.low)} to {span(made.high)} at 95 %; {under})."
        )

    def _date(self, years: float) -> str:
        """Say which year that is, where the pace is that of the calendar."""
        first = min((p.taken for p in self.counting if p.taken is not None), default=None)
        if self.model.kind != "linear" or first is None:
            return ""
        try:
            return f", in {(first + timedelta(seconds=years * SECONDS_PER_YEAR)).year}"
        except OverflowError:
            return ""

    @property
    def changes(self) -> dict[str, Quantity]:
        """Change of each quantity a year: the slope of the straight line, with its uncertainty."""
        found = {}
        for name, field_name in QUANTITIES.items():
            read = [
                (point.years, value) for point in self.counting
                if (value := getattr(point, field_name)) is not None
            ]  # fmt: skip
            if len({years for years, _ in read}) >= 3:
                found[name] = _slope(read)
        return found

    @property
    def notes(self) -> list[str]:
        """What to keep in mind."""
        said = []
        if self.extrapolation is not None and not self.extrapolation.dose_known:
            said.append("Not all files tell their dose: all are taken for equal.")
        if any(point.date_source == FROM_CHANGE for point in self.counting):
            said.append(
                "Some dates are those of the files' last change, which copying may set: give a "
                "list of dates."
            )
        unread = sum(point.reading is None for point in self.counting)
        if unread:
            said.append(
                f"{unread} image{'s' * (unread != 1)} gave no code, and count as past the end."
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        made = None if self.extrapolation is None else self.extrapolation.forecast
        energy = None if self.extrapolation is None else self.extrapolation.activation_ev
        payload = self.payload
        return {
            "format": FORMAT,
            "format_version": 1,
            "program": f"napari-nanoqr {version('napari-nanoqr')}",
            "payload_hex": None if payload is None else payload.hex(),
            "settings": self.model.to_dict(),
            "verdict": self.verdict,
            "end_years": None if made is None else _round(made.end),
            "end_low_years": None if made is None else _round(made.low),
            "end_high_years": None if made is None else _round(made.high),
            "later_than_years": None if made is None else _round(made.later_than),
            "good_until_years": None if made is None else _round(made.good_until),
            "activation_ev": None if energy is None else energy.to_dict(),
            "changes_per_year": {name: change.to_dict() for name, change in self.changes.items()},
            "notes": self.notes,
            "points": [point.to_dict() for point in self.points],
        }

    def save_report(self, path: Path) -> None:
        """Write a page with plot and table.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        from napari_nanoqr.measuring.trend_page import trend_page

        write_text(path, trend_page(self))


def follow_trend(
    paths: Sequence[Path],
    settings: RecordSettings | None = None,
    model: AgeingModel | None = None,
    *,
    dates: dict[str, Dated] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Trend:
    """Read the images of a series and extrapolate it.

    Parameters
    ----------
    paths : sequence of Path
        Micrographs of one code.
    settings : RecordSettings, optional
        How they are read. Where a design is given its payload is followed, else the one that
        most images show.
    model : AgeingModel, optional
        By default linear.
    dates : dict, optional
        As of `napari_nanoqr.measuring.trend_dates.read_dates`.
    progress, cancelled : callable, optional
        See `napari_nanoqr.progress`.

    Returns
    -------
    Trend
        With a sentence for each image that is left out.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    """
    settings = replace(settings or RecordSettings(), margin=True)
    records = []
    for number, path in enumerate(paths):
        go_on(cancelled)
        if progress is not None:
            progress(number, len(paths), f"Reading {path.name} …")
        records.append(record_file(path, settings, cancelled=cancelled))
    if progress is not None:
        progress(len(paths), len(paths), "Extrapolating …")
    design = settings.design
    payload = _most_common(records) if design is None else design.symbol.payload
    return trend_of(_points(records, payload, dates), model)


def trend_of(points: Sequence[TrendPoint], model: AgeingModel | None = None) -> Trend:
    """Extrapolate the points of a series; a `Trend` tells where that cannot be done."""
    model = model or AgeingModel()
    ordered = sorted(points, key=lambda point: (not point.counts, point.years))
    try:
        return Trend(tuple(ordered), model, extrapolate(ordered, model))
    except ValueError as problem:
        return Trend(tuple(ordered), model, None, str(problem))


def _most_common(records: Sequence[Record]) -> bytes | None:
    counted = Counter(
        payload for record in records for payload in {r.payload for r in record.readings}
    )
    return counted.most_common(1)[0][0] if counted else None


def _points(
    records: Sequence[Record], payload: bytes | None, dates: dict[str, Dated] | None
) -> list[TrendPoint]:
    known = [dated(record, dates) for record in records]
    first = starts(
        [(when.specimen, when.taken) for (when, _), record in zip(known, records, strict=True)
         if when is not None and record.error is None]
    )  # fmt: skip
    points = []
    for record, (when, source) in zip(records, known, strict=True):
        if when is None:
            points.append(TrendPoint(record.name, 0.0, left_out="Nothing tells its date."))
            continue
        years = years_after(first.get(when.specimen, when.taken), when.taken)
        points.append(
            point_of(
                record,
                years,
                payload=payload,
                taken=when.taken,
                date_source=source,
                temperature_c=when.temperature_c,
                specimen=when.specimen,
            )
        )
    return points


def span(years: float) -> str:
    """Say a length of time."""
    if years >= 2:
        return f"{years:.3g} years" if years < 1000 else f"{round(years, -1):,.0f} years"
    return f"{365.25 * years:.3g} days"


def _slope(read: Sequence[tuple[float, Quantity]]) -> Quantity:
    years = np.array([when for when, _ in read])
    values = np.array([value.value for _, value in read])
    design = np.column_stack((np.ones(len(years)), years))
    (_, slope), *_ = np.linalg.lstsq(design, values, rcond=None)
    rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    scatter = float(np.sqrt(rest @ rest / (len(years) - 2)))
    doubt = scatter / float(np.sqrt(np.sum((years - years.mean()) ** 2)))
    return Quantity(float(slope), doubt, f"{read[0][1].unit or '1'} a year")


def _round(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.4g}")
