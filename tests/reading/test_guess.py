"""A symbol that is likely is judged by weighing its modules by turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.reading import weigh as module
from napari_nanoqr.reading.equalise import Equaliser
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.weigh import MOST_CHANCE, weigh
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.guess import Guess

# without any form: arbitrary bytes that fill the symbol
SYMBOL = encode(bytes(range(200, 217)), "L", 1)
PITCH = 6


def soft_picture(modules: np.ndarray, noise: float, seed: int) -> tuple[np.ndarray, Grid]:
    """Return an image in which modules run into each other, and where they are."""
    image = np.kron(np.pad(np.where(modules, -1.0, 1.0), 4, constant_values=1.0),
                    np.ones((PITCH, PITCH)))  # fmt: skip
    image = gaussian_filter(image, 0.45 * PITCH)
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    low, high = 4 * PITCH - 0.5, (4 + len(modules)) * PITCH - 0.5
    corners = np.array([[low, low], [low, high], [high, high], [high, low]])
    return image.astype(np.float32), Grid.from_corners(corners, modules.shape)


def test_a_symbol_that_is_likely_is_read_when_its_modules_are_weighed_by_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = [soft_picture(SYMBOL.matrix, 1.5, seed) for seed in (5, 13)]
    for image, grid in pictures:
        for seen_grid in (grid, grid.transposed()):
            found = weigh(image, seen_grid, inverted=False, effort=3)
            assert isinstance(found.result, DecodedSymbol)
            assert found.result.symbol == SYMBOL
            assert 0 < found.result.chance < MOST_CHANCE
    monkeypatch.setattr(module, "_judged", lambda *_: None)
    for image, grid in pictures:
        found = weigh(image, grid, inverted=False, effort=3)
        assert found.guess is not None
        assert found.guess.decoded.symbol == SYMBOL
        assert found.guess.decoded.chance > MOST_CHANCE


def test_what_is_weighed_by_turns_never_depends_on_what_comes_later() -> None:
    image, grid = soft_picture(SYMBOL.matrix, 1.2, 0)
    equaliser = Equaliser(image, grid, inverted=False)
    seen = equaliser.look()
    as_written = equaliser.in_turn(SYMBOL.matrix, seen)
    row, column = np.indices(SYMBOL.matrix.shape) % 2
    last = (row == 1) & (column == 0)
    changed = equaliser.in_turn(SYMBOL.matrix ^ last, seen)
    np.testing.assert_array_equal(as_written, changed)
    third = (row == 0) & (column == 1)
    changed = equaliser.in_turn(SYMBOL.matrix ^ third, seen)
    np.testing.assert_array_equal(as_written[~last], changed[~last])
    assert (as_written[last] != changed[last]).any()


def test_modules_weighed_by_turns_say_more_of_what_was_written() -> None:
    right = np.where(SYMBOL.matrix, -1, 1)
    alone, by_turns = 0.0, 0.0
    for seed in range(4):
        equaliser = Equaliser(*soft_picture(SYMBOL.matrix, 1.5, seed), inverted=False)
        seen = equaliser.look(together=True)
        in_turn = equaliser.in_turn(SYMBOL.matrix, seen)
        alone += -np.log2(1 + np.exp(-right * seen.llr)).sum()
        by_turns += -np.log2(1 + np.exp(-right * in_turn)).sum()
    assert by_turns > alone + 30


def test_judging_a_guess_leaves_the_equaliser_as_it_was() -> None:
    image, grid = soft_picture(SYMBOL.matrix, 1.2, 0)
    one, other = (Equaliser(image, grid, inverted=False) for _ in range(2))
    seen = one.look()
    other.look()
    one.in_turn(~SYMBOL.matrix, seen)
    np.testing.assert_array_equal(one.look().llr, other.look().llr)


def test_a_wrong_guess_is_not_believed_however_near_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_judged", lambda *_: None)
    image, grid = soft_picture(SYMBOL.matrix, 1.5, 5)
    found = weigh(image, grid, inverted=False, effort=3)
    guess = found.guess
    assert guess is not None

    def chance(guess: Guess) -> float:
        equaliser = Equaliser(image, grid, inverted=False)
        in_turn = equaliser.in_turn(guess.decoded.symbol.matrix, equaliser.look(together=True))
        return guess.chance(found.seen.llr, in_turn, places=2)

    assert chance(guess) < MOST_CHANCE
    right = guess.unsure[0].decoded.codeword
    for byte in range(2, 18, 5):
        # as near as codewords can be: one byte of the payload, and all of the parity
        data = right[:19].copy()
        data[byte] ^= 0x10
        codeword = np.concatenate((data, reed_solomon.encode(data, 7)))
        symbol = encode(np.packbits(np.unpackbits(data)[12:-4]).tobytes(), "L", 1, SYMBOL.mask)
        assert 0 < (symbol.matrix != SYMBOL.matrix).sum() < 60
        block = replace(
            guess.unsure[0], decoded=replace(guess.unsure[0].decoded, codeword=codeword)
        )
        other = replace(guess, decoded=replace(guess.decoded, symbol=symbol), unsure={0: block})
        assert chance(other) > 0.01
