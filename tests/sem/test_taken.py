"""Dates of micrographs: told where a file is clear about it."""

from __future__ import annotations

import pytest

from napari_nanoqr.sem.taken import taken_of


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"PrivateFei.TimeOfCreation": "10.11.2023 14:09:15"}, "2023-11-10T14:09:15"),
        ({"MAIN.Date": "2016-05-16", "MAIN.Time": "16:03:27"}, "2016-05-16T16:03:27"),
        ({"AP_DATE": "11 Apr 2023", "AP_TIME": "8:40:47"}, "2023-04-11T08:40:47"),
        ({"CM_DATE": "2025/11/20", "CM_TIME": "13:42:14"}, "2025-11-20T13:42:14"),
        # nobody knows whether that is in October or in November
        ({"User.Date": "11/10/2023", "User.Time": "02:09:15 PM"}, None),
        ({"AP_DATE": "11 Apr", "AP_TIME": ""}, None),
        ({}, None),
    ],
)
def test_the_date_is_what_the_microscope_says(fields: dict[str, str], taken: str | None) -> None:
    assert taken_of(fields) == taken
