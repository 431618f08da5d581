"""Drawings of other programs are taken as patterns where nothing is guessed, else refused."""

from __future__ import annotations

from pathlib import Path

import ezdxf
import numpy as np
import pytest
from ezdxf.document import Drawing

from napari_nanoqr.design.design import Design
from napari_nanoqr.design.pictures import save_design
from napari_nanoqr.fib.pattern import BadPattern, ShapePattern
from napari_nanoqr.fib.pattern_files import read_pattern, write_pattern
from napari_nanoqr.fib.plan import MillPlan


def svg(folder: Path, body: str, head: str = "<svg>") -> ShapePattern:
    path = folder / "a.svg"
    path.write_text(f"{head}\n{body}\n</svg>", encoding="utf-8")
    pattern = read_pattern(path)
    assert isinstance(pattern, ShapePattern)
    return pattern


SQUARE = [[1, 2], [4, 2], [4, 4], [1, 4]]


class TestSvg:
    @pytest.mark.parametrize(
        "shape",
        [
            '<rect x="1" y="2" width="3" height="2"/>',
            '<svg:rect x="1" y="2" width="3" height="2"/>',
            '<polygon points="1,2 4,2 4,4 1,4"/>',
            '<polyline points="1 2 4 2 4 4 1 4 1 2"/>',
            '<path d="M1 2H4V4H1Z"/>',
            '<path d="m1,2h3v2h-3z"/>',
            '<path d="M1 2 4 2 4 4 1 4z"/>',
            '<path d="m 1,2 3,0 0,2 -3,0 z"/>',
            '<path d="M1-2L4-2 4-4L1-4z" transform="scale(1 -1)"/>',
            '<g transform="translate(1,2)"><rect width="3" height="2"/></g>',
            '<g transform="translate(1 2) scale(0.5)"><path d="M0 0h6v4h-6z"/></g>',
            '<rect width="2" height="3" transform="matrix(0 1 -1 0 4 2) translate(0 0)"/>',
            '<rect width="2" height="3" transform="rotate(90 2 2)" x="2" y="0"/>',
            '<g style="fill:none"><rect x="1" y="2" width="3" height="2" style="fill:#000"/></g>',
            '<defs><rect width="9" height="9"/></defs><rect x="1" y="2" width="3" height="2"/>',
        ],
    )
    def test_shapes_with_straight_edges_are_read(self, tmp_path: Path, shape: str) -> None:
        pattern = svg(tmp_path, shape, '<svg xmlns:svg="http://www.w3.org/2000/svg">')
        (polygon,) = pattern.polygons_nm
        assert sorted(np.round(polygon, 9).tolist()) == sorted(SQUARE)
        assert pattern.areas_um2 == pytest.approx(6e-6)
        assert "taken as one nm" in pattern.notes[0]

    def test_several_parts_of_a_path_are_shapes_of_their_own(self, tmp_path: Path) -> None:
        pattern = svg(tmp_path, '<path d="M0 0h1v1h-1z m1 0h1v1h-1z M5 5h1v1z"/>')
        assert pattern.areas_um2 == pytest.approx([1e-6, 1e-6, 0.5e-6])
        assert pattern.polygons_nm[1].min(axis=0).tolist() == [1, 0]

    def test_doses_come_from_shapes_or_groups(self, tmp_path: Path) -> None:
        box = '<rect width="1" height="1"{}/>'
        body = box.format("") + f'<g data-dose="0.5">{box.format("")}'
        body += box.format(' data-dose="2"') + "</g>"
        assert svg(tmp_path, body).dose_factors.tolist() == [1, 0.5, 2]

    @pytest.mark.parametrize(
        ("shape", "said"),
        [
            ('<path d="M0 0C1 1 2 2 3 3z"/>', "line 2: path has a curve (C)"),
            ('<path d="M0 0a1 1 0 0 1 2 2z"/>', "has an arc (a)"),
            ('<circle r="3"/>', "line 2: circle is no shape with straight edges"),
            ('<g>\n<ellipse rx="3" ry="2"/></g>', "line 3: ellipse is no shape"),
            ("<text>a</text>", "text is no shape"),
            ('<use href="#a"/>', "use is no shape"),
            ('<rect width="3" height="3" rx="1"/>', "round corners"),
            ('<rect width="-3" height="3"/>', "negative side"),
            ('<rect width="a" height="3"/>', "not a number"),
            ('<rect width="3" height="3" fill="white"/>', "filled white"),
            ('<rect width="3" height="3" clip-path="url(#a)"/>', "has a clip-path"),
            ('<rect width="3" height="3" data-dose="-1"/>', "out of range"),
            ('<rect width="3" height="3" transform="turn(3)"/>', "transform that cannot be read"),
            ('<path d="M0 0h9v9h-9z M2 2h3v3h-3z"/>', "lie within each other"),
            ('<path d="M0 0 L"/>', "lacks a number"),
            ('<path d="M L1 2"/>', "lacks a number"),
            ('<path d="M0 0 L1"/>', "lacks a number"),
            ('<path d="L0 0 1 1z"/>', "does not begin with M"),
            ('<path d="M0 0 1 ? 2z"/>', "cannot be read at"),
            ('<path d="M0 0 1 1z 3"/>', "out of place"),
            ('<path d="M0 0 X"/>', "unknown command 'X'"),
            ('<polygon points="0 0 1 1 2"/>', "odd number"),
            ('<polygon points="0 0 1 x 2 2"/>', "not all numbers"),
            ("", "holds no polygon"),
            ('<line x2="3"/>', "holds no polygon. One user unit"),
            ('<rect width="1e29" height="1e29"/>', "more than a metre away"),
            ("<rect", "line 3"),
        ],
    )
    def test_what_would_come_out_otherwise_is_refused(
        self, tmp_path: Path, shape: str, said: str
    ) -> None:
        with pytest.raises(BadPattern) as problem:
            svg(tmp_path, shape)
        assert str(problem.value).startswith("a.svg")
        assert said in str(problem.value)

    def test_what_has_no_area_is_left_out_with_a_note(self, tmp_path: Path) -> None:
        body = '<rect width="1" height="1"/><line x2="3"/><rect width="2" height="1" fill="none"/>'
        pattern = svg(tmp_path, body)
        assert len(pattern.polygons_nm) == 1
        assert "2 shapes without a filled area are left out" in pattern.notes[1]

    def test_a_document_type_and_a_style_sheet_do_no_harm(self, tmp_path: Path) -> None:
        head = (
            '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"\n"http://www.w3.org/svg11.dtd">\n<svg>'
        )
        body = "<style>.a{fill:none}</style>"
        pattern = svg(tmp_path, f'{body}<rect class="a" width="1" height="1"/>', head)
        assert "style sheet is not read" in pattern.notes[1]
        with pytest.raises(BadPattern, match="document type"):
            svg(tmp_path, "", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>')

    def test_the_picture_of_a_design_is_no_pattern(self, record: Design, tmp_path: Path) -> None:
        save_design(record, tmp_path / "a.svg")
        with pytest.raises(BadPattern, match="picture of a design, not a pattern"):
            read_pattern(tmp_path / "a.svg")

    def test_our_own_needs_no_note(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.svg")
        assert read_pattern(tmp_path / "a.svg").notes == ()
        (tmp_path / "b.svg").write_bytes((tmp_path / "a.svg").read_bytes())
        alone = read_pattern(tmp_path / "b.svg")
        assert isinstance(alone, ShapePattern)
        assert alone.areas_um2.sum() == pytest.approx(plan.area_um2)
        assert alone.charge_nc is None


def dxf(folder: Path, document: Drawing) -> ShapePattern:
    document.saveas(folder / "a.dxf")
    pattern = read_pattern(folder / "a.dxf")
    assert isinstance(pattern, ShapePattern)
    return pattern


SIDES = [(0, 0), (3, 0), (3, 2), (0, 2)]


class TestDxf:
    @pytest.mark.parametrize(("unit", "nm"), [(13, 1e3), (12, 1.0), (4, 1e6), (0, 1e3)])
    def test_the_unit_is_the_drawings(self, tmp_path: Path, unit: int, nm: float) -> None:
        document = ezdxf.new(units=unit)
        document.modelspace().add_lwpolyline(SIDES, close=True)
        pattern = dxf(tmp_path, document)
        assert pattern.bounds_nm == pytest.approx((0, -2 * nm, 3 * nm, 0))
        assert bool(pattern.notes) == (unit == 0)

    @pytest.mark.parametrize("version", ["R12", "R2000", "R2018"])
    def test_every_kind_of_closed_shape_is_read(self, tmp_path: Path, version: str) -> None:
        document = ezdxf.new(version, units=13)
        space = document.modelspace()
        block = document.blocks.new("B")
        block.add_solid([SIDES[0], SIDES[1], SIDES[3], SIDES[2]])
        space.add_polyline2d(SIDES, close=True, dxfattribs={"layer": "DOSE_0.750"})
        space.add_polyline2d([*SIDES, SIDES[0]])
        space.add_blockref("B", (10, 0))
        space.add_line((0, 0), (1, 1))
        space.add_polyline2d(SIDES)
        if version != "R12":
            space.add_lwpolyline(SIDES, close=True)
            space.add_hatch().paths.add_polyline_path(SIDES)
            edges = space.add_hatch().paths.add_edge_path()
            for start, end in zip(SIDES, [*SIDES[1:], SIDES[0]], strict=True):
                edges.add_line(start, end)
        pattern = dxf(tmp_path, document)
        assert len(pattern.polygons_nm) == (3 if version == "R12" else 6)
        assert pattern.areas_um2 == pytest.approx(6)
        assert sorted(pattern.dose_factors)[:2] == [0.75, 1]
        assert "2 entities without an area are left out" in pattern.notes[-1]
        assert max(polygon.max() for polygon in pattern.polygons_nm) == pytest.approx(13_000)

    def test_curves_and_holes_are_refused_by_their_handle(self, tmp_path: Path) -> None:
        def circle(space: ezdxf.layouts.Modelspace) -> str:
            return str(space.add_circle((0, 0), 3).dxf.handle)

        def bulge(space: ezdxf.layouts.Modelspace) -> str:
            line = space.add_lwpolyline([(0, 0, 1), (1, 0, 0), (1, 1, 0)], "xyb", close=True)
            return str(line.dxf.handle)

        def holes(space: ezdxf.layouts.Modelspace) -> str:
            hatch = space.add_hatch()
            hatch.paths.add_polyline_path(SIDES)
            hatch.paths.add_polyline_path([(1, 1), (2, 1), (2, 1.5)])
            return str(hatch.dxf.handle)

        for add, said in ((circle, "straight edges"), (bulge, "arcs"), (holes, "holes")):
            document = ezdxf.new(units=13)
            handle = add(document.modelspace())
            with pytest.raises(BadPattern, match=rf"a\.dxf: the \w+ of handle {handle} .*{said}"):
                dxf(tmp_path, document)

    def test_empty_ones_and_other_files_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadPattern, match=r"a\.dxf holds no polygon"):
            dxf(tmp_path, ezdxf.new())
        for content in (b"", b"AutoCAD Binary DXF\r\n\x1a\0", b"hello", b"ENTITIES EOF"):
            (tmp_path / "a.dxf").write_bytes(content)
            with pytest.raises(BadPattern, match=r"a\.dxf is"):
                read_pattern(tmp_path / "a.dxf")

    def test_ours_opens_without_its_sidecar(self, plan: MillPlan, tmp_path: Path) -> None:
        write_pattern(plan, tmp_path / "a.dxf")
        (tmp_path / "a.dxf.json").unlink()
        document = ezdxf.readfile(tmp_path / "a.dxf")
        assert document.units == 13
        assert {entity.dxf.layer for entity in document.modelspace()} == {"DOSE_1.000"}
        assert all(entity.closed for entity in document.modelspace())
        assert not document.audit().has_errors
        alone = read_pattern(tmp_path / "a.dxf")
        assert isinstance(alone, ShapePattern)
        assert alone.areas_um2.sum() == pytest.approx(plan.area_um2)
