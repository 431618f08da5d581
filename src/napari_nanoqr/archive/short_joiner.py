"""Join what the QR codes of an archive say to the file that they hold. Needs Python 3 alone.

    python short_joiner.py OUTPUT FILES...

FILES hold the bytes of one QR code each, or of several one after the other, as programs write them
that join sets of codes. Codes may be missing, be there twice, and come in any order. OUTPUT is the
stream of the data, OUTPUT.index and OUTPUT.description what else was read. It says what is lost.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAMES = {0: "", 2: ".index", 3: ".description"}
"""Of the files that the roles are written to; 1 is parity."""


class Header(NamedTuple):
    """The first 48 bytes of a code."""

    magic: bytes
    version: int
    code: int
    archive: bytes
    sheet: int
    tile: int
    symbol: int
    tiles: int
    group: int
    groups: int
    member: int
    data: int
    parity: int
    length: int
    digest: bytes
    root: bytes
    crc: int


def codes_in(content: bytes) -> Iterator[tuple[Header, bytes]]:
    """Find header and payload of each code in some bytes."""
    place = 0
    while place + 48 <= len(content):
        head = content[place : place + 48]
        header = Header(*struct.unpack(">2sBB8sHIBIIIBBBH4s4sI", head))
        payload = content[place + 48 : place + 48 + header.length]
        right = header.magic == b"NQ" and zlib.crc32(head[:44]) == header.crc
        if right and hashlib.sha256(payload).digest()[:4] == header.digest:
            yield header, payload
            place += 48 + header.length
        else:
            place += 1


def times(a: int, b: int) -> int:
    """Multiply in GF(256) with the polynomial 0x11D."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a: int) -> int:
    """Return what gives 1 when multiplied by a number."""
    return next(b for b in range(1, 256) if times(a, b) == 1)


def eighths(payload: bytes) -> list[int]:
    """Return the eight parts of a payload: bit i of its numbers in GF(256) is in part i."""
    size = len(payload) // 8
    return [int.from_bytes(payload[size * i : size * (i + 1)], "big") for i in range(8)]


def add(one: list[int], factor: int, other: list[int]) -> None:
    """Add a multiple of a payload to another one, both in eighths."""
    for i in range(8):
        product = times(factor, 1 << i)
        for j in range(8):
            if product >> j & 1:
                one[j] ^= other[i]


def recover(known: dict[int, bytes], data: int, parity: int) -> None:
    """Add the lost data members of a group to those that are known, if there are enough."""
    lost = [c for c in range(data) if c not in known]
    use = [r for r in range(parity) if data + r in known][: len(lost)]
    if not lost or len(use) < len(lost):
        return
    size = len(known[data + use[0]])
    whole = {c: eighths(known[c].ljust(size, b"\0")) for c in range(data) if c in known}
    # an equation for each parity member: factors of the lost ones, and what they add up to
    equations = []
    for r in use:
        total = eighths(known[data + r])
        for c, parts in whole.items():
            add(total, inverse((255 - r) ^ c), parts)
        equations.append(([inverse((255 - r) ^ c) for c in lost], total))
    for n in range(len(lost)):
        pivot = next(i for i in range(n, len(lost)) if equations[i][0][n])
        equations[n], equations[pivot] = equations[pivot], equations[n]
        factors, total = equations[n]
        scale, scaled = inverse(factors[n]), [0] * 8
        add(scaled, scale, total)
        equations[n] = ([times(scale, factor) for factor in factors], scaled)
        for i, (others, sums) in enumerate(equations):
            if i != n and others[n]:
                times_n = [times(others[n], factor) for factor in equations[n][0]]
                add(sums, others[n], scaled)
                equations[i] = ([a ^ b for a, b in zip(others, times_n, strict=True)], sums)
    for c, (_, total) in zip(lost, equations, strict=True):
        known[c] = b"".join(part.to_bytes(size // 8, "big") for part in total)


def main(output: str, files: list[str]) -> None:
    """Read the files, and write what they say."""
    seen = [each for file in files for each in codes_in(Path(file).read_bytes())]
    if len({header.archive for header, _ in seen}) != 1:
        sys.exit("Give the files of one archive: these hold codes of none, or of several.")
    for role, name in NAMES.items():
        # parity belongs to the data
        own = [each for each in seen if each[0].code >> 4 in ((0, 1) if role == 0 else (role,))]
        if not own:
            print(f"{output}{name}: nothing of it was read")
            continue
        groups: dict[int, dict[int, bytes]] = {}
        counts: dict[int, tuple[int, int]] = {}
        for header, payload in own:
            groups.setdefault(header.group, {})[header.member] = payload
            counts[header.group] = (header.data, header.parity)
        for group, members in groups.items():
            recover(members, *counts[group])
        size = max(len(payload) for _, payload in own)
        total = own[0][0].groups
        last = max(g + total * (k - 1) for g, (k, _) in counts.items())
        parts = [groups.get(n % total, {}).get(n // total) for n in range(last + 1)]
        Path(output + name).write_bytes(
            b"".join(bytes(size) if part is None else part for part in parts)
        )
        lost = [n for n, part in enumerate(parts) if part is None]
        where = f"; lost, and zero: {size} bytes at each of {[size * n for n in lost]}"
        print(
            f"{output}{name}: {len(parts) - len(lost)} of {len(parts)} parts" + where * bool(lost)
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
