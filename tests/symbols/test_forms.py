"""Forms of bit streams: what pad codewords, heads and text fix before anything is decoded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.symbols.append import encode_appended
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.forms import fixed_by_all, likely_forms
from napari_nanoqr.symbols.layout import Layout
from napari_nanoqr.symbols.qr import qr_layout
from napari_nanoqr.symbols.segments import pad, shortest_segments, write_stream
from napari_nanoqr.symbols.soft_bits import SoftBits
from napari_nanoqr.symbols.soft_decode import NotReadable, decode_likelihoods
from napari_nanoqr.symbols.symbol import Symbol
from napari_nanoqr.symbols.syntax import qr_syntax

BITS = 440  # of 3-L
SYNTAX = qr_syntax(3)
LONG = b"what is written here fills the whole of a symbol, 3-L"


def stream(payload: bytes) -> np.ndarray:
    """Return the data bits of a 3-L with a payload."""
    bits = write_stream(shortest_segments(payload, SYNTAX, eci=False), SYNTAX)
    return np.unpackbits(pad(bits, BITS, SYNTAX))


def seen(bits: np.ndarray, rho: float, seed: int = 0) -> np.ndarray:
    """Exact ratios of bits in Gaussian noise 1 / rho."""
    noise = np.random.default_rng(seed).normal(size=bits.shape) / rho
    return (2 * rho**2 * (1 - 2.0 * bits + noise)).astype(np.float32)


def noisy(symbol: Symbol, rho: float, seed: int) -> np.ndarray:
    """Exact ln P(light) / P(dark) of modules."""
    return seen(symbol.matrix.astype(float), rho, seed)


@pytest.mark.parametrize(
    ("payload", "fixed"),
    [
        # head of 12 bits, one bit a character, and all that follows
        (b"https://tuwien.at/abc", 12 + 21 + BITS - 12 - 168),
        (b"HELLO WORLD 123", BITS - 83),
        (b"0123456789" * 5, BITS - 167),
        (bytes(range(128, 158)), BITS - 240),
        (LONG, 12 + 53 + 4),
    ],
)
def test_the_form_of_a_stream_is_found_in_noise(payload: bytes, fixed: int) -> None:
    bits = stream(payload)
    for seed in range(5):
        forms = likely_forms(seen(bits, 1.5, seed), SYNTAX)
        # heads that differ in a few bits may leave open which of two it is
        form = next(form for form in forms if form.fixed.sum() == fixed)
        np.testing.assert_array_equal(form.ones[form.fixed], bits[form.fixed] == 1)
        assert form.odds > 10


def test_streams_of_several_segments_have_a_form_too() -> None:
    payload = b"chip 202511230004711 of the first lot"
    bits = stream(payload)
    # 5 characters, 15 digits and 17 characters, each with its head
    ends = np.cumsum([12 + 40, 14 + 50, 12 + 136])
    fixed = 12 + 5 + 14 + 12 + 17 + BITS - ends[-1]
    for seed in range(5):
        form = likely_forms(seen(bits, 2.0, seed), SYNTAX)[0]
        assert form.fixed.sum() == fixed
        assert not form.fixed[ends[0] + 14 : ends[1]].any()
        np.testing.assert_array_equal(form.ones[form.fixed], bits[form.fixed] == 1)


def test_a_symbol_of_a_set_has_a_form() -> None:
    part = encode_appended([b"what one symbol does not hold", b"goes into several"], 3, "L")[0]
    clean, noise = (
        SoftBits.of(noisy(part, rho, 0), qr_layout(3), "L", part.mask).ratios[:BITS]
        for rho in (9.0, 1.5)
    )
    form = likely_forms(noise, SYNTAX)[0]
    # which one of how many, and the parity, are not known
    assert form.fixed[:4].all()
    assert not form.fixed[4:20].any()
    assert form.fixed.sum() > BITS - 20 - 8 * 29
    np.testing.assert_array_equal(form.ones[form.fixed], clean[form.fixed] < 0)


def test_what_all_likely_forms_fix_is_as_good_as_known() -> None:
    bits = stream(LONG)
    forms = likely_forms(seen(bits, 1.5, 4), SYNTAX)
    assert len(forms) == 2
    fixed, ones = fixed_by_all(forms, BITS)
    np.testing.assert_array_equal(ones[fixed], bits[fixed] == 1)
    assert 0 < fixed.sum() < min(form.fixed.sum() for form in forms)
    unlikely = [replace(forms[0], odds=5.0)]
    assert not fixed_by_all(unlikely, BITS)[0].any()
    assert not fixed_by_all([], BITS)[0].any()


@given(st.text(min_size=1, max_size=12).map(str.encode))
def test_forms_of_what_is_seen_well_hold(payload: bytes) -> None:
    bits = stream(payload)
    for form in likely_forms(seen(bits, 4.0), SYNTAX)[:1]:
        # several segments have no form of their own, but may end where one would
        assert (form.ones[form.fixed] == bits[form.fixed]).mean() > 0.9


def test_common_characters_lean_bits_and_others_do_not() -> None:
    texts = LONG, bytes(range(128, 158))
    small, large = (likely_forms(seen(stream(text), 1.5), SYNTAX)[0] for text in texts)
    # the second and third bit of each character
    leaning = np.flatnonzero(small.leaning)
    np.testing.assert_array_equal(leaning, np.arange(53).repeat(2) * 8 + 12 + [1, 2] * 53)
    assert (small.leaning[leaning] < 0).all()
    assert not (small.fixed & (small.leaning != 0)).any()
    assert not large.leaning.any()


def test_streams_without_any_form_have_none() -> None:
    rng = np.random.default_rng(0)
    streams = [seen(rng.integers(0, 2, BITS), 1.2, seed) for seed in range(300)]
    assert sum(bool(likely_forms(ratios, SYNTAX)) for ratios in streams) <= 3
    assert likely_forms(np.zeros(BITS, np.float32), SYNTAX) == []


def test_a_stream_that_ends_in_half_a_codeword_has_no_form() -> None:
    assert likely_forms(np.full(84, 5, np.float32), SYNTAX) == []


def test_a_symbol_that_is_half_empty_is_read_where_a_full_one_is_not() -> None:
    half, full = (
        encode(text, "L", 3) for text in (b"https://tuwien.at/abc", bytes(range(200, 253)))
    )
    read = [
        sum(
            isinstance(decode_likelihoods(noisy(symbol, 1.35, seed)), DecodedSymbol)
            for seed in range(10)
        )
        for symbol in (half, full)
    ]
    assert read[0] >= 6
    assert read[1] == 0


def test_what_was_taken_for_granted_counts_as_corrected() -> None:
    symbol = encode(b"https://tuwien.at/abc", "L", 3)
    llr = noisy(symbol, 1.35, 0)
    result = decode_likelihoods(llr)
    assert isinstance(result, DecodedSymbol)
    assert result.symbol == symbol
    # one block: more codewords differ than could be corrected without it
    assert result.corrected[0] > 20
    assert result.chance < 1e-6


def overwritten(symbol: Symbol, layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """Return a symbol of which half of the data and all parity are noise."""
    modules = symbol.matrix.copy()
    rows, columns = layout.codeword_places
    chosen = np.arange(rows.size) >= 220
    modules[rows[chosen], columns[chosen]] = rng.random(int(chosen.sum())) < 0.5
    return modules


def test_nothing_is_made_up_where_only_the_form_is_left() -> None:
    rng = np.random.default_rng(1)
    symbol = encode(b"https://tuwien.at/abc", "L", 3)
    for seed in range(40):
        modules = overwritten(symbol, qr_layout(3), rng)
        ratios = seen(modules.astype(float), 2.0, seed)
        assert isinstance(decode_likelihoods(ratios), NotReadable)
