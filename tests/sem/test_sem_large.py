"""Pictures too large to be loaded at once."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.files import lazy, tiff
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.sem.write import write_micrograph

SHAPE = (203, 330)
LAYOUTS = {
    "strips as they are": {},
    "one row a strip": {"rowsperstrip": 1, "compression": "lzw"},
    "strips": {"rowsperstrip": 16, "compression": "zlib"},
    "tiles as they are": {"tile": (32, 48)},
    "tiles": {"tile": (32, 48), "compression": "zlib", "predictor": True},
    "big-endian": {"byteorder": ">"},
}


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch):
    """Let pictures of some thousand pixels count as large ones."""
    monkeypatch.setattr(tiff, "LARGE", 20_000)
    monkeypatch.setattr("napari_nanoqr.sem.read.LARGE", 20_000)
    monkeypatch.setattr("napari_nanoqr.sem.read.SCREEN", 64)
    monkeypatch.setattr(lazy, "SCREEN", 64)


def picture(dtype=np.uint8, shape=SHAPE):
    top = 255 if np.dtype(dtype).itemsize == 1 else 60_000
    return np.random.default_rng(1).integers(0, top, shape).astype(dtype)


def is_lazy(array):
    return not isinstance(array, np.ndarray)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_and_any_part_are_what_the_file_holds(sem_tiff, layout, dtype):
    pixels = picture(dtype)
    micrograph = read_micrograph(sem_tiff(pixels, **LAYOUTS[layout]))
    image = micrograph.image
    assert is_lazy(image)
    assert (image.shape, image.dtype) == (SHAPE, pixels.dtype)
    assert np.array_equal(np.asarray(image), pixels)
    assert np.array_equal(np.asarray(image[31:70, 40:113]), pixels[31:70, 40:113])
    assert np.array_equal(np.asarray(image[200, ::7]), pixels[200, ::7])
    assert np.asarray(image[5:5]).shape == (0, 330)
    for power, level in enumerate(micrograph.coarser, start=1):
        step = 2**power
        assert np.array_equal(np.asarray(level), pixels[::step, ::step])
    assert max(micrograph.coarser[-1].shape) <= 64


def test_a_region_is_loaded_and_keeps_what_is_known(sem_tiff):
    pixels = picture()
    sem = "[Scan]\nPixelWidth=6e-09\nPixelHeight=6e-09\n[Image]\nResolutionX=330\nResolutionY=190\n"
    micrograph = read_micrograph(sem_tiff(pixels, {34682: sem}))
    assert micrograph.image.shape == (190, 330)
    assert np.array_equal(micrograph.databar, pixels[190:])
    assert micrograph.coarser[0].shape == (95, 165)
    region = micrograph.region(100, 50, 60, 70)
    assert np.array_equal(region.image, pixels[100:160, 50:120])
    assert not is_lazy(region.image)
    assert region.pixel_size_nm == (6.0, 6.0)
    assert region.coarser == ()
    assert micrograph.region(180, -5, 60, 70).image.shape == (10, 65)
    with pytest.raises(ValueError, match="does not lie on the image"):
        micrograph.region(190, 0, 5, 5)


def test_only_the_pieces_that_are_needed_are_decoded(sem_tiff, monkeypatch):
    path = sem_tiff(picture(shape=(512, 512)), tile=(64, 64), compression="zlib")
    image = read_micrograph(path).image
    decoded = []
    original = lazy.PagePixels._decoded

    def counted(self, rows, columns):
        decoded.append((len(rows), len(columns)))
        return original(self, rows, columns)

    monkeypatch.setattr(lazy.PagePixels, "_decoded", counted)
    np.asarray(image[70:100, 200:250])
    assert sum(rows * columns for rows, columns in decoded) == 30 * 50


def test_palettes_colours_and_inverted_greys_are_as_in_small_pictures(sem_tiff, monkeypatch):
    pixels = picture()
    levels = (np.arange(256, dtype=np.uint16) ** 2 // 255) * 257
    colour = np.stack([pixels, pixels[::-1], pixels[:, ::-1]], axis=-1)
    files = [
        sem_tiff(pixels, name="p.tif", photometric="palette", colormap=np.stack([levels] * 3)),
        sem_tiff(colour, name="c.tif", photometric="rgb", tile=(64, 64), compression="zlib"),
        sem_tiff(colour, name="s.tif", photometric="rgb"),
        sem_tiff(pixels, name="w.tif", photometric="miniswhite"),
    ]
    large = [read_micrograph(path).image for path in files]
    assert all(is_lazy(image) for image in large)
    monkeypatch.setattr(tiff, "LARGE", 1 << 30)
    for image, path in zip(large, files, strict=True):
        small = read_micrograph(path).image
        assert not is_lazy(small)
        assert image.dtype == small.dtype
        assert np.array_equal(np.asarray(image), small)


def test_stacks_and_our_own_files_are_lazy_too(sem_tiff, tmp_path):
    frames = picture(np.uint16, (5, 90, 80))
    micrograph = read_micrograph(sem_tiff(frames))
    assert is_lazy(micrograph.image)
    assert micrograph.frames == 5
    assert np.array_equal(np.asarray(micrograph.image[3]), frames[3])
    assert np.array_equal(micrograph.mean_image, frames.astype(np.float32).mean(axis=0))
    again = read_micrograph(write_micrograph(micrograph, tmp_path / "again.tif"))
    assert is_lazy(again.image)
    assert np.array_equal(np.asarray(again.image), frames)


def test_frames_behind_one_header_are_found(tmp_path):
    frames = picture(np.uint16, (5, 90, 80))
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX"})
    with tifffile.TiffFile(path) as file:
        start, page = file.pages[0].dataoffsets[0], file.pages[0]
        assert start + frames.nbytes <= path.stat().st_size
        offset = page.offset + 2 + 12 * len(page.tags)
    data = bytearray(path.read_bytes())
    data[offset : offset + 4] = bytes(4)  # no page behind the first, as above 4 GiB
    path.write_bytes(data)
    micrograph = read_micrograph(path)
    assert is_lazy(micrograph.image)
    assert np.array_equal(np.asarray(micrograph.image), frames)


def test_levels_that_the_file_holds_are_used(tmp_path):
    pixels = picture(shape=(256, 320))
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(pixels, subifds=1, tile=(64, 64), photometric="minisblack", metadata=None)
        halved = pixels.reshape(128, 2, 160, 2).mean(axis=(1, 3)).astype(np.uint8)
        writer.write(halved, subfiletype=1, tile=(64, 64), photometric="minisblack", metadata=None)
    micrograph = read_micrograph(path)
    assert len(micrograph.coarser) == 1
    assert np.array_equal(np.asarray(micrograph.coarser[0]), halved)
    assert np.array_equal(np.asarray(micrograph.image), pixels)


def test_what_is_compressed_in_one_piece_is_loaded_and_seen_in_levels(sem_tiff, monkeypatch):
    monkeypatch.setattr(lazy, "_LARGEST_SEGMENT", 10_000)
    pixels = picture()
    micrograph = read_micrograph(sem_tiff(pixels, rowsperstrip=203, compression="zlib"))
    assert not is_lazy(micrograph.image)
    assert np.array_equal(micrograph.image, pixels)
    assert np.array_equal(micrograph.coarser[1], pixels[::4, ::4])


def test_a_large_picture_that_is_cut_off_is_refused_at_once(sem_tiff):
    for options in ({}, {"rowsperstrip": 16, "compression": "zlib"}):
        path = sem_tiff(picture(), **options)
        path.write_bytes(path.read_bytes()[:-3000])
        with pytest.raises(UnreadableImage, match=r"cut off|damaged"):
            read_micrograph(path)


def test_a_file_that_went_away_says_so_when_it_is_needed(sem_tiff):
    path = sem_tiff(picture())
    micrograph = read_micrograph(path)
    path.unlink()
    with pytest.raises(UnreadableImage, match="Open the file again"):
        np.asarray(micrograph.image)
