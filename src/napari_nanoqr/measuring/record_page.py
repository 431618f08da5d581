"""The report of a micrograph as a page for the lab book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_nanoqr.html_page import Picture, Section, page
from napari_nanoqr.measuring.grade_result import GradeParameter
from napari_nanoqr.measuring.measurement import Measurement
from napari_nanoqr.measuring.record_figures import draw_edge, draw_values, draw_wrong
from napari_nanoqr.measuring.record_picture import micrograph_picture
from napari_nanoqr.measuring.rows import value_rows
from napari_nanoqr.planning.figures import new_figure, png_of
from napari_nanoqr.reading.advice import describe_unread, margin_in_words
from napari_nanoqr.reading.reading import Reading

if TYPE_CHECKING:
    from napari_nanoqr.measuring.record import Record

Rows = list[tuple[str, str]]

SIDE = 760
"""Longest side of the micrograph on the page, in pixels."""

MOST_DRAWN = 12
"""Codes of one image that get pictures of their own."""

_ACQUISITION = (
    ("Microscope", "vendor", "", 1.0), ("Detector", "detector", "", 1.0),
    ("Landing energy", "landing_energy_ev", "keV", 1e-3),
    ("Beam current", "beam_current_a", "pA", 1e12), ("Dwell time", "dwell_s", "µs", 1e6),
    ("Stage tilt", "tilt_deg", "°", 1.0),
)  # fmt: skip


def record_page(record: Record) -> str:
    """Return the report of a record as HTML that needs no other file.

    Parameters
    ----------
    record : Record
        What is reported.

    Returns
    -------
    str
        A whole document.
    """
    sections = [
        *(section for n, r in enumerate(record.readings, 1) for section in _code(record, r, n)),
        *_designs(record),
        *_unread(record),
        Section("Image", _image(record)),
        Section("Where this comes from", _provenance(record)),
    ]
    return page(record.name, record.verdict, record.good, sections, pictures_of(record))


def pictures_of(record: Record) -> list[Picture]:
    """Draw the pictures of a record: the image with its codes, and what was measured of each."""
    if record.micrograph is None:
        return []
    codes = "the codes outlined" if record.readings else "no code was read"
    pictures = [Picture(micrograph_picture(record, SIDE), f"The micrograph, {codes}")]
    for measured in record.measurements[:MOST_DRAWN]:
        figure = new_figure(9.4, 3.1)
        margin, values, edge = figure.subplots(1, 3)
        draw_wrong(margin, measured)
        draw_values(values, measured)
        draw_edge(edge, measured)
        pictures.append(
            Picture(png_of(figure), "Margin of the modules, their grey values, and the mean edge")
        )
    return pictures


def _code(record: Record, reading: Reading, number: int) -> list[Section]:
    title = "Code" if len(record.readings) == 1 else f"Code {number}"
    level = f"-{reading.error}" if reading.error else ""
    mask = "" if reading.mask is None else f", mask {reading.mask}"
    repaired = reading.corrected_codewords
    left = reading.correctable_left
    rate = reading.raw_bit_error_rate
    rows: Rows = [
        ("Payload", reading.text if reading.text is not None else reading.payload.hex(" ")),
        ("Bytes", f"{len(reading.payload):,}: {reading.payload[:64].hex(' ')}"
         + (" …" if len(reading.payload) > 64 else "")),
        ("Symbol", f"{reading.symbology} {reading.version}{level}{mask}"
         + "".join(f", {name}" for name in ("mirrored", "inverted") if getattr(reading, name))),
        ("Repaired codewords", "not known" if repaired is None else f"{repaired:,}"
         + ("" if left is None else f", {left} more could have been in the worst block")),
        ("Modules read wrong", "not known" if rate is None else f"{100 * rate:.2g} %"),
        ("Read by", f"{reading.reader}: {reading.preparation}"),
    ]  # fmt: skip
    if reading.margin is not None:
        rows.append(("Margin", margin_in_words(reading.margin)))
    sections = [Section(title, rows)]
    measured = record.measurement_of(reading)
    if measured is not None:
        sections.append(Section(f"{title}: measured", value_rows(measured)))
        sections += _grade(measured, title)
    return sections


def _grade(measured: Measurement, title: str) -> list[Section]:
    grade = measured.grade
    if grade is None:
        return []
    rows: Rows = [(parameter.name, _parameter(parameter)) for parameter in grade.parameters]
    return [Section(f"{title}: graded", rows)]


def _parameter(parameter: GradeParameter) -> str:
    """Say a parameter in a line: letter, value, limits."""
    words = [parameter.letter or "not graded"]
    if parameter.value is not None:
        words.append(f"{parameter.value:.4g} {parameter.unit}".strip())
    if parameter.nm is not None:
        words.append(f"{parameter.nm:.3g} nm")
    if parameter.limits is not None:
        limits = ", ".join(f"{limit:g}" for limit in parameter.limits.values)
        words.append(f"limits of A to D: {limits}")
    return " · ".join([*words, *([parameter.note] if parameter.note else [])])


def _designs(record: Record) -> list[Section]:
    if record.comparisons is None:
        return []
    found: Sequence[Any] = record.comparisons
    rows = [(c.name, str(c).removeprefix(f"{c.name}: ")) for c in found]
    return [Section("Against the design", rows or [("Design", "not found in this image")])]


def _unread(record: Record) -> list[Section]:
    rows = [(describe_unread(seen), seen.advice) for seen in record.readings.unread]
    return [Section("Seen and not read", rows)] if rows else []


def _image(record: Record) -> Rows:
    known = record.acquisition
    if known is None:
        return [("File", "could not be opened")]
    size = record.pixel_size_nm
    said = "not known"
    if isinstance(size, list):
        said = f"{size[1]:.5g} nm in x, {size[0]:.5g} nm in y, {record.pixel_size_source}"
    elif size is not None:
        said = f"{size:.5g} nm, {record.pixel_size_source}"
    *_, rows, columns = known["shape"]
    frames = f", {known['frames']} frames" if known["frames"] > 1 else ""
    facts: Rows = [
        ("Pixel size", said),
        ("Pixels", f"{columns:,} x {rows:,}{frames}, {known['dtype']}"),
    ]
    for name, key, unit, factor in _ACQUISITION:
        value = known[key]
        if value is not None:
            text = str(value) if isinstance(value, str) else f"{factor * value:.4g} {unit}"
            facts.append((name, text.strip()))
    facts += [("Contradiction", str(said)) for said in known["conflicts"].values()]
    facts += [("Note", str(note)) for note in known["notes"]]
    return facts


def _provenance(record: Record) -> Rows:
    settings = record.settings
    pitch = "unknown" if settings.pitch_nm is None else f"{settings.pitch_nm:g} nm"
    design = "none" if settings.design is None else settings.design.name
    rows: Rows = [
        ("File", record.name if record.path is None else str(record.path)),
        ("SHA-256", record.sha256 or "not known"),
        ("Taken", record.taken or "not known"),
        ("Read", f"{record.created} by {record.program}"),
        ("Told to the reader", f"pitch {pitch}, design {design}"),
    ]
    return rows
