"""Payoff tables from CSV files in long form: one row per state and action."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.files import TextTable, numbers, parse_csv, read_bytes
from trustbayes.games.payoffs import PayoffTable

__all__ = ["read_payoff_table"]

_SAME = 1e-9


def read_payoff_table(
    sender: str | Path, receiver: str | Path, states: Sequence[float], actions: Sequence[float]
) -> PayoffTable:
    """Read the payoffs of a finite game from two CSV files.

    Parameters
    ----------
    sender, receiver : str or Path
        Files with the columns state, action, payoff; the sender's optionally with bias, which
        then gives one table per bias.
    states, actions : sequence of float
        What the tables must cover, every pair exactly once.

    Returns
    -------
    PayoffTable

    Raises
    ------
    InputError
        Listing everything that is wrong with the two files.
    """
    faults: list[Fault] = []
    tables: list[dict[float, np.ndarray] | np.ndarray] = []
    for path, optional in ((sender, ["bias"]), (receiver, [])):
        try:
            content = read_bytes(path, "a CSV file of payoffs")
            table = parse_csv(content, Path(path).name)
            tables.append(_long_to_tables(table, optional, states, actions, faults))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    return PayoffTable(
        states=tuple(map(float, states)),
        actions=tuple(map(float, actions)),
        sender_tables=tables[0],
        receiver_table=np.asarray(tables[1]),
    )


def _long_to_tables(
    table: TextTable,
    optional: list[str],
    states: Sequence[float],
    actions: Sequence[float],
    faults: list[Fault],
) -> dict[float, np.ndarray] | np.ndarray:
    """One (states, actions) array per bias, or one for all if there is no bias column."""
    faults.extend(table.faults)
    needed = ["state", "action", "payoff"]
    columns = _check_columns(table, needed, optional)
    values = pd.DataFrame({name: numbers(table.frame[name]) for name in columns})
    listed = {"state": np.asarray(states, float), "action": np.asarray(actions, float)}
    positions = pd.DataFrame(index=values.index)
    for name in columns:
        good = values[name].notna()
        expected = "a number"
        if name in listed:
            distance = np.abs(values[name].to_numpy()[:, None] - listed[name])
            positions[name] = distance.argmin(axis=1)
            good &= distance.min(axis=1) <= _SAME
            expected = f"one of the game's {name}s"
        faults.extend(table.fault(row, name, expected) for row in values.index[~good])
        values = values[good]
        positions = positions.loc[values.index]
    if "bias" not in columns:
        values["bias"] = 0.0
    keys = pd.concat([values["bias"], positions], axis=1)
    for row in keys.index[keys.duplicated()]:
        state, action = (table.cell(row, name) for name in ("state", "action"))
        place, again = f"{table.source}, row {row}", f"state {state}, action {action} again"
        faults.append(Fault(place, again, "every state and action once"))
    result: dict[float, np.ndarray] = {}
    for bias in sorted(set(values["bias"])):
        rows = values[values["bias"] == bias]
        filled = np.full((len(states), len(actions)), np.nan)
        at = positions.loc[rows.index]
        filled[at["state"], at["action"]] = rows["payoff"]
        of_bias = f", bias {listing([bias])}" if "bias" in columns else ""
        for i, j in zip(*np.nonzero(np.isnan(filled)), strict=True):
            missing = f"a row for state, action {listing([states[i], actions[j]])}{of_bias}"
            faults.append(Fault(table.source, "", missing))
        result[bias] = filled
    if not result:
        expected = "a payoff for every state and action, but there are none"
        faults.append(Fault(table.source, "", expected))
    return result if "bias" in columns else result.get(0.0, np.empty(0))


def _check_columns(table: TextTable, needed: list[str], optional: list[str]) -> list[str]:
    present = list(table.frame.columns)
    place = f"{table.source}, row 1"
    faults = [
        Fault(f"{place}, column {name}", name, suggestion(name, needed + optional))
        for name in present
        if name not in needed + optional
    ]
    faults += [Fault(place, "", f"a column {name}") for name in needed if name not in present]
    if faults:
        raise InputError(faults)
    return [*needed, *(name for name in optional if name in present)]
