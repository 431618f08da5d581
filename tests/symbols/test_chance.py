"""The bound on wrong answers: counted where it can be checked, and held by random words."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.symbols.chance import chance_in_turn, chance_of_another
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.kinds import layout_named
from napari_nanoqr.symbols.soft_decode import NotReadable, decode_likelihoods
from napari_nanoqr.symbols.symbol import Symbol

SMALL = [
    ("M1", "L", b"12345"),
    ("M2", "L", b"ABC12"),
    ("M3", "M", b"nanoqr!"),
    ("M4", "Q", b"nanoqr"),
    ("R7x43", "M", b"small"),
    ("R9x77", "H", b"two blocks"),
]


def noisy(symbol: Symbol, rho: float, seed: int) -> np.ndarray:
    """Likelihoods ln P(light) / P(dark) of modules in Gaussian noise, 1 in 250 something else."""
    signs = np.where(symbol.matrix, -1.0, 1.0)
    llr = 2 * rho**2 * (signs + np.random.default_rng(seed).normal(size=signs.shape) / rho)
    light = 0.996 / (1 + np.exp(-llr)) + 0.002
    return np.log(light / (1 - light)).astype(np.float32)


def test_all_other_codewords_together_are_as_likely_as_counted_one_by_one() -> None:
    # one data codeword and two of parity: 255 others, which can all be written down
    data = np.arange(256, dtype=np.uint8)[:, None]
    words = np.hstack((data, reed_solomon.encode(data, 2)))
    signs = 1.0 - 2.0 * np.unpackbits(words, axis=1)
    rng = np.random.default_rng(1)
    exact, estimated = [], []
    for _ in range(300):
        ratios = 2 * 0.9**2 * (signs[77] + rng.normal(size=24) / 0.9)
        weights = np.exp(signs @ ratios / 2)
        best = int(weights.argmax())
        exact.append(weights.sum() / weights[best] - 1)
        known = np.zeros((3, 8), dtype=bool)
        estimated.append(
            chance_of_another(ratios.reshape(3, 8).astype(np.float32), known, words[best], 2)
        )
    exact = np.minimum(exact, 1)
    assert np.mean(estimated) == pytest.approx(np.mean(exact), rel=0.35)
    assert np.corrcoef(np.log(estimated), np.log(exact))[0, 1] > 0.7


def test_of_all_codewords_hardly_one_looks_likely_by_turns_where_there_is_noise() -> None:
    rng = np.random.default_rng(0)
    codewords = [
        np.array([data, *reed_solomon.encode(np.array([data], dtype=np.uint8), 1)], dtype=np.uint8)
        for data in range(256)
    ]
    nothing_known = np.zeros((2, 8), dtype=bool)
    draws = 200
    nearest = np.ones(draws)
    for draw in range(draws):
        noise = 3 * rng.normal(size=(1 + 256, 8)).astype(np.float32)
        for codeword in codewords:
            # what is seen of the second one hangs on what the first is said to be
            ratios = np.stack((noise[0], noise[1 + int(codeword[0])]))
            chance = chance_in_turn(ratios, nothing_known, codeword, 1)
            nearest[draw] = min(nearest[draw], chance)
    for limit in (0.5, 0.2, 0.05):
        assert (nearest <= limit).mean() <= limit + 2 * np.sqrt(limit / draws)
    assert (nearest < 0.5).any()


def test_bits_that_are_certain_by_turns_make_a_codeword_certain() -> None:
    codeword = reed_solomon.encode(np.arange(10, dtype=np.uint8), 4)
    codeword = np.concatenate((np.arange(10, dtype=np.uint8), codeword))
    sure = (1 - np.unpackbits(codeword).reshape(-1, 8) * 2.0).astype(np.float32) * 50
    known = np.zeros(sure.shape, dtype=bool)
    # 112 bits told, of which 80 are free
    assert chance_in_turn(sure, known, codeword, 4) == pytest.approx(2.0**-32)
    assert chance_in_turn(-sure, known, codeword, 4) == 1
    known[3] = True
    assert chance_in_turn(sure, known, codeword, 4) == pytest.approx(2.0**-32)


@pytest.mark.parametrize(("version", "error", "payload"), SMALL)
def test_clean_symbols_of_every_kind_are_read(version: str, error: str, payload: bytes) -> None:
    symbol = encode(payload, error, version)
    result = decode_likelihoods(noisy(symbol, 4, 0), places=50)
    assert isinstance(result, DecodedSymbol)
    assert result.symbol == symbol
    assert result.chance < 1e-6


@pytest.mark.parametrize(
    ("version", "error", "payload", "rho"),
    [("M1", "L", b"12345", 2.8), ("M2", "L", b"ABC12", 1.8), ("M4", "M", b"thirteen byte", 1.65),
     ("R7x43", "H", b"aa", 1.2), ("R11x43", "M", b"eighteen bytes now", 1.6)],
)  # fmt: skip
def test_symbols_are_read_in_noise_and_never_wrong(
    version: str, error: str, payload: bytes, rho: float
) -> None:
    symbol = encode(payload, error, version)
    for strength, least in ((rho, 18), (0.75 * rho, 0)):
        results = [decode_likelihoods(noisy(symbol, strength, seed)) for seed in range(20)]
        right = [isinstance(r, DecodedSymbol) and r.symbol == symbol for r in results]
        assert sum(right) >= least
        assert sum(right) == sum(isinstance(r, DecodedSymbol) for r in results)


@pytest.mark.parametrize("version", ["M1", "M2", "M3", "M4", "R7x43", "R11x27"])
def test_random_words_say_nothing(version: str) -> None:
    layout, rng = layout_named(version), np.random.default_rng(3)
    for _ in range(300):
        llr = (6 * rng.normal(size=layout.shape)).clip(-6, 6).astype(np.float32)
        assert isinstance(decode_likelihoods(llr, effort=1), NotReadable)


@pytest.mark.parametrize("version", ["M1", "M2", "R7x43"])
def test_random_data_in_a_true_frame_say_nothing(version: str) -> None:
    layout, rng = layout_named(version), np.random.default_rng(4)
    frame = encode("1", next(iter(layout.blocks)), version).matrix
    for _ in range(300):
        llr = np.where(frame, -6, 6).astype(np.float32)
        llr[layout.codeword_places] = rng.choice([-6, 6], size=len(layout.codeword_places[0]))
        assert isinstance(decode_likelihoods(llr, effort=1), NotReadable)


def test_a_tiny_symbol_is_believed_for_its_format_and_not_without() -> None:
    symbol = encode("12345", "L", "M1")
    llr = np.where(symbol.matrix, -6, 6).astype(np.float32)
    assert isinstance(decode_likelihoods(llr, places=50), DecodedSymbol)
    # the same symbol with a third of its format wrong: two check codewords alone prove little
    rows, columns = layout_named("M1").format_places
    llr[rows[::3], columns[::3]] *= -1
    llr[rows, columns] *= np.linspace(0.3, 1, 15)
    assert isinstance(decode_likelihoods(llr, places=50), NotReadable)


def test_more_places_make_an_accident_more_likely() -> None:
    llr = noisy(encode("1234", "L", "M1"), 3, 5)
    chances = []
    for places in (1, 30, 1000):
        result = decode_likelihoods(llr, places=places, most_chance=1.0)
        assert isinstance(result, DecodedSymbol)
        chances.append(result.chance)
    assert chances == sorted(chances)
    assert chances[2] > chances[0]


def test_filler_bits_are_evidence() -> None:
    chances = []
    for payload in (b"12345", b"12"):
        result = decode_likelihoods(noisy(encode(payload, "L", "M1"), 4, 2), places=50)
        assert isinstance(result, DecodedSymbol)
        chances.append(result.chance)
    assert chances[1] < chances[0]
