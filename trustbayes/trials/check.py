"""What a table of trials must satisfy before anything is estimated from it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pandera.pandas as pa

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.files import TextTable, identifiers, numbers
from trustbayes.games import Game, Layout, Role
from trustbayes.trials.rules import rules_of

__all__ = ["check_trials", "lacking_columns", "standard_columns"]

_COLUMNS_OF: dict[Role, tuple[str, ...]] = {
    "sender": ("sender", "state"),
    "receiver": ("receiver", "action"),
}
_UNSEEN = r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"


def standard_columns(
    file: TextTable, game: Game, layout: Layout
) -> tuple[dict[str, str], tuple[Role, ...], tuple[str, ...]]:
    """Find the standard columns in a file and the roles that are complete.

    Parameters
    ----------
    file : TextTable
    game : Game
    layout : Layout
        A column of the file that it maps to a standard name serves no other unless mapped too.

    Returns
    -------
    columns : dict of str to str
        Standard name to the file's name; only what the complete roles need or may have.
    roles : tuple of "sender" and "receiver"
    notes : tuple of str
        Which role is left out, and for want of what.

    Raises
    ------
    InputError
        If a column that the file lacks is nearly named in it, the layout names a column that the
        file lacks (other than those of a role that the file leaves out altogether), no role is
        complete, or the rounds are missing.
    """
    header = list(file.frame.columns)
    place = f"{file.source}, row 1"
    left_out = _columns_left_out(header, layout, game)
    mapped = {key: name for key, name in layout.columns.items() if key not in left_out}
    named = [(f"[columns] {key}", name) for key, name in mapped.items()]
    lacking = lacking_columns(header, layout.exclude, bool(left_out))
    named += [("[exclude]", name) for name in layout.exclude if name not in lacking]
    faults = [
        Fault(place, "", f"a column {name!r}, which the game file names in {where}; "
              + suggestion(name, header))
        for where, name in named
        if name not in header
    ]  # fmt: skip
    free = set(header) - set(layout.columns.values())
    standing = {name: name for name in game.trial_columns if name in free} | mapped
    roles = tuple(
        role for role, needed in game.needed.items() if all(n in standing for n in needed)
    )
    named_nearly = nearly_named(
        [name for name in game.trial_columns if name not in standing and name not in left_out],
        [name for name in header if name not in standing.values()],
    )
    faults += [
        Fault(f"{place}, column {name}", name, f"{standard!r}, if it is that (else a name that is "
              "less like it, or [columns] in the game file)")
        for standard, name in named_nearly.items()
    ]  # fmt: skip
    if not roles and not named_nearly:
        wanting = " or ".join(
            f"{listing([n for n in needed if n not in standing])} for {role}s"
            for role, needed in game.needed.items()
        )
        faults.append(Fault(place, "", f"also the columns {wanting}; there are: {listing(header)}"))
    if "round" not in standing and "round" not in named_nearly:
        faults.append(Fault(place, "", f"a column round; there are: {listing(header)}"))
    if faults:
        raise InputError(faults)
    of_roles = set().union(*game.needed.values())
    useful = set(game.trial_columns) - of_roles.difference(*(game.needed[role] for role in roles))
    names = [name for name in game.trial_columns if name in standing and name in useful]
    notes = tuple(
        f"{file.source} has no trials of {role}s: there is no column "
        f"{listing([n for n in needed if n not in standing])}."
        for role, needed in game.needed.items()
        if role not in roles
    ) + tuple(
        f"{file.source} has no column {name}: [exclude] {name} is passed over." for name in lacking
    )
    return {name: standing[name] for name in names}, roles, notes


def lacking_columns(
    header: Sequence[str], exclude: Mapping[str, Any], one_role: bool
) -> tuple[str, ...]:
    """Columns of [exclude] that a file may lack: it has one role, and none that is like them.

    Examples
    --------
    >>> lacking_columns(["sender_timeout"], {"receiver_timeout": (1,)}, True)
    ('receiver_timeout',)
    """
    gone = [name for name in exclude if name not in header]
    near = nearly_named(gone, header)
    return tuple(name for name in gone if one_role and name not in near)


def nearly_named(wanted: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    """Columns that were perhaps meant to be standard ones.

    Parameters
    ----------
    wanted : sequence of str
        Standard names that the file lacks.
    header : sequence of str
        The file's columns that serve no purpose yet.

    Returns
    -------
    dict of str to str
        Standard name to the file's: the same letters, or one slip of the pen apart (two in a name
        of eight letters or more).

    Examples
    --------
    >>> nearly_named(["state", "treatment"], ["stat", "status", "Treatmnet"])
    {'state': 'stat', 'treatment': 'Treatmnet'}
    """
    near: dict[str, str] = {}
    for name in wanted:
        for other in header:
            letters = re.sub(r"[\W_]+", "", other).casefold()
            most = 2 if len(name) >= 8 else 1
            if abs(len(name) - len(letters)) <= most and _slips(name, letters) <= most:
                near.setdefault(name, other)
    return near


def _slips(a: str, b: str) -> int:
    """Letters to insert, leave out, change or swap with their neighbour to make one the other."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def _columns_left_out(header: Sequence[str], layout: Layout, game: Game) -> tuple[str, ...]:
    """The own columns of a role of which the file has none, while it has all of the other's."""
    if len(game.roles) < 2:
        return ()
    there = {
        role: [layout.columns.get(key, key) in header for key in keys]
        for role, keys in _COLUMNS_OF.items()
    }
    for role, other in itertools.permutations(_COLUMNS_OF):
        if not any(there[role]) and all(there[other]):
            return _COLUMNS_OF[role]
    return ()


