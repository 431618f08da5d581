"""Fields of view as OME-Zarr 0.5: an image for each with its place, never a stitched one.

The layout is the one of several images in a store (``bioformats2raw.layout`` 3 of the NGFF
specification, https://ngff.openmicroscopy.org/0.5/): groups ``0``, ``1``, ... with a multiscale
image each, and a group ``OME`` that lists them. The translation of an image is where the stage
was, in nm; fields may overlap, and nothing is changed where they do.
"""

from __future__ import annotations

import json
import math
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.micrograph import Micrograph

CHUNK = 512
"""Pixels on a side of what is compressed and read as one."""

SHARD = 4096
"""Pixels on a side of a file, at most."""

_META = "zarr.json"

SMALLEST = 512
"""Images are kept in ever fewer pixels until no side is longer."""


@dataclass(frozen=True)
class MosaicField:
    """A field of a mosaic.

    Attributes
    ----------
    name : str
        Of its group.
    title : str
        What the image was called.
    sheet : int
        Number of the sheet.
    shape : tuple of int
        Rows and columns.
    pixel_size_nm : float
        Pixel size.
    corner_nm : tuple of float
        y and x of the centre of the first pixel, by the stage.
    datasets : tuple of str
        Names of the arrays of the multiscale image, the full one first.
    """

    name: str
    title: str
    sheet: int
    shape: tuple[int, int]
    pixel_size_nm: float
    corner_nm: tuple[float, float]
    datasets: tuple[str, ...] = ("0",)

    @property
    def levels(self) -> int:
        """Of the multiscale image, the full one among them."""
        return len(self.datasets)


def write_mosaic(micrographs: Iterable[Micrograph], path: Path | str) -> Path:
    """Write images with their stage positions as one OME-Zarr store.

    Parameters
    ----------
    micrographs : iterable of Micrograph
        ``(y, x)`` images; taken one by one, so that they never lie in memory together. Each has a
        pixel size, and ``stage_y_nm`` and ``stage_x_nm`` of its middle in ``metadata``.
    path : path-like
        A folder ``*.zarr`` that does not exist yet; it appears when it is complete.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        Where an image does not tell its place or pixel size.
    FileExistsError
        Where there is something of that name.
    """
    import zarr

    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} exists: a mosaic is written as a new folder.")
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        root = zarr.open_group(unfinished, mode="w", zarr_format=3)
        root.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
        names = []
        for number, micrograph in enumerate(micrographs):
            _write_field(root, str(number), micrograph)
            names.append(str(number))
        if not names:
            raise ValueError("A mosaic has at least one field.")
        root.create_group("OME").attrs["ome"] = {"version": "0.5", "series": names}
        unfinished.rename(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return path


def mosaic_fields(path: Path | str) -> list[MosaicField]:
    """Return the fields of a mosaic; of an OME-Zarr store that is one image, that one.

    Parameters
    ----------
    path : path-like
        An OME-Zarr 0.5 store.

    Returns
    -------
    list of MosaicField
        In their order; no pixels are read.

    Raises
    ------
    UnreadableImage
        Where it is none.
    """
    path = Path(path)
    found: list[MosaicField] = []
    try:
        if "multiscales" in _ome(path):
            return [_field(path, "")]
        names = _ome(path / "OME").get("series") if (path / "OME").is_dir() else None
        if names is None:
            inside = sorted(each.name for each in path.iterdir() if (each / _META).is_file())
            names = [name for name in inside if "multiscales" in _ome(path / name)]
        found += [_field(path, name) for name in names]
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise UnreadableImage(
            f"{path.name} is no OME-Zarr 0.5 store of images with pixel sizes in lengths."
        ) from problem
    if not found:
        raise UnreadableImage(f"{path.name} is no OME-Zarr 0.5 store with images in it.")
    return found


def read_mosaic_field(path: Path | str, name: str) -> tuple[NDArray[Any], float]:
    """Read one field.

    Parameters
    ----------
    path : path-like
        The store.
    name : str
        Name of its group.

    Returns
    -------
    image : (y, x) array
        In full.
    pixel_size_nm : float
        Pixel size.
    """
    import zarr

    group = zarr.open_group(Path(path), path=name or None, mode="r", zarr_format=3)
    field = _field(Path(path), name)
    array: Any = group[field.datasets[0]]
    image = np.asarray(array[...])
    return image.reshape(image.shape[-2:]), field.pixel_size_nm


def lazy_levels(path: Path | str, field: MosaicField) -> list[Any]:
    """Return a field as dask arrays with ever fewer pixels, as viewers take them."""
    import dask.array
    import zarr

    group = zarr.open_group(Path(path), path=field.name or None, mode="r", zarr_format=3)
    load: Any = dask.array.from_zarr
    return [load(group[each]) for each in field.datasets]


def _write_field(root: Any, name: str, micrograph: Micrograph) -> None:
    from zarr.codecs import ZstdCodec

    title = micrograph.path.name if micrograph.path is not None else f"field {name}"
    stage = [micrograph.metadata.get(f"stage_{axis}_nm") for axis in "yx"]
    if micrograph.pixel_size_nm is None or None in stage or micrograph.frames != 1:
        raise ValueError(
            f"{title} cannot be placed in a mosaic: it has to be one image that tells its pixel "
            "size and the position of the stage."
        )
    group = root.create_group(name)
    image: NDArray[Any] = np.asarray(micrograph.image).reshape(micrograph.image.shape[-2:])
    sizes = micrograph.pixel_size_nm
    middle = [float(value) for value in stage if value is not None]
    datasets = []
    coarser = max(math.ceil(math.log2(max(image.shape) / SMALLEST)), 0)
    for level in range(1 + coarser):
        if level:
            image = _halved(image)
        rows, columns = image.shape
        shard = tuple(min(math.ceil(n / CHUNK) * CHUNK, SHARD) for n in (rows, columns))
        array = group.create_array(
            str(level), shape=image.shape, dtype=image.dtype, chunks=(CHUNK, CHUNK), shards=shard,
            compressors=[ZstdCodec(level=1)], dimension_names=["y", "x"],
        )  # fmt: skip
        array[...] = image
        step = [size * 2**level for size in sizes]
        corner = [
            centre - (count - 1) / 2 * size
            for centre, count, size in zip(middle, micrograph.image.shape[-2:], sizes, strict=True)
        ]
        # the first pixel of a coarser level has its centre between those that it holds
        corner = [at + (new - old) / 2 for at, new, old in zip(corner, step, sizes, strict=True)]
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": step},
                    {"type": "translation", "translation": corner},
                ],
            }
        )
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "yx"]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"name": title, "axes": axes, "datasets": datasets}],
    }
    group.attrs["nanoqr"] = {"sheet": int(micrograph.metadata.get("sheet", 0))}


