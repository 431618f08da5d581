"""From the points of a series to the end of readability: doses, temperatures, and what to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.quantity import Quantity
from napari_nanoqr.measuring.trend_fit import Forecast, forecast, misfit, pooled
from napari_nanoqr.measuring.trend_parts import Observations
from napari_nanoqr.measuring.trend_point import TrendPoint
from napari_nanoqr.physics.ageing import acceleration
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.symbols.kinds import layout_named

Model = Literal["linear", "arrhenius"]

MODELS: tuple[Model, ...] = ("linear", "arrhenius")

_ENERGIES_EV = np.arange(0.1, 4.0001, 0.02)
"""Activation energies that are tried."""

_QUANTILES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Of what the activation energy may be, each with a forecast of its own."""


@dataclass(frozen=True)
class AgeingModel:
    """How a series is extrapolated.

    Parameters
    ----------
    kind : {"linear", "arrhenius"}
        At the pace of the series; or with a pace that follows the temperature.
    temperature_c : float or None
        At which the specimens were kept, where the dates do not say; for ``"arrhenius"``.
    storage_c : float or None
        For which the end is told; by default the temperature of the series.
    activation_ev : float or None
        Activation energy in eV; None to fit it to series at several temperatures.

    Raises
    ------
    ValueError
        Where a value cannot be.
    """

    kind: Model = "linear"
    temperature_c: float | None = None
    storage_c: float | None = None
    activation_ev: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in MODELS:
            raise ValueError(f"There is no model {self.kind!r}: use linear or arrhenius.")
        for value in (self.temperature_c, self.storage_c):
            if value is not None:
                # raises where a temperature cannot be
                acceleration(value, 25.0, 0.0)
        if self.activation_ev is not None and not 0 < self.activation_ev <= 10:
            raise ValueError(f"An activation energy of {self.activation_ev:g} eV cannot be.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model": self.kind,
            "temperature_c": self.temperature_c,
            "storage_c": self.storage_c,
            "activation_ev": self.activation_ev,
        }


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """A forecast, and on what it rests.

    Parameters
    ----------
    forecast : Forecast
        Times in years; with ``"arrhenius"`` in years at the temperature of the storage.
    activation_ev : Quantity or None
        What was used; with an uncertainty where it was fitted.
    storage_c : float or None
        Temperature that the times hold for; None where none counts.
    time : (n,) float array
        Of the points that count, on the scale of the forecast.
    log_need : (n,) float array
        Natural logarithm of the dose at which the code is lost over the dose of the last image;
        nan where it was not read.
    dose_known : bool
        Whether the images' doses are told; else all are taken for equal.
    """

    forecast: Forecast
    activation_ev: Quantity | None
    storage_c: float | None
    time: NDArray[np.float64]
    log_need: NDArray[np.float64]
    dose_known: bool


