"""Settings: what a widget saves, the command line takes."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from napari_nanoqr.cli.settings import (
    BadSettings,
    command_line,
    expand_settings,
    load_settings,
    save_settings,
)

SETTINGS = {"": ["a text"], "error": "Q", "version": None, "pitch": 49.5, "json": True}


def test_settings_come_back_equal(tmp_path: Path) -> None:
    save_settings(tmp_path / "s.json", "encode", SETTINGS)
    assert load_settings(tmp_path / "s.json", "encode") == SETTINGS


def test_a_command_line_says_the_same() -> None:
    line = command_line("encode", SETTINGS)
    assert shlex.split(line) == [
        "nanoqr", "encode", "a text", "--error", "Q", "--pitch", "49.5", "--json",
    ]  # fmt: skip


def test_text_that_looks_like_an_option_stays_text() -> None:
    words = shlex.split(command_line("encode", {"": ["--help"], "hex": "-1"}))
    assert words == ["nanoqr", "encode", "--hex=-1", "--", "--help"]


@pytest.mark.parametrize("form", [["--settings", "{}"], ["--settings={}"]])
def test_a_file_stands_for_its_options_and_later_ones_win(form: list[str], tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    save_settings(path, "encode", {"error": "Q", "pitch": 30.0})
    words = ["encode", *[word.format(path) for word in form], "text", "--pitch", "60"]
    assert expand_settings(words) == [
        "encode", "--error", "Q", "--pitch", "30", "text", "--pitch", "60",
    ]  # fmt: skip


def test_settings_of_another_command_are_refused(tmp_path: Path) -> None:
    save_settings(tmp_path / "s.json", "encode", SETTINGS)
    with pytest.raises(BadSettings, match="nanoqr encode"):
        load_settings(tmp_path / "s.json", "decode")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format": "x"}'])
def test_a_file_that_holds_no_settings_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(BadSettings):
        load_settings(path, "encode")


def test_a_command_of_two_words_has_settings_too(tmp_path: Path) -> None:
    path, settings = tmp_path / "s.json", {"": ["a b.txt"], "rate": "0.5", "compress": True}
    save_settings(path, "archive write", settings)
    words = ["archive", "write", "--settings", str(path), "--rate", "0.8"]
    assert expand_settings(words) == [
        "archive", "write", "a b.txt", "--rate", "0.5", "--compress", "--rate", "0.8"
    ]  # fmt: skip
    line = command_line("archive write", settings)
    assert line == "nanoqr archive write 'a b.txt' --rate 0.5 --compress"
    with pytest.raises(BadSettings, match="archive write"):
        expand_settings(["archive", "read", "--settings", str(path)])
