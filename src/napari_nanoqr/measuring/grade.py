"""An SEM grade in the style of ISO/IEC 15415: how good a symbol is, parameter by parameter.

A micrograph has no scale of reflectance, its detector is not calibrated, and nobody has
accredited this program: the grade compares codes and images, and is no certificate.
"""

from __future__ import annotations

from math import ceil, cos, radians

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanoqr.measuring.grade_aperture import APERTURE, Seen, through_aperture
from napari_nanoqr.measuring.grade_geometry import print_growth, regularity
from napari_nanoqr.measuring.grade_limits import LIMITS
from napari_nanoqr.measuring.grade_modulation import BlockGrade, grade_blocks
from napari_nanoqr.measuring.grade_patterns import (
    Segment,
    fixed_patterns,
    grade_segment,
    information_copies,
    standard_quiet_zone,
)
from napari_nanoqr.measuring.grade_result import Grade as Grade
from napari_nanoqr.measuring.grade_result import GradeParameter as GradeParameter
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.image import open_source
from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.restore.register import registered_mean
from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.layout import Modules, Places


def grade_symbol(
    image: ArrayLike | Micrograph,
    grid: Grid,
    modules: NDArray[np.bool_],
    reading: Reading | None = None,
    pixel_size_nm: float | tuple[float, float] | None = None,
    *,
    tilt_deg: float | None = None,
    black_level: float | None = None,
    quiet_zone: int | None = None,
    aperture: float = APERTURE,
) -> Grade:
    """Grade a symbol in an image.

    Parameters
    ----------
    image : (y, x) or (frame, y, x) array, or Micrograph
        As `read_codes` takes it.
    grid : Grid
        Where the symbol is, upright and not mirrored.
    modules : (rows, columns) bool array
        What is written, True = dark: the symbol of the payload, or of the design.
    reading : Reading or None
        What was read, where it was: a symbol that the threshold cannot decode is F all the
        same, and is said to have been read by other means.
    pixel_size_nm : float or tuple of float, optional
        Pixel size, or its y and x; overrides that of a micrograph.
    tilt_deg : float, optional
        Stage tilt about the fast axis; by default that of the micrograph, 0 where unknown.
    black_level : float, optional
        Grey value of no signal; by default 0, which it is where the brightness of the detector
        was set so.
    quiet_zone : int, optional
        Modules of quiet zone that were written, where fewer than the standard's 4 (Micro QR and
        rMQR: 2).
    aperture : float
        Diameter of the aperture in modules; the standard's applications use 0.5 to 0.8.

    Returns
    -------
    Grade
        All parameters, and the overall grade.

    Raises
    ------
    ValueError
        Where the image or the pixel size is none, the modules are no symbol or do not fit the
        grid, nothing of the symbol is in the image, or the aperture is not above 0 and up to 1.

    References
    ----------
    ISO/IEC 15415:2011, Bar code symbol print quality test specification, two-dimensional
    symbols; ISO/IEC 18004:2015, annex on print quality. The symbol contrast is related to the
    brightest module, as ISO/IEC TR 29158:2011 does for marks on parts, where there is no
    calibrated white either.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_nanoqr import encode
    >>> from napari_nanoqr.measuring.grade import grade_symbol
    >>> from napari_nanoqr.reading.grid import Grid
    >>> symbol = encode(b"CrN", error="H")
    >>> picture = np.where(np.kron(np.pad(symbol.matrix, 4), np.ones((5, 5))), 20.0, 200.0)
    >>> side = 5 * len(symbol.matrix)
    >>> corners = np.array([[0, 0], [0, side], [side, side], [side, 0]]) + 5 * 4 - 0.5
    >>> str(grade_symbol(picture, Grid.from_corners(corners, symbol.matrix.shape), symbol.matrix))
    'SEM grade A (4): no parameter is below A. In the style of ISO/IEC 15415, not a certificate.'
    """
    modules = np.asarray(modules, dtype=bool)
    if modules.shape != grid.shape:
        raise ValueError(f"A grid of {grid.shape} modules does not fit {modules.shape} modules.")
    if not 0 < aperture <= 1:
        raise ValueError(f"An aperture of {aperture:g} modules: use more than 0, and up to 1.")
    layout = layout_of(modules.shape)
    source = open_source(image, pixel_size_nm)
    grey = registered_mean(source.frames)
    quiet = standard_quiet_zone(layout)
    quiet = quiet if quiet_zone is None else min(max(quiet_zone, 0), quiet)
    tilt = source.tilt_deg if tilt_deg is None else abs(tilt_deg)
    values = through_aperture(grey, grid, quiet, aperture)
    black = 0.0 if black_level is None else float(black_level)
    seen = Seen(values, np.pad(modules, quiet), quiet, black)
    if not np.isfinite(seen.inside(values)).any():
        raise ValueError("Nothing of the symbol is in the image.")
    error = layout.nearest_format(modules)[0]
    wrong, modulation = seen.inside(seen.wrong), seen.inside(seen.modulation)
    blocks = grade_blocks(modulation, wrong, error)
    patterns = tuple(
        grade_segment(name, kind, where, seen.modulation, seen.wrong)
        for name, kind, where in fixed_patterns(layout, quiet)
    )
    copies = tuple(
        grade_segment(name, "information", where, modulation, wrong)
        for name, where in information_copies(layout)
    )
    return Grade(
        parameters=(
            _decode(seen, modules, reading),
            _contrast(seen, black_level is not None),
            *_codewords(blocks),
            *_fixed(patterns, copies, seen),
            *_geometry(grid, source.pixel_size_nm, tilt),
            *_growth(grey, grid, seen, source.pixel_size_nm, tilt),
            _uniformity(modulation, layout.codeword_places),
            _average(patterns),
        ),
        blocks=blocks,
        segments=(*patterns, *copies),
        aperture=aperture,
        threshold=seen.threshold,
        black_level=black,
        black_level_known=black_level is not None,
        tilt_deg=tilt,
    )


