"""Does a pattern hold the symbol? Answered from the pattern as it was read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.placed import Placed
from napari_nanoqr.fib.cutting import by_parts
from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.symbol import as_text

MOST_DOSE_ERROR_PERCENT = 10.0
"""A module whose written dose differs by more from its planned one is refused."""

MOST_TOTAL_DOSE_ERROR_PERCENT = 0.5
"""So is a file whose dose as a whole differs by more."""

MOST_STRAY = 1e-3
"""Share of the dose that may fall on modules that are kept."""

MILLED = 0.25
"""Modules with more than this share of the highest dose count as milled: corrected doses differ
by a factor of about two."""


class VerificationError(ValueError):
    """A pattern that was written does not hold what it should."""


@dataclass(frozen=True)
class Verification:
    """What a pattern holds, compared with the design.

    Parameters
    ----------
    payloads : tuple of bytes or None
        What the modules of each symbol decode to, None where they do not.
    modules_wrong : int
        Modules, with the quiet zone, that are milled and should not be or the reverse.
    offset_nm : float
        Distance of the pattern from its place in the field.
    unevenness_percent : float
        Largest difference of a milled module's dose from the planned one; where there is no plan
        to compare with, from the mean of its symbol.
    dose_error_percent : float or None
        Written dose against the planned one; None where there is no plan to compare with.
    problems : tuple of str
        Why the pattern must not be milled, as sentences; empty where it is right.
    """

    payloads: tuple[bytes | None, ...]
    modules_wrong: int
    offset_nm: float
    unevenness_percent: float
    dose_error_percent: float | None
    problems: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """Whether the pattern holds the design exactly."""
        return not self.problems

    @property
    def payload(self) -> bytes | None:
        """What the first symbol decodes to, None where it does not."""
        return self.payloads[0]

    @property
    def text(self) -> str | None:
        """The payload as text, None where it is not text."""
        return None if self.payload is None else as_text(self.payload)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self) | {"matches": self.matches, "text": self.text}
        values["payload_hex"] = None if self.payload is None else self.payload.hex()
        values["payloads_hex"] = [None if p is None else p.hex() for p in values.pop("payloads")]
        return values


def verify_pattern(pattern: Pattern, design: Design, plan: MillPlan | None = None) -> Verification:
    """Find the modules in a pattern, decode them and compare them with a design.

    Parameters
    ----------
    pattern : Pattern
        As read from a file. Nothing but its points or polygons is used, and of the design
        nothing but the pitch to find the modules.
    design : Design
        What it should hold.
    plan : MillPlan, optional
        With it the written dose is compared too.

    Returns
    -------
    Verification
        See its ``problems``.

    Raises
    ------
    ValueError
        Where the pattern has no scale or exposes nothing.
    """
    return verify_placed(pattern, (Placed(design),), None if plan is None else plan.exposure)


def verify_placed(
    pattern: Pattern, placed: Sequence[Placed], exposure: Exposure | None = None
) -> Verification:
    """Find the modules of several designs in a pattern; see :func:`verify_pattern`.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.
    placed : sequence of Placed
        What it should hold, and where.
    exposure : Exposure, optional
        With it the written dose is compared too.

    Returns
    -------
    Verification
        Of all together.
    """
    moved_x, moved_y = displacement_nm(pattern, placed, exposure)
    problems: list[str] = []
    payloads: list[bytes | None] = [None] * len(placed)
    found = []
    for index, part in by_parts(pattern, placed, (moved_x, moved_y)):
        modules = _compare(part, placed[index], (moved_x, moved_y), exposure)
        payloads[index] = _decode(modules.dark, placed[index].design, problems)
        found.append(modules)
        if modules.stray > MOST_STRAY:
            problems.append(
                f"{100 * modules.stray:.2g} % of the dose falls on modules that are kept."
            )
    wrong = sum(modules.wrong for modules in found)
    uneven = _unevenness_percent([modules.even for modules in found], exposure is not None)
    if wrong:
        problems.append(f"{wrong} modules of the pattern are not as in the design.")
    offset = float(np.hypot(moved_x, moved_y))
    if offset > _offset_allowed(pattern):
        problems.append(f"The pattern lies {offset:.3g} nm off its place in the field.")
    if uneven > MOST_DOSE_ERROR_PERCENT:
        problems.append(f"The dose of the milled modules is off by up to {uneven:.0f} %.")
    error = None if exposure is None else _dose_error_percent(pattern, exposure)
    if error is not None and abs(error) > MOST_TOTAL_DOSE_ERROR_PERCENT:
        problems.append(
            f"The written dose differs from the planned one by {error:+.2g} %: the dwell does not "
            "fit the unit of the file."
        )
    return Verification(tuple(payloads), wrong, offset, uneven, error, tuple(problems))


def displacement_nm(
    pattern: Pattern, placed: Sequence[Placed], exposure: Exposure | None = None
) -> tuple[float, float]:
    """Return by how much (x, y) a pattern lies beside its place, as cropped bitmaps do.

    Parameters
    ----------
    pattern : Pattern
        As read from a file.
    placed : sequence of Placed
        What it holds, and where.
    exposure : Exposure, optional
        What was written; by default what the sidecar says of it, or else the designs.

    Returns
    -------
    tuple of float
        In nm.

    Raises
    ------
    VerificationError
        Where the pattern mills nothing or has no scale.
    """
    bounds = pattern.bounds_nm
    if bounds is None:
        raise VerificationError("The pattern mills nothing, or does not tell its scale.")
    # of points the outermost ones are known, of shapes their edges
    kind = "bounds_nm" if isinstance(pattern, PointPattern) else "outline_nm"
    if exposure is None:
        expected = pattern.metadata.get(kind) or _milled_bounds_nm(placed)
    else:
        expected = getattr(exposure, kind)
    x, y = (np.array(bounds) - np.array(expected)).reshape(2, 2).mean(axis=0).tolist()
    return x, y


def _milled_bounds_nm(placed: Sequence[Placed]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all modules that designs mill, in nm."""
    found = []
    for item in placed:
        (left, top), pitch = item.corner_nm, item.design.pitch_nm
        rows = np.flatnonzero(item.design.milled.any(axis=1))
        columns = np.flatnonzero(item.design.milled.any(axis=0))
        found.append(
            (left + columns[0] * pitch, top + rows[0] * pitch,
             left + (columns[-1] + 1) * pitch, top + (rows[-1] + 1) * pitch)
        )  # fmt: skip
    edges = np.array(found)
    left, top = edges[:, :2].min(axis=0).tolist()
    right, bottom = edges[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


@dataclass(frozen=True, eq=False)
class _Modules:
    """The modules of one design, as a pattern has them."""

    dark: NDArray[np.bool_]
    wrong: int
    even: NDArray[np.float64]
    stray: float


def _compare(
    pattern: Pattern, item: Placed, moved: tuple[float, float], exposure: Exposure | None
) -> _Modules:
    design = item.design
    rows, columns = design.modules.shape
    left, top = item.corner_nm
    grid = Grid(left + moved[0], top + moved[1], design.pitch_nm, rows, columns)
    dose = pattern.rasterise(grid)
    if isinstance(pattern, PointPattern):
        # per area, so that designs of any pitch can be compared
        dose = dose / design.pitch_nm**2
    milled = dose > dose.max() * MILLED
    core = slice(design.quiet_zone, rows - design.quiet_zone)
    across = slice(design.quiet_zone, columns - design.quiet_zone)
    dark = milled if design.mill == "dark" else ~milled
    planned = np.ones((rows, columns)) if exposure is None else exposure.module_dose(item)
    return _Modules(
        dark[core, across],
        int(np.count_nonzero(milled != design.milled)),
        dose[milled] / np.maximum(planned[milled], 1e-9),
        float(np.abs(np.where(milled, 0.0, dose)).sum() / max(dose.sum(), 1e-300)),
    )


def _unevenness_percent(even: Sequence[NDArray[np.float64]], together: bool) -> float:
    """How far doses over planned ones are from their mean: that of all symbols, or of each."""
    groups = [np.concatenate(even)] if together else even
    return 100 * max(
        (float(np.abs(group / group.mean() - 1).max()) for group in groups if group.size),
        default=0.0,
    )


def _decode(modules: NDArray[np.bool_], design: Design, problems: list[str]) -> bytes | None:
    try:
        payload = decode_modules(modules).symbol.payload
    except Undecodable as problem:
        problems.append(f"The modules of the pattern cannot be decoded: {problem}")
        return None
    if payload != design.symbol.payload:
        problems.append("The pattern decodes to another payload than the design's.")
    return payload


def _offset_allowed(pattern: Pattern) -> float:
    """Allow a step of the deflection each way, or a nanometre for the grid of a layout."""
    step = pattern.step_nm if isinstance(pattern, PointPattern) else None
    return 1.5 * max(1.0, step or 0.0)


def _dose_error_percent(pattern: Pattern, exposure: Exposure) -> float:
    """Charge in the file, or area times dose factor, against the exposure's."""
    if isinstance(pattern, ShapePattern):
        return 100 * ((pattern.charge_nc or 0.0) / exposure.charge_nc - 1)
    assert isinstance(pattern, PointPattern)
    return 100 * ((pattern.beam_on_time_s or 0.0) / exposure.beam_on_time_s - 1)
