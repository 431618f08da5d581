"""Pictures of predictions, drawn with Matplotlib onto figures of whoever shows them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.physics.milling import FilmState
from napari_nanoqr.planning.window import Window
from napari_nanoqr.sem.micrograph import Micrograph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2430"
MILLED_COLOUR = "#0072b2"
FILM_COLOUR = "#e69f00"
"""Colours that colour-blind people tell apart (Okabe and Ito)."""


def new_figure(width: float = 5.0, height: float = 4.0) -> Figure:
    """Return an empty figure of some inches that no window belongs to."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=110)


def png_of(figure: Figure) -> bytes:
    """Return a figure as a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    file = io.BytesIO()
    # without the time of writing, so that equal figures are equal files
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def draw_design(axes: Axes, design: Design) -> None:
    """Draw a design at its size, in um."""
    height, width = (side / 1000 for side in design.field_size_nm)
    axes.imshow(
        ~design.modules, cmap="gray", extent=(-width / 2, width / 2, height / 2, -height / 2),
        interpolation="nearest", vmin=0, vmax=1,
    )  # fmt: skip
    _in_um(axes, "Design")


def draw_depth(axes: Axes, state: FilmState) -> None:
    """Draw how deep a film is milled, in nm below its surface."""
    image = axes.imshow(
        state.depth_nm, cmap="cividis", extent=_extent_um(state), interpolation="nearest",
        vmin=0,
    )  # fmt: skip
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.85)
    bar.set_label("depth (nm)")
    _in_um(axes, "Film after milling")


def draw_section(axes: Axes, state: FilmState, at_nm: float, half_width_nm: float = 500.0) -> None:
    """Draw a cut through a film along x, at a place in y.

    Parameters
    ----------
    axes : matplotlib Axes
        What is drawn on.
    state : FilmState
        The film.
    at_nm : float
        Where, from the field's centre and downwards.
    half_width_nm : float
        How far to both sides of the centre.
    """
    grid, thickness = state.grid, state.film.thickness_nm
    row = int(np.clip((at_nm - grid.top_nm) / grid.cell_nm, 0, grid.rows - 1))
    x = grid.left_nm + (np.arange(grid.columns) + 0.5) * grid.cell_nm
    inside = np.abs(x) <= half_width_nm
    x, surface = x[inside], -state.depth_nm[row, inside]
    bottom = min(-1.6 * thickness, 1.2 * float(surface.min(initial=0.0)))
    floor = np.minimum(surface, -thickness)
    axes.fill_between(x, bottom, floor, color="#b8c4ce", lw=0, label=state.film.substrate)
    axes.fill_between(x, floor, surface, color=FILM_COLOUR, lw=0, label=state.film.material)
    if state.redeposited_nm is not None:
        fallen = state.redeposited_nm[row, inside]
        axes.fill_between(x, surface - fallen, surface, color="#d55e00", lw=0, label="redeposited")
    axes.plot(x, surface, color=INK, lw=1)
    axes.set(
        xlabel="x (nm)", ylabel="z (nm)", ylim=(bottom, 0.5 * thickness),
        title="Cut through the middle (heights enlarged)",
    )  # fmt: skip
    axes.margins(x=0)
    axes.legend(loc="upper right", fontsize="x-small", ncols=3, framealpha=0.9)


def draw_micrograph(
    axes: Axes, micrograph: Micrograph, corners_yx: NDArray[np.float64] | None = None
) -> None:
    """Draw a micrograph, with the outline of a code where its corners are given, in pixels."""
    image = np.asarray(micrograph.image)
    low, high = np.percentile(image, (0.5, 99.5))
    axes.imshow(image, cmap="gray", vmin=low, vmax=high)
    if corners_yx is not None:
        closed = np.vstack((corners_yx, corners_yx[:1]))
        axes.plot(closed[:, 1], closed[:, 0], color="#56b4e9", lw=1.5)
    axes.set(title="Predicted micrograph", xticks=[], yticks=[])
    size = micrograph.pixel_size_nm
    if size is not None:
        axes.set_xlabel(f"{image.shape[1] * size[1] / 1000:.3g} µm wide, {size[1]:.3g} nm a pixel")


def draw_window(axes: Axes, window: Window) -> None:
    """Draw the read probability against a quantity, with the window to stay in."""
    values = window.values
    axes.fill_between(
        values, 100 * window.low, 100 * window.high, color=MILLED_COLOUR, alpha=0.2, lw=0
    )
    axes.plot(values, 100 * window.probability, color=MILLED_COLOUR, marker="o", ms=3, lw=1.5)
    if window.recommended is not None:
        axes.axvspan(*window.recommended, color="#009e73", alpha=0.12, lw=0)
    axes.axvline(window.planned, color=INK, lw=1, ls="--")
    axes.set(xlabel=f"{window.quantity} ({window.unit})", ylabel="images read (%)", ylim=(-3, 103))
    margin = axes.twinx()
    margin.plot(values, window.margin, color=FILM_COLOUR, lw=1.2)
    margin.set_ylabel("margin (x the electrons)", color="#a36a00")
    margin.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


def _extent_um(state: FilmState) -> tuple[float, float, float, float]:
    grid = state.grid
    right = grid.left_nm + grid.columns * grid.cell_nm
    bottom = grid.top_nm + grid.rows * grid.cell_nm
    return grid.left_nm / 1000, right / 1000, bottom / 1000, grid.top_nm / 1000


def _in_um(axes: Axes, title: str) -> None:
    axes.set(title=title, xlabel="x (µm)", ylabel="y (µm)")
