"""``nanoqr archive``: whole files on sheets of film, and back."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

COMMANDS = ("plan", "write", "simulate", "read", "verify", "audit")

DESCRIPTION = """\
Store whole files on sheets of film, as tiles far denser than QR codes, and read them back from
micrographs."""

EPILOG = """\
the whole loop:
  nanoqr archive plan --size 2TB
  nanoqr archive write letters photos -o my-archive
  nanoqr archive simulate my-archive -o images
  nanoqr archive read images -o files
  nanoqr archive verify my-archive images

"nanoqr archive COMMAND --help" explains a command.
"""


def add_command(commands: Any) -> None:
    """Add the command with its own commands to the parser."""
    parser = commands.add_parser(
        "archive",
        help="whole files on sheets of film, and back",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"napari_nanoqr.cli.archive_{name}").add_command(inner)
