"""Put finder patterns together and keep what turns out to be a symbol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from napari_nanoqr.reading.finder_set import STRONG, TRUSTED, Finders
from napari_nanoqr.reading.grid import Points
from napari_nanoqr.reading.scaled import Scaled
from napari_nanoqr.reading.scene import inside
from napari_nanoqr.reading.symbol_fit import CONVINCING, Candidate, fit_symbol
from napari_nanoqr.reading.triples import Place, corners_of, find_guesses, find_sides, find_triples

_FAILURES = 25
"""Places in a row tried in vain after which the rest is left."""

_GUESSES = 20
"""Most pairs of finder patterns for which the third one is guessed."""

_DOUBTED, _LEAST = 3, 0.5
"""Finder patterns that are worth a try where none is beyond doubt, the best ones, and their least
correlation. In an image of some 200 pixels of an M4-Q at its least dose the right one is the best
one, but stronger than :data:`TRUSTED` only every second time."""


@dataclass
class Assembly:
    """Put finder patterns together and keep what turns out to be a symbol.

    Parameters
    ----------
    finders : Finders
        All that were found.
    shape : tuple of int
        Of the image.
    show : callable
        Returns the image around some points in pixels of the original, as finder patterns of
        these numbers tell its pitch.
    asked : callable
        Whether to stop.
    doubtful : bool
        Finder patterns that may be noise are worth a try.
    known : dict
        What came of places tried before, by their centres.
    """

    finders: Finders
    shape: tuple[int, ...]
    show: Callable[[list[int], Points], Scaled]
    asked: Callable[[], bool]
    doubtful: bool = False
    known: dict[bytes, Candidate | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.strength = np.abs(self.finders.correlation)
        self.free = np.ones(len(self.finders), dtype=bool)

    def run(self) -> list[Candidate]:
        """Return the symbols found, and what might be some."""
        if len(self.finders) < 2:
            return []
        sides = find_sides(self.finders)
        found = list(self._triples(find_triples(self.finders, sides)))
        trusted = self.free & (self.strength > TRUSTED)
        if self.doubtful and trusted.sum() < 2 and self.free.all():
            # with nothing found yet, doubtful ones are worth a try as long as they are few
            trusted = self.strength >= max(STRONG, float(np.sort(self.strength)[-4:].min()))
        if trusted.sum() >= 2:
            found += self._pairs(find_guesses(self.finders, sides, trusted))
        return found

    @property
    def left(self) -> list[int]:
        """Finder patterns that belong to no symbol found and may be the only one of theirs.

        Best first: those beyond doubt, or some that are worth a try.
        """
        alone = np.nonzero(self.free & (self.strength > TRUSTED))[0]
        if self.doubtful and not alone.size and self.free.all():
            alone = np.nonzero(self.strength >= _LEAST)[0][:_DOUBTED]
        return [int(i) for i in alone]

    def _triples(self, places: list[Place]) -> Iterator[Candidate]:
        failures = 0
        for place in places:
            if failures >= _FAILURES or self.asked():
                break
            if self.free[list(place.finders)].sum() < 2:
                continue
            failures += 1
            if candidate := self._fit(place):
                yield candidate
                if candidate.score >= CONVINCING:
                    self._settle(place, candidate)
                    failures = 0

    def _pairs(self, guesses: list[Place]) -> Iterator[Candidate]:
        pairs: dict[frozenset[int], list[Place]] = {}
        for guess in guesses:
            # what was lost was lost in the image, not outside
            margin = 4 * float(np.linalg.norm(guess.centres[1] - guess.centres[0])) / guess.modules
            if (guess.centres < -margin).any() or (
                guess.centres > np.add(self.shape, margin)
            ).any():
                continue
            pairs.setdefault(frozenset(guess.finders) - {-1}, []).append(guess)
        for pair in list(pairs)[:_GUESSES]:
            if self.asked():
                break
            if not self.free[list(pair)].all():
                continue
            # all guesses of one pair, before any is believed
            fits = [(c, guess) for guess in pairs[pair] if (c := self._fit(guess))]
            if fits:
                candidate, place = max(fits, key=lambda fit: fit[0].score)
                yield candidate
                if candidate.score >= CONVINCING:
                    self._settle(place, candidate)

    def _fit(self, place: Place) -> Candidate | None:
        key = place.centres.tobytes()
        if key not in self.known:
            ids, versions = [i for i in place.finders if i >= 0], place.versions
            strength = float(self.strength[ids].min())
            self.known[key] = None
            if versions:
                scaled = self.show(ids, corners_of(place, max(versions)))
                self.known[key] = fit_symbol(scaled, place, strength)
        return self.known[key]

    def _settle(self, place: Place, candidate: Candidate) -> None:
        """Let no other symbol have the finder patterns of this one, nor those within it."""
        self.free[[i for i in place.finders if i >= 0]] = False
        self.free[inside(self.finders.centre, candidate.grid.corners_yx)] = False
