"""Measure the codes of tiles in Gaussian noise: how near to the limit, any floor, how fast.

Usage: ``python tests/benchmarks/ldpc.py [--rate 4/5 ...] [--words N] [--point DB ...]
[--failures N] [--wrong SHARE] [--speed] [--tile]``.

Random codewords go through Gaussian noise, as bits of amplitude 1; soft bits are rounded to eighths
of a nat and cut to +-127. A point is Eb/N0 in dB; without one, points are taken every 0.1 dB from
0.2 dB above the limit on, until fewer than 1 in 2000 words fails, and the point where 1 in 1000
does is interpolated. The limit is that of the normal approximation (Polyanskiy, Poor, Verdu 2010)
at frame error 1e-3 for the code's n and k (`napari_nanoqr.codes.bounds`). ``wrong`` is the number
of words that converged to another codeword. ``--wrong 0.002`` makes that share of the soft bits
sure and random. Times are those of the thread, without what other programs take.

``--speed`` measures decoding 1 dB above the point given (or the interpolated one) and encoding,
and holds them against plain numpy: layered min-sum in float32, and XOR of turned blocks of bits.
``--tile`` looks for the greatest raw error rate at which 25 of 25 words are read in 20 of 20 tiles.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from math import log10, sqrt

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.bounds import normal_approximation_rho
from napari_nanoqr.codes.ldpc import RATES, LdpcCode, header_code, tile_code

BATCH = 250

SHOWN = 50_000
"""Words after which a long run shows how far it is."""


@dataclass
class Counted:
    """What happened to some words at one point."""

    words: int = 0
    failed: int = 0
    wrong: int = 0
    rounds: int = 0
    raw: float = 0.0
    seconds: float = 0.0

    def line(self, code: LdpcCode, point: float) -> str:
        speed = code.k / 8e6 * self.words / self.seconds
        return (
            f"{point:7.2f} {self.raw / self.words:9.2%} {self.words:9} {self.failed:7} "
            f"{self.failed / self.words:10.2e} {self.wrong:6} {self.rounds / self.words:7.2f} "
            f"{speed:8.1f}"
        )


HEADING = "  Eb/N0   raw BER     words  failed  frame err.  wrong  rounds   MB/s"


def rho_of(code: LdpcCode, point: float) -> float:
    return sqrt(2 * code.k / code.n * 10 ** (point / 10))


def limit_of(code: LdpcCode) -> float:
    return 10 * log10(normal_approximation_rho(code.n, code.k, 1e-3) ** 2 * code.n / 2 / code.k)


class Channel:
    """Random words of a code and their noisy soft bits."""

    def __init__(self, code: LdpcCode, seed: int, wrong: float = 0.0) -> None:
        self.code, self.wrong = code, wrong
        self.rng = np.random.default_rng(seed)
        self.bits = self.rng.integers(0, 2, (BATCH, code.k), dtype=np.uint8)
        self.words = code.encode(self.bits)
        self.signs = np.float32(1) - np.float32(2) * self.words

    def soft(self, rho: float, words: int = BATCH) -> NDArray[np.int8]:
        ratios = self.rng.standard_normal((words, self.code.n), dtype=np.float32)
        ratios += np.float32(rho) * self.signs[:words]
        ratios *= np.float32(16 * rho)
        soft = np.clip(np.rint(ratios, out=ratios), -127, 127).astype(np.int8)
        if self.wrong:
            hit = self.rng.random(soft.shape) < self.wrong
            soft[hit] = self.rng.choice(np.array([-127, 127], np.int8), int(hit.sum()))
        return soft

    def count(self, point: float, words: int, failures: int) -> Counted:
        rho, counted = rho_of(self.code, point), Counted()
        while counted.words < words and counted.failed < failures:
            if counted.words and counted.words % SHOWN == 0:
                print(counted.line(self.code, point), flush=True)
            soft = self.soft(rho)
            start = time.thread_time()
            decoded = self.code.decode(soft)
            counted.seconds += time.thread_time() - start
            other = (decoded.bits != self.bits).any(axis=1)
            counted.failed += int((other | ~decoded.converged).sum())
            counted.wrong += int((other & decoded.converged).sum())
            counted.rounds += int(decoded.iterations.sum())
            counted.raw += float(((soft < 0) != self.words).mean()) * BATCH
            counted.words += BATCH
        return counted


def waterfall(channel: Channel, words: int, failures: int) -> float:
    """Print points until hardly a word fails, and return where 1 in 1000 does."""
    limit = limit_of(channel.code)
    before, point = None, round(limit + 0.2, 1)
    while True:
        counted = channel.count(point, words, failures)
        print(counted.line(channel.code, point), flush=True)
        share = max(counted.failed, 0.5) / counted.words
        if share < 1e-3 and before is not None:
            slope = (log10(share) - log10(before[1])) / (point - before[0])
            found = point + (-3 - log10(share)) / slope
            print(f"1e-3 at {found:.2f} dB, limit {limit:.2f} dB: {found - limit:.2f} dB above")
            return found
        before, point = (point, share), round(point + 0.1, 2)


def turned_sums(code: LdpcCode, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode with turned blocks of bits, as the definition says."""
    words, size = len(bits), code.size
    blocks = bits.reshape(words, -1, size)
    sums = np.zeros((words, code.rows, size), np.uint8)
    for column, entries in enumerate(code.information):
        for row, shift in entries:
            sums[:, row] ^= np.roll(blocks[:, column], -shift, axis=1)
    parity = np.empty_like(sums)
    parity[:, 0] = np.bitwise_xor.reduce(sums, axis=1)
    last = np.roll(parity[:, 0], -1, axis=1)
    for row in range(code.rows - 1):
        last = last ^ sums[:, row] ^ (parity[:, 0] if row == code.rows // 2 else 0)
        parity[:, row + 1] = last
    return np.concatenate([bits, parity.reshape(words, -1)], axis=1)


def plain_min_sum(code: LdpcCode, soft: NDArray[np.int8], rounds: int) -> NDArray[np.bool_]:
    """Layered normalised min-sum in float32, all words at once and for so many rounds."""
    z = np.arange(code.size)
    rows: list[list[NDArray[np.int64]]] = [[] for _ in range(code.rows)]
    for row, column, shift in code.entries:
        rows[row].append(column * code.size + (z + shift) % code.size)
    beliefs = soft.astype(np.float32)
    messages = [np.zeros((len(soft), len(row), code.size), np.float32) for row in rows]
    for _ in range(rounds):
        for places, message in zip(map(np.array, rows), messages, strict=True):
            told = beliefs[:, places] - message
            size = np.abs(told)
            low = np.partition(size, 1, axis=1)[:, :2]
            sign = np.where(told < 0, np.float32(-1), np.float32(1))
            least = np.where(size == low[:, :1], low[:, 1:], low[:, :1])
            message[:] = np.float32(0.75) * least * sign * sign.prod(axis=1, keepdims=True)
            beliefs[:, places] = told + message
    return beliefs < 0


def speed(channel: Channel, point: float, words: int) -> None:
    """Print how fast decoding at a point and encoding are, and plain numpy in the same run."""
    code = channel.code
    counted = channel.count(point, words, words)
    ours = code.k / 8e6 * counted.words / counted.seconds
    rounds = -(-counted.rounds // counted.words)
    soft = channel.soft(rho_of(code, point), 100)
    start = time.thread_time()
    read = plain_min_sum(code, soft, rounds)
    plain = code.k / 8e6 * len(soft) / (time.thread_time() - start)
    share = (read != channel.words[: len(soft)]).any(axis=1).mean()
    print(
        f"decoding at {point:.2f} dB: {ours:.1f} MB/s, "
        f"{counted.rounds / counted.words:.2f} rounds; numpy, {rounds} rounds: "
        f"{plain:.2f} MB/s (fails {share:.0%}); ratio {ours / plain:.0f}"
    )
    data = channel.rng.integers(0, 256, (4000, -(-code.k // 8)), dtype=np.uint8)
    code.encode_packed(data[:1])
    start = time.thread_time()
    code.encode_packed(data)
    packed = data.size / 1e6 / (time.thread_time() - start)
    start = time.thread_time()
    assert (turned_sums(code, channel.bits) == channel.words).all()
    plain = channel.bits.size / 8e6 / (time.thread_time() - start)
    print(f"encoding: {packed:.0f} MB/s; numpy: {plain:.2f} MB/s; ratio {packed / plain:.0f}")
    few = channel.soft(rho_of(code, point), 1)
    start = time.thread_time()
    for _ in range(200):
        code.decode(few)
    print(f"one word alone: {(time.thread_time() - start) / 200 * 1e6:.0f} us")


def whole_tiles(channel: Channel) -> None:
    """Print at which raw error rates all words of 20 tiles are read."""
    for point in np.arange(limit_of(channel.code) + 0.9, limit_of(channel.code), -0.05):
        soft = np.concatenate([channel.soft(rho_of(channel.code, point)) for _ in range(2)])
        raw = ((soft < 0) != np.tile(channel.words, (2, 1))).mean()
        decoded = channel.code.decode(soft)
        good = decoded.converged & (decoded.bits == np.tile(channel.bits, (2, 1))).all(axis=1)
        tiles = int(good.reshape(20, 25).all(axis=1).sum())
        print(f"raw {raw:.2%} ({point:.2f} dB): {tiles} of 20 tiles, {good.mean():.2%} of words")
        if tiles < 10:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", nargs="+", default=[*RATES, "header"])
    parser.add_argument("--words", type=int, default=20000)
    parser.add_argument("--failures", type=int, default=100, help="a point is left after so many")
    parser.add_argument("--point", type=float, nargs="+", help="Eb/N0, dB")
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--tile", action="store_true")
    options = parser.parse_args()
    for rate in options.rate:
        code = header_code() if rate == "header" else tile_code(rate)
        channel = Channel(code, options.seed, options.wrong)
        code.decode(channel.soft(1.0, 1))
        print(f"\n{rate}: n {code.n}, k {code.k}, {len(code.entries)} entries")
        if options.tile:
            whole_tiles(channel)
            continue
        if options.speed and options.point:
            speed(channel, options.point[0] + 1, 5000)
            continue
        print(HEADING)
        for point in options.point or []:
            print(channel.count(point, options.words, options.failures).line(code, point))
        if not options.point:
            found = waterfall(channel, options.words, options.failures)
            if options.speed:
                speed(channel, found + 1, 5000)


if __name__ == "__main__":
    main()
