"""Measure that nothing is lost, and nothing read twice, where a reading is killed.

Usage: ``python tests/benchmarks/archive_kill.py [--times 20] [--bytes 400000] [--px 3]
[--what run,worker]``. An archive is written, imaged and read once without harm. Then, so often:
``run`` starts ``nanoqr archive read`` and kills its process at a random moment of the time that it
takes, and starts it again until it ends by itself; ``worker`` reads on a dask cluster of two
processes, of which one is killed at a random moment. What is compared is the SHA-256 of all files
and all entries of the state but its order. Reads are counted by a line that each task adds to a
file when it begins: more than one for an image is only allowed for those on their way at the kill.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from napari_nanoqr.archive.unpack import RECORDS

COUNTED = """
import os, sys
from napari_nanoqr.archive import tasks
see = tasks.see_image
def counted(source, digest, options):
    with open(os.environ["NANOQR_COUNT"], "a") as file:
        file.write(digest + "\\n")
    return see(source, digest, options)
tasks.see_image = counted
from napari_nanoqr.cli import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def fingerprint(out: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(out.rglob("*")):
        if path.is_file() and RECORDS not in path.parts:
            digest.update(path.name.encode() + path.read_bytes())
    base = sqlite3.connect(out / RECORDS / "reading.sqlite")
    for row in base.execute(
        "SELECT archive, sheet, tile, header, good, data FROM tiles ORDER BY 1, 2, 3"
    ):
        digest.update(repr(row).encode())
    base.close()
    report = json.loads((out / RECORDS / "report.json").read_text(encoding="utf-8"))
    assert report["exact"], "not exact"
    return digest.hexdigest()


def start(
    script: Path, images: Path, out: Path, counts: Path, *more: str
) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(script), "archive", "read", str(images), "-o", str(out), *more]
    return subprocess.Popen(
        words, env={**os.environ, "NANOQR_COUNT": str(counts)},
        stdout=subprocess.DEVNULL, stderr=(out.parent / "stderr").open("wb"),
    )  # fmt: skip


def kill_runs(
    script: Path, images: Path, folder: Path, expected: str, took: float, rng: random.Random
) -> None:
    out, counts = folder / "killed", folder / "counts"
    _fresh(out, counts)
    process = start(script, images, out, counts)
    time.sleep(rng.uniform(0, took))
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(counts.read_text().split()) if counts.exists() else 0
    status = start(script, images, out, counts).wait()
    if status != 0:
        said = (folder / "stderr").read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"status {status} after {before} tasks: {said}{_report(out)}")
    again = Counter(counts.read_text().split())
    twice = sum(number - 1 for number in again.values())
    same = fingerprint(out) == expected
    print(f"run killed after {before:3} tasks began: same {same}, read twice {twice}", flush=True)
    # two threads read, and one image is in the pool's hands
    assert same
    assert twice <= 2


def kill_worker(
    script: Path, images: Path, folder: Path, expected: str, took: float, rng: random.Random
) -> None:
    from distributed import LocalCluster

    out, counts = folder / "killed", folder / "counts"
    _fresh(out, counts)
    os.environ["NANOQR_COUNT"] = str(counts)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        process = start(script, images, out, counts, "--scheduler", cluster.scheduler_address)
        time.sleep(rng.uniform(1, took + 1))
        victim = cluster.workers[rng.choice(sorted(cluster.workers))]
        os.kill(victim.process.process.pid, signal.SIGKILL)
        assert process.wait() == 0
    same = fingerprint(out) == expected
    reports = json.loads((out / RECORDS / "report.json").read_text(encoding="utf-8"))
    reads = Counter(counts.read_text().split())
    twice = sum(number - 1 for number in reads.values())
    print(
        f"worker killed: same {same}, unread {len(reports['unread'])}, "
        f"{sum(reads.values())} reads of {len(reads)} images, read twice {twice}",
        flush=True,
    )
    assert same
    assert not reports["unread"]
    # what was on its way in the one worker: it has one thread, and two images
    assert twice <= 2


def _report(out: Path) -> str:
    path = out / "report.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _fresh(out: Path, counts: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    counts.unlink(missing_ok=True)


def main() -> None:
    from napari_nanoqr.archive.simulate import Imaging
    from napari_nanoqr.archive.simulate_archive import simulate_archive
    from napari_nanoqr.archive.write import write_archive

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--bytes", type=int, default=400_000)
    parser.add_argument("--px", type=float, default=3.0)
    parser.add_argument("--what", default="run,worker")
    options = parser.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "random.bin").write_bytes(np.random.default_rng(0).bytes(options.bytes))
        manifest = write_archive([folder / "random.bin"], folder / "archive", jobs=2)
        images = folder / "images"
        simulate_archive(manifest, images, Imaging(options.px), missing=0.05, scratches=1, jobs=2)
        script = folder / "counted.py"
        script.write_text(COUNTED, encoding="utf-8")
        out, counts = folder / "whole", folder / "counts"
        begun = time.perf_counter()
        assert start(script, images, out, counts).wait() == 0
        took = time.perf_counter() - begun
        expected = fingerprint(out)
        print(f"{manifest.plan.all_fields} images, read in {took:.1f} s without harm", flush=True)
        for kind, kill in (("run", kill_runs), ("worker", kill_worker)):
            for _ in range(options.times if kind in options.what.split(",") else 0):
                kill(script, images, folder, expected, took, rng)


if __name__ == "__main__":
    main()
