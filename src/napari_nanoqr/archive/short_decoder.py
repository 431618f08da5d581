"""Read one tile of a nanoqr archive: modules in, payload out; nothing but Python is needed.

    python short_decoder.py TILE > PAYLOAD

TILE shows one tile of 512 x 512 modules, as a PBM picture (P1 or P4, one pixel a module) or as
512 lines of digits: 1 where the film is milled (dark in a micrograph), 0 where it is not, ? where
nobody can tell. Where modules have four depths, the digits are 0 to 3. Turned, mirrored and
negative tiles are read too. What the tile says of itself is printed beside the payload.

The steps stand in the order in which they are done, in plain loops, to be carried over into
whatever is used to compute when this is read.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zlib

SIDE = 512

# --- 1. The picture: rows of levels 0, 1 (2, 3) or -1 for unknown --------------------------------


def read_picture(data: bytes) -> list[list[int]]:
    """Read the modules of a picture or of lines of digits."""
    if data[:2] in (b"P1", b"P4"):
        head = re.match(rb"P[14](?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+(\d+)\s", data)
        if head is None:
            raise SystemExit("The size in the picture's first lines cannot be read.")
        numbers, place = [int(head[1]), int(head[2])], head.end()
        if numbers != [SIDE, SIDE]:
            raise SystemExit(f"The picture has {numbers} pixels: a tile has 512 x 512 modules.")
        if data[:2] == b"P4":
            bits = [byte >> (7 - i) & 1 for byte in data[place:] for i in range(8)]
            return [bits[row * SIDE : row * SIDE + SIDE] for row in range(SIDE)]
        data = data[place:]
    levels = ["0123".find(chr(byte)) for byte in data if chr(byte) in "0123?"]
    if len(levels) != SIDE * SIDE:
        raise SystemExit(f"{len(levels)} modules are given: a tile has 512 x 512.")
    return [levels[row * SIDE : row * SIDE + SIDE] for row in range(SIDE)]


# --- 2. The sequence that scrambles, and the corner marks behind it ------------------------------


def make_sequence() -> list[int]:
    """Bit n is bit n - 18 XOR bit n - 23; the first 23 bits are those of 0x492CA1."""
    bits = [0x492CA1 >> (22 - i) & 1 for i in range(23)]
    while len(bits) < 2 * SIDE * SIDE + 4 * 16 * 16:
        bits.append(bits[-18] ^ bits[-23])
    return bits


SEQUENCE = make_sequence()


def turn_right(tile: list[list[int]]) -> list[list[int]]:
    """Choose the orientation and the polarity in which the corner marks agree best."""
    deepest = 3 if max(map(max, tile)) > 1 else 1
    best, answer = 0, tile
    for look in range(16):
        if look == 8:  # from here on what is dark counts as bright
            tile = [[deepest - level if level >= 0 else -1 for level in row] for row in tile]
        if look % 4 == 0:
            tile = [row[::-1] for row in tile]  # mirrored
        tile = [list(row) for row in zip(*tile[::-1], strict=True)]  # a quarter turn
        agree, place = 0, 2 * SIDE * SIDE
        for top in (0, 496):
            for left in (0, 496):
                for cell in range(256):
                    level = tile[top + cell // 16][left + cell % 16]
                    agree += level == deepest * SEQUENCE[place]
                    place += 1
        if agree > best:
            best, answer = agree, tile
    return answer


# --- 3. Where headers and data lie; the sequence is taken off ------------------------------------


def header_cells() -> list[list[tuple[int, int]]]:
    """Return row and column of the modules of the two copies of the header."""
    first = [(row, column) for row in range(16) for column in range(16, 65)]
    second = [(row, column) for row in range(496, 512) for column in range(447, 496)]
    return [first, second]


def data_cells() -> list[tuple[int, int]]:
    """Return row and column of the modules that are neither mark nor header, row by row."""
    taken = {cell for copy in header_cells() for cell in copy}
    starts = (0, 124, 252, 380, 504)
    for top in starts:
        for left in starts:
            corner = top in (0, 504) and left in (0, 504)
            size = 16 if corner else 8
            for row in range(min(top, 512 - size), min(top, 512 - size) + size):
                for column in range(min(left, 512 - size), min(left, 512 - size) + size):
                    taken.add((row, column))
    return [(r, c) for r in range(SIDE) for c in range(SIDE) if (r, c) not in taken]


# what the levels mean: with four of them high and low bit, in a Gray code
BITS = {2: ((0,), (1,)), 4: ((0, 0), (0, 1), (1, 1), (1, 0))}


def belief(tile: list[list[int]], cell: tuple[int, int], plane: int, depths: int) -> float:
    """Return 1 where a bit reads as 0, -1 where it reads as 1, 0 where it is unknown."""
    level = tile[cell[0]][cell[1]]
    if level < 0:
        return 0.0
    scrambled = SEQUENCE[plane * SIDE * SIDE + cell[0] * SIDE + cell[1]]
    return 1.0 - 2.0 * (BITS[depths][level][plane] ^ scrambled)


# --- 4. The error-correcting codes ---------------------------------------------------------------


ROWS = "abcdefghijklmnopqrstuvwxyzABCD"


def make_checks(table: str, size: int) -> list[list[int]]:
    """Return the places of the bits of each check; the bits of every check add up to even.

    The bits of a codeword are 60 blocks of ``size`` bits. For each block of information, parted
    by commas, the table lists rows of checks, each as a letter, and behind it a shift: check z of
    the row includes bit (z + shift) modulo size of the block. The other blocks are a chain.
    """
    blocks = table.split(",")
    rows = 60 - len(blocks)
    checks: list[list[int]] = [[] for _ in range(rows * size)]

    def include(row: int, column: int, shift: int) -> None:
        for z in range(size):
            checks[row * size + z].append(column * size + (z + shift) % size)

    for column, block in enumerate(blocks):
        for letter, shift in re.findall(r"([a-zA-Z])(\d+)", block):
            include(ROWS.index(letter), column, int(shift))
    for row, shift in ((0, 1), (rows // 2, 0), (rows - 1, 1)):
        include(row, len(blocks), shift)
    for j in range(1, rows):
        include(j - 1, len(blocks) + j, 0)
        include(j, len(blocks) + j, 0)
    return checks


def correct(beliefs: list[float], checks: list[list[int]], rounds: int = 40) -> list[int]:
    """Correct a codeword: each check tells its bits what the others let expect (min-sum)."""
    beliefs = list(beliefs)
    told = [[0.0] * len(check) for check in checks]
    for _ in range(rounds):
        bits = [int(value < 0) for value in beliefs]
        if 0.0 not in beliefs and not any(sum(bits[b] for b in check) % 2 for check in checks):
            break
        for check, messages in zip(checks, told, strict=True):
            others = [beliefs[b] - said for b, said in zip(check, messages, strict=True)]
            odd = sum(value < 0 for value in others) % 2
            sizes = sorted(abs(value) for value in others)
            for i, value in enumerate(others):
                size = 0.75 * (sizes[1] if abs(value) == sizes[0] else sizes[0])
                messages[i] = -size if odd != (value < 0) else size
                beliefs[check[i]] = value + messages[i]
    return [int(value < 0) for value in beliefs]


def to_bytes(bits: list[int], count: int) -> bytes:
    """Pack bits into bytes, the highest bit first."""
    return bytes(sum(bits[8 * i + j] << (7 - j) for j in range(8)) for i in range(count))


def crc64(data: bytes) -> int:
    """Compute CRC-64/XZ."""
    register = 2**64 - 1
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xC96C5795D7870F42 if register & 1 else 0)
    return register ^ 2**64 - 1


# --- 5. The header, then the data ----------------------------------------------------------------


def read_header(tile: list[list[int]], depths: int) -> bytes:
    """Read the 48 bytes of the header from both copies, or from either."""
    checks = make_checks(HEADER, 13)
    copies = [[belief(tile, cell, 0, depths) for cell in copy[:780]] for copy in header_cells()]
    both = [one + other for one, other in zip(*copies, strict=True)]
    for beliefs in (both, *copies):
        header = to_bytes(correct(beliefs, checks), 48)
        if header[:3] == b"NQ\1" and zlib.crc32(header[:44]) == int.from_bytes(header[44:], "big"):
            return header
    raise SystemExit("No header can be read: this is no tile, or it is too damaged.")


def main() -> int:
    """Read the tile, print what it says of itself, and write its payload."""
    with open(sys.argv[1], "rb") as file:  # noqa: PTH123
        tile = turn_right(read_picture(file.read()))
    depths = 4 if max(map(max, tile)) > 1 else 2
    header = read_header(tile, depths)
    rate, planes, role = header[3] & 3, (header[3] >> 2 & 3) + 1, header[3] >> 4
    if planes == 2 and depths == 2:
        raise SystemExit("This tile has four depths: give its levels as digits from 0 to 3.")
    names = {"sheet": 2, "tile": 4, "tiles": 5, "group": 4, "groups": 4, "member": 1,
             "data members": 1, "parity members": 1, "bytes": 2}  # fmt: skip
    place, said = 12, {"archive": header[4:12].hex(), "role": str(role)}
    for name, size in names.items():
        said[name] = str(int.from_bytes(header[place : place + size], "big"))
        place += size
    print(*(f"{name}: {value}" for name, value in said.items()), sep="\n", file=sys.stderr)
    # bytes of a codeword's payload; 8 bytes of CRC-64 of it and of its number follow them
    size = (632, 848, 1024, 1128)[rate]
    checks, cells = make_checks(TILE[rate], 172), data_cells()
    payload, lost = b"", []
    for word in range(25 * planes):
        beliefs = [0.0] * 10320
        for i in range(10320):
            cell, bit = cells[25 * i + word % 25], 6379 * i % 10320
            beliefs[bit] = belief(tile, cell, (word // 25 + bit) % planes, depths)
        data = to_bytes(correct(beliefs, checks), size + 8)
        if crc64(data[:size] + bytes([word])) != int.from_bytes(data[size:], "big"):
            lost.append(word)
            data = bytes(size + 8)
        payload += data[:size]
    payload = payload[: int(said["bytes"])]
    sys.stdout.buffer.write(payload)
    if lost:
        print(f"Lost, and written as zeros, are codewords {lost} of {size} bytes.", file=sys.stderr)
        return 1
    if hashlib.sha256(payload).digest()[:4] != header[36:40]:
        print("The payload disagrees with the header's SHA-256.", file=sys.stderr)
        return 1
    return 0


# --- 6. The tables of the codes: data of rates 1/2, 2/3, 4/5 and 53/60, then the header ----------

TILE = [
    """
