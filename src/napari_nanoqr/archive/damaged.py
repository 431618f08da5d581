"""What is left of files that did not come back whole, in a folder of its own."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from napari_nanoqr.archive.layers import Holes, open_layers
from napari_nanoqr.archive.stream import StreamFacts
from napari_nanoqr.archive.unpack import FileVerdict
from napari_nanoqr.files import complete_file
from napari_nanoqr.progress import go_on

FOLDER = "damaged"
_CHUNK = 2**20


def write_damaged(
    stream: Path,
    folder: Path,
    verdicts: Iterable[FileVerdict],
    facts: StreamFacts,
    holes: Iterable[tuple[int, int]],
    *,
    identities: Sequence[str] = (),
    passphrase: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[str]:
    """Write damaged files with zeros where bytes are lost.

    Parameters
    ----------
    stream : Path
        With zeros where parts are missing.
    folder : Path
        Gets a folder ``damaged``; what an earlier reading left there is replaced, since it can
        only have held less.
    verdicts : iterable of FileVerdict
        Files that are exact, or of which nothing is there, are passed over.
    facts : StreamFacts
        Where the files are, from the index. Those of an encrypted stream tell nothing.
    holes : iterable of (int, int)
        First byte and end of what is missing of the stream.
    identities, passphrase, cancelled
        As for `napari_nanoqr.archive.unpack.unpack_stream`.

    Returns
    -------
    list of str
        Paths of the files written, below ``damaged``.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where the stream cannot be opened.
    OSError
        Where the folder cannot be written to.
    """
    damaged = {each.name: each.path for each in verdicts if each.state == "damaged"}
    wanted = [file for file in facts.files if file.name in damaged]
    if not wanted:
        return []
    written = []
    with tempfile.TemporaryDirectory(prefix=".damaged-", dir=folder) as place:
        tar, _ = open_layers(
            stream, Path(place), Holes(holes), facts, identities, passphrase, cancelled
        )
        with tar.open("rb") as file:
            for member in wanted:
                go_on(cancelled)
                target = _target(damaged[member.name], folder / FOLDER)
                if target is None:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with complete_file(target) as temporary, temporary.open("wb") as out:
                    _copy(file, member.offset, member.size, out)
                written.append(damaged[member.name])
    return written


def _target(name: str, folder: Path) -> Path | None:
    """Return where a file goes; None where its name leads out of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        member = tarfile.data_filter(tarfile.TarInfo(name), str(folder))
    except tarfile.FilterError:
        return None
    return folder.joinpath(*PurePosixPath(member.name).parts)


def _copy(file: IO[bytes], offset: int, size: int, out: IO[bytes]) -> None:
    """Copy a part of a file; what lies beyond its end is zero."""
    file.seek(offset)
    left = size
    while left and (data := file.read(min(left, _CHUNK))):
        out.write(data)
        left -= len(data)
    out.truncate(size)
