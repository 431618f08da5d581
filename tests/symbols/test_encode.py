"""Symbols: equal to other encoders', readable by other readers, and no byte is ever changed."""

from __future__ import annotations

import numpy as np
import pytest
import qrcodegen
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import (
    PayloadTooLong,
    byte_capacity,
    encode,
    fitting_version,
    missing_bits,
)
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.tables import LEVELS, alignment_centres, block_structure

QRCODEGEN_LEVELS = dict(
    zip(LEVELS, (getattr(qrcodegen.QrCode.Ecc, n) for n in ("LOW", "MEDIUM", "QUARTILE", "HIGH")),
        strict=True)
)  # fmt: skip


@pytest.mark.parametrize("version", range(1, 41))
def test_modules_equal_those_of_qrcodegen(version: int) -> None:
    for number, error in enumerate(LEVELS):
        payload = bytes([0x80 + version]) * (byte_capacity(version, error) - number)
        mask = (version + number) % 8
        segment = qrcodegen.QrSegment.make_bytes(payload)
        other = qrcodegen.QrCode.encode_segments(
            [segment], QRCODEGEN_LEVELS[error], version, version, mask, False
        )
        side = range(other.get_size())
        expected = [[other.get_module(x, y) for x in side] for y in side]
        assert encode(payload, error, version, mask).matrix.tolist() == expected


@pytest.mark.parametrize("payload", [b"HTTPS://EXAMPLE.ORG/A-1", b"31415926535897932384"])
def test_compact_modes_equal_those_of_other_encoders(payload: bytes) -> None:
    segments = qrcodegen.QrSegment.make_segments(payload.decode())
    level = QRCODEGEN_LEVELS["Q"]
    other = qrcodegen.QrCode.encode_segments(segments, level, 2, 2, 3, False)
    side = range(other.get_size())
    ours = encode(payload, "Q", 2, 3)
    assert ours.matrix.tolist() == [[other.get_module(x, y) for x in side] for y in side]


def test_a_full_symbol_equals_that_of_segno() -> None:
    # segno pads otherwise than the standard: only a full symbol can be compared
    payload = b"\xb5" * byte_capacity(5, "H")
    other = segno.make(payload, error="h", version=5, mask=6, mode="byte", boost_error=False)
    ours = encode(payload, "H", 5, 6)
    assert ours.matrix.tolist() == [[bool(m) for m in row] for row in other.matrix]


@settings(max_examples=60)
@given(
    payload=st.one_of(
        st.binary(min_size=1, max_size=300),
        st.text("0123456789ABC $%abc", min_size=1, max_size=200).map(str.encode),
    ),
    error=st.sampled_from(LEVELS),
)
def test_the_same_bytes_come_out(payload: bytes, error: str) -> None:
    symbol = encode(payload, error)
    decoded = decode_modules(symbol.matrix)
    assert decoded.symbol == symbol
    assert not decoded.wrong.any()
    assert set(decoded.corrected) == {0}


@settings(max_examples=40)
@given(
    payload=st.one_of(
        st.binary(min_size=1, max_size=200),
        st.text("0123456789ABC $%abc", min_size=1, max_size=200).map(str.encode),
    )
)
def test_another_reader_reads_the_same_bytes(payload: bytes) -> None:
    matrix = np.pad(encode(payload, "L").matrix, 4)
    picture = np.kron(~matrix, np.ones((4, 4), dtype=np.uint8)) * np.uint8(255)
    barcode = zxingcpp.read_barcode(picture, zxingcpp.BarcodeFormat.QRCode)
    assert barcode is not None
    assert barcode.bytes == payload


@pytest.mark.parametrize(("version", "error"), [(1, "L"), (3, "L"), (10, "Q"), (40, "H")])
def test_as_many_wrong_codewords_as_promised_are_corrected(version: int, error: str) -> None:
    payload = b"\xfe" * byte_capacity(version, error)
    symbol = encode(payload, error, version)
    structure = block_structure(version, error)
    # the first codewords placed alternate between the blocks: spoil so many of each block
    rows, columns = qr_layout(version).codeword_places
    spoiled = symbol.matrix.copy()
    count = 8 * structure.correctable * len(structure.data)
    spoiled[rows[:count], columns[:count]] ^= True
    decoded = decode_modules(spoiled)
    assert decoded.symbol == symbol
    assert decoded.corrected == (structure.correctable,) * len(structure.data)
    assert decoded.wrong.sum() == count


def test_alignment_patterns_stand_where_the_standard_puts_them() -> None:
    # ISO/IEC 18004:2015, annex E
    assert alignment_centres(1) == ()
    assert alignment_centres(2) == (6, 18)
    assert alignment_centres(32) == (6, 34, 60, 86, 112, 138)
    assert alignment_centres(40) == (6, 30, 58, 86, 114, 142, 170)


def test_text_is_stored_as_utf8() -> None:
    assert encode("µm²").payload == "µm²".encode()


def test_the_level_is_never_raised_silently() -> None:
    assert encode("A", "L").error == "L"


def test_the_record_needs_version_3() -> None:
    symbol = encode("https://www.tuwien.at/en/tu-wien/news/smallest-qr-code", "L")
    assert (symbol.version, symbol.modules) == (4, 33)
    assert encode("https://www.tuwien.at/en/news/smallest-qr", "L").version == 3


class TestATooLongPayload:
    def test_says_by_how_much_and_which_version_holds_it(self) -> None:
        with pytest.raises(PayloadTooLong, match=r"by 18 bytes .*version 4-M") as caught:
            encode(b"\xff" * 60, "M", 3)
        assert caught.value.missing_bits == 140

    def test_names_the_strongest_level_that_still_holds_it(self) -> None:
        with pytest.raises(PayloadTooLong, match="level M at version 3"):
            encode(b"\xff" * 40, "Q", 3)
        with pytest.raises(PayloadTooLong, match="level L"):
            encode(b"\xff" * 2900, "H")

    def test_says_when_nothing_holds_it(self) -> None:
        with pytest.raises(PayloadTooLong, match="No QR code holds more than 2953"):
            encode(b"\xff" * 2954, "L")

    def test_begins_one_byte_above_the_capacity(self) -> None:
        for version in (1, 9, 10, 26, 27, 40):
            full = b"\xff" * byte_capacity(version, "M")
            assert encode(full, "M", version).version == version
            assert missing_bits(full + b"\xff", "M", version) > 0

    def test_fits_the_capacities_of_the_standard(self) -> None:
        # ISO/IEC 18004:2015, table 7
        assert fitting_version(b"7" * 7089, "L") == 40
        assert fitting_version(b"7" * 7090, "L") is None
        assert fitting_version(b"A" * 1852, "H") == 40
        assert fitting_version(b"A" * 1853, "H") is None
        assert [byte_capacity(v, e) for v, e in ((1, "L"), (3, "L"), (40, "H"))] == [17, 53, 1273]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((b"",), "empty"),
        ((b"a", "X"), "use L, M, Q or H"),
        ((b"a", "M", 41), "use 1 to 40"),
        ((b"a", "M", 0), "use 1 to 40"),
        ((b"a", "M", 1, 8), "use 0 to 7"),
    ],
)
def test_what_does_not_exist_is_refused(arguments: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        encode(*arguments)  # type: ignore[arg-type]
