"""Design quasi-cyclic codes of 60 blocks: how many checks each block is in, and how turned.

Usage: ``python tests/benchmarks/ldpc_design.py degrees --columns 48 [--seconds 60]
[--entries 205]`` lists sets of degrees by their threshold, and ``python
tests/benchmarks/ldpc_design.py shifts --columns 48 --degrees 3x40 9x8 [--size 172] [--seed 1]
[--tries 30] [--passes 2]`` prints a table as it stands in ``napari_nanoqr/codes/ldpc/tables.py``.

The tables were made with ``shifts --passes 2`` and

==========  ===========================================================================
rate        options
==========  ===========================================================================
1/2         ``--columns 30 --degrees 3x22 14x8 --tries 40 --seed 2``
2/3         ``--columns 40 --degrees 3x32 12x8 --tries 40 --seed 2``
4/5         ``--columns 48 --degrees 3x40 10x8 --tries 60 --seed 2``
0.88        ``--columns 53 --degrees 3x43 6x3 7x7 --tries 40 --seed 2``
header      ``--columns 30 --degrees 3x22 11x8 --tries 100 --seed 1 --size 13``
==========  ===========================================================================

Of sets of degrees that density evolution finds good those were taken that did best in
``ldpc.py``: words of this length want more entries in their heavy blocks than it asks for.

Degrees: density evolution of the ensemble with the messages of the decoder, in eighths of a nat
(T. Richardson, R. Urbanke, The capacity of low-density parity-check codes under message-passing
decoding, IEEE Trans. Inf. Theory 47 (2001) 599), and random steps downhill.

Shifts: block by block, those of small degree first, the best of many random choices. Bad are
closed walks through the block's bits, as in them wrong bits support one another: the worse the
fewer bits they have and the fewer other checks could help these. Each bit weighs
``exp(-Es / N0)``, about what its noise being wrong is worth, and each of its checks beyond two
``exp(-2)``. Parity bits have no such check: walks along their chain matter however long they are.
Two bits that share two checks are not allowed at all. Further passes try to replace each block.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from itertools import combinations
from math import exp, log10, sqrt

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from napari_nanoqr.codes.bounds import rho_of_information

BLOCKS = 60
TOP, LOUDEST, LIMIT = 127, 63, 64
"""Largest message of a bit (here), of a check and of the channel, in eighths of a nat."""

HELP = 2.0
"""What a check that is in no walk is worth to a bit, in nats."""

Block = list[tuple[int, int]]
Floats = NDArray[np.float64]


def combined_sizes() -> NDArray[np.int64]:
    """What two magnitudes say together, as an index into all magnitudes: exact, then rounded."""
    size = np.arange(TOP + 1) / 8
    one, other = np.meshgrid(size, size)
    exact = np.minimum(one, other) + np.log1p(np.exp(-one - other))
    return np.rint(8 * (exact - np.log1p(np.exp(-abs(one - other))))).astype(np.int64)


TOGETHER = combined_sizes()


@numba.njit(cache=True)
def join(one: Floats, other: Floats) -> Floats:
    """Densities over magnitude of what two messages say together; signed ones multiply too."""
    result = np.zeros(one.size)
    for i in range(one.size):
        for j in range(one.size):
            result[TOGETHER[i, j]] += one[i] * other[j]
    return result


def halves(messages: Floats) -> list[Floats]:
    """Densities over magnitude of messages, -TOP to TOP: of both signs, and their difference."""
    right, wrong = messages[TOP:].copy(), messages[TOP::-1].copy()
    right[0], wrong[0] = 0.5 * right[0], 0.5 * wrong[0]
    return [right + wrong, right - wrong]


def power(message: list[Floats], count: int) -> list[Floats]:
    """What so many like messages say together."""
    result = [(np.arange(TOP + 1) == TOP).astype(float)] * 2
    while count:
        if count & 1:
            result = [join(a, b) for a, b in zip(result, message, strict=True)]
        message = [join(part, part) for part in message]
        count >>= 1
    return result


def answered(message: list[Floats]) -> Floats:
    """Density of a check's messages, -TOP to TOP, cut to the loudest."""
    both, apart = (part.copy() for part in message)
    for part in (both, apart):
        part[LOUDEST] += part[LOUDEST + 1 :].sum()
        part[LOUDEST + 1 :] = 0
    return np.concatenate([(0.5 * (both - apart))[:0:-1], [both[0]], (0.5 * (both + apart))[1:]])


def added(channel: Floats, heard: Floats, degree: int) -> Floats:
    """Density of a bit's messages: the channel and what all checks but one say."""
    most = 1 << (degree * (2 * TOP + 1)).bit_length()
    wide = np.fft.irfft(np.fft.rfft(heard, most) ** (degree - 1) * np.fft.rfft(channel, most), most)
    wide = np.maximum(wide, 0)
    low, high = TOP * (degree - 1), TOP * (degree + 1) + 1
    part = wide[low:high].copy()
    part[0] += wide[:low].sum()
    part[-1] += wide[high : 2 * TOP * degree + 1].sum()
    return part / part.sum()


