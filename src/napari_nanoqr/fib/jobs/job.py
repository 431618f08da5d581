"""A job: symbols in a grid, with labels and marks, in as many fields of view as they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_nanoqr.fib.field import Drawing, FieldPlan, PlacedPlan
from napari_nanoqr.fib.instruments import find_instrument
from napari_nanoqr.fib.jobs.drawings import LIGHT_AROUND, Pen
from napari_nanoqr.fib.jobs.entries import JobEntry
from napari_nanoqr.fib.jobs.layout import (
    Cells,
    JobLayout,
    columns_for,
    divide,
    largest_hfw_um,
)
from napari_nanoqr.fib.plan import FIELD_USED, MillPlan, plan_milling, usual_hfw_um
from napari_nanoqr.progress import Progress, go_on

MOST_POINTS = 8_000_000
"""Points in a file where an instrument's limit is not known (pyMPSG)."""


@dataclass(frozen=True, eq=False)
class JobSymbol:
    """A symbol of a job, at its place.

    Parameters
    ----------
    entry : JobEntry
        What it is.
    item : PlacedPlan
        Its plan, and its place in the field.
    row, column : int
        In the grid of the whole job, from 0.
    """

    entry: JobEntry
    item: PlacedPlan
    row: int
    column: int


@dataclass(frozen=True, eq=False)
class JobField:
    """A field of view of a job.

    Parameters
    ----------
    plan : FieldPlan
        What is milled.
    symbols : tuple of JobSymbol
        The same symbols, with what they are.
    x_um, y_um : float
        Where the stage has to be: the field's centre from that of the first field, x to the
        right and y down as seen on the screen.
    """

    plan: FieldPlan
    symbols: tuple[JobSymbol, ...]
    x_um: float
    y_um: float


@dataclass(frozen=True, eq=False)
class Job:
    """Many symbols, ready to be written.

    Parameters
    ----------
    name : str
        What files are named after.
    base : MillPlan
        Whose beam, dwell, passes and dose all others are counted in.
    fields : tuple of JobField
        In the order in which the stage goes.
    rows, columns : int
        Of the grid of the whole job.
    """

    name: str
    base: MillPlan
    fields: tuple[JobField, ...]
    rows: int
    columns: int

    @property
    def symbols(self) -> tuple[JobSymbol, ...]:
        """All symbols, field by field."""
        return tuple(symbol for field in self.fields for symbol in field.symbols)

    @property
    def hfw_um(self) -> float:
        """Horizontal field width of all fields."""
        return self.fields[0].plan.hfw_um

    @property
    def n_points(self) -> int:
        """Points in each pass, of all fields."""
        return sum(field.plan.n_points for field in self.fields)

    @property
    def beam_on_time_s(self) -> float:
        """Time in s with the beam on, of all fields."""
        return sum(field.plan.beam_on_time_s for field in self.fields)

    @property
    def warnings(self) -> list[str]:
        """What a careful operator would want to know, each once; empty where all is well."""
        said = [sentence for field in self.fields for sentence in field.plan.warnings]
        return list(dict.fromkeys(said))


def plan_job(
    entries: Sequence[JobEntry],
    layout: JobLayout | None = None,
    *,
    name: str = "job",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    over_etch: float = 1.0,
    **plan_options: Any,
) -> Job:
    """Plan many symbols: each one's milling, and where it stands.

    Parameters
    ----------
    entries : sequence of JobEntry
        The symbols, row by row.
    layout : JobLayout, optional
        How they are laid out.
    name : str
        What files are named after.
    progress : callable, optional
        Told which symbol is being planned.
    cancelled : callable, optional
        Asked between symbols.
    over_etch : float
        Factor on the dose that mills through the film; that of each entry comes on top.
    **plan_options
        As :func:`~napari_nanoqr.fib.plan.plan_milling` takes them: `beam`, `dwell_us`,
        `correct_edges` and so on. Dwell and passes are those of a symbol with a dose of 1.

    Returns
    -------
    Job
        With symbols in the order of the grid.

    Raises
    ------
    Cancelled
        Where `cancelled` said so.
    ValueError
        Where there is nothing to write, or it cannot be milled or laid out.
    """
    layout = layout or JobLayout()
    if not entries:
        raise ValueError("There is nothing to write: the job has no symbol.")
    # whatever the dose of the first symbol, a dose of 1 is what files count in
    base = plan_milling(entries[0].design, over_etch=over_etch, **plan_options)
    options = plan_options | {"beam": base.beam, "passes": base.passes, "dwell_us": None}
    plans = []
    for number, entry in enumerate(entries):
        go_on(cancelled)
        if progress is not None:
            progress(number, len(entries), f"Planning {entry.label or entry.design.name} …")
        plans.append(plan_milling(entry.design, over_etch=over_etch * entry.dose, **options))
    return _laid_out(name, layout, base, entries, plans)


