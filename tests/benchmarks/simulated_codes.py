"""Images of our own simulator for the benchmarks: random payloads in random poses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import PointPattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.dots import as_dots
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.sem.micrograph import Micrograph
from napari_nanoqr.symbols.encode import byte_capacity, encode, missing_bits

PITCH_NM = 49.0
PAYLOADS = 8
"""Different payloads of a code; milling a new one for each image would take longer than reading."""

ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789-._~:/?#&=+", dtype=np.uint8)
"""Text, since some readers mangle other bytes; small letters, so that it is in byte mode."""

MOST_CUT_OFF = 0.06
"""Of an image at each side, so that the symbol is not in its middle; the quiet zone stays."""


class Code:
    """A symbol that is full, its design and what mills it."""

    def __init__(
        self,
        name: str,
        number: int,
        over_etch: float = 1.0,
        dots: bool = False,
        arbitrary: bool = False,
    ) -> None:
        version, level = name.split("-")
        self.name, self.number, self.level = name, number, level
        self.version = int(version) if version.isdecimal() else version
        # of Micro QR codes the version's name
        seed = int(version) if version.isdecimal() else int.from_bytes(version.encode(), "big")
        rng = np.random.default_rng([seed, "LMQH".index(level), number])
        self.payload = full_payload(self.version, level, rng, arbitrary)
        self.design = Design(encode(self.payload, level, self.version), PITCH_NM)
        pattern = pattern_of(plan_milling(self.design, over_etch=over_etch))
        assert isinstance(pattern, PointPattern)
        self.pattern = as_dots(pattern, self.design) if dots else pattern


def full_payload(
    version: int | str, level: str, rng: np.random.Generator, arbitrary: bool = False
) -> bytes:
    """Return text or arbitrary bytes that fill a symbol, digits where it holds no bytes."""
    if capacity := byte_capacity(version, level):
        return rng.bytes(capacity) if arbitrary else rng.choice(ALPHABET, capacity).tobytes()
    digits = max(n for n in range(1, 12) if missing_bits(b"1" * n, level, version) == 0)
    return rng.choice(np.frombuffer(b"0123456789", dtype=np.uint8), digits).tobytes()


@lru_cache(maxsize=64)
def code(name: str, number: int, **made: Any) -> Code:
    """Return one of the codes of a version and level, such as ``"3-L"`` or ``"M4-M"``."""
    return Code(name, number, **made)


Disturb = Callable[[Code, np.random.Generator], dict[str, Any]]
"""Returns what to give to simulate_micrograph beside the pose."""


def pictured(
    name: str,
    image: int,
    electrons: float,
    pixels: float = 8.0,
    *,
    seed: int = 0,
    disturb: Disturb | None = None,
    **made: Any,
) -> tuple[Code, Micrograph]:
    """Return one image: number and seed decide on payload, pose and damage, not on the dose.

    What else is asked for goes to :class:`Code`. Its truth moves with what is cut off.
    """
    rng = np.random.default_rng([seed, image])
    shown = code(name, image % PAYLOADS, **made)
    asked: dict[str, Any] = {"rotation_deg": float(rng.uniform(0, 360))}
    cut = rng.uniform(0, MOST_CUT_OFF, 4)
    noise = int(rng.integers(1 << 31))
    if disturb is not None:
        asked |= disturb(shown, rng)
    micrograph = simulate_micrograph(
        shown.pattern, pixel_size_nm=PITCH_NM / pixels, electrons_per_pixel=electrons, seed=noise,
        **asked,
    )  # fmt: skip
    rows, columns = micrograph.image.shape[-2:]
    top, bottom, left, right = (cut * [rows, rows, columns, columns]).astype(int)
    truth = dict(micrograph.metadata["truth"])
    truth["corners_yx"] = (np.array(truth["corners_yx"]) - [top, left]).tolist()
    return shown, replace(
        micrograph,
        image=np.ascontiguousarray(
            micrograph.image[..., top : rows - bottom, left : columns - right]
        ),
        metadata=micrograph.metadata | {"truth": truth},
    )