a9f51i112m110r137v133x85y65D57, b8c99d105l159n156u93w64B133C68, e39h103j18k53o101q127s50t48z139,
g90j80k137n46p88v145A65C22D134, c110f58i166l53r101s96t122u32A73, a45d78g100o23q104w75x88z14B143,
b154c127e140f157g148h66m72o15y34, a134b68n88p52q111r105u78z46D81, d50e168k60l136m14v7y107A132B154,
h37i78j140p118s99t136w15x101C10, b151c112h111j25r106s122v131B22D61, y31z156C100, g123u84x46,
f91k130w36, i71q32A116, m131n99t42, a49e54l32, d95o93D17, a77t101B130, d108f17j84, n57s53y148,
c5p159x22, l163o147v2, g78i92k157, m72q115u154, e10w57A45, h128r134C86, b85z44A27, h50k82u20,
f17n155B146
""",
    """
a22b127i22j8l92m170n118o120p132q70s131t46, a93b110c89d73e169f167g54h126j49k89m49r170,
c38d44e142g137h102l140n168p29q148r160s85t26, b6e35f124g163h121i111k24o147q111r18s107t61,
a120c83d123f100i35j72k43l88m153n58o171p50, c8g65i153, m108p157r154, b134h75n102, e55j105q0,
a110f98s132, d40o13t15, h21l56o155, b126g61p50, a133e44n38, c99j25t46, d117f37q69, k13m5s132,
i130l139r30, a60g115t72, h129i42m67, c101o71s64, k106p132q8, b78f5l2, j61n56r134, d29e84i103,
k11l140t25, a82h1p66, g140m56q60, e122j101s31, f15o121r160, b43c105d0, f137g163n124, e122k99n139,
h90j76t3, a131q47r42, d122i152s145, c38o0p101, b111l30m130, c76f137t0, b157e115o112
""",
    """
