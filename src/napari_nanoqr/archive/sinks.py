"""What a stream is written through: checksums, zstd frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import IO

FRAME_BYTES = 4 * 2**20
"""Input of a zstd frame."""

ZSTD_LEVEL = 9
"""What the medium costs is worth some seconds."""


class HashedFile:
    """Length and checksums of what is written, to a file where there is one."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self.file, self.size = file, 0
        self.sha256, self.sha512 = hashlib.sha256(), hashlib.sha512()

    @property
    def digests(self) -> tuple[str, str]:
        """SHA-256 and SHA-512, hex."""
        return self.sha256.hexdigest(), self.sha512.hexdigest()

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def write(self, data: bytes) -> int:
        """Write bytes; return how many."""
        self.sha256.update(data)
        self.sha512.update(data)
        self.size += len(data)
        return len(data) if self.file is None else self.file.write(data)


class FramedFile:
    """A file that is compressed frame by frame while it is written."""

    def __init__(self, sink: HashedFile) -> None:
        import zstandard

        self.sink, self.frames, self.held, self.size = sink, list[int](), bytearray(), 0
        self.compressor = zstandard.ZstdCompressor(ZSTD_LEVEL, write_checksum=True)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def write(self, data: bytes) -> int:
        """Take bytes; return how many. Whole frames are written."""
        self.held += data
        self.size += len(data)
        while len(self.held) >= FRAME_BYTES:
            self._end(bytes(self.held[:FRAME_BYTES]))
            del self.held[:FRAME_BYTES]
        return len(data)

    def close(self) -> None:
        """Write the last frame, which may be shorter."""
        if self.held:
            self._end(bytes(self.held))

    def _end(self, data: bytes) -> None:
        self.frames.append(self.sink.size)
        self.sink.write(self.compressor.compress(data))


class CheckedFile:
    """A file that is read into the tar: hashed, and stopped where that is wanted."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None]) -> None:
        self.file, self.tell, self.hash = file, tell, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        data = self.file.read(size)
        self.hash.update(data)
        self.tell(len(data))
        return data
