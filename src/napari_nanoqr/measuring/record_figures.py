"""Figures of what was measured of a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.planning.figures import FILM_COLOUR, INK, MILLED_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRONG = "#cc79a7"

_SURE = 12.0
"""Evidence of a module (natural logarithm) from which on it is drawn in the last colour."""


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
