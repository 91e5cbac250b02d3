"""Rows of players to rows of interactions: who belongs together, and whose entry counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import TextTable, identifiers, numbers
from trustbayes.games import Game, Layout, Role, Rows
from trustbayes.trials.exclude import Exclusion
from trustbayes.trials.unfold import ROUND, apps_side_by_side, unfolded

__all__ = ["Players", "of_players", "player_rows"]

_SIDES: tuple[Role, Role] = ("sender", "receiver")


@dataclass(frozen=True)
class Players:
    """A table of players made one of interactions.

    Parameters
    ----------
    file : TextTable
        One row per interaction, or per trial of one player alone; the index is the line of the
        sender's row, or of the receiver's where there is none.
    layout : Layout
        That of the new table: its rows are interactions, its columns have standard names.
    exclusions : tuple of Exclusion
        Rows without the other side, if those are to be left out.
    """

    file: TextTable
    layout: Layout
    exclusions: tuple[Exclusion, ...]


def player_rows(file: TextTable, game: Game) -> TextTable | None:
    """Take a file of players, in oTree's wide form or with a row for each.

    Parameters
    ----------
    file : TextTable
    game : Game
        With ``[rows] per = "player"``.

    Returns
    -------
    TextTable or None
        A row per player and round; None if the file is one of interactions: it has standard
        columns and not the column of players, as simulated trials have.

    Raises
    ------
    InputError
        If a column that the game file names is not there.
    """
    rows, header = game.layout.rows, list(map(str, file.frame))
    if rows.person not in header and all(name in header for name in ("sender", "round")):
        return None
    if rows.person not in header and all(name in header for name in ("receiver", "round")):
        return None
    wanted = _wanted(game)
    missing = [name for _, name in wanted if name not in header]
    if missing and apps_side_by_side(header):
        file = unfolded(file, rows.app, [name for _, name in wanted])
        header = list(map(str, file.frame))
    faults = [
        Fault(f"{file.source}, row 1", "", f"a column {name!r}, which the game file names in "
              f"{where}; " + suggestion(name, header))
        for where, name in wanted
        if name not in header
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return file


def _wanted(game: Game) -> list[tuple[str, str]]:
    """Where the game file names columns of the file of trials, and which."""
    layout, rows = game.layout, game.layout.rows
    wanted = [("[rows] person", str(rows.person))]
    wanted += [("[rows] pair", name) for name in rows.pair]
    wanted += [("[rows] role", rows.role)] if rows.role else []
    named = [(f"[columns] {key}", name) for key, name in layout.columns.items()]
    named += [("[exclude]", name) for name in layout.exclude]
    return wanted + [
        (where, part) for where, name in named for part in layout.joined.get(name, (name,))
    ]


def of_players(file: TextTable, game: Game) -> Players:
    """Put the rows of the two players of an interaction together.

    Parameters
    ----------
    file : TextTable
        A row per player and round, without those that do not count.
    game : Game
        With ``[rows] per = "player"``.

    Returns
    -------
    Players
        Standard columns under their names: each from the row that has it. Other columns that are
        the same in both rows of all interactions keep their names; of others there are two,
        ``sender_age`` and ``receiver_age``.

    Raises
    ------
    InputError
        Listing every row whose role is not known, or which is not one of a sender and a
        receiver of an interaction, and every column that differs between the two without the
        game file saying which counts.
    """
    rows = game.layout.rows
    named = {
        name: game.layout.columns.get(name, name)
        for name in game.trial_columns
        if name not in _SIDES and game.layout.columns.get(name, name) in file.frame
    }
    if "round" not in named and ROUND in file.frame:
        named["round"] = ROUND
    file, idle = _without_idle(file, rows, named)
    side, faults = _sides(file, rows, named)
    mates, left_out, more = _mates(file, rows, side)
    faults += more + _strangers(file, rows, side)
    if faults:
        raise InputError([*file.faults, *faults])
    if left_out and not mates:
        raise InputError(Fault(file.source, "", "at least one pair of a sender and a receiver"))
    made, places, more = _joined(file, rows, named, mates)
    what = "trials of one player each" if not rows.pair else "interactions"
    note = f"{file.source} has one row per player: {len(file.frame)} rows are {len(made)} {what}."
    exclusions: tuple[Exclusion, ...] = ()
    if rows.unpaired == "leave out":
        exclusions = (Exclusion(", ".join(rows.pair), "a pair without its other side", left_out),)
    table = replace(
        file,
        frame=made,
        places=places,
        written={},
        faults=(*file.faults, *more),
        notes=(*file.notes, *idle, note),
    )
    return Players(table, Layout(), exclusions)


def _without_idle(
    file: TextTable, rows: Rows, named: dict[str, str]
) -> tuple[TextTable, tuple[str, ...]]:
    """Pass over rows of players who had no role and entered nothing."""
    of_player = [rows.role] if rows.role else []
    of_player += [named[name] for name in ("state", "message", "action") if name in named]
    idle = (file.frame[list(dict.fromkeys(of_player))] == "").all(axis=1) if of_player else None
    if idle is None or not idle.any():
        return file, ()
    if idle.all():
        raise InputError(Fault(file.source, "", "a row with a role or an entry"))
    note = f"{file.source} has {int(idle.sum())} rows of players without a role, passed over."
    return replace(file, frame=file.frame[~idle]), (note,)


def _sides(file: TextTable, rows: Rows, named: dict[str, str]) -> tuple[pd.Series, list[Fault]]:
    """The role of each row; empty where it is not known, which is a fault."""
    side = pd.Series("", index=file.frame.index, dtype="str")
    if rows.role:
        cells = file.frame[rows.role]
        for name, values in (("sender", rows.sender), ("receiver", rows.receiver)):
            match = cells.str.casefold().isin([v.casefold() for v in values])
            same = [numbers(pd.Series([v], dtype="str")).iloc[0] for v in values]
            side[match | numbers(cells).isin([v for v in same if v == v])] = name
        known = " or ".join([*rows.sender, *rows.receiver])
        expected = f"{known}, or others in [rows] sender and receiver"
        return side, [file.fault(row, rows.role, expected) for row in side.index[side == ""]]
    lacking = [name for name in ("state", "action") if name not in named]
    if lacking:
        expected = f"columns state and action, or [rows] role; there is no {' or '.join(lacking)}"
        return side, [Fault(f"{file.source}, row 1", "", expected)]
    sees, acts = file.frame[named["state"]] != "", file.frame[named["action"]] != ""
    side[sees & ~acts], side[acts & ~sees] = "sender", "receiver"
    expected = "either this or the action, by which the role is known (else [rows] role)"
    return side, [file.fault(row, named["state"], expected) for row in side.index[side == ""]]


def _strangers(file: TextTable, rows: Rows, side: pd.Series) -> list[Fault]:
    """Rows without the name of their player."""
    person = str(rows.person)
    bad = file.frame.index[file.frame[person] == ""]
    return [file.fault(row, person, f"the name of the {side[row] or 'player'}") for row in bad]


def _mates(
    file: TextTable, rows: Rows, side: pd.Series
) -> tuple[list[tuple[int | None, int | None]], int, list[Fault]]:
    """The rows of sender and receiver of each interaction, how many are left out, and faults."""
    mates: list[tuple[int | None, int | None]] = []
    if not rows.pair:
        for row, role in side.items():
            line = int(str(row))
            mates.append((line, None) if role == "sender" else (None, line))
        return mates, 0, []
    faults = [
        file.fault(row, name, "a value, since it names the interaction")
        for name in rows.pair
        for row in file.frame.index[file.frame[name] == ""]
    ]
    if faults:
        return [], 0, faults
    keys = [identifiers(file.frame[name]) for name in rows.pair]
    left_out = 0
    for _, members in side.groupby(keys, sort=False):
        of = {role: [int(str(i)) for i in members.index[members == role]] for role in _SIDES}
        if (members == "").any():
            continue  # faults already
        if len(of["sender"]) == len(of["receiver"]) == 1:
            mates.append((of["sender"][0], of["receiver"][0]))
        elif len(members) == 1 and rows.unpaired == "keep":
            sole = of["sender"] + of["receiver"]
            mates.append((sole[0], None) if of["sender"] else (None, sole[0]))
        elif len(members) == 1 and rows.unpaired == "leave out":
            left_out += 1
        else:
            counts = " and ".join(f"{len(of[role])} of {role}s" for role in _SIDES)
            first = members.index[0]
            expected = f"two rows of the interaction, a sender's and a receiver's, but has {counts}"
            if len(members) == 1:
                expected += '; [rows] unpaired = "leave out" or "keep" would allow it'
            faults.append(file.fault(first, rows.pair[-1], expected))
    return mates, left_out, faults


def _joined(
    file: TextTable,
    rows: Rows,
    named: dict[str, str],
    mates: Sequence[tuple[int | None, int | None]],
) -> tuple[pd.DataFrame, dict[str, pd.Series], list[Fault]]:
    """One row for each interaction, where its cells stand, and columns that are ambiguous."""
    index = pd.Index([s if s is not None else r for s, r in mates], dtype=int)
    lines = {
        role: pd.Series([-1 if pair[k] is None else pair[k] for pair in mates], index, dtype=int)
        for k, role in enumerate(_SIDES)
    }
    absent = {role: lines[role] == -1 for role in _SIDES}  # lines are numbered from 0
    made = pd.DataFrame(index=index)
    places: dict[str, pd.Series] = {}
    faults: list[Fault] = []

    def cells(column: str, role: Role) -> pd.Series:
        """The column in the rows of a role; empty where there is none."""
        taken = file.frame[column].reindex(lines[role]).fillna("")
        return taken.set_axis(index, axis=0)

    def stands(column: str, role: Role) -> pd.Series:
        if column in file.places:
            return file.places[column].reindex(lines[role]).fillna("").set_axis(index, axis=0)
        where = "row " + lines[role].astype("str") + f", column {column}"
        return where.mask(absent[role], "")

    for role in _SIDES:
        made[role] = cells(str(rows.person), role)
        places[role] = stands(str(rows.person), role)
    for name, column in named.items():
        sent, received = cells(column, "sender"), cells(column, "receiver")
        first: Role = "receiver" if name == "action" else "sender"
        ahead, behind = (sent, received) if first == "sender" else (received, sent)
        if name in rows.take:
            first = "sender" if rows.take[name] == "sender" else "receiver"
            made[name] = sent if first == "sender" else received
            places[name] = stands(column, first)
            alone = absent[first]
            other: Role = "receiver" if first == "sender" else "sender"
            made.loc[alone, name] = cells(column, other)[alone]
            places[name][alone] = stands(column, other)[alone]
            continue
        differs = (ahead != "") & (behind != "") & (ahead != behind)
        differs &= ~(numbers(ahead) == numbers(behind))
        if differs.any():
            row = index[differs][0]
            expected = (
                f"the same in the sender's row and the receiver's ({sent[row]} and "
                f"{received[row]}; {int(differs.sum())} of {len(index)} pairs differ), or "
                f'[rows] take = {{{name} = "sender"}} or "receiver"'
            )
            line = int(lines[first][row])
            faults.append(file.fault(line, column, expected))
        other = "receiver" if first == "sender" else "sender"
        made[name] = ahead.where(ahead != "", behind)
        places[name] = stands(column, first).where((ahead != "") | (behind == ""), "")
        empty = places[name] == ""
        places[name][empty] = stands(column, other)[empty]
    used = {*named.values(), *rows.pair, str(rows.person), rows.role}
    for column in map(str, file.frame):
        if column not in used:
            sent, received = cells(column, "sender"), cells(column, "receiver")
            both = ~(absent["sender"] | absent["receiver"])
            parts: dict[str, tuple[pd.Series, Role]] = {
                f"{role}_{column}": (cells(column, role), role) for role in _SIDES
            }
            if ((sent == received) | ~both).all() and (both.all() or not both.any()):
                parts = {column: (sent.where(sent != "", received), "sender")}
            for label, (values, role) in parts.items():
                if label in made:
                    expected = f"another name: of {label} there would be two"
                    faults.append(Fault(f"{file.source}, row 1", column, expected))
                made[label] = values
                places[label] = stands(column, role)
    return made, places, faults
