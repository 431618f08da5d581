"""Thermo/FEI stream files (``.str``): text, one line a point.

Three lines head the file: the kind of stream, the number of passes, the number of points.
Each further line is ``dwell x y`` with an optional flag, 0 where the beam is blanked. Sources:
fibomat's and f3ast's writers, pyMPSG, and files of CAM2FIB and vulcan.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.format import PatternFormat
from napari_nanoqr.fib.formats.stream_text import MOST_UNITS, stream_lines
from napari_nanoqr.fib.pattern import BadPattern, PointPattern

NAME = "Thermo/FEI stream"

_LONGEST_HEAD = 200

StreamKind = Literal["s", "s16", "s16,25ns"]


@dataclass(frozen=True)
class StreamProfile:
    """What an instrument makes of the numbers in a stream file.

    Parameters
    ----------
    bits : int
        Of the deflection, 12 or 16; the HFW is 2^bits steps wide.
    dwell_unit_ns : int
        100 or, at 16 bits, 25.
    y_min, y_max : int
        Range of y that is accepted.
    y_centre : float
        y of the field's centre. Public writers disagree (28288, 32768 and 37248 of 65536);
        a wrong one shifts the pattern as a whole.
    y_up : bool
        y grows upwards on the screen. Nothing public says which; a wrong one mirrors the code,
        which can still be read.

    Raises
    ------
    ValueError
        Where the numbers do not belong together.
    """

    bits: int = 16
    dwell_unit_ns: int = 100
    y_min: int = 0
    y_max: int = 65535
    y_centre: float = 32768.0
    y_up: bool = False

    def __post_init__(self) -> None:
        if (self.bits, self.dwell_unit_ns) not in ((12, 100), (16, 100), (16, 25)):
            raise ValueError(
                f"A stream of {self.bits} bits with a dwell unit of {self.dwell_unit_ns} ns "
                "does not exist."
            )
        if not 0 <= self.y_min <= self.y_centre <= self.y_max < 2**self.bits:
            raise ValueError(
                f"y from {self.y_min} to {self.y_max} with the centre {self.y_centre:g} does not "
                f"fit {self.bits} bits."
            )

    @property
    def centre(self) -> tuple[float, float]:
        """Position of the field's centre in steps."""
        return float(2 ** (self.bits - 1)), self.y_centre

    def step_nm(self, hfw_um: float) -> float:
        """Return the size of a step in nm at a field width."""
        return hfw_um * 1000 / float(2**self.bits)

    def steps_reached(
        self, bounds_nm: tuple[float, float, float, float], hfw_um: float
    ) -> tuple[list[int], list[int]]:
        """Return the lowest and the highest step, x and y each, of points within bounds.

        Parameters
        ----------
        bounds_nm : tuple of float
            Left, top, right and bottom in nm, from the field's centre.
        hfw_um : float
            Field width in um.
        """
        left, top, right, bottom = bounds_nm
        if self.y_up:
            top, bottom = -bottom, -top
        ends = np.array(((left, top), (right, bottom))) / self.step_nm(hfw_um) + self.centre
        low, high = np.rint(ends).astype(int).tolist()
        return low, high


# 280..3816 in 12 bits is what fibomat takes from a manual
PROFILES: dict[str, StreamProfile] = {
    "s": StreamProfile(12, 100, 280, 3816, 2048.0),
    "s16": StreamProfile(),
    "s16,25ns": StreamProfile(dwell_unit_ns=25),
}


def header(profile: StreamProfile) -> str:
    """Return the first line of a stream file."""
    return ("s" if profile.bits == 12 else "s16") + (",25ns" * (profile.dwell_unit_ns == 25))


def write_stream(
    exposure: Exposure, path: Path, *, stream: StreamKind | StreamProfile = "s16"
) -> dict[str, Any]:
    """Write the points of an exposure.

    Parameters
    ----------
    exposure : Exposure
        What is milled.
    path : Path
        The file; written in place.
    stream : {"s16", "s", "s16,25ns"} or StreamProfile
        16 or 12 bits, dwell in 0.1 us or 25 ns; or the profile of an instrument.

    Returns
    -------
    dict
        For the sidecar: the profile.

    Raises
    ------
    ValueError
        Where the points do not fit the deflection, or the dwell rounds to nothing.
    OSError
        Where it cannot be written.

    Notes
    -----
    The last point is repeated blanked, so that the beam does not rest on the film after the
    last pass.
    """
    profile = _kind(stream)
    step = profile.step_nm(exposure.hfw_um)
    _check_steps(exposure, profile, step)
    unit_us = profile.dwell_unit_ns / 1000
    turn = -1 if profile.y_up else 1
    with path.open("wb") as file:
        head = f"{header(profile)}\n{exposure.passes}\n{exposure.n_points + 1}\n"
        file.write(head.encode("ascii"))
        for points_nm, dwell in exposure.points_in_units(unit_us):
            steps = np.empty((2, dwell.size), dtype=np.int64)
            for axis, scale in enumerate((1 / step, turn / step)):
                steps[axis] = np.rint(points_nm[:, axis] * scale + profile.centre[axis])
            file.write(stream_lines(dwell, steps))
        file.write(stream_lines(dwell[-1:], steps[:, -1:])[:-2] + b"0\n")
    return {"stream": {"y_centre": profile.y_centre, "y_min": profile.y_min,
                       "y_max": profile.y_max, "y_up": profile.y_up}}  # fmt: skip


