"""The list of a job's fields: which file is milled where, and what is in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from napari_nanoqr.fib.jobs.job import Job, JobField, JobSymbol
from napari_nanoqr.fib.timing import times_of

FORMAT = "napari-nanoqr stage list"
"""What the first key of a stage list says."""

FIELD_COLUMNS = (
    "file", "x_um", "y_um", "hfw_um", "symbols", "points", "beam_on_time_s", "total_time_s",
    "sha256",
)  # fmt: skip
SYMBOL_COLUMNS = (
    "file", "label", "text", "payload_hex", "row", "column", "x_nm", "y_nm", "pitch_nm", "dose",
    "ion_dose_nc_per_um2", "version", "error", "beam_on_time_s",
)  # fmt: skip


def stage_list(job: Job, files: Sequence[str], hashes: Sequence[str]) -> dict[str, Any]:
    """Return what the stage list of a job says, as plain values.

    Parameters
    ----------
    job : Job
        What is milled.
    files, hashes : sequence of str
        Name and SHA-256 of each field's pattern file.

    Returns
    -------
    dict
        JSON-able.
    """
    base = job.base
    fields = [
        _field(field, file, digest)
        for field, file, digest in zip(job.fields, files, hashes, strict=True)
    ]
    totals = [field["total_time_s"] for field in fields]
    return {
        "format": FORMAT,
        "format_version": 1,
        "name": job.name,
        "rows": job.rows,
        "columns": job.columns,
        "hfw_um": job.hfw_um,
        "beam": asdict(base.beam),
        "dwell_us": base.dwell_us,
        "passes": base.passes,
        "ion_dose_nc_per_um2": base.ion_dose_nc_per_um2,
        "symbols": len(job.symbols),
        "points": job.n_points,
        "beam_on_time_s": job.beam_on_time_s,
        "total_time_s": None if None in totals else sum(totals),
        "fields": fields,
    }


def _field(field: JobField, file: str, digest: str) -> dict[str, Any]:
    pitch = field.plan.base_plan.point_pitch_nm
    return {
        "file": file,
        "sha256": digest,
        "x_um": field.x_um,
        "y_um": field.y_um,
        "hfw_um": field.plan.hfw_um,
        "points": field.plan.n_points,
        "beam_on_time_s": field.plan.beam_on_time_s,
        "total_time_s": times_of(field.plan.exposure).total_s,
        "symbols": [_symbol(symbol) for symbol in field.symbols],
        "drawings": [
            {
                "name": drawing.name,
                "x_nm": drawing.x_nm,
                "y_nm": drawing.y_nm,
                "height_nm": drawing.size_nm(pitch)[0],
                "width_nm": drawing.size_nm(pitch)[1],
                "dose": drawing.dose,
            }
            for drawing in field.plan.drawings
        ],
    }


def _symbol(symbol: JobSymbol) -> dict[str, Any]:
    design, plan = symbol.entry.design, symbol.item.plan
    return {
        "label": symbol.entry.label,
        "text": design.symbol.text,
        "payload_hex": design.symbol.payload.hex(),
        "row": symbol.row + 1,
        "column": symbol.column + 1,
        "x_nm": symbol.item.x_nm,
        "y_nm": symbol.item.y_nm,
        "pitch_nm": design.pitch_nm,
        "dose": symbol.entry.dose,
        "ion_dose_nc_per_um2": plan.ion_dose_nc_per_um2,
        "version": design.symbol.version,
        "error": design.symbol.error,
        "beam_on_time_s": plan.beam_on_time_s,
    }


def fields_csv(stages: dict[str, Any]) -> str:
    """Return the fields of a stage list as CSV, a line each."""
    return _csv(
        FIELD_COLUMNS, [field | {"symbols": len(field["symbols"])} for field in stages["fields"]]
    )


def symbols_csv(stages: dict[str, Any]) -> str:
    """Return the symbols of a stage list as CSV, a line each."""
    rows = [
        symbol | {"file": field["file"]}
        for field in stages["fields"]
        for symbol in field["symbols"]
    ]
    return _csv(SYMBOL_COLUMNS, rows)


def _csv(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    # spreadsheets take UTF-8 for what it is only where it says so at the beginning
    text.write("\ufeff")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
