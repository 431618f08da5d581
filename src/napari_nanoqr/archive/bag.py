"""Files and folders as a BagIt bag (RFC 8493), without a change to the files of the user."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from napari_nanoqr.processes import python_module, start_process
from napari_nanoqr.progress import Progress, go_on

DECLARATION = "bagit.txt"
"""What makes a folder a bag."""

ALGORITHMS = ("sha256", "sha512")
"""Of the manifests of the bags that are made here."""

_POLL_S = 0.2


@dataclass(frozen=True)
class Source:
    """A file of the user, and its name in the bag.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        With forward slashes, below ``data/``.
    size : int
        In bytes.
    """

    path: Path
    name: str
    size: int


def is_bag(path: Path) -> bool:
    """Return whether a path is a folder that says that it is a bag."""
    return path.is_dir() and (path / DECLARATION).is_file()


def list_sources(paths: Sequence[Path]) -> tuple[Source, ...]:
    """Find the files that are to be stored: files as they are, folders with all that they hold.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders. A folder's files keep their place below its name. Links to files are
        followed.

    Returns
    -------
    tuple of Source
        Sorted by name.

    Raises
    ------
    ValueError
        Where there is nothing, a name occurs twice, or something is neither file nor folder.
    OSError
        Where something is missing or cannot be looked at.
    """
    found: dict[str, Source] = {}
    for path in paths:
        base = path.resolve(strict=True)
        for file in _files_below(base):
            name = PurePosixPath(base.name, *file.relative_to(base).parts).as_posix()
            if name in found:
                raise ValueError(
                    f"{found[name].path} and {file} would both be stored as {name}: rename one, "
                    "or give the folder that holds both."
                )
            if re.search("%0[ad]", name, re.IGNORECASE):
                raise ValueError(f"A bag cannot hold {file}: its name has %0A or %0D in it.")
            state = file.stat()
            if not stat.S_ISREG(state.st_mode):
                raise ValueError(f"{file} is no file that can be stored.")
            found[name] = Source(file, name, state.st_size)
    if not found:
        raise ValueError("There is no file to store.")
    return tuple(found[name] for name in sorted(found))


def _files_below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = []
    for folder, folders, files in os.walk(path, onerror=_raise):
        for name in folders:
            if (Path(folder) / name).is_symlink():
                raise ValueError(
                    f"{Path(folder) / name} is a link to a folder, which is not followed: give "
                    "that folder too, or take the link out."
                )
        found += [Path(folder) / name for name in files]
    return found


def _raise(problem: OSError) -> None:
    raise problem


def make_bag(
    sources: Sequence[Source],
    folder: Path,
    identifier: str,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Make a bag of files, with manifests of SHA-256 and SHA-512.

    Parameters
    ----------
    sources : sequence of Source
        What it holds; linked into the bag where that is possible, else copied.
    folder : Path
        A new folder, which becomes the bag.
    identifier : str
        Of the archive, for ``bag-info.txt``.
    progress, cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    OSError
        Where a file cannot be read, or the bag not be written.

    Notes
    -----
    The library ``bagit`` changes the working folder of its process while it works, so it runs
    in one of its own.
    """
    folder.mkdir()
    for number, source in enumerate(sources):
        go_on(cancelled)
        if progress is not None:
            progress(number, len(sources), f"Taking {source.name} …")
        target = folder.joinpath(*PurePosixPath(source.name).parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source.path, target)
        except OSError:
            shutil.copy2(source.path, target)
        # before the bag is made rather than after: who may not read a file is told its name
        with target.open("rb"):
            pass
    if progress is not None:
        progress(len(sources), len(sources), "Working out the checksums of the files …")
    options = [f"--{name}" for name in ALGORITHMS]
    command = (*python_module("bagit"), "--quiet", *options, "--external-identifier", identifier)
    process = start_process((*command, str(folder)))
    try:
        while True:
            try:
                process.communicate(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                go_on(cancelled)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode:
        raise OSError(f"The files could not be packed into a bag in {folder}.")


def check_bag(folder: Path) -> None:
    """Check that a bag is complete and that all its checksums are right.

    Raises
    ------
    ValueError
        Where it is not; the message says what is wrong.
    """
    import bagit

    try:
        bagit.Bag(str(folder)).validate(processes=1)
    except bagit.BagError as problem:
        raise ValueError(f"{folder} is not a valid bag: {problem}") from problem


def is_identified(folder: Path, identifier: str) -> bool:
    """Return whether a bag has an identifier, as `make_bag` was given it."""
    try:
        lines = (folder / "bag-info.txt").read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return f"External-Identifier: {identifier}" in lines


def read_manifests(folder: Path) -> dict[str, dict[str, str]]:
    """Return what the manifests of a bag tell, as far as they are there.

    Parameters
    ----------
    folder : Path
        A bag, which may lack files and manifests.

    Returns
    -------
    dict
        For each file, by its name in the bag, the digests as lower-case hex by algorithm.
    """
    declared = folder / DECLARATION
    text = declared.read_text(encoding="utf-8-sig") if declared.is_file() else ""
    signs = [("%0A", "\n"), ("%0D", "\r")]
    # up to version 0.97 a percent sign is itself
    signs += [] if "BagIt-Version: 0." in text else [("%25", "%")]
    told: dict[str, dict[str, str]] = {}
    for path in sorted([*folder.glob("manifest-*.txt"), *folder.glob("tagmanifest-*.txt")]):
        algorithm = path.stem.rpartition("-")[2].lower()
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            digest, _, name = line.strip().partition(" ")
            name = name.strip().removeprefix("*")
            for code, sign in signs:
                name = name.replace(code, sign).replace(code.lower(), sign)
            if name:
                told.setdefault(name.removeprefix("./"), {})[algorithm] = digest.lower()
    return told
