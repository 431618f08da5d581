"""What each layer of a reading shows, and how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Layer, Points
from napari.utils.colormaps import Colormap

from napari_nanoqr.widgets.layers import KEY
from napari_nanoqr.widgets.module_raster import Raster, in_image, module_map
from napari_nanoqr.widgets.reading_outlines import (
    OUTLINE_COLOUR,
    UNREAD_COLOUR,
    columns,
    fill_codes,
    fill_unread,
    make_outlines,
)
from napari_nanoqr.widgets.result_place import Place
from napari_nanoqr.widgets.shown import Shown

# from the palette of Okabe and Ito, which colour-blind people can tell apart
REPAIRED_COLOUR = "#d55e00"
# an image with a colour for each value: label colours are compiled on first use, for seconds
MODULE_COLOURS = Colormap(
    [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0.447, 0.698, 1]],
    name="nanoqr modules",
    controls=[0, 1 / 3, 2 / 3, 1],
    interpolation="zero",
)

# what is sure does not cover the image; doubt is what one looks for
DOUBT_COLOURS = Colormap(
    [[0.8, 0.475, 0.655, 1], [0.8, 0.475, 0.655, 0]], name="nanoqr doubt", nan_color=[0, 0, 0, 0]
)

DIFFERENCE_COLOURS = Colormap(
    [[0.835, 0.369, 0, 1], [0.835, 0.369, 0, 0.7], [0.835, 0.369, 0, 0]],
    name="nanoqr differences",
    controls=[0, 0.5, 1],
    nan_color=[0, 0, 0, 0],
)


@dataclass(frozen=True)
class Part:
    """One layer of a reading.

    Parameters
    ----------
    name : str
        What comes after the image's name.
    wanted : callable
        Whether there is anything to show.
    make : callable
        Makes the layer, empty, with a name and units.
    fill : callable
        Brings it up to date.
    """

    name: str
    wanted: Callable[[Shown], bool]
    make: Callable[..., Layer]
    fill: Callable[[Any, Place, Shown], None]


# -- modules and how sure they are --------------------------------------------------------------


def _make_modules(ndim: int, **options: Any) -> Image:
    return Image(
        np.zeros((1,) * ndim, np.uint8),
        colormap=MODULE_COLOURS,
        contrast_limits=(0, 2),
        opacity=0.4,
        **options,
    )


def _fill_modules(layer: Image, place: Place, shown: Shown) -> None:
    _fill_raster(layer, place, shown.modules)
    layer.metadata[KEY]["modules"] = [
        None if reading.matrix is None else reading.matrix.astype(int).tolist()
        for reading in shown.readings
    ]


def _make_confidence(ndim: int, **options: Any) -> Image:
    return Image(
        np.zeros((1,) * ndim, np.float32),
        colormap=DOUBT_COLOURS,
        contrast_limits=(0.5, 1),
        **options,
    )


def _fill_confidence(layer: Image, place: Place, shown: Shown) -> None:
    _fill_raster(layer, place, shown.confidence)
    layer.contrast_limits = (0.5, 1)


def _make_differences(ndim: int, **options: Any) -> Image:
    return Image(
        np.zeros((1,) * ndim, np.float32),
        colormap=DIFFERENCE_COLOURS,
        contrast_limits=(0, 1),
        **options,
    )


def _fill_differences(layer: Image, place: Place, shown: Shown) -> None:
    _fill_raster(layer, place, shown.differences)
    layer.contrast_limits = (0, 1)
    layer.metadata[KEY]["comparisons"] = [found.to_dict() for found in shown.comparisons]


def _fill_raster(layer: Image, place: Place, raster: Raster) -> None:
    values, step, corner = raster
    shape = np.ones(place.ndim, dtype=int)
    shape[list(place.axes)] = values.shape
    flipped = place.axes[0] > place.axes[1]
    layer.data = (values.T if flipped else values).reshape(shape)
    layer.affine = place.affine(step, corner)


# -- repaired modules ---------------------------------------------------------------------------


def _make_repaired(ndim: int, **options: Any) -> Points:
    return Points(
        ndim=ndim,
        face_color="transparent",
        border_color=REPAIRED_COLOUR,
        border_width=0.2,
        **options,
    )


def _fill_repaired(layer: Points, place: Place, shown: Shown) -> None:
    places, sizes, rows = [], [], []
    for number, reading in enumerate(shown.readings, start=1):
        if reading.matrix is None or reading.wrong is None:
            continue
        cells = np.argwhere(reading.wrong)
        there = module_map(reading.corners_yx, reading.wrong.shape)
        places.append(in_image(there, cells + 0.5).reshape(-1, 2))
        sizes += [reading.pitch_px * place.world_per_pixel] * len(cells)
        rows += [
            {
                "code": number,
                "row": int(row),
                "column": int(column),
                "read_as": "dark" if reading.matrix[row, column] else "light",
            }
            for row, column in cells
        ]
    layer.selected_data = set()
    yx = np.concatenate(places) if places else np.zeros((0, 2))
    layer.data = place.world(yx) if len(yx) else np.zeros((0, place.ndim))
    if len(yx):
        layer.size = np.array(sizes)
        layer.face_color, layer.border_color = "transparent", REPAIRED_COLOUR
        layer.features = columns(rows)


PARTS = (
    Part("modules", lambda shown: bool(shown.readings), _make_modules, _fill_modules),
    Part("confidence", lambda shown: shown.confidence[0].size > 1, _make_confidence,
         _fill_confidence),
    Part("differences", lambda shown: bool(shown.comparisons), _make_differences,
         _fill_differences),
    Part("repaired", lambda shown: bool(shown.readings), _make_repaired, _fill_repaired),
    Part("unread", lambda shown: bool(shown.unread), make_outlines(UNREAD_COLOUR), fill_unread),
    Part("codes", lambda shown: bool(shown.readings), make_outlines(OUTLINE_COLOUR), fill_codes),
)  # fmt: skip
"""From the lowest layer to the one on top."""
