"""The layers of a stream, opened one after the other: age, then zstd, down to the tar.

What is missing of a layer is a set of holes; each layer tells what they cost in the one below.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from napari_nanoqr.archive.sinks import FRAME_BYTES
from napari_nanoqr.archive.stream import StreamFacts
from napari_nanoqr.progress import go_on

AGE_MAGIC = b"age-encryption.org/v1"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Holes:
    """Parts of a file that are missing, sorted and joined.

    Parameters
    ----------
    parts : iterable of (int, int)
        First byte and end of each.
    """

    def __init__(self, parts: Iterable[tuple[int, int]] = ()) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted(part for part in parts if part[1] > part[0]):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(end, self.ends[-1])
            else:
                self.starts.append(start)
                self.ends.append(end)

    @property
    def first(self) -> int | None:
        """Where the first begins; None where there is none."""
        return self.starts[0] if self.starts else None

    def between(self, start: int, end: int) -> int:
        """Return how many bytes of a part are missing."""
        missing = 0
        index = bisect.bisect_right(self.ends, start)
        while index < len(self.starts) and self.starts[index] < end:
            missing += min(end, self.ends[index]) - max(start, self.starts[index])
            index += 1
        return missing


def stream_kind(head: bytes) -> str | None:
    """Return the outermost layer of a stream by what it begins with: age, zst or tar."""
    if head.startswith(AGE_MAGIC):
        return "age"
    if head.startswith(ZSTD_MAGIC):
        return "zst"
    return "tar" if head[257:262] == b"ustar" else None


def open_layers(
    stream: Path, beside: Path, holes: Holes, facts: StreamFacts | None,
    identities: Sequence[str], passphrase: str | None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Path, Holes]:  # fmt: skip
    """Decrypt and decompress a stream.

    Parameters
    ----------
    stream : Path
        The stream.
    beside : Path
        Folder for what is inside.
    holes : Holes
        Of the stream.
    facts : StreamFacts or None
        As the index tells.
    identities, passphrase
        As for :func:`~napari_nanoqr.archive.unpack.unpack_stream`.
    cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`.

    Returns
    -------
    tar : Path
        The tar; the stream itself where it is one.
    holes : Holes
        Of the tar.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where the key is missing or wrong, or the stream is of no known kind.
    """
    with stream.open("rb") as file:
        head = file.read(512)
    kinds = facts.kind.split(".")[2:] if facts else None
    layer = stream_kind(head) if kinds is None else (kinds[-1] if kinds else "tar")
    if layer == "age":
        stream, holes = _decrypt(stream, beside / "decrypted", holes, identities, passphrase)
        with stream.open("rb") as file:
            layer = stream_kind(file.read(512))
        facts = None  # of an encrypted stream they tell nothing of what is inside
    if layer == "zst":
        frames = facts.frames if facts else ()
        return _decompress(stream, beside / "tar", holes, frames, facts, cancelled)
    if layer != "tar":
        raise ValueError("The stream is neither a tar nor what holds one: its beginning is lost.")
    return stream, holes


def _decrypt(
    stream: Path, target: Path, holes: Holes, identities: Sequence[str], passphrase: str | None
) -> tuple[Path, Holes]:
    """Decrypt as far as there is no hole: what is encrypted authenticates what comes before."""
    import pyrage

    end = holes.first
    if not identities and passphrase is None:
        raise ValueError("The stream is encrypted: give a secret key, or the passphrase.")
    if passphrase is not None:
        if end is not None:
            raise ValueError(
                f"The stream is encrypted with a passphrase and lacks bytes from {end:,} on: "
                "nothing of it can be opened."
            )
        try:
            target.write_bytes(pyrage.passphrase.decrypt(stream.read_bytes(), passphrase))
        except pyrage.DecryptError as problem:
            raise ValueError(f"The passphrase does not open the stream: {problem}.") from problem
        return target, holes
    keys = [parse_identity(word) for word in identities]
    with stream.open("rb") as reader, target.open("wb") as writer:
        try:
            pyrage.decrypt_io(reader if end is None else _Upto(reader, end), writer, keys)
        except (pyrage.DecryptError, OSError, ValueError) as problem:
            if end is None or writer.tell() == 0:
                raise ValueError(f"The key does not open the stream: {problem}.") from problem
        size = writer.tell()
    return target, Holes() if end is None else Holes([(size, 2**62)])


def parse_identity(word: str) -> Any:
    """Return a secret key for pyrage: one of age, or the text of an SSH key.

    Raises
    ------
    ValueError
        Where it is none.
    """
    import pyrage

    try:
        if "PRIVATE KEY" in word:
            return pyrage.ssh.Identity.from_buffer(word.encode())
        return pyrage.x25519.Identity.from_str(word.strip())
    except (pyrage.IdentityError, ValueError) as problem:
        raise ValueError(f"That is no secret key of age or SSH: {problem}.") from problem


class _Upto:
    """A file that ends where its first hole begins."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self.file, self.end = file, end

    def read(self, size: int = -1) -> bytes:
        left = self.end - self.file.tell()
        return self.file.read(left if size < 0 else min(size, left))


def _decompress(
    stream: Path, target: Path, holes: Holes, frames: Sequence[int], facts: StreamFacts | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[Path, Holes]:  # fmt: skip
    """Decompress the frames that have no hole, each to its place.

    Where the index does not tell the beginnings of the frames, each is found by the end of the one
    before it, so that nothing is found after the first hole.
    """
    import zstandard

    size = stream.stat().st_size if facts is None else facts.size
    lost: list[tuple[int, int]] = []
    with stream.open("rb") as file, target.open("wb") as out:
        if frames:
            for number, (start, end) in enumerate(zip(frames, [*frames[1:], size], strict=True)):
                go_on(cancelled)
                file.seek(start)
                data = None
                if not holes.between(start, end):
                    try:
                        data = zstandard.ZstdDecompressor().decompress(file.read(end - start))
                    except zstandard.ZstdError:
                        data = None
                if data is None:
                    lost.append((number * FRAME_BYTES, (number + 1) * FRAME_BYTES))
                else:
                    out.seek(number * FRAME_BYTES)
                    out.write(data)
            return target, Holes(lost)
        first = holes.first
        source: Any = file if first is None else _Upto(file, first)
        reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        whole = True
        try:
            while data := reader.read(FRAME_BYTES):
                go_on(cancelled)
                out.write(data)
        except zstandard.ZstdError:
            whole = False
        if not whole or first is not None:
            lost.append((out.tell(), 2**62))
    return target, Holes(lost)
