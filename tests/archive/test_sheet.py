"""Groups and sheets: how strong, and where everything lies."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.archive.outer import (
    MOST_MEMBERS,
    Groups,
    loss_probability,
    most_data,
    parity_needed,
)
from napari_nanoqr.archive.settings import ArchiveSettings, parse_rate, parse_sheet
from napari_nanoqr.archive.sheet import SheetPlan


def test_the_binomial_tail_is_that_of_scipy() -> None:
    from scipy.stats import binom

    for members, spare, loss in ((255, 20, 0.01), (51, 3, 0.1), (7, 6, 0.3)):
        assert loss_probability(members, spare, loss) == pytest.approx(
            binom.sf(spare, members, loss), rel=1e-9
        )


@pytest.mark.parametrize(("loss", "share"), [(0.001, 0.035), (0.01, 0.078), (0.05, 0.17)])
def test_large_groups_need_the_known_share_of_parity(loss: float, share: float) -> None:
    data = most_data(loss, 1e-12)
    spare = parity_needed(data, loss, 1e-12)
    assert spare is not None
    assert data + spare == MOST_MEMBERS
    assert spare / MOST_MEMBERS == pytest.approx(share, abs=0.006)


@given(st.integers(1, 200), st.floats(1e-4, 0.05), st.floats(1e-15, 1e-3))
@settings(max_examples=30, deadline=None)
def test_parity_is_just_enough(data: int, loss: float, failure: float) -> None:
    spare = parity_needed(data, loss, failure)
    if spare is None:
        assert loss_probability(MOST_MEMBERS, MOST_MEMBERS - data, loss) > failure
        return
    assert spare >= 1
    assert loss_probability(data + spare, spare, loss) <= failure
    assert spare == 1 or loss_probability(data + spare - 1, spare - 1, loss) > failure


@given(st.integers(1, 3000), st.integers(0, 2**63))
@settings(max_examples=40, deadline=None)
def test_every_member_of_every_group_has_its_place(data: int, seed: int) -> None:
    groups = Groups.planned(data, 0.01, 1e-12, seed)
    places = [groups.member_at(position) for position in range(groups.tiles)]
    expected = {
        (group, member)
        for group in range(groups.groups)
        for member in range(groups.data_count(group) + groups.parity)
    }
    assert len(places) == len(expected)
    assert set(places) == expected
    assert sum(groups.data_count(group) for group in range(groups.groups)) == data
    sizes = [groups.data_count(group) for group in range(groups.groups)]
    assert max(sizes) - min(sizes) <= 1
    for position in range(0, groups.tiles, 97):
        assert groups.position_of(*places[position]) == position


def test_what_is_lost_in_one_piece_takes_the_same_share_of_each_group() -> None:
    groups = Groups.planned(40_000, 0.01, 1e-12, 7)
    start = groups.tiles // 3
    lost = Counter(groups.member_at(start + i)[0] for i in range(int(0.07 * groups.tiles)))
    assert max(lost.values()) <= groups.parity
    assert max(lost.values()) - min(lost.values()) <= 2


def test_a_scratch_down_all_rows_is_repaired() -> None:
    groups = Groups.planned(40_000, 0.01, 1e-12, 7)
    for row in (2 * groups.groups, groups.groups, 412):
        lost = Counter(groups.member_at(place)[0] for place in range(11, groups.tiles, row))
        assert max(lost.values()) <= groups.parity


def test_tiles_of_a_field_are_of_different_groups() -> None:
    groups = Groups.planned(10_000, 0.01, 1e-12, 5)
    fields = [
        {groups.member_at(4 * field + tile)[0] for tile in range(4)}
        for field in range(groups.tiles // 4)
    ]
    assert np.mean([len(field) == 4 for field in fields]) > 0.98


def test_a_sheet_holds_everything_where_it_says() -> None:
    settings_ = ArchiveSettings(sheet_mm=(1, 2), copies=2)
    groups = Groups.planned(5_003, 0.01, 1e-12, 5)
    plan = SheetPlan(settings_, groups, description_tiles=2, index_tiles=1)
    assert plan.sheets == 2 * plan.sheets_per_copy > 2
    counted: Counter[str] = Counter()
    for sheet in range(plan.sheets):
        tiles = [plan.content(sheet, tile) for tile in range(4 * plan.fields(sheet))]
        there = [each for each in tiles if each is not None]
        assert len(there) == len(tiles) == plan.tiles(sheet)
        assert plan.content(sheet, plan.tiles(sheet)) is None
        kinds = Counter(each.kind for each in there)
        assert kinds["description"] == 6
        # what is left of the last field is filled with it
        assert 3 <= kinds["index"] <= 6
        assert there[-1].kind == "index"
        assert [each.kind for each in there[:8]] == ["title"] * 4 + ["control"] * 4
        counted += kinds
        for each in there:
            if each.kind == "member":
                assert plan.sheet_of(each.part, sheet // plan.sheets_per_copy) == sheet
                assert plan.content(sheet, plan.tile_of(sheet, each.part)) == each
    assert counted["member"] == 2 * groups.tiles
    assert (
        plan.all_tiles == sum(plan.tiles(sheet) for sheet in range(plan.sheets)) - 8 * plan.sheets
    )
    assert plan.all_fields == sum(plan.fields(sheet) for sheet in range(plan.sheets))


def test_fields_do_not_touch_and_stay_on_the_sheet() -> None:
    settings_ = ArchiveSettings(sheet_mm=(1, 2))
    plan = SheetPlan(settings_, Groups.planned(4_000, 0.01, 1e-12))
    fields = [plan.field(0, number) for number in range(plan.fields(0))]
    assert len({(field.row, field.column) for field in fields}) == len(fields)
    side = 1024 * 49.0
    gap = 4 * 49.0
    for field, after in pairwise(fields):
        # the stage goes to a neighbour
        assert abs(field.row - after.row) + abs(field.column - after.column) == 1
        assert field.top_nm == pytest.approx(field.row * (side + gap))
        assert field.centre_nm[1] == pytest.approx(field.left_nm + side / 2)
    assert max(field.top_nm + side for field in fields) <= 1e6
    assert max(field.left_nm + side for field in fields) <= 2e6


def test_an_a4_of_full_sheets_counts_at_once() -> None:
    groups = Groups.planned(10**9, 0.01, 1e-12)
    plan = SheetPlan(ArchiveSettings(), groups)
    assert plan.most_fields == (5896, 4168)
    assert plan.sheets == 12
    assert plan.all_fields * 4 >= groups.tiles


def test_a_sheet_without_room_for_data_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        SheetPlan(ArchiveSettings(sheet_mm=(0.05, 1)), Groups(10, 1, 2))


@pytest.mark.parametrize(
    "bad",
    [
        {"rate": "0.9"}, {"bits_per_module": 3}, {"tile_loss": 0}, {"tile_loss": 0.5},
        {"failure": 0}, {"pitch_nm": 49.00001}, {"tiles_per_field": 0}, {"copies": 0},
        {"field_gap_modules": -1}, {"sheet_mm": (0, 1)}, {"suffix": ".str"}, {"passphrase": ""},
        {"recipients": ("age1",), "passphrase": "a"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot|no suffix|sheet|not both|empty"):
        ArchiveSettings(**bad)  # type: ignore[arg-type]


def test_settings_come_back_without_secrets() -> None:
    secret = ArchiveSettings(passphrase="secret", rate="2/3")
    assert "secret" not in str(secret.to_dict()) + repr(secret)
    assert ArchiveSettings.from_dict(secret.to_dict()) == ArchiveSettings(rate="2/3")


def test_what_people_write_for_rates_and_sheets() -> None:
    words = {"0.8": "4/5", "4/5": "4/5", "0.88": "0.88", "0.67": "2/3", ".5": "1/2"}
    assert {word: parse_rate(word) for word in words} == words
    assert parse_sheet("a4") == (297, 210)
    assert parse_sheet("100x50") == (50, 100)
    assert parse_sheet("10.5 x 20 mm") == (20, 10.5)
    for word in ("0.7", "x", "1/0"):
        with pytest.raises(ValueError, match="rate"):
            parse_rate(word)
    for word in ("A9", "10", "1..2x3"):
        with pytest.raises(ValueError, match="sheet"):
            parse_sheet(word)
