"""In which window of dose, pitch, focus, drift and film thickness a symbol will be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.design.record import record_design
from napari_nanoqr.fib.plan import MillPlan, plan_milling
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.margin import measure_margin
from napari_nanoqr.planning.read_probability import Progress, read_probability
from napari_nanoqr.progress import Cancelled

Quantity = Literal["dose", "pitch", "defocus", "drift", "thickness", "electrons"]
"""Ion dose, pitch, defocus and drift of the SEM, film thickness, electrons of the SEM."""

UNITS: dict[Quantity, str] = {
    "dose": "x the plan's", "pitch": "nm", "defocus": "nm", "drift": "nm", "thickness": "nm",
    "electrons": "a pixel",
}  # fmt: skip

LIMIT = 0.99
"""Share of the images that are to be read in a window."""

_LARGEST = 61
"""Modules along a side of what is simulated; for a larger symbol the record's stands."""


@dataclass(frozen=True, eq=False)
class Window:
    """How reading depends on one quantity, all others as planned.

    Parameters
    ----------
    quantity : {"dose", "pitch", "defocus", "drift", "thickness", "electrons"}
        What is varied.
    values : (n,) float64 array
        Its values, rising; the unit is in :attr:`unit`.
    margin : (n,) float64 array
        How many times the electrons there are that 99 % of the images take.
    probability, low, high : (n,) float64 arrays
        Share of the images that are read, with 15 % fewer and more electrons.
    planned : float
        Value of the plan.
    limit : float
        Least share of a good window.
    """

    quantity: Quantity
    values: NDArray[np.float64]
    margin: NDArray[np.float64]
    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    planned: float
    limit: float = LIMIT

    @property
    def unit(self) -> str:
        """What the values are counted in."""
        return UNITS[self.quantity]

    @property
    def recommended(self) -> tuple[float, float] | None:
        """First and last value of the window to stay in, None where nothing is good enough.

        It is the run of values above the limit with the greatest margin in it.
        """
        good = self.probability >= self.limit
        if not good.any():
            return None
        best = int(np.where(good, self.margin, -1.0).argmax())
        bad = np.flatnonzero(~good)
        first = int(bad[bad < best].max(initial=-1)) + 1
        last = int(bad[bad > best].min(initial=good.size)) - 1
        return float(self.values[first]), float(self.values[last])

    @property
    def best(self) -> float:
        """The value with the greatest margin."""
        return float(self.values[self.margin.argmax()])

    def __str__(self) -> str:
        if self.recommended is None:
            return (
                f"{self.quantity}: at no value from {self.values[0]:g} to {self.values[-1]:g} "
                f"{self.unit} are {100 * self.limit:g} % of the images read"
            )
        first, last = self.recommended
        return (
            f"{self.quantity}: {first:.3g} to {last:.3g} {self.unit} (planned {self.planned:.3g}), "
            f"most margin at {self.best:.3g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        arrays = {
            name: [round(float(value), 4) for value in getattr(self, name)]
            for name in ("values", "margin", "probability", "low", "high")
        }
        window = None if self.recommended is None else list(self.recommended)
        return {
            "quantity": self.quantity, "unit": self.unit, "planned": self.planned,
            "limit": self.limit, "recommended": window, "best": self.best, **arrays,
        }  # fmt: skip


def default_values(quantity: Quantity, plan: MillPlan, sem: SemCondition) -> NDArray[np.float64]:
    """Return values of a quantity that are worth a look.

    Parameters
    ----------
    quantity : {"dose", "pitch", "defocus", "drift", "thickness", "electrons"}
        What is varied.
    plan : MillPlan
        What is milled.
    sem : SemCondition
        How it is imaged.

    Returns
    -------
    (n,) float64 array
        Rising, with the planned one among them where it is not negative.
    """
    pitch = plan.design.pitch_nm
    values = {
        "dose": np.linspace(0.6, 1.6, 11),
        "pitch": pitch * np.linspace(0.5, 1.3, 9),
        "defocus": sem.defocus_nm + pitch * np.linspace(0, 0.6, 7),
        "drift": np.hypot(*sem.drift_nm) + pitch * np.linspace(0, 4, 6),
        "thickness": plan.design.film.thickness_nm * np.linspace(0.6, 1.6, 11),
        "electrons": sem.electrons_per_pixel * np.geomspace(0.125, 2, 9),
    }[quantity]
    return np.asarray(values, dtype=np.float64)


