"""A series of files: which count, when they were taken, and what is written of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_nanoqr.cli import main
from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.plan import plan_milling
from napari_nanoqr.measuring.record_settings import RecordSettings
from napari_nanoqr.measuring.trend import Trend, follow_trend
from napari_nanoqr.measuring.trend_dates import FROM_FILE, FROM_LIST, read_dates
from napari_nanoqr.measuring.trend_page import COLUMNS
from napari_nanoqr.physics.ageing import Ageing
from napari_nanoqr.physics.simulate import pattern_of, simulate_micrograph
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.sem.write import write_micrograph
from napari_nanoqr.symbols.encode import encode

PLAIN = RecordSettings(measure=False)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four dates of a code that fades, an image of another code, and a file that is none."""
    folder = tmp_path_factory.mktemp("series")
    lines = ["file,date,temperature_c"]
    pattern = pattern_of(plan_milling(Design(encode("age", "L"))))
    for years in (0, 10, 20, 30):
        ageing = Ageing(years, fading_per_year=0.02, diffusion_nm2_per_year=0, pits_per_um2_year=0)
        image = simulate_micrograph(pattern, electrons_per_pixel=150, ageing=ageing, seed=years)
        write_micrograph(image, folder / f"{years}.tif")
        lines.append(f"{years}.tif,{2030 + years}-05-17,20")
    other = simulate_micrograph(Design(encode("other", "L")), electrons_per_pixel=150, seed=1)
    other = replace(other, metadata=other.metadata | {"taken": "2033-01-01T12:00:00"})
    write_micrograph(other, folder / "other.tif")
    (folder / "broken.tif").write_bytes(b"no image at all")
    (folder / "dates.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trend(series: Path) -> Trend:
    paths = sorted(series.glob("*.tif"))
    return follow_trend(paths, PLAIN, dates=read_dates(series / "dates.csv"))


def test_a_series_is_followed_by_its_dates(trend: Trend) -> None:
    assert trend.payload == b"age"
    assert [point.name for point in trend.counting] == ["0.tif", "10.tif", "20.tif", "30.tif"]
    assert [point.years for point in trend.counting] == pytest.approx([0, 10, 20, 30], abs=0.01)
    assert {point.date_source for point in trend.counting} == {FROM_LIST}
    shares = [point.share.value for point in trend.counting if point.share is not None]
    assert shares == sorted(shares)
    assert trend.good
    change = trend.changes["stop_dose_share"]
    assert change.value > 0
    assert change.uncertainty is not None


def test_other_codes_and_files_that_are_no_images_are_left_out_with_the_reason(
    trend: Trend,
) -> None:
    reasons = {point.name: point.left_out for point in trend.points if not point.counts}
    assert set(reasons) == {"other.tif", "broken.tif"}
    assert "another code: other" in reasons["other.tif"]
    assert reasons["broken.tif"]


def test_without_a_list_the_date_is_that_of_the_file(series: Path) -> None:
    (point,) = follow_trend([series / "other.tif"], PLAIN).points
    assert point.date_source == FROM_FILE
    assert point.taken is not None
    assert point.taken.year == 2033


def test_it_can_be_cancelled(series: Path) -> None:
    asked = iter([False, True, True])
    with pytest.raises(Cancelled):
        follow_trend([series / "0.tif"] * 3, PLAIN, cancelled=lambda: next(asked))


def test_the_command_writes_table_report_and_json(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, report = tmp_path / "trend.csv", tmp_path / "trend.html"
    words = [
        "trend", str(series), "--dates", str(series / "dates.csv"), "--no-measure", "--table",
        str(table), "--report", str(report),
    ]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "2030-05-17" in said
    assert "other.tif: left out" in said
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["result"] for row in rows[:4]] == ["read"] * 4
    page = report.read_text(encoding="utf-8")
    assert "data:image/png" in page
    assert "http" not in page
    assert main([*words[:5], "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["payload_hex"] == b"age".hex()
    assert values["verdict"] in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,when\na.tif,2030-01-01\n", "file,date"),
        ("file,date\na.tif,last spring\n", "line 2: 'last spring' is no date"),
        ("file,date,temperature_c\na.tif,2030-01-01,warm\n", "no temperature"),
        ("file,date\n,2030-01-01\n", "no file name"),
    ],
)
def test_a_bad_list_of_dates_is_refused_with_its_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dates.csv").write_text(text, encoding="utf-8")
    status = main(["trend", str(tmp_path), "--dates", str(tmp_path / "dates.csv")])
    assert status == 2
    assert said in capsys.readouterr().err


def test_a_list_may_have_semicolons_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("file;date;specimen\nold\\a.tif;2030-01-01;B\n", encoding="utf-8")
    assert read_dates(path)["a.tif"].specimen == "B"
