"""The modules of a field of an archive, written or only planned, as a layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.sheet import PlacedField, SheetPlan
from napari_nanoqr.widgets.archive_layers import AXES, UNITS
from napari_nanoqr.widgets.export_layers import LayerData

if TYPE_CHECKING:
    from napari_nanoqr.archive.manifest import ArchiveManifest


def field_layer(
    levels: NDArray[np.uint8], field: PlacedField, pitch_nm: float, bits: int, name: str
) -> LayerData:
    """Return the modules of a field at their place as a layer: intact film is bright."""
    pitch = pitch_nm / 1000
    options = {
        "name": f"{name} · field {field.number + 1}", "colormap": "gray_r",
        "contrast_limits": (0, 2**bits - 1), "scale": (pitch, pitch),
        "translate": (field.top_nm / 1000 + pitch / 2, field.left_nm / 1000 + pitch / 2),
        "units": UNITS, "axis_labels": AXES,
    }  # fmt: skip
    return levels, options, "image"


def written_levels(manifest: ArchiveManifest, sheet: int, number: int) -> NDArray[np.uint8]:
    """Read the modules of a field from its pattern file."""
    from napari_nanoqr.archive.fields import read_field

    settings = manifest.plan.settings
    side = settings.field_modules
    levels, _ = read_field(
        manifest.field_path(sheet, number), doses=manifest.doses, pitch_nm=settings.pitch_nm,
        shape=(side, side),
    )  # fmt: skip
    return levels


def planned_levels(
    plan: SheetPlan, stream_bytes: int, sheet: int, number: int
) -> NDArray[np.uint8]:
    """Draw the modules of a field of an archive that is only planned, with bytes drawn at random.

    Title, control pages and description are those that will be written.
    """
    from napari_nanoqr.archive.events import agent, now
    from napari_nanoqr.archive.index import IndexedArchive
    from napari_nanoqr.archive.stream import StreamFacts

    size = plan.settings.tile_bytes
    text = plan.settings.tile.description().encode("utf-8")
    told = tuple(text[start : start + size] for start in range(0, len(text), size))
    facts = StreamFacts(".tar", stream_bytes, "00" * 32, "00" * 64, stream_bytes)
    index = IndexedArchive("00" * 8, "example", now(), agent(), facts, plan)
    return _example_drawer()(index, Path(), Path(), told).field_levels(sheet, number)


def _example_drawer() -> Any:
    from napari_nanoqr.archive.drawing import Drawer
    from napari_nanoqr.archive.header import Role

    class Example(Drawer):
        """Draws tiles of a stream that there is not."""

        def _member(self, group: int, member: int) -> tuple[bytes, dict[str, Any]]:
            plan = self.index.plan
            data = plan.groups.data_count(group)
            own = {
                "group": group, "groups": plan.groups.groups, "member": member,
                "data_count": data, "parity_count": plan.groups.parity,
                "role": Role.DATA if member < data else Role.PARITY,
            }  # fmt: skip
            generator = np.random.default_rng((group, member))
            return generator.bytes(plan.settings.tile_bytes), own

    return Example
