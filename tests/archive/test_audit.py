"""Audits by sampling: which fields, what a clean sample says, and where the margins go."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from napari_nanoqr.archive.audit import (
    AUDITS,
    Audit,
    BadAudits,
    add_audit,
    audit_text,
    margin_trend,
    read_audits,
    share_surely_found,
    trend_dict,
)
from napari_nanoqr.archive.header import Role, TileHeader
from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.tile_map import COLOURS, STATES, draw_sheet, sheet_states
from napari_nanoqr.archive.verdict import rewrite_list, tile_verdicts

FIRST = Audit(date(2030, 1, 1), 3, 12, 0, 0, 0, 5.0, 7.0)


def series(*margins: float) -> list[Audit]:
    return [
        replace(FIRST, date=date(2030 + year, 1, 1), median_margin_db=margin)
        for year, margin in enumerate(margins)
    ]


class TestTrend:
    def test_a_margin_that_falls_evenly_ends_on_the_day_it_is_used_up(self) -> None:
        trend = margin_trend(series(7.0, 6.5, 6.0, 5.5))
        assert trend is not None
        assert trend.db_per_year == pytest.approx(-0.5, abs=1e-3)
        assert trend.empty is not None
        assert trend.empty.year in (2043, 2044)

    def test_noise_is_no_trend(self) -> None:
        trend = margin_trend(series(7.0, 6.4, 7.2, 6.6, 7.1, 6.5, 7.0))
        assert trend is not None
        assert abs(trend.db_per_year) < 2 * trend.error_db_per_year
        assert trend.empty is None

    def test_two_audits_tell_a_slope_and_no_end(self) -> None:
        trend = margin_trend(series(7.0, 6.0))
        assert trend is not None
        assert math.isnan(trend.error_db_per_year)
        assert trend.empty is None

    def test_one_date_is_no_trend(self) -> None:
        assert margin_trend([FIRST, FIRST]) is None
        assert margin_trend(series(math.nan, 7.0)) is None
        assert "two dates" in audit_text([FIRST], None)
        assert trend_dict([replace(FIRST, least_margin_db=math.nan)], None)["trend"] is None


class TestAudits:
    def test_they_are_kept_in_the_order_of_their_dates(self, tmp_path: Path) -> None:
        late, early = series(7.0, 6.0)[::-1]
        add_audit(tmp_path, late)
        assert add_audit(tmp_path, early) == read_audits(tmp_path) == [early, late]
        assert "2031-01-01" in audit_text(read_audits(tmp_path), None)

    def test_a_file_of_something_else_stays(self, tmp_path: Path) -> None:
        (tmp_path / AUDITS).write_text("my,own\n1,2\n", encoding="utf-8")
        with pytest.raises(BadAudits, match="move it away"):
            add_audit(tmp_path, FIRST)
        assert (tmp_path / AUDITS).read_text(encoding="utf-8") == "my,own\n1,2\n"

    @pytest.mark.parametrize(("total", "looked_at"), [(100, 20), (1000, 59), (7, 7), (5, 1)])
    def test_a_share_that_is_ruled_out_would_have_shown(self, total: int, looked_at: int) -> None:
        share = share_surely_found(total, looked_at)
        bad = round(share * total)
        rng = np.random.default_rng(0)
        draws = [rng.choice(total, looked_at, replace=False).min() < bad for _ in range(4000)]
        assert np.mean(draws) >= 0.95 - 0.012


class TestVerdicts:
    plan = SheetPlan(ArchiveSettings(tile_loss=0.05, failure=1e-3), Groups(6, 1, 3))

    def summary(self, lost: dict[int, int]) -> list[tuple[TileHeader, int, float, float]]:
        return [
            (TileHeader(Role.DATA, bytes(8), tile=tile, tiles=99), lost.get(tile, 0), 5.0, 0.0)
            for tile in range(8, self.plan.tiles(0))
            if lost.get(tile) != -1
        ]

    def test_every_tile_with_a_header_has_one(self) -> None:
        verdicts = tile_verdicts(self.plan, self.summary({}))
        assert [each.tile for each in verdicts] == list(range(8, self.plan.tiles(0)))
        assert {each.state for each in verdicts} == {"whole"}
        assert sum(each.kind == "parity" for each in verdicts) == 3
        assert len({(each.top_nm, each.left_nm) for each in verdicts}) == len(verdicts)

    def test_what_is_weak_or_missing_is_worth_writing_again(self) -> None:
        known = self.summary({9: 3, 10: 25, 11: -1})
        known = [(h, n, 0.4 if h.tile == 12 else m, r) for h, n, m, r in known]
        verdicts = tile_verdicts(self.plan, known)
        lines = rewrite_list(verdicts, wrong={(0, 13)}).splitlines()[1:]
        reasons = {int(line.split(",")[2]): line.split(",")[-1] for line in lines}
        assert reasons == {
            9: "3 codewords lost", 10: "missing", 11: "missing", 12: "margin 0.4 dB",
            13: "not as written",
        }  # fmt: skip

    def test_the_map_shows_each_tile_where_it_lies(self) -> None:
        verdicts = tile_verdicts(self.plan, self.summary({11: -1}))
        states = sheet_states(self.plan, 0, verdicts)
        (missing,) = np.argwhere(states == STATES.index("missing"))
        place = next(each for each in verdicts if each.tile == 11)
        step = self.plan.settings.step_nm / 2
        assert tuple(missing) == (round(place.top_nm / step), round(place.left_nm / step))
        picture = draw_sheet(states, 2)
        cell = picture.shape[1] // states.shape[1]
        inside = picture[cell * missing[0] + cell // 2, cell * missing[1] + cell // 2]
        assert tuple(inside) == COLOURS["missing"]

    def test_of_a_huge_sheet_the_worst_of_each_cell_is_shown(self) -> None:
        states = np.full((9000, 9000), STATES.index("whole"), np.uint8)
        states[4567, 1234] = STATES.index("missing")
        picture = draw_sheet(states, 2)
        assert max(picture.shape) <= 3100
        assert (picture[: 9000 // 3] == COLOURS["missing"]).all(axis=2).sum() == 1
