"""An experiment played anew by its people: news of later rounds is what they do in earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.models.draws import Draws
from trustbayes.models.replications import draw_types
from trustbayes.simulation.in_turn import Player, play_rounds, put_placeholders, units_at
from trustbayes.trials.columns import SEEN_AND_CHOSEN
from trustbayes.trials.table import Trials

__all__ = ["played_freely"]

_IN_TURN: tuple[Role, ...] = ("sender", "receiver")
_WORK = 2_000_000  # rows that are looked at, round after round
_LEAST, _MOST = 4, 100
_DRAW = "replication"


def played_freely(
    fits: Mapping[Role, Fit], trials: Trials, draws: int | None = None, seed: int = 1
) -> list[Trials]:
    """Let the people of two fits play their experiment from its first round on.

    Who meets whom, in which treatment and state, is as it was; messages, actions and with them
    news are what the people do, each with the parameters of a draw of the posterior.

    Parameters
    ----------
    fits : mapping of role to Fit
        Of senders and of receivers.
    trials : Trials
        Those that they were fitted to.
    draws : int, optional
        How often; default: from 4 to 100 times, as often as takes about as long in any experiment.
    seed : int

    Returns
    -------
    list of Trials
        The same experiment, once for each draw.

    Raises
    ------
    InputError
        If the fit of a role is missing.

    Examples
    --------
    >>> [one] = played_freely(fits, trials, draws=1)  # doctest: +SKIP
    """
    if missing := [role for role in _IN_TURN if role not in fits]:
        expected = f"also a fit of the {missing[0]}s: they play with each other"
        raise InputError(Fault("free running, fits", ", ".join(fits), expected))
    needed = ["sender", "receiver", "state", *(SEEN_AND_CHOSEN[role][1] for role in fits)]
    whole = trials.table
    design = whole[
        whole[needed].notna().all(axis=1) & (whole[["sender", "receiver"]] != "").all(axis=1)
    ]
    if draws is None:
        work = len(design) * design["round"].nunique()
        draws = int(np.clip(_WORK // max(work, 1), _LEAST, _MOST))
    draws = min(draws, *(fit.draws(draws).size for fit in fits.values()))
    copies = [design.assign(**{_DRAW: number}) for number in range(draws)]
    table = pd.concat(copies, ignore_index=True)
    width = len(str(draws))
    for role in fits:
        table[role] = table[_DRAW].astype(str).str.zfill(width) + " " + table[role]
    put_placeholders(table, trials.game, list(fits))
    treatments = {
        name: tuple(np.unique(table.loc[table["treatment"] == name, "bias"]).tolist())
        if "bias" in table
        else ()
        for name in trials.treatments
        if (table["treatment"] == name).any()
    }
    players = [
        _player(fits[role], draws, table, treatments, np.random.default_rng([seed, at]))
        for at, role in enumerate(_IN_TURN)
    ]
    play_rounds(players, table)
    for role in fits:
        table[role] = table[role].str[width + 1 :]
    parts = (rows.drop(columns=_DRAW) for _, rows in table.groupby(_DRAW, sort=True))
    return [replace(trials, table=part.reset_index(drop=True), whole=None) for part in parts]


def _player(
    fit: Fit,
    draws: int,
    table: pd.DataFrame,
    treatments: Mapping[str, tuple[float, ...]],
    rng: np.random.Generator,
) -> Player:
    """Everybody of a role in all draws, each draw's people side by side."""
    model, some = fit.model, fit.draws(draws)
    units = units_at(model, fit.game, table, treatments)
    people = len(units.subjects) // draws
    names = [name.partition(" ")[2] for name in units.subjects[:people]]
    at = pd.Index(some.units.subjects).get_indexer(pd.Index(names))
    of_treatment = pd.Index(some.units.treatments).get_indexer(pd.Index(units.treatments))
    data = {}
    for parameter in model.parameters:
        if parameter.support == "simplex":
            continue
        values = some.data[parameter.name]
        if "treatment" in values.dims:
            values = values.isel(treatment=of_treatment)
        if "subject" in values.dims:
            values = values.isel(subject=at)
        else:
            values = values.expand_dims(subject=people)
        values = values.transpose("sample", "subject", ...)
        flat = values.to_numpy().reshape(1, draws * people, *values.shape[2:])
        data[parameter.name] = (values.dims, flat)
    types = draw_types(some, rng)
    kinds = None if types is None else types[:, at].reshape(-1)
    return Player(treatments, Draws(model, fit.game, units, xr.Dataset(data)), kinds, rng)
