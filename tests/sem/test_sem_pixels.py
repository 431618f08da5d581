"""Pixels come as they are stored, all frames as grey values; or a sentence says why not."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_nanoqr.sem.errors import UnreadableImage
from napari_nanoqr.sem.read import read_micrograph, recognises


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<u2", "u4", "i2", "f4", "f8"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
def test_plain_tiffs_keep_their_values_and_have_no_pixel_size(sem_tiff, dtype, compression):
    data = (np.arange(24 * 32).reshape(24, 32) % 250).astype(dtype)
    order = ">" if dtype.startswith(">") else "<"
    path = sem_tiff(data, compression=compression, byteorder=order, resolution=(300, 300))
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, data)
    assert micrograph.image.dtype == np.dtype(dtype).newbyteorder("=")
    assert micrograph.image.dtype.isnative
    assert micrograph.pixel_size_nm is None
    assert micrograph.pixel_size_source is None
    assert micrograph.metadata == {}
    assert micrograph.path == path
    assert not recognises(path)


def test_pages_are_frames(sem_tiff, image):
    stack = np.stack([image + k for k in range(5)])
    micrograph = read_micrograph(sem_tiff(stack))
    assert micrograph.frames == 5
    assert np.array_equal(micrograph.image, stack)


@pytest.mark.parametrize("thumbnail_first", [False, True])
@pytest.mark.parametrize("flagged", [False, True])
def test_thumbnails_are_left_out(tmp_path, image, thumbnail_first, flagged):
    path = tmp_path / "image.tif"
    frames = [image, image + 1]
    pages = [*frames, image[::4, ::4]]
    if thumbnail_first:
        pages = [pages[-1], *frames]
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            reduced = flagged and page.shape != image.shape
            writer.write(page, subfiletype=1 if reduced else 0, metadata=None)
    assert np.array_equal(read_micrograph(path).image, np.stack(frames))


def test_a_preview_of_full_size_is_no_frame(tmp_path, image):
    path = tmp_path / "image.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(image, metadata=None)
        writer.write(image // 2, subfiletype=1, metadata=None)
        writer.write(np.stack([image] * 3, axis=-1), photometric="rgb", metadata=None)
    assert np.array_equal(read_micrograph(path).image, image)


def test_rgb_screenshots_become_grey(sem_tiff, image):
    grey = np.stack([image] * 3, axis=-1)
    assert np.array_equal(read_micrograph(sem_tiff(grey, photometric="rgb")).image, image)
    planar = np.stack([image] * 3)
    path = sem_tiff(planar, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_micrograph(path).image, image)
    coloured = grey.copy()
    coloured[..., 0] = 255
    values = read_micrograph(sem_tiff(coloured, photometric="rgb")).image
    assert values.dtype == np.uint8
    assert values.shape == image.shape
    assert not np.array_equal(values, image)


def test_palettes(sem_tiff, image):
    levels = np.arange(256, dtype=np.uint16)

    def read(colormap):
        return read_micrograph(sem_tiff(image, photometric="palette", colormap=colormap)).image

    assert np.array_equal(read(np.stack([levels * 257] * 3)), image)
    assert np.array_equal(read(np.stack([levels * 256] * 3)), image)
    assert np.array_equal(read(np.stack([levels[::-1] * 257] * 3)), 255 - image)
    squared = (levels.astype(np.uint32) ** 2).astype(np.uint16)
    assert np.array_equal(read(np.stack([squared] * 3)), squared[image])
    green = np.stack([levels * 0, levels * 257, levels * 0])
    values = read(green)
    assert values.dtype == np.uint8
    assert np.array_equal(values, np.rint(0.7152 * image).astype(np.uint8))


def test_a_palette_with_a_coloured_overlay_keeps_its_grey_values(sem_tiff, image):
    levels = np.arange(256, dtype=np.uint16) * 257
    colormap = np.stack([levels] * 3)
    colormap[:, 255] = (65535, 0, 0)
    values = read_micrograph(sem_tiff(image, photometric="palette", colormap=colormap)).image
    assert image.max() < 255
    assert np.array_equal(values, image)


def test_white_is_zero_is_turned_round(sem_tiff, image):
    path = sem_tiff(image, photometric="miniswhite")
    assert np.array_equal(read_micrograph(path).image, 255 - image)


def test_one_bit_becomes_black_and_white(sem_tiff, image):
    bits = image > 99
    for photometric, expected in (("minisblack", bits), ("miniswhite", ~bits)):
        path = sem_tiff(bits, photometric=photometric)
        assert np.array_equal(read_micrograph(path).image, expected * np.uint8(255))


def test_tiles_and_big_tiffs(sem_tiff):
    data = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    path = sem_tiff(data, tile=(32, 32), bigtiff=True, compression="deflate")
    assert np.array_equal(read_micrograph(path).image, data)


@pytest.mark.parametrize("ending", ["png", "bmp", "webp", "jpg", "gif"])
def test_pictures_have_no_pixel_size(tmp_path, ending):
    data = np.full((24, 32), 90, np.uint8)
    path = tmp_path / f"image.{ending}"
    Image.fromarray(data).save(path, **({"lossless": True} if ending == "webp" else {}))
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, data)
    assert micrograph.image.dtype == np.uint8
    assert micrograph.pixel_size_nm is None
    assert not recognises(path)


def test_pictures_of_every_mode(tmp_path, image):
    path = tmp_path / "image.png"
    wide = image.astype(np.uint16) * 250
    Image.fromarray(wide).save(path)
    assert np.array_equal(read_micrograph(path).image, wide)
    assert read_micrograph(path).image.dtype == np.uint16
    for mode in ("RGB", "RGBA", "LA", "P"):
        Image.fromarray(image).convert(mode).save(path)
        assert np.array_equal(read_micrograph(path).image, image)
    Image.fromarray(image > 99).save(path)
    assert np.array_equal(read_micrograph(path).image, (image > 99) * np.uint8(255))


def test_an_ending_does_not_matter(sem_tiff, image):
    path = sem_tiff(image, name="image.dat")
    assert np.array_equal(read_micrograph(path).image, image)


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_micrograph(tmp_path / "none.tif")
    assert not recognises(tmp_path / "none.tif")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"just some text, not an image", "not an image"),
        (b"II*\x00", "damaged"),
        (b"II*\x00\xff\xff\xff\x7f", "TIFF"),
        (b"MM\x00*\x00\x00\x00\x08\x00\x00", "TIFF"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 30, "image"),
        (b"BM" + b"\xff" * 60, "image"),
    ],
    ids=["empty", "text", "cut header", "offset behind the end", "no tags", "png", "bmp"],
)
def test_what_is_no_image_says_so(tmp_path, data, sentence):
    path = tmp_path / "image.tif"
    path.write_bytes(data)
    with pytest.raises(UnreadableImage, match=sentence) as caught:
        read_micrograph(path)
    assert "image.tif" in str(caught.value)
    assert not recognises(path)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(UnreadableImage, match="folder"):
        read_micrograph(tmp_path)


@pytest.mark.parametrize("compression", [None, "deflate", "lzw"])
def test_a_file_that_was_cut_off_is_not_half_an_image(sem_tiff, compression):
    noise = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    path = sem_tiff(noise, compression=compression, rowsperstrip=16)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 900])
    with pytest.raises(UnreadableImage, match=r"cut off|damaged"):
        read_micrograph(path)


def test_a_stack_that_was_cut_off_within_a_frame_is_refused(sem_tiff, image):
    path = sem_tiff(np.stack([image] * 4))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 100])
    with pytest.raises(UnreadableImage, match=r"cut off|damaged"):
        read_micrograph(path)


def test_a_damaged_png_is_refused(tmp_path):
    noise = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    path = tmp_path / "image.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(UnreadableImage, match="cut off"):
        read_micrograph(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.integers(0, 2000),
    noise=st.binary(min_size=1, max_size=8),
)
def test_damage_anywhere_gives_an_image_or_a_sentence(sem_tiff, place, noise):
    tags = {34682: "[Scan]\r\nPixelWidth=6e-09\r\n", 50431: b"\x08\x00\x00\x00\x02\x00PixelS"}
    path = sem_tiff(None, tags, name="damaged.tif")
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place : place + len(noise)] = noise
    path.write_bytes(data)
    recognises(path)
    try:
        shape = read_micrograph(path).image.shape
    except UnreadableImage as error:
        shape = str(error)
    assert "damaged.tif" in shape or len(shape) in (2, 3)


def test_tifffiles_complaints_become_notes_and_stay_off_the_screen(tmp_path, image, caplog):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, np.stack([image] * 3), metadata=None, photometric="minisblack")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        last = tiff.pages[2].offset
        after_first = tiff.pages[0].offset + 2 + 12 * len(tiff.pages[0].tags)
    assert int.from_bytes(data[after_first : after_first + 4], "little") != last
    data[after_first : after_first + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, image)
    assert any("headers are damaged" in note for note in micrograph.metadata["notes"])
    assert not caplog.records


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tag", [256, 257])
def test_headers_that_tell_a_smaller_picture_than_there_is_are_refused(
    sem_tiff, image, compression, tag
):
    path = sem_tiff(np.tile(image, (20, 20)), compression=compression, rowsperstrip=8)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags[tag].overwrite(40)
    with pytest.raises(UnreadableImage, match=r"larger picture|cannot be decoded"):
        read_micrograph(path)


def test_a_description_that_promises_what_is_not_there_costs_no_pixel(tmp_path, image):
    path = tmp_path / "ome.tif"
    xml = "<OME><Image><Pixels PhysicalSizeX='0.004'/></Image></OME>"
    tifffile.imwrite(path, image, description=xml, metadata=None)
    micrograph = read_micrograph(path)
    assert np.array_equal(micrograph.image, image)
    assert micrograph.pixel_size_nm == (4.0, 4.0)
