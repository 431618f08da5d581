"""A stream back to files, each with a verdict, though parts of it may be missing."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from napari_nanoqr.archive.bag import is_identified, read_manifests
from napari_nanoqr.archive.layers import Holes, open_layers
from napari_nanoqr.archive.stream import StreamedFile, StreamFacts
from napari_nanoqr.progress import Progress, go_on

State = Literal["exact", "damaged", "lost", "unchecked"]

RECORDS = "nanoqr-reading"
"""Folder of all that is not the user's own, beside the files."""

_CHUNK = 2**20


@dataclass(frozen=True)
class FileVerdict:
    """What became of a file.

    Parameters
    ----------
    name : str
        In the stream: the bag's folder, ``data/``, and the name that it was stored under.
    size : int or None
        In bytes; None where nothing tells it.
    state : {"exact", "damaged", "lost", "unchecked"}
        Exact files fit a checksum that was stored with them. Unchecked ones are whole, but no
        checksum of theirs was found. Both are written; damaged and lost ones are not.
    sha256 : str or None
        Of what was found, or else of what is expected; hex.
    missing_bytes : int
        Of the file, where that is known.
    reason : str
        A sentence; empty where the file is exact.
    path : str
        Where it stands, or would stand, below the folder of the files.
    """

    name: str
    size: int | None
    state: State
    sha256: str | None = None
    missing_bytes: int = 0
    reason: str = ""
    path: str = ""

    @property
    def is_payload(self) -> bool:
        """Whether the user stored it, rather than the bag that tells of the files."""
        return PurePosixPath(self.name).parts[1:2] == ("data",)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def unpack_stream(
    stream: Path,
    folder: Path,
    *,
    facts: StreamFacts | None = None,
    holes: Iterable[tuple[int, int]] = (),
    archive: str = "",
    identities: Sequence[str] = (),
    passphrase: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[FileVerdict, ...]:
    """Write the files of a stream that are whole, and tell of each what became of it.

    Parameters
    ----------
    stream : Path
        As :func:`~napari_nanoqr.archive.stream.write_stream` wrote it, or with zeros where parts
        are missing.
    folder : Path
        Gets the files under the names that they were stored under, and in `RECORDS` what the bag
        that carried them tells. A bag that the user had stored comes back as it was, a folder
        with the files below ``data``. Files that stand there already are left, and have to be the
        same.
    facts : StreamFacts, optional
        As the index tells; without them the headers in the tar are searched for.
    holes : iterable of (int, int)
        First byte and end of what is missing of the stream.
    archive : str
        Number of the archive: the bag that was made for it has this name for its identifier.
    identities : sequence of str
        Secret keys of age (``AGE-SECRET-KEY-...``), or the text of SSH keys.
    passphrase : str, optional
        With which it was encrypted.
    progress, cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`.

    Returns
    -------
    tuple of FileVerdict
        Of all files that are known of.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where the key is missing or wrong, or the stream is of no known kind.
    FileExistsError
        Where another file stands where one is to be written; nothing is written then.
    OSError
        Where something cannot be read or written.
    """
    gaps = Holes(holes)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder) as place:
        beside = Path(place)
        tar, gaps = open_layers(stream, beside, gaps, facts, identities, passphrase, cancelled)
        known = {file.name: file for file in facts.files} if facts else {}
        with tar.open("rb") as file:
            members = list(known.values()) or _members_of(file, gaps)
            done: list[FileVerdict] = []
            for number, member in enumerate(members):
                go_on(cancelled)
                if progress is not None:
                    progress(number, len(members), f"Unpacking {member.name} …")
                done.append(_extract(file, member, beside / "files", gaps))
        verdicts = [
            replace(each, path=_path_of(each, beside / "files", archive))
            for each in _judge(done, beside / "files", bool(known))
        ]
        _put_in_place(verdicts, beside / "files", folder)
    return tuple(verdicts)


def _members_of(file: IO[bytes], holes: Holes) -> list[StreamedFile]:
    """Find files by the headers in a tar; what a hole makes of a header is stepped over."""
    found = []
    with tarfile.open(fileobj=file, mode="r:", ignore_zeros=True) as tar:
        while True:
            try:
                member = tar.next()
            except (tarfile.TarError, ValueError):
                # a broken extended header ends the search at the latest header that was whole
                break
            if member is None:
                break
            tar.members = []  # type: ignore[attr-defined]  # else all of them are kept
            if member.isreg() and not holes.between(member.offset, member.offset_data):
                found.append(StreamedFile(member.name, member.offset_data, member.size, ""))
    return found


