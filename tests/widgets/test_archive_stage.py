"""The map of the tiles lies where the stage saw them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from napari_nanoqr.widgets.archive_read_stage import affine_of

SIDE_NM, SIZE_NM = 25_088.0, 12.0


def seen(turn_deg: float, offset_um: tuple[float, float]) -> tuple[list[Any], Any, Any, Any]:
    """Nine tiles of a sheet that is turned and lies elsewhere, each in an image of its own."""
    turn = math.radians(turn_deg)
    matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    sightings, origins, corners = [], {}, {}
    for tile, (row, column) in enumerate(np.ndindex(3, 3)):
        place = np.array((row, column)) * SIDE_NM
        stage = matrix @ place + np.array(offset_um) * 1000
        origin = stage - (300.0, 200.0)
        origins[f"{tile}.tif"] = (tuple(origin), SIZE_NM)
        corners[0, tile] = tuple(place)
        pixels = tuple((stage - origin) / SIZE_NM)
        sightings.append(
            {"sheet": 0, "tile": tile, "image": f"{tile}.tif", "corners": [pixels] * 4}
        )
    return sightings, origins, corners, matrix


def test_the_place_and_the_turn_of_the_sheet_are_found() -> None:
    sightings, origins, corners, matrix = seen(31.0, (1200.0, -85.0))
    # one tile took another's header
    corners[0, 4] = (9 * SIDE_NM, 0.0)
    affine = affine_of(sightings, origins, corners)
    assert affine is not None
    np.testing.assert_allclose(affine[:2, :2], matrix, atol=1e-6)
    np.testing.assert_allclose(affine[:2, 2], (1200.0, -85.0), atol=1e-3)


@pytest.mark.parametrize("tiles", [[], [0], [0, 1], [0, 1, 2]])
def test_too_few_tiles_or_a_single_row_tell_nothing(tiles: list[int]) -> None:
    sightings, origins, corners, _ = seen(0.0, (0.0, 0.0))
    few = [sightings[tile] for tile in tiles]
    assert affine_of(few, origins, corners) is None
    assert affine_of(sightings, {}, corners) is None
