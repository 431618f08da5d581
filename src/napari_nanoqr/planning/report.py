"""The report of an export: what was written, what it will do, and how that was found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_nanoqr.fib.columns import format_current
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.sidecar import describe_milling
from napari_nanoqr.fib.verify import Verification
from napari_nanoqr.files import file_hash, write_text
from napari_nanoqr.html_page import Picture, Section, page
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.figures import (
    draw_depth,
    draw_design,
    draw_micrograph,
    draw_section,
    new_figure,
    png_of,
)
from napari_nanoqr.planning.prediction import Prediction, predict
from napari_nanoqr.planning.read_probability import Progress

FACE = "#00224e"
"""The lowest colour of the depth map: beyond its grid nothing is milled."""

FORMAT = "napari-nanoqr export report"


@dataclass(frozen=True, eq=False)
class ExportReport:
    """What is known about files that were written from one plan.

    Parameters
    ----------
    plan : MillPlan
        What was planned.
    files : tuple of (Path, Verification, Prediction)
        Each file, what was found in it when it was read back, and what it will do.
    """

    plan: MillPlan
    files: tuple[tuple[Path, Verification, Prediction], ...]

    @property
    def good(self) -> bool:
        """Whether every file holds the design and its predicted micrograph is read."""
        return all(
            found.matches and predicted.right is not None for _, found, predicted in self.files
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "format": FORMAT,
            "format_version": 1,
            "program": f"napari-nanoqr {version('napari-nanoqr')}",
            "good": self.good,
            "plan": describe_milling(self.plan.exposure, self.plan.placed)
            | {
                "beam_on_time_s": self.plan.beam_on_time_s,
                "needed_dose_nc_per_um2": self.plan.needed_dose_nc_per_um2,
                "depth_range_nm": list(self.plan.depth_range_nm),
                "edges_corrected": self.plan.relative_dose is not None,
            },
            "warnings": self.plan.warnings,
            "files": [
                {
                    "name": path.name,
                    "sha256": file_hash(path),
                    "bytes": path.stat().st_size,
                    "verification": found.to_dict(),
                    "prediction": predicted.to_dict(),
                }
                for path, found, predicted in self.files
            ],
        }

    def to_html(self) -> str:
        """Return a page for people, with its pictures inside."""
        predicted = self.files[0][2]
        verdict = "Every file was read back from disk and decodes to the payload. "
        if not self.good:
            verdict = "Do not mill this yet. "
        return page(
            f"Export of {self.plan.design.name}", verdict + predicted.verdict, self.good,
            [self._design_section(), self._plan_section(), *self._file_sections()],
            pictures_of(predicted),
        )  # fmt: skip

    def save(self, path: Path) -> tuple[Path, Path]:
        """Write the report as HTML and as JSON beside it.

        Parameters
        ----------
        path : Path
            Of either; the suffix is replaced by ``.html`` and ``.json``.

        Returns
        -------
        tuple of Path
            Both files.

        Raises
        ------
        OSError
            Where they cannot be written.
        """
        html, values = path.with_suffix(".html"), path.with_suffix(".json")
        write_text(html, self.to_html())
        write_text(values, json.dumps(self.to_dict(), indent=1) + "\n")
        return html, values

    def _design_section(self) -> Section:
        design = self.plan.design
        symbol, (height, width) = design.symbol, design.size_nm
        rows, columns = symbol.matrix.shape
        return Section(
            "Design",
            [
                ("Payload", symbol.text if symbol.text is not None else symbol.payload.hex(" ")),
                ("Symbol", f"version {symbol.version}-{symbol.error}, mask {symbol.mask}, "
                 f"{rows} x {columns} modules, quiet zone {design.quiet_zone}"),
                ("Size", f"{width / 1000:.4g} x {height / 1000:.4g} µm "
                 f"({design.area_um2:.4g} µm²), pitch {design.pitch_nm:g} nm"),
                ("Film", f"{design.film}; {design.mill} modules are milled"),
            ],
        )  # fmt: skip

    def _plan_section(self) -> Section:
        plan = self.plan
        low, high = plan.depth_range_nm
        return Section(
            "Plan",
            [
                ("Beam", f"{plan.beam}, {format_current(plan.beam.current_pa)}"),
                ("Points", f"{plan.n_points:,}, {plan.point_pitch_nm:.4g} nm apart "
                 f"({plan.overlap_percent:.0f} % overlap), {plan.scan}"),
                ("Dwell and passes", f"{plan.dwell_us:.4g} µs x {plan.passes:,} passes"),
                ("Dose", f"{plan.ion_dose_nc_per_um2:.4g} nC/µm² planned, "
                 f"{plan.needed_dose_nc_per_um2:.4g} needed"
                 + ("; corrected point by point" if plan.relative_dose is not None else "")),
                ("Depth", f"{plan.depth_nm:.3g} nm ({low:.3g} to {high:.3g}), volume per dose "
                 f"{plan.volume_per_dose}"),
                ("Beam time", f"{plan.beam_on_time_s:.3g} s with the beam on"),
                ("Field", f"{plan.hfw_um:g} µm wide (HFW)"),
                ("Notes", "\n".join(plan.warnings) or "none"),
            ],
        )  # fmt: skip

    def _file_sections(self) -> list[Section]:
        sections = []
        for path, found, predicted in self.files:
            mean, most = predicted.edge_bias_nm
            error = found.dose_error_percent
            right = predicted.right
            sections.append(
                Section(
                    path.name,
                    [
                        ("Read back", "as planned" if found.matches else "\n".join(found.problems)),
                        ("Dose written", "not told by the file" if error is None
                         else f"{error:+.2f} % of the planned one"),
                        ("Place in the field", f"{found.offset_nm:.2g} nm off"),
                        ("Film", f"milled modules {predicted.milled_depth_nm:.3g} nm deep, kept "
                         f"ones have {predicted.kept_percent:.0f} % of their film or more"),
                        ("Edges", f"{mean:+.2f} nm on average, at most {most:.2f} nm off"),
                        ("Imaged with", str(predicted.sem)),
                        ("Predicted micrograph", "not read" if right is None
                         else f"read, {right.corrected_codewords} codewords corrected"),
                        ("Read probability", str(predicted.probability)),
                        ("SHA-256", file_hash(path)),
                    ],
                )
            )  # fmt: skip
        return sections


def export_report(
    plan: MillPlan,
    files: Sequence[tuple[Path, Verification]],
    sem: SemCondition | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportReport:
    """Read files back from disk, predict what each will do, and report.

    Parameters
    ----------
    plan : MillPlan
        From which they were written.
    files : sequence of (Path, Verification)
        Each file with what `write_pattern` returned.
    sem : SemCondition, optional
        How the mark will be imaged.
    progress, cancelled : callable, optional
        As for :func:`~napari_nanoqr.planning.prediction.predict`.

    Returns
    -------
    ExportReport
        See its ``save``.

    Raises
    ------
    ValueError
        Where there is no file, or one does not tell its design.
    OSError
        Where one cannot be read.
    """
    if not files:
        raise ValueError("There is no file to report on: name what is to be written.")
    return ExportReport(
        plan,
        tuple(
            (path, found, predict(read_pattern(path), sem, progress=progress, cancelled=cancelled))
            for path, found in files
        ),
    )


def pictures_of(predicted: Prediction) -> list[Picture]:
    """Draw the pictures of a report: design and film, micrograph and a cut."""
    design, film = predicted.design, predicted.film
    first = new_figure(9.4, 4.2)
    left, right = first.subplots(1, 2)
    draw_design(left, design)
    draw_depth(right, film)
    right.set(xlim=left.get_xlim(), ylim=left.get_ylim(), facecolor=FACE)
    second = new_figure(9.4, 4.2)
    left, right = second.subplots(1, 2, width_ratios=(1, 1.3))
    reading = predicted.right
    corners = None if reading is None else reading.corners_yx
    draw_micrograph(left, predicted.micrograph, corners)
    # through the row of modules nearest to the middle
    row = design.modules.shape[0] // 2
    at_nm = (row + 0.5) * design.pitch_nm - design.field_size_nm[0] / 2
    draw_section(right, film, at_nm, half_width_nm=6 * design.pitch_nm)
    return [
        Picture(png_of(first), "The design, and the film after milling"),
        Picture(png_of(second), "The predicted micrograph, and a cut through the film"),
    ]