def _decode(seen: Seen, modules: Modules, reading: Reading | None) -> GradeParameter:
    """Decode the modules as the threshold sees them, without any help."""
    try:
        decoded = np.array_equal(decode_modules(seen.inside(seen.dark)).symbol.matrix, modules)
    except Undecodable:
        decoded = False
    note = ""
    if not decoded and reading is not None:
        note = "One threshold for all modules cannot decode it; weighing each module could."
    return GradeParameter("decode", float(decoded), "", 4 if decoded else 0, note=note)


def _contrast(seen: Seen, known: bool) -> GradeParameter:
    name = "symbol contrast"
    if seen.darkest < seen.black:
        note = "Not graded: there are grey values below black, so that black is not known."
        return GradeParameter(name, None, note=note)
    note = "" if known else "Grey value 0 is taken for no signal."
    value = seen.contrast
    return GradeParameter(name, value, "", LIMITS[name].grade(value), LIMITS[name], note=note)


def _codewords(blocks: tuple[BlockGrade, ...]) -> tuple[GradeParameter, ...]:
    """Return the parameters of the codewords; the worst block counts."""
    worst = min(blocks, key=lambda block: block.unused)
    modulation = min(blocks, key=lambda block: (block.modulation, block.lowest))
    margin = min(blocks, key=lambda block: (block.margin, block.lowest_margin))
    name = "unused error correction"
    return (
        GradeParameter("modulation", modulation.lowest, "", modulation.modulation),
        GradeParameter("reflectance margin", margin.lowest_margin, "", margin.margin),
        GradeParameter(name, worst.unused, "", worst.unused_grade, LIMITS[name]),
    )


def _fixed(
    patterns: tuple[Segment, ...], copies: tuple[Segment, ...], seen: Seen
) -> tuple[GradeParameter, ...]:
    """Return the parameters of the fixed patterns, of the format and of the version."""
    damaged = sum(segment.damaged for segment in patterns)
    grade = min(segment.grade for segment in patterns)
    outside = int(seen.wrong.sum() - seen.inside(seen.wrong).sum())
    note = f"{outside} modules of the quiet zone are not light." if outside else ""
    found = [GradeParameter("fixed pattern damage", float(damaged), "modules", grade, note=note)]
    for name in ("format information", "version information"):
        own = [copy for copy in copies if copy.name.startswith(name)]
        if own:
            # one good copy is enough to read it: the mean of both, rounded up
            mean = ceil(sum(copy.grade for copy in own) / len(own))
            wrong = float(sum(copy.damaged for copy in own))
            found.append(GradeParameter(name, wrong, "modules", mean))
    return tuple(found)


def _geometry(
    grid: Grid, pixel_nm: tuple[float, float] | None, tilt_deg: float
) -> tuple[GradeParameter, ...]:
    y, x = pixel_nm or (1.0, 1.0)
    flat = regularity(grid, (y / cos(radians(tilt_deg)), x))
    nm = pixel_nm is not None
    axial, uneven = "axial non-uniformity", "grid non-uniformity"
    note = ""
    if tilt_deg:
        image = regularity(grid, (y, x)).axial
        note = f"After a tilt of {tilt_deg:.4g} degrees was taken out; {image:.4g} in the image."
    return (
        GradeParameter(
            axial, flat.axial, "", LIMITS[axial].grade(flat.axial), LIMITS[axial],
            abs(flat.across - flat.down) if nm else None, note,
        ),
        GradeParameter(
            uneven, flat.uneven, "", LIMITS[uneven].grade(flat.uneven), LIMITS[uneven],
            flat.farthest if nm else None,
        ),
    )  # fmt: skip


def _growth(
    grey: NDArray[np.float32],
    grid: Grid,
    seen: Seen,
    pixel_nm: tuple[float, float] | None,
    tilt_deg: float,
) -> tuple[GradeParameter, ...]:
    """Return how much dark areas have grown: told, not graded."""
    modules, usable = seen.inside(seen.expected), ~seen.inside(seen.wrong)
    across, down = print_growth(grey, grid, modules, usable, seen.middle)
    y, x = pixel_nm or (1.0, 1.0)
    flat = regularity(grid, (y / cos(radians(tilt_deg)), x))
    return tuple(
        GradeParameter(
            f"print growth {axis}",
            None if share is None else 100 * share,
            "%",
            nm=None if share is None or pixel_nm is None else share * pitch,
        )
        for axis, share, pitch in (("x", across, flat.across), ("y", down, flat.down))
    )


def _average(patterns: tuple[Segment, ...]) -> GradeParameter:
    mean = sum(segment.grade for segment in patterns) / len(patterns)
    return GradeParameter("fixed pattern average", mean)


def _uniformity(modulation: NDArray[np.float64], places: Places) -> GradeParameter:
    """Return the modulation of the worst module that belongs to a codeword: told, not graded."""
    return GradeParameter("contrast uniformity", float(modulation[places].min()))
