"""Text in the Kanji mode and in other character sets: fewer bits, the same text for everyone."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
import qrcodegen
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.symbols.decode import decode_modules
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.segments import BYTE, KANJI, Segment, shortest_segments, stream_length
from napari_nanoqr.symbols.soft_decode import decode_likelihoods
from napari_nanoqr.symbols.syntax import qr_syntax
from napari_nanoqr.symbols.tables import LEVELS

JAPANESE = "ミクロンのコード、東京都千代田区"


def read_by_zxing(matrix: np.ndarray) -> Any:
    kinds = zxingcpp.BarcodeFormat
    picture = np.kron(~np.pad(matrix, 4), np.ones((3, 3), dtype=np.uint8)) * np.uint8(255)
    return zxingcpp.read_barcode(
        picture,
        formats=zxingcpp.BarcodeFormats([kinds.QRCode, kinds.MicroQRCode, kinds.RMQRCode]),
        text_mode=zxingcpp.TextMode.Plain,
        is_pure=True,
    )


def modes(text: str, eci: bool = False, version: int | str = 10) -> list[str]:
    segments = shortest_segments(text, layout_named(version).syntax, eci)
    return [segment.mode.name for segment in segments]


TEXTS = st.lists(
    st.one_of(
        st.text("点茗日本語カナ、", max_size=6),
        st.text("abcABC 0123:é", max_size=8),
        st.text("ΩЖ×°", max_size=5),
        st.text("ｶﾅ①＼〜한😀", max_size=3),
    ),
    min_size=1,
    max_size=6,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS.filter(bool), kind=st.sampled_from(["QR", "rMQR"]), eci=st.booleans())
def test_all_readers_read_the_same_text(text: str, kind: str, eci: bool) -> None:
    symbol = encode(text, "M", symbology=kind, eci=eci)
    decoded = decode_modules(symbol.matrix)
    assert symbol.payload == text.encode()
    assert decoded.symbol == symbol
    barcode = read_by_zxing(symbol.matrix)
    assert barcode.text == text
    assert barcode.bytes == decoded.content.stored


@pytest.mark.parametrize(
    ("text", "version"),
    [("点茗", "M3"), ("日本語です", "M4"), (JAPANESE, "R13x43"), (JAPANESE, 2)],
)
def test_kanji_of_all_kinds_are_read_by_others_and_from_likelihoods(
    text: str, version: int | str
) -> None:
    symbol = encode(text, "M", version)
    assert modes(text, version=version) == ["kanji"]
    assert read_by_zxing(symbol.matrix).text == text
    likelihoods = np.where(symbol.matrix, -4.0, 4.0).astype(np.float32)
    assert decode_likelihoods(likelihoods).symbol.text == text


def test_kanji_symbols_equal_those_of_other_encoders() -> None:
    text = JAPANESE[:-1] + "　"
    level = qrcodegen.QrCode.Ecc.QUARTILE
    # qrcodegen leaves the Kanji mode to its users: 13 bits each, as 7.4.6 says
    bits: list[int] = []
    for character in text:
        code = int.from_bytes(character.encode("shift_jis"), "big")
        high, low = divmod(code - (0x8140 if code <= 0x9FFC else 0xC140), 0x100)
        bits += [(high * 0xC0 + low) >> (12 - i) & 1 for i in range(13)]
    segment = qrcodegen.QrSegment(qrcodegen.QrSegment.Mode.KANJI, len(text), bits)
    other = qrcodegen.QrCode.encode_segments([segment], level, 3, 3, 5, False)
    side = range(other.get_size())
    ours = encode(text, "Q", 3, 5).matrix
    assert ours.tolist() == [[other.get_module(x, y) for x in side] for y in side]


def test_a_full_kanji_symbol_equals_that_of_segno() -> None:
    # segno pads otherwise than the standard: 10 characters leave less than a codeword in 1-L
    other = segno.make("点茗" * 5, error="l", version=1, mask=2, mode="kanji", boost_error=False)
    ours = encode("点茗" * 5, "L", 1, 2).matrix
    assert ours.tolist() == [[bool(m) for m in row] for row in other.matrix]


def test_the_example_of_the_standard() -> None:
    # ISO/IEC 18004:2015, 7.4.6
    from napari_nanoqr.symbols.segments import write_stream

    bits = write_stream(shortest_segments("点茗", qr_syntax(1)), qr_syntax(1))
    assert "".join(map(str, bits)) == "10000000001001101100111111101010101010"


class TestTheModes:
    def test_only_text_is_stored_as_kanji(self) -> None:
        assert modes("日本") == ["kanji"]
        for payload in ("日本".encode(), "日本".encode("shift_jis")):
            assert [s.mode for s in shortest_segments(payload, qr_syntax(1), eci=True)] == [BYTE]
            assert encode(payload).payload == payload

    def test_change_where_that_pays(self) -> None:
        assert modes("東京都 TOKYO 100-0001") == ["kanji", "alphanumeric"]
        assert modes("abc×abc") == ["byte"]

    def test_leave_ascii_as_it_was(self) -> None:
        for text in ("https://tuwien.at", "ABC 123", "a\x00b", "31415926"):
            for syntax in (qr_syntax(1), qr_syntax(40)):
                plain = shortest_segments(text.encode(), syntax)
                assert shortest_segments(text, syntax, eci=True) == plain

    def test_take_another_character_set_only_where_that_is_allowed_and_shorter(self) -> None:
        assert "eci" not in modes("Жук и паук")
        assert modes("Жук и паук", eci=True) == ["eci", "byte"]
        assert modes("caf\xe9", eci=True) == ["byte"]
        assert modes("Жук", eci=True, version="M4") == ["kanji"]

    def test_leave_alone_what_readers_do_not_agree_on(self) -> None:
        # of these, Shift JIS and Microsoft's variant of it have different ones
        for character in "〜‖−¢£¬＼①ｶ":
            assert "kanji" not in modes(character * 9)

    @given(text=st.text("日本aA1é", min_size=1, max_size=9))
    def test_are_the_shortest_of_all(self, text: str) -> None:
        syntax = qr_syntax(1)
        best = stream_length(shortest_segments(text, syntax), syntax)
        # every way to cut the text, each part in the best mode that holds all of it
        for count in range(len(text)):
            for cuts in combinations(range(1, len(text)), count):
                edges = (0, *cuts, len(text))
                parts = [text[a:b] for a, b in pairwise(edges)]
                assert best <= stream_length([single(part) for part in parts], syntax)


def single(part: str) -> Segment:
    if set(part) <= set("日本"):
        return Segment(KANJI, part.encode("shift_jis"))
    (segment,) = (
        shortest_segments(part, qr_syntax(1))
        if part.isascii() and (part.isdigit() or part.isupper())
        else [Segment(BYTE, part.encode())]
    )
    return segment


class TestOtherEncodersText:
    @pytest.mark.parametrize(
        ("text", "codec"),
        [("Żółw", "iso8859-2"), ("Жук", "iso8859-5"), ("déjà", "iso8859-1"), ("Ωmega", "utf-8"),
         ("ｶﾅかな", "shift_jis"), ("Größe", "cp1252")],
    )  # fmt: skip
    def test_is_read_in_the_character_set_that_an_eci_names(self, text: str, codec: str) -> None:
        symbol = segno.make(text, encoding=codec, mode="byte", eci=True, micro=False)
        content = decode_modules(np.array(symbol.matrix) == 1).content
        assert content.payload == text.encode()
        assert content.stored == text.encode(codec)

    def test_stays_bytes_where_it_is_no_text(self) -> None:
        for payload in (b"\x00\x01\xff", b"\x1b[0m\xe9"):
            symbol = segno.make(payload, encoding="iso8859-1", mode="byte", eci=True, micro=False)
            content = decode_modules(np.array(symbol.matrix) == 1).content
            assert content.eci in (None, 3)
            assert content.payload == content.stored

    def test_may_hold_characters_of_microsofts_shift_jis(self) -> None:
        # row 13 of JIS X 0208 is empty there; many phones write their own digits in circles
        code = int.from_bytes("①".encode("cp932"), "big") - 0x8140
        value = (code >> 8) * 0xC0 + (code & 0xFF)
        bits = [value >> (12 - i) & 1 for i in range(13)]
        segment = qrcodegen.QrSegment(qrcodegen.QrSegment.Mode.KANJI, 1, bits)
        other = qrcodegen.QrCode.encode_segments([segment], qrcodegen.QrCode.Ecc.LOW, 1, 1, 0)
        side = range(other.get_size())
        matrix = np.array([[other.get_module(x, y) for x in side] for y in side])
        assert decode_modules(matrix).symbol.text == "①"


class TestTheKindOfSymbol:
    @pytest.mark.parametrize(
        ("text", "error", "kind", "version"),
        [
            ("https://tuwien.at", "L", "QR", 1),
            ("HTTPS://WWW.TUWIEN.AT", "L", "Micro QR", "M4"),
            ("HTTPS://WWW.TUWIEN.AT", "L", "smallest", "M4"),
            ("123", "L", "Micro QR", "M2"),
            ("123", "L", "smallest", "M2"),
            ("123", "H", "smallest", "R11x27"),
            ("https://tuwien.at", "M", "rMQR", "R11x43"),
            ("a" * 300, "M", "smallest", 13),
        ],
    )
    def test_is_followed_by_the_smallest_version(
        self, text: str, error: str, kind: str, version: int | str
    ) -> None:
        assert encode(text, error, symbology=kind).version == version

    def test_may_be_named_beside_its_version_but_not_beside_another(self) -> None:
        assert encode("7", "L", "M1", symbology="Micro QR").version == "M1"
        with pytest.raises(ValueError, match="M1 is no rMQR code"):
            encode("7", "L", "M1", symbology="rMQR")

    @pytest.mark.parametrize(
        ("text", "error", "kind", "sentence"),
        [
            ("7", "L", "rMQR", "rMQR has no level L: use M or H"),
            ("7", "H", "Micro QR", "Micro QR has no level H: use L or M or Q"),
            ("7", "M", "Aztec", "Symbology 'Aztec' does not exist"),
            ("a" * 20, "L", "Micro QR", r"too long for M4-L by .* version 2-L \(25 x 25"),
            ("a" * 200, "M", "rMQR", r"too long for R17x139-M by .* version 10-M"),
            ("a" * 12, "Q", "Micro QR", "or error-correction level M"),
        ],
    )
    def test_that_cannot_be_is_refused(
        self, text: str, error: str, kind: str, sentence: str
    ) -> None:
        with pytest.raises(ValueError, match=sentence):
            encode(text, error, symbology=kind)

    def test_is_kept_where_a_larger_version_holds_the_payload(self) -> None:
        with pytest.raises(ValueError, match=r"too long for R7x43-M by .* R11x43-M \(11 x 43 mod"):
            encode("https://tuwien", "M", "R7x43")


def test_every_level_of_a_kind_is_known() -> None:
    from napari_nanoqr.symbols.candidates import levels_of

    assert levels_of("QR") == list(LEVELS)
    assert levels_of("Micro QR") == ["L", "M", "Q"]
    assert levels_of("rMQR") == ["M", "H"]