def _extract(file: IO[bytes], member: StreamedFile, folder: Path, holes: Holes) -> FileVerdict:
    """Write a file of the tar below a folder, where it is whole and its name is harmless."""
    lost = holes.between(member.offset, member.offset + member.size)
    expected = member.sha256 or None
    if lost:
        state: State = "lost" if lost == member.size else "damaged"
        return FileVerdict(
            member.name, member.size, state, expected, lost,
            f"{lost:,} of its {member.size:,} bytes could not be read.",
        )  # fmt: skip
    try:
        target = _harmless(member.name, folder)
    except tarfile.FilterError as problem:
        reason = f"Its name leads out of the folder, so it was left: {problem}."
        return FileVerdict(member.name, member.size, "damaged", expected, 0, reason)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), member.size
    file.seek(member.offset)
    with target.open("wb") as out:
        while left and (data := file.read(min(left, _CHUNK))):
            digest.update(data)
            out.write(data)
            left -= len(data)
    found = digest.hexdigest()
    if left or found != (expected or found):
        target.unlink()
        reason = "The stream ends before it does." if left else "Its SHA-256 is not the stored one."
        return FileVerdict(member.name, member.size, "damaged", expected, left, reason)
    return FileVerdict(member.name, member.size, "exact" if expected else "unchecked", found)


def _harmless(name: str, folder: Path) -> Path:
    """Return where a file of a tar goes; raise where that is not below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    member = tarfile.data_filter(tarfile.TarInfo(name), str(folder))
    target = folder.joinpath(*PurePosixPath(member.name).parts)
    inside = member.name == name and target.resolve().is_relative_to(folder.resolve())
    if not inside or target == folder:
        raise tarfile.OutsideDestinationError(member, str(target))
    return target


def _judge(done: list[FileVerdict], folder: Path, known: bool) -> list[FileVerdict]:
    """Hold what was written against the manifests of the bag, and find what is missing."""
    written = [each for each in done if each.state in ("exact", "unchecked")]
    tops = sorted({PurePosixPath(each.name).parts[0] for each in written})
    told: dict[str, dict[str, str]] = {}
    for top in tops:
        if (folder / top).is_dir():
            manifests = read_manifests(folder / top)
            told |= {f"{top}/{name}": digests for name, digests in manifests.items()}
    verdicts = []
    for verdict in done:
        digests = told.pop(verdict.name, {})
        if verdict.state in ("exact", "unchecked") and digests:
            wrong = _wrong(folder / verdict.name, digests)
            if wrong:
                (folder / verdict.name).unlink()
                verdict = FileVerdict(
                    verdict.name, verdict.size, "damaged", digests.get("sha256"), 0,
                    f"Its {wrong} is not that of the bag's manifest.",
                )  # fmt: skip
            else:
                verdict = FileVerdict(verdict.name, verdict.size, "exact", verdict.sha256)
        elif verdict.state == "unchecked":
            verdict = replace(verdict, reason="No checksum of it was found.")
        verdicts.append(verdict)
    if not known:
        verdicts += [
            FileVerdict(name, None, "lost", digests.get("sha256"), 0, "Nothing of it was found.")
            for name, digests in told.items()
        ]
    proven = all(each.state == "exact" for each in verdicts if not _closes(each.name))
    return [
        # all its lines fit what they tell of, and nothing else stands in it
        replace(each, state="exact", reason="")
        if proven and each.state == "unchecked" and _closes(each.name)
        else each
        for each in verdicts
    ]


def _closes(name: str) -> bool:
    """Return whether a file holds the checksums of all others of a bag but its own."""
    return PurePosixPath(name).name.startswith("tagmanifest-")


def _wrong(path: Path, digests: dict[str, str]) -> str | None:
    """Return the name of the first digest that a file does not have."""
    for name, digest in digests.items():
        if name in hashlib.algorithms_available:
            with path.open("rb") as file:
                if hashlib.file_digest(file, name).hexdigest() != digest:
                    return name.upper()
    return None


def _path_of(verdict: FileVerdict, folder: Path, archive: str) -> str:
    """Return where a file belongs: users get back what they stored, not what it was packed in."""
    top, *inner = PurePosixPath(verdict.name).parts
    if not (archive and inner and is_identified(folder / top, archive)):
        return verdict.name
    return str(
        PurePosixPath(*inner[1:]) if verdict.is_payload else PurePosixPath(RECORDS, "bag", *inner)
    )


def _put_in_place(verdicts: list[FileVerdict], beside: Path, folder: Path) -> None:
    """Move files to where they belong, all or none; those that are there already stay."""
    moves = []
    for verdict in verdicts:
        source, target = beside / verdict.name, folder / verdict.path
        if verdict.state not in ("exact", "unchecked"):
            continue
        if not target.exists():
            moves.append((source, target))
        elif not target.is_file() or _wrong(target, {"sha256": verdict.sha256 or ""}):
            raise FileExistsError(f"{target} is another file: give a new folder.")
    for source, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
