"""Damage of the patterns that all symbols of a kind share, and of the format information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.measuring.grade_limits import LETTERS, LIMITS
from napari_nanoqr.symbols.layout import Layout, Modules
from napari_nanoqr.symbols.qr import version_positions
from napari_nanoqr.symbols.tables import alignment_centres


def standard_quiet_zone(layout: Layout) -> int:
    """Return the width of the quiet zone in modules (ISO/IEC 18004:2015 and 23941:2022)."""
    return 4 if layout.symbology == "QR" else 2


@dataclass(frozen=True)
class Segment:
    """Some modules whose damage is graded together.

    Parameters
    ----------
    name : str
        E.g. ``"A1"``, and what it is.
    kind : str
        Which of the limits it is graded by.
    modules, damaged : int
        How many it has, and how many the threshold takes for the other kind.
    grade : int
        4 to 0; modules of low modulation count, too.
    """

    name: str
    kind: str
    modules: int
    damaged: int
    grade: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "modules": self.modules,
            "damaged": self.damaged,
            "letter": LETTERS[self.grade],
            "grade": self.grade,
        }


def grade_segment(
    name: str,
    kind: str,
    where: Modules,
    modulation: NDArray[np.float64],
    wrong: Modules,
) -> Segment:
    """Grade the damage of some modules.

    For each grade of modulation, modules that do not reach it count as damaged; the lower of
    that grade and of the grade of so much damage is kept, and the best of these is the
    segment's (ISO/IEC 15415:2011, fixed pattern damage).

    Parameters
    ----------
    name, kind : str
        As those of a `Segment`.
    where : (rows, columns) bool array
        Its modules.
    modulation : (rows, columns) float array
        Modulation of all modules.
    wrong : (rows, columns) bool array
        Modules that the threshold takes for the other kind.
    """
    count = int(where.sum())
    own = np.where(wrong[where], -1.0, modulation[where])
    grades = np.array([LIMITS["modulation"].grade(float(value)) for value in own])
    # what is wrong is damaged at every level, also at the lowest
    grades[wrong[where]] = -1
    best = 0
    for level in (4, 3, 2, 1, 0):
        damaged = int((grades < level).sum())
        best = max(best, min(level, _damage_grade(kind, damaged, count)))
    return Segment(name, kind, count, int(wrong[where].sum()), best)


def _damage_grade(kind: str, damaged: int, count: int) -> int:
    share = kind in ("timing", "alignment")
    return LIMITS[kind].grade(damaged / count if share else damaged)


def fixed_patterns(layout: Layout, quiet: int) -> list[tuple[str, str, Modules]]:
    """Return the segments of the fixed patterns.

    Parameters
    ----------
    layout : Layout
        Kind of symbol.
    quiet : int
        Width of the quiet zone in modules.

    Returns
    -------
    list of (name, kind, where)
        ``where`` is a (rows + 2 quiet, columns + 2 quiet) bool array. A corner has its finder
        pattern, the separator, and the quiet zone on its two outer sides, as far as a quiet zone
        around the finder pattern alone would reach: 168 modules in a QR code (ISO/IEC 18004:2015,
        annex on print quality). For Micro QR and rMQR codes the same is done with the patterns
        that they have.
    """
    rows, columns = layout.shape
    inside = np.zeros((rows + 2 * quiet, columns + 2 * quiet), dtype=bool)
    inner = inside[quiet : quiet + rows, quiet : quiet + columns]
    inner[:8, :8] = True
    far = 7 + 2 * quiet
    inside[:quiet, :far] = inside[:far, :quiet] = True
    if layout.symbology == "QR":
        corners = [("A1 corner top left", inside), ("A2 corner top right", inside[:, ::-1]),
                   ("A3 corner bottom left", inside[::-1])]  # fmt: skip
    else:
        corners = [("A1 finder", inside)]
    found = [(name, "corner", where) for name, where in corners]
    kinds = {"QR": _of_qr, "Micro QR": _of_micro, "rMQR": _of_rectangular}
    for name, kind, where in kinds[layout.symbology](layout):
        if where.any():
            found.append((name, kind, np.pad(where, quiet)))
    return found


def information_copies(layout: Layout) -> list[tuple[str, Modules]]:
    """Return the modules of each copy of the format information, then of the version's."""
    copies = 1 if layout.symbology == "Micro QR" else 2
    places = [np.split(axis, copies) for axis in layout.format_places]
    found = []
    for number, (rows, columns) in enumerate(zip(*places, strict=True), start=1):
        found.append((f"format information {number}", _at(layout, rows, columns)))
    if layout.symbology == "QR" and int(layout.version) >= 7:
        for number, (rows, columns) in enumerate(version_positions(int(layout.version)), start=1):
            found.append((f"version information {number}", _at(layout, rows, columns)))
    return found


def _at(layout: Layout, rows: NDArray[np.int_], columns: NDArray[np.int_]) -> Modules:
    where = np.zeros(layout.shape, dtype=bool)
    where[rows, columns] = True
    return where


def _of_qr(layout: Layout) -> list[tuple[str, str, Modules]]:
    across, down, alignment = np.zeros((3, *layout.shape), dtype=bool)
    across[6, 8:-8] = down[8:-8, 6] = True
    centres, last = alignment_centres(int(layout.version)), layout.shape[0] - 7
    for row in centres:
        for column in centres:
            if (row, column) not in ((6, 6), (6, last), (last, 6)):
                alignment[row - 2 : row + 3, column - 2 : column + 3] = True
    return [
        ("B1 timing across", "timing", across),
        ("B2 timing down", "timing", down),
        ("C alignment", "alignment", alignment),
    ]


def _of_micro(layout: Layout) -> list[tuple[str, str, Modules]]:
    across, down = np.zeros((2, *layout.shape), dtype=bool)
    across[0, 8:] = down[8:, 0] = True
    return [("B1 timing across", "timing", across), ("B2 timing down", "timing", down)]


def _of_rectangular(layout: Layout) -> list[tuple[str, str, Modules]]:
    rows, columns = layout.shape
    across, down, alignment, sub = np.zeros((4, rows, columns), dtype=bool)
    sub[-5:, -5:] = True
    # an alignment pattern at each end of a column that all symbols of the size share
    for column in range(8, columns - 5):
        if layout.certain[:, column].all():
            down[:, column] = True
            alignment[:3, column - 1 : column + 2] = alignment[-3:, column - 1 : column + 2] = True
    across[[0, -1], 8:] = across[-1, :8] = True
    down[:, -1] = down[8:, 0] = True
    elsewhere = layout.finders | sub | alignment
    return [
        ("A2 finder sub pattern", "corner", sub),
        ("B1 timing across", "timing", across & ~elsewhere),
        ("B2 timing down", "timing", down & ~across & ~elsewhere),
        ("C alignment", "alignment", alignment),
    ]
