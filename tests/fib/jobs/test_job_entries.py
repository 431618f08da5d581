"""Lists of payloads are read as they are meant; what is wrong in them is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.settings import DesignSettings
from napari_nanoqr.fib.jobs.entries import BadList, JobEntry, dose_test, read_payloads
from napari_nanoqr.progress import Cancelled
from napari_nanoqr.symbols.encode import encode


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def payloads(entries: list[JobEntry]) -> list[bytes]:
    return [entry.design.symbol.payload for entry in entries]


class TestTextFiles:
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_hold_one_payload_a_line(self, tmp_path: Path, end: str) -> None:
        path = written(tmp_path, "a.txt", end.join(["one", "", "two, three", "vier ä"]) + end)
        entries = read_payloads(path)
        assert payloads(entries) == [b"one", b"two, three", "vier ä".encode()]
        assert [entry.label for entry in entries] == ["1", "2", "3"]

    def test_that_are_not_utf_8_are_refused_with_the_line(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.txt", b"one\ntwo\n\xff\n")
        with pytest.raises(BadList, match=r"a\.txt, line 3: this is not UTF-8"):
            read_payloads(path)

    def test_that_hold_nothing_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadList, match="holds no payload"):
            read_payloads(written(tmp_path, "a.txt", "\n \n"))


class TestTables:
    def test_say_of_each_symbol_what_is_not_as_the_settings(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.csv",
            "payload,label,pitch,dose,error,version,mill,quiet_zone\n"
            '"one, two",A1,40,0.8,h,4,light,2\nthree,,,,,,,\n',
        )
        first, second = read_payloads(path, DesignSettings("Q", pitch_nm=60))
        assert first.design.symbol.payload == b"one, two"
        assert (first.label, first.dose, first.design.pitch_nm) == ("A1", 0.8, 40)
        assert (first.design.symbol.error, first.design.symbol.version) == ("H", 4)
        assert (first.design.mill, first.design.quiet_zone) == ("light", 2)
        assert (second.label, second.dose, second.design.pitch_nm) == ("2", 1.0, 60)
        assert second.design.symbol.error == "Q"

    @pytest.mark.parametrize(
        "content",
        [
            "payload;dose\na;0,8\n",
            "payload\tdose\r\na\t0.8\r\n",
            "\ufeffPayload,Dose\na,0.8\n",
            "dose,payload_hex\n0.8,61\n",
        ],
    )
    def test_come_as_spreadsheets_write_them(self, tmp_path: Path, content: str) -> None:
        (entry,) = read_payloads(written(tmp_path, "a.csv", content))
        assert (entry.design.symbol.payload, entry.dose) == (b"a", 0.8)

    def test_may_hold_line_ends_and_any_bytes(self, tmp_path: Path) -> None:
        content = 'payload,payload_hex\n"two\nlines",\n,00ff\n'
        assert payloads(read_payloads(written(tmp_path, "a.csv", content))) == [
            b"two\nlines",
            b"\x00\xff",
        ]

    def test_choose_kinds_of_symbols(self, tmp_path: Path) -> None:
        content = "payload,symbol,version,error\n123,micro,,L\nabc,,r11x43,M\nabc,smallest,,L\n"
        versions = [
            e.design.symbol.version for e in read_payloads(written(tmp_path, "a.csv", content))
        ]
        assert versions[1] == "R11x43"
        assert str(versions[0]).startswith("M")

    def test_name_every_bad_line_with_its_reason(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.csv",
            "payload,label,pitch,dose,version\n"
            "good,,,,\n"
            "a,,wide,,\n"
            "b,,,1000,\n"
            "c,5 µm,,,\n"
            f"{'d' * 100},,,,1\n"
            ",E,,,\n"
            "f,,,,,,,7\n"
            '"two\nlines",,,,99\n',
        )
        with pytest.raises(BadList) as caught:
            read_payloads(path)
        said = str(caught.value).splitlines()
        assert [line.split(":")[0] for line in said] == [
            "a.csv cannot be used", *(f"line {n}" for n in (3, 4, 5, 6, 7, 8, 9)),
        ]  # fmt: skip
        for line, reason in zip(
            said[1:],
            ["pitch 'wide' is not a number", "dose of 1000", "cannot be milled", "too long",
             "empty", "more cells than columns", "99"],
            strict=True,
        ):  # fmt: skip
            assert reason in line

    def test_with_a_thousand_bad_lines_name_the_first(self, tmp_path: Path) -> None:
        with pytest.raises(BadList, match="and 980 more lines"):
            read_payloads(written(tmp_path, "a.csv", "payload,dose\n" + "a,x\n" * 1000))

    @pytest.mark.parametrize(
        ("head", "said"),
        [
            ("payload,ptich", "'ptich' is not known.*pitch, dose"),
            ("label,dose", "no column is named payload"),
            ("payload,dose,dose", "twice"),
        ],
    )
    def test_with_other_columns_are_refused(self, tmp_path: Path, head: str, said: str) -> None:
        with pytest.raises(BadList, match=f"line 1: .*{said}"):
            read_payloads(written(tmp_path, "a.csv", head + "\na,b,c\n"))

    def test_with_a_payload_twice_or_bad_hex_are_refused(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "payload,payload_hex\na,61\n,6\n")
        with pytest.raises(BadList, match=r"(?s)line 2: give payload or.*line 3: '6' is not pairs"):
            read_payloads(path)

    def test_with_an_open_quote_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadList, match="line 2"):
            read_payloads(written(tmp_path, "a.csv", 'payload\n"open\nand more\n'))

    @settings(max_examples=30, deadline=None)
    @given(texts=st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1))
    def test_written_by_python_give_back_any_text(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
    ) -> None:
        import csv

        path = tmp_path_factory.mktemp("any") / "a.csv"
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([["label", "payload"], *(["A", t] for t in texts)])
        except UnicodeEncodeError:
            # a lone half of a surrogate pair is no text
            return
        assert payloads(read_payloads(path)) == [text.encode() for text in texts]


def test_a_list_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "one\ntwo\nthree\n")
    told: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        read_payloads(
            path,
            progress=lambda done, planned, _: told.append((done, planned)),
            cancelled=lambda: len(told) == 2,
        )
    assert told == [(0, 3), (1, 3)]


class TestWedges:
    design = Design(encode("wedge", "L"), name="w")

    def test_hold_every_dose_at_every_pitch(self) -> None:
        entries = dose_test(self.design, [0.6, 1, 1.4], [40, 62.5])
        assert [(e.design.pitch_nm, e.dose) for e in entries] == [
            (40, 0.6), (40, 1), (40, 1.4), (62.5, 0.6), (62.5, 1), (62.5, 1.4),
        ]  # fmt: skip
        assert entries[0].label == "40 0.6X"
        assert {e.design.symbol.payload for e in entries} == {b"wedge"}

    @pytest.mark.parametrize(("doses", "pitches"), [([], [49]), ([1], []), ([0], [49])])
    def test_of_nothing_are_refused(self, doses: list[float], pitches: list[float]) -> None:
        with pytest.raises(ValueError, match="dose"):
            dose_test(self.design, doses, pitches)
