"""What a field's file leaves in the film can be read, each symbol at its place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.jobs.entries import JobEntry, dose_test
from napari_nanoqr.fib.jobs.files import write_job
from napari_nanoqr.fib.jobs.job import plan_job
from napari_nanoqr.fib.jobs.layout import JobLayout
from napari_nanoqr.fib.pattern_files import read_pattern
from napari_nanoqr.physics.simulate import simulate_micrograph
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.symbols.encode import encode


@pytest.mark.parametrize("suffix", [".str", ".gds"])
def test_all_symbols_of_a_field_are_read_where_they_were_written(
    tmp_path: Path, suffix: str
) -> None:
    texts = [f"symbol {n}" for n in range(6)]
    entries = [JobEntry(Design(encode(text, "L"), name=text), text[-1]) for text in texts]
    job = plan_job(entries, JobLayout(columns=3))
    (file,) = write_job(job, tmp_path / "job", suffix).files
    micrograph = simulate_micrograph(
        read_pattern(file), pixel_size_nm=8, rotation_deg=4.0, electrons_per_pixel=500, seed=1
    )
    truths = micrograph.metadata["truth"]
    assert [bytes.fromhex(truth["payload_hex"]).decode() for truth in truths] == texts
    readings = read_codes(micrograph)
    assert sorted(reading.text or "" for reading in readings) == texts
    for reading in readings:
        truth = truths[texts.index(reading.text or "")]
        assert np.abs(reading.corners_yx - truth["corners_yx"]).max() < 2
        assert reading.pitch_nm == pytest.approx(49, rel=0.01)


def test_of_a_wedge_the_underdosed_symbols_are_not_read(tmp_path: Path) -> None:
    design = Design(encode("wedge", "L"), name="w")
    job = plan_job(dose_test(design, [0.1, 0.2, 1.0, 1.3], [40, 55]), JobLayout(columns=4))
    (file,) = write_job(job, tmp_path / "job").files
    micrograph = simulate_micrograph(
        read_pattern(file), pixel_size_nm=8, electrons_per_pixel=100, seed=1
    )
    truths = micrograph.metadata["truth"]
    middles = np.array([np.mean(truth["corners_yx"], axis=0) for truth in truths])
    read = [
        int(np.argmin(np.hypot(*(middles - reading.corners_yx.mean(axis=0)).T)))
        for reading in read_codes(micrograph)
    ]
    assert sorted(read) == [2, 3, 6, 7]


def test_on_the_command_line_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [JobEntry(Design(encode(text, "L"), name=text), text) for text in "AB"]
    (file,) = write_job(plan_job(entries, JobLayout(2)), tmp_path / "job").files
    image = tmp_path / "seen.tif"
    assert main(["simulate", str(file), "--seed", "1", "-o", str(image)]) == 0
    capsys.readouterr()
    assert main(["decode", str(image), "--json", "--no-margin"]) == 0
    codes = json.loads(capsys.readouterr().out)["codes"]
    assert sorted(code["text"] for code in codes) == ["A", "B"]
