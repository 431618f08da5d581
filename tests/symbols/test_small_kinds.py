"""Micro QR and rMQR codes: as other encoders write them, and no byte is ever changed."""

from __future__ import annotations

import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.encode import PayloadTooLong, byte_capacity, encode
from napari_nanoqr.symbols.kinds import NoSymbol, layout_named, layout_of
from napari_nanoqr.symbols.micro import VERSIONS
from napari_nanoqr.symbols.rectangular import SIZES

MICRO = [(version, error) for version in VERSIONS for error in layout_named(version).blocks]
RECTANGULAR = [(f"R{rows}x{columns}", error) for rows, columns in SIZES for error in ("M", "H")]


def written_by_zxing(text: str, kind: object, version: int, error: str) -> np.ndarray:
    barcode = zxingcpp.create_barcode(text, kind, version=version, ec_level=error)
    return np.array(barcode.to_image(scale=1, add_quiet_zones=False)) == 0


def text_for(version: str, error: str) -> str:
    """As many bytes as fit, or digits."""
    return "nanoqr code of a size"[: byte_capacity(version, error)] or "31"


@pytest.mark.parametrize(("version", "error"), MICRO)
def test_micro_qr_codes_equal_those_of_zxing(version: str, error: str) -> None:
    text = text_for(version, error)
    kind = zxingcpp.BarcodeFormat.MicroQRCode
    theirs = written_by_zxing(text, kind, int(version[1]), error)
    # without being told the mask: both follow the standard's rule
    assert encode(text, error, version).matrix.tolist() == theirs.tolist()
    assert decode_modules(theirs).symbol.payload == text.encode()


@pytest.mark.parametrize("mask", range(4))
def test_full_micro_qr_codes_equal_those_of_segno(mask: int) -> None:
    # segno pads otherwise than the standard: only full symbols can be compared
    for text, version, error in (("12345", "M1", "L"), ("ABC12", "M2", "L"), ("1" * 23, "M3", "L")):
        level = None if version == "M1" else error
        other = segno.make_micro(text, level, version, mask=mask, boost_error=False)
        ours = encode(text, error, version, mask).matrix
        assert ours.tolist() == [[bool(m) for m in row] for row in other.matrix]


@pytest.mark.parametrize(("version", "error"), RECTANGULAR)
def test_rmqr_codes_equal_those_of_zxing(version: str, error: str) -> None:
    text = text_for(version, error)
    number = [name for name, _ in RECTANGULAR[::2]].index(version) + 1
    theirs = written_by_zxing(text, zxingcpp.BarcodeFormat.RMQRCode, number, error)
    assert encode(text, error, version).matrix.tolist() == theirs.tolist()
    assert decode_modules(theirs).symbol.payload == text.encode()


@settings(max_examples=80, deadline=None)
@given(kind=st.sampled_from(MICRO + RECTANGULAR), data=st.data())
def test_the_same_payload_comes_out(kind: tuple[str, str], data: st.DataObject) -> None:
    version, error = kind
    capacity = byte_capacity(version, error)
    digits = st.text("0123456789", min_size=1, max_size=4).map(str.encode)
    payload = data.draw(st.binary(min_size=1, max_size=capacity) if capacity else digits)
    decoded = decode_modules(encode(payload, error, version).matrix)
    assert decoded.symbol.payload == payload
    assert not decoded.wrong.any()


@pytest.mark.parametrize(("version", "error"), [*MICRO, *RECTANGULAR[::5]])
def test_as_many_wrong_codewords_as_promised_are_corrected(version: str, error: str) -> None:
    symbol = encode("7", error, version)
    layout = layout_named(version)
    structure = layout.blocks[error]
    rows, columns = layout.codeword_places
    spoiled = symbol.matrix.copy()
    # the first codewords placed alternate between the blocks
    count = 8 * structure.correctable * len(structure.data)
    spoiled[rows[:count], columns[:count]] ^= True
    assert decode_modules(spoiled).symbol == symbol
    assert decode_modules(spoiled).wrong.sum() == count


def test_a_single_wrong_module_is_noticed_where_nothing_is_corrected() -> None:
    symbol = encode("12345", "L", "M1")
    rows, columns = layout_named("M1").codeword_places
    for row, column in zip(rows, columns, strict=True):
        spoiled = symbol.matrix.copy()
        spoiled[row, column] ^= True
        with pytest.raises(Undecodable):
            decode_modules(spoiled)


def test_every_size_belongs_to_one_version() -> None:
    versions = [*range(1, 41), *VERSIONS, *(name for name, _ in RECTANGULAR[::2])]
    layouts = [layout_named(version) for version in versions]
    assert [layout_of(layout.shape) for layout in layouts] == layouts
    for shape in ((9, 9), (19, 19), (7, 27), (43, 7), (11,), (5, 5, 5)):
        with pytest.raises(NoSymbol):
            layout_of(shape)


def test_every_module_is_either_certain_or_free() -> None:
    for name in (2, 7, "M3", "R7x43", "R9x139", "R17x77"):
        layout = layout_named(name)
        count = np.zeros(layout.shape, dtype=int)
        for rows, columns in (layout.codeword_places, layout.format_places):
            np.add.at(count, (rows, columns), 1)
        np.testing.assert_array_equal(count + layout.certain, 1)
        assert not (layout.dark & ~layout.certain).any()


def test_formats_lie_far_apart() -> None:
    words = {w.tobytes(): w for v in VERSIONS for w in layout_named(v).format_words}
    assert len(words) == 32
    distances = [(a != b).sum() for a in words.values() for b in words.values() if a is not b]
    assert min(distances) >= 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("abc", "L", "M1"), "another mode than numeric"),
        (("abc", "L", "M2"), "another mode than numeric and alphanumeric"),
        (("1", "M", "M1"), "M1 has no level M: use L"),
        (("1", "Q", "R7x43"), "use M or H"),
        (("1", "L", "M2", 4), "use 0 to 3"),
        (("1", "M", "R7x43", 1), "use 0 to 0"),
        (("1", "M", "R7x27"), "Version R7x27 does not exist"),
        (("1", "M", "M5"), "Version M5 does not exist"),
    ],
)
def test_what_does_not_exist_is_refused(arguments: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        encode(*arguments)  # type: ignore[arg-type]


def test_a_payload_that_is_too_long_is_told_what_would_hold_it() -> None:
    with pytest.raises(PayloadTooLong, match=r"M4-Q by .* version 1-Q .* level M at M4"):
        encode("ten bytes!", "Q", "M4")