def read_window(
    plan: MillPlan,
    quantity: Quantity,
    values: Sequence[float] | NDArray[np.float64] | None = None,
    *,
    sem: SemCondition | None = None,
    limit: float = LIMIT,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Window:
    """Predict how reading depends on one quantity.

    Parameters
    ----------
    plan : MillPlan
        What is milled.
    quantity : {"dose", "pitch", "defocus", "drift", "thickness", "electrons"}
        What is varied: the ion dose as a factor; the pitch with the dose kept; the SEM's
        defocus, drift and electrons; the thickness of the film that is really there, milled with
        the dose of the plan.
    values : sequence of float, optional
        By default those of :func:`default_values`. Each takes a few seconds.
    sem : SemCondition, optional
        How it is imaged.
    limit : float
        Least share of the images that are to be read.
    progress : callable, optional
        Called after each value with the number done, the number planned, and a sentence.
    cancelled : callable, optional
        Asked now and then; True stops.

    Returns
    -------
    Window
        All values with the same noise, so that the curve is smooth.

    Raises
    ------
    ValueError
        Where there is no such quantity, or a value cannot be.
    Cancelled
        Where `cancelled` said so.
    """
    if quantity not in get_args(Quantity):
        raise ValueError(f"{quantity!r} cannot be varied: use {', '.join(get_args(Quantity))}.")
    sem = sem or SemCondition()
    asked = default_values(quantity, plan, sem) if values is None else np.asarray(values, float)
    if asked.ndim != 1 or not asked.size:
        raise ValueError("Give at least one value.")
    asked = np.sort(asked)
    symbol = plan.design.symbol
    small = _simulated(plan)
    rows = []
    for number, value in enumerate(asked.tolist()):
        if cancelled is not None and cancelled():
            raise Cancelled
        milled, seen, film = _with(small, sem, quantity, value)
        channel, margin = measure_margin(
            milled, symbol.version, symbol.error, seen, film=film, cancelled=cancelled
        )
        found = read_probability(channel, symbol.version, symbol.error)
        rows.append((margin, found.probability, found.low, found.high))
        if progress is not None:
            said = f"{quantity} {value:.3g} {UNITS[quantity]}: {found}"
            progress(number + 1, asked.size, said)
    margins, probability, low, high = np.array(rows).T
    planned = _planned(quantity, plan, sem)
    return Window(quantity, asked, margins, probability, low, high, planned, limit)


def _simulated(plan: MillPlan) -> MillPlan:
    """Return a plan that tells the same of modules, and is quick to simulate."""
    if max(plan.design.symbol.matrix.shape) <= _LARGEST:
        return plan
    return _replanned(plan, replace(plan.design, symbol=record_design().symbol))


def _replanned(plan: MillPlan, design: Design) -> MillPlan:
    """Plan another design with the beam and the dose of a plan."""
    return plan_milling(
        design,
        plan.beam,
        ion_dose_nc_per_um2=plan.ion_dose_nc_per_um2,
        correct_edges=plan.relative_dose is not None,
    )


def _planned(quantity: Quantity, plan: MillPlan, sem: SemCondition) -> float:
    return {
        "dose": 1.0,
        "pitch": plan.design.pitch_nm,
        "defocus": sem.defocus_nm,
        "drift": float(np.hypot(*sem.drift_nm)),
        "thickness": plan.design.film.thickness_nm,
        "electrons": sem.electrons_per_pixel,
    }[quantity]


def _with(
    plan: MillPlan, sem: SemCondition, quantity: Quantity, value: float
) -> tuple[MillPlan, SemCondition, Film | None]:
    """Return what is milled, how it is imaged, and the film that is really there."""
    film = None
    if quantity == "dose":
        if not value > 0:
            raise ValueError(f"A dose of {value:g} x the plan's cannot be.")
        plan = replace(plan, passes=max(1, round(plan.passes * value)))
    elif quantity == "pitch":
        plan = _replanned(plan, replace(plan.design, pitch_nm=value))
    elif quantity == "thickness":
        film = replace(plan.design.film, thickness_nm=value)
    elif quantity == "defocus":
        sem = replace(sem, defocus_nm=value)
    elif quantity == "drift":
        sem = replace(sem, drift_nm=(value * np.sqrt(0.5), value * np.sqrt(0.5)))
    else:
        sem = replace(sem, electrons_per_pixel=value)
    return plan, sem, film
