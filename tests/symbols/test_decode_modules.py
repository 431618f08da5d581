"""Sampled modules: decoded where the standard allows, refused where it does not."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.symbols.decode import Undecodable, decode_modules
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.segments import shortest_segments, stream_length
from napari_nanoqr.symbols.stream import BadStream, Content, read_stream
from napari_nanoqr.symbols.symbol import as_text
from napari_nanoqr.symbols.syntax import qr_syntax


def test_noise_is_never_decoded() -> None:
    rng = np.random.default_rng(3)
    for side in (25, 29, 45):
        for _ in range(20):
            with pytest.raises(Undecodable):
                decode_modules(rng.random((side, side)) < 0.5)


@pytest.mark.parametrize("shape", [(20, 20), (22, 22), (21, 25), (181, 181), (19, 19)])
def test_a_matrix_that_is_no_qr_code_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(Undecodable, match="not a symbol"):
        decode_modules(np.zeros(shape, dtype=bool))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), rate=st.floats(0, 0.08))
def test_scattered_errors_never_give_wrong_bytes(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    payload = rng.bytes(10)
    symbol = encode(payload, "H", 4)
    sampled = symbol.matrix ^ (rng.random(symbol.matrix.shape) < rate)
    try:
        decoded = decode_modules(sampled)
    except Undecodable:
        return
    assert decoded.symbol.payload == payload
    assert (decoded.wrong == (sampled ^ symbol.matrix)).all()


def test_the_chance_of_an_accident_grows_with_each_correction() -> None:
    symbol = encode(b"twelve bytes", "L", 2)
    sampled = symbol.matrix.copy()
    chances = [decode_modules(sampled).chance]
    for row in (20, 15):
        sampled[row, 22:] ^= True
        chances.append(decode_modules(sampled).chance)
    assert chances[0] == pytest.approx(256.0**-10)
    assert chances == sorted(chances)
    assert len(set(chances)) == 3


def test_kanji_of_another_encoder_are_read_as_text() -> None:
    kanji = zxingcpp.create_barcode("点茗", zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = np.array(kanji.to_image(scale=1, add_quiet_zones=False)) < 128
    content = decode_modules(picture).content
    assert content.payload.decode() == "点茗"
    assert content.stored == kanji.bytes


class TestTheBitStream:
    def test_joins_kanji_eci_and_structured_append(self) -> None:
        bits = "0011" + "0001" + "0010" + f"{0x5A:08b}"  # second of three symbols
        bits += "0111" + f"{26:08b}"  # ECI 26: UTF-8
        bits += "1000" + f"{1:08b}" + f"{0x0D9F:013b}"  # one Kanji: the standard's 7.4.6 example
        bits += "0001" + f"{4:010b}" + f"{123:010b}" + f"{4:04b}"
        bits += "0010" + f"{3:09b}" + f"{10 * 45 + 11:011b}" + f"{44:06b}"
        content = _read(bits + "0000")
        assert content.structured_append == (1, 3, 0x5A)
        assert content.eci == 26
        assert content.payload == "点1234AB:".encode()
        assert content.stored == b"\x93\x5f" + b"1234" + b"AB:"

    @pytest.mark.parametrize(
        "bits",
        [
            "0001" + f"{3:010b}" + f"{1000:010b}",
            "0010" + f"{2:09b}" + f"{2025:011b}",
            "0010" + f"{1:09b}" + f"{45:06b}",
            "0100" + f"{200:08b}" + "0" * 16,
            "0111" + "11111111",
            "0011" + "0101" + "0001" + "00000000",
            "0110" + "0" * 20,
        ],
        ids=["digits", "pair", "character", "short", "eci", "append", "mode"],
    )
    def test_refuses_what_the_standard_forbids(self, bits: str) -> None:
        with pytest.raises(BadStream):
            _read(bits)

    def test_is_never_longer_than_in_byte_mode(self) -> None:
        rng = np.random.default_rng(5)
        for _ in range(50):
            payload = bytes(rng.choice(list(b"0123456789ABCxyz\xff"), size=40).astype(np.uint8))
            for version in (9, 26, 40):
                syntax = qr_syntax(version)
                segments = shortest_segments(payload, syntax)
                assert b"".join(s.data for s in segments) == payload
                assert stream_length(segments, syntax) <= 8 * 40 + syntax.head_bits("byte")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"https://example.org", "https://example.org"),
        ("µm\n".encode(), "µm\n"),
        (b"\xff\xfe", None),
        (b"a\x00b", None),
    ],
)
def test_text_is_text_only_where_people_could_read_it(payload: bytes, text: str | None) -> None:
    assert as_text(payload) == text


def _read(bits: str) -> Content:
    padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
    codewords = np.packbits(np.array([c == "1" for c in padded]))
    return read_stream(codewords, qr_syntax(1), len(padded))
