"""Reading of micrographs and photographs that this project did not make."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.sem.read import read_micrograph

pytestmark = pytest.mark.shared

# one of each kind that is no matter of luck; tests/benchmarks/read_shared.py reads them all
KINDS = [
    "clean", "ordinary", "rotated", "tilted", "drifting", "vibrating", "charging", "mirrored",
    "coarse", "under-etched", "large", "binary", "several", "stack", "mill-light", "no-code",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_micrograph_of_each_kind_is_read_exactly(shared_dir: Path, kind: str) -> None:
    folder = shared_dir / "micrographs"
    entries = json.loads((folder / "truth.json").read_text())
    entry = next(entry for entry in entries if entry["category"] == kind)
    readings = read_codes(read_micrograph(folder / entry["file"]))
    payloads = sorted(bytes.fromhex(code["payload_hex"]) for code in entry["codes"])
    assert sorted(reading.payload for reading in readings) == payloads
    for reading in readings:
        (code,) = (c for c in entry["codes"] if c["payload_hex"] == reading.payload.hex())
        assert (reading.version, reading.error) == (code["version"], code["ec"])
        distance = np.linalg.norm(reading.corners_yx - code["corners_yx"], axis=1)
        assert distance.max() < 1.0 * reading.pitch_px
        assert reading.pitch_nm == pytest.approx(entry["module_nm"], rel=0.02)
        assert reading.mirrored == (kind == "mirrored")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("zxing-cpp-qrcode-1", 8),
        ("zxing-cpp-qrcode-5", 16),
        ("zxing-cpp-microqrcode-1", 15),
        ("zxing-cpp-rmqrcode-1", 3),
    ],
)
def test_photographs_are_read(shared_dir: Path, name: str, count: int) -> None:
    right = 0
    for path in sorted((shared_dir / "qr-images" / name).iterdir()):
        expected = path.with_suffix(".txt")
        if path.suffix == ".txt" or not expected.exists():
            continue
        with Image.open(path) as picture:
            readings = read_codes(np.asarray(picture.convert("RGB")))
        text = expected.read_bytes().decode()
        right += any(
            text in (r.text, r.payload.decode("latin-1"), r.payload.decode("shift_jis", "replace"))
            for r in readings
        )
    assert right >= count


def test_nothing_is_read_where_there_is_nothing(shared_dir: Path) -> None:
    # the whole set is a minute's work and part of the benchmark
    folder = shared_dir / "qr-images" / "zxing-cpp-falsepositives-1"
    for path in sorted(folder.iterdir())[::3]:
        with Image.open(path) as picture:
            assert read_codes(np.asarray(picture.convert("RGB"))) == [], path.name
