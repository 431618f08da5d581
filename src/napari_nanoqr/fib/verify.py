"""Does a pattern hold the symbol? Answered from the pattern as it was read back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import Pattern, PointPattern, ShapePattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.raster import Grid
from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.symbol import as_text

MOST_DOSE_ERROR_PERCENT = 10.0
"""Written dose that differs by more is refused; rounding a dwell of 1 us to 0.1 us is 0."""


class VerificationError(ValueError):
    """A pattern that was written does not hold what it should."""


@dataclass(frozen=True)
class Verification:
    """What a pattern holds, compared with the design.

    Parameters
    ----------
    payload : bytes or None
        What the modules decode to, None where they do not.
    modules_wrong : int
        Modules, with the quiet zone, that are milled and should not be or the reverse.
    offset_nm : float
        Distance of the symbol's centre from the field's.
    unevenness_percent : float
        Largest difference of a milled module's dose from the mean.
    dose_error_percent : float or None
        Written dose against the planned one; None where there is no plan to compare with.
    problems : tuple of str
        Why the pattern must not be milled, as sentences; empty where it is right.
    """

    payload: bytes | None
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
    def text(self) -> str | None:
        """The payload as text, None where it is not text."""
        return None if self.payload is None else as_text(self.payload)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self) | {"matches": self.matches, "text": self.text}
        values["payload_hex"] = None if self.payload is None else self.payload.hex()
        del values["payload"]
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
    bounds = pattern.bounds_nm
    if bounds is None:
        raise VerificationError("The pattern mills nothing, or does not tell its scale.")
    side = design.modules.shape[0]
    centre = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    half = side * design.pitch_nm / 2
    exposure = pattern.rasterise(
        Grid(centre[0] - half, centre[1] - half, design.pitch_nm, side, side)
    )
    milled = exposure > exposure.max() / 2
    dark = milled if design.mill == "dark" else ~milled
    core = slice(design.quiet_zone, side - design.quiet_zone)
    problems: list[str] = []
    payload = _decode(dark[core, core], problems)
    if payload is not None and payload != design.symbol.payload:
        problems.append("The pattern decodes to another payload than the design's.")
    wrong = int(np.count_nonzero(milled != design.milled))
    if wrong:
        problems.append(f"{wrong} modules of the pattern are not as in the design.")
    offset = float(np.hypot(*centre))
    if offset > _offset_allowed(pattern):
        problems.append(f"The pattern lies {offset:.3g} nm off the centre of the field.")
    stray = np.abs(np.where(milled, 0.0, exposure)).sum() / exposure.sum()
    if stray > 1e-3:
        problems.append(f"{100 * stray:.2g} % of the dose falls on modules that are kept.")
    uneven = 100 * float(np.abs(exposure[milled] / exposure[milled].mean() - 1).max())
    if uneven > MOST_DOSE_ERROR_PERCENT:
        problems.append(f"The dose of the milled modules differs by {uneven:.0f} %.")
    error = None if plan is None else _dose_error_percent(pattern, plan)
    if error is not None and abs(error) > MOST_DOSE_ERROR_PERCENT:
        problems.append(
            f"The written dose differs from the planned one by {error:+.0f} %: the dwell does not "
            "fit the unit of the file."
        )
    return Verification(payload, wrong, offset, uneven, error, tuple(problems))


def _decode(modules: NDArray[np.bool_], problems: list[str]) -> bytes | None:
    try:
        return decode_modules(modules).symbol.payload
    except Undecodable as problem:
        problems.append(f"The modules of the pattern cannot be decoded: {problem}")
        return None


def _offset_allowed(pattern: Pattern) -> float:
    """Allow a step of the deflection each way, or a nanometre for the grid of a layout."""
    step = pattern.step_nm if isinstance(pattern, PointPattern) else None
    return 1.5 * max(1.0, step or 0.0)


def _dose_error_percent(pattern: Pattern, plan: MillPlan) -> float:
    """Charge in the file, or area times dose factor, against the plan's."""
    if isinstance(pattern, ShapePattern):
        base = float(pattern.metadata.get("base_dose_nc_per_um2", 0.0))
        charge = float((pattern.areas_um2 * pattern.dose_factors).sum()) * base
        return 100 * (charge / (plan.area_um2 * plan.ion_dose_nc_per_um2) - 1)
    assert isinstance(pattern, PointPattern)
    return 100 * ((pattern.beam_on_time_s or 0.0) / plan.beam_on_time_s - 1)