def extrapolate(points: Sequence[TrendPoint], model: AgeingModel | None = None) -> Extrapolation:
    """Extrapolate a series.

    Parameters
    ----------
    points : sequence of TrendPoint
        In the order of their dates; those that are left out do not count. The end is told for
        the specimen of the last one, at the dose of its last image.
    model : AgeingModel, optional
        By default linear.

    Returns
    -------
    Extrapolation
        The end, or that the data tell none.

    Raises
    ------
    ValueError
        Where there are too few points, or temperatures are missing.
    """
    model = model or AgeingModel()
    counting = [point for point in points if point.counts]
    if not any(point.reading is not None for point in counting):
        raise ValueError("The code was read in none of the images: there is nothing to follow.")
    if model.kind == "linear":
        seen, known = _observed(counting, np.array([point.years for point in counting]))
        return _extrapolation(forecast(seen), seen, None, None, known)
    temperatures = [
        model.temperature_c if point.temperature_c is None else point.temperature_c
        for point in counting
    ]
    if any(value is None for value in temperatures):
        raise ValueError(
            "The model of Arrhenius needs the temperature at which the specimens were kept."
        )
    kept = [float(value) for value in temperatures if value is not None]
    storage = kept[-1] if model.storage_c is None else model.storage_c

    def at(energy: float) -> tuple[Observations, bool]:
        return _observed(counting, _effective_years(counting, kept, storage, energy))

    if model.activation_ev is not None:
        seen, known = at(model.activation_ev)
        energy = Quantity(model.activation_ev, None, "eV")
        return _extrapolation(forecast(seen), seen, energy, storage, known)
    if len(set(_counted(counting, kept))) < 2:
        raise ValueError(
            "An activation energy can only be fitted to series at two or more temperatures: "
            "give it."
        )
    chances = _chances([misfit(at(float(energy))[0]) for energy in _ENERGIES_EV])
    mean = float(chances @ _ENERGIES_EV)
    doubt = float(np.sqrt(chances @ (_ENERGIES_EV - mean) ** 2))
    places = np.searchsorted(np.cumsum(chances), _QUANTILES).clip(0, len(chances) - 1)
    made = [forecast(at(float(energy))[0]) for energy in _ENERGIES_EV[places]]
    seen, known = at(float(_ENERGIES_EV[places[len(places) // 2]]))
    return _extrapolation(
        pooled(made), seen, Quantity(mean, max(doubt, 0.01), "eV"), storage, known
    )  # fmt: skip


def _chances(misfits: Sequence[float]) -> NDArray[np.float64]:
    """Return how likely each activation energy is by how its model fits, of sum 1."""
    chances = np.exp(-(np.array(misfits) - min(misfits)) / 2)
    return np.asarray(chances / chances.sum())


def _counted(points: Sequence[TrendPoint], kept: Sequence[float]) -> list[float]:
    """Return the temperatures at which time has passed."""
    first: set[str] = set()
    counted = []
    for point, temperature in zip(points, kept, strict=True):
        if point.specimen in first:
            counted.append(temperature)
        first.add(point.specimen)
    return counted


def _effective_years(
    points: Sequence[TrendPoint], kept: Sequence[float], storage: float, energy: float
) -> NDArray[np.float64]:
    """Years at the temperature of the storage that do the same as those that passed."""
    last: dict[str, tuple[float, float]] = {}
    times = []
    for point, temperature in zip(points, kept, strict=True):
        years, reached = last.get(point.specimen, (point.years, 0.0))
        reached += (point.years - years) * acceleration(temperature, storage, energy)
        last[point.specimen] = (point.years, reached)
        times.append(reached)
    return np.array(times)


def _observed(points: Sequence[TrendPoint], time: NDArray[np.float64]) -> tuple[Observations, bool]:
    """Return a series as numbers, and whether its doses are known."""
    reading = next(point.reading for point in points if point.reading is not None)
    doses = _doses(points)
    nan = float("nan")
    share = [nan if point.share is None else np.log(point.share.value) for point in points]
    damaged = [(nan, nan) if p.damaged is None else (p.damaged.value, p.damaged.uncertainty)
               for p in points]  # fmt: skip
    names = list(dict.fromkeys(point.specimen for point in points))
    usable = [
        place for place, point in enumerate(points)
        if point.reading is None or point.share is not None
    ]  # fmt: skip
    log_dose = np.zeros(len(points)) if doses is None else np.log(doses / doses[-1])
    seen = Observations(
        time[usable], log_dose[usable], np.array(share, dtype=np.float64)[usable],
        np.array(damaged, dtype=np.float64)[usable, 0],
        np.array(damaged, dtype=np.float64)[usable, 1],
        np.array([names.index(point.specimen) for point in points])[usable],
        _modules(reading), reading.version, str(reading.error),
    )  # fmt: skip
    return seen, doses is not None


def _modules(reading: Reading) -> int:
    rows, columns = layout_named(reading.version).shape
    return int(rows * columns)


def _doses(points: Sequence[TrendPoint]) -> NDArray[np.float64] | None:
    """Return the doses of images in one unit; None where not all are told."""
    for unit in ("per_nm2", "per_pixel"):
        doses = [getattr(point.dose, unit) for point in points]
        if all(dose is not None and dose > 0 for dose in doses):
            return np.array(doses, dtype=np.float64)
    return None


def _extrapolation(
    made: Forecast, seen: Observations, energy: Quantity | None, storage: float | None, known: bool
) -> Extrapolation:
    return Extrapolation(made, energy, storage, seen.time, seen.log_share + seen.log_dose, known)
