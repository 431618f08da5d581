"""From confirmed symbols to what the user gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_nanoqr.reading.confirm import Confirmed
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import Source
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.prepare import Attempt
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.small import ConfirmedSmall
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.symbol import as_text

if TYPE_CHECKING:
    from napari_nanoqr.reading.equalise import ModuleLikelihoods


def reading_of(
    confirmed: Confirmed, answer: NativeAnswer, attempt: Attempt, source: Source
) -> Reading:
    """Return the reading of a QR symbol that was decoded here."""
    decoded = confirmed.decoded
    text = as_text(decoded.symbol.payload)
    if text is None and confirmed.agrees and decoded.content.eci is not None:
        # the symbol itself names another character set, which zxing-cpp knows
        text = answer.text
    return _decoded_reading(
        decoded,
        confirmed.grid,
        confirmed.mirrored,
        confirmed.inverted,
        source,
        text=text,
        reader=answer.reader if confirmed.agrees else "nanoqr",
        preparation=attempt.preparation,
        matrix=confirmed.sampled,
    )


def likely_reading_of(
    decoded: DecodedSymbol, grid: Grid, mirrored: bool, seen: ModuleLikelihoods, source: Source
) -> Reading:
    """Return the reading of a QR symbol that was decoded from likelihoods."""
    return _decoded_reading(
        decoded,
        grid,
        mirrored,
        seen.inverted,
        source,
        text=as_text(decoded.symbol.payload),
        reader="nanoqr",
        preparation="every module weighed",
        matrix=seen.llr < 0,
        likelihoods=seen.llr,
    )


def _decoded_reading(
    decoded: DecodedSymbol, grid: Grid, mirrored: bool, inverted: bool, source: Source, **more: Any
) -> Reading:
    return Reading(
        payload=decoded.symbol.payload,
        symbology="QR",
        version=decoded.symbol.version,
        error=decoded.symbol.error,
        mask=decoded.symbol.mask,
        corners_yx=grid.corners_yx,
        mirrored=mirrored,
        inverted=inverted,
        pitch_px=grid.pitch_px,
        pitch_nm=_pitch_nm(grid, source),
        rotation_deg=_rotation_deg(grid),
        corrected_codewords=sum(decoded.corrected),
        confidence=1.0 - decoded.chance,
        corrected_per_block=decoded.corrected,
        correctable_per_block=decoded.correctable,
        wrong=decoded.wrong,
        structured_append=decoded.content.structured_append,
        **more,
    )


def small_reading_of(
    confirmed: ConfirmedSmall, answer: NativeAnswer, attempt: Attempt, source: Source
) -> Reading:
    """Return the reading of a Micro QR or rMQR symbol that a native reader decoded."""
    assert answer.payload is not None
    assert answer.version is not None
    text = as_text(answer.payload)
    return Reading(
        payload=answer.payload,
        text=text,
        symbology=answer.symbology,
        version=answer.version,
        error=None if answer.version == "M1" else answer.error,
        mask=answer.mask if answer.symbology == "Micro QR" else None,
        corners_yx=confirmed.grid.corners_yx,
        mirrored=confirmed.mirrored,
        inverted=confirmed.inverted,
        pitch_px=confirmed.grid.pitch_px,
        pitch_nm=_pitch_nm(confirmed.grid, source),
        rotation_deg=_rotation_deg(confirmed.grid),
        corrected_codewords=None,
        confidence=1.0 - confirmed.chance,
        reader=answer.reader,
        preparation=attempt.preparation,
        matrix=confirmed.sampled,
    )


def _rotation_deg(grid: Grid) -> float:
    top_left, top_right = grid.corners_yx[:2]
    y, x = top_right - top_left
    return float(np.rad2deg(np.arctan2(y, x)))


def _pitch_nm(grid: Grid, source: Source) -> float | None:
    """Return the mean pitch along the sides, on the specimen."""
    if source.pixel_size_nm is None:
        return None
    # the stage tilts about the fast axis, so that y is foreshortened
    pixel = np.array(source.pixel_size_nm) / [np.cos(np.deg2rad(source.tilt_deg)), 1.0]
    corners = grid.corners_yx * pixel
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    rows, columns = grid.shape
    return float(np.mean(sides / [columns, rows, columns, rows]))