def _laid_out(
    name: str, layout: JobLayout, base: MillPlan, entries: Sequence[JobEntry],
    plans: Sequence[MillPlan],
) -> Job:  # fmt: skip
    pen = Pen.for_job(entries, base, layout.labels)
    boxes = [pen.box_nm(entry) for entry in entries]
    columns = layout.columns or columns_for(boxes)
    columns = min(columns, len(entries))
    pitch = max(entry.design.pitch_nm for entry in entries)
    light = max((LIGHT_AROUND - e.design.quiet_zone) * e.design.pitch_nm for e in entries)
    spacing = LIGHT_AROUND * pitch if layout.spacing_nm is None else layout.spacing_nm
    cells = Cells.around(boxes, columns, max(spacing, light))
    points = np.zeros((cells.heights_nm.size, columns), dtype=np.int64)
    labels = [pen.label(entry) for entry in entries]
    for index, (plan, label) in enumerate(zip(plans, labels, strict=True)):
        drawn = 0 if label is None else int(label.sum()) * pen.points_per_cell**2
        points[divmod(index, columns)] = plan.n_points + drawn
    frame = pen.frame_nm if layout.marks else 0.0
    most = layout.most_points or find_instrument().most_points or MOST_POINTS
    marked = sum(mark.n_points for mark in pen.marks(1.0, 1.0)) if layout.marks else 0
    widest = layout.hfw_um or _widest_hfw_um(base, boxes, frame, layout.used)
    blocks = divide(
        cells, points, 1000 * widest * layout.used - 2 * frame, max(1, int(most) - marked)
    )
    return _fields(name, layout, base, entries, plans, pen, cells, blocks, frame, columns)


def _widest_hfw_um(
    base: MillPlan, boxes: Sequence[tuple[float, float]], frame: float, used: float
) -> float:
    """Return the widest usual field that resolves the points and holds the largest symbol."""
    least = _hfw_for(max(map(max, boxes)) + 2 * frame, used)
    limit = largest_hfw_um(base.point_pitch_nm)
    hfw = least
    while (wider := usual_hfw_um(1000 * hfw * FIELD_USED * 1.01)) <= limit:
        hfw = wider
    return hfw


def _hfw_for(side_nm: float, used: float) -> float:
    return usual_hfw_um(side_nm * FIELD_USED / used)


def _fields(
    name: str, layout: JobLayout, base: MillPlan, entries: Sequence[JobEntry],
    plans: Sequence[MillPlan], pen: Pen, cells: Cells, blocks: list[tuple[slice, slice]],
    frame: float, columns: int,
) -> Job:  # fmt: skip
    sizes = [cells.part(*block).size_nm for block in blocks]
    hfw = layout.hfw_um or _hfw_for(max(map(max, sizes)) + 2 * frame, layout.used)
    tops = sorted({rows.start for rows, _ in blocks})
    lefts = sorted({across.start for _, across in blocks})
    fields = []
    for number, ((rows, across), (height, width)) in enumerate(
        zip(blocks, sizes, strict=True), start=1
    ):
        y, x = cells.part(rows, across).middles_nm
        symbols: list[JobSymbol] = []
        drawings: list[Drawing] = pen.marks(height, width) if layout.marks else []
        for row in range(rows.start, rows.stop):
            for column in range(across.start, across.stop):
                index = row * columns + column
                if index >= len(entries):
                    continue
                at = x[column - across.start], y[row - rows.start]
                item, label = pen.placed(entries[index], plans[index], *map(float, at))
                symbols.append(JobSymbol(entries[index], item, row, column))
                drawings += [] if label is None else [label]
        plan = FieldPlan(
            tuple(symbol.item for symbol in symbols), hfw, tuple(drawings), base,
            name if len(blocks) == 1 else f"{name} {number}",
        )  # fmt: skip
        # fields of view stand beside each other: what images one leaves the next alone
        fields.append(
            JobField(plan, tuple(symbols), lefts.index(across.start) * hfw,
                     tops.index(rows.start) * hfw)
        )  # fmt: skip
    return Job(name, base, tuple(fields), cells.heights_nm.size, columns)
