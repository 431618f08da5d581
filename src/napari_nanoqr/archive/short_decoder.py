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
a110b154d94g124h115i4l55o79s132t34u69y92C14D129, c72e70f38j34k81m26n132q65r36v78w138z48A134B87,
b124e9j0l146m102p128q118s129t94v164w93x17C24D40, a12c133d28f170h3i1n164o85r134x14y33z114A57B101,
d169e36g83h81k128m90p142u74w69x149y109z24A56C116, b0f30g160i45k125l157n47q33r86s40u164v34B88D116,
a2b75c88e8h9j47k142o80p77t99u87v164x69B153, a89c139d133g154j54l111m72r65s52t113w37y57z70D149,
n125o50C167, i3q25A144, d53f116p10, f138s87C78, a114n95q155, o107r102w152, l149u152A33, e126i0j154,
g116m154B9, k55z119D4, b156v88y27, c161h121t102, n138t159x0, b156p169r3, d73h36q91, s140x56A72,
c129l72C28, a70i37w108, e96g149o66, f24j104D74, u169v14z140, m1y141B131
""",
    """
a59b167d62e153g158h63i120l56m127o36s58t14, a132b123c170f88i97j145k148m118n51p27q28r97,
c2d11e35g89h76j4l7n138p144q95r127s49, a168d144f152g41j26k149l154m55o4q110r22t26,
b12c171e51f145h160i101k14n5o163p96s9t104, b115c59f21g119i67l78m90n61q73r102s132t11,
a56b33c64d101e71g52h66j93k0o115p92q103, a135d132e19f168h130i139j54m64n153o53r129s57, l122p152t8,
a135p144t10, d9k131s37, i96j166l12, e59m135q16, c131o37r155, f72g0h104, b139d77n59, k2l26r168,
a50p98s119, n78o5q14, g126j134t25, c2h78m121, b168e49f71, e51i137k4, h156m43p40, d95f111l92,
a53g40n158, j136s150t69, i59o168q1, b28c86r29, k64l32p4, n167r31t74, c7d89i100, f23q27s124,
e170j72m125, b164g57o41, a150h55l44, g132p47r94, e95k3t44, c39f44j168, h3i26q139
""",
    """
a75b147d101e76f6h25i39j136k56l125, a129b50c4d101f130g111h36i33j163k22,
a64b1c149e87f143g129i89j78k128l49, a91c20d86e118f28g53h107i129k121l150,
a165b51c0d171e60g14h79i99j152l28, b61c7d25e115f56g2h145j118k22l142,
a78b49c139d75f94h95i141j13k97l146, b95c136d171e101f52g83i166j43k61l100, a63e158h31, a125e117g45,
f115h126l109, b11c150d133, i45j79k116, g5h120j145, d72e96f58, a3b123l11, c61i166k146, a143f30g13,
b91e57h17, d50k63l48, c136i107j119, d75g126i128, a24c104e159, b166h87k10, f106j69l25, c0g35h154,
a87d47j40, e23i51l44, b94f24k68, a12g80l127, e112h116i53, c56d54f100, b62j101k48, g126h70k122,
e14f85j122, a171b10i88, c109d4l78, b118g58i150, a161e147k29, c138h13j48, d17f100l131, b156e169g3,
a58d162h30, c3f89i44, j125k127l99, d112e14g108, a39c44k168, h99i57l34
""",
    """
a83b167c69d28e41f47g110, a88b135c107d21e140f130g171, a128b147c20d107e106f41g169,
a160b132c131d97e145f153g25, a3b107c73d141e149f61g112, a3b69c92d116e54f158g32, a104b3c67d62e20f57g5,
a59b52c141e13f76g42, a79b77c33d0e21g98, a81b125d3e168f38g10, c109d154f20, c88e28f113, a37b140g119,
d112f65g51, a52b145c127, b61d37e131, c166f65g125, a53d129e57, a109e64f74, b142c130g25, b45d111f75,
c20e17g71, a151c148d164, b94e24f68, a104d115g21, a64c10f13, b13e80g89, c78d20e9, a63f52g34,
b57c94d158, a42b19f117, d44e164g125, a71c157e167, b5f25g49, c77d167f64, a64e89g72, a74b126d64,
b169c38f29, d113e76g170, c54e5f103, a157b93g18, a149d152f33, b161c162e130, c93d97g91, e141f96g111,
a49b33d24, a62c129g73, b66e106f0, d78f8g115, a98c48e30, b39c44d168, a148e118f37, b16c60g130
""",
]

HEADER = """
c6e5j0m10o9q12s11t2v5B3C7, a8b12g5k12n7r12u3w4x0y11A3, d1f5h6i0l12p5q4s7z5A3D12,
c0d4j2l5n6o4r7v11x10y3D11, a11b0e4f7h2i8k4u2z10B1C3, g3k5l12m0p7t9u8v0w4C12D2,
b7g10h3i4j0m6o12q4w8y5z7, a3c4d1e6f11n4s5t7x12A10B7, h1r4t5, a6q6r2, p3x5C12, d1e7y1, b6s3v0,
j3k8A3, f3m4n8, c2g3z12, l8w2B12, i5o12u11, g7B8D9, o2p12r10, v3x1z9, c1d3k11, a0l7q6, i1t0y12,
e6w9D12, h7s3u9, m9A1C12, b12f4j8, i5n11v2, f0g3s11
"""


if __name__ == "__main__":
    sys.exit(main())
