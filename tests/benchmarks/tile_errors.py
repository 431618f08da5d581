"""Measure how many wrong bits a tile bears, and how fast tiles are drawn and decoded.

Usage: ``python tests/benchmarks/tile_errors.py [--rate 4/5] [--bits 1] [--tiles 40]
[--errors 0.007 0.02 0.03 0.035 0.04]``.

White Gaussian noise of the strength that makes a hard decision wrong at each rate of errors is
added to tiles. "tiles" are lost where any codeword is, since then they need the outer code;
"hard" are tiles of the same rate in Reed-Solomon blocks of 255 bytes, decoded without soft bits,
which are lost where any block has more wrong bytes than half its parity: no decoder of that kind
does better. The margin is the least of all codewords, see ``napari_nanoqr.archive.margin``.
"""

from __future__ import annotations

import argparse
import time
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.layout import GRAY, RATES, WORD_BITS, WORDS
from napari_nanoqr.archive.tile import decode_tiles, encode_tile
from napari_nanoqr.codes.ldpc import tile_code

TOGETHER = 8


def noisy(
    levels: NDArray[np.uint8], bits: int, errors: float, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Soft bits of a tile of which so many are wrong."""
    rho = -NormalDist().inv_cdf(errors)
    planes = np.array(GRAY)[levels].transpose(2, 0, 1) if bits == 2 else levels[None]
    received = rho * (1.0 - 2.0 * planes) + rng.standard_normal(planes.shape)
    return np.clip(np.rint(16 * rho * received), -127, 127).astype(np.int8)


def hard_losses(tiles: int, rate: str, errors: float, rng: np.random.Generator) -> int:
    """Tiles of Reed-Solomon blocks that are lost."""
    code = tile_code(rate)
    spare = (255 - 255 * code.k // code.n) // 2
    blocks = WORDS * WORD_BITS // (8 * 255)
    wrong = rng.binomial(255, 1 - (1 - errors) ** 8, (tiles, blocks))
    return int((wrong > spare).any(axis=1).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", choices=RATES, default="4/5")
    parser.add_argument("--bits", type=int, choices=(1, 2), default=1)
    parser.add_argument("--tiles", type=int, default=40)
    parser.add_argument(
        "--errors", type=float, nargs="+", default=[0.007, 0.02, 0.03, 0.035, 0.04, 0.045]
    )
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    header = TileHeader(Role.DATA, bytes(8), given.rate, given.bits)
    payload = rng.bytes(header.capacity)
    encode_tile(header, payload)
    start = time.perf_counter()
    for _ in range(20):
        levels = encode_tile(header, payload)
    drawn = 20 * len(payload) / (time.perf_counter() - start) / 1e6
    print(f"rate {given.rate}, {given.bits} bits a module: drawn at {drawn:.0f} MB/s")
    print("raw errors   lost tiles   of them hard   margin dB   iterations   MB/s")
    decode_tiles([noisy(levels, given.bits, 0.01, rng)])
    for errors in given.errors:
        lost = done = 0
        spent, margins, iterations = 0.0, [], []
        while done < given.tiles:
            count = min(TOGETHER, given.tiles - done)
            softs = [noisy(levels, given.bits, errors, rng) for _ in range(count)]
            start = time.perf_counter()
            tiles = decode_tiles(softs)
            spent += time.perf_counter() - start
            done += count
            assert all(tile.payload in (None, payload) for tile in tiles)
            lost += sum(tile.payload is None for tile in tiles)
            margins += [tile.margin for tile in tiles]
            iterations += [float(tile.iterations.mean()) for tile in tiles]
        hard = hard_losses(given.tiles, given.rate, errors, rng)
        print(
            f"{errors:10.3%} {lost:7d}/{done} {hard:10d}/{done} {min(margins):11.2f} "
            f"{np.mean(iterations):12.1f} {done * len(payload) / spent / 1e6:6.1f}"
        )


if __name__ == "__main__":
    main()
