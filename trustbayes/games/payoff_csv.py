"""Payoff tables from CSV files in long form: one row per combination of what payoffs know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.files import TextTable, numbers, parse_csv, read_bytes
from trustbayes.games.payoffs import PayoffTable

__all__ = ["EVERY", "Axes", "read_payoff_tables"]

_SAME = 1e-9

EVERY = ""
"""Instead of a treatment's name: payoffs that are those of every treatment."""


@dataclass(frozen=True)
class Axes:
    """What payoff tables must cover.

    Parameters
    ----------
    states, messages, actions : sequence of float
    treatments : sequence of str
        Those of the game file.
    labels : sequence of str, optional
        Names of the actions, which files may have instead of their numbers.
    """

    states: Sequence[float]
    messages: Sequence[float]
    actions: Sequence[float]
    treatments: Sequence[str] = ()
    labels: Sequence[str] = field(default=())

    @property
    def listed(self) -> dict[str, np.ndarray]:
        """The values of each axis, in the order of the tables' axes."""
        return {
            "state": np.asarray(self.states, float),
            "message": np.asarray(self.messages, float),
            "action": np.asarray(self.actions, float),
        }


_Tables = dict[str, dict[float | None, np.ndarray]]
"""By treatment, then by bias (None where one serves all), of shape (states, messages, actions)."""


def read_payoff_tables(
    sender: str | Path, receiver: str | Path, axes: Axes
) -> dict[str, PayoffTable]:
    """Read the payoffs of a finite game from two CSV files.

    Parameters
    ----------
    sender, receiver : str or Path
        Files with the column payoff and any of state, message, action and treatment; payoffs do
        not depend on what has no column. The sender's may have bias, too, which then gives one
        table per bias.
    axes : Axes
        What the tables must cover, every combination exactly once.

    Returns
    -------
    dict of str to PayoffTable
        By treatment; under `EVERY` alone if no file has a column treatment. The tables have an axis
        of messages only if one makes a difference.

    Raises
    ------
    InputError
        Listing everything that is wrong with the two files.
    """
    faults: list[Fault] = []
    both: list[_Tables] = []
    for path, optional in ((sender, ["bias"]), (receiver, [])):
        try:
            content = read_bytes(path, "a CSV file of payoffs")
            table = parse_csv(content, Path(path).name)
            both.append(_File(table, optional, axes, faults).tables())
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    names = [EVERY] if all(EVERY in tables for tables in both) else list(axes.treatments)
    arrays = [array for tables in both for group in tables.values() for array in group.values()]
    by_message = any((array != array[:, :1]).any() for array in arrays)
    return {name: _payoff_table(both, name, axes, by_message) for name in names}


def _payoff_table(both: list[_Tables], name: str, axes: Axes, by_message: bool) -> PayoffTable:
    of_sender, of_receiver = (
        {
            bias: array if by_message else array[:, 0]
            for bias, array in tables.get(name, tables.get(EVERY, {})).items()
        }
        for tables in both
    )
    every = of_sender.pop(None, None)
    return PayoffTable(
        states=tuple(map(float, axes.states)),
        actions=tuple(map(float, axes.actions)),
        sender_tables={b: t for b, t in of_sender.items() if b is not None}
        if every is None
        else every,
        receiver_table=of_receiver[None],
        messages=tuple(map(float, axes.messages)) if by_message else None,
    )