def _halved(image: NDArray[Any]) -> NDArray[Any]:
    """Mean of each 2 x 2 pixels; a last odd row or column is repeated."""
    padded = np.pad(image, [(0, n % 2) for n in image.shape], mode="edge")
    total = sum(padded[row::2, column::2].astype(np.float32) for row in (0, 1) for column in (0, 1))
    mean = np.asarray(total) / 4
    return (
        mean.astype(image.dtype) if image.dtype.kind == "f" else np.rint(mean).astype(image.dtype)
    )


def _meta(place: Path) -> dict[str, Any]:
    # not by way of zarr, which takes milliseconds for each group: a mosaic has thousands
    return dict(json.loads((place / _META).read_text(encoding="utf-8")))


def _ome(place: Path) -> dict[str, Any]:
    return dict(_meta(place).get("attributes", {}).get("ome", {}))


_IN_NM = {
    "angstrom": 0.1, "nanometer": 1.0, "micrometer": 1e3, "millimeter": 1e6, "meter": 1e9,
    "picometer": 1e-3, "centimeter": 1e7,
}  # fmt: skip


def _field(store: Path, name: str) -> MosaicField:
    group = store / name
    attributes = _meta(group)["attributes"]
    image = attributes["ome"]["multiscales"][0]
    datasets = image["datasets"]
    scale, corner = [1.0, 1.0], [0.0, 0.0]
    steps = [*datasets[0]["coordinateTransformations"], *image.get("coordinateTransformations", [])]
    for step in steps:
        if step["type"] == "scale":
            scale = [a * b for a, b in zip(scale, step["scale"][-2:], strict=True)]
            corner = [a * b for a, b in zip(corner, step["scale"][-2:], strict=True)]
        elif step["type"] == "translation":
            corner = [a + b for a, b in zip(corner, step["translation"][-2:], strict=True)]
    factors = [_IN_NM[axis["unit"]] for axis in image["axes"][-2:]]
    names = tuple(str(each["path"]) for each in datasets)
    shape = _meta(group / names[0])["shape"]
    if math.prod(shape[:-2]) != 1:
        raise ValueError("more than one plane")
    said = attributes.get("nanoqr", {})
    return MosaicField(
        name, str(image.get("name", name)), int(said.get("sheet", 0)),
        (int(shape[-2]), int(shape[-1])), float(scale[1] * factors[1]),
        (float(corner[0] * factors[0]), float(corner[1] * factors[1])), names,
    )  # fmt: skip