def converges(degrees: dict[int, int], rows: int, rho: float, rounds: int) -> bool:
    """Tell whether the share of wrong messages goes to (nearly) nothing.

    Each check has two edges to the chain of parity bits, of degree 2; the others are shared out
    evenly among the other bits. ``degrees`` are those of the others.
    """
    edges = np.concatenate([[-np.inf], np.arange(-LIMIT, LIMIT) + 0.5, [np.inf]]) / 8
    channel = np.pad(np.diff(norm.cdf(edges, 2 * rho**2, 2 * rho)), TOP - LIMIT)
    total = sum(degree * count for degree, count in degrees.items())
    small, large = divmod(total, rows)
    kinds = [(small, small * (rows - large) / total), (small + 1, (small + 1) * large / total)]
    from_chain = from_others = channel
    before = 1.0
    for _ in range(rounds):
        chain, others = halves(from_chain), halves(from_others)
        to_chain, to_others = np.zeros(2 * TOP + 1), np.zeros(2 * TOP + 1)
        for count, share in kinds:
            rest = power(others, count - 1)
            pair = [join(part, part) for part in chain]
            to_others += share * answered([join(a, b) for a, b in zip(rest, pair, strict=True)])
            more = power(others, count)
            beside = [join(a, b) for a, b in zip(more, chain, strict=True)]
            to_chain += share * answered(beside)
        from_chain = added(channel, to_chain, 2)
        from_others = sum(
            degree * count / total * added(channel, to_others, degree)
            for degree, count in degrees.items()
        )
        wrong = from_others[:TOP].sum() + 0.5 * from_others[TOP]
        if wrong < 1e-5:
            return True
        if wrong > 0.998 * before:
            return False
        before = wrong
    return False


def threshold(degrees: dict[int, int], rows: int, rounds: int) -> float:
    """Least Eb/N0 in dB at which the ensemble converges within so many rounds."""
    rate = 1 - rows / BLOCKS
    low = 10 * log10(rho_of_information(rate) ** 2 / 2 / rate)
    high = low + 1.0
    for _ in range(7):
        middle = 0.5 * (low + high)
        good = converges(degrees, rows, sqrt(2 * rate * 10 ** (middle / 10)), rounds)
        low, high = (low, middle) if good else (middle, high)
    return high


