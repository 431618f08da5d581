"""Random binary payloads through every pattern format and back.

Run as ``python tests/benchmarks/pattern_round_trips.py --payloads 1000``. The first 160 payloads
take every version at every level, the others random ones up to version 10. Each is of a random
length; it is encoded, exported to each format, read back from the file and decoded. One wrong
byte anywhere makes the exit status 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern_files import FORMATS, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.symbols.encode import byte_capacity, encode
from napari_nanoqr.symbols.tables import LEVELS

KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "16-bit stream": (".str", {"stream": "s16"}),
    "12-bit stream": (".str", {"stream": "s"}),
    "16-bit stream, 25 ns": (".str", {"stream": "s16,25ns"}),
    **{form.name: (form.suffix, {}) for form in FORMATS if form.suffix != ".str"},
    **{
        f"{form.name}, polygons": (form.suffix, {"shapes": "polygons"})
        for form in FORMATS
        if "shapes" in form.options
    },
}

ALL = 160
"""Payloads that take every version at every level."""


def round_trip(
    payload: bytes, error: str, version: int, mill: str, folder: Path, kinds: Sequence[str]
) -> dict[str, bool]:
    """Tell for each format whether the payload came back from the file."""
    design = Design(encode(payload, error, version), mill=mill)
    # four points along a module: as good a check as seven, in a third of the time
    plan = plan_milling(design, point_pitch_nm=design.pitch_nm / 4)
    came_back = {}
    for name in kinds:
        suffix, options = KINDS[name]
        path = folder / f"pattern{suffix}"
        try:
            # it reads the file back, draws what stands in it, and decodes that
            found = write_pattern(plan, path, **options)
            came_back[name] = found.payload == payload and found.matches
        except ValueError as problem:
            print(f"{name}, version {version}-{error}: {problem}", file=sys.stderr)
            came_back[name] = False
    return came_back


def payload_round_trip(number: int, seed: int, kinds: Sequence[str]) -> dict[str, bool]:
    """Send the payload of a number there and back."""
    rng = np.random.default_rng((seed, number))
    version = number // 4 + 1 if number < ALL else int(rng.integers(1, 11))
    error = LEVELS[number % 4]
    size = int(rng.integers(1, byte_capacity(version, error) + 1))
    mill = ("dark", "light")[int(rng.integers(2))]
    with tempfile.TemporaryDirectory() as name:
        return round_trip(rng.bytes(size), error, version, mill, Path(name), kinds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--payloads", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first, to go on")
    parser.add_argument(
        "--formats", nargs="+", default=[], metavar="SUFFIX", help="by default all, e.g. .gds .oas"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kinds = [name for name in KINDS if not options.formats or KINDS[name][0] in options.formats]
    exact: Counter[str] = Counter()
    start = time.perf_counter()
    for done in range(1, options.payloads + 1):
        exact.update(payload_round_trip(options.first + done - 1, options.seed, kinds))
        if done % 20 == 0:
            lost = {kind: done - exact[kind] for kind in kinds if exact[kind] < done}
            print(f"{done} payloads, {time.perf_counter() - start:.0f} s; lost: {lost}", flush=True)
    for kind in kinds:
        print(f"{kind:24} {exact[kind]:6} of {options.payloads} exact")
    return 0 if all(exact[kind] == options.payloads for kind in kinds) else 1


if __name__ == "__main__":
    sys.exit(main())