def check_trials(
    kept: TextTable,
    columns: Mapping[str, str],
    roles: Sequence[Role],
    game: Game,
    players: bool = False,
) -> pd.DataFrame:
    """Check the trials of a file and give them their types.

    Parameters
    ----------
    kept : TextTable
        Without the excluded rows.
    columns : mapping of str to str
        Standard name to the file's name.
    roles : sequence of "sender" and "receiver"
        The roles that are complete.
    game : Game
    players : bool
        Whether the game's files have rows of players: then a row may lack one of the roles, and
        a person may have both.

    Returns
    -------
    DataFrame
        The standard columns, see `trustbayes.trials.table.Trials`.

    Raises
    ------
    InputError
        Listing every fault.
    """
    check = _Check(kept, columns, game, players)
    check.cells()
    table = check.typed()
    check.faults += check.rules.complete(table, kept, columns)
    check.feedback()
    for role in roles:
        check.rounds(table, role)
        if "group" in columns:
            check.groups(table, role)
    if len(roles) == 2 and not players:
        check.one_role_each(table)
    names = {role: table[role][table[role] != ""].unique() for role in roles}
    if all(len(names[role]) < 2 for role in roles):
        for role in roles:
            place = f"{kept.source}, column {columns[role]}"
            only = str(names[role][0]) if len(names[role]) else ""
            check.faults.append(Fault(place, only, f"at least two {role}s"))
    if check.faults:
        raise InputError(sorted(check.faults, key=_row_of))
    return table


