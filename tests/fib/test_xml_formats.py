"""Patterns in XML: what instruments' files say is understood, and what is not is named."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.design.design import Design
from napari_nanoqr.fib.describe import complaints, describe_pattern
from napari_nanoqr.fib.formats import shapes
from napari_nanoqr.fib.formats.shapes import rectangle, ring
from napari_nanoqr.fib.formats.xml_tree import DEEPEST, parse_xml, quoted
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan
from napari_nanoqr.fib.raster import polygon_area

XML_SUFFIXES = (".ptf", ".ely", ".xml")


def corrected(plan: MillPlan) -> MillPlan:
    """The plan with a dose that differs from module to module, as a correction leaves it."""
    rows, columns = plan.design.modules.shape
    wave = 1 + 0.2 * np.sin(np.arange(rows)[:, None] + 2 * np.arange(columns))
    dose = np.where(plan.design.milled, wave, 0).astype(np.float32)
    k = plan.points_per_module
    return replace(plan, relative_dose=dose.repeat(k, axis=0).repeat(k, axis=1))


def read_shapes(path: Path) -> ShapePattern:
    pattern = read_pattern(path)
    assert isinstance(pattern, ShapePattern)
    return pattern


@pytest.mark.parametrize("suffix", XML_SUFFIXES)
class TestWhatTheFilesHold:
    def test_the_dose_of_each_shape(self, plan: MillPlan, tmp_path: Path, suffix: str) -> None:
        uneven = corrected(plan)
        found = write_pattern(uneven, tmp_path / f"a{suffix}")
        assert found.matches
        assert found.dose_error_percent == pytest.approx(0, abs=0.05)
        assert found.unevenness_percent < 0.1
        factors = read_shapes(tmp_path / f"a{suffix}").dose_factors
        assert factors.max() / factors.min() == pytest.approx(1.5, abs=0.01)

    def test_time_beam_and_dose_are_told_without_a_sidecar(
        self, plan: MillPlan, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"a{suffix}"
        write_pattern(plan, path)
        (tmp_path / f"a{suffix}.json").unlink()
        pattern = read_shapes(path)
        assert pattern.beam_on_time_s == pytest.approx(plan.beam_on_time_s)
        assert pattern.base_dose_nc_per_um2 == pytest.approx(plan.ion_dose_nc_per_um2)
        assert pattern.charge_nc == pytest.approx(plan.exposure.charge_nc)
        assert pattern.beam is not None
        assert pattern.beam.current_pa == pytest.approx(plan.beam.current_pa)
        assert pattern.beam.spot_nm == pytest.approx(plan.beam.spot_nm)
        assert complaints(pattern) == []
        if suffix != ".ptf":
            assert (pattern.hfw_um, pattern.hfw_source) == (5, "the file")

    @pytest.mark.parametrize("name", ['a <b> & "c"', "]]>", "l'été\x01\n\ud800"])
    def test_names_that_look_like_xml(
        self, record: Design, plan: MillPlan, tmp_path: Path, suffix: str, name: str
    ) -> None:
        named = replace(plan, design=replace(record, name=name))
        assert write_pattern(named, tmp_path / f"a{suffix}").matches

    def test_not_more_shapes_than_a_program_takes(
        self, plan: MillPlan, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shapes, "MOST_SHAPES", 100)
        with pytest.raises(ValueError, match=r"rectangles are too many .* the most is 100"):
            write_pattern(plan, tmp_path / f"a{suffix}")
        assert list(tmp_path.iterdir()) == []

    def test_what_is_not_xml_or_another_kind_is_refused(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a{suffix}"
        for text in (b"", b"s16\n1\n1\n", b"<html></html>", b"\xff\xfe<", b"\0" * 100):
            path.write_bytes(text)
            with pytest.raises(BadPattern, match=rf"a\{suffix}"):
                read_pattern(path)


class TestXml:
    def test_entities_that_grow_without_end_are_refused(self) -> None:
        bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>\n<a>&c;</a>'
        with pytest.raises(BadPattern, match=r"a.ptf, line 1: a document type does not belong"):
            parse_xml(bomb.encode(), "a.ptf")

    def test_depth_without_end_is_refused(self) -> None:
        with pytest.raises(BadPattern, match="deeper than any pattern file"):
            parse_xml(b"<a>" * (DEEPEST + 2), "a.ptf")

    def test_lines_are_counted_across_pieces_of_the_file(self) -> None:
        text = "<a>\n" + "<b c='1'/>\n" * 30_000 + "<b c='x'/>\n</a>"
        last = parse_xml(text.encode(), "a.xml").children[-1]
        assert last.line == 30_002
        with pytest.raises(BadPattern, match=r"a.xml, line 30002: b has a c of 'x'"):
            last.number("c")

    @pytest.mark.parametrize("text", ["nan", "inf", "1,5", "", "0x10", "1e400", "--1", "1 2"])
    def test_numbers_are_numbers(self, text: str) -> None:
        element = parse_xml(f'<a b="{text}"/>'.encode(), "a.xml")
        with pytest.raises(BadPattern, match="which is not a number"):
            element.number("b")

    @given(st.text())
    def test_any_text_can_be_an_attribute(self, text: str) -> None:
        element = parse_xml(f"<a b={quoted(text)}/>".encode(), "a.xml")
        assert len(element.attributes["b"]) == len(text)


class TestOutlines:
    def test_a_rectangle_that_is_turned_keeps_its_area_and_turns_from_x_to_y(self) -> None:
        corners = rectangle(10, 20, 4, 2, np.pi / 2)
        assert polygon_area(corners) == pytest.approx(8)
        assert corners.min(axis=0) == pytest.approx([9, 18])
        assert rectangle(0, 0, 2, 0.0, np.pi / 6)[1] == pytest.approx([np.sqrt(3) / 2, 0.5])

    @given(st.floats(0.1, 100), st.floats(0, 0.99))
    def test_rings_have_the_area_of_rings(self, outer: float, share: float) -> None:
        area = np.pi * outer**2 * (1 - share**2)
        assert polygon_area(ring(3, -4, outer, outer * share)) == pytest.approx(area)


def ptf(*parts: str) -> str:
    return '<Content Version="FEI PatternFile 1.2">\n' + "\n".join(parts) + "\n</Content>"


def ptf_shape(kind: str, **values: object) -> str:
    """A shape of 1 um depth in silicon, with 100 pA of a spot of 20 nm."""
    said = {
        "CenterX": 1e-6, "CenterY": 2e-6, "Depth": 1e-6, "VolumePerDose": 2.7e-10,
        "TotalVolumeSputterRate": 2.7e-20, "TotalDiameter": 2e-8, **values,
    }  # fmt: skip
    leaves = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return f"<Pattern{kind}>{leaves}</Pattern{kind}>"


BOX_SIDES = {"Width": 1e-6, "Length": 1e-6}


class TestThermoPatternFiles:
    def read(self, folder: Path, *parts: str) -> ShapePattern:
        (folder / "a.ptf").write_text(ptf(*parts))
        return read_shapes(folder / "a.ptf")

    def test_a_rectangle_lies_where_it_says_with_y_up(self, tmp_path: Path) -> None:
        found = self.read(tmp_path, ptf_shape("Rectangle", Width=4e-6, Length=2e-6))
        assert found.bounds_nm == pytest.approx((-1000, -3000, 3000, -1000))
        assert found.base_dose_nc_per_um2 == pytest.approx(1 / 0.27)
        assert found.beam_on_time_s == pytest.approx(8 / 0.27 / 0.1)

    @pytest.mark.shared
    def test_the_time_in_an_instruments_own_file_is_reproduced(self, shared_dir: Path) -> None:
        found = read_shapes(shared_dir / "fib-files" / "serialfib_regular.ptf")
        assert found.beam_on_time_s == pytest.approx(189303.076352, rel=3e-4)
        assert complaints(found) == []

    def test_our_times_are_those_of_the_plan(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.ptf")
        root = parse_xml((tmp_path / "a.ptf").read_bytes(), "a.ptf")
        parts = [part for part in root.children if part.tag == "PatternRectangle"]
        assert sum(part.number("TotalTime") for part in parts) == pytest.approx(plan.beam_on_time_s)
        for part in parts:
            area = part.number("Width") * part.number("Length")
            current = plan.beam.current_pa * 1e-12
            time = area * part.number("Depth") / (part.number("VolumePerDose") * current)
            assert part.number("TotalTime") == pytest.approx(time)
            assert part.number("PassCount") == plan.passes
            dose = part.number("PassCount") * current * part.number("DwellTime")
            dose /= part.number("PitchX") * part.number("PitchY")
            assert part.number("Dose") == pytest.approx(dose * 1e-12)

    def test_circles_rings_polygons_and_cross_sections(self, tmp_path: Path) -> None:
        points = "".join(
            f"<Point><PositionX>{x}</PositionX><PositionY>{y}</PositionY></Point>"
            for x, y in [(0, 0), (3e-6, 0), (0, 4e-6)]
        )
        found = self.read(
            tmp_path,
            ptf_shape("Circle", OuterDiameter=2e-6),
            ptf_shape("Circle", OuterDiameter=2e-6, InnerDiameter=1e-6),
            ptf_shape("Polygon", Points=html.escape(points)),
            ptf_shape("CleaningCrossSection", Width=1e-6, Length=1e-6),
            ptf_shape("RegularCrossSection", Width=1e-6, Length=1e-6),
        )
        assert found.areas_um2 == pytest.approx([np.pi, 0.75 * np.pi, 6, 1, 1])
        assert found.polygons_nm[2].tolist() == [[0, 0], [3000, 0], [0, -4000]]
        assert found.notes == (
            "Line 6: PatternRegularCrossSection mills a staircase; it is shown with its mean "
            "depth.",
        )

    def test_what_is_left_out_is_named(self, tmp_path: Path) -> None:
        found = self.read(
            tmp_path,
            ptf_shape("Rectangle", **BOX_SIDES),
            ptf_shape("Line", Length=1e-6),
            ptf_shape("Bitmap"),
            ptf_shape("Stream"),
            ptf_shape("Rectangle", **BOX_SIDES, Enable="False"),
            ptf_shape("Rectangle", **BOX_SIDES, ExclusionZone="True"),
            ptf_shape("Spline"),
        )
        assert len(found.polygons_nm) == 1
        said = "\n".join(describe_pattern(found)["complaints"])
        for line, why in [
            (3, "PatternLine is left out: a line has no area"),
            (4, "PatternBitmap is left out: .*open the bitmap"),
            (5, "PatternStream is left out: .*stream file"),
            (6, "PatternRectangle is left out: it is switched off"),
            (7, "PatternRectangle is left out: it is an exclusion zone"),
            (8, "PatternSpline is left out: shapes of this kind are not known"),
        ]:
            assert re.search(f"Line {line}: {why}", said), why

    @pytest.mark.parametrize(
        ("part", "said"),
        [
            (ptf_shape("Rectangle", Width=1e-6), "line 2: PatternRectangle has no Length"),
            (ptf_shape("Rectangle", Width=-1, Length=1), "Width of -1, which is not positive"),
            (ptf_shape("Rectangle", Width="a", Length=1), "Width of 'a', which is not a number"),
            (ptf_shape("Rectangle", Width=1, Length=1, Depth=-1), "Depth of -1, .* below 0"),
            (ptf_shape("Circle", OuterDiameter=1, InnerDiameter=2), "InnerDiameter of 2 in an"),
            (ptf_shape("Polygon"), "line 2: PatternPolygon has no Points"),
            (ptf_shape("Polygon", Points="&lt;"), "line 2: Points does not hold a list"),
            (ptf_shape("Polygon", Points="1 2"), "line 2: Points holds 0 corners"),
            (ptf_shape("Line"), "holds no shape that could be milled. Line 2: PatternLine"),
            ("", "holds no shape that could be milled"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(
        self, tmp_path: Path, part: str, said: str
    ) -> None:
        with pytest.raises(BadPattern, match=said):
            self.read(tmp_path, part)

    def test_shapes_for_different_beams_tell_no_time(self, tmp_path: Path) -> None:
        found = self.read(
            tmp_path,
            ptf_shape("Rectangle", **BOX_SIDES),
            ptf_shape("Rectangle", **BOX_SIDES, TotalVolumeSputterRate=5.4e-20),
        )
        assert found.beam_on_time_s is None
        assert "for different beams: 100 pA, 200 pA" in found.notes[0]

    def test_without_volume_per_dose_there_is_no_dose(self, tmp_path: Path) -> None:
        found = self.read(tmp_path, ptf_shape("Rectangle", **BOX_SIDES, VolumePerDose=0))
        assert found.base_dose_nc_per_um2 is None
        assert "It does not tell its base dose." in complaints(found)

    def test_many_that_are_left_out_are_counted(self, tmp_path: Path) -> None:
        line = ptf_shape("Line")
        found = self.read(tmp_path, ptf_shape("Rectangle", **BOX_SIDES), *[line] * 50)
        assert len(found.notes) == 21
        assert found.notes[-1] == "30 more are left out."


def ely(*parts: str, frame: str = 'frame_cx="0" frame_cy="0" frame_size="100"') -> str:
    return (
        '<ELAYOUT version="2.0"><STRUCTURE_LIST><STRUCTURE><INSTANCE_LIST/>\n'
        f'<LAYER_REFERENCE {frame} ref="Layer">\n' + "\n".join(parts) + "\n</LAYER_REFERENCE>"
        "</STRUCTURE></STRUCTURE_LIST></ELAYOUT>"
    )


def ely_shape(kind: str, attributes: str, dose: str = "500 C/m&#178;") -> str:
    return (
        f'<{kind} {attributes}><EXPOSURE dose_area="{dose}"><PROBE current="7e-010 A" '
        f'diameter="1.8e-008 m"/></EXPOSURE></{kind}>'
    )


class TestZeissLayouts:
    def read(self, folder: Path, *parts: str, **options: str) -> ShapePattern:
        (folder / "a.ely").write_text(ely(*parts, **options), encoding="utf-8")
        return read_shapes(folder / "a.ely")

    def test_a_rectangle_begins_at_any_of_its_corners(self, tmp_path: Path) -> None:
        found = self.read(
            tmp_path,
            ely_shape("RECT", 'x="1" y="2" width="3" height="-5" angle="0 deg"'),
            ely_shape("RECT", 'x="4" y="-3" width="-3" height="5" dose_factor="0.5"'),
        )
        for corners in found.polygons_nm:
            assert corners.min(axis=0) == pytest.approx([1000, -2000])
            assert corners.max(axis=0) == pytest.approx([4000, 3000])
        assert found.base_dose_nc_per_um2 is not None
        assert found.dose_factors * found.base_dose_nc_per_um2 == pytest.approx([0.5, 0.25])
        assert found.beam_on_time_s == pytest.approx(15 * 0.75 / 0.7)

    @pytest.mark.shared
    def test_an_instruments_own_file(self, shared_dir: Path) -> None:
        found = read_shapes(shared_dir / "fib-files" / "serialfib_layout001.ely")
        assert found.areas_um2 == pytest.approx([19.3009 * 12.9754])
        assert found.base_dose_nc_per_um2 == pytest.approx(0.5)
        assert (found.hfw_um, complaints(found)) == (100, [])

    def test_the_centre_of_the_frame_is_the_centre(self, tmp_path: Path) -> None:
        part = ely_shape("RECT", 'x="10" y="20" width="1" height="1"')
        frame = 'frame_cx="10" frame_cy="20" frame_size="5"'
        assert self.read(tmp_path, part, frame=frame).bounds_nm == (0, -1000, 1000, 0)

    def test_polygons_of_one_or_more_contours_and_circles(self, tmp_path: Path) -> None:
        square = "(0 0) (1 0) (1 1) (0 1)"
        found = self.read(
            tmp_path,
            ely_shape("POLYGON", f'points="{square} "'),
            ely_shape("POLYGON", f'points="{square} (5 5) (7 5) (5 7)" contours="0 4 "'),
            ely_shape("ARC", 'cx="0" cy="0" r1="2" r2="1" a1="0 deg" a2="360 deg"'),
        )
        assert found.areas_um2 == pytest.approx([1, 1, 2, 3 * np.pi])

    def test_what_is_left_out_is_named(self, tmp_path: Path) -> None:
        box = 'x="0" y="0" width="1" height="1"'
        found = self.read(
            tmp_path,
            ely_shape("RECT", box),
            ely_shape("RECT", f'{box} angle="30 deg"'),
            ely_shape("RECT", f'{box} imaging="true"'),
            ely_shape("CROSSSECTION", box),
            ely_shape("ARC", 'cx="0" cy="0" r1="2" r2="1" a1="0 deg" a2="90 deg"'),
            ely_shape("TEXT", box),
        )
        assert [note.split(" ", 3)[:3] for note in found.notes] == [
            ["Line", f"{line}:", kind]
            for line, kind in enumerate(["RECT", "RECT", "CROSSSECTION", "ARC", "TEXT"], start=4)
        ]

    @pytest.mark.parametrize(
        ("part", "said"),
        [
            (ely_shape("RECT", 'x="0" y="0" width="0" height="1"'), "line 3: RECT has no area"),
            (ely_shape("RECT", 'x="0" y="0" width="1"'), "line 3: RECT has no height"),
            (ely_shape("RECT", 'x="0" y="0" width="1" height="1"', "5 J"), "not in C/m²"),
            (ely_shape("RECT", 'x="0" y="0" width="1" height="1"', "-5 C/m²"), "below 0"),
            (ely_shape("POLYGON", 'points="(0 0) (1 1)"'), "three points and more have six"),
            (ely_shape("POLYGON", 'points="0 0 1 1"'), "not of the form"),
            (ely_shape("POLYGON", 'points="(0 0) (1 b) (1 2)"'), "'b', which is not a number"),
            (
                ely_shape("POLYGON", 'points="(0 0) (1 0) (1 2)" contours="0 2"'),
                r"contours at \[0, 2\]",
            ),
            (ely_shape("ARC", 'cx="0" cy="0" r1="1" r2="1" a1="0 deg" a2="360 deg"'), "radii"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(
        self, tmp_path: Path, part: str, said: str
    ) -> None:
        with pytest.raises(BadPattern, match=said):
            self.read(tmp_path, part)


SETTINGS = (
    '<Settings WriteFieldSize="1e-4" Process="I-Etching" BeamCurrent="1e-9" SpotSize="5e-8" '
    'Rate="3e-10"/>'
)


def drawbeam(*parts: str, head: str = SETTINGS) -> str:
    return f'<Layer Version="1.0" Name="a">{head}\n' + "\n".join(parts) + "\n</Layer>"


def drawbeam_object(kind: str, attributes: str, inner: str = "") -> str:
    depth = "" if "Depth=" in attributes else 'Depth="3e-7"'
    return f'<Object Type="{kind}" {depth} {attributes}>{inner}</Object>'


BOX = 'Center="1e-6 2e-6" Width="4e-6" Height="2e-6"'


class TestDrawBeamLayers:
    def read(self, folder: Path, *parts: str, **options: str) -> ShapePattern:
        (folder / "a.xml").write_text(drawbeam(*parts, **options))
        return read_shapes(folder / "a.xml")

    def test_a_rectangle_lies_where_it_says_with_y_up(self, tmp_path: Path) -> None:
        found = self.read(tmp_path, drawbeam_object("RectangleFilled", BOX))
        assert found.bounds_nm == pytest.approx((-1000, -3000, 3000, -1000))
        assert found.base_dose_nc_per_um2 == pytest.approx(1)
        assert found.beam_on_time_s == pytest.approx(8)
        assert found.hfw_um == pytest.approx(100)

    def test_polygons_rings_and_what_is_turned(self, tmp_path: Path) -> None:
        vertices = "".join(f'<Vertex Position="{p}"/>' for p in ("0 0", "3e-6 0", "0 4e-6"))
        radii = 'Center="0 0" RadiusA="2e-6" RadiusB="1e-6"'
        found = self.read(
            tmp_path,
            drawbeam_object("PolygonFilled", 'Center="0 0"', vertices),
            drawbeam_object("AnnulusFilled", radii),
            drawbeam_object("RectangleFilled", f'{BOX} Angle="90"'),
        )
        assert found.areas_um2 == pytest.approx([6, 3 * np.pi, 8])
        assert found.polygons_nm[2].max(axis=0) == pytest.approx([2000, 0])

    def test_what_is_left_out_or_not_sure_is_named(self, tmp_path: Path) -> None:
        found = self.read(
            tmp_path,
            drawbeam_object("RectangleFilled", BOX),
            drawbeam_object("RectangleOutline", BOX),
            drawbeam_object("RectangleStairs", BOX),
            drawbeam_object("AnnulusFilled", 'Center="0 0" RadiusA="2" RadiusB="1" AngleB="90"'),
            drawbeam_object("RectangleFilled", f'{BOX} ExpositionFactor="2"'),
        )
        assert [note.split(":")[0] for note in found.notes] == [
            f"Line {line}" for line in (3, 4, 5, 6)
        ]
        assert found.dose_factors.tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("part", "head", "said"),
        [
            (f'{BOX} DepthUnit="scan"', SETTINGS, "depth in 'scan', which is no dose"),
            (BOX, SETTINGS.replace("I-Etching", "E-Exposition"), "is for E-Exposition"),
            (BOX, "", "does not tell its base dose"),
        ],
    )
    def test_depths_that_are_no_dose(self, tmp_path: Path, part: str, head: str, said: str) -> None:
        found = self.read(tmp_path, drawbeam_object("RectangleFilled", part), head=head)
        assert found.base_dose_nc_per_um2 is None
        assert found.beam_on_time_s is None
        assert said in " ".join(complaints(found))

    @pytest.mark.parametrize(
        ("part", "said"),
        [
            (drawbeam_object("RectangleFilled", 'Center="0" Width="1" Height="1"'), "2 numbers"),
            (drawbeam_object("RectangleFilled", f'{BOX} Depth="-1"'), "Depth of -1"),
            (drawbeam_object("PolygonFilled", 'Center="0 0"'), "has 0 corners"),
            (drawbeam_object("AnnulusFilled", 'Center="0 0" RadiusA="1" RadiusB="1"'), "radii"),
            (drawbeam_object("PolygonOutline", ""), "holds no shape"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(
        self, tmp_path: Path, part: str, said: str
    ) -> None:
        with pytest.raises(BadPattern, match=said):
            self.read(tmp_path, part)

    def test_other_xml_files_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "a.xml").write_text("<OME/>")
        with pytest.raises(BadPattern, match=r"a\.xml is not of the format TESCAN DrawBeam layer"):
            read_pattern(tmp_path / "a.xml")


def whole_ptf() -> str:
    points = "<Point><PositionX>1</PositionX><PositionY>1</PositionY></Point>" * 3
    return ptf(
        ptf_shape("Rectangle", Width=1e-6, Length=1e-6), ptf_shape("Circle", OuterDiameter=1),
        ptf_shape("Polygon", Points=html.escape(points)),
    )  # fmt: skip


def whole_ely() -> str:
    return ely(
        ely_shape("RECT", 'x="0" y="0" width="1" height="1" angle="0 deg" dose_factor="1"'),
        ely_shape("POLYGON", 'points="(0 0) (1 0) (1 2) (5 6) (7 8) (9 0)" contours="0 3"'),
        ely_shape("ARC", 'cx="0" cy="0" r1="1" r2="2" a1="0 deg" a2="360 deg"'),
    )


def whole_drawbeam() -> str:
    vertices = '<Vertex Position="0 1"/>' * 3
    return drawbeam(
        drawbeam_object("RectangleFilled", f'{BOX} Angle="1"'),
        drawbeam_object("PolygonFilled", 'Center="0 0"', vertices),
        drawbeam_object("AnnulusFilled", 'Center="0 0" RadiusA="1" RadiusB="2"'),
    )


WHOLE: dict[str, Callable[[], str]] = {
    ".ptf": whole_ptf, ".ely": whole_ely, ".xml": whole_drawbeam,
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(suffix=st.sampled_from(XML_SUFFIXES), data=st.data())
def test_damage_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    damaged = bytearray(WHOLE[suffix]().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(bytes(damaged))
    try:
        pattern = read_pattern(path)
    except BadPattern:
        return
    assert isinstance(pattern, ShapePattern)
    describe_pattern(pattern)
    assert pattern.polygons_nm
