"""What an instrument will not do, or a careful operator would not: a number and its limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Complaint:
    """One thing that is beyond a limit.

    Parameters
    ----------
    severity : {"error", "warning"}
        Whether the instrument cannot do it, or it can and should not.
    what : str
        Which limit, in a word or two that stay the same.
    value, limit : float
        What was found, and what should be.
    unit : str
        Of both.
    said : str
        Both in a clause for people.
    way_out : str
        What to change.
    """

    severity: Literal["error", "warning"]
    what: str
    value: float
    limit: float
    unit: str
    said: str
    way_out: str

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        return f"{self.said}: {self.way_out}."

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self)
        del values["said"]
        return values | {"sentence": self.sentence}


def limits_met(complaints: Iterable[Complaint]) -> bool:
    """Whether there is nothing but warnings."""
    return all(complaint.severity != "error" for complaint in complaints)


def dwell_text(dwell_us: float) -> str:
    """Return a dwell for people, in ns, us or ms."""
    if dwell_us < 1:
        return f"{1000 * dwell_us:.4g} ns"
    return f"{dwell_us:.4g} us" if dwell_us < 1000 else f"{dwell_us / 1000:.3g} ms"
