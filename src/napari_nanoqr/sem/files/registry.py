"""The vendors' readers, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable

from napari_nanoqr.sem.files import (
    hitachi,
    imagej,
    jeol,
    ome,
    openfibsem,
    phenom,
    tescan,
    thermo,
    velox,
    zeiss,
)
from napari_nanoqr.sem.files.facts import Acquisition, ImageFile
from napari_nanoqr.sem.files.quantities import plausible

_CHECKED = {
    "dwell_s": "dwell time",
    "beam_current_a": "beam current",
    "landing_energy_ev": "landing energy",
    "tilt_deg": "tilt",
    "tilt_correction_deg": "angle of tilt correction",
    "averaged": "number of averaged scans",
}
# Taller data bars than this share of the image exist in no real file
_LARGEST_DATABAR = 0.5

Reader = Callable[[ImageFile], Acquisition | None]

READERS: tuple[tuple[str, Reader], ...] = (
    # Tags that only the microscope writes: nothing else can be mistaken for them.
    ("Zeiss", zeiss.read),
    ("Thermo/FEI", thermo.read),
    ("TESCAN", tescan.read),
    ("Phenom", phenom.read),
    ("Velox", velox.read),
    # Descriptions that a program wrote on purpose to tell the pixel size.
    ("OpenFIBSEM", openfibsem.read),
    ("OME", ome.read),
    # A text file of the same name may have been left behind by another image, so the
    # file's own word goes first.
    ("Hitachi", hitachi.read),
    ("JEOL", jeol.read),
    # The resolution of any TIFF that went through ImageJ; last, since it is taken over from
    # wherever ImageJ found it.
    ("ImageJ", imagej.read),
)


def acquisition_of(file: ImageFile) -> Acquisition | None:
    """Ask the readers in turn for what the file tells of its acquisition.

    A damaged tag costs the pixel size, never the image: it becomes a note, and the
    readers after it are still asked.

    Returns
    -------
    Acquisition or None
        None where no reader knows the file.
    """
    damaged: Acquisition | None = None
    for name, reader in READERS:
        try:
            found = reader(file)
        except Exception as error:
            # whatever bytes a disk or a transfer left there
            note = f"The {name} data in this file are damaged and were left out: {error}."
            damaged = damaged or Acquisition(vendor=None if name in ("OME", "ImageJ") else name)
            damaged.notes.append(note)
            continue
        if found is None:
            continue
        if damaged is not None:
            found.notes[:0] = damaged.notes
        if not found.stored:
            _drop_what_cannot_be_true(found, file)
        return found
    return damaged


def _drop_what_cannot_be_true(found: Acquisition, file: ImageFile) -> None:
    """Leave out values of the acquisition that no microscope has: unknown rather than wrong."""
    metadata = found.metadata
    for key, name in _CHECKED.items():
        value = metadata.get(key)
        if value is None or plausible(value, key):
            continue
        del metadata[key]
        if value:
            found.notes.append(f"The file tells a {name} that cannot be true ({value}).")
    detector = metadata.get("detector")
    metadata["detector"] = detector.strip() or None if isinstance(detector, str) else None
    if found.databar_rows > _LARGEST_DATABAR * file.height:
        found.notes.append(
            f"The file tells a data bar of {found.databar_rows} rows, which would leave less than "
            "half of the image: nothing was cut off."
        )
        found.databar_rows = 0
