"""How many electrons a pixel reading takes, by prediction; and what helps where none suffice."""

from __future__ import annotations

import math
from dataclasses import replace

from napari_nanoqr.archive.layout import RATES
from napari_nanoqr.archive.levels import ONE_BIT_DOSE, LevelSet, level_set
from napari_nanoqr.archive.margin import threshold_rho
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.fib.columns import find_column
from napari_nanoqr.physics.sem import SemModel

SPARE_DB = 0.3
"""Above the threshold of a code, where half of the codewords are lost, hardly any is any more."""

MOST_ELECTRONS = 5000
"""For each pixel: with more of them a SEM reads a field for a minute and chars it."""

DEEPER_NM = (3.0, 5.0, 10.0)
"""Escape depths that are tried."""

SMALLER_SPREADS = (0.02, 0.01, 0.005)
"""Spreads of doses that are tried."""


def planned_levels(settings: ArchiveSettings, needs: ArchiveNeeds) -> LevelSet:
    """Return the levels as they are planned."""
    return _levels(settings, needs)


def _levels(
    settings: ArchiveSettings, needs: ArchiveNeeds, over_etch: float | None = None
) -> LevelSet:
    return level_set(
        settings.bits_per_module, settings.film, SemModel(escape_nm=settings.escape_nm),
        needs.beam_for(settings), settings.pitch_nm, over_etch=over_etch,
        end_point_spread=needs.dose_spread,
    )  # fmt: skip


def electrons_needed(settings: ArchiveSettings, needs: ArchiveNeeds) -> int | None:
    """Predict the least number of primary electrons a pixel with which tiles are read.

    Parameters
    ----------
    settings : ArchiveSettings
        Film, levels, code.
    needs : ArchiveNeeds
        Beam, spread of doses, pixels a module.

    Returns
    -------
    int or None
        None where no number up to :data:`MOST_ELECTRONS` suffices, and for QR codes, whose
        readers take each module for itself.
    """
    from napari_nanoqr.codes.bounds import capacity_and_dispersion

    if settings.rate not in RATES:
        return None
    levels, pixels = _as_milled(settings, needs), needs.px_per_module**2
    rho = threshold_rho(settings.rate) * 10 ** (SPARE_DB / 20)
    needed, share = capacity_and_dispersion(rho)[0], SemModel().detected
    low, high = 1.0, float(MOST_ELECTRONS)
    if levels.information(high * share, pixels) < needed:
        return None
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        if levels.information(middle * share, pixels) < needed:
            low = middle
        else:
            high = middle
    return math.ceil(high)


def reading_warning(settings: ArchiveSettings, needs: ArchiveNeeds) -> str | None:
    """Return what is to be said where the levels cannot be told apart.

    Parameters
    ----------
    settings, needs
        As for :func:`electrons_needed`.

    Returns
    -------
    str or None
        How many bits will be wrong, and which single changes suffice by prediction.
    """
    if settings.rate not in RATES or electrons_needed(settings, needs) is not None:
        return None
    share = MOST_ELECTRONS * SemModel().detected
    wrong = _as_milled(settings, needs).error_rate(share, needs.px_per_module**2)
    ways = _ways(settings, needs)
    bits = "One bit" if settings.bits_per_module == 1 else "Two bits"
    return (
        f"{bits} a module will not be read: by prediction {100 * wrong:.1f} % of the bits are "
        f"wrong even with {MOST_ELECTRONS:,} electrons a pixel, more than the code of rate "
        f"{settings.rate} corrects. "
        + (f"What would do: {'; or '.join(ways)}." if ways else "No single change would do.")
    )


def _as_milled(settings: ArchiveSettings, needs: ArchiveNeeds) -> LevelSet:
    """Return the levels as they are milled: of one bit with a tenth more than just through."""
    return _levels(settings, needs, ONE_BIT_DOSE if settings.bits_per_module == 1 else None)


def _ways(settings: ArchiveSettings, needs: ArchiveNeeds) -> list[str]:
    """Return single changes that suffice, as people read them."""
    ways = []
    beam = needs.beam_for(settings)
    try:
        finer = [each for each in find_column(beam.column).beams if each.spot_nm < beam.spot_nm]
    except ValueError:
        finer = []
    for each in sorted(finer, key=lambda each: -each.spot_nm):
        if electrons_needed(settings, replace(needs, beam=each)):
            name = str(each).partition(" ·")[0]
            ways.append(f'a finer ion beam (--beam "{name}")')
            break
    for depth in DEEPER_NM:
        deeper = depth > settings.escape_nm and settings.bits_per_module == 2
        if deeper and electrons_needed(replace(settings, escape_nm=depth), needs):
            ways.append(
                f"a SEM whose signal comes from {depth:g} nm (--escape {depth:g}: another landing "
                "energy or detector)"
            )
            break
    for spread in SMALLER_SPREADS:
        smaller = spread < needs.dose_spread
        if smaller and electrons_needed(settings, replace(needs, dose_spread=spread)):
            ways.append(f"doses that hold to {100 * spread:g} % (--dose-spread {spread:g})")
            break
    stronger = [rate for rate in RATES if _value(rate) < _value(settings.rate)]
    for rate in sorted(stronger, key=_value, reverse=True):
        if electrons_needed(replace(settings, rate=rate), needs):
            ways.append(f"a stronger code (--rate {_value(rate):.2g})")
            break
    if settings.bits_per_module == 2 and electrons_needed(
        replace(settings, bits_per_module=1), needs
    ):
        ways.append("one bit a module (--bits-per-pixel 1)")
    return ways


def _value(rate: str) -> float:
    above, _, below = rate.partition("/")
    return float(above) / float(below or 1)
