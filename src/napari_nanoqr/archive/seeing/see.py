"""From a micrograph to the tiles in it, with soft bits of all their modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import TileHeader
from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.seeing.equalise import filtered, self_taught
from napari_nanoqr.archive.seeing.find import Place, find_tiles, turn_back
from napari_nanoqr.archive.seeing.find_nodes import find_by_nodes
from napari_nanoqr.archive.seeing.lattice import Lattice, find_lattices
from napari_nanoqr.archive.seeing.levelled import levelled
from napari_nanoqr.archive.seeing.mesh import Mesh, mesh_of
from napari_nanoqr.archive.seeing.phases import block_phases
from napari_nanoqr.archive.seeing.sample import sampled
from napari_nanoqr.archive.seeing.seen import SeenTile
from napari_nanoqr.archive.seeing.smooth import eight_bits, smooth_pixels
from napari_nanoqr.archive.seeing.soften import Softened, softened
from napari_nanoqr.archive.seeing.track import Followed, followed, tile_mesh
from napari_nanoqr.archive.seeing.unwrap import unwrapped

FINE = 3.0
"""An image is binned as far as it leaves so many pixels a module along each axis."""

TEACHING = 6
"""Rounds in which an image teaches its equaliser."""


@dataclass(frozen=True, eq=False)
class SeenModules:
    """All modules of a lattice, whatever is drawn with them.

    Attributes
    ----------
    levels : (rows, columns) float32 array
        Values of the modules, the darker the more negative, 0 where the image does not show them.
    clear : (rows, columns) float32 array
        The same without most of what modules lend their neighbours.
    mesh : Mesh
        Where they are in the pixels that were looked at.
    factors : (int, int)
        Pixels of the micrograph in one of these, along y and x.
    smooth : (y, x) uint16 array
        What was sampled.
    values : (rows, columns) float32 array
        What was found there, not a number where the image does not show a module.
    taps : (5, 5) float32 array
        What made levels clear, see :mod:`napari_nanoqr.archive.seeing.equalise`.
    """

    levels: NDArray[np.float32]
    clear: NDArray[np.float32]
    mesh: Mesh
    factors: tuple[int, int]
    smooth: NDArray[np.uint16]
    values: NDArray[np.float32]
    taps: NDArray[np.float32]

    def at(self, modules: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where places of modules, row and column, are in pixels of the micrograph."""
        scale = np.array(self.factors, float)
        placed: NDArray[np.float64] = self.mesh.at(modules) * scale + (scale - 1) / 2
        return placed


