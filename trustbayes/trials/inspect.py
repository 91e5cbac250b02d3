"""A table without its game: what can be seen in it, and a draft of a game file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from trustbayes.files import MISSING, TextTable, natural_order, numbers, parse_table, read_bytes
from trustbayes.games import FiniteGame
from trustbayes.trials.check import nearly_named
from trustbayes.trials.columns import STANDARD
from trustbayes.trials.unfold import ROUND, apps_side_by_side, unfolded

__all__ = ["Column", "Inspection", "inspect_table"]

_WORDS: dict[str, tuple[str, ...]] = {
    "person": ("participant.code", "participant", "person", "subject", "player", "who", "pid"),
    "pair": ("pair", "group.id", "group.id_in_subsession", "match", "matchid"),
    "role": ("role", "player.role", "type"),
    "sender": ("sender", "senderid", "adviser", "advisor"),
    "receiver": ("receiver", "receiverid", "recipient", "client"),
    "round": ("round", "period", "trial", ROUND),
    "treatment": ("treatment", "condition", "session.config.treatment"),
    "bias": ("bias", "b"),
    "group": ("group", "matchinggroup", "cohort", "session", "session.code"),
    "state": ("state", "truth", "signal", "drawn", "type"),
    "message": ("message", "report", "reported", "claim", "advice"),
    "action": ("action", "guess", "estimate", "choice", "decision", "challenge"),
}
"""How experimenters call what a game file must name."""

_MOST_TREATMENTS = 12

_BOTS = re.compile(r"(.*[._])?(is_?bot|is_?demo|practice|timeout|dropout)", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """What is in a column.

    Parameters
    ----------
    name : str
    filled, distinct : int
        Cells that are no missing value, and how many different ones there are.
    kind : str
        "numbers", "texts" or "empty".
    values : str
        The range of numbers, or the first values.
    candidate : tuple of str
        What the column could be, by its name: "sender", "state", ...
    """

    name: str
    filled: int
    distinct: int
    kind: str
    values: str
    candidate: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """What a table shows to somebody who does not know its game.

    Parameters
    ----------
    source : str
    rows : int
    per : "interaction", "player" or "unknown"
        What a row seems to be.
    columns : tuple of Column
    constants : tuple of str
        Columns with one value throughout.
    duplicated : tuple of int
        Lines that repeat an earlier row.
    sorted_by : tuple of str
        Columns by which the rows are in order.
    notes : tuple of str
        What was recognised in reading, and what can be asked only of the reader.
    draft : str
        A commented game file to be completed.
    """

    source: str
    rows: int
    per: str
    columns: tuple[Column, ...]
    constants: tuple[str, ...]
    duplicated: tuple[int, ...]
    sorted_by: tuple[str, ...]
    notes: tuple[str, ...]
    draft: str


def inspect_table(path: str | Path) -> Inspection:
    """Look at a table without a game file.

    Parameters
    ----------
    path : str or Path
        Of any format that `trustbayes.trials.table.read_trials` knows.

    Returns
    -------
    Inspection
        Guesses are made by the names of columns, and are marked as such.

    Raises
    ------
    InputError
        If the file is no table.
    """
    file = parse_table(read_bytes(path, "a table"), Path(path).name)
    notes = list(file.notes) + [str(fault) for fault in file.faults]
    apps = apps_side_by_side([str(name) for name in file.frame])
    if len(apps) == 1:
        file = unfolded(file, None, [])
        notes = list(file.notes) + [str(fault) for fault in file.faults]
    elif apps:
        notes.append(f"Rounds of several apps side by side: {', '.join(apps)}; [rows] app is one.")
    frame = file.frame
    columns = _with_near_names(tuple(_column(str(name), frame[name]) for name in frame))
    candidates = {word: [c.name for c in columns if word in c.candidate] for word in _WORDS}
    per = "unknown"
    if candidates["sender"] or candidates["receiver"]:
        per = "interaction"
    elif candidates["person"]:
        per = "player"
    repeated = frame.index[frame.duplicated()]
    ordered = tuple(str(n) for n in frame if len(frame) > 1 and _increasing(frame[n]))
    constants = tuple(c.name for c in columns if c.distinct == 1 and c.filled == len(frame) > 1)
    return Inspection(
        source=file.source,
        rows=len(frame),
        per=per,
        columns=columns,
        constants=constants,
        duplicated=tuple(int(line) for line in repeated),
        sorted_by=tuple(name for name in ordered if name not in constants),
        notes=tuple(notes),
        draft=_draft(file, per, candidates, columns),
    )


def _column(name: str, cells: pd.Series) -> Column:
    filled = cells[~cells.str.casefold().isin(MISSING)]
    values = numbers(filled)
    labels = natural_order(list(filled.unique()))
    if not len(filled):
        kind, shown = "empty", ""
    elif values.notna().all() and len(labels) > 8:
        kind, shown = "numbers", f"{values.min():.6g} to {values.max():.6g}"
    else:
        kind = "numbers" if values.notna().all() else "texts"
        short = [label if len(label) <= 20 else label[:17] + "..." for label in labels[:8]]
        shown = ", ".join(short) + (", ..." if len(labels) > 8 else "")
    return Column(name, len(filled), len(labels), kind, shown, _meanings(name))


def _meanings(name: str) -> tuple[str, ...]:
    """What a column of this name, or of the last part of it, could be."""
    last = name.rpartition(".")[2]
    exact = tuple(w for w, names in _WORDS.items() if _letters(name) in map(_letters, names))
    alike = tuple(w for w, names in _WORDS.items() if _letters(last) in map(_letters, names))
    return exact or alike


def _with_near_names(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Columns that are nearly named as one that no other is taken for: candidates, too."""
    lacking = [word for word in STANDARD if not any(word in c.candidate for c in columns)]
    near = nearly_named(lacking, [c.name for c in columns if not c.candidate])
    words = {name: word for word, name in near.items()}
    return tuple(replace(c, candidate=(words[c.name],)) if c.name in words else c for c in columns)


