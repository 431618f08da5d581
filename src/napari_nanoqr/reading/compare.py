"""Find a design in an image and hold every module against it.

Whoever knows the design knows every module, so that it is found and registered where the code
itself can no longer be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.reading.comparison import Comparison
from napari_nanoqr.reading.equalise import module_likelihoods
from napari_nanoqr.reading.image import Source, open_source
from napari_nanoqr.reading.locate import Candidate, locate
from napari_nanoqr.reading.model import fit_to_symbol
from napari_nanoqr.reading.report import pitch_nm_of, rotation_deg_of
from napari_nanoqr.reading.scene import overlap
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.register import registered_mean
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.soft_decode import decode_likelihoods

LEAST_SIGNIFICANCE = 6.0
"""Standard deviations by which a place has to agree with the design: by accident once in 1e9."""


def compare_with_design(
    image: ArrayLike | Micrograph,
    design: Design,
    pixel_size_nm: float | tuple[float, float] | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
    time_limit_s: float = 30.0,
) -> list[Comparison]:
    """Find a design in an image, wherever it is, and compare module by module.

    Parameters
    ----------
    image : array or Micrograph
        As `read_codes` takes it.
    design : Design
        What was written; its pitch is tried first, where the pixel size is known.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph.
    cancelled : callable, optional
        Asked now and then; True ends the search with what was found until then.
    time_limit_s : float
        The search ends after so many seconds.

    Returns
    -------
    list of Comparison
        One for each place, from the top of the image to its bottom; empty where the design was
        not found, whatever else is there.

    Raises
    ------
    ValueError
        Where the image is none, is empty or holds no number.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_nanoqr import Design, compare_with_design, encode
    >>> design = Design(encode(b"CrN", error="H"))
    >>> picture = np.where(np.kron(design.modules, np.ones((5, 5))), 20.0, 200.0)
    >>> compare_with_design(picture, design)[0].raw_bit_error_rate
    0.0
    """
    source = open_source(image, pixel_size_nm)
    base = registered_mean(source.frames)
    ends = time.monotonic() + time_limit_s

    def enough() -> bool:
        return (cancelled is not None and cancelled()) or time.monotonic() > ends

    found: list[Comparison] = []
    for candidate in _candidates(base, design, source, enough):
        if enough():
            break
        if any(overlap(candidate.grid.corners_yx, other.corners_yx) for other in found):
            continue
        comparison = _compare(base, candidate, design, source)
        if comparison is not None:
            found.append(comparison)
    return sorted(found, key=lambda comparison: tuple(comparison.corners_yx.min(axis=0)))


def _candidates(
    image: NDArray[np.float32], design: Design, source: Source, enough: Callable[[], bool]
) -> Iterator[Candidate]:
    """Yield places of symbols of the design's size, at its pitch first."""
    stretch = float(1 / np.cos(np.deg2rad(source.tilt_deg)))
    pitches: list[float | None] = [None]
    if source.pixel_size_nm is not None:
        pitches.insert(0, design.pitch_nm / float(np.mean(source.pixel_size_nm)))
    for pitch in pitches:
        located = locate(image, pitch_px=pitch, stretch_y=stretch, cancelled=enough)
        fitting = [c for c in located if c.grid.shape == design.symbol.matrix.shape]
        yield from fitting
        if fitting:
            break


def _compare(
    image: NDArray[np.float32], candidate: Candidate, design: Design, source: Source
) -> Comparison | None:
    """Hold a place against the design; None where it is something else."""
    written = design.symbol.matrix
    layout = layout_of(written.shape)
    grid, inverted = candidate.grid, candidate.correlation < 0
    seen = module_likelihoods(image, grid, inverted=inverted)
    free = ~layout.certain
    # a symbol is square or its mirror image has another shape: only then both ways are open
    turns = (False, True) if written.shape[0] == written.shape[1] else (False,)
    agreement, turned = max(
        (_agreement(seen.llr.T if turn else seen.llr, written, free), turn) for turn in turns
    )
    if np.arctanh(min(agreement, 0.9999)) * np.sqrt(free.sum()) < LEAST_SIGNIFICANCE:
        return None
    grid = seen.grid.transposed() if turned else seen.grid
    grid = fit_to_symbol(image, grid, written)
    # weighed as if nothing were known: what is there must not be taken for what was to be there
    weighed = module_likelihoods(image, grid, inverted=inverted)
    result = decode_likelihoods(weighed.llr, effort=3)
    readable = isinstance(result, DecodedSymbol) and result.symbol.payload == design.symbol.payload
    blocks = len(layout.blocks[design.symbol.error].data)
    failed: tuple[int, ...] = ()
    if not isinstance(result, DecodedSymbol):
        same = result.error == design.symbol.error
        failed = result.failed_blocks if same else tuple(range(blocks))
    return Comparison(
        name=design.name,
        corners_yx=weighed.grid.corners_yx,
        mirrored=candidate.mirrored ^ turned,
        inverted=inverted,
        pitch_px=weighed.grid.pitch_px,
        pitch_nm=pitch_nm_of(weighed.grid, source),
        rotation_deg=rotation_deg_of(weighed.grid),
        agreement=_agreement(weighed.llr, written, free),
        written=written,
        likelihoods=weighed.llr,
        covered=weighed.blank,
        readable=readable,
        blocks=blocks,
        failed_blocks=failed,
    )


def _agreement(
    llr: NDArray[np.float32], written: NDArray[np.bool_], free: NDArray[np.bool_]
) -> float:
    """Return the correlation of modules as they look with the design, 0 where there is none."""
    looks = np.tanh(llr[free] / 2)
    expected = np.where(written[free], -1.0, 1.0)
    if not looks.any():
        return 0.0
    return max(float(np.corrcoef(looks, expected)[0, 1]), 0.0)
