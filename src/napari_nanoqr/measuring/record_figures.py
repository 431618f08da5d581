"""Pictures of a record: the micrograph with what was read, and what was measured of a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.planning.figures import FILM_COLOUR, INK, MILLED_COLOUR
from napari_nanoqr.sem.restore.register import registered_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from napari_nanoqr.measuring.record import Record

READ, UNREAD, WRONG = "#009e73", "#d55e00", "#cc79a7"
"""Colours that colour-blind people tell apart (Okabe and Ito)."""

MOST_PIXELS = 1400
"""Longer side of an image in a picture: more does not show on a page."""

_SURE = 12.0
"""Evidence of a module (natural logarithm) from which on it is drawn in the last colour."""


def draw_record(axes: Axes, record: Record) -> None:
    """Draw the micrograph of a record with an outline around each code.

    Parameters
    ----------
    axes : matplotlib Axes
        What is drawn on.
    record : Record
        One whose file could be opened.
    """
    assert record.micrograph is not None
    image = record.micrograph.image
    shown = registered_mean(image) if image.ndim == 3 else np.asarray(image)
    step = max(1, -(-max(shown.shape) // MOST_PIXELS))
    small = _smaller(shown, step)
    low, high = np.percentile(small, (0.5, 99.5))
    rows, columns = shown.shape
    axes.imshow(
        small, cmap="gray", vmin=low, vmax=max(high, low + 1e-9),
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
    )  # fmt: skip
    for reading in record.readings:
        outline(axes, reading.corners_yx, READ)
    for seen in record.readings.unread:
        outline(axes, seen.corners_yx, UNREAD, "--")
    axes.set(xticks=[], yticks=[], xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    _scale_bar(axes, record, columns)


def draw_wrong(axes: Axes, measured: Measurement) -> None:
    """Draw how sure each module is, and mark those that look other than written."""
    rows, columns = measured.modules.shape
    if measured.evidence is None:
        axes.imshow(~measured.modules, cmap="gray", interpolation="nearest")
        axes.set(title="Modules", xticks=[], yticks=[])
        return
    image = axes.imshow(
        np.clip(measured.evidence, -_SURE, _SURE), cmap="cividis", vmin=-_SURE, vmax=_SURE,
        interpolation="nearest",
    )  # fmt: skip
    wrong = np.argwhere(measured.evidence < 0)
    size = max(120 / max(rows, columns), 1.5)
    axes.plot(wrong[:, 1], wrong[:, 0], "x", color=WRONG, ms=size, mew=size / 4)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.85)
    bar.set_label("ln P(as written) / P(not)")
    axes.set(title=f"Margins, {len(wrong)} wrong", xticks=[], yticks=[])


def draw_values(axes: Axes, measured: Measurement) -> None:
    """Draw the grey values of dark and light modules as histograms."""
    dark, light = measured.values[measured.modules], measured.values[~measured.modules]
    both = np.concatenate((dark, light))
    bins = np.linspace(float(both.min()), float(both.max()) + 1e-9, 40).tolist()
    axes.hist(dark, bins, color=INK, alpha=0.75, label=f"dark, {len(dark):,}")
    axes.hist(light, bins, color=FILM_COLOUR, alpha=0.75, label=f"light, {len(light):,}")
    axes.set(title="Grey values of modules", xlabel="grey value", ylabel="modules")
    axes.legend(fontsize="small")


def draw_edge(axes: Axes, measured: Measurement) -> None:
    """Draw the mean profile across the edges between dark and light modules."""
    if measured.edge_profile is None:
        axes.set_axis_off()
        return
    distance, grey = measured.edge_profile
    unit = "px" if measured.edge_bias_nm is None else "nm"
    axes.plot(distance, grey, color=MILLED_COLOUR, lw=1.8)
    axes.axvline(0, color=INK, lw=0.8, ls=":")
    axes.set(
        title="Mean edge", xlabel=f"from dark to light ({unit})",
        ylabel="grey value",
    )  # fmt: skip


def outline(
    axes: Axes, corners_yx: NDArray[np.float64], colour: str, style: str = "-", width: float = 1.6
) -> None:
    """Draw the outline of a code given by its corners in pixels."""
    closed = np.vstack((corners_yx, corners_yx[:1]))
    axes.plot(closed[:, 1], closed[:, 0], color=colour, ls=style, lw=width)


def _smaller(image: NDArray[np.generic], step: int) -> NDArray[np.float32]:
    """Return the means of squares of pixels."""
    rows, columns = (n // step * step for n in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _scale_bar(axes: Axes, record: Record, columns: int) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten, about a fifth of the width."""
    given = record.settings.pixel_size_nm
    assert record.micrograph is not None
    known = record.micrograph.pixel_size_nm
    size = given if given is not None else None if known is None else known[1]
    if size is None:
        axes.set_xlabel("no pixel size")
        return
    wanted = columns * size / 5
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(n * power for n in (1, 2, 5) if n * power <= wanted)
    text = f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"
    axes.set_xlabel(f"scale bar {text}")
    bottom = axes.get_ylim()[0]
    start, row = 0.03 * columns, bottom - 0.03 * columns
    ends = [start, start + length / size]
    for colour, width in (("black", 5), ("white", 3)):
        axes.plot(ends, [row, row], color=colour, lw=width, solid_capstyle="butt")
