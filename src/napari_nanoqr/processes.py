"""Starting processes of our own, whatever program we are part of."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def python_module(name: str) -> tuple[str, ...]:
    """Return the command that runs a module of this package with the same Python."""
    # -P: the user's working folder may hold a numpy.py of its own
    return (sys.executable, "-P", "-m", name)


def start_process(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that is spoken to over its standard streams.

    Unlike the processes of `multiprocessing` it does not run the script again that the user has
    started, and no lock of the window is copied into it.

    Parameters
    ----------
    command : sequence of str
        See `python_module`.
    environment : mapping, optional
        What it gets beside our environment.

    Returns
    -------
    Popen
        With pipes for input and output. Ctrl-C in a terminal does not reach it.

    Raises
    ------
    OSError
        Where it cannot be started.
    """
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {}), "PYTHONPATH": path},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        # Ctrl-C in a terminal is for the program that asked
        start_new_session=True,
    )