class _File:
    """One file of payoffs, as its faults are found."""

    def __init__(
        self, table: TextTable, optional: list[str], axes: Axes, faults: list[Fault]
    ) -> None:
        self.table, self.axes, self.faults = table, axes, faults
        self.faults.extend(table.faults)
        self.columns = _check_columns(table, ["state", "message", "action", "treatment", *optional])
        self.over = [name for name in axes.listed if name in self.columns]
        """The axes that the file speaks of."""

    def tables(self) -> _Tables:
        """One array per treatment and bias, of which there may be one for all."""
        values, positions = self._cells()
        keys = pd.concat([values[["treatment", "bias"]], positions], axis=1)
        every = " and ".join(filter(None, [", ".join(self.over[:-1]), *self.over[-1:]]))
        named = [n for n in ("treatment", "state", "message", "action") if n in self.columns]
        for row in keys.index[keys.duplicated()]:
            cells = ", ".join(f"{name} {self.table.cell(row, name)}" for name in named)
            place = f"{self.table.source}, row {row}"
            self.faults.append(Fault(place, f"{cells} again", f"every {every or 'payoff'} once"))
        result: _Tables = {}
        for group, rows in values.groupby(["treatment", "bias"]):
            treatment, bias = str(group[0]), float(np.asarray(group[1], float))
            array = self._filled(rows, positions, treatment, bias)
            of_bias = bias if "bias" in self.columns else None
            result.setdefault(treatment, {})[of_bias] = array
        if not result:
            expected = f"a payoff for every {every or 'game'}, but there are none"
            self.faults.append(Fault(self.table.source, "", expected))
        elif "treatment" in self.columns:
            self.faults += [
                Fault(self.table.source, "", f"rows for treatment {name}")
                for name in self.axes.treatments
                if name not in result
            ]
        return result

    def _cells(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Payoffs, treatments and biases of good rows, and positions along the axes."""
        frame, listed = self.table.frame, self.axes.listed
        names = [*self.over, "payoff", *(["bias"] if "bias" in self.columns else [])]
        values = pd.DataFrame({name: self._numbers(name) for name in names})
        positions = pd.DataFrame(index=values.index)
        if "treatment" in self.columns:
            values["treatment"] = frame["treatment"]
            good = values["treatment"].isin(list(self.axes.treatments))
            known = listing(self.axes.treatments) or "none"
            self._bad(values.index[~good], "treatment", f"one of the game's treatments: {known}")
            values = values[good]
            positions = positions.loc[values.index]
        for name in names:
            good = values[name].notna()
            expected = "a number"
            if name in listed:
                distance = np.abs(values[name].to_numpy()[:, None] - listed[name])
                distance = np.where(np.isnan(distance), np.inf, distance)
                positions[name] = distance.argmin(axis=1)
                good &= distance.min(axis=1) <= _SAME
                expected = f"one of the game's {name}s"
            self._bad(values.index[~good], name, expected)
            values = values[good]
            positions = positions.loc[values.index]
        for name, default in (("treatment", EVERY), ("bias", 0.0)):
            if name not in self.columns:
                values = values.assign(**{name: default})
        return values, positions

    def _numbers(self, name: str) -> pd.Series:
        cells = self.table.frame[name]
        parsed = numbers(cells)
        if name == "action" and self.axes.labels:
            named = dict(zip(self.axes.labels, self.axes.actions, strict=True))
            parsed = cells.map(named).astype(float).fillna(parsed)
        return parsed

    def _bad(self, rows: pd.Index, name: str, expected: str) -> None:
        self.faults.extend(self.table.fault(row, name, expected) for row in rows)

    def _filled(
        self, rows: pd.DataFrame, positions: pd.DataFrame, treatment: str, bias: float
    ) -> np.ndarray:
        listed = self.axes.listed
        shape = tuple(listed[name].size if name in self.over else 1 for name in listed)
        filled = np.full(shape, np.nan)
        at = positions.loc[rows.index]
        index = tuple(at[n].to_numpy() if n in self.over else 0 for n in listed)
        filled[index] = rows["payoff"].to_numpy()
        where = f", treatment {treatment}" if "treatment" in self.columns else ""
        where += f", bias {listing([bias])}" if "bias" in self.columns else ""
        for place in np.argwhere(np.isnan(filled)):
            cells = dict(zip(listed, place, strict=True))
            named = listing([listed[name][cells[name]] for name in self.over])
            missing = f"a row for {', '.join(self.over)} {named}{where}"
            self.faults.append(Fault(self.table.source, "", missing))
        full = tuple(values.size for values in listed.values())
        return np.broadcast_to(filled, full).copy()


def _check_columns(table: TextTable, optional: list[str]) -> list[str]:
    present = list(table.frame.columns)
    place = f"{table.source}, row 1"
    faults = [
        Fault(f"{place}, column {name}", name, suggestion(name, ["payoff", *optional]))
        for name in present
        if name not in ["payoff", *optional]
    ]
    if "payoff" not in present:
        faults.append(Fault(place, "", "a column payoff"))
    if faults:
        raise InputError(faults)
    return present
