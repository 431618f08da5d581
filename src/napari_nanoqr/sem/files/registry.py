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
    zeiss,
)
from napari_nanoqr.sem.files.facts import Acquisition, ImageFile

Reader = Callable[[ImageFile], Acquisition | None]

READERS: tuple[tuple[str, Reader], ...] = (
    # Tags that only the microscope writes: nothing else can be mistaken for them.
    ("Zeiss", zeiss.read),
    ("Thermo/FEI", thermo.read),
    ("TESCAN", tescan.read),
    ("Phenom", phenom.read),
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
        return found
    return damaged
