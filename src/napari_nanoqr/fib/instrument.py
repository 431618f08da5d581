"""One instrument: the pattern files it takes, and what it can do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_nanoqr.fib.formats.thermo_stream import StreamProfile
from napari_nanoqr.fib.library_files import BadLibraryFile, Fields, as_number

LIMITS = (
    "dwell_step_ns", "shortest_dwell_us", "longest_dwell_us", "most_points",
    "largest_overlap_percent", "highest_layer", "highest_dose_factor", "screen_aspect",
)  # fmt: skip
"""Those that are one number each, None where nothing is known."""


@dataclass(frozen=True)
class InstrumentFormat:
    """A pattern format as an instrument takes it.

    Parameters
    ----------
    suffix : str
        Of the files, with its dot and in lower case.
    options : mapping of str
        What the writer of the format is to be told, e.g. ``stream`` with a
        :class:`StreamProfile` for ``.str``, ``layer`` for ``.gds``.

    Raises
    ------
    ValueError
        Where the suffix is none.
    """

    suffix: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.suffix) < 2 or self.suffix[0] != "." or self.suffix != self.suffix.lower():
            raise ValueError(f"{self.suffix!r} is no suffix: write it like '.str'.")

    def to_dict(self) -> dict[str, Any]:
        """Return the format as plain values."""
        plain = {
            name: asdict(value) if isinstance(value, StreamProfile) else value
            for name, value in self.options.items()
        }
        return {"suffix": self.suffix, "options": plain}


@dataclass(frozen=True)
class Instrument:
    """An instrument's formats and limits; None where a limit is not known.

    Parameters
    ----------
    name : str
        What it is called.
    formats : tuple of InstrumentFormat
        What it takes, the usual one first; empty where any is taken.
    dwell_step_ns : float or None
        The dwell is a whole number of these.
    shortest_dwell_us, longest_dwell_us : float or None
        At a point, in each pass.
    most_points : float or None
        In one file of points.
    largest_pattern_um : tuple of float, or None
        Width and height.
    largest_overlap_percent : float or None
        Of neighbouring spots; it has to be below.
    highest_layer, highest_dose_factor : float or None
        Of layouts.
    screen_aspect : float or None
        Height of what the screen shows of the field in units of its width.
    sources : mapping of str
        Where each limit comes from, by its name.

    Raises
    ------
    ValueError
        Where there is no name, a format comes twice, or a limit is out of range.
    """

    name: str
    formats: tuple[InstrumentFormat, ...] = ()
    dwell_step_ns: float | None = None
    shortest_dwell_us: float | None = None
    longest_dwell_us: float | None = None
    most_points: float | None = None
    largest_pattern_um: tuple[float, float] | None = None
    largest_overlap_percent: float | None = None
    highest_layer: float | None = None
    highest_dose_factor: float | None = None
    screen_aspect: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("An instrument needs a name.")
        suffixes = [form.suffix for form in self.formats]
        if len(set(suffixes)) < len(suffixes):
            raise ValueError(f"{self.name} has a format twice.")
        sizes = self.largest_pattern_um or ()
        for name, value in [(name, getattr(self, name)) for name in LIMITS] + [
            ("largest_pattern_um", size) for size in sizes
        ]:
            least = 0 if name == "highest_layer" else math.ulp(0)
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"{name} of {value:g} cannot be.")
        if (self.shortest_dwell_us or 0) > (self.longest_dwell_us or math.inf):
            raise ValueError("The shortest dwell is longer than the longest one.")
        for name in self.sources:
            if name not in (*LIMITS, "largest_pattern_um"):
                raise ValueError(f"There is a source for {name}, which is no limit.")

    def takes(self, suffix: str) -> bool:
        """Whether it takes files of a suffix."""
        return not self.formats or any(form.suffix == suffix for form in self.formats)

    def options_for(self, suffix: str) -> dict[str, Any]:
        """Return what the writer of a format is to be told, see :func:`write_pattern`.

        Raises
        ------
        ValueError
            Where the instrument does not take the format.
        """
        if not self.takes(suffix):
            known = ", ".join(form.suffix for form in self.formats)
            raise ValueError(f"{self.name} takes no {suffix} files: use {known}.")
        return {
            name: value
            for form in self.formats
            if form.suffix == suffix
            for name, value in form.options.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the instrument as plain values, as they stand in a file."""
        size = self.largest_pattern_um
        return {
            "name": self.name,
            "formats": [form.to_dict() for form in self.formats],
            **{name: getattr(self, name) for name in LIMITS},
            "largest_pattern_um": None if size is None else list(size),
            "sources": dict(self.sources),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Instrument:
        """Build an instrument from the plain values of a file.

        Raises
        ------
        BadLibraryFile
            Where they describe none; the message says which field and why.
        """
        fields = Fields(values, "the instrument")
        name = fields.text("name")
        fields.where = name
        formats = tuple(
            _format(Fields(each, f"{name}, format {number}"))
            for number, each in enumerate(fields.list("formats", []), start=1)
        )
        limits = {limit: fields.optional(limit) for limit in LIMITS}
        size = fields.values.pop("largest_pattern_um", None)
        if size is not None:
            size = _pair(size, f'{name}: "largest_pattern_um"')
        sources = Fields(fields.values.pop("sources", {}), f"{name}, sources")
        told = {key: sources.text(key) for key in list(sources.values)}
        fields.end()
        try:
            return cls(name, formats, largest_pattern_um=size, sources=told, **limits)
        except ValueError as problem:
            raise BadLibraryFile(f"{name}: {problem}") from problem


def _format(fields: Fields) -> InstrumentFormat:
    suffix = fields.text("suffix")
    options = Fields(fields.values.pop("options", {}), f"{fields.where}, options").values
    fields.end()
    try:
        if "stream" in options:
            options["stream"] = _stream(Fields(options["stream"], f"{fields.where}, stream"))
        return InstrumentFormat(suffix, options)
    except BadLibraryFile:
        raise
    except ValueError as problem:
        raise BadLibraryFile(f"{fields.where}: {problem}") from problem


def _stream(fields: Fields) -> StreamProfile:
    """Read a profile; what is left out is the whole range with its middle."""
    bits = int(fields.number("bits", 16))
    unit = int(fields.number("dwell_unit_ns", 100))
    low, high = fields.number("y_min", 0), fields.number("y_max", 2**bits - 1)
    centre = fields.number("y_centre", 2 ** (bits - 1))
    up = fields.values.pop("y_up", False)
    if not isinstance(up, bool):
        raise BadLibraryFile(f'{fields.where}: "y_up" has to be true or false.')
    fields.end()
    return StreamProfile(bits, unit, int(low), int(high), centre, up)


def _pair(value: Any, what: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadLibraryFile(f"{what} has to be a list of width and height.")
    return as_number(value[0], what), as_number(value[1], what)
