"""The report of many micrographs: one page with a picture and the numbers of each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import IO

import numpy as np

from napari_nanoqr.files import complete_file
from napari_nanoqr.html_page import STYLE, image_tag
from napari_nanoqr.measuring.batch import BatchItem
from napari_nanoqr.measuring.table import Row
from napari_nanoqr.planning.figures import INK, MILLED_COLOUR, new_figure, png_of

_COLUMNS = ("Image", "File", "Result", "Pitch (nm)", "Grade", "Stops at", "Wrong", "Taken")

_FEWEST = 3
"""Codes from which on a plot tells more than the table."""

_MORE_STYLE = """
body { max-width: 80rem; } td img { width: 9rem; display: block; }
th { width: auto; } tr.none td { background: #fdf0e7; }
"""


class BatchPage:
    """A report that grows image by image.

    Parameters
    ----------
    path : Path
        The HTML file that `write` makes.
    title : str
        Of the page.

    Notes
    -----
    The pictures wait in a file, so that thousands of them take no memory.
    """

    def __init__(self, path: Path, title: str) -> None:
        self.path, self.title = path, title
        # closed with the page
        self._body: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._rows: list[Row] = []
        self._good = self._count = 0

    def close(self) -> None:
        """Forget what is not written."""
        self._body.close()

    def add(self, item: BatchItem) -> None:
        """Add an image."""
        self._count += 1
        self._good += item.good
        keep = ("pitch_x_nm", "pitch_y_nm", "grade", "stop_dose_share", "code")
        self._rows += [{name: row[name] for name in keep} for row in item.rows]
        for number, row in enumerate(item.rows):
            picture = _image(item.thumbnail) if number == 0 else ""
            name = escape(item.path.name)
            if item.page is not None:
                link = os.path.relpath(item.page, self.path.parent)
                name = f'<a href="{escape(Path(link).as_posix())}">{name}</a>'
            cells = (picture, name, *(escape(cell) for cell in cells_of(row)))
            kind = "" if item.good else ' class="none"'
            self._body.write(f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n")

    def write(self) -> None:
        """Write the page as it is by now.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        good = self._good == self._count and self._count > 0
        verdict = f"{self._good:,} of {self._count:,} images give what they should."
        head = (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(self.title)}</title><style>{STYLE}{_MORE_STYLE}</style></head>\n"
            f"<body><h1>{escape(self.title)}</h1>"
            f'<p class="verdict {"good" if good else "bad"}">{verdict}</p>'
            f"{self._plots()}<table><tr>{''.join(f'<th>{name}</th>' for name in _COLUMNS)}</tr>\n"
        )
        with complete_file(self.path) as temporary, temporary.open("w", encoding="utf-8") as page:
            page.write(head)
            self._body.seek(0)
            shutil.copyfileobj(self._body, page)
            self._body.seek(0, os.SEEK_END)
            page.write(
                '</table><p class="small">Stops at: share of the electrons with which the code '
                "would still be read. Wrong: share of the modules that look other than written. "
                f"napari-nanoqr {version('napari-nanoqr')}.</p></body></html>\n"
            )

    def _plots(self) -> str:
        """Draw how the codes differ, where there are enough."""
        read = [row for row in self._rows if row["code"] is not None]
        pitches = np.array(
            [np.mean([row["pitch_x_nm"], row["pitch_y_nm"]]) for row in read
             if row["pitch_x_nm"] is not None]
        )  # fmt: skip
        shares = [row["stop_dose_share"] for row in read if row["stop_dose_share"] is not None]
        grades = Counter(row["grade"] for row in read if row["grade"] is not None)
        if len(read) < _FEWEST:
            return ""
        figure = new_figure(11, 2.8)
        for axes, (title, label) in zip(
            figure.subplots(1, 3),
            (("Pitch", "nm"), ("Share of the electrons that would do", "%"), ("Grade", "")),
            strict=True,
        ):
            axes.set(title=title, xlabel=label, ylabel="codes")
            if title == "Grade":
                axes.bar(list("ABCDF"), [grades[letter] for letter in "ABCDF"], color=INK)
            elif title == "Pitch" and len(pitches):
                axes.hist(pitches, bins=20, color=MILLED_COLOUR)
                axes.ticklabel_format(useOffset=False)
            elif shares:
                axes.hist(100 * np.array(shares), bins=20, color=MILLED_COLOUR)
        return f'<div class="pictures">{_image(png_of(figure))}</div>'


def cells_of(row: Row) -> tuple[str, ...]:
    """Return what a table shows of a row: result, pitch, grade, margin, wrong modules, date."""
    pitches = [row["pitch_x_nm"], row["pitch_y_nm"]]
    doubts = [row["pitch_x_nm_uncertainty"], row["pitch_y_nm_uncertainty"]]
    pitch = ""
    if None not in pitches:
        pitch = " x ".join(
            f"{value:.3f}" + ("" if doubt is None else f" ± {doubt:.3f}")
            for value, doubt in zip(pitches, doubts, strict=True)
        )
    grade = row["grade"] or ""
    if row["grade_limited_by"]:
        grade += f" ({row['grade_limited_by']})"
    share, wrong = row["stop_dose_share"], row["raw_bit_error_rate"]
    text = row["text"] if row["text"] is not None else row["payload_hex"]
    taken = row["taken"] or ""
    return (
        row["result"] if text is None else text,
        pitch,
        grade,
        "" if share is None else f"{100 * share:.0f} %",
        "" if wrong is None else f"{100 * wrong:.2g} %",
        taken.replace("T", " ")[:19],
    )


def _image(picture: bytes | None) -> str:
    if picture is None:
        return ""
    return image_tag(picture)
