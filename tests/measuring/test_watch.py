"""New images come once they are complete, each once, whatever happens to the folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_nanoqr.measuring.watch import watch_folder


class Watched:
    """A folder that is watched with a clock of its own: one tick is one look."""

    def __init__(self, folder: Path, **options: bool) -> None:
        self.now = 0.0
        self._looks: Iterator[Path | None] = watch_folder(
            folder, interval_s=1.0, settling_s=2.0, clock=lambda: self.now, sleep=self._sleep,
            **options,
        )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def after(self, looks: int) -> list[str]:
        """Look some times, and return the names of what came."""
        came = []
        while looks:
            found = next(self._looks)
            if found is None:
                looks -= 1
            else:
                came.append(found.name)
        return came


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def made(name: str, size: int = 10, changed: float = 1.0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
        os.utime(path, (changed, changed))
        return path

    return made


def test_only_new_images_come(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("old.tif")
    watched = Watched(tmp_path)
    assert watched.after(3) == []
    write("new.tif")
    write("notes.txt")
    write(".half.tif")
    assert watched.after(4) == ["new.tif"]
    assert watched.after(5) == []


def test_with_existing_the_old_ones_come_first(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("b.tif", changed=5.0)
    write("c.png", changed=3.0)
    assert Watched(tmp_path, existing=True).after(4) == ["c.png", "b.tif"]


def test_a_file_that_grows_is_waited_for(tmp_path: Path, write: Callable[..., Path]) -> None:
    watched = Watched(tmp_path)
    watched.after(1)
    for size in range(1, 8):
        write("slow.tif", size)
        assert watched.after(1) == []
    assert watched.after(3) == ["slow.tif"]


def test_an_empty_file_is_not_complete(tmp_path: Path, write: Callable[..., Path]) -> None:
    watched = Watched(tmp_path)
    watched.after(1)
    write("empty.tif", 0)
    assert watched.after(6) == []


def test_a_file_that_is_saved_again_comes_again(tmp_path: Path, write: Callable[..., Path]) -> None:
    watched = Watched(tmp_path)
    watched.after(1)
    write("image.tif")
    assert watched.after(4) == ["image.tif"]
    write("image.tif", changed=99.0)
    assert watched.after(4) == ["image.tif"]


def test_files_in_folders_below_come_where_asked(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    flat, deep = Watched(tmp_path), Watched(tmp_path, subfolders=True)
    flat.after(1), deep.after(1)
    write("today/image.tif")
    assert flat.after(4) == []
    assert deep.after(4) == ["image.tif"]


def test_a_folder_that_goes_away_for_a_while_is_waited_for(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    folder, away = tmp_path / "drive", tmp_path / "away"
    folder.mkdir()
    watched = Watched(folder)
    watched.after(1)
    folder.rename(away)
    assert watched.after(2) == []
    away.rename(folder)
    write("drive/image.tif")
    assert watched.after(4) == ["image.tif"]


def test_a_file_that_vanishes_does_not_come(tmp_path: Path, write: Callable[..., Path]) -> None:
    watched = Watched(tmp_path)
    watched.after(1)
    path = write("short.tif")
    watched.after(1)
    path.unlink()
    assert watched.after(4) == []


def test_it_ends_when_it_is_told(tmp_path: Path) -> None:
    assert list(watch_folder(tmp_path, cancelled=lambda: True)) == []


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        next(watch_folder(tmp_path / "none"))
