"""Outlines of codes that were read, and of symbols that were not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from napari.layers import Shapes

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.reading.unread import Unread
from napari_nanoqr.widgets.layers import KEY
from napari_nanoqr.widgets.reading_words import LONGEST_LABEL, label_of
from napari_nanoqr.widgets.result_place import Place
from napari_nanoqr.widgets.shown import Shown

# from the palette of Okabe and Ito, which colour-blind people can tell apart
OUTLINE_COLOUR = "#f0e442"
UNREAD_COLOUR = "#e69f00"

_FEW_CODES = 3
_LONGEST_OF_MANY = 14


def make_outlines(colour: str) -> Callable[..., Shapes]:
    """Return what makes an empty layer of outlines of one colour."""

    def make(ndim: int, **options: Any) -> Shapes:
        return Shapes(
            ndim=ndim,
            face_color="transparent",
            edge_color=colour,
            opacity=1,
            text={"string": "{label}", "anchor": "upper_left", "color": colour, "size": 12},
            features={"label": np.array([], dtype=object)},
            **options,
        )

    return make


def fill_codes(layer: Shapes, place: Place, shown: Shown) -> None:
    """Outline the codes that were read, the payload on each."""
    longest = LONGEST_LABEL if len(shown.readings) <= _FEW_CODES else _LONGEST_OF_MANY
    _outline(layer, place, shown.readings, OUTLINE_COLOUR)
    layer.features = columns(
        {
            "label": label_of(reading, longest),
            "payload": reading.payload.hex() if reading.text is None else reading.text,
            "symbol": f"{reading.symbology} {reading.version}",
            "error": reading.error or "",
            "mask": -1 if reading.mask is None else reading.mask,
            "pitch_nm": _number(reading.pitch_nm),
            "rotation_deg": reading.rotation_deg,
            "mirrored": reading.mirrored,
            "inverted": reading.inverted,
            "corrected_codewords": _number(reading.corrected_codewords),
            "correctable_left": _number(reading.correctable_left),
            "raw_bit_error_rate": _number(reading.raw_bit_error_rate),
            "stop_dose_share": _number(None if reading.margin is None else reading.margin.share),
            "reader": reading.reader,
        }
        for reading in shown.readings
    )
    layer.metadata[KEY]["codes"] = [reading.to_dict() for reading in shown.readings]


def fill_unread(layer: Shapes, place: Place, shown: Shown) -> None:
    """Outline the symbols that were seen and not read."""
    _outline(layer, place, shown.unread, UNREAD_COLOUR)
    layer.features = columns(
        {
            "label": f"not read: {seen.name}",
            "failed_stage": seen.failed_stage,
            "expected_error_rate": seen.expected_error_rate,
            "dose_factor": _number(seen.dose_factor),
            "pitch_nm": _number(seen.pitch_nm),
            "advice": seen.advice,
        }
        for seen in shown.unread
    )
    layer.metadata[KEY]["unread"] = [seen.to_dict() for seen in shown.unread]


def _outline(layer: Shapes, place: Place, symbols: Sequence[Reading | Unread], colour: str) -> None:
    width = min(symbol.pitch_px for symbol in symbols) * place.world_per_pixel / 4
    # setting data fails where the viewer shows 3D, removing does not
    layer.selected_data = set(range(len(layer.data)))
    layer.remove_selected()
    layer.add_polygons(
        [place.world(symbol.corners_yx) for symbol in symbols],
        edge_width=width,
        edge_color=colour,
        face_color="transparent",
    )


def columns(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows of features as columns."""
    rows = list(rows)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
