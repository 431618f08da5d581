"""What a job writes: one entry a symbol, from a list in a file or as the wedge of a dose test."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.lettering import lettering
from napari_nanoqr.design.settings import DesignSettings
from napari_nanoqr.progress import Progress, go_on
from napari_nanoqr.symbols.names import SYMBOLS, read_version

MOST_NAMED = 20
"""Bad lines that are named one by one; of a thousand the first ones tell what is wrong."""

LISTS = (".csv", ".tsv")
"""Suffixes of files with columns; all others hold one payload a line."""


class BadList(ValueError):
    """A list of payloads with lines that cannot be written."""


@dataclass(frozen=True)
class JobEntry:
    """A symbol of a job.

    Parameters
    ----------
    design : Design
        What is milled.
    label : str
        What stands below it; empty for nothing.
    dose : float
        In units of the job's.

    Raises
    ------
    ValueError
        Where the dose is out of range, or the label cannot be milled.
    """

    design: Design
    label: str = ""
    dose: float = 1.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.dose <= 100:
            raise ValueError(f"A dose of {self.dose:g} times the usual one: use 0.01 to 100.")
        if self.label:
            lettering(self.label)


def read_payloads(
    path: str | Path,
    settings: DesignSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[JobEntry]:
    """Read payloads from a file.

    Parameters
    ----------
    path : str or Path
        ``.csv`` or ``.tsv``: the first line names the columns, ``payload`` or ``payload_hex``
        and any of :data:`COLUMNS`; commas, semicolons or tabs part them, and an empty cell
        means the default. Any other file holds one payload a line. Empty lines are passed over.
    settings : DesignSettings, optional
        What holds where the file says nothing.
    progress : callable, optional
        Told which line is being encoded.
    cancelled : callable, optional
        Asked between lines.

    Returns
    -------
    list of JobEntry
        In the order of the file, each with its label, by default its number.

    Raises
    ------
    BadList
        Where lines cannot be used: each is named with its number and the reason.
    Cancelled
        Where `cancelled` said so.
    OSError
        Where the file cannot be read.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise BadList(f"{path.name}, line {line}: this is not UTF-8 text.") from problem
    settings = settings or DesignSettings()
    table = _columns(path, text) if path.suffix.lower() in LISTS else _lines(text)
    entries, bad = [], []
    for index, (number, values) in enumerate(table):
        go_on(cancelled)
        if progress is not None:
            progress(index, len(table), f"Encoding line {number} …")
        try:
            if None in values:
                raise ValueError("there are more cells than columns")
            entries.append(_entry(values, settings, str(index + 1)))
        except ValueError as problem:
            bad.append(f"line {number}: {problem}")
    if bad:
        more = [] if len(bad) <= MOST_NAMED else [f"and {len(bad) - MOST_NAMED} more lines"]
        raise BadList("\n".join([f"{path.name} cannot be used:", *bad[:MOST_NAMED], *more]))
    if not entries:
        raise BadList(f"{path.name} holds no payload.")
    return entries


def dose_test(
    design: Design, doses: Sequence[float], pitches_nm: Sequence[float]
) -> list[JobEntry]:
    """Return the entries of a dose test: one symbol with every dose at every pitch.

    Parameters
    ----------
    design : Design
        What is milled again and again.
    doses : sequence of float
        In units of the usual one; from left to right.
    pitches_nm : sequence of float
        Sides of a module; from the top down.

    Returns
    -------
    list of JobEntry
        Row by row, labelled with pitch and dose.
    """
    if not doses or not pitches_nm:
        raise ValueError("A dose test needs at least one dose and one pitch.")
    return [
        JobEntry(
            replace(design, pitch_nm=pitch, name=f"{design.name} {pitch:g} nm {dose:g}x"),
            f"{pitch:.4g} {dose:.3g}X", dose,
        )
        for pitch in pitches_nm
        for dose in doses
    ]  # fmt: skip


def _lines(text: str) -> list[tuple[int, dict[Any, str]]]:
    # form feeds and the like belong to a payload, so that only line ends part them
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    return [(number, {"payload": line}) for number, line in lines if line.strip()]


def _columns(path: Path, text: str) -> list[tuple[int, dict[Any, str]]]:
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    known = {"payload", "payload_hex", *COLUMNS}
    strange = [name for name in names if name not in known]
    if strange or len(set(names)) < len(names) or not {"payload", "payload_hex"} & set(names):
        said = (
            f"the column {strange[0]!r} is not known" if strange
            else "a column stands there twice" if len(set(names)) < len(names)
            else "no column is named payload"
        )  # fmt: skip
        raise BadList(
            f"{path.name}, line 1: {said}. Columns are payload or payload_hex, and any of "
            f"{', '.join(COLUMNS)}."
        )
    reader.fieldnames = names
    found, start = [], reader.line_num + 1
    try:
        for row in reader:
            found.append((start, {name: value or "" for name, value in row.items()}))
            start = reader.line_num + 1
    except csv.Error as problem:
        raise BadList(f"{path.name}, line {start}: {problem}.") from problem
    return [(number, row) for number, row in found if any(map(str.strip, map(str, row.values())))]


def _entry(values: dict[Any, str], settings: DesignSettings, number: str) -> JobEntry:
    """Make an entry of the cells of a line."""
    given = {}
    for name, (field, read) in COLUMNS.items():
        word = values.get(name, "").strip()
        if word:
            try:
                given[field] = read(word)
            except ValueError:
                raise ValueError(f"{name} {word!r} is not a number") from None
    label, dose = given.pop("label", number), given.pop("dose", 1.0)
    payload: str | bytes = values.get("payload", "")
    if values.get("payload_hex", "").strip():
        if payload:
            raise ValueError("give payload or payload_hex, not both")
        try:
            payload = bytes.fromhex(values["payload_hex"])
        except ValueError:
            raise ValueError(f"{values['payload_hex']!r} is not pairs of hex digits") from None
    design = replace(settings, **given).design(payload, label)
    return JobEntry(design, label, dose)


def _number(word: str) -> float:
    """Read a number; where semicolons part columns, a comma may part its decimals."""
    return float(word.replace(",", "."))


COLUMNS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "label": ("label", str),
    "pitch": ("pitch_nm", _number),
    "dose": ("dose", _number),
    "error": ("error", str.upper),
    "version": ("version", read_version),
    "mask": ("mask", int),
    "symbol": ("symbology", lambda word: SYMBOLS.get(word.lower(), word)),
    "mill": ("mill", str.lower),
    "quiet_zone": ("quiet_zone", int),
}
"""Columns of a list beside the payload: what of a symbol they say, and how they are read."""
