"""What a file will do is told before it is milled: film, micrograph, read probability, report."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.pattern import Pattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.physics.simulate import pattern_of
from napari_nanoqr.planning.channel import Cancelled
from napari_nanoqr.planning.condition import SemCondition
from napari_nanoqr.planning.prediction import Prediction, predict
from napari_nanoqr.planning.report import export_report
from napari_nanoqr.sem.read import read_micrograph
from napari_nanoqr.symbols.encode import encode

DESIGN = Design(encode("nano <b>&", "M", 1), name="mark", quiet_zone=2)


@pytest.fixture(scope="module")
def pattern() -> Pattern:
    return pattern_of(plan_milling(DESIGN))


@pytest.fixture(scope="module")
def predicted(pattern: Pattern) -> Prediction:
    return predict(pattern)


def test_a_usual_plan_mills_the_film_and_is_read(predicted: Prediction) -> None:
    assert predicted.milled_depth_nm == pytest.approx(15, rel=0.1)
    assert predicted.kept_percent > 90
    mean, most = predicted.edge_bias_nm
    assert abs(mean) < 1
    assert most < 3
    assert predicted.right is not None
    assert predicted.right.payload == DESIGN.symbol.payload
    assert predicted.probability.probability > 0.99
    assert predicted.margin > 1.2
    assert "Read probability" in predicted.verdict


def test_too_few_electrons_are_told(pattern: Pattern) -> None:
    faint = predict(pattern, SemCondition(electrons_per_pixel=2))
    assert faint.right is None
    assert faint.probability.probability < 0.05
    assert faint.margin < 0.5
    assert "was not read" in faint.verdict


def test_too_little_dose_is_told(predicted: Prediction) -> None:
    shallow = predict(pattern_of(plan_milling(DESIGN, over_etch=0.5)))
    assert shallow.milled_depth_nm == pytest.approx(predicted.milled_depth_nm / 2, rel=0.1)
    assert shallow.margin < predicted.margin / 2


@pytest.mark.usefixtures("few_images")
@pytest.mark.parametrize("version", ["M4", "R7x59"])
def test_small_and_rectangular_marks_are_predicted(version: str) -> None:
    design = Design(encode("nano", "M", version), quiet_zone=2)
    found = predict(pattern_of(plan_milling(design)), SemCondition(electrons_per_pixel=100))
    assert found.right is not None
    assert found.milled_depth_nm == pytest.approx(15, rel=0.1)


def test_a_prediction_can_be_cancelled_and_tells_how_far_it_is(pattern: Pattern) -> None:
    steps: list[int] = []
    with pytest.raises(Cancelled):
        predict(
            pattern, progress=lambda done, *_: steps.append(done), cancelled=lambda: len(steps) == 2
        )
    assert steps == [0, 1]


def test_a_pattern_without_a_design_is_refused(pattern: Pattern) -> None:
    with pytest.raises(ValueError, match="does not tell which design"):
        predict(replace(pattern, metadata={"beam": pattern.metadata["beam"]}))


@pytest.mark.usefixtures("few_images")
class TestReport:
    def test_holds_what_was_written_and_what_it_will_do(self, tmp_path: Path) -> None:
        plan = plan_milling(DESIGN, over_etch=1.1)
        files = [
            (tmp_path / f"mark{suffix}", write_pattern(plan, tmp_path / f"mark{suffix}"))
            for suffix in (".str", ".gds")
        ]
        report = export_report(plan, files)
        html, values = report.save(tmp_path / "report.html")
        said = json.loads(values.read_text())
        assert said["good"]
        assert [file["name"] for file in said["files"]] == ["mark.str", "mark.gds"]
        for file, (path, _) in zip(said["files"], files, strict=True):
            assert file["bytes"] == path.stat().st_size
            assert file["verification"]["matches"]
            assert abs(file["verification"]["dose_error_percent"]) < 0.5
            assert file["prediction"]["payload_read"]
            assert file["prediction"]["margin"] > 1
        page = Page(html.read_text(encoding="utf-8"))
        assert page.pictures == 2
        # the payload stands there as text, not as markup
        assert "nano <b>&" in page.text
        assert "mark.gds" in page.text
        assert "decodes to the payload" in page.text

    def test_warns_where_the_mark_would_not_be_read(self, tmp_path: Path) -> None:
        plan = plan_milling(DESIGN, over_etch=0.2)
        found = write_pattern(plan, tmp_path / "mark.str")
        report = export_report(
            plan, [(tmp_path / "mark.str", found)], SemCondition(electrons_per_pixel=10)
        )
        assert not report.good
        assert "Do not mill this yet" in Page(report.to_html()).text

    def test_needs_a_file(self) -> None:
        with pytest.raises(ValueError, match="no file to report on"):
            export_report(plan_milling(DESIGN), [])


class Page(HTMLParser):
    """Texts and pictures of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.pictures = "", 0
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            assert (dict(attrs)["src"] or "").startswith("data:image/png;base64,iVBOR")
            self.pictures += 1


@pytest.mark.usefixtures("few_images")
class TestCommand:
    @pytest.fixture
    def design(self, tmp_path: Path) -> Path:
        DESIGN.save(tmp_path / "mark.json")
        return tmp_path / "mark.json"

    def test_predicts_a_design(self, design: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["predict", str(design), "--json", "--over-etch", "1.1"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["payload_read"]
        assert said["milled_depth_nm"] == pytest.approx(16.5, rel=0.1)

    def test_counts_and_writes(self, design: Path, capsys: pytest.CaptureFixture[str]) -> None:
        film, sem = design.with_name("film.tif"), design.with_name("sem.tif")
        words = ["--images", "3", "--depth-map", str(film), "--micrograph", str(sem)]
        assert main(["predict", str(design), *words]) == 0
        out = capsys.readouterr().out
        assert "counted on 3 images" in out
        assert f"written: {sem}" in out
        depth = read_micrograph(film)
        assert np.percentile(depth.image, 99) == pytest.approx(15, rel=0.15)
        assert read_micrograph(sem).pixel_size_nm == pytest.approx((49 / 8, 49 / 8))

    def test_export_reports(self, design: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = design.parent
        words = ["--to", str(folder / "a.str"), "--report", str(folder / "a.report.html")]
        assert main(["export", str(design), *words]) == 0
        assert "Read probability" in capsys.readouterr().out
        said = json.loads((folder / "a.report.json").read_text())
        assert said["good"]
        assert (folder / "a.report.html").is_file()
        assert main(["export", str(design), *words, "--over-etch", "0.1"]) == 1
        assert "not read" in capsys.readouterr().out

    def test_predicts_a_pattern_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_pattern(plan_milling(DESIGN), tmp_path / "a.gds")
        assert main(["predict", str(tmp_path / "a.gds")]) == 0
        assert "Read probability" in capsys.readouterr().out
        (tmp_path / "a.gds.json").unlink()
        assert main(["predict", str(tmp_path / "a.gds")]) == 2
        assert "keep its sidecar" in capsys.readouterr().err
        assert read_pattern(tmp_path / "a.gds").bounds_nm is not None
