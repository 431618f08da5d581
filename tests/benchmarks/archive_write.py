"""What an archive that is really written holds on A4, and how fast it is written.

    python tests/benchmarks/archive_write.py [MB] [JOBS] [CASE]

Random bytes are written with the default settings, with groups of 230 + 25, with two bits a module,
and as QR codes. Net user bytes on A4 are those of the file over the area of all fields and the gaps
beside them; what each sheet has once (title, control, description and index tiles) is left out, and
everything else counts: marks, headers, checksums, both codes, bag, tar, the unfilled last tile. The
second number leaves out bag and tar too, which take some 20 kB of an archive of any size.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.plan import A4_MM2
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.write import write_archive

CASES = {
    "default": ArchiveSettings(),
    "230 + 25": ArchiveSettings(tile_loss=0.017),
    "2 bits": ArchiveSettings(bits_per_module=2),
    "QR codes": ArchiveSettings("QR 40-L", tiles_per_field=6),
}


def net_tb_on_a4(manifest: ArchiveManifest) -> tuple[float, float]:
    """Count the tiles that stand in the manifest's plan, one by one; of files and of the stream."""
    plan = manifest.plan
    each = (plan.settings.step_nm / 1e6) ** 2 / plan.tiles_per_field
    counted = Counter(
        content.kind
        for sheet in range(plan.sheets)
        for tile in range(plan.tiles(sheet))
        if (content := plan.content(sheet, tile)) is not None
    )
    per_byte = A4_MM2 / 1e12 / (counted["member"] * each)
    return manifest.user_bytes * per_byte, manifest.index.facts.size * per_byte


def main() -> None:
    """Write, count, and tell."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 25
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "random.bin"
        for case, settings in CASES.items():
            if len(sys.argv) > 3 and sys.argv[3] != case:
                continue
            # the last tile of the last group is nearly full, as in an archive of any size
            data = 231 if case != "230 + 25" else 230
            groups = max(1, round(megabytes * 1e6 / settings.tile_bytes / data))
            size = groups * data * settings.tile_bytes - 20480
            with source.open("wb") as file:
                rng = np.random.default_rng(1)
                for start in range(0, size, 10**7):
                    file.write(rng.bytes(min(10**7, size - start)))
            start_s = time.perf_counter()
            manifest = write_archive([source], folder / case, settings, jobs=jobs)
            seconds = time.perf_counter() - start_s
            plan = manifest.plan
            peak = max(
                resource.getrusage(who).ru_maxrss
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            net, stream = net_tb_on_a4(manifest)
            print(
                f"{case:>9}: {size / 1e6:.1f} MB, groups of {plan.groups.data_count(0)} + "
                f"{plan.groups.parity}: net {net:.4f} TB on A4 ({stream:.4f}); "
                f"{size / 1e6 / seconds:.3f} MB/s with {jobs} processes, pattern files of "
                f"{manifest.pattern_bytes / 1e6:.0f} MB, peak {peak / 1024:.0f} MiB a process",
                flush=True,
            )


if __name__ == "__main__":
    main()
