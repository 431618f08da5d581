"""Reads an OASIS file with gdstk; run as a program it may crash without harm.

As a program it takes the path, writes the arrays of :func:`read_arrays` to its standard output,
and ends with :data:`REFUSED` and a sentence where the file is not right.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import gdstk

REFUSED = 3
"""Exit status where the file is not right."""

MOST_POLYGONS = 5_000_000
"""With all references resolved; more would not fit into memory."""


class BadLayout(ValueError):
    """The file is not right."""


def read_arrays(path: Path) -> dict[str, Any]:
    """Read all polygons of an OASIS file, references and repetitions resolved.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        ``corners`` of all polygons one after the other, (k, 2) float64 in nm with y up; of each
        polygon its ``lengths`` (number of corners), ``layers`` and ``datatypes``, int64;
        ``names`` of the top cells.

    Raises
    ------
    BadLayout
        Where it is damaged, or holds too much.
    """
    import gdstk

    from napari_nanoqr.fib.formats.layout import flatten

    try:
        with warnings.catch_warnings():
            # records that say nothing about polygons are no news
            warnings.simplefilter("ignore")
            library = gdstk.read_oas(str(path), unit=1e-9)
    except (RuntimeError, ValueError) as problem:
        raise BadLayout(str(problem).rstrip(".")) from problem
    _check_references(library)
    polygons = flatten(library)
    points = [polygon.points for polygon in polygons]
    corners = np.concatenate(points) if points else np.empty((0, 2))
    if not np.isfinite(corners).all():
        raise BadLayout("it holds corners that are no numbers")
    return {
        "corners": corners,
        "lengths": np.array([len(part) for part in points], dtype=np.int64),
        "layers": np.array([polygon.layer for polygon in polygons], dtype=np.int64),
        "datatypes": np.array([polygon.datatype for polygon in polygons], dtype=np.int64),
        "names": np.array([cell.name for cell in library.top_level()], dtype=np.str_),
    }


def _check_references(library: gdstk.Library) -> None:
    """Refuse references to nowhere, in circles, or to more polygons than can be held."""
    cells: dict[str, Any] = {cell.name: cell for cell in library.cells}
    totals: dict[str, int] = {}
    open_cells: set[str] = set()
    stack = list(cells)
    while stack:
        name = stack[-1]
        cell = cells[name]
        missing = [other for other in map(_target, cell.references) if other not in totals]
        if name in totals or not missing:
            if name not in totals:
                totals[name] = _count(cell, totals)
            open_cells.discard(stack.pop())
            continue
        if name in open_cells:
            raise BadLayout(f"its cell {name!r} refers to itself")
        open_cells.add(name)
        for other in missing:
            if other not in cells:
                raise BadLayout(f"its cell {name!r} refers to {other!r}, which is not there")
        stack += missing


def _count(cell: gdstk.Cell, totals: dict[str, int]) -> int:
    """Count the polygons of a cell and of all that it refers to."""
    parts = [*cell.polygons, *cell.paths]
    count = sum(max(1, part.repetition.size) for part in parts)
    for reference in cell.references:
        count += max(1, reference.repetition.size) * totals[_target(reference)]
    if count > MOST_POLYGONS:
        raise BadLayout(f"its cell {cell.name!r} holds more polygons than fit into memory")
    return count


def _target(reference: gdstk.Reference) -> str:
    return str(getattr(reference.cell, "name", reference.cell))


def main() -> int:
    """Read the file that the command line names; return the exit status."""
    # what a native library prints must not get between the arrays
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        arrays = read_arrays(Path(sys.argv[1]))
    except BadLayout as problem:
        print(problem, file=sys.stderr)
        return REFUSED
    held = io.BytesIO()
    np.savez(held, **arrays)
    with output:
        output.write(held.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