a22c167d146f118h113j130k4, b69c149d31e38g49i142l18, a127e85h117i81j15k108l151,
b130e144f126g133i22j42k146, a27b126c69d18f85h59l49, c132e122f61g51h83k4l165,
a145b8d158g83h17i84j112, a5d86e89f12i145k94l128, b37c2j118, g78j131l153, b53d97k74, c90h30i99,
a157e89f23, c136e17j3, b14f70l132, a19g109k104, d115h170i28, c82d93g71, b77i107k113, f45h92j58,
a0e148l50, a8c35j78, b148g135h162, d8e25k78, f171i151l17, c73g80i168, a75b65e46, d27j2l85,
f139h40k96, a139g150h46, b6c24e134, j98k148l12, d50f108i113, d59f96g97, c102k131l80, b128e132h76,
a134i166j149, b157c15f16, e145g158j21, d20h35l145, a96i74k28, g106j25l34, c93e16h9, a88b18k63,
d140f32i1, a62c63g155, b131f13j89, e134h75i77
""",
    """
a133c139e11f144g41, a97b128c21d147g15, a57b81d160e95f30, b92c164e103f28g6, a52b50d49e131g65,
b77c7d31e63f28, a86c148d135f61g75, a8b112e88f102g115, c63d9e38f44g41, a20b158c33d93f11,
a158b52c16e98g168, a149d93e49, b63f128g81, b54c88d1, a142c90e163, d161f127g104, a87c22f164,
b142e74g161, c157d134g22, a101b128f121, d0e162f11, b13c87e28, a144d160g16, a59e126g73, b94c13f68,
a3b31d103, c6f123g114, d113e101f116, a85c104e149, b165d108g80, a31b144f35, c93e88g59, b103d53e73,
a79f86g81, a112c168d25, b162c67g94, d107e60f93, a46b40g165, c108e14f71, c120d4g16, b170e51f164,
a78c154d81, a157f155g91, b54d64e77, b130c147f82, a32e5g152, b153d11g77, a81c76e133, a129d143f2,
e125f52g110, b14c85d131, a129b81f162, c99e138g2
""",
]

HEADER = """
a9f6i7m4r6v12x10y0, b1c5d3l5n4u12w1C1, h10j5k7q9s2t8z8B12, c10e12g0h11o9v3A3D6,
i8l5m4n10p12s5u7D12, b6e2g7x5y2z4B1C2, a1d7f1j5k3o10w10A3, e11h1n2p7q6r1t4w8, o11r0B7, f10u4z8,
a8g10t2, k2C6D1, l5q8v11, c3j7x5, b0i12A5, d9s5y4, m8o4q1, c4r6z8, d7i1t2, a1l1B4, h1u7x10,
j12v11D7, b3k6p11, f5g3w5, s1A2C1, e8m8y5, k2n6x10, f7B7C1, v5w6z11, c1m11t11
"""


if __name__ == "__main__":
    sys.exit(main())
