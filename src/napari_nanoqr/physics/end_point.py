"""Where milling may end, since neither the rate nor the film is known exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.material import VolumePerDose
from napari_nanoqr.fib.materials import volume_per_dose
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.physics.milling import FilmState, mill

THICKNESS_PERCENT = 5.0
"""By how much a film may be thicker or thinner than ordered: an assumption of the usual order."""


@dataclass(frozen=True, eq=False)
class EndPoints:
    """The same pattern milled too little, as planned and too much.

    Parameters
    ----------
    low : FilmState
        The least rate and the thickest film.
    nominal : FilmState
        The values that were planned with.
    high : FilmState
        The highest rate and the thinnest film.
    """

    low: FilmState
    nominal: FilmState
    high: FilmState


def end_points(
    pattern: Pattern,
    film: Film,
    beam: Beam | None = None,
    *,
    volume: VolumePerDose | None = None,
    thickness_percent: float = THICKNESS_PERCENT,
    **options: Any,
) -> EndPoints:
    """Predict between which films milling will end.

    Parameters
    ----------
    pattern, film, beam
        As for :func:`~napari_nanoqr.physics.milling.mill`.
    volume : VolumePerDose, optional
        Volume per dose of the film with its bracket; by default that of its material.
    thickness_percent : float
        By how much the film may be thicker or thinner, 0 to below 100.
    **options
        Further arguments of :func:`~napari_nanoqr.physics.milling.mill`.

    Returns
    -------
    EndPoints
        Both ends are at once the worst of rate and of thickness. What lies below the film keeps
        its nominal rate.

    Raises
    ------
    ValueError
        Where the percentage is out of range, or as for `mill`.
    """
    if not 0 <= thickness_percent < 100:
        raise ValueError(f"A film that is {thickness_percent:g} % thinner cannot be.")
    beam = beam or pattern.beam
    if volume is None and beam is not None:
        volume = volume_per_dose(film.material, beam.ion)

    def milled(rate: float | None, percent: float) -> FilmState:
        changed = replace(film, thickness_nm=film.thickness_nm * (1 + percent / 100))
        return mill(pattern, changed, beam, volume_per_dose_um3_per_nc=rate, **options)

    low, value, high = (volume.low, volume.value, volume.high) if volume else (None, None, None)
    return EndPoints(
        milled(low, thickness_percent), milled(value, 0.0), milled(high, -thickness_percent)
    )
