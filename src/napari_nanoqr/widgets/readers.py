"""File > Open: what napari asks for the files that this package knows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.sem.micrograph import Micrograph

LayerData = tuple[Any, dict[str, Any], str]
Paths = str | Path | Sequence[str | Path]


def get_micrograph_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of micrographs, or None to leave a file to napari's own.

    Parameters
    ----------
    path : str, path-like or sequence of them
        The file, or several files that napari was asked to open as one stack.

    Returns
    -------
    callable or None
        None unless every file says how its image was taken, see
        `napari_nanoqr.sem.read.recognises`.
    """
    from napari_nanoqr.sem.read import recognises

    paths = _as_list(path)
    if not paths or not all(recognises(file) for file in paths):
        return None
    return read_micrograph_layers


def get_pattern_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of pattern files and designs, or None to leave a file to others.

    Parameters
    ----------
    path : str, path-like or sequence of them
        Pattern files of any format that is known, or designs (``.json``).

    Returns
    -------
    callable or None
        None where one of the files is neither.
    """
    from napari_nanoqr.fib.pattern_files import is_pattern

    files = [Path(file) for file in _as_list(path)]
    if files and all(is_pattern(file) or _is_design(file) for file in files):
        return read_pattern_layers
    return None


def read_pattern_layers(path: Paths) -> list[LayerData]:
    """Read pattern files and designs as layers in nm.

    Returns
    -------
    list of (data, options, type)
        Exposure and beam path, or shapes, of a pattern; modules and outline of a design.

    Raises
    ------
    ValueError, OSError
        With a sentence for people.
    """
    from napari_nanoqr.design.design import Design
    from napari_nanoqr.fib.pattern_files import is_pattern, read_pattern
    from napari_nanoqr.widgets.layers import design_layers
    from napari_nanoqr.widgets.pattern_layers import pattern_layers

    layers: list[LayerData] = []
    for file in map(Path, _as_list(path)):
        if is_pattern(file):
            layers += pattern_layers(read_pattern(file))
        else:
            made = design_layers(Design.load(file), uuid.uuid4().hex)
            layers += [layer.as_layer_data_tuple() for layer in made]
    return layers


def _is_design(file: Path) -> bool:
    """Whether a JSON file begins like a design; others are left to other readers."""
    from napari_nanoqr.design.design import FORMAT

    if file.suffix.lower() != ".json":
        return False
    try:
        with file.open("rb") as opened:
            return FORMAT.encode() in opened.read(200)
    except OSError:
        return False


def read_micrograph_layers(path: Paths) -> list[LayerData]:
    """Read files as image layers in nm.

    Several files become one layer, a stack of frames, where they are single images of one
    shape, type and pixel size; else one layer each.

    Returns
    -------
    list of (data, options, "image")
        What ``viewer.add_image`` takes; ``metadata["nanoqr"]`` has the pixel size, its
        source and the acquisition as plain values, ``metadata["databar"]`` the data bar.

    Raises
    ------
    FileNotFoundError, UnreadableImage
        With a sentence for people.
    """
    from napari_nanoqr.sem.read import read_micrograph

    micrographs = [read_micrograph(file) for file in _as_list(path)]
    first = micrographs[0]
    alike = all(
        other.image.ndim == 2
        and other.image.shape == first.image.shape
        and other.image.dtype == first.image.dtype
        and other.pixel_size_nm == first.pixel_size_nm
        for other in micrographs
    )
    if len(micrographs) > 1 and alike and not first.coarser:
        import numpy as np

        _, options, kind = micrograph_layer(first)
        stack = np.stack([micrograph.image for micrograph in micrographs])
        options |= _axes(first, stack.ndim)
        options["metadata"]["nanoqr"]["files"] = [str(file) for file in _as_list(path)]
        return [(stack, options, kind)]
    return [micrograph_layer(micrograph) for micrograph in micrographs]


def micrograph_layer(micrograph: Micrograph) -> LayerData:
    """Return a micrograph as an image layer in nm, in plain pixels where no size is known.

    Returns
    -------
    tuple
        ``(data, options, "image")`` with data ``(y, x)`` or ``(frame, y, x)``, a list of ever
        coarser levels for a large picture; named after the file.
    """
    facts: dict[str, Any] = {
        "kind": "micrograph",
        "pixel_size_nm": None
        if micrograph.pixel_size_nm is None
        else [float(size) for size in micrograph.pixel_size_nm],
        "pixel_size_source": micrograph.pixel_size_source,
        "path": None if micrograph.path is None else str(micrograph.path),
        **micrograph.metadata,
    }
    metadata: dict[str, Any] = {"nanoqr": facts}
    if micrograph.databar is not None:
        metadata["databar"] = micrograph.databar
    options = {
        "name": "micrograph" if micrograph.path is None else micrograph.path.stem,
        "metadata": metadata,
        **_axes(micrograph, micrograph.image.ndim),
    }
    if not micrograph.coarser:
        return micrograph.image, options, "image"
    return [micrograph.image, *micrograph.coarser], options | {"multiscale": True}, "image"


def _axes(micrograph: Micrograph, ndim: int) -> dict[str, Any]:
    """Scale, units and labels of the axes; frames count, they have no length."""
    known = micrograph.pixel_size_nm is not None
    scale: tuple[float, ...] = micrograph.pixel_size_nm or (1.0, 1.0)
    units: tuple[str, ...] = ("nm", "nm") if known else ("pixel", "pixel")
    labels: tuple[str, ...] = ("y", "x")
    if ndim == 3:
        scale, units, labels = (1.0, *scale), ("pixel", *units), ("frame", *labels)
    return {"scale": scale, "units": units, "axis_labels": labels}


def _as_list(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, (str, Path)) else list(path)
