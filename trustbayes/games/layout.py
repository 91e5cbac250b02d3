"""How a file of trials is laid out: its columns, what its rows are, and which do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Layout", "Rows", "Share", "Span"]


@dataclass(frozen=True)
class Span:
    """Numbers below or above a limit, which are left out.

    Parameters
    ----------
    below, above : float or None
        Rows with a number below the one or above the other are left out; with both, and ``below``
        the larger, those between them.

    Examples
    --------
    >>> str(Span(below=2)), str(Span(below=2, above=60)), str(Span(below=9, above=3))
    ('below 2', 'below 2 or above 60', 'above 3 and below 9')
    """

    below: float | None = None
    above: float | None = None

    def __str__(self) -> str:
        low = None if self.below is None else f"below {self.below:.12g}"
        high = None if self.above is None else f"above {self.above:.12g}"
        if low and high:
            between = (self.above or 0) < (self.below or 0)
            return f"{high} and {low}" if between else f"{low} or {high}"
        return low or high or ""


@dataclass(frozen=True)
class Share:
    """People some of whose rows hold a value too often: all their rows are left out.

    Parameters
    ----------
    value : int, float or str
    above : float
        The share of a person's rows, from 0 to 1, above which she is left out.
    of : str or None
        The file's column of people; None: the one that ``[rows] person`` names.

    Examples
    --------
    >>> str(Share(0, 0.25, "sender"))
    'equal to 0 in a share above 0.25 of the rows of a sender'
    """

    value: float | str
    above: float
    of: str | None = None

    def __str__(self) -> str:
        who = self.of or "person"
        return f"equal to {self.value} in a share above {self.above:g} of the rows of a {who}"


@dataclass(frozen=True)
class Rows:
    """What a row of a file of trials is.

    Parameters
    ----------
    per : "interaction" or "player"
        Of which a row holds one.
    person : str or None
        The column that names the player of a row.
    pair : tuple of str
        Columns that are the same in the two rows of an interaction, and in no other row. Empty:
        every row is a trial of its player alone, the other side being a computer, or elsewhere.
    role : str or None
        The column of roles. None: by which of the sender's state and the receiver's action
        is filled.
    sender, receiver : tuple of str
        What stands there for either, as text.
    take : mapping of str to "sender" or "receiver"
        Standard column to the row of the pair it is taken from, where the rows differ.
    unpaired : "refuse", "leave out" or "keep"
        What is done with a row whose pair lacks the other side.
    app : str or None
        Of oTree's wide export, the app whose rounds are the trials.
    """

    per: Literal["interaction", "player"] = "interaction"
    person: str | None = None
    pair: tuple[str, ...] = ()
    role: str | None = None
    sender: tuple[str, ...] = ("sender",)
    receiver: tuple[str, ...] = ("receiver",)
    take: Mapping[str, str] = field(default_factory=dict)
    unpaired: Literal["refuse", "leave out", "keep"] = "refuse"
    app: str | None = None


@dataclass(frozen=True)
class Layout:
    """How a file of trials names its columns, what a row is, and which rows do not count.

    Parameters
    ----------
    columns : mapping of str to str
        Standard name to the file's name. Columns not named have the standard names
        (sender, receiver, round, treatment, bias, state, message, action, group).
    exclude : mapping of str to tuple
        Column of the file to the values (or `Span`, or `Share`) whose rows are left out (and
        counted).
    rows : Rows
    joined : mapping of str to tuple of str
        Columns that ``columns`` names and that are made of several of the file's, with ", "
        between their cells (a dash for an empty one): "payoff, base_rate" of payoff and base_rate.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    exclude: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_list(self) -> list[Any]:
        """A JSON-safe description, without what is as usual.

        Examples
        --------
        >>> Layout(exclude={"time": (1, Span(below=2))}).to_list()
        [{}, {'time': [1, 'below 2']}]
        """
        rules = {
            column: [v if isinstance(v, int | float | str) else str(v) for v in values]
            for column, values in self.exclude.items()
        }
        rows = [] if self.rows == Rows() else [asdict(self.rows)]
        return [dict(self.columns), rules, *rows]
