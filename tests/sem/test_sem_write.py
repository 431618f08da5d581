"""What is written comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_nanoqr.sem.describe import describe_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.sem.read import read_micrograph, recognises
from napari_nanoqr.sem.write import write_micrograph

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=12)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
sizes = st.floats(0.01, 1e5).map(lambda value: float(f"{value:.12g}"))
dtypes = st.sampled_from(
    ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8", "?", "u8", "i8", ">u2"]
)


@st.composite
def arrays_of(draw, frames, max_rows=6, columns=7):
    dtype = np.dtype(draw(dtypes))
    rows = draw(st.integers(1, max_rows))
    shape = (rows, columns) if frames is None else (frames, rows, columns)
    elements = None
    if dtype.kind == "f":
        width = dtype.itemsize * 8
        elements = st.floats(width=width, allow_infinity=False, allow_nan=False)
    if dtype.itemsize == 8 and dtype.kind in "iu":
        elements = st.integers(0 if dtype.kind == "u" else -1000, 2**40)
    return draw(arrays(dtype, shape, elements=elements))


@st.composite
def micrographs(draw):
    frames = draw(st.none() | st.integers(1, 3))
    size = draw(st.none() | st.tuples(sizes, sizes))
    metadata = draw(st.dictionaries(st.text(max_size=8), plain_values, max_size=4))
    metadata |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "vendor": st.text(min_size=1, max_size=9),
                "tilt_deg": st.floats(-60, 60),
                "dwell_s": st.floats(1e-9, 1),
                "detector": st.text(max_size=9),
            },
        )
    )
    return Micrograph(
        image=draw(arrays_of(frames)),
        pixel_size_nm=size,
        pixel_size_source=None if size is None else draw(st.text(max_size=12)),
        metadata={key: value for key, value in metadata.items() if value is not None},
        databar=draw(st.none() | arrays_of(frames)),
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(micrographs())
def test_a_micrograph_comes_back_equal(tmp_path, micrograph):
    path = write_micrograph(micrograph, tmp_path / "image.ome.tif")
    back = read_micrograph(path)
    assert np.array_equal(back.image, micrograph.image)
    assert back.image.shape == micrograph.image.shape
    assert back.image.dtype == micrograph.image.dtype.newbyteorder("=")
    assert back.pixel_size_nm == micrograph.pixel_size_nm
    assert back.pixel_size_source == micrograph.pixel_size_source
    assert back.metadata == micrograph.metadata
    assert (back.databar is None) == (micrograph.databar is None)
    if micrograph.databar is not None:
        assert np.array_equal(back.databar, micrograph.databar)
        assert back.databar.dtype == micrograph.databar.dtype.newbyteorder("=")
    assert recognises(path)


def test_other_programs_find_the_pixel_size_and_the_frames(tmp_path, image):
    stack = np.stack([image, image + 1])
    micrograph = Micrograph(stack, (7.5, 6.125), "user", {"tilt_deg": 52.0}, databar=stack[:, :3])
    path = write_micrograph(micrograph, tmp_path / "image.tif")
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome
        assert [series.axes for series in tiff.series] == ["TYX", "TYX"]
        assert np.array_equal(tiff.series[0].asarray(), stack)
        described = tifffile.xml2dict(tiff.ome_metadata)["OME"]
    pixels = described["Image"][0]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (6.125, "nm")
    assert (pixels["PhysicalSizeY"], pixels["PhysicalSizeYUnit"]) == (7.5, "nm")


def test_a_file_read_from_a_microscope_survives_being_written(tmp_path, sem_tiff, image):
    text = (
        "[Scan]\r\nPixelWidth=6.125e-09\r\nPixelHeight=6.125e-09\r\n"
        "[Image]\r\nResolutionX=32\r\nResolutionY=20\r\n"
    )
    first = read_micrograph(sem_tiff(image, {34682: text}))
    second = read_micrograph(write_micrograph(first, tmp_path / "copy.tif"))
    assert second.pixel_size_source == "Thermo/FEI tag 34682"
    assert second.metadata == first.metadata
    assert np.array_equal(second.databar, first.databar)
    one, two = describe_micrograph(first), describe_micrograph(second)
    assert one | {"file": None} == two | {"file": None}


def test_a_changed_copy_whose_notes_no_longer_fit_is_refused(tmp_path, image):
    path = write_micrograph(Micrograph(np.stack([image] * 3), (5.0, 5.0)), tmp_path / "image.tif")
    with tifffile.TiffFile(path) as tiff:
        description = tiff.pages[0].description
    tifffile.imwrite(path, image, description=description, metadata=None)
    with pytest.raises(ValueError, match="lost frames"):
        read_micrograph(path)


@pytest.mark.parametrize(
    ("micrograph", "sentence"),
    [
        (Micrograph(np.zeros((0, 5), np.uint8)), "no pixels"),
        (Micrograph(np.zeros((4, 5), np.complex64)), "without loss"),
        (Micrograph(np.full((4, 5), 2**63 + 1, np.uint64)), "without loss"),
        (Micrograph(np.zeros((4, 5)), metadata={"a": float("nan")}), "'a'"),
        (Micrograph(np.zeros((4, 5)), metadata={"a": {1, 2}}), "'a'"),
        (Micrograph(np.zeros((4, 5)), databar=np.zeros(5)), "data bar"),
    ],
    ids=["empty", "complex", "64 bit", "nan", "set", "data bar"],
)
def test_what_cannot_be_saved_says_so_and_leaves_the_old_file(
    tmp_path, image, micrograph, sentence
):
    path = write_micrograph(Micrograph(image), tmp_path / "image.tif")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=sentence):
        write_micrograph(micrograph, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, image, monkeypatch):
    path = write_micrograph(Micrograph(image), tmp_path / "image.tif")
    before = path.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    with pytest.raises(OSError, match="No space"):
        write_micrograph(Micrograph(image + 1), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_name_ends_in_tif(tmp_path, image):
    with pytest.raises(ValueError, match=r"\.tif"):
        write_micrograph(Micrograph(image), tmp_path / "image.png")
