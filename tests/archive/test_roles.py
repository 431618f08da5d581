"""Roles of many tiles at once are those of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanoqr.archive.outer import Groups
from napari_nanoqr.archive.roles import DATA, PARITY, ROLES, grid_shape, tile_roles, tiles_at
from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.archive.sheet import SheetPlan
from napari_nanoqr.archive.verdict import placed_tile


def plan_of(data: int, groups: int, parity: int, across: int, described: int) -> SheetPlan:
    small = ArchiveSettings(tiles_per_field=across, sheet_mm=(0.4, 0.5))
    return SheetPlan(small, Groups(data, groups, parity, 7), described, 3 - described)


@settings(max_examples=10, deadline=None)
@given(
    data=st.integers(1, 500), parity=st.integers(1, 20), across=st.integers(1, 3),
    described=st.integers(1, 2),
)  # fmt: skip
def test_roles_are_those_of_each_tile(data: int, parity: int, across: int, described: int) -> None:
    plan = plan_of(data, -(-data // 200), parity, across, described)
    for sheet in range(plan.sheets):
        rows, columns = grid_shape(plan, sheet)
        numbers = tiles_at(plan, sheet, np.arange(rows)[:, None], np.arange(columns))
        assert sorted(numbers.ravel()) == list(range(rows * columns))
        roles = tile_roles(plan, sheet, numbers)
        for place in np.ndindex(rows, columns):
            tile = int(numbers[place])
            content = plan.content(sheet, tile)
            if content is None:
                assert ROLES[roles[place]] == "nothing"
                continue
            if content.kind == "member":
                is_data = content.member < plan.groups.data_count(content.group)
                assert roles[place] == (DATA if is_data else PARITY)
            else:
                assert ROLES[roles[place]] == content.kind
            field, row, column = placed_tile(plan, sheet, tile)
            assert place == (field.row * across + row, field.column * across + column)
