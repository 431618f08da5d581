"""File > Open: the fields of an archive at their places, in one layer however many they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_nanoqr.widgets.readers import LayerData, Paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_nanoqr.progress import Progress
    from napari_nanoqr.widgets.mosaic_canvas import Canvas, Piece

UNITS, AXES = ("um", "um"), ("y", "x")

MOST_OUTLINES = 400
"""Fields whose outlines are drawn."""

AT_ONCE = 100
"""Fields that are read within a moment; more are read in the background before they are shown."""

OUTLINE = "#d55e00"


def get_mosaic_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of mosaics, or None to leave a folder to others.

    Parameters
    ----------
    path : str, path-like or sequence of them
        An OME-Zarr 0.5 store of images with their places; or a folder of micrographs of which the
        first tells its pixel size and the position of the stage.

    Returns
    -------
    callable or None
        None where it is neither.
    """
    if not isinstance(path, str | Path):
        if len(path) != 1:
            return None
        path = path[0]
    place = Path(path)
    if not place.is_dir():
        return None
    if (place / "zarr.json").is_file():
        return read_mosaic_layers if _has_images(place) else None
    return read_mosaic_layers if _images_in(place, first=True) else None


def read_mosaic_layers(path: Paths) -> list[LayerData]:
    """Read a mosaic as one image layer in um, and the outlines of its fields.

    Pixels are read where they are looked at. Fields may overlap: the later one is on top, and
    none is changed. Many fields are looked through in the background where there is a viewer, and
    the layers are added when they can be shown at once.

    Returns
    -------
    list of (data, options, type)
        A multiscale image of dask arrays; outlines where there are not too many fields. A list
        with ``(None,)``, which stands for nothing in napari, where they are added later.

    Raises
    ------
    UnreadableImage, OSError
        With a sentence for people.
    """
    import napari

    place = Path(path if isinstance(path, str | Path) else path[0])
    viewer = napari.current_viewer()
    if viewer is None or sum(1 for _ in place.iterdir()) <= AT_ONCE:
        return _layers(place, lambda *_: None)
    _open_in_background(place, viewer)
    nothing: Any = (None,)
    return [nothing]


def _layers(place: Path, progress: Progress) -> list[LayerData]:
    """Make the layers of a mosaic; all that a view of everything needs is read then."""
    from napari_nanoqr.widgets.mosaic_canvas import Canvas
    from napari_nanoqr.widgets.mosaic_pieces import file_pieces, stored_pieces

    pieces: list[Piece] = []
    if (place / "zarr.json").is_file():
        pieces += stored_pieces(place)
    else:
        pieces += file_pieces(_images_in(place), progress)
    last = pieces[0].levels - 1
    sample = pieces[0].load(last, slice(None), slice(None))
    canvas = Canvas(pieces, sample.dtype)
    for number in range(len(pieces)):
        progress(number, len(pieces), "")
        canvas.warm_up(number)
    layers = [mosaic_layer(canvas, place, sample)]
    if len(pieces) <= MOST_OUTLINES:
        layers.append(outline_layer(pieces, place.stem))
    return layers


def _open_in_background(place: Path, viewer: Any) -> None:
    from napari.layers import Layer
    from napari.utils import progress
    from napari.utils.notifications import show_error

    from napari_nanoqr.widgets.background import BackgroundCall

    shown = progress(total=0, desc=place.name)

    def step(done: int, total: int, _: str) -> None:
        shown.total = total
        shown.n = done
        shown.refresh()

    def add(layers: list[LayerData]) -> None:
        for data, options, kind in layers:
            viewer.add_layer(Layer.create(data, options, kind))

    BackgroundCall(
        lambda report, _: _layers(place, report), add, lambda problem: show_error(str(problem)),
        step=step, finished=shown.close,
    )  # fmt: skip


def mosaic_layer(canvas: Canvas, path: Path, sample: Any) -> LayerData:
    """Return a canvas as an image layer.

    Parameters
    ----------
    canvas : Canvas
        What is shown.
    path : Path
        Where it is from.
    sample : array
        Some of its pixels, by which the contrast is chosen.
    """
    size = canvas.pixel_size_nm / 1000
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.5)))
    corner = tuple(at / 1000 + size / 2 for at in canvas.corner_nm)
    options = {
        "name": path.stem, "multiscale": True, "scale": (size, size), "translate": corner,
        "units": UNITS, "axis_labels": AXES, "contrast_limits": (low, max(high, low + 1)),
        "metadata": {"nanoqr": {
            "kind": "mosaic", "path": str(path), "fields": len(canvas.pieces),
            "pixel_size_nm": canvas.pixel_size_nm,
        }},
    }  # fmt: skip
    return canvas.arrays(), options, "image"


def outline_layer(pieces: list[Piece], name: str) -> LayerData:
    """Return the outlines of fields, with what their images are called."""
    outlines, labels = [], []
    for piece in pieces:
        size = piece.pixel_size_nm / 1000
        corner = np.array(piece.corner_nm) / 1000 - size / 2
        outlines.append(
            corner + np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * np.array(piece.shape) * size
        )
        labels.append(piece.title)
    options = {
        "name": f"{name} · outlines", "shape_type": "polygon", "face_color": "transparent",
        "edge_color": OUTLINE, "edge_width": 0.2, "units": UNITS, "axis_labels": AXES,
        "features": {"image": np.array(labels, dtype=object)},
    }  # fmt: skip
    return outlines, options, "shapes"


def _has_images(path: Path) -> bool:
    """Whether a store says that it holds images, see `mosaic_fields`."""
    import json

    try:
        said = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        ome = said["attributes"]["ome"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return "multiscales" in ome or "bioformats2raw.layout" in ome


def _images_in(folder: Path, first: bool = False) -> list[Path]:
    """Return the image files of a folder by name; with `first` only where the first has a place."""
    from napari_nanoqr.archive.sources import IMAGE_SUFFIXES
    from napari_nanoqr.widgets.mosaic_pieces import file_pieces

    found = sorted(
        each
        for each in folder.iterdir()
        if each.suffix.lower() in IMAGE_SUFFIXES and not each.name.startswith(".")
    )
    return found if not first or file_pieces(found[:1]) else []
