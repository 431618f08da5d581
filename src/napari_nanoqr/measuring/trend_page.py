"""A trend as a page for the lab book, and as a table."""

from __future__ import annotations

import csv
import io
from importlib.metadata import version
from pathlib import Path

from napari_nanoqr.files import write_text
from napari_nanoqr.html_page import Picture, Section, page
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.trend import QUANTITIES, Trend, span
from napari_nanoqr.measuring.trend_figures import draw_changes, draw_trend
from napari_nanoqr.measuring.trend_point import TrendPoint
from napari_nanoqr.planning.figures import new_figure, png_of

COLUMNS = (
    "file", "taken", "date_source", "years", "specimen", "temperature_c", "result", "grade",
    "electrons_per_pixel", "electrons_per_nm2",
    *(name for quantity in QUANTITIES for name in (quantity, f"{quantity}_uncertainty")),
)  # fmt: skip
"""Columns of the table."""

SHOWN = {
    "Image": "File, oldest first",
    "Date": "When it was taken",
    "Time": "Since the first image",
    "Takes": "Share of the electrons with which 99 of 100 images would still be read",
    "Wrong": "Share of modules that were read other than written",
    "Damaged": "Share of modules that show the opposite of what was written, noise left out",
    "Contrast": "Of dark and light modules, with its uncertainty",
    "SNR": "Of a module, with its uncertainty",
    "Grade": "In the manner of ISO/IEC 15415; no certificate",
}
"""Columns of what people see, and what each tells."""


def trend_page(trend: Trend) -> str:
    """Return a trend as an HTML page that needs no other file.

    Parameters
    ----------
    trend : Trend
        The series.

    Returns
    -------
    str
        Verdict, plots, all points, the model and its numbers.
    """
    large, small = new_figure(8.5, 4.2), new_figure(11, 2.4)
    draw_trend(large.subplots(), trend)
    draw_changes(small, trend)
    pictures = [Picture(png_of(large), "Electrons that the code takes against the time")]
    if small.axes:
        pictures.append(Picture(png_of(small), "What else is measured against the time"))
    sections = [
        Section("Forecast", _forecast(trend)),
        Section(
            "Images",
            [(point.name, " · ".join(filter(None, cells_of(point)[1:]))) for point in trend.points],
        ),
        Section(
            "Change a year", [(name, str(change)) for name, change in trend.changes.items()]
        ),
        Section("Software", [("Program", f"napari-nanoqr {version('napari-nanoqr')}")]),
    ]  # fmt: skip
    return page("How a code ages", trend.verdict, trend.good, sections, pictures)


def _forecast(trend: Trend) -> list[tuple[str, str]]:
    payload = trend.payload
    rows = [("Payload", "never read" if payload is None else _said(trend)),
            ("Model", trend.model.kind)]  # fmt: skip
    made = trend.extrapolation
    if made is not None:
        told = made.forecast
        if made.storage_c is not None:
            rows.append(("Kept at", f"{made.storage_c:g} °C"))
        if made.activation_ev is not None:
            rows.append(("Activation energy", str(made.activation_ev)))
        rows.append(("Later than, at 95 %", span(told.later_than)))
        if told.good_until is not None:
            rows.append(("99 of 100 images are read until", span(told.good_until)))
        rate = Quantity(100 * told.rate, 100 * told.rate_doubt, "% a year")
        rows.append(("Growth of the electrons it takes, damage left out", str(rate)))
        rows.append(("Modules that are lost", f"{100 * told.damage_rate:.3g} % a year"))
    return rows + [("Note", note) for note in trend.notes]


def _said(trend: Trend) -> str:
    reading = next(point.reading for point in trend.counting if point.reading is not None)
    return reading.text if reading.text is not None else f"hex {reading.payload.hex()}"


def cells_of(point: TrendPoint) -> tuple[str, ...]:
    """Return what people see of a point, a text for each of `SHOWN`."""
    if not point.counts:
        return (point.name, _date(point), "", point.left_out, *[""] * (len(SHOWN) - 4))
    if point.reading is None:
        return (point.name, _date(point), span(point.years), "not read", *[""] * (len(SHOWN) - 4))
    return (
        point.name, _date(point), span(point.years), _percent(point.share),
        _percent(point.raw_bit_error_rate), _percent(point.damaged),
        "" if point.contrast is None else str(point.contrast),
        "" if point.snr is None else str(point.snr), point.grade or "",
    )  # fmt: skip


def _date(point: TrendPoint) -> str:
    return "" if point.taken is None else point.taken.date().isoformat()


def _percent(quantity: Quantity | None) -> str:
    if quantity is None:
        return ""
    doubt = quantity.uncertainty
    return str(Quantity(100 * quantity.value, None if doubt is None else 100 * doubt, "%"))


def write_points(path: Path, trend: Trend) -> None:
    """Write the points of a trend as CSV, complete or not at all.

    Parameters
    ----------
    path : Path
        ``.csv`` (commas) or ``.tsv`` (tabs), UTF-8.
    trend : Trend
        The series.

    Raises
    ------
    ValueError
        Where the suffix is another.
    OSError
        Where it cannot be written.
    """
    check_points(path)
    text = io.StringIO(newline="")
    tabs = path.suffix.lower() == ".tsv"
    writer = csv.writer(text, delimiter="\t" if tabs else ",", lineterminator="\n")
    writer.writerow(COLUMNS)
    for point in trend.points:
        values = point.to_dict()
        values["result"] = point.left_out or ("read" if values["read"] else "not read")
        for name in QUANTITIES:
            told = values[name] or {"value": None, "uncertainty": None}
            values[name], values[f"{name}_uncertainty"] = told["value"], told["uncertainty"]
        cells = [values[name] for name in COLUMNS]
        # a text must not become a formula of a spreadsheet
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@") and cell else cell
             for cell in cells]
        )  # fmt: skip
    write_text(path, "\ufeff" + text.getvalue())


def check_points(path: Path) -> None:
    """Raise ValueError where no table of this kind can be written."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        raise ValueError(f"{path.name}: a table of a trend is .csv or .tsv.")