def _letters(name: str) -> str:
    return re.sub(r"[_\s]+", "", name).casefold()


def _increasing(cells: pd.Series) -> bool:
    values = numbers(cells)
    return bool(values.notna().all() and values.is_monotonic_increasing)


def _draft(
    file: TextTable, per: str, candidates: dict[str, list[str]], columns: tuple[Column, ...]
) -> str:
    """A game file: what was recognised filled in, what is not known is asked."""
    by_name = {column.name: column for column in columns}
    lines = [
        f"# Draft of a game file for {_text(file.source)}, made by `trustbayes inspect` from the",
        "# names of columns. Check every line, and complete what has a question mark.",
        'kind = "finite"',
    ]
    state = by_name[candidates["state"][0]] if candidates["state"] else None
    values: list[float] = []
    if state is not None:
        values = sorted(map(float, numbers(file.frame[state.name]).dropna().unique()))
    if state and state.kind == "numbers" and 1 < len(values) <= 101:
        lines.append(f"states = [{', '.join(f'{v:.12g}' for v in values)}]")
    else:
        lines.append("states = [1, 2, 3]  # ? the states that there are")
    lines += [
        "# messages = [...] and actions = [...], where they are not the states",
        *_other_choices(file.frame, candidates, values),
        "",
        "[payoffs]  # ? what was paid: 110 - 20 d^1.4 is only an example",
        'family = "power-loss"',
        "constant = 110",
        "scale = 20",
        "exponent = 1.4",
        "",
    ]
    if candidates["treatment"]:
        column, known = candidates["treatment"][0], _biases(file.frame, candidates)
        labels = [label for label in natural_order(list(file.frame[column].unique())) if label]
        asked = "" if known else "?"
        lines.append(f"[treatments]  # {asked or 'from the table:'} the bias of the sender in each")
        lines += [f"{_text(label)} = {known.get(label, '1')}" for label in labels[:50]]
        lines.append("")
    elif not candidates["bias"]:
        lines += [
            "[treatments]  # ? the bias of the sender; one line each, where there are several"
        ]
        lines += ["all = 1", ""]
    if per == "player":
        lines += ["[rows]", 'per = "player"', f"person = {_text(candidates['person'][0])}"]
        rounds, pairs = candidates["round"][:1], candidates["pair"][:1]
        if pairs:
            lines.append(f"pair = [{', '.join(map(_text, [*rounds, *pairs]))}]")
        else:
            lines.append("# pair = [...]  # ? columns that name an interaction; none: a computer")
        if candidates["role"]:
            labels = natural_order(list(file.frame[candidates["role"][0]].unique()))
            lines.append(f"role = {_text(candidates['role'][0])}")
            lines.append(f"# sender = ?, receiver = ?  among: {', '.join(map(_text, labels[:8]))}")
        lines.append("")
    lines.append("[columns]")
    for name in FiniteGame.trial_columns:
        if name in ("sender", "receiver") and per == "player":
            continue
        named = [n for n in candidates[name] if n not in candidates["role"][:1]]
        if named and named[0] != name:
            others = f"  # or: {', '.join(map(_text, named[1:]))}" if named[1:] else ""
            near = "" if name in _meanings(named[0]) else f"  # ? nearly {name!r}"
            lines.append(f"{name} = {_text(named[0])}{others or near}")
        elif not named and name not in ("group", "bias", "treatment"):
            lines.append(f'# {name} = "?"')
    if not candidates["treatment"] and (steady := _steady(file.frame, candidates, columns)):
        both = ", ".join(map(_text, steady))
        lines.append(f"# treatment = [{both}]  # ? each the same in all rows of a person")
    bots = [c for c in columns if _BOTS.fullmatch(c.name) and c.distinct > 1]
    if bots:
        lines += ["", "[exclude]  # ? rows that do not count"]
        lines += [f"# {_text(c.name)} = 1  # values: {_text(c.values)}" for c in bots]
    return "\n".join(lines) + "\n"


