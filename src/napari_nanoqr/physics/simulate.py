"""From a design, a plan or a pattern to the micrograph that is to be expected."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.film import Film
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.columns import Beam
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.fib.sidecar import Milling, placed_designs
from napari_nanoqr.fib.verify import displacement_nm
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.damage import Damage
from napari_nanoqr.physics.milling import BeamShape, FilmState, mill
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel, image_film
from napari_nanoqr.physics.sputtering import IDEAL, Sputtering
from napari_nanoqr.physics.view import View
from napari_nanoqr.sem.micrograph import Micrograph

MARGIN = 1.15
"""Field of view in sides of the pattern."""


def simulate_micrograph(
    source: Design | Milling | Pattern,
    *,
    pixel_size_nm: float = 6.125,
    electrons_per_pixel: float = 3000.0,
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
    probe_nm: float = 2.0,
    drift_nm: tuple[float, float] = (0.0, 0.0),
    frames: int = 1,
    faults: ScanFaults | None = None,
    damage: Damage | None = None,
    ageing: Ageing | None = None,
    shape: tuple[int, int] | None = None,
    film: Film | None = None,
    beam: Beam | None = None,
    beam_shape: BeamShape | None = None,
    sputtering: Sputtering = IDEAL,
    model: SemModel | None = None,
    milled: FilmState | None = None,
    seed: int | None = None,
) -> Micrograph:
    """Predict the micrograph of a milled pattern.

    A design is planned with defaults; a design or a plan, of one symbol or of a field of them, is
    written as a 16-bit stream file and read back, so that what is predicted is what the file
    says.

    Parameters
    ----------
    source : Design, MillPlan, FieldPlan or Pattern
        What is milled.
    pixel_size_nm : float
        Pixel size; 6.125 nm is an eighth of a 49 nm module.
    electrons_per_pixel : float
        Primary electrons for each pixel of each frame.
    rotation_deg, tilt_deg : float
        Rotation, counter-clockwise as seen, and tilt of the stage about the image's x axis.
    probe_nm : float
        Standard deviation of the electron probe.
    drift_nm : tuple of float
        Movement (y, x) of the specimen from the first pixel to the last one.
    frames : int
        1 for an image, more for a stack.
    faults : ScanFaults, optional
        Bent field, vibration, wandering stage, charging; by default none.
    damage : Damage, optional
        Grain, particles, scratches, lost areas; by default none.
    ageing : Ageing, optional
        What years did to the film, before that damage; by default nothing.
    shape : tuple of int, optional
        Rows and columns; by default the pattern with a margin all round.
    film : Film, optional
        By default the design's, or as the pattern's sidecar says.
    beam : Beam, optional
        Ion beam; by default the plan's, or as the pattern's sidecar says.
    beam_shape : BeamShape, optional
        Tail of the ion beam.
    sputtering : Sputtering
        Angle of incidence and redeposition; by default neither, as for
        :func:`~napari_nanoqr.physics.milling.mill`.
    model : SemModel, optional
        Contrast and detector.
    milled : FilmState, optional
        The film that the source leaves, where that is known already; film, beam, its shape and
        sputtering then have no effect.
    seed : int, optional
        For the same noise again.

    Returns
    -------
    Micrograph
        With the acquisition in ``metadata``; where the design is known, ``metadata["truth"]``
        holds ``payload_hex``, ``version``, ``error``, ``pitch_nm`` and ``corners_yx``: the
        outer corners of the symbol (top left, top right, bottom right, bottom left as encoded)
        in pixels with the centre of the first pixel at 0, 0; of the first frame for a stack,
        and without vibration. For several symbols it is a list of these.

    Raises
    ------
    ValueError
        Where a value is out of range, or the pattern does not tell its scale, beam or film.
    """
    if isinstance(source, Design):
        source = plan_milling(source if film is None else replace(source, film=film), beam)
    if isinstance(source, Pattern):
        pattern, placed = source, placed_designs(source.metadata)
    else:
        # a plan may mill modules that no design file would hold, such as damaged ones
        pattern, placed = pattern_of(source), tuple(source.placed)
    state = milled or _milled(pattern, placed, film, beam, beam_shape, sputtering)
    faults = faults or ScanFaults()
    moves = max(map(abs, drift_nm)) + faults.reach_nm(frames)
    rows, columns = shape or _default_shape(
        _half_sizes_nm(pattern, placed), pixel_size_nm, rotation_deg, moves
    )
    view = View(
        pixel_size_nm, rows, columns, rotation_deg, tilt_deg, drift_nm, frames, faults
    )  # fmt: skip
    if ageing is not None:
        state = ageing.suffered_by(state, view.bounds_nm)
    if damage is not None:
        state = damage.suffered_by(state, view.bounds_nm)
    micrograph = image_film(
        state, view, electrons_per_pixel=electrons_per_pixel, probe_nm=probe_nm, model=model,
        seed=seed,
    )  # fmt: skip
    if not placed:
        return micrograph
    moved = displacement_nm(pattern, placed)
    truths = [_truth(item, moved, view) for item in placed]
    truth = truths[0] if len(truths) == 1 else truths
    return replace(micrograph, metadata=micrograph.metadata | {"truth": truth})


def mill_pattern(
    pattern: Pattern,
    film: Film | None = None,
    beam: Beam | None = None,
    *,
    shape: BeamShape | None = None,
    sputtering: Sputtering = IDEAL,
) -> FilmState:
    """Mill a pattern with the film and the volume per dose that it was planned for.

    Parameters
    ----------
    pattern : Pattern
        As read from its file; what it was planned for stands in its sidecar.
    film : Film, optional
        By default the design's, or 15 nm of CrN on glass.
    beam, shape, sputtering
        As for :func:`~napari_nanoqr.physics.milling.mill`.

    Returns
    -------
    FilmState
        The film after milling.

    Raises
    ------
    ValueError
        Where the pattern does not tell its scale or beam.
    """
    return _milled(pattern, placed_designs(pattern.metadata), film, beam, shape, sputtering)


def pattern_of(plan: Milling) -> Pattern:
    """Write a plan as a 16-bit stream file and read it back.

    Parameters
    ----------
    plan : MillPlan or FieldPlan
        What is to be milled.

    Returns
    -------
    Pattern
        What the file says, rounded as the file rounds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pattern.str"
        write_pattern(plan, path, stream="s16,25ns")
        return replace(read_pattern(path), path=None)


