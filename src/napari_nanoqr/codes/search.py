"""The search for the nearest codeword, stage by stage, in one soft block."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log2
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.binary_image import check_columns, cost_table, solve_checks
from napari_nanoqr.codes.erasures import nearest_of_erasures
from napari_nanoqr.codes.error_patterns import (
    cost_histogram,
    log2_accident,
    log2_accident_at_most,
)
from napari_nanoqr.codes.ordered_statistics import list_patterns, match_patterns, search_flips

BLUR = 0.16
"""Relative sigma of the reliabilities in the order of other bases; 0.12 to 0.2 find the most."""

LOOSE = 16.0
"""Bits by which a quick bound on accidents may be too high: 9 at most on blocks of 16 to 148
codewords near their limit, and far from it."""

OUT_OF_REACH = 1.5
"""Standard deviations of the cost of the right flips. Blocks that many bases decode lie above
-0.5 at 1.03 times the signal of the normal approximation (25 to 148 codewords)."""


@dataclass(frozen=True)
class Basis:
    """A block after its parity checks have been solved for its most doubtful bits.

    Parameters
    ----------
    solved : (r,) int array
        The solved bits, most reliable first: row by row.
    free : (k,) int array
        The others, most doubtful first.
    columns : (8 n, w) uint64 array
        Which solved bits flip when a bit flips.
    syndrome : (w,) uint64 array
        Which solved bits have to flip when no free bit does.
    table : (8 w, 256) float32 array
        Cost of each byte of flipped solved bits.
    """

    solved: NDArray[np.int64]
    free: NDArray[np.int64]
    columns: NDArray[np.uint64]
    syndrome: NDArray[np.uint64]
    table: NDArray[np.float32]


@dataclass
class SoftBlock:
    """Reliabilities of a block's bits and the nearest codeword that was found so far.

    Parameters
    ----------
    reliabilities : (8 n,) float32 array
        Magnitudes of the log-likelihood ratios; those of known bits are huge.
    hard : (8 n,) uint8 array
        Hard decisions, 0 or 1.
    known : (8 n,) bool array
        Bits that cannot be wrong.
    parity : int
        Parity codewords at the end of the block.
    checks : int
        Independent parity checks on the bits that may be wrong.
    """

    reliabilities: NDArray[np.float32]
    hard: NDArray[np.uint8]
    known: NDArray[np.bool_]
    parity: int
    cost: float = np.inf
    stage: str = ""
    flips: NDArray[np.bool_] | None = None
    _log2_chance: float | None = None
    _doubtful: NDArray[np.float32] = field(init=False)
    checks: int = field(init=False)

    @classmethod
    def of(
        cls, llr: NDArray[np.float32], parity: int, known: NDArray[np.bool_] | None = None
    ) -> SoftBlock:
        """Begin with the log-likelihood ratios of a block, as `decode_soft` takes them."""
        flat = llr.ravel()
        sure = np.zeros(flat.size, dtype=bool) if known is None else known.astype(bool).ravel()
        # sums over a block stay exact enough in float32, also where a ratio is infinite
        reliabilities = np.minimum(np.abs(flat), np.float32(1e4))
        reliabilities[sure] = 2 * reliabilities.sum() + 1
        return cls(reliabilities, (flat < 0).astype(np.uint8), sure, parity)

    def __post_init__(self) -> None:
        self._doubtful = self.reliabilities[~self.known]
        # where nearly everything is known, some checks concern known bits alone
        self.checks = min(8 * self.parity, self._doubtful.size)
        if self.known.sum() > 8 * self.parity:
            solved = self.basis().solved
            self.checks = int((~self.known[solved]).sum())

    def accident(self, cost: float) -> float:
        """Return log2 of the number of codewords expected to be so near by accident."""
        return log2_accident(self._doubtful, cost, self.checks)

    def is_rarer(self, cost: float, log2_chance: float) -> bool:
        """Tell whether codewords so near are rarer than that, by accident."""
        loose = log2_accident_at_most(self._doubtful, cost, self.checks)
        if not log2_chance <= loose < log2_chance + LOOSE:
            return loose < log2_chance
        return self.accident(cost) < log2_chance

    @property
    def log2_chance(self) -> float:
        """What :meth:`accident` says of the nearest codeword."""
        if self._log2_chance is None:
            self._log2_chance = np.inf if self.flips is None else self.accident(self.cost)
        return self._log2_chance

    def keep(self, flips: NDArray[np.bool_], stage: str) -> None:
        """Remember a codeword where it is nearer than all before."""
        if (flips & self.known).any():
            return
        cost = float(self.reliabilities[flips].sum())
        if cost < self.cost:
            self.cost, self.stage, self.flips = cost, stage, flips
            self._log2_chance = None

    def nearest_is_sure(self, margin: float) -> bool:
        """Tell whether a nearer codeword can be ruled out.

        Either because another codeword differs in more than ``parity`` codewords, which would
        cost more, or because 2^``margin`` times as many patterns as there are would be needed
        to expect one by accident.
        """
        if self.flips is None:
            return False
        if self.is_rarer(self.cost, -margin):
            return True
        wrong = self.flips.reshape(-1, 8).any(axis=1)
        others = np.sort(self.reliabilities.reshape(-1, 8).min(axis=1)[~wrong])
        return bool(self.cost < others[: self.parity + 1 - int(wrong.sum())].sum())

    def is_hopeless(self) -> bool:
        """Tell whether even the right codeword would be too far off to be told from chance."""
        expected, spread = _cost_of_errors(self._doubtful)
        return not self.is_rarer(max(0.0, expected - 3 * spread), 0.0)

    def is_out_of_reach(self, basis: Basis, patterns: int) -> bool:
        """Tell whether pairs of the likeliest sets of flips do not come near the right ones.

        The right flips of the free bits cost about what the ratios lead to expect. At the
        limit of what can be decoded a pair of sets costs as much; where the right ones are
        expected to cost much more, further bases are as far away.
        """
        bits, _ = self._listed(basis, patterns)
        expected, spread = _cost_of_errors(self.reliabilities[bits])
        joined = 2 * _cost_of_cheapest(self.reliabilities[bits], patterns)
        return joined < expected - OUT_OF_REACH * spread

    def _listed(self, basis: Basis, patterns: int) -> tuple[NDArray[np.int64], int]:
        """Return the bits of which sets are listed, most doubtful first, and how many control."""
        control = min(int(log2(patterns)), 8 * self.parity)
        bits = np.concatenate((basis.free, basis.solved[:control]))
        return bits[np.argsort(self.reliabilities[bits], kind="stable")], control

    def try_erasures(self, counts: tuple[int, ...], stage: str) -> None:
        """Correct errors after erasing so many of the most doubtful codewords."""
        hard = np.packbits(self.hard)
        found = nearest_of_erasures(hard, self.parity, self.reliabilities.reshape(-1, 8), counts)
        if found is not None:
            self.keep(np.unpackbits(found[0] ^ hard).astype(bool), stage)

    def basis(self, number: int = 1) -> Basis:
        """Solve the parity checks for the most doubtful bits.

        Bases after the first take reliabilities that are blurred at random (the same for the
        same number), so that an error among the free bits of one is solved for in another.
        """
        by_reliability = np.argsort(self.reliabilities, kind="stable")
        order = by_reliability
        if number > 1:
            blur = np.random.default_rng(number).normal(1.0, BLUR, self.hard.size)
            order = np.argsort(self.reliabilities * blur, kind="stable")
        columns = check_columns(self.hard.size // 8, self.parity)
        rows = np.array(columns.T, order="C")
        solved = solve_checks(rows, order, 8 * self.parity)
        columns = np.ascontiguousarray(rows.T)
        free = np.ones(self.hard.size, dtype=bool)
        free[solved] = False
        syndrome = np.bitwise_xor.reduce(columns[self.hard.astype(bool)], axis=0, initial=0)
        table = cost_table(self.reliabilities[solved], columns.shape[1])
        return Basis(
            solved, by_reliability[free[by_reliability]], columns, syndrome.astype(np.uint64), table
        )

    def _keep_flips(self, basis: Basis, bits: NDArray[np.int64], stage: str) -> None:
        """Let the solved bits follow from the flips of others, and keep the result."""
        flips = np.zeros(self.hard.size, dtype=bool)
        for bit in bits:
            flips[bit] ^= True
        rows = np.bitwise_xor.reduce(basis.columns[flips], axis=0, initial=0) ^ basis.syndrome
        packed = np.unpackbits(rows.astype(">u8").view(np.uint8))[: basis.solved.size]
        flips[basis.solved] ^= packed.astype(bool)
        # a solved bit that was flipped as one of the free ones counts in its own row
        self.keep(flips, stage)

    def try_flips(self, basis: Basis, order: int, stage: str) -> None:
        """Flip up to ``order`` free bits."""
        bytes_ = self.parity
        columns = basis.columns[basis.free].astype(">u8").view(np.uint8)[:, :bytes_]
        syndrome = basis.syndrome.astype(">u8").view(np.uint8)[:bytes_]
        _, *bits = search_flips(
            np.ascontiguousarray(columns),
            self.reliabilities[basis.free],
            syndrome,
            basis.table,
            order,
            self.cost,
        )
        if bits[0] != -2:
            chosen = [basis.free[bit] for bit in bits if bit >= 0]
            self._keep_flips(basis, np.array(chosen, dtype=np.int64), stage)

    def try_matches(self, basis: Basis, patterns: int, stage: str) -> None:
        """Join pairs out of the ``patterns`` likeliest sets of flips."""
        bits, control = self._listed(basis, patterns)
        reliabilities = self.reliabilities[bits]
        columns = np.ascontiguousarray(basis.columns[bits])
        limit = _cost_of_cheapest(reliabilities, patterns)
        words, costs, parents, lasts, following = _room(patterns + patterns // 4)
        heads = columns[:, 0].copy()
        count = list_patterns(reliabilities, heads, limit, words, costs, parents, lasts)
        _, *pair = match_patterns(
            words[:count],
            costs[:count],
            parents,
            lasts,
            following,
            columns,
            basis.syndrome,
            basis.table,
            control,
            self.cost,
        )
        if pair[0] == -2:
            return
        chosen = []
        for pattern in pair:
            while pattern:
                chosen.append(bits[lasts[pattern]])
                pattern = parents[pattern]
        self._keep_flips(basis, np.array(chosen, dtype=np.int64), stage)


def _cost_of_errors(reliabilities: NDArray[np.float32]) -> tuple[float, float]:
    """Return the mean and the standard deviation of what the right flips cost."""
    a = reliabilities.astype(np.float64)
    wrong = 1 / (1 + np.exp(np.minimum(a, 700)))
    return float((a * wrong).sum()), float(np.sqrt((a**2 * wrong * (1 - wrong)).sum()))


class _Rooms(local):
    """Arrays of each thread, by the number of patterns they hold."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[NDArray[Any], ...]] = {}


_rooms = _Rooms()


def _room(patterns: int) -> tuple[NDArray[Any], ...]:
    """Return arrays for the lists, the same ones whenever a thread asks for as many."""
    # fresh megabytes for every search would take longer than the search
    if patterns not in _rooms.kept:
        types = (np.uint64, np.float32, np.int32, np.int32, np.int32)
        _rooms.kept[patterns] = tuple(np.empty(patterns, dtype=kind) for kind in types)
    return _rooms.kept[patterns]


def _cost_of_cheapest(reliabilities: NDArray[np.float32], patterns: int) -> float:
    """Return the cost up to which there are about so many sets of bits."""
    cells = 1024
    # all sets of the cheapest log2(patterns) bits cost no more than these together
    top = float(reliabilities[: int(log2(patterns)) + 1].sum())
    if top <= 0:
        return 0.0
    unit = top / cells
    counts = np.cumsum(cost_histogram(reliabilities, unit, cells, 1.0))
    return unit * max(int(np.searchsorted(counts, patterns)), 1)
