"""Files that describe materials and columns: the program's own, and the user's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from napari_nanoqr.files import write_text

OWN = Path(__file__).with_name("library")
"""Where the files that come with the program lie."""


class BadLibraryFile(ValueError):
    """A file of materials or a column that cannot be used; the message says why."""


def read_library_file(path: Path, format_name: str) -> dict[str, Any]:
    """Read a JSON file and check that it is of the wanted kind.

    Parameters
    ----------
    path : Path
        The file.
    format_name : str
        What its ``"format"`` has to say.

    Returns
    -------
    dict
        What it holds, without ``format`` and ``format_version``.

    Raises
    ------
    BadLibraryFile
        Where it is damaged, of another kind, or of a later version.
    OSError
        Where it cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise BadLibraryFile(
            f"{path.name}, line {problem.lineno}: {problem.msg} (column {problem.colno})."
        ) from problem
    except UnicodeDecodeError as problem:
        raise BadLibraryFile(f"{path.name} is not a text file in UTF-8.") from problem
    if not isinstance(values, dict) or values.pop("format", None) != format_name:
        raise BadLibraryFile(f'{path.name} has no "format": "{format_name}".')
    version = values.pop("format_version", 1)
    if version != 1:
        raise BadLibraryFile(f"{path.name} has the format version {version}; only 1 is known.")
    return values


def write_library_file(path: Path, format_name: str, values: dict[str, Any]) -> None:
    """Write a JSON file that :func:`read_library_file` reads, complete or not at all."""
    described = {"format": format_name, "format_version": 1, **values}
    write_text(path, json.dumps(described, indent=1, ensure_ascii=False) + "\n")


class Fields:
    """The fields of a description, taken one by one with what is wrong told in words.

    Parameters
    ----------
    values : object
        What the file holds; anything but an object of JSON is refused.
    where : str
        What is described, for messages, e.g. ``"material 3"``.

    Raises
    ------
    BadLibraryFile
        Where the values are no object.
    """

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, dict):
            raise BadLibraryFile(f"{where} is not an object in braces.")
        self.values = dict(values)
        self.where = where

    def text(self, name: str, default: str | None = None) -> str:
        """Take a text; without a default it has to be there and not be empty."""
        value = self.values.pop(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise BadLibraryFile(f'{self.where}: "{name}" has to be a text.')
        return value.strip()

    def number(self, name: str, default: float | None = None) -> float:
        """Take a finite number; without a default it has to be there."""
        return as_number(self.values.pop(name, default), f'{self.where}: "{name}"')

    def optional(self, name: str) -> float | None:
        """Take a finite number, or None where there is none."""
        value = self.values.pop(name, None)
        return None if value is None else as_number(value, f'{self.where}: "{name}"')

    def list(self, name: str, default: list[Any] | None = None) -> list[Any]:
        """Take a list; without a default it has to be there."""
        value = self.values.pop(name, default)
        if not isinstance(value, list):
            raise BadLibraryFile(f'{self.where}: "{name}" has to be a list in brackets.')
        return value

    def end(self) -> None:
        """Refuse what was not taken: a misspelt name must not go unnoticed."""
        if self.values:
            names = ", ".join(f'"{name}"' for name in self.values)
            raise BadLibraryFile(f"{self.where}: {names} is not known here.")


def as_number(value: Any, what: str) -> float:
    """Return a finite number, or say that it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadLibraryFile(f"{what} has to be a number, not {json.dumps(value)}.")
    return float(value)