def _kind(stream: StreamKind | StreamProfile) -> StreamProfile:
    if isinstance(stream, StreamProfile):
        return stream
    if stream not in PROFILES:
        raise ValueError(f"Stream {stream!r} does not exist: use {', '.join(PROFILES)}.")
    return PROFILES[stream]


def _check_steps(exposure: Exposure, profile: StreamProfile, step: float) -> None:
    """Raise where the points cannot be told in steps, or their dwell not in units."""
    pitch = min(lattice.pitch_nm for lattice in exposure.lattices)
    if step > pitch / 2:
        raise ValueError(
            f"A step of the {profile.bits}-bit deflection is {step:.3g} nm at "
            f"{exposure.hfw_um:g} um HFW, too coarse for points {pitch:.3g} nm apart: use a "
            "smaller field" + (", 16 bits" if profile.bits == 12 else "")
            + " or a larger point pitch."
        )  # fmt: skip
    if round(exposure.dwell_us * 1000 / profile.dwell_unit_ns) < 1:
        raise ValueError(
            f"A dwell of {1000 * exposure.dwell_us:g} ns rounds to nothing in units of "
            f"{profile.dwell_unit_ns} ns: use fewer passes, or the stream with 25 ns."
        )
    longest = max(float(lattice.dose.max()) for lattice in exposure.lattices) * exposure.dwell_us
    if longest * 1000 / profile.dwell_unit_ns > MOST_UNITS:
        raise ValueError(
            f"A dwell of {longest / 1e6:.3g} s is longer than a stream file holds: use more passes."
        )
    low, high = profile.steps_reached(exposure.bounds_nm, exposure.hfw_um)
    if (
        low[0] < 0
        or high[0] >= 2**profile.bits
        or low[1] < profile.y_min
        or high[1] > profile.y_max
    ):
        raise ValueError(
            f"The pattern reaches steps {low[0]}..{high[0]} in x and {low[1]}..{high[1]} in y, "
            f"outside 0..{2**profile.bits - 1} and {profile.y_min}..{profile.y_max}: widen the "
            "field (HFW)."
        )


def read_stream(path: Path, metadata: dict[str, Any], hfw_um: float | None = None) -> PointPattern:
    """Read a stream file, by whatever program it was written.

    Parameters
    ----------
    path : Path
        The file.
    metadata : dict
        What its sidecar says; may be empty.
    hfw_um : float, optional
        Field width in um, without which the points have no scale.

    Returns
    -------
    PointPattern
        Its points.

    Raises
    ------
    BadPattern
        Where it is no stream file or is damaged; the message names the line.
    OSError
        Where it cannot be read.
    """
    from napari_nanoqr.fib.formats.stream_table import read_table

    with path.open("rb") as file:
        lines = [file.readline(_LONGEST_HEAD) for _ in range(3)]
        start = file.tell()
    head = [line.decode("latin-1") for line in lines if line]
    kind_of = head[0].removeprefix("\xef\xbb\xbf").strip() if head else ""
    kind = re.fullmatch(r"s(16)?\s*(?:,\s*(25)\s*ns)?", kind_of, re.IGNORECASE)
    if not kind or (kind[2] and not kind[1]):
        raise BadPattern(
            f"{path.name} is not a stream file: line 1 says {kind_of[:20]!r} rather than "
            "s, s16 or s16,25ns."
        )
    if len(head) < 3:
        raise BadPattern(f"{path.name} ends after {len(head)} lines of its head.")
    passes = _whole(head[1], path, 2, "the number of passes")
    count = _whole(head[2], path, 3, "the number of points")
    profile = _profile(12 if not kind[1] else 16, 25 if kind[2] else 100, metadata)
    steps, dwell, on = read_table(path, start, count, 2**profile.bits - 1)
    return PointPattern(
        format=f"{NAME}, {profile.bits} bit, {profile.dwell_unit_ns} ns",
        hfw_um=hfw_um,
        metadata=metadata,
        path=path,
        steps=steps,
        dwell_units=dwell,
        beam_on=on,
        passes=passes,
        centre_step=profile.centre,
        step_nm=None if hfw_um is None else profile.step_nm(hfw_um),
        dwell_unit_s=profile.dwell_unit_ns * 1e-9,
        y_up=profile.y_up,
    )


def _profile(bits: int, unit: int, metadata: dict[str, Any]) -> StreamProfile:
    """Bits and unit are the file's; the centre and the direction of y are the sidecar's."""
    default = PROFILES["s" if bits == 12 else "s16"]
    said = metadata.get("stream")
    said = said if isinstance(said, dict) else {}
    return StreamProfile(
        bits, unit, 0, 2**bits - 1,
        float(said.get("y_centre", default.y_centre)), bool(said.get("y_up", False)),
    )  # fmt: skip


def _whole(line: str, path: Path, number: int, what: str) -> int:
    if not re.fullmatch(r"\s*\d{1,12}\s*", line) or int(line) < 1:
        raise BadPattern(
            f"{path.name}, line {number}: {line.strip()[:20]!r} is not {what}, a whole number "
            "from 1."
        )
    return int(line)


FORMAT = PatternFormat(NAME, ".str", "points", write_stream, read_stream, ("stream",))
