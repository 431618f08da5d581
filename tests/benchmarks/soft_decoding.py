"""Measure how much noise the soft decoder bears, and whether it ever answers by accident.

Usage: ``python tests/benchmarks/soft_decoding.py [--trials N] [--words N] [--block N,K ...]``.

First table: rho (amplitude over sigma of a bit in white Gaussian noise) at which 99 % of the
blocks come back right. Each trial draws a codeword and a noise, and finds by bisection the
least rho at which each method still decodes it; the table tells the 99 % quantile of these.
"sure" also asks for a chance of an accident below 2^-20. The bound is the normal approximation
at 1 % errors, in brackets with 20 more bits to carry, as a sure answer needs.

Second table: random words. The share of those whose answer is said to be rarer than 2^-m has
to stay under 2^-m.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes import reed_solomon
from napari_nanoqr.codes.bounds import normal_approximation_rho
from napari_nanoqr.codes.search import SoftBlock
from napari_nanoqr.codes.soft import SAFE_BITS, SoftDecoded, decode_soft

BLOCKS = ((70, 55), (35, 13), (26, 19), (25, 9), (43, 19), (148, 118))
SURE = -20.0
STEPS = 6

Decoder = Callable[[NDArray[np.float32], int], tuple[NDArray[np.uint8] | None, float]]


def hard(llr: NDArray[np.float32], parity: int) -> tuple[NDArray[np.uint8] | None, float]:
    try:
        return reed_solomon.decode(np.packbits(llr < 0), parity)[0], 0.0
    except reed_solomon.Uncorrectable:
        return None, 0.0


def by_effort(effort: int) -> Decoder:
    def decode(llr: NDArray[np.float32], parity: int) -> tuple[NDArray[np.uint8] | None, float]:
        answer: SoftDecoded | None = decode_soft(llr, parity, effort=effort)
        return (None, 0.0) if answer is None else (answer.codeword, answer.log2_chance)

    return decode


def order_two(llr: NDArray[np.float32], parity: int) -> tuple[NDArray[np.uint8] | None, float]:
    block = SoftBlock.of(llr, parity)
    block.try_flips(block.basis(), 1, "1")
    if not block.nearest_is_sure(SAFE_BITS):
        block.try_flips(block.basis(), 2, "2")
    return np.packbits(block.hard ^ block.flips), block.log2_chance


METHODS: dict[str, Decoder] = {
    "hard": hard,
    "erasures": by_effort(0),
    "order 1": by_effort(1),
    "order 2": order_two,
    "effort 2": by_effort(2),
    "effort 3": by_effort(3),
}


def noisy(
    signs: NDArray[np.float64], noise: NDArray[np.float64], rho: float
) -> NDArray[np.float32]:
    return (2 * rho * (rho * signs + noise)).astype(np.float32).reshape(-1, 8)


def limits(n: int, k: int, trials: int) -> None:
    rng = np.random.default_rng(1)
    least: dict[str, list[float]] = {name: [] for name in (*METHODS, "sure")}
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    bound = normal_approximation_rho(8 * n, 8 * k)
    samples = []
    for _ in range(trials):
        data = rng.integers(0, 256, k, dtype=np.uint8)
        codeword = np.concatenate((data, reed_solomon.encode(data, n - k)))
        signs = 1.0 - 2.0 * np.unpackbits(codeword)
        samples.append((codeword, signs, rng.standard_normal(signs.size)))
    known_to_work = [2.2 * bound] * trials
    for name, decode in [*METHODS.items(), ("sure", METHODS["effort 3"])]:
        for trial, (codeword, signs, noise) in enumerate(samples):
            # a better method is looked for below where the one before it worked
            low, high = 0.7 * bound, 2.2 * bound if name == "sure" else known_to_work[trial]
            for _ in range(STEPS):
                rho = 0.5 * (low + high)
                answer, chance = decode(noisy(signs, noise, rho), n - k)
                right = answer is not None and bool((answer == codeword).all())
                if right and (name != "sure" or chance < SURE):
                    high = rho
                else:
                    low = rho
            least[name].append(high)
        known_to_work = least[name]
    quantiles = {name: float(np.quantile(values, 0.99)) for name, values in least.items()}
    for name, decode in METHODS.items():
        for _, signs, noise in samples:
            llr = noisy(signs, noise, quantiles[name])
            start = time.perf_counter()
            decode(llr, n - k)
            seconds[name].append(time.perf_counter() - start)
    cells = [
        f"{quantiles[name]:.2f} ({1e3 * np.median(seconds[name]):.1f}, "
        f"{1e3 * np.max(seconds[name]):.0f})"
        for name in METHODS
    ]
    sure_bound = normal_approximation_rho(8 * n, 8 * k + 20)
    print(
        f"| {n}, {k} | " + " | ".join(cells) + f" | {quantiles['sure']:.2f} | "
        f"{bound:.2f} ({sure_bound:.2f}) | {quantiles['effort 3'] / bound:.2f} |",
        flush=True,
    )


def magnitudes(rng: np.random.Generator, bits: int) -> NDArray[np.float64]:
    """Draw reliabilities as noise, clean images, damage or a texture would give them."""
    kind = rng.integers(4)
    rho = rng.uniform(0.3, 3)
    values = 2 * rho * np.abs(rho + rng.standard_normal(bits))
    if kind == 1:
        values = rng.exponential(rng.uniform(0.5, 5), bits)
    elif kind == 2:
        values[rng.random(bits) < rng.uniform(0, 0.3)] = 0
    elif kind == 3:
        values = np.repeat(values[::8], 8)[:bits] * rng.uniform(0.5, 1.5, bits)
    return np.minimum(values, 30.0)


def accidents(n: int, k: int, words: int, effort: int) -> None:
    rng = np.random.default_rng(2)
    chances = np.zeros(words)
    start = time.perf_counter()
    for i in range(words):
        llr = magnitudes(rng, 8 * n) * rng.choice([-1.0, 1.0], 8 * n)
        answer = decode_soft(llr.astype(np.float32).reshape(n, 8), n - k, effort=effort)
        chances[i] = np.inf if answer is None else answer.log2_chance
    seconds = time.perf_counter() - start
    shares = [f"{np.mean(chances < -m) * 2.0**m:.2f}" for m in (1, 2, 4, 6, 8, 10)]
    print(
        f"| {n}, {k} | {effort} | {words} | "
        + " | ".join(shares)
        + f" | {np.sum(chances < SURE)} | {chances.min():.1f} | {1e3 * seconds / words:.1f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--words", type=int, default=5000)
    parser.add_argument("--effort", type=int, default=2, help="for the random words")
    parser.add_argument("--block", action="append", metavar="N,K")
    arguments = parser.parse_args()
    blocks = [tuple(map(int, text.split(","))) for text in arguments.block or ()] or BLOCKS
    if arguments.trials:
        names = " | ".join(METHODS)
        print("rho for 99 % (ms a block there: median, longest)")
        print(f"| block | {names} | sure | bound | ratio |")
        print("|---" * (len(METHODS) + 4) + "|")
        for n, k in blocks:
            limits(n, k, arguments.trials)
    if arguments.words:
        print("\nshare of random words whose chance is said to be under 2^-m, times 2^m")
        print("| block | effort | words | m = 1 | 2 | 4 | 6 | 8 | 10 | under 2^-20 | least | ms |")
        print("|---" * 12 + "|")
        for n, k in blocks:
            accidents(n, k, arguments.words, arguments.effort)


if __name__ == "__main__":
    main()
