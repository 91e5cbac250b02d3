"""Simulated experiments: trials whose subjects' parameters are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.files import numbers, parse_csv, read_bytes
from trustbayes.games import Game
from trustbayes.models import Model
from trustbayes.models.draws import Draws
from trustbayes.numerics.plain import as_plain, is_whole
from trustbayes.simulation.in_turn import add_partners, first_draw, play_in_turn
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.same_people import (
    BOTH,
    OF_PLAYERS,
    check_same_people,
    correlated,
    met_by,
)
from trustbayes.trials.columns import SEEN_AND_CHOSEN
from trustbayes.trials.rules import rules_of

__all__ = ["Simulation", "read_parameters", "simulate"]

_COLUMNS = ["role", "subject", "model", "parameter", "treatment", "value"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated experiment.

    Parameters
    ----------
    trials : DataFrame
        A row per pair and round, laid out as `trustbayes.trials.table.read_trials` and
        `trials_from_frame` expect of the game: the standard column names, or the game's own.
    parameters : DataFrame
        Everything that was drawn, a row per value: role, subject ("" for what all subjects
        share), model, parameter, treatment ("" where it is the same in all) and value.
        Parameters of subjects are on the natural standardised scale; ``level`` is the type,
        or ``type[name]`` is 1 for the type of a subject of the mixture.
        Arguments of the population that were drawn too are called ``parameter_argument``; a
        parameter with one value for each option has names such as ``habit[3]``.
    game : Game
        The game played; where the same people play both roles, with a layout that allows for it.
    """

    trials: pd.DataFrame
    parameters: pd.DataFrame
    game: Game

    def without_senders(self) -> Simulation:
        """The receivers' side alone: what they saw and did, and their parameters."""
        named = self.game.layout.columns
        columns = [named.get(name, name) for name in ("sender", "state")]
        columns = [name for name in columns if name in self.trials]
        of_receivers = self.parameters["role"] == "receiver"
        return replace(
            self,
            trials=self.trials.drop(columns=columns),
            parameters=self.parameters[of_receivers].reset_index(drop=True),
        )


def read_parameters(path: str | Path) -> pd.DataFrame:
    """Read a file of true parameters, as written from `Simulation.parameters`.

    Parameters
    ----------
    path : str or Path
        A CSV file with the columns role, subject, model, parameter, treatment and value.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        Listing everything that is wrong with the file.

    Examples
    --------
    >>> from trustbayes.trials.datasets import bundled
    >>> read_parameters(bundled().parameters)["parameter"].iloc[0]
    'response_noise'
    """
    file = parse_csv(read_bytes(path, "a CSV file of true parameters"), Path(path).name)
    missing = [name for name in _COLUMNS if name not in file.frame]
    if missing:
        expected = f"the columns {listing(missing)}; there are: {listing(file.frame.columns)}"
        raise InputError(Fault(f"{file.source}, row 1", "", expected))
    values = numbers(file.frame["value"])
    bad = values.index[values.isna()]
    if faults := [*file.faults, *(file.fault(row, "value", "a number") for row in bad)]:
        raise InputError(faults)
    return file.frame[_COLUMNS].assign(value=values).reset_index(drop=True)


