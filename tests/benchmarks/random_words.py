"""Give random words to the decoder and count what it takes for symbols.

Usage: ``python tests/benchmarks/random_words.py [--words N] [--seed S] [--effort E]``. A word is
a likelihood for every module of a symbol of the smallest and commonest sizes, its sign drawn
evenly and its size as noise, clean images, damage or a texture would give it. Whatever is read
is wrong. Also told are the answers that were guessed, and the least chance of a mistake that one
of them had: the decoder believes what is below 10^-6.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from soft_decoding import magnitudes

from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.soft_decode import decode_likelihoods

SYMBOLS = {
    "rMQR 7 x 43": ((7, 43), 0.35),
    "rMQR 11 x 27": ((11, 27), 0.35),
    "M4": ((17, 17), 0.15),
    "version 1": ((21, 21), 0.1),
    "version 2": ((25, 25), 0.03),
    "version 3": ((29, 29), 0.02),
}
"""Size in modules and share of the words: in small symbols accidents are likeliest."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--words", type=int, default=10000, help="of all sizes together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=int, default=2)
    options = parser.parse_args()
    print("| symbol | words | read | guessed | least chance | ms a word |")
    print("|---" * 6 + "|")
    total = 0
    for number, (name, (shape, share)) in enumerate(SYMBOLS.items()):
        rng = np.random.default_rng((options.seed, number))
        words, read, chances = round(options.words * share), 0, []
        start = time.perf_counter()
        for _ in range(words):
            size = shape[0] * shape[1]
            llr = magnitudes(rng, size) * rng.choice([-1.0, 1.0], size)
            result = decode_likelihoods(
                llr.astype(np.float32).reshape(shape), effort=options.effort
            )
            if isinstance(result, DecodedSymbol):
                read += 1
            elif result.guess is not None:
                chances.append(result.guess.decoded.chance)
        milliseconds = 1e3 * (time.perf_counter() - start) / max(words, 1)
        least = f"{min(chances):.1e}" if chances else "none"
        print(
            f"| {name} | {words} | {read} | {len(chances)} | {least} | {milliseconds:.1f} |",
            flush=True,
        )
        total += read
    print(f"\n{total} read")


if __name__ == "__main__":
    main()
