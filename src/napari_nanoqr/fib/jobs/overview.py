"""A picture of a job: its fields of view, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.lettering import lettering
from napari_nanoqr.fib.jobs.job import Job
from napari_nanoqr.fib.merging import merge_rectangles

if TYPE_CHECKING:
    from PIL.Image import Image

PAPER, VIEW, FRAME, INK, NOTE = "#ffffff", "#f4f2ec", "#8a8577", "#1b1b1b", "#0b5c8a"
LOW, HIGH = np.array((0x4C, 0x9B, 0xD9)), np.array((0xB8, 0x3A, 0x1B))
"""Doses below and above the usual one; told apart by colour-blind people too."""

MOST_DRAWN = 2_000_000
"""Modules of all symbols up to which they are drawn one by one; else each symbol is a box."""


@dataclass(frozen=True)
class Rectangles:
    """Rectangles of one colour.

    Parameters
    ----------
    corners_um : (n, 4) float64 array
        Left, top, right and bottom from the first field's centre, y down.
    colour : str
        ``#rrggbb``.
    """

    corners_um: NDArray[np.float64]
    colour: str


def overview_svg(job: Job) -> str:
    """Draw a job as SVG; one user unit is one um.

    Parameters
    ----------
    job : Job
        What is drawn.

    Returns
    -------
    str
        Fields of view with their number and stage position, symbols coloured by their dose,
        labels and marks.
    """
    left, top, right, bottom = _extent(job)
    width, height = right - left, bottom - top
    shown = 240 / max(width, height)
    parts = []
    for drawn in _drawn(job):
        corners = drawn.corners_um.tolist()
        moves = "".join(
            f"M{a:.6g} {b:.6g}h{c - a:.5g}v{d - b:.5g}h{a - c:.5g}z" for a, b, c, d in corners
        )
        parts.append(f'<path fill="{drawn.colour}" d="{moves}"/>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {top:g} {width:g} {height:g}"'
        f' width="{width * shown:.5g}mm" height="{height * shown:.5g}mm">\n'
        f"<desc>{len(job.fields)} fields of {job.hfw_um:g} um; one user unit is one um</desc>\n"
        f'<path fill="{PAPER}" d="M{left:g} {top:g}h{width:g}v{height:g}h{-width:g}z"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def overview_png(job: Job, side: int = 1600) -> Image:
    """Draw a job as a picture.

    Parameters
    ----------
    job : Job
        What is drawn.
    side : int
        Pixels of the longer side.

    Returns
    -------
    PIL.Image.Image
        The same as :func:`overview_svg` draws.
    """
    from PIL import Image, ImageDraw

    left, top, right, bottom = _extent(job)
    # drawn larger and scaled down, so that modules of less than a pixel turn grey
    finer = 3
    scale = finer * side / max(right - left, bottom - top)
    size = round((right - left) * scale), round((bottom - top) * scale)
    picture = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(picture)
    for drawn in _drawn(job):
        corners = (drawn.corners_um - (left, top, left, top)) * scale
        # the last pixel belongs to what is drawn
        for a, b, c, d in np.rint(corners).astype(int).tolist():
            pen.rectangle((a, b, max(a, c - 1), max(b, d - 1)), fill=drawn.colour)
    return picture.resize((size[0] // finer, size[1] // finer), Image.Resampling.BOX)


def _extent(job: Job) -> tuple[float, float, float, float]:
    hfw = job.hfw_um
    x, y = np.array([(field.x_um, field.y_um) for field in job.fields]).T
    # room for the line of text above each field, and for its frame
    return (
        float(x.min() - 0.53 * hfw), float(y.min() - 0.53 * hfw),
        float(x.max() + 0.53 * hfw), float(y.max() + 0.53 * hfw),
    )  # fmt: skip


def _drawn(job: Job) -> Iterator[Rectangles]:
    hfw = job.hfw_um
    one_by_one = sum(s.entry.design.modules.size for s in job.symbols) <= MOST_DRAWN
    for number, field in enumerate(job.fields, start=1):
        middle = np.array((field.x_um, field.y_um) * 2)
        for side, colour in ((0.5, FRAME), (0.4975, VIEW)):
            square = np.array([(-side, -side, side, side)]) * hfw
            yield Rectangles(square + middle, colour)
        said = f"{number}  {field.x_um:g},{field.y_um:g} UM"
        yield _text(said, middle[:2] - 0.485 * hfw, 0.003 * hfw)
        for symbol in field.symbols:
            item, design = symbol.item.placed, symbol.entry.design
            corner = np.array(item.corner_nm) / 1000
            cells = design.milled if one_by_one else np.ones((1, 1), dtype=np.bool_)
            size = design.pitch_nm / 1000 * (1 if one_by_one else design.modules.shape[0])
            yield Rectangles(_merged(cells, corner, size) + middle, _colour(symbol.entry.dose))
        pitch = field.plan.base_plan.point_pitch_nm
        for drawing in field.plan.drawings:
            high, wide = drawing.size_nm(pitch)
            corner = np.array((drawing.x_nm - wide / 2, drawing.y_nm - high / 2)) / 1000
            cell = drawing.points_per_cell * pitch / 1000
            yield Rectangles(_merged(drawing.cells, corner, cell) + middle, INK)


def _merged(
    cells: NDArray[np.bool_], corner_um: NDArray[np.float64], cell_um: float
) -> NDArray[np.float64]:
    """Left, top, right and bottom of rectangles that cover cells."""
    found, _ = merge_rectangles(cells.astype(np.int8))
    return np.asarray(found[:, [1, 0, 3, 2]] * cell_um + np.tile(corner_um, 2))


def _text(text: str, corner_um: NDArray[np.float64], cell_um: float) -> Rectangles:
    return Rectangles(_merged(lettering(text), corner_um, cell_um), NOTE)


def _colour(dose: float) -> str:
    """Black for the usual dose, the bluer the less, the redder the more."""
    share = min(abs(np.log2(dose)) / 2, 1.0)
    colour = np.rint((LOW if dose < 1 else HIGH) * share + (1 - share) * 27).astype(int)
    return "#" + "".join(f"{value:02x}" for value in colour.tolist())
