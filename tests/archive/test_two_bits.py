"""Two bits a module: files to sheets, micrographs and files; and where it cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.archive.electrons import MOST_ELECTRONS, electrons_needed, reading_warning
from napari_nanoqr.archive.manifest import ArchiveManifest
from napari_nanoqr.archive.needs import ArchiveNeeds
from napari_nanoqr.archive.plan import plan_archive
from napari_nanoqr.archive.read import read_archive
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.simulate import Imaging
from napari_nanoqr.archive.simulate_archive import simulate_archive
from napari_nanoqr.cli import main
from napari_nanoqr.fib.columns import find_beam

TWO = ArchiveSettings(bits_per_module=2)
"""The usual film, and the usual microscope."""

SEED = 3
"""With it two of the later fields are taken, not the title and the control pages."""


def test_files_come_back_from_four_depths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = np.random.default_rng(3).bytes(60_000)
    (tmp_path / "data.bin").write_bytes(data)
    needs = ArchiveNeeds()
    written = [str(tmp_path / "data.bin"), "-o", str(tmp_path / "archive")]
    assert main(["archive", "write", *written, "--bits-per-pixel", "2"]) == 0
    assert "WARNING" not in capsys.readouterr().err
    manifest = ArchiveManifest.load(tmp_path / "archive")
    assert manifest.beam == needs.beam_for(TWO)
    assert manifest.doses[-1] == 1
    assert manifest.full_dose > 1
    needed = electrons_needed(TWO, needs)
    assert needed is not None
    # of six fields two: the parity does without the others, and the index is not needed
    imaging = Imaging(electrons_per_pixel=2.0 * needed, not_taken=4 / 6, seed=SEED)
    simulated = simulate_archive(manifest, tmp_path / "images", imaging, jobs=2)
    assert simulated.images == 2
    read_archive([tmp_path / "images"], tmp_path / "found", jobs=1)
    (found,) = (tmp_path / "found").rglob("data.bin")
    assert found.read_bytes() == data


def test_the_default_film_bears_two_bits_and_they_take_more_electrons() -> None:
    needs = ArchiveNeeds()
    one, two = (electrons_needed(replace(TWO, bits_per_module=bits), needs) for bits in (1, 2))
    assert one is not None
    assert two is not None
    assert 3 * one < two < 1000
    assert reading_warning(TWO, needs) is None


@pytest.mark.parametrize(
    ("settings", "needs", "helps"),
    [
        (TWO, ArchiveNeeds(dose_spread=0.15), ["--dose-spread", "--bits-per-pixel 1", "--rate"]),
        (replace(TWO, pitch_nm=30.0), ArchiveNeeds(beam=find_beam("90 pA")), ["--beam"]),
    ],
)
def test_what_will_not_be_read_is_said_with_what_helps(
    settings: ArchiveSettings, needs: ArchiveNeeds, helps: list[str]
) -> None:
    assert electrons_needed(settings, needs) is None
    warning = reading_warning(settings, needs)
    assert warning is not None
    assert f"{MOST_ELECTRONS:,}" in warning
    for option in helps:
        assert option in warning
    assert plan_archive(10**6, settings, needs).warnings() == [warning]


def test_writing_warns_and_what_it_advises_helps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("two bits")
    two = ["--bits-per-pixel", "2", "--dose-spread"]
    written = [str(tmp_path / "note.txt"), "-o", str(tmp_path / "rough"), "--format", "bmp"]
    assert main(["archive", "write", *written, *two, "0.15"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "WARNING Two bits a module will not be read" in said
    advised = re.search(r"--dose-spread ([0-9.]+)", said)
    assert advised is not None
    for spread, warned in (("0.15", True), (advised[1], False)):
        assert main(["archive", "plan", "--size", "1MB", *two, spread]) == 0
        assert ("WARNING" in capsys.readouterr().out) is warned


@pytest.mark.parametrize("escape", [0.0, -1.0, 1e5])
def test_an_escape_depth_is_a_length(escape: float) -> None:
    with pytest.raises(ValueError, match="escape depth"):
        ArchiveSettings(escape_nm=escape)


def test_doses_that_spread_by_half_are_none() -> None:
    with pytest.raises(ValueError, match="spread"):
        ArchiveNeeds(dose_spread=0.5)
