"""The sheets of an archive as it was written: what its pattern files say, and some damage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.fields import read_field
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.simulation.sheet import FieldPlace, Sheet
from napari_nanoqr.archive.tile_kind import step


def sheets_of(manifest: ArchiveManifest, **damage: Any) -> list[Sheet]:
    """Return the sheets of an archive with some damage.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the folder where it was written.
    **damage
        See `napari_nanoqr.archive.simulation.sheet.Sheet`; each sheet has its own.

    Returns
    -------
    list of Sheet
        What lies on them comes from the pattern files, each read when it is needed.

    Raises
    ------
    ValueError
        Where the damage cannot be.
    """
    plan = manifest.plan
    side = plan.settings.field_modules
    pitch = plan.settings.pitch_nm

    def read(place: FieldPlace) -> NDArray[np.uint8]:
        levels, _ = read_field(
            manifest.field_path(place.sheet, place.number),
            doses=manifest.doses, pitch_nm=pitch, shape=(side, side),
        )  # fmt: skip
        return levels

    sheets = []
    for sheet in range(plan.sheets):
        fields = [plan.field(sheet, number) for number in range(plan.fields(sheet))]
        places = [
            FieldPlace(
                sheet, each.number, each.top_nm, each.left_nm, side, side, step(plan.settings.tile)
            )
            for each in fields
        ]
        seed = int(damage.get("seed", 0)) + 1000 * sheet
        sheets.append(Sheet(places, read, pitch, **(damage | {"seed": seed})))
    return sheets
