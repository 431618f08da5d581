"""A bag as the one stream that stands on the medium: a tar, zstd around it, age around that.

Each layer is a file that standard tools open: ``age -d``, ``zstd -d``, ``tar -x``. The tar is of
the pax kind (POSIX.1-2001), zstd is a row of independent frames of 4 MiB of input each (RFC 8878),
so that a gap in it costs these and no more, and age is that of age-encryption.org/v1.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_nanoqr.archive.bag import DECLARATION, read_manifests
from napari_nanoqr.archive.sinks import CheckedFile, FramedFile, HashedFile
from napari_nanoqr.progress import Progress, go_on

MOST_PASSPHRASE_BYTES = 2**30
"""The library encrypts with a passphrase in memory alone."""

BLOCK = tarfile.BLOCKSIZE
_CHUNK = 2**20


@dataclass(frozen=True)
class StreamedFile:
    """A file in the tar.

    Parameters
    ----------
    name : str
        With the bag's folder before it.
    offset, size : int
        Its bytes in the tar.
    sha256 : str
        Hex.
    """

    name: str
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True)
class StreamFacts:
    """What is known of a stream.

    Parameters
    ----------
    kind : str
        ``.tar``, ``.tar.zst``, ``.tar.age`` or ``.tar.zst.age``.
    size : int
        Bytes of the stream.
    sha256, sha512 : str
        Of the stream, hex.
    tar_size : int
        Bytes of the tar in it.
    files : tuple of StreamedFile
        In the tar, in their order; empty where the stream is encrypted, since names and checksums
        tell of what is in it.
    frames : tuple of int
        Where each zstd frame begins in the compressed tar; empty without zstd, or encrypted.
    """

    kind: str
    size: int
    sha256: str
    sha512: str
    tar_size: int
    files: tuple[StreamedFile, ...] = ()
    frames: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {
            "files": [asdict(file) for file in self.files], "frames": list(self.frames)
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StreamFacts:
        """Return the facts that :meth:`to_dict` described.

        Raises
        ------
        TypeError, ValueError, KeyError
            Where they describe none.
        """
        files = tuple(StreamedFile(**file) for file in values["files"])
        return cls(**values | {"files": files, "frames": tuple(values["frames"])})


def write_stream(
    bag: Path,
    path: Path,
    name: str,
    *,
    compress: bool = False,
    recipients: Sequence[str] = (),
    passphrase: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StreamFacts:
    """Write a bag as a stream.

    Parameters
    ----------
    bag : Path
        A folder that is a bag.
    path : Path
        The stream; written in place. For encryption the tar stands beside it meanwhile.
    name : str
        Of the folder in the tar.
    compress : bool
        With zstd.
    recipients : sequence of str
        Public keys of age or SSH.
    passphrase : str, optional
        Instead of recipients.
    progress, cancelled : callable, optional
        See :mod:`napari_nanoqr.progress`; progress counts MB of the tar.

    Returns
    -------
    StreamFacts
        What has to be known of it.

    Raises
    ------
    Cancelled
        Where it is no longer wanted.
    ValueError
        Where a key is none, or the stream is too large for a passphrase.
    OSError
        Where a file cannot be read or has changed, or the stream cannot be written.
    """
    keys = [parse_recipient(word) for word in recipients]
    encrypted = bool(keys) or passphrase is not None
    plain = path.with_name(path.name + ".open") if encrypted else path
    try:
        with plain.open("wb") as file:
            sink = HashedFile(file)
            frames = FramedFile(sink) if compress else None
            files, tar_size = _write_tar(bag, frames or sink, name, progress, cancelled)
            if frames is not None:
                frames.close()
        kind = ".tar.zst" if compress else ".tar"
        if not encrypted:
            told = () if frames is None else tuple(frames.frames)
            return StreamFacts(kind, sink.size, *sink.digests, tar_size, files, told)
        if progress is not None:
            progress(1, 1, "Encrypting …")
        _encrypt(plain, path, keys, passphrase)
    finally:
        if encrypted:
            plain.unlink(missing_ok=True)
    return StreamFacts(kind + ".age", path.stat().st_size, *_digests(path), tar_size)


def _digests(path: Path) -> tuple[str, str]:
    """Return SHA-256 and SHA-512 of a file, read once."""
    sums = HashedFile(None)
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            sums.write(data)
    return sums.digests


def _write_tar(
    bag: Path, sink: Any, name: str, progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[tuple[StreamedFile, ...], int]:  # fmt: skip
    """Write the tar of a bag; return its files and its length."""
    paths = sorted(
        (path for path in bag.rglob("*") if path.is_file()),
        # what tells of the bag comes before what is in it
        key=lambda path: (path.parent != bag, path.name != DECLARATION, path.as_posix()),
    )
    expected = read_manifests(bag)
    total = sum(path.stat().st_size for path in paths) // 10**6
    done = 0
    files = []

    def tell(count: int) -> None:
        nonlocal done
        go_on(cancelled)
        done += count
        if progress is not None:
            progress(done // 10**6, total, f"Packing {done // 10**6:,} of {total:,} MB …")

    tar = tarfile.TarFile(mode="w", fileobj=sink, format=tarfile.PAX_FORMAT)
    for path in paths:
        inside = path.relative_to(bag).as_posix()
        state = path.stat()
        info = tarfile.TarInfo(f"{name}/{inside}")
        # whole seconds need no header of their own
        info.size, info.mtime, info.mode = state.st_size, int(state.st_mtime), 0o644
        with path.open("rb") as file:
            reader = CheckedFile(file, tell)
            tar.addfile(info, reader)
            grown = file.read(1)
        digest = reader.hash.hexdigest()
        if grown or expected.get(inside, {}).get("sha256", digest) != digest:
            raise OSError(f"{inside} changed while it was read: nothing was written.")
        offset = tar.offset - -(-state.st_size // BLOCK) * BLOCK
        tar.members = []  # type: ignore[attr-defined]  # else all of them are kept
        files.append(StreamedFile(info.name, offset, state.st_size, digest))
    tar.close()
    return tuple(files), sink.size


def parse_recipient(word: str) -> Any:
    """Return a public key for pyrage.

    Parameters
    ----------
    word : str
        ``age1...`` as age-keygen prints it, or ``ssh-ed25519 ...`` or ``ssh-rsa ...``.

    Raises
    ------
    ValueError
        Where it is none.
    """
    import pyrage

    kind = pyrage.ssh if word.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(word.strip())
    except (pyrage.RecipientError, ValueError) as problem:
        raise ValueError(
            f"{word!r} is no public key: it begins with age1 or ssh- ({problem})."
        ) from problem


def _encrypt(plain: Path, path: Path, keys: list[Any], passphrase: str | None) -> None:
    import pyrage

    if passphrase is None:
        with plain.open("rb") as reader, path.open("wb") as writer:
            pyrage.encrypt_io(reader, writer, keys)
        return
    if plain.stat().st_size > MOST_PASSPHRASE_BYTES:
        raise ValueError(
            "More than 1 GiB cannot be encrypted with a passphrase: make a key with age-keygen, "
            "and give its public part as recipient."
        )
    path.write_bytes(pyrage.passphrase.encrypt(plain.read_bytes(), passphrase))
