"""What every pattern format offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_nanoqr.fib.pattern import Pattern


@dataclass(frozen=True)
class PatternFormat:
    """One format of pattern files.

    Parameters
    ----------
    name : str
        For people.
    suffix : str
        With its dot, in lower case.
    holds : {"points", "shapes"}
        What such a file consists of.
    write : callable
        ``write(exposure, path, **options)`` writes an exposure in place and returns what the
        sidecar has to say beyond the plan.
    read : callable
        ``read(path, metadata, hfw_um)`` reads a file of whatever program, with what its sidecar
        says and the field width where one is known.
    options : tuple of str
        Names of the options that ``write`` takes.
    recognises : callable, optional
        Whether the first kilobytes of a file are of this format, for suffixes that several share.
    """

    name: str
    suffix: str
    holds: Literal["points", "shapes"]
    write: Callable[..., dict[str, Any]]
    read: Callable[[Path, dict[str, Any], float | None], Pattern]
    options: tuple[str, ...] = ()
    recognises: Callable[[bytes], bool] | None = None