def simulate(
    game: Game,
    *,
    sender: Model | None,
    receiver: Model | None,
    subjects: int,
    rounds: int,
    seed: int,
    treatments: Mapping[str, float | Sequence[float]] | Sequence[str] | None = None,
    between: bool = False,
    people: pd.DataFrame | None = None,
    correlation: float | None = None,
) -> Simulation:
    """Play an experiment with subjects who behave as the models say.

    All parameters are one draw from the models' priors: with numbers as arguments a prior states
    the population; where an argument is itself a prior, the population is drawn too. Senders
    and receivers keep their roles and are matched anew at random in every round, or once for all
    where the game says that partners are fixed. People who learn do so round by round. Every
    subject plays every treatment, in consecutive blocks of rounds of (nearly) equal length; or,
    between subjects, a (nearly) equal number of pairs plays each treatment throughout. In a
    treatment with several biases each pair's bias is drawn evenly among them. Forecasts, reports
    and capacities have two decimals, answers on an interval are whole steps of the game's, but
    where they are at an end of their range.

    Parameters
    ----------
    game : Game
    sender, receiver : Model or None
        Who plays. Without a receiver there are no actions; receivers need a sender's messages, but
        where recommendations come from the game there are no senders.
    subjects : int
        Number of senders, and of receivers.
    rounds : int
        At least one for each treatment that a subject plays.
    seed : int
        The same seed gives the same experiment; senders do not depend on the receivers, nor do
        their messages but where senders learn.
    treatments : mapping of str to float or sequence of float, or sequence of str, optional
        Name to bias or biases, in the order in which they are played; where the
        game has one for each, and for forecast sharing, the names alone. Default: the game's.
    between : bool
        Whether every subject plays one treatment only.
    people : DataFrame, optional
        What formulas of the models name: a row per sender and receiver of the same number, in
        columns such as ``sender_age`` and ``receiver_age``, which become columns of the trials;
        and ``group``, the matching group of both, within which they are matched.
    correlation : float, optional
        The same people play both roles, each sending once and receiving once in every round, and
        their lying aversion and trust have this correlation on the scales of the links. Default:
        senders and receivers are other people.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        If a number is too small, there is no sender, or the treatments are not the game's; with a
        correlation, if people learn, or lying aversion or trust has no population that is normal
        on the scale of its link.

    Examples
    --------
    >>> from trustbayes.games import FiniteGame
    >>> from trustbayes.models import FullTrust
    >>> game = FiniteGame(states=[1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
    >>> sender, receiver = FullTrust("sender"), FullTrust("receiver")
    >>> played = simulate(game, sender=sender, receiver=receiver, subjects=4, rounds=6, seed=1)
    >>> played.trials.shape
    (24, 8)
    """
    of_treatment = _treatments(game, treatments)
    if sender is None and "sender" in game.roles:
        raise InputError(Fault("simulation, sender", "", "a model of senders: messages are theirs"))
    if sender is None and receiver is None:
        raise InputError(Fault("simulation, receiver", "", "a model of receivers: only they play"))
    _check_models(game, sender, receiver)
    _check_numbers(subjects, rounds, seed, len(of_treatment), between)
    _check_people(people, subjects)
    if correlation is not None:
        check_same_people(sender, receiver, correlation)
    # One stream for the experiment and one for each role.
    design, *streams = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    table = pd.DataFrame({"round": np.repeat(np.arange(1, rounds + 1), subjects)})
    senders, receivers = (
        _labels(letter if correlation is None else "p", subjects) for letter in "sr"
    )
    table["sender"] = np.tile(senders, rounds)
    names, count = np.array(list(of_treatment)), len(of_treatment)
    if between:
        at = np.arange(subjects) * count // subjects
        table["treatment"] = np.tile(names[at], rounds)
    else:
        at = np.zeros(subjects, dtype=int)  # all may meet
        table["treatment"] = np.repeat(names[np.arange(rounds) * count // rounds], subjects)
    kind_of(game).add_states(table, game, of_treatment, design)
    fixed = game.feedback is not None and game.feedback.partners == "fixed"
    matches = np.tile(receivers, (1 if fixed else rounds, 1))
    if people is not None and "group" in people:
        at = pd.factorize(pd.MultiIndex.from_arrays([at, people["group"]]))[0]
    if correlation is None:
        for group in np.unique(at):
            matches[:, at == group] = design.permuted(matches[:, at == group], axis=1)
    else:
        matches = met_by(receivers, at, len(matches), design)
    table["receiver"] = np.tile(matches.reshape(-1), rounds if fixed else 1)
    add_partners(table, game)
    number = pd.Index(receivers).get_indexer(pd.Index(table["receiver"]))
    for name, column in () if people is None else people.items():
        values, of_receivers = column.to_numpy(), str(name).startswith("receiver_")
        table[str(name)] = values[number] if of_receivers else np.tile(values, rounds)
    parts = []
    playing = {"sender": sender, "receiver": receiver}
    table = table.drop(columns=[role for role, model in playing.items() if model is None])
    streams_of = dict(zip(playing, streams, strict=True))
    models = [model for model in playing.values() if model is not None]
    if any(model.learns for model in models):
        drawn = [streams_of[model.role] for model in models]
        played = play_in_turn(models, game, table, of_treatment, drawn)
        parts = [_parameters(*each) for each in played]
        models = []
    first: Draws | None = None
    for model in models:
        rng, kind = streams_of[model.role], kind_of(game)
        units = kind.units_of(model.role, game, table, of_treatment)
        draws, kinds = first_draw(model, game, units, rng)
        if correlation is not None and first is not None:
            draws = correlated(first, draws, correlation)
        first = draws
        _, choice = SEEN_AND_CHOSEN[model.role]
        table[choice] = kind.choose(draws, table, kinds, rng)
        parts.append(_parameters(draws, kinds))
    if correlation is not None:
        both = " and ".join(model.name for model in models)
        row = [BOTH, "", both, "correlation", "", correlation]
        parts.append(pd.DataFrame([row], columns=_COLUMNS))
        if game.layout.rows.per != "player":
            game = game.laid_out(OF_PLAYERS)
    return Simulation(_laid_out(table, game), pd.concat(parts, ignore_index=True), game)


def _parameters(draws: Draws, kinds: np.ndarray | None) -> pd.DataFrame:
    """One draw as a table, without the sampler's helper variables and treatments not played."""
    units, model = draws.units, draws.model
    common = {"role": model.role, "model": model.name, "subject": "", "treatment": ""}
    met = {
        (units.subjects[s], units.treatments[t])
        for s, t in zip(units.unit_subject, units.unit_treatment, strict=True)
    }
    parts = []
    for name, values in draws.data.isel(sample=0).items():
        if str(name).endswith(("_own", "_offset")):
            continue
        index = values.to_series().reset_index(drop=False) if values.dims else pd.DataFrame([{}])
        label: str | pd.Series = str(name)
        for option in set(values.dims) - {"subject", "treatment"}:
            label = label + "[" + index[option].astype(str) + "]"
        coordinates = {dim: index[dim] for dim in ("subject", "treatment") if dim in values.dims}
        parameter_values = {"parameter": label, "value": values.to_numpy().reshape(-1)}
        part = pd.DataFrame(common | coordinates | parameter_values, columns=_COLUMNS)
        if {"subject", "treatment"} <= set(coordinates):
            part = part[[pair in met for pair in zip(*coordinates.values(), strict=True)]]
        parts.append(part)
    if kinds is not None:
        people: dict[str, Any] = {"subject": units.subjects}
        if all(label.isdigit() for label in model.types):
            people |= {"parameter": "level", "value": np.array(model.types, float)[kinds]}
        else:  # which of the types, in words
            people |= {"parameter": [f"type[{model.types[k]}]" for k in kinds], "value": 1.0}
        parts.append(pd.DataFrame(common | people, columns=_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _laid_out(table: pd.DataFrame, game: Game) -> pd.DataFrame:
    """The columns in order, whole numbers as such, under the names that the game's files use."""
    order = [name for name in game.trial_columns if name != "group"]
    table = table[
        [*(name for name in order if name in table), *(name for name in table if name not in order)]
    ]
    for name in rules_of(game).numbers:
        if name in table and (table[name] % 1 == 0).all():
            table = table.assign(**{name: table[name].astype(int)})
    if game.layout.rows.per == "player":
        return table  # read as interactions, by the standard names
    if "group" in game.layout.columns and "group" not in table:
        table = table.assign(group="all")
    table = table.rename(columns=dict(game.layout.columns))
    unused = {name: "" for name in game.layout.exclude if name not in table}
    return table.assign(**unused)


def _treatments(
    game: Game, given: Mapping[str, float | Sequence[float]] | Sequence[str] | None
) -> dict[str, tuple[float, ...]]:
    """Names of the treatments to play, with their biases in a finite game."""
    chosen: Any = game.treatments if given is None else given
    if not chosen:
        raise InputError(Fault("simulation, treatments", "", "treatments, the game having none"))
    listed = kind_of(game).biases_of(chosen)
    known: Any = listed if game.treatments is None else game.treatments
    faults = []
    for name, biases in listed.items():
        if name not in known:
            faults.append(Fault("simulation, treatments", name, suggestion(name, list(known))))
        elif biases and not set(biases) <= set(known[name]):
            expected = f"biases of the game's treatment {name}: {listing(known[name])}"
            faults.append(Fault("simulation, treatments", listing(biases), expected))
    if faults:
        raise InputError(faults)
    return listed


def _check_models(game: Game, sender: Model | None, receiver: Model | None) -> None:
    faults = []
    for role, model in (("sender", sender), ("receiver", receiver)):
        if model is None:
            continue
        if model.role != role:
            given, expected = f"a model of {model.role}s", f"a model of {role}s"
            faults.append(Fault(f"simulation, {role}", given, expected))
        if model.spec.kind != game.kind:
            given, expected = f"a model of the {model.spec.kind} game", f"one of {game.kind}"
            faults.append(Fault(f"simulation, {role}", given, expected))
    if faults:
        raise InputError(faults)


def _check_numbers(subjects: int, rounds: int, seed: int, treatments: int, between: bool) -> None:
    each = ", one for each treatment" if treatments > 1 else ""
    pairs = ", two for each treatment" if treatments > 1 else ""
    faults = [
        Fault(f"simulation, {name}", str(value), f"a whole number from {least}{why}")
        for name, value, least, why in (
            ("subjects", subjects, 2 * treatments if between else 2, pairs if between else ""),
            ("rounds", rounds, 1 if between else treatments, "" if between else each),
            ("seed", seed, 0, ""),
        )
        if not is_whole(as_plain(value)) or value < least
    ]
    if faults:
        raise InputError(faults)


def _check_people(people: pd.DataFrame | None, subjects: int) -> None:
    if people is None:
        return
    faults = []
    if len(people) != subjects:
        faults.append(Fault("simulation, people", f"{len(people)} rows", f"{subjects}"))
    for name in map(str, people):
        if name != "group" and not name.startswith(("sender_", "receiver_")):
            expected = "columns named group, sender_... or receiver_..."
            faults.append(Fault("simulation, people", name, expected))
    if faults:
        raise InputError(faults)


def _labels(letter: str, count: int) -> np.ndarray:
    width = max(2, len(str(count)))
    return np.array([f"{letter}{i:0{width}d}" for i in range(1, count + 1)])
