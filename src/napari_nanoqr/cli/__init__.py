"""The command ``nanoqr``: every job without a viewer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from napari_nanoqr.cli.settings import expand_settings

COMMANDS = (
    "demo", "encode", "smallest", "plan", "export", "array", "predict", "simulate", "decode",
    "measure", "verify", "restore", "info", "watch", "trend", "archive",
)  # fmt: skip

DESCRIPTION = """\
Write data into a ceramic film with a focused ion beam, and read it back from electron
micrographs."""

EPILOG = """\
the whole loop:
  nanoqr encode "https://www.tuwien.at/en/" --error L --version 3 -o record.json
  nanoqr plan record.json
  nanoqr export record.json --to record.str record.gds
  nanoqr simulate record.str -o expected.tif
  nanoqr decode expected.tif
or at once:
  nanoqr demo

"nanoqr COMMAND --help" explains a command. The same jobs are in napari under
Plugins > nanoqr, and in Python as "import napari_nanoqr as nqr".
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit status: 0 for success, 1 where something was not found, 2 for bad use, an
        unreadable file or a file that cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        # a console that knows no micrometre sign shows a question mark instead of failing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        options = parser.parse_args(expand_settings(words))
        return int(options.run(options))
    except KeyboardInterrupt:
        print("nanoqr: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError) as problem:
        print(f"nanoqr: {sentence_of(problem)}", file=sys.stderr)
        return 2


def sentence_of(problem: ValueError | OSError) -> str:
    """Say what went wrong without code names."""
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return str(problem)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nanoqr",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version("%(prog)s"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"napari_nanoqr.cli.{name}").add_command(commands)
    return parser


class _Version(str):
    """Looks the version up only when it is shown."""

    __slots__ = ()

    def __mod__(self, _: object) -> str:
        from importlib.metadata import version

        return f"nanoqr {version('napari-nanoqr')}"
