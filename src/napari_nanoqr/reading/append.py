"""Structured Append: one message over up to sixteen symbols."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Any

from napari_nanoqr.reading.reading import Reading
from napari_nanoqr.symbols.symbol import as_text


@dataclass(frozen=True, eq=False)
class AppendedSet:
    """Symbols that together hold one message, as far as they were read.

    Parameters
    ----------
    parity : int
        The parity byte that all of them carry.
    parts : tuple of (Reading or None)
        In their order; None where a symbol is missing.
    """

    parity: int
    parts: tuple[Reading | None, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the symbols that are missing, from 1."""
        return tuple(i for i, part in enumerate(self.parts, start=1) if part is None)

    @property
    def belongs_together(self) -> bool | None:
        """Whether the message has the parity that the symbols tell; None where it is not whole."""
        if self.missing:
            return None
        # the parity is of what the symbols store, not of what it means
        parts = (part for part in self.parts if part is not None)
        stored = (part.payload if part.stored is None else part.stored for part in parts)
        return reduce(xor, b"".join(stored), 0) == self.parity

    @property
    def payload(self) -> bytes | None:
        """The message; None where symbols are missing or do not belong together."""
        if not self.belongs_together:
            return None
        return b"".join(part.payload for part in self.parts if part is not None)

    @property
    def text(self) -> str | None:
        """The message as text, None where it is none."""
        return None if self.payload is None else as_text(self.payload)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "count": len(self.parts),
            "parity": self.parity,
            "missing": list(self.missing),
            "belongs_together": self.belongs_together,
            "payload_hex": None if self.payload is None else self.payload.hex(),
            "text": self.text,
        }

    def __str__(self) -> str:
        """Say in a line what came of it."""
        count = len(self.parts)
        if self.missing:
            numbers = ", ".join(map(str, self.missing))
            several = "s" * (len(self.missing) > 1)
            return f"set of {count} codes: number{several} {numbers} missing"
        if self.payload is None:
            return f"set of {count} codes: complete, but they do not belong together (parity)"
        content = self.text if self.text is not None else f"hex {self.payload.hex()}"
        return f"set of {count} codes, joined: {content}"


def join_sets(readings: Iterable[Reading]) -> list[AppendedSet]:
    """Put symbols of Structured Append sets together.

    Parameters
    ----------
    readings : iterable of Reading
        Of one image or of several; those that belong to no set are passed over.

    Returns
    -------
    list of AppendedSet
        In the order in which their first symbol appears. Symbols that were read twice count
        once; where two differ that claim the same place, each opens a set of its own.
    """
    sets: list[tuple[int, list[Reading | None]]] = []
    for reading in readings:
        if reading.structured_append is None:
            continue
        index, count, parity = reading.structured_append
        for known, parts in sets:
            if (known, len(parts)) != (parity, count):
                continue
            there = parts[index]
            if there is None or there.payload == reading.payload:
                parts[index] = there or reading
                break
        else:
            new: list[Reading | None] = [None] * count
            new[index] = reading
            sets.append((parity, new))
    return [AppendedSet(parity, tuple(parts)) for parity, parts in sets]
