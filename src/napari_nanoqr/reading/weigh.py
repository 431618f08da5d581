"""Weigh the modules of a symbol and decode them, each with the help of the other.

What one block of a symbol says is known for the others: where its modules are beside theirs,
their leak is no longer guessed. So a symbol is read at the dose of its luckiest blocks, not at
that of its unluckiest one (iterative equalisation and decoding: C. Douillard et al., European
Transactions on Telecommunications 6 (1995) 507).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.reading.equalise import FIRST_PASSES, Equaliser, Known
from napari_nanoqr.reading.grid import Grid
from napari_nanoqr.reading.information import surplus
from napari_nanoqr.reading.likelihoods import ModuleLikelihoods
from napari_nanoqr.symbols.block_search import QUICK_EFFORT
from napari_nanoqr.symbols.decode import DecodedSymbol
from napari_nanoqr.symbols.guess import Guess
from napari_nanoqr.symbols.kinds import layout_of
from napari_nanoqr.symbols.soft_decode import (
    FORMAT_RANGE,
    NotReadable,
    decode_likelihoods,
    mirror_odds,
)
from napari_nanoqr.symbols.symbol import Symbol

MOST_CHANCE = 1e-6
"""Largest probability of a wrong answer that is accepted, over all candidates of an image."""

_NEARLY = 0.8
"""Share of the signal over noise that 99 of 100 images take, from which on some are read."""

MOST_ERROR_RATE = 0.25
"""Modules that are expected to be wrong beyond which no code of any level can be decoded: the
weakest code needs fewer than 0.16 (normal approximation, 4-H at 1 % failure)."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """What became of a place.

    Parameters
    ----------
    seen : ModuleLikelihoods
        Its modules.
    result : DecodedSymbol, NotReadable or None
        The symbol, or how far decoding came; None where it was not tried.
    tries : int
        How often it was tried to decode, with what was tried before.
    turned : bool
        Rows and columns are exchanged: what was taken for upright is mirrored, or the reverse.
    """

    seen: ModuleLikelihoods
    result: DecodedSymbol | NotReadable | None
    tries: int
    turned: bool = False

    @property
    def error(self) -> str:
        """Error-correction level of the symbol, the likeliest where it was not decoded."""
        assert self.result is not None
        found = self.result
        return found.symbol.error if isinstance(found, DecodedSymbol) else found.error

    @property
    def guess(self) -> Guess | None:
        """What the symbol may be where it was not decoded."""
        return self.result.guess if isinstance(self.result, NotReadable) else None


def weigh(
    image: NDArray[np.float32], grid: Grid, *, inverted: bool, effort: int, tries: int = 0
) -> Weighed:
    """Weigh modules and decode them, again and again as long as further blocks are decoded.

    Parameters
    ----------
    image : (y, x) float32 array
        The image, neither smoothed nor flattened.
    grid : Grid
        Where the symbol is, to about a tenth of a module.
    inverted : bool
        Dark modules are the brighter ones.
    effort : int
        How long each block is searched, see `napari_nanoqr.codes.soft.decode_soft`.
    tries : int
        How often it was tried before to decode what is in the image.

    Returns
    -------
    Weighed
        What was seen last, and what it says.
    """
    known: Known | None = None
    together = again = False
    level = min(QUICK_EFFORT, effort)
    equaliser, passes = Equaliser(image, grid, inverted), FIRST_PASSES
    ways: tuple[bool, ...] = ()
    judged: Symbol | None = None
    while True:
        seen, passes = equaliser.look(known, passes, together=together), 1
        if seen.expected_error_rate > MOST_ERROR_RATE:
            return Weighed(seen, None, tries)
        if known is None:
            ways = _ways_round(seen.llr)
        further = False
        while not further:
            failed: Weighed | None = None
            for turned in ways:
                tries += 1
                shown = seen.transposed() if turned else seen
                # over all that may be tried, what each has of the chance adds up to one
                result = decode_likelihoods(
                    shown.llr, effort=level, most_chance=MOST_CHANCE, places=tries * (tries + 1)
                )
                weighed = Weighed(shown, result, tries, turned)
                if isinstance(result, DecodedSymbol) or not result.failed_blocks:
                    return weighed
                further = result.certain.sum() > (0 if known is None else known[1].sum())
                if further:
                    dark, certain = result.dark, result.certain
                    known = (dark.T, certain.T) if turned else (dark, certain)
                    # neither block nor form would have been found the other way round
                    ways = (turned,)
                    break
                if failed is None or (failed.guess is None and weighed.guess is not None):
                    failed = weighed
            if not further:
                assert failed is not None  # there is always one way
                if together and failed.guess is not None and failed.guess.symbol != judged:
                    tries, judged = tries + 1, failed.guess.symbol
                    if (answer := _judged(equaliser, failed, failed.guess, tries)) is not None:
                        return answer
                if not together:
                    together = further = True
                elif level < effort:
                    # seen as well as can be: the longest searches come last
                    level = effort
                elif not again and surplus(failed.seen.llr, failed.error).min() > _NEARLY:
                    # others like it are read: the search was unlucky with what was drawn
                    again = further = True
                else:
                    return replace(failed, tries=tries)


def _judged(equaliser: Equaliser, failed: Weighed, guess: Guess, tries: int) -> Weighed | None:
    """Return the symbol that was guessed where its modules, weighed by turns, speak for it."""
    modules = guess.symbol.matrix
    upright = failed.seen.transposed() if failed.turned else failed.seen
    in_turn = equaliser.in_turn(modules.T if failed.turned else modules, upright)
    in_turn = in_turn.T if failed.turned else in_turn
    chance = guess.chance(failed.seen.llr, in_turn, tries * (tries + 1))
    if chance > MOST_CHANCE:
        return None
    return replace(failed, result=replace(guess.decoded, chance=chance), tries=tries)


def _ways_round(llr: NDArray[np.float32]) -> tuple[bool, ...]:
    """Return whether rows and columns have to be exchanged, both ways where it is open."""
    odds = mirror_odds(llr, layout_of(llr.shape))
    first = odds > 0
    return (first, not first) if abs(odds) < FORMAT_RANGE else (first,)
