"""Measure reading on folders of images whose content is known.

Usage: ``python tests/benchmarks/read_shared.py FOLDER...`` where a folder is one with a
``truth.json`` (micrographs) or with a ``.txt`` or ``.bin`` beside each image.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from napari_nanoqr.reading.read import read_codes

IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"}


class Tally:
    """Right, wrong and missing codes of one category."""

    def __init__(self) -> None:
        self.codes = self.right = self.wrong = 0
        self.seconds: list[float] = []
        self.corner_modules: list[float] = []

    def row(self, name: str) -> str:
        seconds = np.array(self.seconds)
        corners = f"{max(self.corner_modules):.2f}" if self.corner_modules else "-"
        return (
            f"| {name} | {self.codes} | {self.right} | {self.wrong} | "
            f"{self.codes - self.right} | {np.median(seconds):.3f} | {seconds.max():.3f} | "
            f"{corners} |"
        )


def micrographs(folder: Path, tallies: dict[str, Tally]) -> None:
    from napari_nanoqr.sem.read import read_micrograph

    for entry in json.loads((folder / "truth.json").read_text()):
        tally = tallies[entry["category"]]
        micrograph = read_micrograph(folder / entry["file"])
        start = time.perf_counter()
        readings = read_codes(micrograph)
        tally.seconds.append(time.perf_counter() - start)
        tally.codes += len(entry["codes"])
        expected = list(entry["codes"])
        for reading in readings:
            match = next(
                (c for c in expected if bytes.fromhex(c["payload_hex"]) == reading.payload), None
            )
            if match is None:
                tally.wrong += 1
                print(f"WRONG {folder.name}/{entry['file']}: {reading}", file=sys.stderr)
                continue
            truth = np.array(match["corners_yx"])
            # payloads may repeat: take the place that fits
            expected.remove(match)
            tally.right += 1
            distance = np.linalg.norm(truth - reading.corners_yx, axis=1).max()
            tally.corner_modules.append(float(distance / reading.pitch_px))
        if expected:
            print(f"missed {len(expected)} in {folder.name}/{entry['file']}", file=sys.stderr)


def photographs(folder: Path, tally: Tally) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGES:
            continue
        image = load(path)
        start = time.perf_counter()
        readings = read_codes(image)
        tally.seconds.append(time.perf_counter() - start)
        text, binary = path.with_suffix(".txt"), path.with_suffix(".bin")
        got = [reading.payload for reading in readings]
        if binary.exists():
            right = binary.read_bytes() in got
        elif text.exists():
            expected = text.read_bytes().decode().rstrip("\n")
            texts = [
                variant
                for reading in readings
                for variant in (
                    reading.text,
                    *(
                        reading.payload.decode(encoding, errors="replace")
                        for encoding in ("utf-8", "latin-1", "shift_jis")
                    ),
                )
                if variant is not None
            ]
            right = expected in [t.rstrip("\n") for t in texts]
        elif (part := sequence(path, folder)) is not None:
            right = part in [r.payload for r in readings if r.structured_append]
        else:
            tally.wrong += len(readings)
            if readings:
                print(f"WRONG {folder.name}/{path.name}: {readings}", file=sys.stderr)
            continue
        tally.codes += 1
        tally.right += right
        if not right:
            tally.wrong += bool(readings)
            print(f"{folder.name}/{path.name}: {readings or 'nothing'}", file=sys.stderr)


def sequence(path: Path, folder: Path) -> bytes | None:
    """Return what an image of a Structured Append set holds: all of it, in the set's order."""
    name, _, _ = path.stem.rpartition("-")
    whole = folder / f"{name}.txt"
    if not name or not whole.exists():
        return None
    parts = sorted(folder.glob(f"{name}-*{path.suffix}"))
    pieces = {}
    for other in parts:
        for reading in read_codes(load(other)):
            if reading.structured_append:
                pieces[reading.structured_append[0]] = (other, reading.payload)
    joined = b"".join(pieces[i][1] for i in sorted(pieces))
    expected = whole.read_bytes()
    if len(pieces) != len(parts) or joined.rstrip(b"\n") != expected.rstrip(b"\n"):
        return b""
    return next(payload for other, payload in pieces.values() if other == path)


def load(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def main(folders: list[str]) -> None:
    read_codes(np.zeros((40, 40)))  # start the native readers
    tallies: dict[str, Tally] = defaultdict(Tally)
    for name in folders:
        folder = Path(name)
        if (folder / "truth.json").exists():
            micrographs(folder, tallies)
        else:
            photographs(folder, tallies[folder.name])
    print("| category | codes | right | wrong | none | s median | s most | corner (modules) |")
    print("|---|---|---|---|---|---|---|---|")
    for name, tally in tallies.items():
        print(tally.row(name))
    whole = Tally()
    for tally in tallies.values():
        whole.codes += tally.codes
        whole.right += tally.right
        whole.wrong += tally.wrong
        whole.seconds += tally.seconds
        whole.corner_modules += tally.corner_modules
    print(whole.row("**all**"))


if __name__ == "__main__":
    main(sys.argv[1:])
