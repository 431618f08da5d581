"""How true the measured values are, and whether their uncertainties hold.

Usage: ``python tests/benchmarks/metrology.py [pitch] [edges] [roughness] [tilt] [time]
[--images N]``. Pitch and tilt on micrographs of our simulator, of other payloads, poses and noise
in each image; edges and roughness on micrographs drawn with the very edges that are asked for.
An uncertainty holds where the true value lies within 1.96 of it. Times are of one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

import numpy as np
from drawn_codes import drawn_micrograph
from simulated_codes import PITCH_NM, code, pictured

from napari_nanoqr.measuring.measure import measure_codes
from napari_nanoqr.measuring.quantity import COVERAGE, Quantity
from napari_nanoqr.physics.simulate import simulate_micrograph

ROW = "| {} | {} | {:+.4f} | {:.4f} | {:.4f} | {:.1f} % |"


def main() -> None:
    tables = {
        "pitch": pitch, "edges": edges, "roughness": roughness, "tilt": tilt, "time": seconds,
    }  # fmt: skip
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="*", choices=[*tables, []])
    parser.add_argument("--images", type=int, default=100)
    options = parser.parse_args()
    for name in options.tables or tables:
        print(f"\n{name}\n| case | value | bias | spread | mean uncertainty | covered |")
        print("|---|---|---|---|---|---|")
        tables[name](options.images)


def tell(case: str, name: str, measured: Iterable[Quantity | None], true: float) -> None:
    """Print how values compare with the true one."""
    known = [(q.value, q.uncertainty or 0.0) for q in measured if q is not None]
    if not known:
        print(f"| {case} | {name} | none |")
        return
    values, doubts = np.array(known).T
    off = values - true
    held = 100 * (np.abs(off) <= COVERAGE * doubts).mean()
    print(ROW.format(case, name, off.mean(), off.std(), doubts.mean(), held), flush=True)


def pitch(images: int) -> None:
    """Version 3 at 8 pixels a module, and around that."""
    for name, electrons, pixels in (
        ("3-L", 3000, 8), ("3-L", 500, 8), ("3-L", 3000, 5), ("3-L", 3000, 14), ("7-L", 3000, 8),
    ):  # fmt: skip
        some = images if (electrons, pixels) == (3000, 8) else max(images // 5, 10)
        found = []
        for number in range(some):
            _, micrograph = pictured(name, number, electrons, pixels, seed=1234)
            found += measure_codes(micrograph)[:1]
        case = f"{name}, {electrons} electrons, {pixels} px, {len(found)} of {some}"
        tell(case, "pitch x, nm", [m.pitch_x_nm for m in found], PITCH_NM)
        tell(case, "pitch y, nm", [m.pitch_y_nm for m in found], PITCH_NM)
        tell(case, "orthogonality, degrees", [m.orthogonality_deg for m in found], 0.0)


def edges(images: int) -> None:
    """Edges that lie outside or inside of their places."""
    for bias, pixel, blur in (
        ((0, 0), 6.125, 5), ((6, 3), 6.125, 5), ((-6, -3), 6.125, 5), ((4, 4), 12.25, 5),
        ((4, 4), 3.0, 5), ((4, 4), 6.125, 12),
    ):  # fmt: skip
        found = []
        for number in range(max(images // 10, 5)):
            rng = np.random.default_rng([3, number])
            found += measure_codes(
                drawn_micrograph(
                    code("3-L", number % 8).design.symbol.matrix, rng, bias_yx_nm=bias,
                    pixel_nm=pixel, blur_nm=blur, rotation_deg=float(rng.uniform(0, 360)),
                )
            )  # fmt: skip
        case = f"bias {bias} nm, pixel {pixel} nm, blur {blur} nm"
        tell(case, "edge bias x, nm", [m.edge_bias_x_nm for m in found], bias[1])
        tell(case, "edge bias y, nm", [m.edge_bias_y_nm for m in found], bias[0])
        tell(case, "width, nm", [m.module_width_nm for m in found], PITCH_NM + 2 * bias[1])
        tell(case, "blur, nm", [m.blur_nm for m in found], blur)


def roughness(images: int) -> None:
    """Edges that wander."""
    for sigma, length, pixel, light in (
        (2, 15, 6.125, 300), (2, 30, 6.125, 300), (4, 50, 6.125, 300), (1, 25, 6.125, 300),
        (2, 25, 3.0, 300), (2, 25, 6.125, 60),
    ):  # fmt: skip
        found = []
        for number in range(max(images // 10, 5)):
            rng = np.random.default_rng([4, number])
            found += measure_codes(
                drawn_micrograph(
                    code("3-L", number % 8).design.symbol.matrix, rng, roughness_nm=sigma,
                    length_nm=length, pixel_nm=pixel, electrons=(light, 0.45 * light),
                    rotation_deg=float(rng.uniform(0, 360)),
                )
            )  # fmt: skip
        case = f"{sigma} nm over {length} nm, pixel {pixel} nm, {light} electrons"
        tell(case, "roughness, nm", [m.roughness_nm for m in found], sigma)
        tell(case, "pitch x, nm", [m.pitch_x_nm for m in found], PITCH_NM)


def tilt(images: int) -> None:
    """Tilts that the code alone tells."""
    for degrees in (0, 15, 30, 45, 52, 60):
        found = []
        for number in range(max(images // 10, 5)):
            rng = np.random.default_rng([5, number])
            micrograph = simulate_micrograph(
                code("3-L", number % 8).pattern, tilt_deg=degrees,
                rotation_deg=float(rng.uniform(0, 360)), seed=number,
            )  # fmt: skip
            found += measure_codes(micrograph)[:1]
        case = f"{degrees} degrees, {len(found)} read"
        tell(case, "tilt, degrees", [m.tilt_deg for m in found], degrees)
        tell(case, "pitch y, nm", [m.pitch_y_nm for m in found], PITCH_NM)


def seconds(images: int) -> None:
    """Reading and measuring of images of 1024 x 1024."""
    count = max(images // 10, 5)
    for name in ("3-L", "10-L"):
        wanted = [
            simulate_micrograph(
                code(name, number % 8).pattern, shape=(1024, 1024), seed=number, rotation_deg=17.0
            )
            for number in range(count)
        ]
        start = time.process_time()
        found = sum(len(measure_codes(micrograph)) for micrograph in wanted)
        spent = (time.process_time() - start) / count
        print(f"| {name}, 1024 x 1024 | {found} of {count} codes | {spent:.2f} s an image |")


if __name__ == "__main__":
    main()
