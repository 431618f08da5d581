"""Measure what each disturbance leaves readable.

Usage: ``python tests/benchmarks/disturbances.py [--images N] [--only WORD ...] [--dose 3-L=14
...]``. Each disturbance is shown at three times the dose at which 99 % of the undisturbed images
are read (`readers.py` measures that; ``--dose`` tells it). Every image has a payload, an angle, a
place, damage and noise of its own. Pixel size and pitch are known, tilt is not. The output is a
Markdown table.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from simulated_codes import PITCH_NM, Code, Disturb, pictured

from napari_nanoqr.physics.damage import Damage, Patch
from napari_nanoqr.physics.scan import ScanFaults
from napari_nanoqr.physics.sem import SemModel
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.micrograph import Micrograph

DOSES = {"3-L": 12.9, "4-H": 6.4}
"""Primary electrons a pixel at which 99 % are read, 8 px a module."""

TIMES = 3.0
Random = np.random.Generator


@dataclass(frozen=True)
class Case:
    """A disturbance."""

    name: str
    disturb: Disturb | None = None
    code: str = "3-L"
    milled: dict[str, Any] = field(default_factory=dict)


def faults(**strengths: float) -> Disturb:
    def disturb(_: Code, rng: Random) -> dict[str, Any]:
        return {"faults": ScanFaults(**strengths, seed=int(rng.integers(1 << 31)))}  # type: ignore[arg-type]

    return disturb


def drift(_: Code, rng: Random) -> dict[str, Any]:
    angle = rng.uniform(0, 2 * np.pi)
    # over the whole frame, in a direction of its own
    return {"drift_nm": tuple(3 * PITCH_NM * np.array([np.sin(angle), np.cos(angle)]))}


def grain(_: Code, rng: Random) -> dict[str, Any]:
    size = float(np.exp(rng.uniform(np.log(5), np.log(PITCH_NM / 2))))
    return {"damage": Damage(grain=0.2, grain_nm=size, seed=int(rng.integers(1 << 31)))}


def debris(_: Code, rng: Random) -> dict[str, Any]:
    return {"damage": Damage(particles=8, scratches=2, seed=int(rng.integers(1 << 31)))}


def finder_destroyed(code: Code, rng: Random) -> dict[str, Any]:
    at = code.design.size_nm[0] / 2 - 3.5 * PITCH_NM
    x, y = ((-1, -1), (1, -1), (-1, 1))[rng.integers(3)]
    effect = ("unmilled", "stripped", "covered")[rng.integers(3)]
    patch = Patch.disc((x * at, y * at), 4.5 * PITCH_NM, effect, float(rng.uniform(0.3, 1.8)))
    return {"damage": Damage(patches=(patch,))}


def quarter_lost(code: Code, rng: Random) -> dict[str, Any]:
    half = code.design.size_nm[0] / 2
    effect = ("unmilled", "stripped", "covered")[rng.integers(3)]
    shine = float(rng.uniform(0.3, 1.8))
    if rng.random() < 0.5:
        # the corner without a finder pattern, with what is beside it
        edges = np.array([[0, 0], [1.3, 0], [1.3, 1.3], [0, 1.3]])
        patch = Patch(half * edges, effect, shine)
    else:
        # a spot of a quarter of the area, anywhere inside but on a finder pattern
        radius = half * np.sqrt(1 / np.pi)
        while True:
            centre = rng.uniform(-(half - radius), half - radius, 2)
            finders = (half - 3.5 * PITCH_NM) * np.array([[-1, -1], [1, -1], [-1, 1]])
            if np.hypot(*(finders - centre).T).min() > radius + 3.5 * PITCH_NM:
                break
        patch = Patch.disc(centre, radius, effect, shine)
    return {"damage": Damage(patches=(patch,))}


def always(**arguments: Any) -> Disturb:
    return lambda code, rng: arguments


CASES = (
    Case("nothing, at level L"),
    Case("nothing, at level H", code="4-H"),
    Case("tilt of 54 degrees, not told", always(tilt_deg=54.0)),
    Case("drift of 3 modules", drift),
    Case("curved warp of 1 module", faults(warp_nm=PITCH_NM)),
    Case("vibration of 0.5 module", faults(vibration_nm=0.5 * PITCH_NM)),
    Case("charging 0.4", faults(charging=0.4)),
    Case("film grain, 20 % of the yield", grain),
    Case("particles and scratches, level H", debris, "4-H"),
    Case("one finder pattern destroyed", finder_destroyed),
    Case("25 % of the symbol lost, level H", quarter_lost, "4-H"),
    # with the dose that takes a disc through the film
    Case("round dots for modules", milled={"dots": True, "over_etch": 1.15}),
    Case("defocus, 0.4 module", always(probe_nm=0.4 * PITCH_NM)),
    Case("under-etched, 0.85 of the dose", milled={"over_etch": 0.85}),
    Case(
        "under-etched, signal as thick as the film",
        always(model=SemModel(escape_nm=1000.0)),
        milled={"over_etch": 0.85},
    ),
)


def answers(micrograph: Micrograph, payload: bytes) -> tuple[bool, int]:
    """Whether our reader gives the payload, and how many others it gives."""
    # what the program could not know of an unknown image
    blind = replace(micrograph, metadata={})
    payloads = [reading.payload for reading in read_codes(blind, pitch_nm=PITCH_NM)]
    return payload in payloads, sum(p != payload for p in payloads)


def table(cases: list[Case], images: int, doses: dict[str, float], seed: int) -> None:
    print("| disturbance | code | electrons | images | right | wrong | s median |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for case in cases:
        electrons = TIMES * doses[case.code]
        right = wrong = 0
        missed, seconds = [], []
        for number in range(images):
            code, micrograph = pictured(
                case.code, number, electrons, seed=seed, disturb=case.disturb, **case.milled
            )
            start = time.perf_counter()
            good, others = answers(micrograph, code.payload)
            seconds.append(time.perf_counter() - start)
            right, wrong = right + good, wrong + others
            if not good:
                missed.append(number)
        print(
            f"| {case.name} | {case.code} | {electrons:.0f} | {images} | {right} | {wrong} | "
            f"{np.median(seconds):.2f} |",
            flush=True,
        )
        if missed:
            print(f"<!-- missed: {missed} -->", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=[""], help="words of the disturbances")
    parser.add_argument("--dose", nargs="*", default=[], help="3-L=13 4-H=6")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    doses = DOSES | {name: float(dose) for name, dose in (d.split("=") for d in options.dose)}
    cases = [case for case in CASES if any(word in case.name for word in options.only)]
    table(cases, options.images, doses, options.seed)


if __name__ == "__main__":
    main()
