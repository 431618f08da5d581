"""Pictures of a trend, drawn with Matplotlib onto figures of whoever shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_nanoqr.measuring.trend import Trend
from napari_nanoqr.planning.figures import FILM_COLOUR, INK, MILLED_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_END_COLOUR = "#d55e00"
_DAYS = 365.25
_SMALL = {
    "contrast": ("Contrast", 1.0), "raw_bit_error_rate": ("Wrong modules (%)", 100.0),
    "snr": ("Signal over noise", 1.0), "blur_nm": ("Blur (nm)", 1.0),
    "damaged": ("Damaged modules (%)", 100.0),
}  # fmt: skip
"""What is drawn small, as fields of `TrendPoint`, with its title and factor."""


def draw_trend(axes: Axes, trend: Trend) -> None:
    """Draw how many of the electrons the code takes, with what is expected.

    Parameters
    ----------
    axes : matplotlib Axes
        What is drawn on.
    trend : Trend
        The series.
    """
    made = trend.extrapolation
    axes.set_ylabel("electrons it takes (% of the last image's)")
    axes.set_yscale("log")
    axes.grid(alpha=0.3)
    if made is None:
        axes.text(
            0.5, 0.5, trend.problem, transform=axes.transAxes, ha="center", va="center", wrap=True
        )  # fmt: skip
        return
    factor, unit = _unit(float(made.time.max()))
    told, last = made.forecast, float(made.time.max())
    right = 1.1 * told.high if told.high is not None else 3 * last
    inside = told.time <= right
    time = factor * told.time[inside]
    # what no dose makes up for is beyond the picture
    below, middle, above = (
        100 * np.exp(np.minimum(path[inside], 12.0))
        for path in (told.below, told.expected, told.above)
    )
    axes.fill_between(time, below, above, color=MILLED_COLOUR, alpha=0.15, lw=0, label="95 %")
    axes.plot(time, middle, color=MILLED_COLOUR, lw=1.5, label="half are read")
    read = np.isfinite(made.log_need)
    axes.plot(
        factor * made.time[read], 100 * np.exp(made.log_need[read]), "o", color=INK, ms=4,
        label="measured, for 99 of 100",
    )  # fmt: skip
    if not read.all():
        axes.plot(
            factor * made.time[~read], np.full((~read).sum(), 100.0), "x", color=_END_COLOUR,
            label="not read",
        )  # fmt: skip
    axes.axhline(100, color=INK, lw=1, ls="--")
    if told.end is not None:
        assert told.low is not None
        assert told.high is not None
        axes.axvspan(factor * told.low, factor * told.high, color=_END_COLOUR, alpha=0.12, lw=0)
        axes.axvline(factor * told.end, color=_END_COLOUR, lw=1.5, label="end")
    lowest = 100 * np.exp(np.nanmin(np.where(read, made.log_need, np.nan)))
    axes.set(xlim=(0, factor * right), ylim=(0.5 * lowest, 3000))
    kept = "" if made.storage_c is None else f" at {made.storage_c:g} °C"
    axes.set_xlabel(f"{unit}{kept} since the first image")
    axes.legend(loc="upper left", fontsize="x-small", framealpha=0.9)


def draw_changes(figure: Figure, trend: Trend) -> None:
    """Draw what else is measured against the time, a small plot each."""
    shown = [
        (name, title, scale) for name, (title, scale) in _SMALL.items()
        if any(getattr(point, name) is not None for point in trend.counting)
    ]  # fmt: skip
    if not shown:
        return
    factor, unit = _unit(max(point.years for point in trend.counting))
    for axes, (name, title, scale) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True
    ):
        points = [
            (factor * point.years, scale * value.value, scale * (value.uncertainty or 0.0))
            for point in trend.counting if (value := getattr(point, name)) is not None
        ]  # fmt: skip
        years, values, doubts = np.array(points).T
        axes.errorbar(years, values, doubts, fmt="o", ms=3, color=FILM_COLOUR, ecolor=INK, lw=0.8)
        axes.set(title=title, xlabel=unit)
        axes.grid(alpha=0.3)


def _unit(years: float) -> tuple[float, str]:
    return (1.0, "years") if years >= 2 else (_DAYS, "days")
