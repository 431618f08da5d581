"""Kinds and versions of symbols as people write them, on a command line or in a table."""

from __future__ import annotations

SYMBOLS = {"qr": "QR", "micro": "Micro QR", "rmqr": "rMQR", "smallest": "smallest"}
"""Kinds of symbols, by their names where there is little room."""


def read_version(word: str) -> int | str:
    """Read a version as it is written: a number, or a name in any case."""
    return int(word) if word.isdecimal() else word.upper().replace("X", "x")
