"""A sheet of fields of view as it lies in the microscope: what is written, and what is damaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.simulation.micrograph import Scratch

KEPT_FIELDS = 12
"""Fields that stay in memory: those around one, and some for those that come next."""

_MISSING, _LINES, _PARTICLES = range(3)
"""Each kind of damage has random numbers of its own."""

PARTICLE_YIELDS = (0.3, 2.0)
"""Dust is brighter or darker than the film, by its material and its charge."""


@dataclass(frozen=True)
class FieldPlace:
    """Where a field of view lies, and how large it is.

    Parameters
    ----------
    sheet, number : int
        Of the sheet, and of the field on it.
    top_nm, left_nm : float
        Outer corner of its first module, from the sheet's corner.
    rows, columns : int
        Modules.
    step : int
        Modules from one tile to the next.
    """

    sheet: int
    number: int
    top_nm: float
    left_nm: float
    rows: int
    columns: int
    step: int = SIDE

    @property
    def tiles(self) -> int:
        """Tiles in the field."""
        return -(-self.rows // self.step) * -(-self.columns // self.step)


@dataclass(frozen=True)
class Particle:
    """Something that lies on the sheet: its middle and radius in nm, its yield in the film's."""

    y_nm: float
    x_nm: float
    radius_nm: float
    relative_yield: float


class Sheet:
    """One sheet: the modules around any place of it, without the tiles that are missing.

    Parameters
    ----------
    fields : sequence of FieldPlace
        Of this sheet.
    read : callable
        Returns the levels of a field, ``(rows, columns)`` uint8.
    pitch_nm : float
        Side of a module.
    missing : float
        Share of tiles where the film is as if nothing had been written.
    scratches : int
        Lines across the whole sheet.
    scratch_nm : float
        Their width.
    particles : float
        Mean number on a field.
    particle_nm : float
        Diameter of the largest; the smallest has 0.3 of it.
    pits : float
        Mean number on a field of places where the film is gone.
    pit_nm : float
        Mean diameter.
    seed : int
        Which tiles, where scratches and particles lie.
    """

    def __init__(
        self,
        fields: Sequence[FieldPlace],
        read: Callable[[FieldPlace], NDArray[np.uint8]],
        pitch_nm: float,
        *,
        missing: float = 0.0,
        scratches: int = 0,
        scratch_nm: float = 2000.0,
        particles: float = 0.0,
        particle_nm: float = 1500.0,
        pits: float = 0.0,
        pit_nm: float = 40.0,
        seed: int = 0,
    ) -> None:
        self.fields = tuple(fields)
        self.pitch_nm = pitch_nm
        self.particles, self.particle_nm = particles, particle_nm
        self.pits, self.pit_nm = pits, pit_nm
        self.seed = seed
        self._read = lru_cache(KEPT_FIELDS)(lambda at: read(self.fields[at]))
        self._gone = self._choose_missing(missing)
        self.scratches = self._choose_scratches(scratches, scratch_nm)

    @property
    def missing(self) -> dict[int, list[int]]:
        """Tiles that are missing, by number of the field: their places in it, row by row."""
        return {
            self.fields[at].number: sorted(places) for at, places in self._gone.items() if places
        }

    def modules(self, top: int, left: int, rows: int, columns: int) -> NDArray[np.uint8]:
        """Return the levels of modules anywhere on the sheet.

        Parameters
        ----------
        top, left, rows, columns : int
            First row and column, in modules from the sheet's corner, and how many.

        Returns
        -------
        (rows, columns) uint8 array
            0 where nothing is written.
        """
        found = np.zeros((rows, columns), dtype=np.uint8)
        for at, place in enumerate(self.fields):
            y, x = (round(edge / self.pitch_nm) for edge in (place.top_nm, place.left_nm))
            first = max(y, top), max(x, left)
            last = min(y + place.rows, top + rows), min(x + place.columns, left + columns)
            if last[0] <= first[0] or last[1] <= first[1]:
                continue
            inner = self._field(at)[first[0] - y : last[0] - y, first[1] - x : last[1] - x]
            found[first[0] - top : last[0] - top, first[1] - left : last[1] - left] = inner
        return found

    def debris(self, place: FieldPlace) -> list[Particle]:
        """Return what lies on a field and its pits, the same each time."""
        rng = np.random.default_rng([self.seed, _PARTICLES, place.sheet, place.number])
        size = np.array([place.rows, place.columns]) * self.pitch_nm
        found = []
        for mean, kind in ((self.particles, "particle"), (self.pits, "pit")):
            for _ in range(rng.poisson(mean)):
                y, x = (place.top_nm, place.left_nm) + size * rng.uniform(size=2)
                if kind == "particle":
                    radius, bright = (
                        self.particle_nm / 2 * rng.uniform(0.3, 1),
                        rng.uniform(*PARTICLE_YIELDS),
                    )
                else:
                    radius, bright = self.pit_nm / 2 * rng.uniform(0.5, 1.5), math.nan
                found.append(Particle(y, x, radius, bright))
        return found

    def _field(self, at: int) -> NDArray[np.uint8]:
        levels = self._read(at)
        gone = self._gone.get(at)
        if gone:
            levels = levels.copy()
            step = self.fields[at].step
            for tile in gone:
                y, x = (step * n for n in divmod(tile, -(-levels.shape[1] // step)))
                levels[y : y + step, x : x + step] = 0
        return levels

    def _choose_missing(self, share: float) -> dict[int, set[int]]:
        if not 0 <= share <= 1:
            raise ValueError(f"A share of {share:g} of the tiles cannot be missing.")
        every = [(at, tile) for at, place in enumerate(self.fields) for tile in range(place.tiles)]
        rng = np.random.default_rng([self.seed, _MISSING])
        chosen = rng.choice(len(every), round(share * len(every)), replace=False)
        gone: dict[int, set[int]] = {}
        for number in chosen:
            at, tile = every[int(number)]
            gone.setdefault(at, set()).add(tile)
        return gone

    def _choose_scratches(self, count: int, width_nm: float) -> tuple[Scratch, ...]:
        if count < 0 or not 0 < width_nm < 1e6:
            raise ValueError("Scratches are counted from 0 and have a width in nm.")
        rng = np.random.default_rng([self.seed, _LINES])
        corner = np.min([(place.top_nm, place.left_nm) for place in self.fields], axis=0)
        end = np.max(
            [
                (p.top_nm + p.rows * self.pitch_nm, p.left_nm + p.columns * self.pitch_nm)
                for p in self.fields
            ],
            axis=0,
        )
        found = []
        for _ in range(count):
            y, x = corner + (end - corner) * rng.uniform(0.25, 0.75, 2)
            found.append(Scratch(float(y), float(x), rng.uniform(0, 180), width_nm))
        return tuple(found)
