"""When a micrograph was taken, as far as its microscope tells without doubt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_PLACES = (
    # Thermo Fisher and FEI; User.Date has the day and the month in the order of the country
    ("PrivateFei.TimeOfCreation", None, "%d.%m.%Y %H:%M:%S"),
    ("MAIN.Date", "MAIN.Time", "%Y-%m-%d %H:%M:%S"),
    ("AP_DATE", "AP_TIME", "%d %b %Y %H:%M:%S"),
    ("CM_DATE", "CM_TIME", "%Y/%m/%d %H:%M:%S"),
)
"""Fields with date and time, and how these are written: Thermo, TESCAN, Zeiss, JEOL."""


def taken_of(fields: Mapping[str, Any]) -> str | None:
    """Return when an image was taken.

    Parameters
    ----------
    fields : mapping
        What the file holds, by the microscope's names.

    Returns
    -------
    str or None
        ISO 8601 without a time zone, which none of them tells; None where nothing can be relied
        on.
    """
    for date, time, written in _PLACES:
        text = str(fields.get(date, ""))
        if time is not None:
            text += f" {fields.get(time, '')}"
        try:
            return datetime.strptime(text.strip(), written).isoformat()
        except ValueError:
            continue
    return None
