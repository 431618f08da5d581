"""What is done with one image: see its tiles, decode them. Each step is a task of a dask graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.margin import CODE_RATE
from napari_nanoqr.archive.sightings import (
    ImageSighting,
    KnownTile,
    TileSighting,
    pack_soft,
    unpack_soft,
)
from napari_nanoqr.archive.sources import ImageSource
from napari_nanoqr.archive.tile_kind import tile_kind

if TYPE_CHECKING:
    from napari_nanoqr.archive.decoded import DecodedTile
    from napari_nanoqr.archive.header import TileHeader
    from napari_nanoqr.archive.seeing import SeenTile

LEAST_SHOWN = 0.1
"""Share of a tile that an image has to show for its soft bits to be kept: less is the edge of a
neighbour, which hardly helps and comes with every image."""


@dataclass(frozen=True)
class ReadingOptions:
    """How images are looked at.

    Parameters
    ----------
    pixel_size_nm : float, optional
        Where the files do not tell it.
    pitch_nm : float, optional
        Side of a module, where it is known.
    """

    pixel_size_nm: float | None = None
    pitch_nm: float | None = None


@dataclass(frozen=True)
class UnreadImage:
    """An image that could not be opened, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class SeenImage:
    """The tiles that an image shows, before they are decoded; QR codes are when they are seen."""

    digest: str
    name: str
    tiles: tuple[SeenTile, ...]
    pixel_size_nm: float | None = None
    symbols: tuple[TileSighting, ...] = ()


def see_image(source: ImageSource, digest: str, options: ReadingOptions) -> SeenImage | UnreadImage:
    """Open an image and look for tiles; a task.

    Parameters
    ----------
    source : ImageSource
        The image.
    digest : str
        Hash of its content.
    options : ReadingOptions
        How it is looked at.

    Returns
    -------
    SeenImage or UnreadImage
        Soft bits of each tile that it shows at least in part, or else QR codes.
    """
    from napari_nanoqr.archive.qr_seeing import read_symbols
    from napari_nanoqr.archive.seeing import see_modules, tiles_among
    from napari_nanoqr.sem.errors import UnreadableImage

    try:
        image, pixel = source.load()
    except (OSError, UnreadableImage) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        return UnreadImage(source.name, reason or str(problem))
    pixel = options.pixel_size_nm or pixel
    for modules in see_modules(image, pixel, options.pitch_nm):
        tiles = tiles_among(modules)
        symbols = () if tiles else read_symbols(modules)
        if tiles or symbols:
            return SeenImage(digest, source.name, tuple(tiles), pixel, tuple(symbols))
    return SeenImage(digest, source.name, (), pixel)


def decode_image(seen: SeenImage | UnreadImage) -> ImageSighting | UnreadImage:
    """Decode the tiles of an image; a task.

    Parameters
    ----------
    seen : SeenImage or UnreadImage
        What `see_image` returned.

    Returns
    -------
    ImageSighting or UnreadImage
        Codewords of each tile, and soft bits of those that lost some.
    """
    from napari_nanoqr.archive.qr_seeing import pitch_px
    from napari_nanoqr.archive.tile import decode_tiles, read_headers

    if isinstance(seen, UnreadImage):
        return seen
    headers = [tile.header for tile in seen.tiles]
    unknown = [number for number, header in enumerate(headers) if header is None]
    late = read_headers([seen.tiles[number].soft for number in unknown])
    for number, header in zip(unknown, late, strict=True):
        headers[number] = header
    kept = [
        (tile, header)
        for tile, header in zip(seen.tiles, headers, strict=True)
        if header is not None and tile.seen >= LEAST_SHOWN
    ]
    # with fewer soft bits than a codeword has information there is nothing to decode
    enough = [(tile, header) for tile, header in kept if tile.seen >= CODE_RATE[header.rate]]
    decoded = dict(
        zip(
            (id(tile) for tile, _ in enough),
            decode_tiles([tile.soft for tile, _ in enough], [header for _, header in enough]),
            strict=True,
        )
    )
    sightings = tuple(_sighting(tile, header, decoded.get(id(tile))) for tile, header in kept)
    nameless = sum(
        header is None and tile.seen >= LEAST_SHOWN
        for tile, header in zip(seen.tiles, headers, strict=True)
    )
    notes = [
        f"{seen.name}: all of tile {header.tile} of sheet {header.sheet} was read, but it is not "
        "what its header says."
        for tile, header in enough
        if decoded[id(tile)].contradictory
    ]
    sure = [tile.pitch_px for tile, _ in enough if decoded[id(tile)].lost == 0]
    sure += [pitch_px(symbol) for symbol in seen.symbols]
    pitch = float(np.median(sure)) * seen.pixel_size_nm if sure and seen.pixel_size_nm else None
    return ImageSighting(
        seen.digest, seen.name, sightings + seen.symbols, nameless, tuple(notes), pitch
    )


