"""What people are shown after a trial, and with whom they play: what they may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from trustbayes.errors import suggestion
from trustbayes.games.toml_section import Section

__all__ = ["Feedback", "Shown", "read_feedback"]

Shown = Literal["state", "payoff", "none"]

_SHOWN = get_args(Shown)
_PARTNERS = ("random", "fixed")


@dataclass(frozen=True)
class Feedback:
    """What people are shown after each trial, and whom they meet.

    Parameters
    ----------
    shown : {"state", "payoff", "none"}
        "state": receivers are shown the state, senders the action. "payoff": their own payoff
        only. "none": nothing.
    by_treatment : mapping of str to "state", "payoff" or "none"
        Where a treatment differs from that.
    column : str or None
        The file's column that says for each trial what was shown then, in the same words; an
        empty cell says "none".
    partners : str
        "random": people are matched anew in every round, and do not know whom they meet. "fixed":
        with the same partner as long as the file names the same. Else the file's column that names
        the partner of a trial.

    Raises
    ------
    ValueError
        If something else is to be shown.

    Examples
    --------
    >>> Feedback("state", {"Blind": "none"}).in_treatment("Blind")
    'none'
    """

    shown: Shown = "state"
    by_treatment: Mapping[str, Shown] = field(default_factory=dict)
    column: str | None = None
    partners: str = "random"

    def __post_init__(self) -> None:
        for word in (self.shown, *self.by_treatment.values()):
            if word not in _SHOWN:
                raise ValueError(f"feedback, shown: found {word!r}, expected one of {_SHOWN}")

    def in_treatment(self, name: str) -> Shown:
        """What is shown in a treatment."""
        return self.by_treatment.get(name, self.shown)

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns that it names."""
        partner = () if self.partners in _PARTNERS else (self.partners,)
        return (*partner, *([self.column] if self.column else []))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description."""
        return {
            "shown": self.shown,
            "by_treatment": dict(self.by_treatment),
            "column": self.column,
            "partners": self.partners,
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any] | None) -> Feedback | None:
        """Read back what `to_dict` wrote; None of None."""
        return None if form is None else cls(**form)


def read_feedback(section: Section, treatments: Any) -> Feedback | None:
    """Read the table [feedback] of a game file; None if there is none, or it is at fault.

    Parameters
    ----------
    section : Section
        The whole file.
    treatments : iterable of str
        Names of the game's treatments.
    """
    if "feedback" not in section.raw:
        return None
    table = section.section("feedback", "shown", "partners")
    if table is None:
        return None
    table.allow("shown", "column", "partners")
    noted = len(section.faults)
    shown: Any = "none" if "column" in table.raw else "state"
    by_treatment: dict[str, Any] = {}
    if isinstance(table.raw.get("shown"), Mapping):
        each, known = table.section("shown"), [str(name) for name in treatments]
        assert each is not None
        for name in each.raw:
            if name not in known:
                each.note(name, f"a treatment of the game: {suggestion(name, known)}")
            by_treatment[name] = each.text(name, choices=_SHOWN)
        shown = "none"
        if missing := [name for name in known if name not in each.raw]:
            table.note("shown", f"an entry for every treatment, also {', '.join(missing)}")
    elif "shown" in table.raw:
        shown = table.text("shown", choices=_SHOWN)
        if "column" in table.raw:
            table.note("shown", "no such key, since column says it for each trial")
    elif "column" not in table.raw:
        table.note("shown", '"state", "payoff" or "none", or these by treatment')
    column = table.text("column") if "column" in table.raw else None
    partners = table.text("partners") if "partners" in table.raw else "random"
    if len(section.faults) > noted:
        return None
    return Feedback(shown, by_treatment, column, str(partners))
