"""Auditing by samples: which fields to look at, and how their margins change over the years."""

from __future__ import annotations

import bisect
import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.sheet import PlacedField
from napari_nanoqr.archive.verdict import least_margin
from napari_nanoqr.archive.verify import ArchiveVerification
from napari_nanoqr.files import write_text

AUDITS = "audits.csv"
COLUMNS = ("date", "images", "tiles", "missing", "weak", "wrong", "least_margin_db",
           "median_margin_db")  # fmt: skip
DAYS_A_YEAR = 365.25


class BadAudits(ValueError):
    """A file that is no list of audits."""


@dataclass(frozen=True)
class Audit:
    """One audit of a sample.

    Attributes
    ----------
    date : date
        When the images were taken.
    images, tiles, missing, weak, wrong : int
        Images, the tiles that they should show, and what became of them.
    least_margin_db, median_margin_db : float
        Of the tiles that were read; NaN where none was.
    """

    date: date
    images: int
    tiles: int
    missing: int
    weak: int
    wrong: int
    least_margin_db: float
    median_margin_db: float


@dataclass(frozen=True)
class MarginTrend:
    """A straight line through the median margins of audits.

    Attributes
    ----------
    db_per_year, error_db_per_year : float
        Slope and its standard error; the error is NaN with fewer than three audits.
    empty : date or None
        When the margin would be used up if it went on so; None where it does not fall, where the
        slope is less than two standard errors, or is not known to be any.
    """

    db_per_year: float
    error_db_per_year: float
    empty: date | None


def fields_to_audit(manifest: ArchiveManifest, count: int, seed: int) -> list[PlacedField]:
    """Return a random sample of the fields of view, in the order of the stage.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the archive.
    count : int
        How many; all where there are fewer.
    seed : int
        Another sample for each audit, so that no field is spared for ever.

    Raises
    ------
    ValueError
        Where the number is not positive.
    """
    if count < 1:
        raise ValueError(f"A sample of {count} fields cannot be.")
    plan = manifest.plan
    total = plan.all_fields
    found, before = [], 0
    chosen = iter(sorted(random.Random(seed).sample(range(total), min(count, total))))
    number = next(chosen, None)
    for sheet in range(plan.sheets):
        while number is not None and number < before + plan.fields(sheet):
            found.append(plan.field(sheet, number - before))
            number = next(chosen, None)
        before += plan.fields(sheet)
    return found


def share_surely_found(total: int, looked_at: int, confidence: float = 0.95) -> float:
    """Return the share of bad fields that a sample without any rules out.

    Parameters
    ----------
    total, looked_at : int
        Fields of the archive and of the sample.
    confidence : float
        Probability of finding at least one.

    Returns
    -------
    float
        Were so large a share bad, the sample would have shown one with that probability; by
        drawing without replacement.
    """

    def shows(bad: int) -> bool:
        if bad > total - looked_at:
            return True
        clean = sum(math.log((total - bad - n) / (total - n)) for n in range(looked_at))
        return clean <= math.log1p(-confidence)

    return bisect.bisect_left(range(total + 1), True, key=shows) / total


def audit_of(result: ArchiveVerification, when: date) -> Audit:
    """Return what a verification of a sample found."""
    margin, median = least_margin(result.tiles), result.median_margin_db
    states = [each.state for each in result.tiles]
    return Audit(
        when, result.images, len(states), states.count("missing"), states.count("weak"),
        len(result.wrong), math.nan if margin is None else margin,
        math.nan if median is None else median,
    )  # fmt: skip


def read_audits(folder: Path) -> list[Audit]:
    """Return the audits of an archive, oldest first.

    Raises
    ------
    BadAudits
        Where its ``audits.csv`` is none.
    """
    path = folder / AUDITS
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = [
            Audit(
                date.fromisoformat(row["date"]),
                *(int(row[name]) for name in COLUMNS[1:6]),
                *(float(row[name]) for name in COLUMNS[6:]),
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as problem:
        raise BadAudits(f"{path} is no list of audits ({problem}): move it away.") from problem
    return sorted(found, key=lambda each: each.date)


def add_audit(folder: Path, audit: Audit) -> list[Audit]:
    """Add an audit to ``audits.csv`` of an archive, and return all of them."""
    audits = sorted([*read_audits(folder), audit], key=lambda each: each.date)
    lines = [",".join(COLUMNS)]
    lines += [
        f"{a.date.isoformat()},{a.images},{a.tiles},{a.missing},{a.weak},{a.wrong},"
        f"{a.least_margin_db:.3f},{a.median_margin_db:.3f}"
        for a in audits
    ]
    write_text(folder / AUDITS, "\n".join(lines) + "\n")
    return audits


def margin_trend(audits: Sequence[Audit]) -> MarginTrend | None:
    """Fit the median margins against time.

    Parameters
    ----------
    audits : sequence of Audit
        Those without a margin are passed over.

    Returns
    -------
    MarginTrend or None
        None where there are fewer than two dates.
    """
    known = [each for each in audits if math.isfinite(each.median_margin_db)]
    years = np.array([each.date.toordinal() for each in known]) / DAYS_A_YEAR
    margins = np.array([each.median_margin_db for each in known])
    if len(np.unique(years)) < 2:
        return None
    middle = years.mean()
    spread = float(((years - middle) ** 2).sum())
    slope = float(((years - middle) * margins).sum() / spread)
    rest = margins - margins.mean() - slope * (years - middle)
    error = math.nan
    if len(known) > 2:
        error = math.sqrt(float((rest**2).sum()) / (len(known) - 2) / spread)
    empty = None
    if slope < 0 and slope < -2 * error:
        day = (middle - margins.mean() / slope) * DAYS_A_YEAR
        empty = date.fromordinal(int(day)) if day < date.max.toordinal() else None
    return MarginTrend(slope, error, empty)


def audit_text(audits: Sequence[Audit], trend: MarginTrend | None) -> str:
    """Return the audits as a table for people, with what becomes of the margin."""
    lines = ["date        images  tiles  missing  weak  wrong  least dB  median dB"]
    lines += [
        f"{a.date.isoformat()}  {a.images:6}  {a.tiles:5}  {a.missing:7}  {a.weak:4}  {a.wrong:5}"
        f"  {a.least_margin_db:8.1f}  {a.median_margin_db:9.1f}"
        for a in audits
    ]
    if trend is None:
        lines.append("A trend takes audits of two dates and more.")
    else:
        error = trend.error_db_per_year
        around = "" if math.isnan(error) else f" ± {error:.3f}"
        lines.append(f"The median margin changes by {trend.db_per_year:+.3f}{around} dB a year.")
        if trend.empty is not None:
            lines.append(f"It would be used up in {trend.empty.year} if it went on so.")
    return "\n".join(lines)


def trend_dict(audits: Sequence[Audit], trend: MarginTrend | None) -> dict[str, Any]:
    """Return audits and trend as plain values."""

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "audits": [
            {
                "date": a.date.isoformat(), "images": a.images, "tiles": a.tiles,
                "missing": a.missing, "weak": a.weak, "wrong": a.wrong,
                "least_margin_db": number(a.least_margin_db),
                "median_margin_db": number(a.median_margin_db),
            }
            for a in audits
        ],
        "trend": None if trend is None else {
            "db_per_year": trend.db_per_year,
            "error_db_per_year": number(trend.error_db_per_year),
            "empty": None if trend.empty is None else trend.empty.isoformat(),
        },
    }  # fmt: skip
