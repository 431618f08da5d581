"""Symbols of a Structured Append set are joined, or it is said which are missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import segno
from PIL import Image

from napari_nanoqr.cli import main
from napari_nanoqr.reading.append import join_sets
from napari_nanoqr.reading.read import read_codes
from napari_nanoqr.reading.reading import Reading

MESSAGE = "The quick brown fox jumps over the lazy dog, twice or thrice: 0123456789"


def pictures(message: str, count: int) -> list[np.ndarray]:
    """One picture a symbol, all of one size."""
    symbols = segno.make_sequence(message, symbol_count=count, error="m", boost_error=False)
    return [
        np.kron(np.pad(np.array(list(s.matrix)) == 1, 4), np.ones((4, 4))) * -180.0 + 200
        for s in symbols
    ]


@pytest.fixture(scope="module")
def parts() -> list[Reading]:
    return [reading for picture in pictures(MESSAGE, 3) for reading in read_codes(picture)]


def test_a_set_in_one_image_is_joined() -> None:
    (joined,) = join_sets(read_codes(np.hstack(pictures(MESSAGE, 3)[::-1])))
    assert joined.text == MESSAGE
    assert joined.payload == MESSAGE.encode()
    assert joined.missing == ()
    assert joined.belongs_together
    assert str(joined) == f"set of 3 codes, joined: {MESSAGE}"


def test_what_is_missing_is_told(parts: list[Reading]) -> None:
    (joined,) = join_sets([parts[2], parts[0]])
    assert joined.missing == (2,)
    assert joined.payload is None
    assert joined.belongs_together is None
    assert "number 2 missing" in str(joined)
    assert joined.to_dict()["missing"] == [2]


def test_a_symbol_that_was_read_twice_counts_once(parts: list[Reading]) -> None:
    (joined,) = join_sets([*parts, parts[1]])
    assert joined.text == MESSAGE


def test_symbols_of_other_sets_are_kept_apart(parts: list[Reading]) -> None:
    others = [r for picture in pictures("Another message " * 5, 2) for r in read_codes(picture)]
    sets = join_sets([parts[0], others[0], parts[1], others[1], parts[2]])
    assert [joined.text for joined in sets] == [MESSAGE, "Another message " * 5]


def test_a_wrong_parity_gives_no_message(parts: list[Reading]) -> None:
    from dataclasses import replace

    forged = [replace(part, structured_append=(i, 3, 7)) for i, part in enumerate(parts)]
    (joined,) = join_sets(forged)
    assert joined.missing == ()
    assert joined.belongs_together is False
    assert joined.payload is None
    assert "do not belong together" in str(joined)


def test_codes_that_belong_to_no_set_are_passed_over(parts: list[Reading]) -> None:
    from dataclasses import replace

    assert join_sets([replace(part, structured_append=None) for part in parts]) == []


def test_the_command_joins_over_several_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for number, picture in enumerate(pictures(MESSAGE, 3)):
        files.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(picture.astype(np.uint8)).save(files[-1])
    assert main(["decode", *files]) == 0
    said = capsys.readouterr().out
    assert "set of 3 codes: numbers 2, 3 missing" in said
    assert said.endswith(f"All images together\n  set of 3 codes, joined: {MESSAGE}\n")
    assert main(["decode", "--json", *files]) == 0
    *records, together = map(json.loads, capsys.readouterr().out.splitlines())
    assert [record["sets"][0]["missing"] for record in records] == [[2, 3], [1, 3], [1, 2]]
    assert together["files"] == files
    assert together["sets"][0]["text"] == MESSAGE
    # a set that is alone in its image is not told twice
    assert main(["decode", "--json", files[0]]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