class _Check:
    """The faults of a table as they are found, one method per kind of question."""

    def __init__(
        self, kept: TextTable, columns: Mapping[str, str], game: Game, players: bool
    ) -> None:
        self.kept, self.columns, self.game, self.rules = kept, columns, game, rules_of(game)
        self.players, self.faults = players, list(kept.faults)

    def fault(self, row: object, name: str, expected: str) -> None:
        self.faults.append(self.kept.fault(row, self.columns[name], expected))

    def cells(self) -> None:
        """Every cell on its own: names, whole numbers, numbers that the game allows."""
        checks: dict[str, list[pa.Check]] = {}
        for name, column in self.columns.items():
            checks.setdefault(column, []).append(self._cell(name))
        schema = pa.DataFrameSchema({c: pa.Column(checks=tests) for c, tests in checks.items()})
        try:
            schema.validate(self.kept.frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            failures = error.failure_cases
            for row, column, check in failures[["index", "column", "check"]].to_numpy():
                unseen = re.search(_UNSEEN, self.kept.cell(row, column))
                which = f", without {unseen[0]!r}" if unseen else ""
                self.faults.append(self.kept.fault(row, column, check + which))

    def _idle(self, name: str) -> pd.Series:
        """Rows in which a cell may be empty, since the role that it belongs to is not in them."""
        of = [role for role in _COLUMNS_OF if name in _COLUMNS_OF[role]]
        if not self.players or not of or of[0] not in self.columns:
            return pd.Series(False, index=self.kept.frame.index)
        frame = self.kept.frame
        other = [role for role in _COLUMNS_OF if role != of[0] and role in self.columns]
        there = frame[self.columns[of[0]]] == ""
        for role in other:
            there &= frame[self.columns[role]] != ""
        return there & (frame[self.columns[name]] == "")

    def _cell(self, name: str) -> pa.Check:
        idle = self._idle(name)
        if name in self.rules.numbers:
            expected = self.rules.expected(name)
            if name in self.rules.may_lack:
                idle |= self.kept.frame[self.columns[name]] == ""
            return pa.Check(
                lambda cells: self.rules.values(name, cells).notna() | idle, error=expected
            )
        if name == "round":
            return pa.Check(lambda cells: numbers(cells) % 1 == 0, error="a whole number")
        if name == "treatment" and self.game.treatments is not None:
            known = list(self.game.treatments)
            expected = f"one of the game's treatments: {listing(known)}"
            return pa.Check(lambda cells: cells.isin(known), error=expected)
        return pa.Check(
            lambda cells: (cells.ne("") & ~cells.str.contains(_UNSEEN)) | idle,
            error=f"the name of a {name}, in one line of characters that can be seen",
        )

    def typed(self) -> pd.DataFrame:
        """The standard columns with their types; NaN where a cell was at fault."""
        table = pd.DataFrame(index=self.kept.frame.index)
        for name, column in self.columns.items():
            cells = self.kept.frame[column]
            if name in self.rules.numbers:
                table[name] = self.rules.values(name, cells)
            elif name == "round":
                table[name] = numbers(cells)
            elif name == "treatment":
                table[name] = cells
            else:
                table[name] = identifiers(cells)
        if not table["round"].isna().any() and (table["round"] % 1 == 0).all():
            table["round"] = table["round"].astype(int)
        return table

    def feedback(self) -> None:
        """The columns that [feedback] names are there, and say what can be shown."""
        feedback, header = self.game.feedback, list(self.kept.frame.columns)
        if feedback is None:
            return
        for name in feedback.columns:
            if name not in header:
                expected = f"a column {name!r}, which the game file names in [feedback]; "
                place = f"{self.kept.source}, row 1"
                self.faults.append(Fault(place, "", expected + suggestion(name, header)))
        if feedback.column in header:
            cells = self.kept.frame[feedback.column]
            possible = self.rules.shown
            for row in cells.index[~cells.isin(["", *possible])]:
                expected = f"what was shown: {listing(possible)}, or nothing"
                self.faults.append(self.kept.fault(row, str(feedback.column), expected))

    def rounds(self, table: pd.DataFrame, role: Role) -> None:
        """No subject twice in one round."""
        known = table[(table[role] != "") & table["round"].notna()]
        first = known.assign(row=known.index).groupby([role, "round"])["row"].transform("first")
        for row in known.index[known.duplicated([role, "round"])]:
            subject = self.kept.cell(row, self.columns[role])
            expected = f"each {role} once per round, but {subject} is in row {first[row]} too"
            self.fault(row, "round", expected)

    def groups(self, table: pd.DataFrame, role: Role) -> None:
        """Every subject always in the same group."""
        first = table.groupby(role)["group"].transform("first")
        apart = (table["group"] != first) & (table["group"] != "") & (table[role] != "")
        for row in table.index[apart]:
            subject = self.kept.cell(row, self.columns[role])
            self.fault(row, "group", f"{first[row]}, where {role} {subject} was before")

    def one_role_each(self, table: pd.DataFrame) -> None:
        """No subject both sender and receiver."""
        senders = table[table["sender"] != ""].reset_index(names="row").groupby("sender")["row"]
        first = senders.first()
        receivers = table.drop_duplicates("receiver")
        for row in receivers.index[receivers["receiver"].isin(first.index)]:
            subject = self.kept.cell(row, self.columns["receiver"])
            self.fault(row, "receiver", f"no subject that is a sender (as in row {first[subject]})")


def _row_of(fault: Fault) -> int:
    """The row at which a fault stands, to list faults in the order of the file."""
    _, _, after = fault.place.rpartition(", row ")
    digits = after.split(",")[0]
    return int(digits) if digits.isdigit() else 0
