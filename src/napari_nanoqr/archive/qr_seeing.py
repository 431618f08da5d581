"""Tiles that are QR codes among the modules of a micrograph, found and read.

The modules stand on a lattice already: symbols are where finder patterns lie a whole number of
modules apart, and all others of the field follow at the same step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import NotAHeader, TileHeader
from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.archive.qr_tile import LEAST_VERSION, MOST_VERSION, QUIET, split_content
from napari_nanoqr.archive.seeing.equalise import filtered, self_taught
from napari_nanoqr.archive.seeing.find import Place
from napari_nanoqr.archive.seeing.see import SeenModules, part_of
from napari_nanoqr.archive.seeing.track import followed, tile_mesh
from napari_nanoqr.archive.sightings import TileSighting
from napari_nanoqr.archive.tile_kind import tile_kind
from napari_nanoqr.symbols.decode import DecodedSymbol, Undecodable, decode_modules
from napari_nanoqr.symbols.layout import finder_pattern
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.soft_decode import NotReadable, decode_likelihoods
from napari_nanoqr.symbols.tables import block_structure, side_modules

FINDER_WRONG = 10
"""Wrong modules of 49 up to which a finder pattern may be one; one place in 5e4 of random modules
is, and three of them at the corners of a square hardly ever are."""

LEAST_SEEN = 0.8
"""Share of a symbol that has to be seen: level L has a fifth of parity."""

MOST_UNLIKE = 0.25
"""Share of the function patterns' modules that may be wrong; of what is no symbol, half are."""

MOST_GRIDS = 8
"""An image shows parts of four fields at most; chance makes some more grids."""

MOST_CHANCE = 1e-9
"""Probability that soft decoding gives something else; the digest in the header is held against it
too."""


