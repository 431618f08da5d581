"""Equalising and decoding help one another."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanoqr.reading import weigh as module
from napari_nanoqr.reading.equalise import Equaliser
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.weigh import weigh
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.encode import encode
from napari_nanoqr.symbols.soft_decode import NotReadable, decode_likelihoods

SYMBOL = encode(b"several blocks, each of which may fail alone", "H", version=5)
PITCH = 6


def picture(noise: float, seed: int = 0) -> tuple[np.ndarray, Grid]:
    image = np.kron(np.pad(np.where(SYMBOL.matrix, -1.0, 1.0), 4, constant_values=1.0),
                    np.ones((PITCH, PITCH)))  # fmt: skip
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    low, high = 4 * PITCH - 0.5, (4 + SYMBOL.modules) * PITCH - 0.5
    corners = np.array([[low, low], [low, high], [high, high], [high, low]])
    return image.astype(np.float32), Grid.from_corners(corners, SYMBOL.matrix.shape)


def rows_below(row: int) -> np.ndarray:
    return np.indices(SYMBOL.matrix.shape)[0] >= row


def test_what_was_decoded_is_told_module_by_module() -> None:
    llr = np.where(SYMBOL.matrix, -8.0, 8.0).astype(np.float32)
    whole = decode_likelihoods(llr)
    assert isinstance(whole, DecodedSymbol)
    # nothing is known of what lies in the left part: some blocks have more there than others
    for columns in range(4, 37):
        gone = llr.copy()
        gone[9:-9, :columns] = 0
        result = decode_likelihoods(gone, effort=1)
        if isinstance(result, NotReadable) and 0 < len(result.failed_blocks) < result.blocks:
            break
    else:
        pytest.fail("no part of the symbol belongs to some blocks more than to others")
    assert result.certain.any()
    np.testing.assert_array_equal(result.dark[result.certain], SYMBOL.matrix[result.certain])
    assert not result.dark[~result.certain].any()


def test_blocks_that_were_decoded_are_known_when_modules_are_weighed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, grid = picture(1.0)
    told: list[int] = []

    class Watched(Equaliser):
        def look(self, known=None, *args, **options):
            told.append(0 if known is None else int(known[1].sum()))
            return super().look(known, *args, **options)

    def first_half_fails(llr, **options):
        result = decode_likelihoods(llr, **options)
        assert isinstance(result, DecodedSymbol)
        if len(told) > 1:
            return result
        part = ~rows_below(20)
        return NotReadable("H", result.symbol.mask, (1,), 4, SYMBOL.matrix & part, part)

    monkeypatch.setattr(module, "Equaliser", Watched)
    monkeypatch.setattr(module, "decode_likelihoods", first_half_fails)
    result = weigh(image, grid, inverted=False, effort=3)
    assert isinstance(result.result, DecodedSymbol)
    assert told == [0, 20 * SYMBOL.modules]
    assert result.tries == 2


def test_what_gets_no_further_ends() -> None:
    image, grid = picture(7.5)
    result = weigh(image, grid, inverted=False, effort=2, tries=3)
    assert not isinstance(result.result, DecodedSymbol)
    assert 3 <= result.tries < 12


def test_noise_is_not_even_decoded() -> None:
    image = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    _, grid = picture(0.0)
    result = weigh(image, grid, inverted=False, effort=3)
    assert result.result is None or isinstance(result.result, NotReadable)


def test_what_was_taken_for_mirrored_is_read_the_other_way_round() -> None:
    image, grid = picture(1.0)
    upright = weigh(image, grid, inverted=False, effort=1)
    other = weigh(image, grid.transposed(), inverted=False, effort=1)
    assert (upright.turned, other.turned) == (False, True)
    for found in (upright, other):
        assert isinstance(found.result, DecodedSymbol)
        assert found.result.content.payload == upright.result.content.payload
        np.testing.assert_allclose(found.seen.grid.corners_yx, grid.corners_yx, atol=1)
        assert (((found.seen.llr < 0) != SYMBOL.matrix).mean()) < 0.01


def test_the_other_way_round_is_tried_where_the_format_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "mirror_odds", lambda llr, layout: 3.0)
    image, grid = picture(1.0)
    found = weigh(image, grid, inverted=False, effort=1)
    assert isinstance(found.result, DecodedSymbol)
    assert not found.turned
    assert found.tries == 2
