"""What a verdict is made of: each figure of a written code against its limits, in a sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.measuring.grade_result import Grade
from napari_nanoqr.measuring.verdict import Finding, VerifyLimits
from napari_nanoqr.reading.comparison import Comparison, DamagedArea
from napari_nanoqr.reading.reading import Margin

_MOST_AREAS = 3
"""Damaged areas that are told one by one."""


_CLEAR = 3.0
"""Evidence (natural logarithm) of the median module from which on an image is a clear one."""

_NOTHING = 0.1
"""Share of the median evidence below which a module of a clear image tells nothing, or lies."""

_LEAST = 4
"""So many modules side by side do not tell nothing by accident."""


def damaged_areas(comparison: Comparison) -> tuple[DamagedArea, ...]:
    """Return where modules differ or tell nothing, and noise is not the reason.

    Parameters
    ----------
    comparison : Comparison
        Its own areas are those whose modules look like the other kind. Added are areas of a
        clear image that look like neither, e.g. under a particle.

    Returns
    -------
    tuple of DamagedArea
        The largest first.
    """
    from scipy.ndimage import find_objects, label

    evidence, known = comparison.evidence, comparison.damage
    usual = float(np.median(evidence))
    if usual < _CLEAR:
        return known
    labels, _ = label(evidence < _NOTHING * usual, structure=np.ones((3, 3)))
    areas, lost = list(known), []
    for number, box in enumerate(find_objects(labels), start=1):
        here = labels[box] == number
        (top, bottom), (left, right) = ((s.start, s.stop) for s in box)
        area = DamagedArea(top, left, bottom - top, right - left, int(here.sum()), 0)
        inside = [other for other in known if _meet(area, other)]
        if area.modules >= _LEAST and area.modules > sum(other.modules for other in inside):
            areas = [other for other in areas if other not in inside]
            gone = sum(other.covered for other in inside)
            lost.append(replace(area, covered=gone))
    return tuple(sorted((*areas, *lost), key=lambda area: -area.modules))


def _meet(one: DamagedArea, other: DamagedArea) -> bool:
    """Return whether two boxes overlap."""
    return (
        one.row < other.row + other.rows
        and other.row < one.row + one.rows
        and one.column < other.column + other.columns
        and other.column < one.column + one.columns
    )


def findings_of(
    comparison: Comparison,
    grade: Grade,
    margin: Margin | None,
    design: Design,
    limits: VerifyLimits,
) -> tuple[Finding, ...]:
    """Hold everything that is known of a place against the limits.

    Parameters
    ----------
    comparison : Comparison
        With the design.
    grade : Grade
        Of the symbol.
    margin : Margin or None
        None where the code cannot be read.
    design : Design
        What was to be written.
    limits : VerifyLimits
        What is good enough.

    Returns
    -------
    tuple of Finding
        Payload, raw bit-error rate, damage, margin where it can be read, grade, pitch where it
        is known, and edges where there are any.
    """
    found = [
        _payload(comparison),
        _bit_errors(comparison, limits),
        _damage(comparison, design, limits),
    ]
    if margin is not None:
        found.append(_dose(margin, limits))
    found.append(
        Finding("grade", "pass" if grade.overall >= limits.grade else "marginal",
                grade.overall, str(grade))
    )  # fmt: skip
    if comparison.pitch_nm is not None:
        found.append(_pitch(comparison.pitch_nm, design, limits))
    edge = _edge(grade, comparison, design, limits)
    return (*found, edge) if edge is not None else tuple(found)


def _payload(comparison: Comparison) -> Finding:
    if comparison.readable:
        return Finding("payload", "pass", 1.0, "The payload is read back exactly.")
    lost = f"{len(comparison.failed_blocks)} of {comparison.blocks} blocks are lost"
    sentence = f"The payload cannot be read back: {lost}."
    return Finding("payload", "fail", 0.0, sentence + _only_noise(comparison))


def _only_noise(comparison: Comparison) -> str:
    """Say what to do where nothing is damaged."""
    if comparison.damage:
        return ""
    return " There is no damage that noise would not explain: take an image with more electrons."


def _bit_errors(comparison: Comparison, limits: VerifyLimits) -> Finding:
    count, of = int(comparison.different.sum()), comparison.different.size
    rate = comparison.raw_bit_error_rate
    sentence = f"{count} of {of} modules look other than designed: {100 * rate:.2g} %."
    finding = Finding.of("raw bit-error rate", rate, limits.bit_error_rate, sentence)
    if finding.outcome == "pass":
        return finding
    return replace(finding, sentence=sentence + _only_noise(comparison))


def _damage(comparison: Comparison, design: Design, limits: VerifyLimits) -> Finding:
    areas = damaged_areas(comparison)
    share = sum(area.modules for area in areas) / comparison.written.size
    if not areas:
        return Finding("damage", "pass", 0.0, "No damage that noise would not explain.")
    pitch = design.pitch_nm if comparison.pitch_nm is None else comparison.pitch_nm
    told = [
        f"{area.columns * pitch:.0f} nm x {area.rows * pitch:.0f} nm, {area.column * pitch:.0f} nm "
        f"right and {area.row * pitch:.0f} nm down of the top left corner"
        for area in areas[:_MOST_AREAS]
    ]
    rest = f"; and {len(areas) - _MOST_AREAS} more" if len(areas) > _MOST_AREAS else ""
    sentence = f"Damage of {100 * share:.2g} % of the modules: {'; '.join(told)}{rest}."
    return Finding.of("damage", share, limits.damaged, sentence)


def _dose(margin: Margin, limits: VerifyLimits) -> Finding:
    blocks = ""
    if len(margin.shares) > 1:
        blocks = f" (by block: {', '.join(f'{100 * share:.0f} %' for share in margin.shares)})"
    sentence = f"Reading needs {100 * margin.share:.0f} % of this image's electrons{blocks}."
    return Finding.of("margin", margin.share, limits.dose_share, sentence)


def _pitch(measured: float, design: Design, limits: VerifyLimits) -> Finding:
    off = measured / design.pitch_nm - 1
    sentence = (
        f"The pitch is {measured:.2f} nm; {design.pitch_nm:g} nm was designed ({100 * off:+.1f} %)."
    )
    return Finding.of("pitch", abs(off), limits.pitch, sentence)


def _edge(
    grade: Grade, comparison: Comparison, design: Design, limits: VerifyLimits
) -> Finding | None:
    """Judge how much too large the milled areas are, by the print growth."""
    grown = [grade[f"print growth {axis}"].value for axis in "xy"]
    if None in grown:
        return None
    # a grown element has two edges; growth counts dark modules, the beam may have made the others
    share = float(np.mean([value for value in grown if value is not None])) / 100 / 2
    share = share if design.mill == "dark" else -share
    pitch = design.pitch_nm if comparison.pitch_nm is None else comparison.pitch_nm
    sentence = (
        f"Milled areas reach {abs(share) * pitch:.1f} nm "
        f"{'beyond' if share > 0 else 'short of'} their edges, {100 * abs(share):.0f} % of a "
        "module."
    )
    return Finding.of("edges", abs(share), limits.edge, sentence)