@dataclass(frozen=True)
class SymbolGrid:
    """The symbols of a field among the modules of a micrograph.

    Attributes
    ----------
    version : int
        Of all of them.
    row, column : int
        Of the first module of some symbol.
    empty : int
        The corner without finder pattern: 0 top left, 1 top right, 2 bottom right, 3 bottom left.
    dark : bool
        Whether dark modules are the darker ones.
    """

    version: int
    row: int
    column: int
    empty: int
    dark: bool

    def places(self, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        """Return first row and column of each symbol that a matrix of modules may show."""
        side = side_modules(self.version)
        step, least = side + QUIET, round(side * (1 - LEAST_SEEN))
        rows, columns = (
            range((first + least) % step - least, length - side + least + 1, step)
            for first, length in zip((self.row, self.column), shape, strict=True)
        )
        return [(row, column) for row in rows for column in columns]


def read_symbols(modules: SeenModules) -> list[TileSighting]:
    """Read the tiles among modules that are QR codes.

    Parameters
    ----------
    modules : SeenModules
        What a micrograph shows.

    Returns
    -------
    list of TileSighting
        Each read as a whole; in the order of the matrix. A symbol that could not be read, or is
        no tile of an archive, is not among them.
    """
    tiles: dict[tuple[int, int], TileSighting] = {}
    grids = find_symbols(modules.clear)
    if not grids:
        return []
    clear = followed_modules(modules)
    first: SymbolGrid | None = None
    for grid in grids[:MOST_GRIDS]:
        if first is not None and replace(grid, row=first.row, column=first.column) != first:
            continue
        side = side_modules(grid.version)
        for place in grid.places(clear.shape):
            # symbols of another field stand beside those of the first, never on them
            if any(max(abs(place[0] - row), abs(place[1] - column)) < side
                   for row, column in tiles):  # fmt: skip
                continue
            tile = _read(clear, modules, grid, place)
            if tile is not None:
                first = grid
                tiles[place] = tile
    return [tiles[place] for place in sorted(tiles)]


def find_symbols(clear: NDArray[np.float32]) -> list[SymbolGrid]:
    """Find symbols by their finder patterns.

    Parameters
    ----------
    clear : (rows, columns) float32 array
        Values of modules, negative where they are dark.

    Returns
    -------
    list of SymbolGrid
        Those that most symbols agree on come first.
    """
    votes: dict[SymbolGrid, int] = {}
    for dark in (True, False):
        corners = {(row, column) for row, column in _finders(clear if dark else -clear).tolist()}
        for grid in _grids(corners, dark):
            votes[grid] = votes.get(grid, 0) + 1
    return sorted(votes, key=lambda grid: -votes[grid])


def followed_modules(modules: SeenModules) -> NDArray[np.float32]:
    """Return clear values of modules, sampled where they tell themselves that they are.

    Parameters
    ----------
    modules : SeenModules
        What a micrograph shows.

    Returns
    -------
    (rows, columns) float32 array
        As :attr:`~napari_nanoqr.archive.seeing.SeenModules.clear`. What a tile is for the search
        for tiles is a piece of the matrix here; there are no marks to tell whole modules by.
    """
    clear = modules.clear.copy()
    rows, columns = ([*range(0, max(length - SIDE, 1), SIDE), max(length - SIDE, 0)]
                     for length in clear.shape)  # fmt: skip
    for row in rows:
        for column in columns:
            place = Place(0, row, column, True, (-1, -1, -1, -1))
            mesh, values = tile_mesh(modules.mesh, place), part_of(modules.values, place)
            levels = followed(modules.smooth, mesh, values, modules.taps).levels
            better = filtered(levels, self_taught(levels, modules.taps))
            here = clear[row : row + SIDE, column : column + SIDE]
            here[:] = better[: here.shape[0], : here.shape[1]]
    return clear


def symbol_margin_db(version: int, error: str, corrected: tuple[int, ...]) -> float:
    """Return how far a symbol was from what hard decisions just read.

    Parameters
    ----------
    version, error : int, str
        Of the symbol.
    corrected : tuple of int
        Wrong codewords of each block.

    Returns
    -------
    float
        In dB of contrast over noise: of that noise which makes as many codewords wrong as a block
        can correct, over that which makes as many wrong as were in the worst block. Modules are
        taken to be wrong independently of each other, and a block without any wrong codeword
        counts as if half of one were, so that there is a most. It is negative where soft decoding
        read what hard decisions could not.
    """
    structure = block_structure(version, error)
    length = min(structure.data) + structure.parity

    def distance(wrong: float) -> float:
        # any of the eight modules of a codeword makes it wrong
        share = 1 - (1 - min(wrong / length, 0.99)) ** (1 / 8)
        return NormalDist().inv_cdf(1 - share)

    worst = max((*corrected, 0.5))
    return float(20 * np.log10(distance(worst) / distance(structure.correctable)))


def pitch_px(tile: TileSighting) -> float:
    """Return pixels a module of a symbol that was read, the geometric mean of both axes."""
    corners = np.array(tile.corners)
    one, other = corners[2] - corners[0], corners[3] - corners[1]
    area = abs(one[0] * other[1] - one[1] * other[0]) / 2
    kind = tile_kind(tile.header.rate, tile.header.bits)
    return float(np.sqrt(area)) / kind.side


def _finders(clear: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return first row and column of what looks like finder patterns."""
    signs = np.sign(clear).astype(np.int8)
    pattern = np.where(finder_pattern(), -1, 1)
    if min(signs.shape) < len(pattern):
        return np.empty((0, 2), np.int64)
    rows, columns = (length - len(pattern) + 1 for length in signs.shape)
    alike = np.zeros((rows, columns), np.int8)
    for (down, right), sign in np.ndenumerate(pattern):
        alike += np.int8(sign) * signs[down : down + rows, right : right + columns]
    return np.argwhere(alike >= pattern.size - 2 * FINDER_WRONG)


def _grids(corners: set[tuple[int, int]], dark: bool) -> list[SymbolGrid]:
    """Return the grid of each symbol that three finder patterns make."""
    grids = []
    for version in range(LEAST_VERSION, MOST_VERSION + 1):
        side = side_modules(version)
        away = side - len(finder_pattern())
        for row, column in corners | {(row, column - away) for row, column in corners}:
            square = (
                (row, column), (row, column + away), (row + away, column + away),
                (row + away, column),
            )  # fmt: skip
            there = [corner in corners for corner in square]
            if sum(there) == 3:
                step, empty = side + QUIET, there.index(False)
                grids.append(SymbolGrid(version, row % step, column % step, empty, dark))
    return grids


def _read(
    clear: NDArray[np.float32], modules: SeenModules, grid: SymbolGrid, place: tuple[int, int]
) -> TileSighting | None:
    """Read the symbol at a place."""
    side = side_modules(grid.version)
    values = np.zeros((side, side), np.float32)
    top, left = (max(at, 0) for at in place)
    here = clear[top : place[0] + side, left : place[1] + side]
    down, right = top - place[0], left - place[1]
    values[down : down + here.shape[0], right : right + here.shape[1]] = here
    seen = float(np.count_nonzero(values)) / values.size
    if seen < LEAST_SEEN:
        return None
    # the corner without a finder pattern comes to the bottom right
    upright = np.rot90(values if grid.dark else -values, (grid.empty - 2) % 4)
    layout = qr_layout(grid.version)
    known = layout.certain & (upright != 0)
    if np.mean(((upright < 0) != layout.dark)[known]) > MOST_UNLIKE:
        return None
    # the format information tells whether rows are columns
    distances = [layout.nearest_format(each < 0)[2] for each in (upright, upright.T)]
    mirrored = distances[1] < distances[0]
    tile = _decoded(upright.T if mirrored else upright, grid.version)
    return None if tile is None else _sighting(*tile, modules, grid, place, mirrored, seen)


def _decoded(
    values: NDArray[np.float32], version: int
) -> tuple[TileHeader, bytes, DecodedSymbol] | None:
    """Return header, payload and symbol of values of modules, upright, dark ones negative."""
    found: DecodedSymbol | NotReadable
    try:
        found = decode_modules(values < 0)
    except Undecodable:
        found = decode_likelihoods(_likelihoods(values, version), most_chance=MOST_CHANCE)
    if isinstance(found, NotReadable):
        return None
    try:
        header, payload = split_content(found.content.stored)
    except NotAHeader:
        return None
    symbol = found.symbol
    if header.rate != f"QR {symbol.version}-{symbol.error}":
        return None
    return header, payload, found


def _likelihoods(values: NDArray[np.float32], version: int) -> NDArray[np.float32]:
    """Return ln P(light) / P(dark), with the noise that known modules have around their means."""
    layout = qr_layout(version)
    means = [float(values[layout.certain & (layout.dark == dark)].mean()) for dark in (True, False)]
    ideal = np.where(layout.dark, *means)
    # what is not seen is 0 and tells nothing
    known = layout.certain & (values != 0)
    variance = float(np.mean((values - ideal)[known] ** 2))
    apart = means[1] - means[0]
    ratio = (values - np.float32(sum(means) / 2)) * np.float32(apart / max(variance, 1e-9))
    return np.where(values == 0, np.float32(0), ratio)


def _sighting(
    header: TileHeader, payload: bytes, decoded: DecodedSymbol, modules: SeenModules,
    grid: SymbolGrid, place: tuple[int, int], mirrored: bool, seen: float,
) -> TileSighting:  # fmt: skip
    data = np.zeros((1, header.capacity), np.uint8)
    data[0, : len(payload)] = np.frombuffer(payload, np.uint8)
    margin = symbol_margin_db(grid.version, decoded.symbol.error, decoded.corrected)
    ends = np.array([(-0.5, -0.5), (-0.5, 1.0), (1.0, 1.0), (1.0, -0.5)])
    ends[ends == 1.0] = side_modules(grid.version) - 0.5
    # clockwise from the corner that is opposite to the one without finder pattern
    corners = np.roll(modules.at(ends + place), 2 - grid.empty, axis=0)
    if mirrored:
        corners = corners[[0, 3, 2, 1]]
    return TileSighting(
        header, np.ones(1, bool), data, None, seen, margin, float(decoded.wrong.mean()),
        tuple((y, x) for y, x in corners.tolist()), mirrored,
    )  # fmt: skip
