"""TESCAN: TIFF tag 50431, or a sidecar ``name-tif.hdr`` or ``name.hdr``."""

from __future__ import annotations

import struct

from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import in_si, number, pixel_size
from napari_nanoqr.sem.files.text import Sections, decode, parse_sections, plain_sections

_TAG = 50431
# Type of a chunk to the section that the sidecar has for it; type 1 is a thumbnail, 0 the end
_CHUNKS = {2: "MAIN", 3: "SEM", 5: "FIB"}


def chunks(data: bytes) -> Sections:
    """Read the sections out of tag 50431.

    Parameters
    ----------
    data : bytes
        Chunks of ``<u32 length><u16 type>`` and text; the length counts the type, but
        not itself.

    Raises
    ------
    ValueError
        If there is no chunk with text before the end or the damage.
    """
    sections: Sections = {}
    offset = 0
    while offset + 6 <= len(data):
        length, kind = struct.unpack_from("<IH", data, offset)
        if length < 2 or offset + 4 + length > len(data):
            break
        if kind in _CHUNKS:
            body = decode(data[offset + 6 : offset + 4 + length])
            lines = parse_sections(body)
            sections.setdefault(_CHUNKS[kind], {}).update(
                {key: value for entries in lines.values() for key, value in entries.items()}
            )
        offset += 4 + length
    if not any(sections.values()):
        raise ValueError("it has no chunk with text")
    return sections


def read(file: ImageFile) -> Acquisition | None:
    """Read the tag, else the sidecar; None where there is neither."""
    damage: ValueError | None = None
    if _TAG in file.tags:
        try:
            return _acquisition(chunks(file.tags[_TAG]), f"TESCAN tag {_TAG}", file)
        except ValueError as error:
            damage = error
    stem, ending = file.path.stem, file.path.suffix[1:].lower()
    short = {"tiff": "tif", "jpeg": "jpg"}.get(ending, ending)
    names = dict.fromkeys((f"{stem}-{ending}.hdr", f"{stem}-{short}.hdr", f"{stem}.hdr"))
    for name, text in file.sidecars(*names):
        sections = parse_sections(text)
        if "MAIN" in sections and "PixelSizeX" in sections["MAIN"]:
            return _acquisition(sections, f"TESCAN sidecar {name}", file)
    if damage is not None:
        raise damage
    return None


def _acquisition(sections: Sections, source: str, file: ImageFile) -> Acquisition:
    main = sections.get("MAIN", {})
    ion = "FIB" in sections and "SEM" not in sections
    beam = sections.get("FIB" if ion else "SEM", {})

    found = Acquisition(vendor="TESCAN", fields=plain_sections(sections))
    sizes = [in_si(main.get(f"PixelSize{axis}"), "m", "m") for axis in "YX"]
    nm = [None if size is None else size * 1e9 for size in sizes]
    found.pixel_size_nm = pixel_size(nm[0], nm[1])
    found.pixel_size_source = source if found.pixel_size_nm else None

    strip = number(main.get("ImageStripSize"))
    if strip and 0 < strip < file.height:
        found.databar_rows = int(strip)
    averaged = number(main.get("AccFrames"))
    correction = number(beam.get("TiltCorrection"))
    voltage = in_si(beam.get("HV") or beam.get("AcceleratorVoltage"), "V", "V")
    found.metadata |= {
        "beam": "ion" if ion else "electron",
        "tilt_deg": number(beam.get("StageTilt")),
        "tilt_correction_deg": correction or None,
        "tilt_correction": None if correction is None else correction != 0,
        "dwell_s": in_si(beam.get("DwellTime"), "s", "s"),
        "averaged": int(averaged) if averaged and averaged >= 1 else None,
        "beam_current_a": in_si(
            beam.get("PredictedBeamCurrent") or beam.get("BeamCurrent"), "A", "A"
        ),
        # with a voltage on the specimen, the energy that the beam lands at is not told
        "landing_energy_ev": None if number(beam.get("SampleVoltage")) else voltage,
        "detector": beam.get("Detector") or beam.get("Detector0"),
    }
    found.compare(
        "beam_current_a",
        "PredictedBeamCurrent",
        in_si(beam.get("BeamCurrent"), "A", "A"),
        "BeamCurrent",
        0.05,
    )
    return found