def _milled(
    pattern: Pattern,
    placed: Sequence[Placed],
    film: Film | None,
    beam: Beam | None,
    shape: BeamShape | None,
    sputtering: Sputtering,
) -> FilmState:
    film = film or (placed[0].design.film if placed else Film())
    return mill(
        pattern, film, beam, shape=shape, sputtering=sputtering, **_volume(pattern, placed, film)
    )


def _volume(pattern: Pattern, placed: Sequence[Placed], film: Film) -> dict[str, float]:
    """Take the volume per dose that the pattern was planned with, where it is for this film."""
    if not placed or placed[0].design.film.material != film.material:
        return {}
    try:
        value = float(pattern.metadata["volume_per_dose_um3_per_nc"]["value"])
    except (KeyError, TypeError, ValueError):
        # a sidecar that does not say: the table's value will do
        return {}
    return {"volume_per_dose_um3_per_nc": value}


def _half_sizes_nm(pattern: Pattern, placed: Sequence[Placed]) -> tuple[float, float]:
    """How far up or down, and left or right, pattern and quiet zones reach from the centre."""
    bounds = pattern.bounds_nm
    assert bounds is not None  # it has been milled
    left, top, right, bottom = map(abs, bounds)
    heights = [abs(item.y_nm) + item.design.field_size_nm[0] / 2 for item in placed]
    widths = [abs(item.x_nm) + item.design.field_size_nm[1] / 2 for item in placed]
    return max(top, bottom, *heights), max(left, right, *widths)


def _default_shape(
    half_nm: tuple[float, float], pixel_nm: float, rotation_deg: float, moves_nm: float
) -> tuple[int, int]:
    """Rows and columns that hold a rectangular pattern however it is turned and moved."""
    turn = np.deg2rad(rotation_deg)
    along, aside = abs(np.cos(turn)), abs(np.sin(turn))
    height, width = half_nm
    turned = (height * along + width * aside, width * along + height * aside)
    rows, columns = (int(np.ceil((2 * MARGIN * half + 2 * moves_nm) / pixel_nm)) for half in turned)
    return rows, columns


def _truth(item: Placed, moved_nm: tuple[float, float], view: View) -> dict[str, Any]:
    """Where the symbol is in the image, and what it says."""
    design = item.design
    half = np.array(design.size_nm)[::-1] / 2
    centre = np.add((item.x_nm, item.y_nm), moved_nm)
    corners: NDArray[np.float64] = centre + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return {
        "payload_hex": design.symbol.payload.hex(),
        "version": design.symbol.version,
        "error": design.symbol.error,
        "mask": design.symbol.mask,
        "pitch_nm": design.pitch_nm,
        "corners_yx": view.to_pixels(corners).tolist(),
    }
