"""Candidates: every symbol that holds a payload is among them, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.symbols.candidates import SYMBOLOGIES, Candidate, candidates
from napari_nanoqr.symbols.encode import encode, missing_bits
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.micro import VERSIONS
from napari_nanoqr.symbols.rectangular import SIZES
from napari_nanoqr.symbols.segments import NoMode

ALL_VERSIONS: list[int | str] = [
    *range(1, 41), *VERSIONS, *(f"R{rows}x{columns}" for rows, columns in SIZES)
]  # fmt: skip

PAYLOADS = st.one_of(
    st.binary(min_size=1, max_size=200),
    st.text("0123456789", min_size=1, max_size=100),
    st.text("0123456789ABC:/. ab", min_size=1, max_size=100),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)


def fits(payload: bytes | str, version: int | str, error: str) -> bool:
    try:
        return missing_bits(payload, error, version) == 0
    except NoMode:
        return False


@settings(max_examples=40, deadline=None)
@given(payload=PAYLOADS)
def test_all_symbols_that_hold_the_payload_are_found_and_no_other(payload: bytes | str) -> None:
    layouts = [layout_named(version) for version in ALL_VERSIONS]
    expected = {
        Candidate(layout.symbology, layout.version, error, *layout.shape)
        for layout in layouts
        for error in layout.blocks
        if fits(payload, layout.version, error)
    }
    found = candidates(payload)
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert [c.modules for c in found] == sorted(c.modules for c in found)


@settings(max_examples=40, deadline=None)
@given(payload=PAYLOADS, choice=st.integers(0, 5))
def test_a_candidate_can_be_encoded(payload: bytes | str, choice: int) -> None:
    found = candidates(payload)
    candidate = found[min(choice, len(found) - 1)]
    symbol = encode(payload, candidate.error, candidate.version)
    assert symbol.matrix.shape == (candidate.rows, candidate.columns)


@pytest.mark.parametrize(
    ("payload", "symbology", "first"),
    [
        ("https://tuwien.at", "QR", Candidate("QR", 1, "L", 21, 21)),
        ("HTTPS://WWW.TUWIEN.AT", "Micro QR", Candidate("Micro QR", "M4", "L", 17, 17)),
        ("12345", "Micro QR", Candidate("Micro QR", "M1", "L", 11, 11)),
        ("123", "rMQR", Candidate("rMQR", "R11x27", "H", 11, 27)),
        (b"\xff" * 2953, "QR", Candidate("QR", 40, "L", 177, 177)),
    ],
)
def test_the_first_one_is_the_smallest(
    payload: bytes | str, symbology: str, first: Candidate
) -> None:
    # capacities of ISO/IEC 18004:2015 and ISO/IEC 23941:2022
    assert candidates(payload, [symbology])[0] == first


def test_of_one_size_the_stronger_level_comes_first() -> None:
    errors = [c.error for c in candidates("7", ["QR"]) if c.version == 1]
    assert errors == ["H", "Q", "M", "L"]


def test_only_the_kinds_that_are_asked_for_are_returned() -> None:
    for symbology in SYMBOLOGIES:
        assert {c.symbology for c in candidates("7", [symbology])} == {symbology}


def test_what_no_symbol_holds_has_no_candidate() -> None:
    assert candidates(b"\xff" * 2954) == []
    assert candidates(b"sixteen letters!", ["Micro QR"]) == []


@pytest.mark.parametrize(
    ("payload", "symbologies", "sentence"),
    [(b"", SYMBOLOGIES, "empty"), ("", SYMBOLOGIES, "empty"), ("a", ["Aztec"], "'Aztec' does not")],
)
def test_what_makes_no_sense_is_refused(
    payload: bytes | str, symbologies: list[str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        candidates(payload, symbologies)
