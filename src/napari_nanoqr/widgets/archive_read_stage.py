"""Where a sheet lies under the stage: from tiles that were read in images with stage positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_nanoqr.archive.archive_reading import ArchiveReading

Origins = Mapping[str, tuple[tuple[float, float], float]]
"""Of images by name: y and x of the centre of the first pixel by the stage, and the pixel size; all
in nm."""

LEAST_TILES = 3
"""That tell how a sheet lies."""

LEAST_AREA = 100.0
"""Of the parallelogram between them, um^2: where it is smaller they stand in a row."""

AGREED_UM = 5.0
"""A tile that the stage saw within this distance agrees: the stage errs, tiles are larger."""

TRIALS = 200


def stage_affines(
    paths: Iterable[Path], folder: Path, reading: ArchiveReading
) -> dict[int, NDArray[np.float64]]:
    """Return the way from the sheets to the stage, of those sheets for which it is known.

    Parameters
    ----------
    paths : iterable of Path
        Mosaics and folders of images; what tells no stage position is passed over.
    folder : Path
        Of the files, with the records of the reading in it.
    reading : ArchiveReading
        What was read.

    Returns
    -------
    dict of (3, 3) array
        By sheet; from y, x, 1 on the sheet to those of the stage, in um.
    """
    from napari_nanoqr.archive.state import ReadingState
    from napari_nanoqr.archive.unpack import RECORDS
    from napari_nanoqr.widgets.mosaic import get_mosaic_reader

    origins: dict[str, tuple[tuple[float, float], float]] = {}
    for path in paths:
        if get_mosaic_reader(path) is not None:
            origins |= _origins_in(path)
    if not origins or not reading.archive:
        return {}
    with ReadingState(folder / RECORDS) as state:
        seen = state.sightings(bytes.fromhex(reading.archive))
    corners = {(each.sheet, each.tile): (each.top_nm, each.left_nm) for each in reading.tiles}
    found = {}
    for sheet in {each.sheet for each in reading.tiles}:
        fitted = affine_of([each for each in seen if each["sheet"] == sheet], origins, corners)
        if fitted is not None:
            found[sheet] = fitted
    return found


def affine_of(
    sightings: Sequence[Mapping[str, Any]],
    origins: Origins,
    corners: Mapping[tuple[int, int], tuple[float, float]],
) -> NDArray[np.float64] | None:
    """Fit the way from a sheet to the stage.

    Parameters
    ----------
    sightings : sequence of mapping
        See `ReadingState.sightings`; of one sheet.
    origins : mapping
        Of the images.
    corners : mapping
        Top and left in nm of tiles on their sheet, by sheet and tile.

    Returns
    -------
    (3, 3) array or None
        As in `stage_affines`; None where too few tiles were seen, or all of them in one row.
    """
    here, there = [], []
    for each in sightings:
        origin, place = origins.get(each["image"]), corners.get((each["sheet"], each["tile"]))
        if origin is not None and place is not None and each["corners"]:
            corner, size = origin
            here.append([place[0] / 1000, place[1] / 1000, 1.0])
            there.append((np.array(corner) + np.array(each["corners"][0]) * size) / 1000)
    sheet, stage = np.array(here).reshape(-1, 3), np.array(there).reshape(-1, 2)
    # a tile that took another's header lies anywhere: what most tiles agree on counts
    kept = np.zeros(len(sheet), bool)
    random = np.random.default_rng(0)
    for _ in range(TRIALS if len(sheet) >= LEAST_TILES else 0):
        few = random.choice(len(sheet), LEAST_TILES, replace=False)
        if abs(np.linalg.det(sheet[few])) < LEAST_AREA:
            continue
        away = np.linalg.norm(sheet @ np.linalg.solve(sheet[few], stage[few]) - stage, axis=1)
        if np.count_nonzero(away < AGREED_UM) > np.count_nonzero(kept):
            kept = away < AGREED_UM
    if np.count_nonzero(kept) < LEAST_TILES:
        return None
    matrix, *_ = np.linalg.lstsq(sheet[kept], stage[kept], rcond=None)
    affine = np.eye(3)
    affine[:2] = matrix.T
    return affine


def _origins_in(path: Path) -> dict[str, tuple[tuple[float, float], float]]:
    from napari_nanoqr.archive.sources import image_sources
    from napari_nanoqr.widgets.mosaic_pieces import file_pieces, stored_pieces

    if (path / "zarr.json").is_file():
        return {
            f"{path.name}/{each.field.name}": (each.corner_nm, each.pixel_size_nm)
            for each in stored_pieces(path)
        }
    files = [source.path for source in image_sources([path]) if source.field is None]
    return {each.title: (each.corner_nm, each.pixel_size_nm) for each in file_pieces(files)}
