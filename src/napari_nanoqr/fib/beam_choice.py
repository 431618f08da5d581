"""Which beam to take: the fastest that still resolves the pitch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_nanoqr.fib.columns import Beam, Column, find_column, format_current

LEAST_FILM_KEPT = 0.75
"""Share of its film that a module alone among milled ones has to keep, see :func:`film_kept`."""


@dataclass(frozen=True)
class BeamOption:
    """A beam held against a pitch.

    Parameters
    ----------
    beam : Beam
        The beam.
    spot_per_pitch : float
        Its spot in units of the pitch.
    film_kept : float
        Share of its film that a module alone among milled ones keeps, see :func:`film_kept`.
    resolves : bool
        Whether the beam resolves the pitch.
    relative_time : float
        Time with the beam on, in units of that of the chosen beam.
    """

    beam: Beam
    spot_per_pitch: float
    film_kept: float
    resolves: bool
    relative_time: float


@dataclass(frozen=True)
class BeamChoice:
    """The beam to take, why, and what else there is.

    Parameters
    ----------
    beam : Beam
        The fastest that resolves the pitch.
    reason : str
        Why, as a sentence.
    options : tuple of BeamOption
        All beams of the column, by rising current.
    """

    beam: Beam
    reason: str
    options: tuple[BeamOption, ...]


def film_kept(beam: Beam, pitch_nm: float) -> float:
    """Return how much film a module keeps that stands alone among milled ones.

    Parameters
    ----------
    beam : Beam
        Core and tail.
    pitch_nm : float
        Side of a module in nm.

    Returns
    -------
    float
        Share at the module's centre, where the modules around it get, over all their area, just
        the dose that mills through the film. The same share of the full dose reaches the centre
        of a module that is milled alone.

    Notes
    -----
    A Gaussian of full width w at half maximum leaves ``erf(sqrt(ln 2) pitch / w)^2`` of its dose
    within a square of one pitch around its centre; core and tail are added by their shares.
    """
    kept = [
        share * math.erf(math.sqrt(math.log(2)) * pitch_nm / (beam.spot_nm * width)) ** 2
        for share, width in ((1 - beam.tail_fraction, 1.0), (beam.tail_fraction, beam.tail_width))
    ]
    return sum(kept)


def resolved_pitch_nm(beam: Beam, *, least_film_kept: float = LEAST_FILM_KEPT) -> float:
    """Return the smallest pitch in nm that a beam resolves; see :func:`choose_beam`.

    Parameters
    ----------
    beam : Beam
        Core and tail.
    least_film_kept : float
        As for :func:`choose_beam`.
    """
    return beam.spot_nm / _widest_spot(beam, least_film_kept)


def finest_beam(column: Column | str | None = None) -> Beam:
    """Return the beam of a column with the smallest spot, by default of Helios G4.

    Raises
    ------
    ValueError
        Where the column is not known.
    """
    return min(_column(column).beams, key=lambda beam: beam.spot_nm)


def choose_beam(
    pitch_nm: float,
    column: Column | str | None = None,
    *,
    least_film_kept: float = LEAST_FILM_KEPT,
) -> BeamChoice:
    """Choose the fastest beam of a column that still resolves a pitch.

    Parameters
    ----------
    pitch_nm : float
        Side of a module in nm.
    column : Column or str, optional
        The column, or its name; by default that of the default beam, Helios G4.
    least_film_kept : float
        Share of its film that a module alone among milled ones has to keep, 0 to 1, before any
        correction of the dose.

    Returns
    -------
    BeamChoice
        The beam, the reason as a sentence, and all beams of the column compared.

    Raises
    ------
    ValueError
        Where the pitch or the share makes no sense, the column is not known, or none of its
        beams resolves the pitch; the message tells the smallest pitch that one does.

    Notes
    -----
    A beam resolves a pitch where :func:`film_kept` is at least 0.75. Then a module alone among
    milled ones keeps three quarters of its film, one that is milled alone needs at most 4/3 of
    the dose, and a correction of the dose can bring every module to its nominal size. With a
    tail of 10 %, four times as wide as the core, that is a spot of up to 0.70 of the pitch;
    without a tail 0.78, with a tail of 20 % 0.60. At 0.5 pitch 89 % are kept.

    The limit was calculated. In patterns of 8 x 8 modules that go on for ever (a chequerboard,
    random modules, one kept among milled, one milled among kept) the dose of 3 x 3 cells in each
    milled module was left free between 0 and twice the plain dose, and linear programming asked
    for all edges, where half of the film is left, within 4 % of the pitch of their place (2 nm
    at 49 nm), the centres of milled modules through, and the most film on those kept. With the
    10 % tail this can be done for spots up to 0.75 of the pitch and no more at 0.80; at 0.70 the
    kept centres then lose at most 18 %, at 0.5 7 %. What is not seen here, drift and defocus,
    comes on top: the limit holds for a beam in focus.
    """
    if not 0 < pitch_nm < math.inf:
        raise ValueError(f"A pitch of {pitch_nm:g} nm cannot be.")
    if not 0 < least_film_kept < 1:
        raise ValueError(f"A share of {least_film_kept:g} cannot be kept: it is between 0 and 1.")
    column = _column(column)
    kept = {beam: film_kept(beam, pitch_nm) for beam in column.beams}
    fine = [beam for beam, share in kept.items() if share >= least_film_kept]
    if not fine:
        finest = finest_beam(column)
        smallest = resolved_pitch_nm(finest, least_film_kept=least_film_kept)
        raise ValueError(
            f"No beam of {column.name} resolves a pitch of {pitch_nm:g} nm: the finest, "
            f"{format_current(finest.current_pa)} with a spot of {finest.spot_nm:g} nm, takes a "
            f"pitch of at least {math.ceil(smallest * 10) / 10:g} nm."
        )
    chosen = max(fine, key=lambda beam: beam.current_pa)
    options = tuple(
        BeamOption(
            beam, beam.spot_nm / pitch_nm, share, share >= least_film_kept,
            chosen.current_pa / beam.current_pa,
        )
        for beam, share in kept.items()
    )  # fmt: skip
    return BeamChoice(chosen, _reason(chosen, column, options, pitch_nm, least_film_kept), options)


def _column(column: Column | str | None) -> Column:
    if isinstance(column, Column):
        return column
    return find_column() if column is None else find_column(column)


def _reason(
    chosen: Beam,
    column: Column,
    options: tuple[BeamOption, ...],
    pitch_nm: float,
    least: float,
) -> str:
    limit = _widest_spot(chosen, least)
    if len(options) == 1:
        said = (
            f"{format_current(chosen.current_pa)}: the only current listed for {column.name}; its "
            f"spot ({chosen.spot_nm:g} nm) stays below {limit:.2f} of the {pitch_nm:g} nm pitch"
        )
    else:
        said = (
            f"{format_current(chosen.current_pa)}: fastest of {column.name} whose spot "
            f"({chosen.spot_nm:g} nm) stays below {limit:.2f} of the {pitch_nm:g} nm pitch"
        )
    faster = [each for each in options if each.beam.current_pa > chosen.current_pa]
    if not faster:
        return said + "."
    after = faster[0]
    return (
        f"{said}; {format_current(after.beam.current_pa)} ({after.beam.spot_nm:g} nm) would leave "
        f"a module alone among milled ones {100 * after.film_kept:.0f} % of its film, and "
        f"{100 * least:.0f} % are needed."
    )


def _widest_spot(beam: Beam, least: float) -> float:
    """Largest spot in units of the pitch with which a beam's shape keeps a share of film."""
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        # the share depends on the ratio alone: another pitch is another spot
        enough = film_kept(beam, beam.spot_nm / middle) >= least
        low, high = (middle, high) if enough else (low, middle)
    return low
