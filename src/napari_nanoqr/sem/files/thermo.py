"""Thermo Fisher, formerly FEI: TIFF tags 34680 and 34682 (sections), 34683 (XML)."""

from __future__ import annotations

import math

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_si, in_words, number, pixel_size, plain, tidy
from napari_nanoqr.sem.files.text import (
    Sections,
    decode,
    flatten_xml,
    local_name,
    parse_sections,
    parse_xml,
    plain_sections,
)

_SECTION_TAGS = (34682, 34680)
_XML_TAG = 34683
_YES = ("yes", "on", "true", "1")


def read(file: ImageFile) -> Acquisition | None:
    """Read what the microscope wrote, None where the file has none of its tags."""
    found: Acquisition | None = None
    damage: list[ValueError] = []
    readers = [(tag, _from_sections) for tag in _SECTION_TAGS] + [(_XML_TAG, _from_xml)]
    for tag, reader in readers:
        if tag not in file.tags:
            continue
        try:
            other = reader(decode(file.tags[tag]), tag, file)
        except ValueError as error:
            damage.append(error)
            continue
        if other is None:
            continue
        if found is None:
            found = other
        elif found.pixel_size_nm is None and other.pixel_size_nm is not None:
            found.pixel_size_nm = other.pixel_size_nm
            found.pixel_size_source = other.pixel_size_source
        elif other.pixel_size_nm is not None:
            found.cross_check(other.pixel_size_nm[1], f"tag {tag}")
    if found is None and damage:
        raise damage[0]
    return found


def _from_sections(text: str, tag: int, file: ImageFile) -> Acquisition:
    """Read the tags with sections. The column that took the image is named in ``[Beam]``."""
    sections = parse_sections(text)
    if not sections:
        raise ValueError("it holds no section")
    scan, stage = sections.get("Scan", {}), sections.get("Stage", {})
    column = _named(sections, "Beam", ("EBeam", "IBeam"))
    column_scan = _named(sections, "Scan", ("EScan", "IScan"))

    found = Acquisition(vendor="Thermo/FEI", fields=plain_sections(sections))
    found.pixel_size_nm = pixel_size(
        _nm(scan.get("PixelHeight") or column_scan.get("PixelHeight")),
        _nm(scan.get("PixelWidth") or column_scan.get("PixelWidth")),
    )
    found.pixel_size_source = f"Thermo/FEI tag {tag}" if found.pixel_size_nm else None
    image = sections.get("Image", {})
    _set_databar(found, image.get("ResolutionX"), image.get("ResolutionY"), file)
    found.cross_check(_nm(column_scan.get("PixelWidth")), "the section of the column")

    ion = sections.get("Beam", {}).get("Beam", "").upper().startswith("I")
    deceleration = sections.get("EBeamDeceleration", {})
    energy = number(column.get("HV") or sections.get("Beam", {}).get("HV"))
    if not ion and deceleration.get("ModeOn", "").lower() in _YES:
        energy = number(deceleration.get("LandingEnergy"))
    tilt = number(stage.get("StageT"))
    if tilt is None:
        tilt = number(column.get("StageTa"))
    frames = [number(part.get(key)) for part in (scan, image) for key in ("Integrate", "Average")]
    lines = number(column_scan.get("LineIntegration")) or 1
    found.metadata |= {
        "beam": "ion" if ion else "electron",
        "landing_energy_ev": energy,
        "beam_current_a": number(column.get("BeamCurrent")),
        "dwell_s": number(scan.get("Dwelltime") or column_scan.get("Dwell")),
        "averaged": int(max([1.0, *(count for count in frames if count)]) * max(lines, 1)),
        "detector": sections.get("Detectors", {}).get("Name"),
    }
    _compare_sections(found, sections, column, column_scan)
    _set_tilt(
        found,
        tilt,
        column.get("TiltCorrectionIsOn"),
        number(column.get("TiltCorrectionAngle")),
    )
    return found


