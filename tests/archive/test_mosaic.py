"""Fields of view in OME-Zarr come back with their places, untouched where they overlap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.archive.mosaic import (
    lazy_levels,
    mosaic_fields,
    read_mosaic_field,
    write_mosaic,
)
from napari_nanoqr.archive.sources import ImageSource, image_sources
from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.write import write_micrograph


def field(number: int, shape: tuple[int, int] = (1100, 700)) -> Micrograph:
    image = np.random.default_rng(number).integers(0, 255, shape).astype(np.uint8)
    stage = {"stage_y_nm": 5000.0, "stage_x_nm": 4000.0 * number, "sheet": 2}
    return Micrograph(image, (10.0, 10.0), metadata=stage)


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mosaic(map(field, range(2)), tmp_path_factory.mktemp("zarr") / "sheet.zarr")


def test_fields_come_back_with_their_places(mosaic: Path) -> None:
    first, second = mosaic_fields(mosaic)
    assert (first.shape, first.pixel_size_nm, first.sheet) == ((1100, 700), 10.0, 2)
    # the middle of the image is where the stage was
    assert first.corner_nm == (5000.0 - 549.5 * 10, -349.5 * 10)
    # they overlap by 300 columns, and each keeps its own
    assert second.corner_nm[1] - first.corner_nm[1] == 4000.0
    for number, each in enumerate((first, second)):
        image, pixel = read_mosaic_field(mosaic, each.name)
        assert pixel == 10.0
        assert np.array_equal(image, field(number).image)


def test_coarser_levels_lie_on_the_full_one(mosaic: Path) -> None:
    first = mosaic_fields(mosaic)[0]
    full, half, quarter = lazy_levels(mosaic, first)
    assert (half.shape, quarter.shape) == ((550, 350), (275, 175))
    mean = np.asarray(full[:2, :2]).mean()
    assert abs(float(half[0, 0].compute()) - mean) <= 0.5
    group = json.loads((mosaic / "0" / "zarr.json").read_text(encoding="utf-8"))
    ome = group["attributes"]["ome"]
    (image,) = ome["multiscales"]
    corners = [each["coordinateTransformations"][1]["translation"] for each in image["datasets"]]
    assert np.allclose(np.diff(corners, axis=0), [[5, 5], [10, 10]])
    assert ome["version"] == "0.5"


def test_a_mosaic_is_read_like_files(mosaic: Path, tmp_path: Path) -> None:
    write_micrograph(field(5), tmp_path / "b.tif")
    write_micrograph(field(6), tmp_path / "a.tif")
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    sources = image_sources([mosaic, tmp_path, tmp_path / "a.tif"])
    assert [each.name for each in sources] == ["sheet.zarr/0", "sheet.zarr/1", "a.tif", "b.tif"]
    image, pixel = sources[1].load()
    assert pixel == 10.0
    assert np.array_equal(image, field(1).image)
    assert len({each.digest() for each in sources}) == 4
    assert sources[0].digest() == ImageSource(mosaic, "0").digest()


def test_what_is_no_mosaic_is_refused(tmp_path: Path, mosaic: Path) -> None:
    (tmp_path / "zarr.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UnreadableImage, match="OME-Zarr"):
        mosaic_fields(tmp_path)
    with pytest.raises(FileExistsError, match="exists"):
        write_mosaic([field(0)], mosaic)
    with pytest.raises(ValueError, match="stage"):
        write_mosaic([Micrograph(field(0).image, (10.0, 10.0))], tmp_path / "new.zarr")
    with pytest.raises(ValueError, match="at least one"):
        write_mosaic([], tmp_path / "new.zarr")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["zarr.json"]


def test_where_there_is_no_image_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no image"):
        image_sources([tmp_path])
    with pytest.raises(FileNotFoundError, match="no file"):
        image_sources([tmp_path / "none.tif"])
