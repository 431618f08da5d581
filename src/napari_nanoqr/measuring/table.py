"""Records as a table: a row a code, and one for each image that gave none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_nanoqr.files import complete_file, write_text
from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.record import Record

Row = dict[str, Any]
"""Names of columns and plain values; None where not known."""

_ACQUISITION = (
    "vendor", "pixel_size_source", "tilt_deg", "dwell_s", "beam_current_a", "landing_energy_ev",
    "detector", "frames",
)  # fmt: skip

_QUANTITIES = (
    "pitch_x_nm", "pitch_y_nm", "pitch_px", "orthogonality_deg", "module_width_nm",
    "module_height_nm", "sigma_width_nm", "sigma_height_nm", "edge_bias_nm", "edge_bias_x_nm",
    "edge_bias_y_nm", "roughness_nm", "blur_nm", "contrast", "snr", "snr_module",
)  # fmt: skip

TEXT = (
    "file", "taken", "sha256", "text", "payload_hex", "symbology", "version", "error_level",
    "reader", "grade", "grade_limited_by", "vendor", "pixel_size_source", "detector", "result",
)  # fmt: skip
"""Columns that hold words; the others hold numbers."""

COLUMNS = (
    "file", "taken", "code", "text", "payload_hex", "symbology", "version", "error_level", "reader",
    "grade", "grade_limited_by", "corrected_codewords", "correctable_left", "raw_bit_error_rate",
    "stop_dose_share", "stop_electrons_per_pixel",
    *(name for quantity in _QUANTITIES for name in (quantity, f"{quantity}_uncertainty")),
    "code_tilt_deg", "code_tilt_deg_uncertainty", "electron_dose_per_nm2", "differing_modules",
    "pixel_size_y_nm", "pixel_size_x_nm", *_ACQUISITION, "sha256", "result",
)  # fmt: skip
"""Columns of the table, from left to right."""

SUFFIXES = (".csv", ".tsv", ".parquet")
"""Tables that can be written."""


def rows_of(record: Record) -> list[Row]:
    """Return the rows of a record.

    Parameters
    ----------
    record : Record
        One image.

    Returns
    -------
    list of dict
        A row a code, all with the columns `COLUMNS`; a row without a code where none was read.
        ``result`` says in words what came of it.
    """
    image = _image_values(record)
    rows = []
    for number, reading in enumerate(record.readings, start=1):
        measured = record.measurement_of(reading)
        margin = reading.margin
        row = image | {
            "code": number,
            "text": reading.text,
            "payload_hex": reading.payload.hex(),
            "symbology": reading.symbology,
            "version": str(reading.version),
            "error_level": reading.error,
            "reader": reading.reader,
            "corrected_codewords": reading.corrected_codewords,
            "correctable_left": reading.correctable_left,
            "raw_bit_error_rate": reading.raw_bit_error_rate,
            "stop_dose_share": None if margin is None else margin.share,
            "stop_electrons_per_pixel": None if margin is None else margin.stop.per_pixel,
            "result": "read",
        }
        if measured is not None:
            row |= _measured(measured)
        rows.append(row)
    if not rows:
        # a design may be found, and measured, where its code is not read
        found = record.measurements[0] if record.measurements else None
        rows.append(image | ({} if found is None else _measured(found)))
    return [dict.fromkeys(COLUMNS) | row for row in rows]


def _image_values(record: Record) -> Row:
    row: Row = {
        "file": record.name if record.path is None else str(record.path),
        "taken": record.taken,
        "sha256": record.sha256,
        "result": record.verdict,
    }
    if record.acquisition is None:
        return row
    row |= {name: record.acquisition.get(name) for name in _ACQUISITION}
    row["pixel_size_source"] = record.pixel_size_source
    size = record.pixel_size_nm
    if size is not None:
        row["pixel_size_y_nm"], row["pixel_size_x_nm"] = (
            size if isinstance(size, list) else (size, size)
        )
    return row


def _measured(measured: Any) -> Row:
    row: Row = {"electron_dose_per_nm2": measured.electron_dose_per_nm2}
    for name in _QUANTITIES:
        row |= _quantity(name, getattr(measured, name))
    row |= _quantity("code_tilt_deg", measured.tilt_deg)
    if measured.raw_bit_error_rate is not None:
        row["raw_bit_error_rate"] = measured.raw_bit_error_rate
    if measured.comparison is not None:
        row["differing_modules"] = int(measured.comparison.different.sum())
    if measured.grade is not None:
        row |= {"grade": measured.grade.letter, "grade_limited_by": measured.grade.limiting}
    return row


def _quantity(name: str, quantity: Quantity | None) -> Row:
    if quantity is None:
        return {}
    return {name: quantity.value, f"{name}_uncertainty": quantity.expanded}


def write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table, complete or not at all.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, commas), ``.tsv`` (tabs) or ``.parquet``.
    rows : iterable of mapping
        As of `rows_of`.

    Raises
    ------
    ValueError
        Where the suffix names no kind of table.
    OSError
        Where it cannot be written.
    """
    check_table(path)
    if path.suffix.lower() == ".parquet":
        with complete_file(path) as temporary:
            _write_parquet(temporary, list(rows))
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, COLUMNS, delimiter="\t" if path.suffix.lower() == ".tsv" else ",",
        lineterminator="\n",
    )  # fmt: skip
    writer.writeheader()
    writer.writerows({name: _cell(row.get(name)) for name in COLUMNS} for row in rows)
    # spreadsheets take a file without the mark for one in their country's character set
    write_text(path, "\ufeff" + text.getvalue())


def check_table(path: Path) -> None:
    """Raise ValueError where no table of this kind can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name}: a table is {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")


def _cell(value: Any) -> Any:
    """Return what stands in a cell: a payload must not become a formula of a spreadsheet."""
    if isinstance(value, float):
        return f"{value:.8g}"
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string() if name in TEXT else pa.float64()) for name in COLUMNS])
    columns = {
        name: [None if row.get(name) is None else _typed(name, row[name]) for row in rows]
        for name in COLUMNS
    }
    pq.write_table(pa.table(columns, schema=schema), path)


def _typed(name: str, value: Any) -> str | float:
    return str(value) if name in TEXT else float(value)
