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
c91e164f108h142j80m165o140q113r68s120t62v132B102C108,
a97b161d131g140k88l160n167u61w10x100y62z70A142D76, f81g145i73k160l144m36o3p106r23v21w130x3B49D2,
b162d165e42h2i15j3n164q91s150t123u72y149z120A75, a128c0g108j171l70m66p105q163t8u57x150y70B49C99,
a53c16d82e40h50i162k125n30o15s158v17w39z65C157, b143e83f164g151j110k37n156o158p10r66s51A18C88D167,
a107b73c87d156f75h17q10r89w38x7z33A84B126D91, i68m81u156, t39v102y127, h13i46l168, k8m10y67,
p82s77z4, b27c148l98, e14u25w66, d45g93v7, a12o31t147, f21n89x91, A12B152C25, j3q22D20, l12n49r14,
d75p162v159, b4m140C156, e30x146y52, k6t49D58, c4i140A70, r49s67u54, g6o8z29, a30f41j65, q9w98B99
""",
    """
c164e138f23h5j57m89o45p143q84r113s0t122, a88b49c161d158g151i79j8k124l148m143n121q54,
a49d149e118f8g51h26i4l164n14p3s120t76, a127b31d17e43f6j161k64l52m107o100r31s50,
b8c48g141h46i137k80n26o147p116q143r58t30, b120c130d105e24g162i140j17l134m45o51p46t98,
a28f80g31h139j113k127l51n108q4r83s112t26, a99b26d25f33i117m78n34o57p93q130r1s101, c51e157h46,
k162m166t154, e160n142q6, a164c39h152, b125g30s15, i56l6r104, d126j95p70, f66k130o151, a88e49i51,
c119f20l11, d88h106m164, b1q22t9, j80n152o40, g122p62r1, k70p147s15, e49g79q142, c42d73r89,
h32l117o65, b25f66j153, m41n126s63, a31i147t113, a58k62p155, b22d20h119, c18f160g118, e13n23r105,
i12j52s83, l0m105q61, d29o113t4, e7i62k75, a20c135o67, h18j13q52, l4s14t38
""",
    """
a146c128d17e100f105h137i37j147k55l71, b137c39d128e8f59g49h117i30j150k147,
a165b147c92d72f138g104h90i103j52l13, a1b0c97d157e120g165h121i161k35l34,
a133b37c171d93e132f98g22j6k1l26, a34b161e30f96g48h44i83j158k30l79,
a9b121c28d150e132h170i143j151k115l158, a43b49d171e32f146g36i80j50k29l75, c84f113h0, g32h47k15,
a46c138f6, d7i84l57, b148e143j121, c2g120j59, e6f135h71, a28i127k70, b28d17l123, c159e21g119,
d95f19h171, j162k66l29, a124b127i110, f3g49k2, c141h141l93, a153d93e38, b9i171j121, g77h15i29,
b125c113k131, e68f33l38, a73d163j128, a69g82l17, b87f53h16, c70d94i163, e138j113k97, a7g33h84,
c14f165l105, b5d80k152, e36i98j5, d17f32g117, c39h70j37, a41b148e3, i99k121l166, c43f49i162,
d14g159j130, a6h49k58, b6e8l29, c9g98l56, b7h52j11, e0f67i13
""",
    """
a144b72c52d154e50f127g99, a26b104c47d16e135f4g16, a130b8c152d61e18f64g110,
a28b142c110d128e94f117g70, a167b93c151d170e42f11g17, a68b53c143d118e135f159g45,
a16b129c65d56e28f164g60, a143b117c108e83f29g85, a106c130d74e164f132g95, a8b69d8e123f86g23,
b154c21d41, b119c59g150, a102e79f1, b51d39f148, a15c118e76, c118d160g44, a3b65g85, d31e11f141,
b88c115f168, a60e159g168, a91c68d5, b114e108g105, d30f12g8, b66c130e30, a127b122f14, c32d42e27,
a45f51g46, b127d51e108, c93f132g87, a91b95d155, a101c113f132, d68e33g38, b130c93f90, a20e2g145,
a104c55d133, b163e12f119, b171d27g116, c10e89f38, a110d167g114, a1b36c133, e142f93g1, a53b42d73,
c24e51g20, c59d19f46, a111b64e147, d87f53g15, b127c101g111, a70e0f105, b86d166e58, a165c60g131,
b35d83f109, c2e93f115, a0d15g23
""",
]

HEADER = """
c4e8j8m3o9q3s6t2v7B10C12, a6b9g8k10n9r12u8w0x1y11A6, d9f5h6i5l5p2q9s7z2A10D6,
c5d10j6l2n4o5r0v6x0y1D8, a0b1e8f0h3i6k11u11z2B11C9, g8k0l10m3p9t8u5v12w6C8D5,
b8g9h11i7j6m12o4q0w6y3z5, a5c6d12e8f10n7s9t1x9A3B1, h7r0t11, a3q3r10, p12x2C5, d4e10y5, b8s9v6,
j11k0A2, f4m0n8, c3g6z7, l5w2B1, i5o7u7, g9B2D11, o7p10r8, v0x5z1, c2d3k7, a0l3q8, i2t2y8, e0w2D9,
h1s9u0, m0A0C12, b0f10j9, i0n3v11, f0g11s3
"""


if __name__ == "__main__":
    sys.exit(main())
