"""Hold the end of readability that a trend predicts against the one that is found by simulation.

Usage: ``python tests/benchmarks/ageing.py [--seeds N] [--dates N] [--codes 3-L 4-H]
[--electrons 100 300] [--mechanisms blur contrast pits mixed] [--save FILE | --load FILE]``.

Codes age in the simulator and are imaged at even distances of time until half of their life.
Their life, the truth, is the time after which half of the images at this dose are not read: found
by reading images of ages that close in on it. Pits and their places differ from seed to seed, so
each seed has a life of its own; the other mechanisms leave nothing to chance but the noise.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.recording import record_micrograph
from napari_nanoqr.measuring.trend import trend_of
from napari_nanoqr.measuring.trend_point import point_of
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.simulate import mill_pattern, pattern_of, simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import byte_capacity, encode

PITCH_NM = 49.0
NONE = {"diffusion_nm2_per_year": 0.0, "fading_per_year": 0.0, "pits_per_um2_year": 0.0}
MECHANISMS = {
    "blur": NONE | {"diffusion_nm2_per_year": 0.2},
    "contrast": NONE | {"fading_per_year": 5e-4},
    "pits": NONE | {"pits_per_um2_year": 5e-3},
    "mixed": {
        "diffusion_nm2_per_year": 0.1, "fading_per_year": 2e-4, "pits_per_um2_year": 2e-3,
    },
}  # fmt: skip
CLOSE = 0.05
"""Of a life, to which it is found."""

NEAR = 0.2


class Specimen:
    """A code that ages, and is imaged at one dose."""

    def __init__(self, code: str, mechanism: str, electrons: float, seed: int) -> None:
        version, level = code.split("-")
        rng = np.random.default_rng([seed, 1])
        payload = rng.bytes(byte_capacity(int(version), level))
        design = Design(encode(payload, level, int(version)), PITCH_NM)
        self.pattern = pattern_of(plan_milling(design))
        self.film = mill_pattern(self.pattern)
        self.rates, self.electrons, self.seed = MECHANISMS[mechanism], electrons, seed
        self.rng = np.random.default_rng([seed, 2])
        self.settings = RecordSettings(pitch_nm=PITCH_NM, measure=False)

    def image(self, years: float):
        return simulate_micrograph(
            self.pattern,
            milled=self.film,
            ageing=Ageing(years, seed=self.seed, **self.rates),
            electrons_per_pixel=self.electrons,
            rotation_deg=float(self.rng.uniform(0, 360)),
            seed=int(self.rng.integers(1 << 31)),
        )

    def read(self, years: float, images: int) -> int:
        return sum(bool(read_codes(self.image(years), pitch_nm=PITCH_NM)) for _ in range(images))

    def life(self, images: int) -> float:
        low, high = 0.0, 1000.0
        while self.read(high, images) * 2 > images:
            low, high = high, 2 * high
        while high - low > CLOSE * high:
            middle = (low + high) / 2
            enough = self.read(middle, images) * 2 > images
            low, high = (middle, high) if enough else (low, middle)
        return (low + high) / 2

    def series(self, life: float, dates: int):
        return [
            point_of(record_micrograph(self.image(t), self.settings), t)
            for t in np.linspace(0.0, life / 2, dates)
        ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dates", type=int, default=8)
    parser.add_argument("--codes", nargs="+", default=["3-L", "4-H"])
    parser.add_argument("--electrons", type=float, nargs="+", default=[100.0, 300.0])
    parser.add_argument("--mechanisms", nargs="+", default=list(MECHANISMS))
    parser.add_argument("--images", type=int, default=6, help="for each age that is tried")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--load", type=Path, nargs="+")
    options = parser.parse_args()
    made = []
    if options.load:
        for path in options.load:
            for case in pickle.loads(path.read_bytes()):
                made.append(_told(*case))
    else:
        cases = []
        for case in _cases(options):
            cases.append(case)
            made.append(_told(*case))
            if options.save:
                options.save.write_bytes(pickle.dumps(cases))
    for mechanism in dict.fromkeys(name.split()[1] for name, _, _ in made):
        _sum_up(mechanism, [case for case in made if case[0].split()[1] == mechanism])
    _sum_up("all", made)


def _told(name: str, life: float, points) -> tuple[str, float | None, bool]:
    trend = trend_of(points)
    if trend.extrapolation is None:
        print(f"{name}: life {life:.0f} years, {trend.problem}", flush=True)
        return name, None, True
    made = trend.extrapolation.forecast
    if made.end is None:
        held = life > made.later_than
        print(f"{name}: life {life:.0f} years, told later than {made.later_than:.0f}", flush=True)
        return name, None, held
    ratio = made.end / life
    print(
        f"{name}: life {life:.0f} years, told {made.end:.0f} ({made.low:.0f} to {made.high:.0f}), "
        f"{ratio:.2f} of it",
        flush=True,
    )
    return name, ratio, made.low <= life <= made.high


def _sum_up(what: str, made) -> None:
    ratios = np.array([ratio for _, ratio, _ in made if ratio is not None])
    near = int((np.abs(ratios - 1) <= NEAR).sum())
    print(
        f"{what}: median {np.median(ratios) if len(ratios) else float('nan'):.2f} of the life, "
        f"{near} of {len(made)} within {NEAR:.0%}, {len(made) - len(ratios)} without an end; what "
        f"is said holds for {sum(held for _, _, held in made)}"
    )


def _cases(options: argparse.Namespace):
    for code in options.codes:
        for mechanism in options.mechanisms:
            for electrons in options.electrons:
                life = None
                for seed in range(options.seeds):
                    specimen = Specimen(code, mechanism, electrons, seed)
                    if life is None or mechanism in ("pits", "mixed"):
                        life = specimen.life(options.images)
                    name = f"{code} {mechanism} {electrons:g} electrons, seed {seed}"
                    yield name, life, specimen.series(life, options.dates)


if __name__ == "__main__":
    main()