def see_tiles(
    image: NDArray[np.number],
    pixel_size_nm: float | None = None,
    pitch_nm: float | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[SeenTile]:
    """Find the tiles in a micrograph and tell their modules.

    Parameters
    ----------
    image : (y, x) array
        A micrograph with 2.5 to 30 pixels a module, turned, mirrored, foreshortened or bent in
        any way, of either polarity.
    pixel_size_nm, pitch_nm : float, optional
        As far as they are known, both to some 10 %: they narrow the search.
    cancelled : callable, optional
        Asked now and then; the search ends where it returns True, with what was found.

    Returns
    -------
    list of SeenTile
        Whole tiles and parts of tiles. Parts whose header cannot be read are among them where
        one of their corner marks is seen.

    Raises
    ------
    ValueError
        Where the image has not two axes.
    """
    stopped = cancelled or (lambda: False)
    for modules in see_modules(image, pixel_size_nm, pitch_nm):
        found = [] if stopped() else tiles_among(modules, stopped)
        if found or stopped():
            return found
    return []


def see_modules(
    image: NDArray[np.number],
    pixel_size_nm: float | None = None,
    pitch_nm: float | None = None,
) -> Iterator[SeenModules]:
    """Look at the modules of a micrograph on each lattice that they may stand on, likeliest first.

    Parameters
    ----------
    image, pixel_size_nm, pitch_nm
        As for `see_tiles`.

    Yields
    ------
    SeenModules
        One for each lattice; those of the pitch that was told come before any other.

    Raises
    ------
    ValueError
        Where the image has not two axes.
    """
    image = np.asarray(image)
    if image.ndim != 2:
        raise ValueError(f"An image of tiles has two axes, not {image.ndim}: take one channel.")
    image = eight_bits(image)
    told = pitch_nm / pixel_size_nm if pitch_nm and pixel_size_nm else None
    for pitch in (told, None) if told is not None else (None,):
        for lattice in find_lattices(image, pitch):
            yield _on_lattice(image, lattice)


def binned(
    image: NDArray[np.number], lattice: Lattice
) -> tuple[NDArray[np.number], Lattice, tuple[int, int]]:
    """Make an image of no more pixels than its modules need.

    Parameters
    ----------
    image : (y, x) array
        A micrograph.
    lattice : Lattice
        Its modules.

    Returns
    -------
    image : (y, x) array
        The same, or float32 means of pixels.
    lattice : Lattice
        Of that image.
    factors : (int, int)
        Pixels of the micrograph in one of it, along y and x.
    """
    down, right = (max(1, int(size / FINE)) for size in lattice.sizes)
    if down == right == 1:
        return image, lattice, (1, 1)
    height, width = image.shape[0] // down, image.shape[1] // right
    out = np.zeros((height, width), np.float32)
    for y in range(down):
        for x in range(right):
            out += image[y : y + height * down : down, x : x + width * right : right]
    out *= np.float32(1 / (down * right))
    return out, Lattice(lattice.cycles * (down, right), lattice.score), (down, right)


def _on_lattice(image: NDArray[np.number], lattice: Lattice) -> SeenModules:
    image, lattice, factors = binned(image, lattice)
    smooth = smooth_pixels(eight_bits(image), lattice.sizes)
    phases = block_phases(smooth, lattice)
    mesh = mesh_of(lattice, unwrapped(phases.lines), phases.block, image.shape)
    values = sampled(smooth, mesh)
    levels = levelled(values)
    taps = self_taught(_middle(levels), rounds=TEACHING, stride=16)
    return SeenModules(levels, filtered(levels, taps), mesh, factors, smooth, values, taps)


def tiles_among(
    modules: SeenModules, stopped: Callable[[], bool] = lambda: False
) -> list[SeenTile]:
    """Return the tiles of a lattice, see `see_tiles`."""
    tiles: list[SeenTile] = []
    before: Softened | None = None
    places = find_tiles(modules.clear) or find_by_nodes(modules.clear)
    # what shows most first: the filter that is learnt there serves the slivers, not the reverse
    for place in sorted(places, key=lambda place: -_area(place, modules.levels.shape)):
        if stopped():
            break
        taps = np.ascontiguousarray(turn_back(modules.taps, place.turned))
        values = part_of(modules.values, place)
        tile = followed(modules.smooth, tile_mesh(modules.mesh, place), values, taps)
        seen, before = _tile(tile, place, modules.factors, before)
        tiles.append(seen)
    return tiles


def _area(place: Place, shape: tuple[int, ...]) -> int:
    """Modules of a tile that the matrix shows."""
    high = min(place.row + SIDE, shape[0]) - max(place.row, 0)
    wide = min(place.column + SIDE, shape[1]) - max(place.column, 0)
    return max(high, 0) * max(wide, 0)


def _middle(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return so many modules from the middle as tell an equaliser."""
    top, left = (max(0, (length - SIDE) // 2) for length in levels.shape)
    return levels[top : top + SIDE, left : left + SIDE]


def part_of(values: NDArray[np.float32], place: Place) -> NDArray[np.float32]:
    """Return the values of a tile in its own rows and columns.

    Parameters
    ----------
    values : (rows, columns) float32 array
        Values of all modules.
    place : Place
        Where the tile is.

    Returns
    -------
    (512, 512) float32 array
        A copy; not a number outside the matrix.
    """
    out = np.full((SIDE, SIDE), np.nan, np.float32)
    top, left = max(place.row, 0), max(place.column, 0)
    here = values[top : max(place.row + SIDE, 0), left : max(place.column + SIDE, 0)]
    down, right = top - place.row, left - place.column
    out[down : down + here.shape[0], right : right + here.shape[1]] = here
    return np.ascontiguousarray(turn_back(out, place.turned))


def _tile(
    tile: Followed, place: Place, factors: tuple[int, int], before: Softened | None
) -> tuple[SeenTile, Softened]:
    """Return a tile that was followed as it is handed out, and what it taught."""
    from napari_nanoqr.archive.tile import read_header

    levels, clear = tile.levels, tile.clear
    if not place.dark:
        levels, clear = -levels, -clear
    planes = len(before.soft) if before is not None else 1
    lesson = before.lesson if before is not None else None
    softly = softened(levels, clear, planes, lesson)
    header: TileHeader | None = read_header(softly.soft)
    if header is not None and header.bits != planes:
        softly = softened(levels, clear, header.bits)
    corners = _corners(tile.mesh, factors)
    area = 0.5 * abs(_cross(corners[2] - corners[0], corners[3] - corners[1]))
    seen = SeenTile(
        softly.soft,
        header,
        corners,
        _cross(corners[1] - corners[0], corners[3] - corners[0]) > 0,
        place.dark,
        float(np.sqrt(area)) / SIDE,
        float(np.count_nonzero(levels)) / levels.size,
        softly.contrast,
        softly.error_rate,
    )
    return seen, softly


def _corners(mesh: Mesh, factors: tuple[int, int]) -> NDArray[np.float64]:
    """Return the outer corners of a tile in pixels of the micrograph."""
    end = SIDE - 0.5
    corners = mesh.at(np.array([(-0.5, -0.5), (-0.5, end), (end, end), (end, -0.5)]))
    scale = np.array(factors, float)
    placed: NDArray[np.float64] = corners * scale + (scale - 1) / 2
    return placed


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one[0] * other[1] - one[1] * other[0])
