"""What the description tiles of a sheet hold: the format in words, and a short program.

The words are those of ``format.md`` beside this module, which the docs show too.
"""

from __future__ import annotations

import textwrap
from importlib import resources
from typing import Final

from napari_nanoqr.archive.layout import RATES
from napari_nanoqr.codes.ldpc import LdpcCode, header_code, tile_code

ROWS: Final = "abcdefghijklmnopqrstuvwxyzABCD"
"""Letters that stand for rows of checks in the short decoder's tables."""

TABLES_BEGIN: Final = "# --- 6. "
"""Starts the line behind which the tables of the short decoder stand."""

TABLES_END: Final = 'if __name__ == "__main__":'
"""The line behind the tables."""


def format_text() -> str:
    """Return the description of the format, Markdown in plain ASCII."""
    return _file("format.md")


def short_decoder() -> str:
    """Return the source of the program that reads one tile with Python alone.

    Returns
    -------
    str
        :mod:`napari_nanoqr.archive.short_decoder`, word for word.
    """
    return _file("short_decoder.py")


def _file(name: str) -> str:
    text = (resources.files("napari_nanoqr.archive") / name).read_text(encoding="utf-8")
    # a checkout on Windows may have lines that end otherwise
    return text.replace("\r\n", "\n")


def description() -> str:
    """Return what the description tiles of every sheet say together."""
    return f"{format_text()}\n## The program: short_decoder.py\n\n{short_decoder()}"


def short_joiner() -> str:
    """Return the source of the program that joins what QR codes say.

    Returns
    -------
    str
        :mod:`napari_nanoqr.archive.short_joiner`, word for word.
    """
    return _file("short_joiner.py")


def qr_description() -> str:
    """Return what the description tiles of a sheet of QR codes say together."""
    return f"{format_text()}\n## The program: short_joiner.py\n\n{short_joiner()}"


def with_tables(source: str) -> str:
    """Write the tables of :mod:`napari_nanoqr.codes.ldpc` into the short decoder.

    Parameters
    ----------
    source : str
        The short decoder with any tables.

    Returns
    -------
    str
        The same with these. Where they differ, a person writes the result into the file.
    """
    begin = source.index("\n", source.index(TABLES_BEGIN)) + 1
    tables = [textwrap.fill(code_table(tile_code(rate)), 99) for rate in RATES]
    lines = ["", "TILE = [", *(f'    """\n{table}\n""",' for table in tables), "]"]
    lines += ["", f'HEADER = """\n{textwrap.fill(code_table(header_code()), 99)}\n"""', "", ""]
    return source[:begin] + "\n".join(lines) + "\n" + source[source.index(TABLES_END) :]


def code_table(code: LdpcCode) -> str:
    """Return the table of a code as short text.

    Parameters
    ----------
    code : LdpcCode
        Any of those of the format.

    Returns
    -------
    str
        For each block of information, parted by commas, rows as letters of :data:`ROWS`, each
        with its shift behind it: ``a22c167, b69``.
    """
    blocks = ("".join(f"{ROWS[row]}{shift}" for row, shift in block) for block in code.information)
    return ", ".join(blocks)
