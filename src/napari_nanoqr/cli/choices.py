"""Symbols to choose from as a table, for the command line and for the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanoqr.planning.choice import Choice

HEADS = (
    "symbol", "modules", "pitch", "um^2", "/record", "beam on", "read %", "range", "limit", "",
)  # fmt: skip
PITCH, LIMIT = 2, 8
"""Columns that are not always needed."""

_LIMITS = {None: "", "beam spot": "spot", "reading dose": "reading"}


def rows(
    choices: Sequence[Choice], payload: str | bytes | None = None
) -> tuple[list[tuple[str, ...]], int]:
    """Return the cells of a table of choices, and which of its rows is the record's.

    Parameters
    ----------
    choices : sequence of Choice
        Smallest first.
    payload : str or bytes, optional
        What was asked for: what is stored otherwise is marked.

    Returns
    -------
    list of tuple of str
        A row for each choice, as `HEADS` says, and one for the record.
    int
        Where the record's is; where the choices end before it, it is the last one.
    """
    from napari_nanoqr.cli.export import duration
    from napari_nanoqr.design.density import RECORD_AREA_UM2
    from napari_nanoqr.planning.read_probability import percent

    cells: list[tuple[str, ...]] = [
        (
            choice.name, f"{choice.modules[0]} x {choice.modules[1]}", f"{choice.pitch_nm:g} nm",
            f"{choice.area_um2:.3f}", f"{choice.times_record_area:.3f}",
            duration(choice.beam_time_s), f"{percent(choice.reading.probability)}",
            f"{percent(choice.reading.low)} to {percent(choice.reading.high)}",
            _LIMITS[choice.limited_by], "" if payload in (None, choice.payload) else "in capitals",
        )
        for choice in choices
    ]  # fmt: skip
    at = sum(choice.area_um2 < RECORD_AREA_UM2 for choice in choices)
    area = f"{RECORD_AREA_UM2:.3f}"
    cells.insert(at, ("the record", "29 x 29", "48.5 nm", area, "1.000", *[""] * 5))
    return cells, at


def table(
    choices: Sequence[Choice], *, several_pitches: bool = False, payload: str | bytes | None = None
) -> list[str]:
    """Return the ranked choices as lines, with the record among them.

    Parameters
    ----------
    choices : sequence of Choice
        Smallest first.
    several_pitches : bool
        Tell the pitch of each.
    payload : str or bytes, optional
        What was asked for: what is stored otherwise is marked.
    """
    cells, _ = rows(choices, payload)
    needless = set() if several_pitches else {PITCH}
    if not any(choice.limited_by for choice in choices):
        needless.add(LIMIT)
    kept = [i for i in range(len(HEADS)) if i not in needless]
    lines = [[row[i] for i in kept] for row in (HEADS, *cells)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(kept))]
    left = (0, len(kept) - 2, len(kept) - 1) if LIMIT in kept else (0, len(kept) - 1)
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def limits_of(choices: Sequence[Choice]) -> str:
    """Say what keeps the pitches of choices from being smaller, empty where they were given."""
    limited = [choice for choice in choices if choice.limited_by is not None]
    by_beam = [choice for choice in limited if choice.limited_by == "beam spot"]
    said = []
    if by_beam:
        finest = by_beam[0]
        said.append(
            f"The spot of {finest.beam.spot_nm:g} nm resolves {finest.pitch_nm:g} nm and no less."
        )
    if len(by_beam) < len(limited):
        said.append(
            "Smaller modules would be read too seldom: use more electrons, or smaller pixels."
        )
    return " ".join(said)