def _other_choices(
    frame: pd.DataFrame, candidates: dict[str, list[str]], states: list[float]
) -> list[str]:
    """Lines on messages and actions in whose columns other numbers stand than the states."""
    lines = []
    for name in ("message", "action"):
        if not candidates[name]:
            continue
        values = numbers(frame[candidates[name][0]]).dropna().unique()
        listed = ", ".join(f"{v:.12g}" for v in sorted(map(float, values)))
        if not set(values) <= set(states) and len(values) <= 101:
            lines.append(f"{name}s = [{listed}]  # ? those that there are")
        elif len(values) < len(states):
            lines.append(f"# {name}s = [{listed}]  # ? no others stand in the table")
    return lines


def _steady(
    frame: pd.DataFrame, candidates: dict[str, list[str]], columns: tuple[Column, ...]
) -> list[str]:
    """Columns that could be treatments: few values, each person having one of them."""
    people = candidates["person"] or candidates["sender"] or candidates["receiver"]
    if not people:
        return []
    unknown = [c.name for c in columns if not c.candidate and 1 < c.distinct <= _MOST_TREATMENTS]
    several = {n: frame.groupby(people[0])[n].nunique() for n in unknown}
    return [n for n in unknown if several[n].max() <= 1 and not _BOTS.fullmatch(n)]


def _biases(frame: pd.DataFrame, candidates: dict[str, list[str]]) -> dict[str, str]:
    """The bias of each treatment, where a column has one number for each; else nothing."""
    if not candidates["bias"]:
        return {}
    biases = {}
    for label, rows in frame.groupby(candidates["treatment"][0]):
        values = numbers(rows[candidates["bias"][0]])
        if values.isna().any() or values.min() < values.max():
            return {}
        biases[str(label)] = f"{values.iloc[0]:.12g}"
    return biases


def _text(value: str) -> str:
    """A text as TOML writes it, nothing in it being more than text."""
    return json.dumps(value).replace("\x7f", "\\u007f")
