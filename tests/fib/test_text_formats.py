"""Points and polygons as text: strict when written, read from others too, damage named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.fib.exposure import Exposure
from napari_nanoqr.fib.formats.npgs_dc2 import read_dc2, write_dc2
from napari_nanoqr.fib.formats.npve_list import read_npve, write_npve
from napari_nanoqr.fib.formats.point_csv import read_csv, write_csv
from napari_nanoqr.fib.formats.raith_asc import read_asc, write_asc
from napari_nanoqr.fib.lattice import Lattice
from napari_nanoqr.fib.pattern import BadPattern, PointPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def read(folder: Path, suffix: str, text: str, **options: float) -> PointPattern | ShapePattern:
    path = folder / f"a{suffix}"
    path.write_bytes(text.encode())
    pattern = read_pattern(path, **options)
    assert isinstance(pattern, PointPattern | ShapePattern)
    return pattern


def points(folder: Path, suffix: str, text: str, **options: float) -> PointPattern:
    pattern = read(folder, suffix, text, **options)
    assert isinstance(pattern, PointPattern)
    return pattern


def polygons(folder: Path, suffix: str, text: str) -> ShapePattern:
    pattern = read(folder, suffix, text)
    assert isinstance(pattern, ShapePattern)
    return pattern


@pytest.fixture
def graded(plan: MillPlan) -> Exposure:
    """An exposure whose points differ in dose."""
    (lattice,) = plan.exposure.lattices
    shade = 0.5 + np.random.default_rng(1).integers(0, 40, lattice.dose.shape) / 40
    dose = (lattice.dose * shade).astype(np.float32)
    return replace(plan.exposure, lattices=(replace(lattice, dose=dose),), dwell_us=1.37)


@pytest.mark.parametrize("kind", ["npve", "csv"])
def test_a_dwell_for_each_point_is_kept(graded: Exposure, tmp_path: Path, kind: str) -> None:
    write, reader = {"npve": (write_npve, read_npve), "csv": (write_csv, read_csv)}[kind]
    said = write(graded, tmp_path / "a")
    found = reader(tmp_path / "a", said | {"passes": graded.passes})
    assert found.beam_on_time_s == pytest.approx(graded.beam_on_time_s, rel=1e-4)
    dwell = np.concatenate([dwell for _, dwell in graded.points()])
    assert found.dwell_s is not None
    unit = 0.1 if kind == "npve" else 0.001
    assert np.abs(1e6 * found.dwell_s - dwell).max() <= unit * 1.001
    nm = np.concatenate([nm for nm, _ in graded.points()])
    assert found.points_nm is not None
    assert np.abs(found.points_nm - nm).max() <= 0.006


@pytest.mark.parametrize("kind", ["asc", "dc2"])
def test_a_dose_for_each_polygon_is_kept(graded: Exposure, tmp_path: Path, kind: str) -> None:
    write, reader = {"asc": (write_asc, read_asc), "dc2": (write_dc2, read_dc2)}[kind]
    said = write(graded, tmp_path / "a")
    found = reader(tmp_path / "a", said)
    assert found.charge_nc == pytest.approx(graded.charge_nc, rel=0.002)
    assert np.unique(found.dose_factors).size == np.unique(graded.rectangles()[1]).size > 20


class TestNpve:
    def test_the_written_form_is_strict(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.txt")
        lines = (tmp_path / "a.txt").read_bytes().decode("ascii").split("\r\n")
        assert lines[:5] == [
            "NPVE DEFLECTION LIST", "UNITS=MICRONS", "DWELL=0.1", "FOV=5", "START"
        ]  # fmt: skip
        assert lines[-2:] == ["END", ""]
        assert len(lines) == plan.n_points + 7
        assert lines[5] == "-0.70700 0.70700 10"

    @pytest.mark.parametrize("end", ["\r\n", "\n"])
    def test_lists_of_others_are_read(self, tmp_path: Path, end: str) -> None:
        text = "NPVE DEFLECTION LIST|UNITS=MICRONS|DWELL=0.1|FOV=12.0|START|-1.5 2 3||1 -2 0|END||"
        found = points(tmp_path, ".txt", text.replace("|", end))
        assert (found.hfw_um, found.hfw_source) == (12, "the file")
        assert found.points_nm == pytest.approx(np.array([[-1500, -2000], [1000, 2000]]))
        assert found.dwell_s == pytest.approx([3e-7, 0])
        assert points(tmp_path, ".txt", text.replace("|", end), hfw_um=7).hfw_um == 7

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("1 2\n", "line 6: '1 2' is not 'x y n'"),
            ("1 2 x\nEND\n", "line 6: '1 2 x' is not"),
            ("1 2 3.5\nEND\n", "line 6: '1 2 3.5' is not"),
            ("1 2 -3\nEND\n", "line 6: '1 2 -3' is out of range"),
            ("1 1e9 3\nEND\n", "line 6: '1 1e9 3' is out of range"),
            ("1 2 3\n1 2", "line 7: '1 2' is not"),
            ("1 2 3\n", "was cut short: it has no END after 1 points"),
            ("END\n", "holds no point"),
            ("1 2 3\nEND\n1 2 3\n", "line 8: '1 2 3' stands behind the END"),
        ],
    )
    def test_damage_is_named_with_its_line(self, tmp_path: Path, body: str, said: str) -> None:
        head = "NPVE DEFLECTION LIST\nUNITS=MICRONS\nDWELL=0.1\nFOV=5\nSTART\n"
        with pytest.raises(BadPattern) as problem:
            read(tmp_path, ".txt", head + body)
        assert str(problem.value).startswith("a.txt")
        assert said in str(problem.value)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("hello\n", "not of the format NPVE"),
            ("NPVE DEFLECTION LIST\nUNITS=MICRONS\n", "no START"),
            ("NPVE DEFLECTION LIST\nwhat\nSTART\n", "line 2: 'what' is not NAME=VALUE"),
            ("NPVE DEFLECTION LIST\nUNITS=FEET\nDWELL=0.1\nSTART\nEND\n", "in 'FEET'"),
            ("NPVE DEFLECTION LIST\nUNITS=UM\nDWELL=0\nSTART\nEND\n", "no dwell above 0"),
        ],
    )
    def test_heads_that_make_no_sense_are_refused(
        self, tmp_path: Path, text: str, said: str
    ) -> None:
        with pytest.raises(BadPattern, match=said):
            read(tmp_path, ".txt", text)

    def test_a_dwell_that_rounds_to_nothing(self, plan: MillPlan, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="dwell of 50 ns rounds to nothing"):
            write_npve(replace(plan.exposure, dwell_us=0.05), tmp_path / "a.txt")


class TestCsv:
    def test_the_written_form_names_units(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.csv")
        lines = (tmp_path / "a.csv").read_text().split("\n")
        assert lines[:2] == ["x_nm,y_nm,dwell_us", "-707.000,-707.000,1.000"]
        assert len(lines) == plan.n_points + 2

    @pytest.mark.parametrize(
        "text",
        [
            "x_nm,y_nm,dwell_us\n-1500,2000,0.3\n1,2,0\n",
            "-1500,2000,0.3\n1,2,0",
            "\n# from a microscope\n-1500 2000 0.3\r\n1 2 0\r\n",
            "x [um];y [um];dwell (ms)\n-1.5;2;0.0003\n.001;.002;0\n",
            '"n","dwell_ns","Y_nm","X_nm"\n1,300,2000,-1500\n2,0,2,1\n',
            "X (µm)\tY (µm)\tdwell time (s)\n-1.5\t2\t3e-7\n1e-3\t2e-3\t0\n",
        ],
    )
    def test_tables_of_others_are_read(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode("latin-1"))
        found = read_pattern(path)
        assert isinstance(found, PointPattern)
        assert found.points_nm == pytest.approx(np.array([[-1500, 2000], [1, 2]]))
        assert found.dwell_s == pytest.approx([3e-7, 0])
        assert bool(found.notes) == (not any(c in text for c in "yY"))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x_nm,y_nm,dwell_us\n", "holds no point"),
            ("x_nm,y_nm,dwell_us\n1,2\n", "line 2: '1,2' is not 3 numbers"),
            ("x_nm,y_nm,dwell_us\n1,2,3\n1,2,x\n", "line 3: '1,2,x' is not 3 numbers"),
            ("x_nm,y_nm,dwell_us\n1,2,-3\n", "line 2: '1,2,-3' is out of range"),
            ("x_nm,y_nm,dwell_us\n1,2e10,3\n", "line 2: '1,2e10,3' is out of range"),
            ("x_nm,y_nm,dwell_us\n1,,3\n", "line 2"),
            ("index,axis-0,axis-1\n0,1,2\n", "not of the format CSV of points"),
            ("a,b\n1,2\n", "not of the format"),
            ("", "not of the format"),
        ],
    )
    def test_damage_and_other_tables_are_refused(
        self, tmp_path: Path, text: str, said: str
    ) -> None:
        with pytest.raises(BadPattern) as problem:
            read(tmp_path, ".csv", text)
        assert str(problem.value).startswith("a.csv")
        assert said in str(problem.value)

    def test_a_table_that_was_cut_between_lines_is_known_by_its_sidecar(
        self, plan: MillPlan, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.csv"
        write_pattern(plan, path)
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-5]))
        with pytest.raises(BadPattern, match=r"its sidecar says .*cut short or changed"):
            read_pattern(path)


class TestRaithAscii:
    def test_the_written_form_is_strict(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.asc", layer=7)
        blocks = (tmp_path / "a.asc").read_text().split("#\n")
        assert blocks[-1] == ""
        for block in blocks[:-1]:
            head, *corners, end = block.split("\n")
            assert (head, end) == ("1 100.0 7", "")
            assert len(corners) == 5
            assert corners[0] == corners[-1]
        with pytest.raises(ValueError, match="Layer 64 does not exist"):
            write_pattern(plan, tmp_path / "b.asc", layer=64)

    def test_polygons_of_others_are_read(self, tmp_path: Path) -> None:
        text = "1 150.0 3\r\n0 0\r\n2 0\r\n1 1\r\n0 0\r\n#\r\n\n1 80 63\n 5 5\n6 5\n6 6\n#"
        found = polygons(tmp_path, ".asc", text)
        assert found.polygons_nm[0].tolist() == [[0, 0], [2000, 0], [1000, -1000]]
        assert found.dose_factors == pytest.approx([1.5, 0.8])
        assert found.layers.tolist() == [3, 63]
        assert found.areas_um2 == pytest.approx([1, 0.5])

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("-----BEGIN PGP SIGNATURE-----\n", "not of the format Raith ASCII"),
            ("ncols 4\nnrows 2\n", "not of the format"),
            ("1 100 0\n0 0\n1 0\n", "cut short: the polygon that begins in line 1 has no end"),
            ("1 100 0\n0 0\n1 0\n#\n", "line 1: a polygon of 2 corners"),
            ("1 100 0\n0 0\n1 0 2\n#\n", "line 3: '1 0 2' is not the 'x y'"),
            ("1 100 0\n0 0\n1 x\n#\n", "line 3: '1 x' is not the 'x y'"),
            ("1 100 64\n0 0\n", "line 1: '1 100 64' has a dose"),
            ("1 100 0\n0 0\n1 0\n1 1\n#\nC 100 0\n0 0\n#\n", "line 6: 'C 100 0' does not begin"),
            ("1 100 0\n0 0\n1e9 0\n1 1\n#\n", "more than a metre away"),
        ],
    )
    def test_damage_is_named_with_its_line(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(BadPattern) as problem:
            read(tmp_path, ".asc", text)
        assert str(problem.value).startswith("a.asc")
        assert said in str(problem.value)


DC2 = """-80 -80 160 160 0 -0.0000 0.0000
42 20 0 0 0 0
8.000000
; DesignCAD Drawing Comments /w ';' as 1st char.
23 3 0 0 0 0
DO NOT USE
FIRST
SECOND
21 1 0 0 0 0
1 5 0.8000 0.0000 1 13 0 1 0 255 255 255 0 1
-8 -8 0
8 -8 0
8 8 0
-8 8 0
-8 -8 0
1 2 0.8000 0.0000 0 13 0 1 0 255 255 255 0 1
-1 0 0
1 0 0
21 2 0 0 0 0
1 4 8 0 0 10 0 1 0 255 0 0 0 1
0 0 0
16 0 0
16 8 0
0 0 0
"""


class TestNpgs:
    def test_the_written_form_is_strict(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.dc2")
        text = (tmp_path / "a.dc2").read_bytes().decode("ascii")
        assert text.count("\n") == text.count("\r\n")
        lines = text.split("\r\n")
        left, bottom, width, height = map(float, lines[0].split()[:4])
        assert (left, bottom) == pytest.approx((-0.7105 * 8,) * 2)
        assert (width, height) == pytest.approx((1.421 * 8,) * 2)
        names = lines.index("23 2 0 0 0 0")
        assert lines[names + 1 : names + 4] == ["Do Not Use", "NANOQR", "21 1 0 0 0 0"]
        assert lines[names + 4] == "1 5 8 0 1 10 0 1 0 255 255 255 0 1"

    def test_drawings_of_others_are_read(self, tmp_path: Path) -> None:
        found = polygons(tmp_path, ".dc2", DC2.replace("\n", "\r\n"))
        assert found.areas_um2 == pytest.approx([4, 1])
        assert found.layers.tolist() == [1, 2]
        assert found.polygons_nm[1].min(axis=0).tolist() == [0, -1000]
        assert found.dose_factors.tolist() == [1, 1]
        assert "1 lines are left out" in found.notes[0]
        assert "2 colours, whose doses only the run file tells" in found.notes[1]

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("-80 -80", "hello", "not of the format NPGS"),
            ("23 3 0", "24 3 0", "no list of layers"),
            ("23 3 0", "23 300 0", "line 5: '23 300 0 0 0 0' names more layers"),
            ("8 8 0\n", "8 x 0\n", "line 13: '8 x 0' is not the 'x y 0'"),
            ("16 8 0\n0 0 0\n", "16 8 0\n", "begins in line 20 has 3 of 4 corners"),
            ("1 2 0.8", "3 2 0.8", "line 16"),
            ("1 4 8", "1 0 8", "line 20: a polygon of 0 corners"),
            ("1 4 8", "1 5 8", "cut short"),
        ],
    )
    def test_damage_is_named_with_its_line(
        self, tmp_path: Path, old: str, new: str, said: str
    ) -> None:
        assert old in DC2
        with pytest.raises(BadPattern) as problem:
            read(tmp_path, ".dc2", DC2.replace(old, new, 1))
        assert str(problem.value).startswith("a.dc2")
        assert said in str(problem.value)

    def test_colours_that_the_sidecar_does_not_know_are_refused(
        self, plan: MillPlan, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.dc2"
        write_pattern(plan, path)
        path.write_text(path.read_text().replace("255 255 255", "255 255 0", 1))
        with pytest.raises(BadPattern, match="colours whose dose its sidecar does not tell"):
            read_pattern(path)

    def test_more_doses_than_colours_are_refused(self, plan: MillPlan, tmp_path: Path) -> None:
        dose = (1 + np.arange(4900, dtype=np.float32).reshape(70, 70)) / 1000
        lattice = Lattice(dose, 10.0, -350.0, -350.0)
        with pytest.raises(ValueError, match="4900 different doses"):
            write_dc2(replace(plan.exposure, lattices=(lattice,)), tmp_path / "a.dc2")


@pytest.mark.parametrize("suffix", [".txt", ".asc", ".dc2", ".csv"])
def test_what_is_no_text_is_refused(tmp_path: Path, suffix: str) -> None:
    for content in (b"\0\1\2", b"1 100 0\n\0", b"NPVE DEFLECTION LIST\n\0", b"1,2,3\n\0"):
        (tmp_path / f"a{suffix}").write_bytes(content)
        with pytest.raises(BadPattern):
            read_pattern(tmp_path / f"a{suffix}")