def search_degrees(columns: int, seconds: float, entries: int, seed: int, rounds: int) -> None:
    """Step downhill from a common choice, and print the best sets of degrees found."""
    rng = np.random.default_rng(seed)
    rows = BLOCKS - columns

    def rated(chosen: dict[int, int]) -> float:
        return threshold(chosen | {3: chosen.get(3, 0) + 1}, rows, rounds)

    best = {3: columns - columns // 8, min(rows, 7): columns // 8}
    found = {tuple(sorted(best.items())): rated(best)}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        trial = dict(best)
        for _ in range(rng.integers(1, 4)):
            source = int(rng.choice([d for d, count in trial.items() if count]))
            moved = int(min(trial[source], rng.integers(1, 4)))
            trial[source] -= moved
            target = int(rng.integers(3, min(rows, 16) + 1))
            trial[target] = trial.get(target, 0) + moved
        trial = {d: count for d, count in trial.items() if count}
        key = tuple(sorted(trial.items()))
        total = sum(d * count for d, count in key) + 2 * rows + 1
        if total > entries or len(key) > 4 or key in found:
            continue
        found[key] = rated(trial)
        if found[key] <= found[tuple(sorted(best.items()))]:
            best = trial
    for key, decibel in sorted(found.items(), key=lambda item: item[1])[:8]:
        print(f"{decibel:6.3f} dB  {' '.join(f'{d}x{count}' for d, count in key)}")


@numba.njit(cache=True)
def closed_walks(column, size, depth, starts, rows, shifts, count, weights, chain) -> float:
    """Sum the weights of walks that come back to the first bit of a block.

    The chain of parity bits is walked in one go: from a check to any other of the same place in
    its circulant, each bit between them weighing ``chain``. No walk turns round at once.
    """
    to_check = np.zeros((rows.size, size))
    to_bit = np.zeros((rows.size, size))
    sums, left, right = np.zeros(count), np.zeros(count), np.zeros(count)
    total = 0.0
    for e in range(starts[column], starts[column + 1]):
        to_check[e, (size - shifts[e]) % size] = 1.0
    for _ in range(depth):
        for z in range(size):
            sums[:] = 0.0
            for e in range(rows.size):
                sums[rows[e]] += to_check[e, z]
            for row in range(1, count):
                left[row] = chain * (left[row - 1] + sums[row - 1])
                back = count - 1 - row
                right[back] = chain * (right[back + 1] + sums[back + 1])
            for e in range(rows.size):
                row = rows[e]
                to_bit[e, z] = sums[row] - to_check[e, z] + left[row] + right[row]
        for e in range(starts[column], starts[column + 1]):
            total += to_bit[e, (size - shifts[e]) % size]
        for other in range(starts.size - 1):
            for z in range(size):
                weight = weights[starts[other + 1] - starts[other]]
                if other == column and z == 0:
                    weight = 0.0
                everything = 0.0
                for e in range(starts[other], starts[other + 1]):
                    everything += to_bit[e, (z - shifts[e]) % size]
                for e in range(starts[other], starts[other + 1]):
                    there = (z - shifts[e]) % size
                    to_check[e, there] = weight * (everything - to_bit[e, there])
    return total


def turns(block: Block, size: int) -> set[tuple[int, int, int]]:
    """Two blocks that have one of these in common hold bits that share two checks."""
    return {(a, b, (s - t) % size) for (a, s), (b, t) in combinations(sorted(block), 2)}


def draw(rows: list[int], size: int, taken: set[tuple[int, int, int]], rng) -> Block:
    """Return random shifts of a block such that no two bits share two checks."""
    while True:
        block: Block = []
        for row in rows:
            for shift in rng.permutation(size):
                trial = [*block, (row, int(shift))]
                if not turns(trial, size) & taken:
                    block = trial
                    break
        if len(block) == len(rows):
            return block


def badness(blocks: list[Block], rows: int, size: int, depth: int) -> float:
    """How bad the walks through the last block are, at the noise that the rate is made for."""
    rate = 1 - rows / BLOCKS
    energy = 0.5 * rho_of_information(rate) ** 2 * 1.12
    starts = np.cumsum([0] + [len(block) for block in blocks])
    entries = np.array([entry for block in blocks for entry in block])
    weights = np.array([exp(-energy - HELP * max(0, degree - 2)) for degree in range(BLOCKS)])
    return float(weights[len(blocks[-1])]) * float(
        closed_walks(
            len(blocks) - 1, size, depth, starts, entries[:, 0].copy(), entries[:, 1].copy(),
            rows, weights, exp(-energy),
        )
    )  # fmt: skip


def spread_rows(degrees: list[int], rows: int, parity: list[Block], rng) -> list[list[int]]:
    """Choose the rows of each block so that rows are as full and meet as often as one another."""
    filled, met = np.zeros(rows), np.zeros((rows, rows))
    for block in parity:
        for row, _ in block:
            filled[row] += 1
    chosen = []
    for degree in degrees:
        trials = [np.sort(np.argsort(filled + 0.9 * rng.random(rows))[:degree]) for _ in range(40)]
        best = min(trials, key=lambda trial: met[np.ix_(trial, trial)].sum())
        filled[best] += 1
        met[np.ix_(best, best)] += 1
        chosen.append([int(row) for row in best])
    return chosen


def search_shifts(
    degrees: list[int], rows: int, size: int, seed: int, tries: int, passes: int, depth: int
) -> tuple[list[Block], float]:
    """Return the blocks of information and the sum of how bad each of them is."""
    rng = np.random.default_rng(seed)
    chain: list[Block] = [[(j - 1, 0), (j, 0)] for j in range(1, rows)]
    parity: list[Block] = [[(0, 1), (rows // 2, 0), (rows - 1, 1)]]
    degrees = sorted(degrees, reverse=True)
    places = spread_rows(degrees, rows, chain + parity, rng)
    done: dict[int, Block] = {}
    total = 0.0
    for _ in range(passes):
        total = 0.0
        for i in reversed(range(len(degrees))):
            others = parity + [block for j, block in done.items() if j != i]
            taken = set().union(*(turns(block, size) for block in chain + others))
            trials = [draw(places[i], size, taken, rng) for _ in range(tries)]
            trials += [done[i]] if i in done else []
            rated = [(badness([*others, trial], rows, size, depth), trial) for trial in trials]
            worst, done[i] = min(rated)
            total += worst
    return [done[i] for i in range(len(degrees))], total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["degrees", "shifts"])
    parser.add_argument("--columns", type=int, default=48, help="blocks of information, of 60")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--entries", type=int, default=205, help="at most so many, parity included")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--degrees", nargs="+", default=["3x40", "7x8"])
    parser.add_argument("--size", type=int, default=172)
    parser.add_argument("--tries", type=int, default=30)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument(
        "--depth", type=int, default=4, help="bits of information in the longest walks"
    )
    options = parser.parse_args()
    rows = BLOCKS - options.columns
    if options.what == "degrees":
        search_degrees(
            options.columns, options.seconds, options.entries, options.seed, options.rounds
        )
        return
    degrees = [
        int(degree)
        for degree, _, count in (part.partition("x") for part in options.degrees)
        for _ in range(int(count))
    ]
    if len(degrees) != options.columns:
        parser.error(f"{len(degrees)} degrees for {options.columns} blocks")
    blocks, total = search_shifts(
        degrees, rows, options.size, options.seed, options.tries, options.passes, options.depth
    )
    text = ", ".join(" ".join(f"{row}:{shift}" for row, shift in block) for block in blocks)
    print(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="    "))
    print(f"badness {total:.3g}, {sum(degrees) + 2 * rows + 1} entries")


if __name__ == "__main__":
    main()