def _compare_sections(
    found: Acquisition,
    sections: Sections,
    column: dict[str, str],
    column_scan: dict[str, str],
) -> None:
    """Hold against each other what stands in two sections."""
    scan, beam = sections.get("Scan", {}), sections.get("Beam", {})
    found.compare("dwell_s", "Scan.Dwelltime", number(column_scan.get("Dwell")), "the column")
    slowed = sections.get("EBeamDeceleration", {}).get("ModeOn", "").lower() in _YES
    if not slowed:
        found.compare("landing_energy_ev", "The column", number(beam.get("HV")), "Beam.HV")
    tilt, other = sections.get("Stage", {}).get("StageT"), number(column.get("StageTa"))
    if number(tilt) is not None and other is not None:
        found.metadata["tilt_deg"] = math.degrees(number(tilt) or 0.0)
        found.compare("tilt_deg", "Stage.StageT", math.degrees(other), "StageTa of the column", 0.1)
    frame, dwell = number(scan.get("FrameTime")), found.metadata.get("dwell_s")
    image = sections.get("Image", {})
    pixels = (number(image.get("ResolutionX")) or 0) * (number(image.get("ResolutionY")) or 0)
    if frame and dwell and frame < 0.98 * pixels * dwell:
        found.conflict(
            f"Scan.Dwelltime gives {in_words('dwell_s', dwell)} a pixel, but Scan.FrameTime no "
            f"more than {in_words('dwell_s', frame / pixels)}.",
            "dwell_s",
        )


def _from_xml(text: str, tag: int, file: ImageFile) -> Acquisition | None:
    """Read the XML of newer software; None where it is that of a Phenom or another root."""
    root = parse_xml(text)
    if local_name(root) != "Metadata":
        return None
    leaves = flatten_xml(root)
    found = Acquisition(
        vendor="Thermo/FEI", fields={key: plain(value) for key, value in leaves.items()}
    )
    found.pixel_size_nm = pixel_size(
        _nm(leaves.get("BinaryResult.PixelSize.Y")), _nm(leaves.get("BinaryResult.PixelSize.X"))
    )
    found.pixel_size_source = f"Thermo/FEI tag {tag}" if found.pixel_size_nm else None
    _set_databar(
        found,
        leaves.get("BinaryResult.ImageSize.X"),
        leaves.get("BinaryResult.ImageSize.Y"),
        file,
    )
    column = leaves.get("Acquisition.BeamType", "").lower()
    ion = column.startswith("ion")
    slowed = number(leaves.get("Optics.DecelerationVoltage"))
    position = "StageSettings.StagePosition."
    lines = number(leaves.get("ScanSettings.LineIntegrationCount")) or 1
    frames = number(leaves.get("BinaryResult.FilterFrameCount")) or 1
    found.metadata |= {
        "beam": "ion" if ion else "electron" if column.startswith("electron") else None,
        # with the beam slowed down, the tag does not tell at which energy it lands
        "landing_energy_ev": None if slowed else number(leaves.get("Optics.AccelerationVoltage")),
        "beam_current_a": number(leaves.get("Optics.BeamCurrent")),
        "dwell_s": number(leaves.get("ScanSettings.DwellTime")),
        "averaged": int(max(lines, 1) * max(frames, 1)),
        "detector": leaves.get("Detectors.ScanningDetector.DetectorName"),
    }
    _set_tilt(
        found,
        number(leaves.get(position + "Tilt.Alpha") or leaves.get(position + "Alpha")),
        leaves.get("Optics.SampleTiltCorrectionOn"),
        None,
    )
    return found


def _named(sections: Sections, key: str, usual: tuple[str, ...]) -> dict[str, str]:
    """Return the section that ``[Beam]`` names under ``key``, else the only one of the usual.

    Where none is named, and there are sections of two columns, either may be the wrong one.
    """
    name = sections.get("Beam", {}).get(key, "")
    if name:
        return sections.get(name, {})
    there = [sections[candidate] for candidate in usual if candidate in sections]
    return there[0] if len(there) == 1 else {}


def _nm(text: str | None) -> float | None:
    metres = in_si(text, "m", "m")
    return None if metres is None else metres * 1e9


def _set_databar(
    found: Acquisition, scan_width: str | None, scan_height: str | None, file: ImageFile
) -> None:
    """Take for the data bar the rows that the file has more than the scan.

    ``DatabarHeight`` is 0 in real files that have one.
    """
    columns, rows = number(scan_width), number(scan_height)
    if columns and int(columns) != file.width:
        found.conflict(
            f"The microscope scanned {int(columns)} columns and the file has {file.width}: "
            "it was cropped or resampled afterwards."
        )
    elif rows and 0 < rows < file.height:
        found.databar_rows = file.height - int(rows)


def _set_tilt(
    found: Acquisition, radians: float | None, correction: str | None, angle: float | None
) -> None:
    if radians is not None:
        found.metadata["tilt_deg"] = tidy(math.degrees(radians))
    if correction is None:
        return
    corrected = correction.lower() in _YES
    found.metadata["tilt_correction"] = corrected
    if corrected and angle is not None:
        found.metadata["tilt_correction_deg"] = tidy(math.degrees(angle))
    if corrected and (radians or angle):
        found.notes.append(
            "The scan was corrected for tilt, and microscopes disagree about what that does to "
            "the pixel height: compare a known length before measuring along y."
        )
