"""From confirmed symbols to what the user gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.confirm import Confirmed
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import Source
from napari_nanoqr.reading.native import NativeAnswer
from napari_nanoqr.reading.prepare import Attempt
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.kinds import layout_of

if TYPE_CHECKING:
    from napari_nanoqr.reading.likelihoods import ModuleLikelihoods
    from napari_nanoqr.symbols.soft_decode import NotReadable


def reading_of(
    confirmed: Confirmed, answer: NativeAnswer, attempt: Attempt, source: Source
) -> Reading:
    """Return the reading of a symbol that was decoded here."""
    decoded = confirmed.decoded
    return _decoded_reading(
        decoded,
        confirmed.grid,
        confirmed.mirrored,
        confirmed.inverted,
        source,
        reader=answer.reader if confirmed.agrees else "nanoqr",
        preparation=attempt.preparation,
        matrix=confirmed.sampled,
    )


def likely_reading_of(
    decoded: DecodedSymbol, grid: Grid, mirrored: bool, seen: ModuleLikelihoods, source: Source
) -> Reading:
    """Return the reading of a symbol that was decoded from likelihoods."""
    return _decoded_reading(
        decoded,
        grid,
        mirrored,
        seen.inverted,
        source,
        reader="nanoqr",
        preparation="every module weighed",
        matrix=seen.llr < 0,
        likelihoods=seen.llr,
    )


def unread_of(
    image: NDArray[np.float32],
    seen: ModuleLikelihoods,
    failure: NotReadable | None,
    mirrored: bool,
    source: Source,
) -> Unread:
    """Return what is known of a symbol that could not be read.

    Parameters
    ----------
    image : (y, x) float32 array
        The image.
    seen : ModuleLikelihoods
        The symbol's modules.
    failure : NotReadable or None
        Why they could not be decoded; None where that was not tried.
    mirrored : bool
        How the image shows it.
    source : Source
        The image's pixel size, frames and dose.
    """
    from napari_nanoqr.reading.advice import advise
    from napari_nanoqr.reading.diagnosis import diagnose
    from napari_nanoqr.reading.information import dose_factors
    from napari_nanoqr.symbols.soft_decode import likely_formats

    layout = layout_of(seen.llr.shape)
    # of the formats that it may have, the one that promises least
    factors, error, mask = max(
        ((dose_factors(seen.llr, level), level, mask) for level, mask in
         likely_formats(seen.llr, layout)), key=lambda f: max(f[0], default=0.0),
    )  # fmt: skip
    blocks = len(layout.blocks[error].data)
    failed = tuple(range(blocks))
    if failure is not None and failure.error == error:
        failed = failure.failed_blocks
    return Unread(
        corners_yx=seen.grid.corners_yx,
        symbology=layout.symbology,
        version=layout.version,
        error=error,
        mask=mask,
        mirrored=mirrored,
        inverted=seen.inverted,
        pitch_px=seen.grid.pitch_px,
        pitch_nm=pitch_nm_of(seen.grid, source),
        rotation_deg=rotation_deg_of(seen.grid),
        failed_stage="weigh" if failure is None else "decode",
        expected_error_rate=seen.expected_error_rate,
        blocks=blocks,
        failed_blocks=failed,
        dose_factors=factors,
        dose=source.dose,
        advice=advise(
            diagnose(image, seen),
            max(factors, default=None),
            frames=len(source.frames),
            decoded=failure is not None and not failed,
        ),
    )


def _decoded_reading(
    decoded: DecodedSymbol, grid: Grid, mirrored: bool, inverted: bool, source: Source, **more: Any
) -> Reading:
    symbol, symbology = decoded.symbol, layout_of(decoded.symbol.matrix.shape).symbology
    return Reading(
        payload=symbol.payload,
        text=symbol.text,
        symbology=symbology,
        version=symbol.version,
        error=None if symbol.version == "M1" else symbol.error,
        mask=None if symbology == "rMQR" else symbol.mask,
        corners_yx=grid.corners_yx,
        mirrored=mirrored,
        inverted=inverted,
        pitch_px=grid.pitch_px,
        pitch_nm=pitch_nm_of(grid, source),
        rotation_deg=rotation_deg_of(grid),
        corrected_codewords=sum(decoded.corrected),
        confidence=1.0 - decoded.chance,
        corrected_per_block=decoded.corrected,
        correctable_per_block=decoded.correctable,
        wrong=decoded.wrong,
        structured_append=decoded.content.structured_append,
        stored=decoded.content.stored,
        **more,
    )


def rotation_deg_of(grid: Grid) -> float:
    """Return the direction of a symbol's top edge, clockwise."""
    top_left, top_right = grid.corners_yx[:2]
    y, x = top_right - top_left
    return float(np.rad2deg(np.arctan2(y, x)))


def pitch_nm_of(grid: Grid, source: Source) -> float | None:
    """Return the mean pitch along the sides, on the specimen."""
    if source.pixel_size_nm is None:
        return None
    # the stage tilts about the fast axis, so that y is foreshortened
    pixel = np.array(source.pixel_size_nm) / [np.cos(np.deg2rad(source.tilt_deg)), 1.0]
    corners = grid.corners_yx * pixel
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    rows, columns = grid.shape
    return float(np.mean(sides / [columns, rows, columns, rows]))
