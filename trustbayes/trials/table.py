"""The trial table: one row per sender-receiver interaction, read, checked and counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.files import TextTable, natural_order, parse_csv, parse_table, read_bytes, typed
from trustbayes.games import Game, Layout, Role, read_game
from trustbayes.trials.check import check_trials, standard_columns
from trustbayes.trials.exclude import Exclusion, exclude_rows
from trustbayes.trials.people import people_columns
from trustbayes.trials.players import of_players, player_rows
from trustbayes.trials.rules import rules_of
from trustbayes.trials.sequences import Sequences, check_sequences, sequence
from trustbayes.trials.units import Units

__all__ = ["Trials", "read_trials", "trials_from_frame"]


@dataclass(frozen=True, eq=False)
class Trials:
    """Checked trials of one experiment.

    Parameters
    ----------
    table : DataFrame
        The kept rows in the order of the file, indexed by their line in it (if a row of the file
        is one player's: by the line of the sender; of rounds side by side: by a number). Where
        the file has trials of one player alone, the name of the other is empty. Standard columns
        have standard names: sender, receiver, treatment and group as text, round as int, state,
        message and action as float (in a finite game, equal to the game's listed values), and
        in a finite game bias as float. The file's other columns follow under their own names,
        as numbers where all kept values are numbers; one whose name is a standard name that was
        mapped elsewhere has " (file)" appended.
    game : Game
        What the experiment pays.
    roles : tuple of "sender" and "receiver"
        The roles whose columns are complete.
    exclusions : tuple of Exclusion
        One for each declared rule, also when it matched no row.
    source : str
        Name of the file, without its folder.
    checksum : str
        SHA-256 of the kept rows as they were read: files of other line ends, encodings or
        separators have the same.
    warnings : tuple of str
        Sentences that a reader of results should know.
    notes : tuple of str
        What was recognised in the files, where it is not what is usual: an encoding, a separator,
        columns and rows passed over, a role left out, missing values.
    known_treatments : tuple of str
        The treatments of the experiment, in their order, if these trials are a part of it (see
        `subset`); empty if they are the whole.
    whole : DataFrame or None
        The rows of which these are a part: what people were shown in them has moved their trust.
    """

    table: pd.DataFrame
    game: Game
    roles: tuple[Role, ...]
    exclusions: tuple[Exclusion, ...]
    source: str
    checksum: str
    warnings: tuple[str, ...]
    known_treatments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    whole: pd.DataFrame | None = None

    @cached_property
    def treatments(self) -> tuple[str, ...]:
        """The treatments that occur; in a subset, those that occur in the whole.

        Those of a finite game go by the mean of their biases, then in natural order; those of
        games on a line as in the game.
        """
        return self.known_treatments or rules_of(self.game).treatments(self.table)

    def conditions(self, treatment: str) -> list[float] | dict[str, float]:
        """Say what sets a treatment apart, as a game file would.

        In a finite game the biases that occur; in a game on an interval ``bias``; in a
        forecast-sharing game ``capacity_cost`` (payoff units per unit of capacity) and
        ``uncertainty`` (units of demand).
        """
        return rules_of(self.game).conditions(self.table, treatment)

    def subjects(self, role: Role) -> tuple[str, ...]:
        """The subjects of a role in natural order.

        Raises
        ------
        ValueError
            If the role's columns are not complete.
        """
        self._need(role)
        return tuple(natural_order(list(self.of_role(role).table[role].unique())))

    @cached_property
    def people_in_both_roles(self) -> tuple[str, ...]:
        """Those who have trials as senders and as receivers, in natural order.

        Only tables with a row per player hold such people.
        """
        if set(self.roles) != {"sender", "receiver"}:
            return ()
        receivers = set(self.subjects("receiver"))
        return tuple(name for name in self.subjects("sender") if name in receivers)

    def of_role(self, role: Role) -> Trials:
        """The trials in which a role was played by a person.

        All of them, unless the file has rows of one player alone.

        Returns
        -------
        Trials
            With the checksum of the whole, since what is made of a role never depends on others.
        """
        if role not in self.roles or (self.table[role] != "").all():
            return self
        table = self.table[self.table[role] != ""]
        return replace(self, table=table, known_treatments=self.treatments)

    def fold(self, role: Role) -> Units:
        """Give the trials of a role in the form that models take.

        Returns
        -------
        Units
            Counts if the game is finite, else every trial as a point.

        Raises
        ------
        ValueError
            If the role's columns are not complete.
        """
        self._need(role)
        subjects, table = self.subjects(role), self.of_role(role).table
        return rules_of(self.game).fold(table, role, subjects, self.treatments)

    def sequences(self, role: Role) -> Sequences:
        """Give the trials of a role in their order, with what each person had been shown.

        Returns
        -------
        Sequences
            For models of people who learn.

        Raises
        ------
        ValueError
            If the role's columns are not complete.
        InputError
            If the game or the file says nothing of what people were shown.
        """
        self._need(role)
        trials = self.of_role(role)
        table, whole = trials.table, trials.table if trials.whole is None else trials.whole
        check_sequences(whole, self.game, role, self.source)
        return sequence(self.fold(role), table, whole, self.game)

    def subset(self, keep: np.ndarray, what: str) -> Trials:
        """Keep some of the trials, as part of the same experiment.

        A treatment that no trial is left of stays known: a model of the subset has its location,
        drawn from its prior, and can predict it.

        Parameters
        ----------
        keep : array of bool, shape (trials,)
            The rows of the table to keep.
        what : str
            Which trials these are, for messages and files: "without subjects s1, s2".

        Returns
        -------
        Trials
            With the treatments of the whole, in their order, a source that says which trials
            these are, and a checksum made of that of the whole and the lines kept.

        Raises
        ------
        InputError
            If no trial is kept.
        ValueError
            If ``keep`` is of another shape or type.

        Examples
        --------
        >>> from trustbayes.games import FiniteGame
        >>> rows = [("s1", 1, 0.5, 1, 2), ("s1", 2, 1.5, 2, 2), ("s2", 1, 0.5, 2, 2)]
        >>> frame = pd.DataFrame(rows, columns=["sender", "round", "bias", "state", "message"])
        >>> frame["treatment"] = ["Low", "High", "Low"]
        >>> trials = trials_from_frame(frame, FiniteGame(states=[1, 2]))
        >>> early = trials.subset((trials.table["round"] == 1).to_numpy(), "round 1")
        >>> early.source, early.treatments, len(early.table)
        ('data frame (round 1)', ('Low', 'High'), 2)
        """
        keep = np.asarray(keep)
        if keep.dtype != bool or keep.shape != (len(self.table),):
            expected = f"booleans of shape ({len(self.table)},)"
            raise ValueError(f"keep: found {keep.dtype} of shape {keep.shape}, expected {expected}")
        source = f"{self.source} ({what})"
        if not keep.any():
            raise InputError(Fault(source, "", "at least one trial"))
        table = self.table[keep]
        lines = " ".join(map(str, table.index))
        return replace(
            self,
            table=table,
            source=source,
            checksum=hashlib.sha256(f"{self.checksum} {lines}".encode()).hexdigest(),
            warnings=tuple(_warnings(table, self.roles)),
            known_treatments=self.treatments,
            whole=self.table if self.whole is None else self.whole,
        )

    def _need(self, role: Role) -> None:
        if role not in self.roles:
            raise ValueError(f"{self.source} holds no trials of the {role}")


def read_trials(
    path: str | Path, game: Game | str | Path, people: str | Path | None = None
) -> Trials:
    """Read and check a file of trials.

    Parameters
    ----------
    path : str or Path
        A text file with a header and cells between commas, semicolons, tabs or bars, or an Excel,
        Stata or Parquet file, see `trustbayes.files.parse_table`. If the game file has
        ``[rows] per = "player"``, a row is one player's. A sender's trials need the columns
        sender, round, state and message, a receiver's receiver, round, message and action; a file
        may hold one role only.
        Optional: treatment (without it there is one: in a finite game "all", in a game on a line
        its only one), in a finite game bias (without it, that of the
        treatment in the game), group. The game's layout may give columns other names.
    game : Game, str or Path
        The game, or its file.
    people : str or Path, optional
        A CSV file with what formulas of models may name, see
        `trustbayes.trials.people.people_columns`: a row for each subject.

    Returns
    -------
    Trials

    Raises
    ------
    InputError
        Listing every fault with row (line of the file, the header being line 1), column, value
        and what was expected.

    Examples
    --------
    >>> trials = read_trials("pairs.csv", "data/games/ioannidis-2024.toml")  # doctest: +SKIP
    >>> trials.fold("sender").counts.shape  # doctest: +SKIP
    (256, 5, 5)
    """
    game = read_game(game) if isinstance(game, str | Path) else game
    file = parse_table(read_bytes(path, "a file of trials"), Path(path).name)
    trials = _from_table(file, game)
    if people is None:
        return trials
    columns, notes = people_columns(people, trials.table, trials.roles)
    table = pd.concat([trials.table, columns], axis=1)
    return replace(trials, table=table, notes=trials.notes + notes)


def trials_from_frame(
    frame: pd.DataFrame, game: Game | str | Path, source: str = "data frame"
) -> Trials:
    """Check trials that are already in memory.

    Parameters
    ----------
    frame : DataFrame
        Laid out as a file for `read_trials`; its index is ignored.
    game : Game, str or Path
        The game, or its file.
    source : str
        What to call the trials in messages.

    Returns
    -------
    Trials
        As if the frame had been written to a CSV file and read: rows are counted as its lines.

    Raises
    ------
    InputError
        As `read_trials`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("s1", 1, 0.5, 1, 2), ("s1", 2, 0.5, 2, 2), ("s2", 1, 0.5, 2, 2)]
    >>> frame = pd.DataFrame(rows, columns=["sender", "round", "bias", "state", "message"])
    >>> from trustbayes.games import FiniteGame
    >>> cells = trials_from_frame(frame, FiniteGame(states=[1, 2])).fold("sender")
    >>> cells.counts[0].tolist()
    [[0, 1], [0, 1]]
    """
    game = read_game(game) if isinstance(game, str | Path) else game
    return _from_table(parse_csv(frame.to_csv(index=False).encode(), source), game)


def _from_table(file: TextTable, game: Game) -> Trials:
    layout, exclusions = game.layout, tuple[Exclusion, ...]()
    players, said = False, ""
    if layout.rows.per == "player":
        rows = player_rows(file, game)
        if rows is None:
            there = {k: v for k, v in layout.exclude.items() if k in file.frame}
            layout = Layout(exclude=there)
            said = f"{file.source} has one row per interaction and columns of the standard names."
        else:
            rows, exclusions = exclude_rows(_with_joined(rows, layout), layout)
            made = of_players(rows, game)
            file, layout, players = made.file, made.layout, True
            exclusions += made.exclusions
    else:
        file = _with_joined(file, layout)
    columns, roles, notes = standard_columns(file, game, layout)
    lacking = [name for name in layout.exclude if name not in file.frame]
    kept, more = exclude_rows(file, layout, lacking)
    if players and len(roles) == 1:
        kept, idle = _of_role(kept, columns[roles[0]])
        notes += idle
    standard = check_trials(kept, columns, roles, game, game.layout.rows.per == "player")
    asked = () if game.feedback is None else game.feedback.columns  # by the names of the file
    used = {column for name, column in columns.items() if column not in asked or column == name}
    table, others = _with_other_columns(standard, kept, used)
    return Trials(
        table=table,
        game=game,
        roles=roles,
        exclusions=exclusions + more,
        source=file.source,
        checksum=_checksum(table),
        warnings=tuple(_warnings(standard, roles)),
        notes=(*file.notes, *[said] * bool(said), *notes, *others),
    )


def _with_joined(file: TextTable, layout: Layout) -> TextTable:
    """Add columns that are made of several, unless the file has them already."""
    frame = file.frame
    for name, parts in layout.joined.items():
        if name not in frame and all(part in frame for part in parts):
            cells = [
                ", ".join(cell or "–" for cell in row)
                for row in frame[list(parts)].to_numpy().tolist()
            ]
            frame = frame.assign(**{name: pd.Series(cells, index=frame.index, dtype="str")})
    return replace(file, frame=frame)


def _of_role(file: TextTable, column: str) -> tuple[TextTable, tuple[str, ...]]:
    """The rows in which a role is; those of the other, whose columns are not complete, are not."""
    there = file.frame[column] != ""
    if there.all():
        return file, ()
    note = f"{file.source} has {int((~there).sum())} rows of the other role, passed over."
    return replace(file, frame=file.frame[there]), (note,)


def _checksum(table: pd.DataFrame) -> str:
    """SHA-256 of what a table holds, however its file wrote it."""
    columns = {str(name): table[name].tolist() for name in table}
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _with_other_columns(
    standard: pd.DataFrame, kept: TextTable, used: set[str]
) -> tuple[pd.DataFrame, list[str]]:
    table, notes = standard.copy(), []
    for name in kept.frame.columns:
        if name not in used:
            label = f"{name} (file)" if name in standard else name
            table[label], note, _ = typed(kept.frame[name], f"{kept.source}, column {name}")
            notes += [note] * bool(note)
    return table, notes


def _warnings(table: pd.DataFrame, roles: Sequence[Role]) -> list[str]:
    sentences = []
    for role in roles:
        trials = table[role][table[role] != ""].value_counts()
        if (trials == 1).all():
            sentences.append(
                f"Every {role} has exactly one trial: estimates for single {role}s then come "
                "from the population."
            )
        if len(trials) == 1:
            sentences.append(
                f"There is only one {role}: nothing can be said about differences among {role}s."
            )
    return sentences