def graph_of(source: ImageSource, digest: str, options: ReadingOptions) -> Any:
    """Return the dask graph that reads an image: a `dask.delayed.Delayed`."""
    from dask.delayed import delayed as untyped

    delayed: Any = untyped
    names = {"see": f"see-{digest[:16]}", "decode": f"decode-{digest[:16]}"}
    seen = delayed(see_image, pure=False)(source, digest, options, dask_key_name=names["see"])
    return delayed(decode_image, pure=False)(seen, dask_key_name=names["decode"])


def merge_sightings(known: KnownTile, seen: TileSighting) -> KnownTile:
    """Return what is known of a tile with one more image of it.

    Parameters
    ----------
    known : KnownTile
        From the images before.
    seen : TileSighting
        From this one. One whose header says another thing is left out: the first stays.

    Returns
    -------
    KnownTile
        Codewords that either read; where some are still lost, those that the soft bits of all
        images together give.
    """
    from napari_nanoqr.archive.tile import combine, decode_tiles

    if seen.header.to_bytes() != known.header.to_bytes():
        return known
    good, data = known.good | seen.good, np.where(known.good[:, None], known.data, seen.data)
    margin = max(known.margin_db, seen.margin_db)
    rate = min(known.error_rate, seen.error_rate)
    if good.all():
        return replace(known, good=good, data=data, soft=None, margin_db=margin, error_rate=rate)
    softs = [unpack_soft(packed) for packed in (known.soft, seen.soft) if packed is not None]
    soft = combine(softs)
    if len(softs) > 1:
        (together,) = decode_tiles([soft], [known.header])
        more_good, more_data = _words(known.header, together)
        data = np.where(good[:, None], data, more_data)
        good = good | more_good
        margin, rate = max(margin, _margin(together)), min(rate, _rate(together))
    return replace(
        known, good=good, data=data, soft=None if good.all() else pack_soft(soft),
        margin_db=margin, error_rate=rate,
    )  # fmt: skip


def _sighting(tile: SeenTile, header: TileHeader, decoded: DecodedTile | None) -> TileSighting:
    good, data = _words(header, decoded)
    corners = np.asarray(tile.corners, dtype=float).tolist()
    return TileSighting(
        header, good, data, None if good.all() else pack_soft(tile.soft), float(tile.seen),
        _margin(decoded), _rate(decoded), tuple((y, x) for y, x in corners), bool(tile.mirrored),
    )  # fmt: skip


def _words(
    header: TileHeader, decoded: DecodedTile | None
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which codewords were read, and their bytes."""
    kind = tile_kind(header.rate, header.bits)
    good, data = np.zeros(kind.words, bool), np.zeros((kind.words, kind.word_bytes), np.uint8)
    # all codewords right and the digest wrong: this is not what was written
    if decoded is not None and not decoded.contradictory:
        good = np.array(decoded.good, bool)
        for place in np.flatnonzero(good):
            block = decoded.blocks[place]
            assert block is not None
            data[place] = np.frombuffer(block, np.uint8)
    return good, data


def _margin(decoded: DecodedTile | None) -> float:
    return -99.0 if decoded is None else float(decoded.margin)


def _rate(decoded: DecodedTile | None) -> float:
    return 0.5 if decoded is None else float(np.mean(decoded.error_rate))
