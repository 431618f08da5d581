"""The smallest symbols can be asked for on the command line."""

from __future__ import annotations

import json

import pytest

from napari_nanoqr.cli import main


def test_json_has_the_choices_smallest_first(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["smallest", "https://www.tuwien.at", "--allow-upper", "--pitch", "49", "--json"]
    assert main(words) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["choices"]
    first, *rest = answer["choices"]
    assert (first["symbology"], first["version"], first["error"]) == ("Micro QR", "M4", "L")
    assert first["modules"] == [17, 17]
    assert first["area_um2"] == pytest.approx(0.694, abs=0.001)
    assert first["beam_time_s"] > 0
    assert 0.99 < first["read_probability"] <= 1
    assert first["text"] == "HTTPS://WWW.TUWIEN.AT"
    areas = [choice["area_um2"] for choice in answer["choices"]]
    assert areas == sorted(areas)
    assert len(rest) == 19


def test_the_table_fits_a_terminal_and_has_the_record_as_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["smallest", "https://tuwien.at", "--allow-upper", "--most", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    table = lines[lines.index("") + 1 :]
    assert table[0].split()[:2] == ["symbol", "modules"]
    record = next(i for i, line in enumerate(table) if line.startswith("the record"))
    assert "1.977" in table[record]
    assert table[1].startswith("Micro QR M4")
    assert "in capitals" in table[1]
    areas = [float(line[len("Micro QR M4-M") :].split()[3]) for line in table[1:41]]
    assert areas[record - 1] == 1.977
    assert areas == sorted(areas)


def test_what_is_not_read_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["smallest", "https://tuwien.at", "--electrons", "3", "--most", "3"]
    assert main(words) == 0
    assert "None of these is read" in capsys.readouterr().out
    assert main([*words, "--probability", "0.9"]) == 1
    assert "No symbol" in capsys.readouterr().out


def test_bytes_that_are_no_text_are_taken_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smallest", "\udcff1", "--json", "--most", "1"]) == 0
    (choice,) = json.loads(capsys.readouterr().out)["choices"]
    assert (choice["text"], choice["payload_hex"]) == (None, "ff31")


@pytest.mark.parametrize(
    "wrong", [["--pitch", "0"], ["--pitch", "2"], ["--electrons", "0"], ["--beam", "3 pA"]]
)
def test_bad_use_is_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smallest", "CrN", *wrong]) == 2
    assert capsys.readouterr().err.startswith("nanoqr: ")


def test_the_smallest_pitch_of_each_is_found_and_what_limits_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["smallest", "CrN", "--pitch", "smallest", "--beam", "90 pA", "--symbology", "QR"]
    assert main([*words, "--most", "2", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["choices"]
    assert first["read_probability"] >= 0.989
    assert first["limited_by"] in ("beam spot", "reading dose")
    assert first["area_um2"] <= second["area_um2"]
    assert main([*words, "--most", "2"]) == 0
    shown = capsys.readouterr().out
    assert f"{first['pitch_nm']:g} nm" in shown
    assert "limit: what keeps the pitch" in shown


def test_layers_below_the_film_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["smallest", "CrN", "--below", "5 nm Cr", "--most", "1"]
    assert main(words) == 0
    assert "5 nm Cr" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [["--pitch", "smallest", "--pitch", "49"], ["--pitch", "smallest", "--probability", "1"]],
)
def test_a_smallest_pitch_stands_alone_and_is_read(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["smallest", "CrN", *wrong]) == 2
    assert "mallest" in capsys.readouterr().err
