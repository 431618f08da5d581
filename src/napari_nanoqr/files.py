"""Writing files so that a failure leaves nothing half done."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside the wanted one, renamed to it when all went well.

    Parameters
    ----------
    path : Path
        The file that is wanted. What stands there stays until the new file is complete.

    Yields
    ------
    Path
        Where to write; it has the same suffix.

    Raises
    ------
    OSError
        Where the folder is missing or cannot be written to.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist.")
    handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=f".{path.stem}-", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; a result is as readable as any other new file
        if os.name == "posix":
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def complete_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside the wanted one, put in its place when all went well.

    Parameters
    ----------
    folder : Path
        The folder that is wanted. What stands there stays until the new one is complete, and is
        then gone: whoever calls has made sure that it may be.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OSError
        Where the folder above is missing or cannot be written to.
    """
    parent = folder.resolve().parent
    if not parent.is_dir():
        raise FileNotFoundError(f"The folder {parent} does not exist.")
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=parent))
    old = beside.with_name(beside.name + "-old")
    try:
        yield beside
        if os.name == "posix":
            # mkdtemp makes folders private; a result is as readable as any other new folder
            mask = os.umask(0)
            os.umask(mask)
            beside.chmod(0o777 & ~mask)
        stood = folder.exists()
        if stood:
            folder.rename(old)
        try:
            beside.rename(folder)
        except OSError:
            if stood:
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, complete or not at all, with the line ends as given."""
    with complete_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, complete or not at all."""
    with complete_file(path) as temporary:
        temporary.write_bytes(data)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
