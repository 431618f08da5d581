"""Files to one stream that standard tools open, and back with a verdict for each."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.archive.bag import check_bag, is_bag, list_sources, make_bag
from napari_nanoqr.archive.layers import Holes, stream_kind
from napari_nanoqr.archive.sinks import FRAME_BYTES
from napari_nanoqr.archive.stream import StreamFacts, write_stream
from napari_nanoqr.archive.unpack import FileVerdict, unpack_stream
from napari_nanoqr.progress import Cancelled

CONTENT = {
    "in/a.txt": b"hello\n" * 400,
    "in/empty": b"",
    "in/sub/with space \u00fc %25.bin": np.random.default_rng(0).bytes(300_000),
    "in/" + "long/" * 30 + "name": b"deep",
}


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("source")
    for name, content in CONTENT.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(content)
    make_bag(list_sources([base / "in"]), base / "bag", "an archive")
    return base / "bag"


def states(verdicts: tuple[FileVerdict, ...]) -> dict[str, str]:
    payload = [each for each in verdicts if "/data/" in each.name]
    return {each.name.removeprefix("top/data/"): each.state for each in payload}


def holed(path: Path, *holes: tuple[int, int]) -> None:
    data = bytearray(path.read_bytes())
    for start, end in holes:
        data[start:end] = bytes(end - start)
    path.write_bytes(data)


def test_a_bag_is_valid_and_the_files_are_where_they_were(bag: Path) -> None:
    check_bag(bag)
    assert is_bag(bag)
    for name, content in CONTENT.items():
        assert (bag / "data" / name).read_bytes() == content
        assert (bag.parent / name).read_bytes() == content
    assert {path.name for path in bag.glob("manifest*")} == {
        "manifest-sha256.txt", "manifest-sha512.txt"
    }  # fmt: skip
    assert "an archive" in (bag / "bag-info.txt").read_text(encoding="utf-8")


def test_a_bag_with_a_changed_file_is_not_valid(bag: Path, tmp_path: Path) -> None:
    shutil.copytree(bag, tmp_path / "bag")
    (tmp_path / "bag/data/in/a.txt").write_bytes(b"other")
    with pytest.raises(ValueError, match="not a valid bag"):
        check_bag(tmp_path / "bag")


def test_what_cannot_be_stored_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_sources([tmp_path / "none"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="no file to store"):
        list_sources([tmp_path / "folder"])
    (tmp_path / "folder/a%0Ab").write_bytes(b"")
    with pytest.raises(ValueError, match="%0A"):
        list_sources([tmp_path / "folder"])
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"")
    with pytest.raises(ValueError, match="both be stored as x"):
        list_sources([tmp_path / "one/x", tmp_path / "two/x"])


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("secret", ["open", "key"])
def test_every_kind_of_stream_comes_back(
    bag: Path, tmp_path: Path, compress: bool, secret: str
) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    to = {"recipients": [str(identity.to_public())]} if secret == "key" else {}
    facts = write_stream(bag, tmp_path / "s", "top", compress=compress, **to)  # type: ignore[arg-type]
    data = (tmp_path / "s").read_bytes()
    assert facts.kind == ".tar" + ".zst" * compress + ".age" * (secret != "open")
    assert facts.size == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.sha512 == hashlib.sha512(data).hexdigest()
    assert list(tmp_path.iterdir()) == [tmp_path / "s"]
    assert StreamFacts.from_dict(facts.to_dict()) == facts
    # what is encrypted tells nothing of what is in it
    assert bool(facts.files) == (secret == "open")
    keys = {"identities": [str(identity)]} if secret == "key" else {}
    for number, told in enumerate((facts, None)):
        out = tmp_path / f"out{number}"
        verdicts = unpack_stream(tmp_path / "s", out, facts=told, **keys)  # type: ignore[arg-type]
        assert set(states(verdicts).values()) == {"exact"}
        check_bag(out / "top")
        for name, content in CONTENT.items():
            assert (out / "top/data" / name).read_bytes() == content


def test_the_tar_is_one_for_everyone(bag: Path, tmp_path: Path) -> None:
    facts = write_stream(bag, tmp_path / "s.tar", "top")
    assert facts.tar_size == facts.size
    data = (tmp_path / "s.tar").read_bytes()
    for file in facts.files:
        found = data[file.offset : file.offset + file.size]
        assert hashlib.sha256(found).hexdigest() == file.sha256
    assert stream_kind(data) == "tar"
    if shutil.which("tar"):
        (tmp_path / "out").mkdir()
        subprocess.run(["tar", "-xf", "../s.tar"], cwd=tmp_path / "out", check=True)
        check_bag(tmp_path / "out/top")


def test_a_passphrase_opens_and_a_wrong_key_or_none_is_told(bag: Path, tmp_path: Path) -> None:
    import pyrage

    one, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    write_stream(bag, tmp_path / "k", "top", recipients=[str(one.to_public())])
    with pytest.raises(ValueError, match="does not open"):
        unpack_stream(tmp_path / "k", tmp_path / "out", identities=[str(other)])
    with pytest.raises(ValueError, match="secret key"):
        unpack_stream(tmp_path / "k", tmp_path / "out", identities=["bob"])
    write_stream(bag, tmp_path / "s", "top", passphrase="right")
    with pytest.raises(ValueError, match="encrypted"):
        unpack_stream(tmp_path / "s", tmp_path / "out")
    verdicts = unpack_stream(tmp_path / "s", tmp_path / "out", passphrase="right")
    assert set(states(verdicts).values()) == {"exact"}
    with pytest.raises(ValueError, match="public key"):
        write_stream(bag, tmp_path / "t", "top", recipients=["bob"])
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("told", [True, False])
def test_a_hole_costs_the_files_that_it_is_in(bag: Path, tmp_path: Path, told: bool) -> None:
    facts = write_stream(bag, tmp_path / "s", "top")
    (hit,) = [file for file in facts.files if file.name.endswith(".bin")]
    hole = (hit.offset + 1000, hit.offset + 1010)
    holed(tmp_path / "s", hole)
    verdicts = unpack_stream(
        tmp_path / "s", tmp_path / "out", facts=facts if told else None, holes=[hole]
    )
    (damaged,) = [each for each in verdicts if each.state == "damaged"]
    assert damaged.name == hit.name
    assert damaged.missing_bytes == 10
    assert not (tmp_path / "out" / hit.name).exists()
    assert list(states(verdicts).values()).count("exact") == len(CONTENT) - 1
    assert (tmp_path / "out/top/data/in/a.txt").read_bytes() == CONTENT["in/a.txt"]


def test_with_the_index_lost_headers_of_the_tar_cost_nothing(bag: Path, tmp_path: Path) -> None:
    facts = write_stream(bag, tmp_path / "s", "top")
    (hit,) = [file for file in facts.files if file.name.endswith("a.txt")]
    hole = (hit.offset - 512, hit.offset)
    holed(tmp_path / "s", hole)
    verdicts = unpack_stream(tmp_path / "s", tmp_path / "out", facts=facts, holes=[hole])
    assert {each.state for each in verdicts} == {"exact"}
    without = unpack_stream(tmp_path / "s", tmp_path / "two", holes=[hole])
    assert states(without)["in/a.txt"] == "lost"
    assert list(states(without).values()).count("exact") == len(CONTENT) - 1


def test_a_hole_that_nobody_told_of_is_found_by_the_checksums(bag: Path, tmp_path: Path) -> None:
    facts = write_stream(bag, tmp_path / "s", "top")
    (hit,) = [file for file in facts.files if file.name.endswith(".bin")]
    holed(tmp_path / "s", (hit.offset + 5, hit.offset + 9))
    for told in (facts, None):
        out = tmp_path / ("told" if told else "untold")
        verdicts = unpack_stream(tmp_path / "s", out, facts=told)
        wrong = [name for name, state in states(verdicts).items() if state != "exact"]
        assert wrong == [hit.name.removeprefix("top/data/")]
        assert not (out / hit.name).exists()


def test_a_hole_in_zstd_costs_its_frame_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(1)
    for number in range(5):
        (tmp_path / "in" / f"{number}").write_bytes(rng.bytes(FRAME_BYTES // 2))
    make_bag(list_sources([tmp_path / "in"]), tmp_path / "bag", "x")
    facts = write_stream(tmp_path / "bag", tmp_path / "s", "top", compress=True)
    assert len(facts.frames) == 3
    hole = (facts.frames[1] + 100, facts.frames[1] + 101)
    holed(tmp_path / "s", hole)
    verdicts = states(
        unpack_stream(tmp_path / "s", tmp_path / "out", facts=facts, holes=[hole])
    )  # fmt: skip
    assert verdicts == {
        "in/0": "exact", "in/1": "damaged", "in/2": "lost", "in/3": "damaged", "in/4": "exact"
    }  # fmt: skip
    without = states(unpack_stream(tmp_path / "s", tmp_path / "two", holes=[hole]))
    assert without["in/0"] == "exact"
    assert "exact" not in {without["in/3"], without["in/4"]}


def test_after_a_hole_in_age_nothing_is_claimed(bag: Path, tmp_path: Path) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    facts = write_stream(bag, tmp_path / "s", "top", recipients=[str(identity.to_public())])
    hole = (200_000, 200_001)
    holed(tmp_path / "s", hole)
    verdicts = states(
        unpack_stream(
            tmp_path / "s", tmp_path / "out", facts=facts, holes=[hole], identities=[str(identity)]
        )
    )
    assert verdicts["in/a.txt"] == "exact"
    assert verdicts["in/sub/with space \u00fc %25.bin"] in ("damaged", "lost")


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in ("../out.txt", "/tmp/abs.txt", "top/data/ok.txt", "top/../../up.txt"):
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    (tmp_path / "s").write_bytes(held.getvalue())
    verdicts = {each.name: each.state for each in unpack_stream(tmp_path / "s", tmp_path / "out")}
    assert verdicts["top/data/ok.txt"] == "unchecked"
    assert {state for name, state in verdicts.items() if "ok" not in name} == {"damaged"}
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["ok.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s"]


def test_files_that_are_there_stay_and_have_to_be_the_same(bag: Path, tmp_path: Path) -> None:
    facts = write_stream(bag, tmp_path / "s", "top")
    out = tmp_path / "out"
    unpack_stream(tmp_path / "s", out, facts=facts)
    unpack_stream(tmp_path / "s", out, facts=facts)
    (out / "top/data/in/a.txt").write_bytes(b"mine")
    (out / "top/data/in/empty").unlink()
    with pytest.raises(FileExistsError, match=r"a\.txt"):
        unpack_stream(tmp_path / "s", out, facts=facts)
    assert (out / "top/data/in/a.txt").read_bytes() == b"mine"
    assert not (out / "top/data/in/empty").exists()


def test_a_cancelled_stream_stops(bag: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        write_stream(bag, tmp_path / "s", "top", cancelled=lambda: True)
    write_stream(bag, tmp_path / "s", "top")
    with pytest.raises(Cancelled):
        unpack_stream(tmp_path / "s", tmp_path / "out", cancelled=lambda: True)
    assert not list((tmp_path / "out").iterdir())


def test_what_is_no_stream_is_told(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(ValueError, match="beginning"):
        unpack_stream(tmp_path / "s", tmp_path / "out")


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8),
    st.integers(0, 60), st.integers(0, 60),
)  # fmt: skip
def test_holes_count_what_is_missing(
    parts: list[tuple[int, int]], start: int, end: int
) -> None:  # fmt: skip
    missing = {byte for first, last in parts for byte in range(first, last)}
    start, end = min(start, end), max(start, end)
    assert Holes(parts).between(start, end) == len(missing & set(range(start, end)))
    assert Holes(parts).first == min(missing, default=None)
