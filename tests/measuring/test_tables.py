"""Tables open in spreadsheets and data frames, and are written whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from napari_nanoqr.measuring.table import COLUMNS, TEXT, write_table

ROWS = [
    {"file": "a.tif", "code": 1, "text": 'grün, "quoted"\nnext', "pitch_x_nm": 49.0123456},
    {"file": "b.tif", "code": None, "text": None, "result": "nothing there"},
]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_text_tables_hold_every_cell(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    write_table(path, ROWS)
    first, second = read_csv(path)
    assert tuple(first) == COLUMNS
    assert first["text"] == ROWS[0]["text"]
    assert float(first["pitch_x_nm"]) == pytest.approx(49.012346)
    assert second["text"] == ""
    assert second["result"] == "nothing there"


def test_parquet_holds_types(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, ROWS)
    frame = pd.read_parquet(path)
    assert list(frame.columns) == list(COLUMNS)
    assert frame["pitch_x_nm"][0] == ROWS[0]["pitch_x_nm"]
    assert frame["text"][0] == ROWS[0]["text"]
    assert frame["text"].isna()[1]
    for name in COLUMNS:
        assert (frame[name].dtype == float) is (name not in TEXT)


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "none.parquet", [])
    assert list(pd.read_parquet(tmp_path / "none.parquet").columns) == list(COLUMNS)


@pytest.mark.parametrize("payload", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_payload_does_not_become_a_formula(tmp_path: Path, payload: str) -> None:
    write_table(tmp_path / "table.csv", [{"file": "a.tif", "text": payload}])
    [row] = read_csv(tmp_path / "table.csv")
    assert row["text"] == f"'{payload}"


@pytest.mark.parametrize("name", ["table.xlsx", "table", "table.csv.gz"])
def test_other_tables_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="parquet"):
        write_table(tmp_path / name, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, ROWS)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="could not convert"):
        write_table(path, [{"file": "a.tif", "pitch_x_nm": "wide"}])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]
