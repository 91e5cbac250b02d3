"""Simulated experiments: trials whose subjects' parameters are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.cells import Cells
from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.games.finite import FiniteGame, Role
from trustbayes.models import Model
from trustbayes.models.evaluate import Draws, prior_draws
from trustbayes.textfile import natural_order, numbers, parse_csv, read_bytes

__all__ = ["Simulation", "read_parameters", "simulate"]

_COLUMNS = ["role", "subject", "model", "parameter", "treatment", "value"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated experiment.

    Parameters
    ----------
    trials : DataFrame
        A row per pair and round, laid out as `trustbayes.trials.read_trials` and
        `trials_from_frame` expect of the game: the standard column names, or the game's own.
    parameters : DataFrame
        Everything that was drawn, a row per value: role, subject ("" for what all subjects
        share), model, parameter, treatment ("" where it is the same in all) and value.
        Parameters of subjects are on the natural standardised scale; ``level`` is the type.
        Arguments of the population that were drawn too are called ``parameter_argument``; a
        parameter with one value for each option has names such as ``habit[3]``.
    game : FiniteGame
    """

    trials: pd.DataFrame
    parameters: pd.DataFrame
    game: FiniteGame

    def without_senders(self) -> Simulation:
        """The receivers' side alone: what they saw and did, and their parameters."""
        named = self.game.layout.columns
        columns = [named.get(name, name) for name in ("sender", "state")]
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
    >>> from trustbayes.datasets import bundled
    >>> read_parameters(bundled().parameters)["parameter"].iloc[0]
    'response_precision'
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
    game: FiniteGame,
    *,
    sender: Model | None,
    receiver: Model | None,
    subjects: int,
    rounds: int,
    seed: int,
    treatments: Mapping[str, float | Sequence[float]] | None = None,
) -> Simulation:
    """Play an experiment with subjects who behave as the models say.

    All parameters are one draw from the models' priors: with numbers as arguments a prior states
    the population; where an argument is itself a prior, the population is drawn too. Senders
    and receivers keep their roles and are matched anew at random in every round. Every subject
    plays every treatment, in consecutive blocks of rounds of (nearly) equal length. In a treatment
    with several biases each pair's bias is drawn evenly among them.

    Parameters
    ----------
    game : FiniteGame
    sender, receiver : Model or None
        Who plays. Without a receiver there are no actions; receivers need a sender's messages.
    subjects : int
        Number of senders, and of receivers.
    rounds : int
        At least one for each treatment.
    seed : int
        The same seed gives the same experiment; senders and their messages do not depend on the
        receivers.
    treatments : mapping of str to float or sequence of float, optional
        Name to bias or biases, in the order in which they are played. Default: the game's.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        If a number is too small, there is no sender, or the treatments are not the game's.

    Examples
    --------
    >>> from trustbayes.models import FullTrust
    >>> game = FiniteGame(states=[1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
    >>> sender, receiver = FullTrust("sender"), FullTrust("receiver")
    >>> played = simulate(game, sender=sender, receiver=receiver, subjects=4, rounds=6, seed=1)
    >>> played.trials.shape
    (24, 8)
    """
    of_treatment = _treatments(game, treatments)
    if sender is None:
        raise InputError(Fault("simulation, sender", "", "a model of senders: messages are theirs"))
    _check_roles(sender, receiver)
    _check_numbers(subjects, rounds, seed, len(of_treatment))
    # One stream for the experiment and one for each role.
    design, *streams = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    block = np.arange(rounds) * len(of_treatment) // rounds
    names = np.array(list(of_treatment))
    table = pd.DataFrame({"round": np.repeat(np.arange(1, rounds + 1), subjects)})
    table["sender"] = np.tile(_labels("s", subjects), rounds)
    table["treatment"] = np.repeat(names[block], subjects)
    table["bias"] = _evenly([of_treatment[name] for name in table["treatment"]], design)
    table["state"] = design.choice(game.states, size=len(table), p=game.prior)
    matches = np.tile(_labels("r", subjects), (rounds, 1))
    table["receiver"] = design.permuted(matches, axis=1).reshape(-1)
    parts = []
    for model, stream in zip((sender, receiver), streams, strict=True):
        if model is None:
            table = table.drop(columns="receiver")
            continue
        choice = "message" if model.role == "sender" else "action"
        table[choice], parameters = _play(model, game, table, of_treatment, stream)
        parts.append(parameters)
    return Simulation(_laid_out(table, game), pd.concat(parts, ignore_index=True), game)


def _play(
    model: Model,
    game: FiniteGame,
    table: pd.DataFrame,
    treatments: Mapping[str, tuple[float, ...]],
    rng: np.random.Generator,
) -> tuple[np.ndarray, pd.DataFrame]:
    """The choices of a role at every row of the table, and the parameters behind them."""
    cells = _cells(model.role, game, list(table[model.role].unique()), treatments)
    # The first of two: `prior_draws` keeps no axis of draws for a single one.
    draws = prior_draws(model, game, cells, 2, seed=int(rng.integers(2**31)))
    drawn = draws.data.isel(sample=[0])
    draws = Draws(model, game, cells, drawn)
    [(_, logs)] = draws.log_probabilities()
    logs, levels = logs[0], None
    if draws.shares is not None:
        levels = rng.choice(len(model.types), size=len(cells.subjects), p=draws.shares[0])
        logs = logs[np.arange(len(logs)), levels[cells.unit_subject]]
    unit = pd.MultiIndex.from_arrays(
        [
            np.array(cells.subjects)[cells.unit_subject],
            np.array(cells.treatments)[cells.unit_treatment],
            cells.biases[cells.unit_bias],
        ]
    ).get_indexer(pd.MultiIndex.from_frame(table[[model.role, "treatment", "bias"]]))
    saw = table["state" if model.role == "sender" else "message"].to_numpy()
    chances = np.exp(logs)[unit, np.searchsorted(game.seen(model.role), saw)]
    reached = chances.cumsum(axis=1)
    aim = rng.random(len(table)) * reached[:, -1]
    chosen = (reached <= aim[:, None]).sum(axis=1)
    return game.options(model.role)[chosen], _parameters(draws, levels)


def _cells(
    role: Role, game: FiniteGame, subjects: list[str], treatments: Mapping[str, tuple[float, ...]]
) -> Cells:
    """Every subject under every bias of every treatment, as if each choice was made once.

    The counts do not bear on draws from the prior, but without any nothing could be weighed.
    """
    order = sorted(
        natural_order(list(treatments)), key=lambda name: round(float(np.mean(treatments[name])), 9)
    )
    biases = np.unique([bias for values in treatments.values() for bias in values])
    conditions = np.array(
        [(t, b) for t, name in enumerate(order) for b in np.searchsorted(biases, treatments[name])]
    )
    people = np.repeat(np.arange(len(subjects)), len(conditions))
    conditions = np.tile(conditions, (len(subjects), 1))
    shape = (len(people), game.seen(role).size, game.options(role).size)
    return Cells(
        role=role,
        subjects=tuple(sorted(subjects)),
        treatments=tuple(order),
        biases=biases,
        groups=None,
        unit_subject=people,
        unit_treatment=conditions[:, 0],
        unit_bias=conditions[:, 1],
        counts=np.ones(shape, dtype=int),
        trial_unit=np.empty(0, dtype=int),
        trial_seen=np.empty(0, dtype=int),
        trial_option=np.empty(0, dtype=int),
    )


def _parameters(draws: Draws, levels: np.ndarray | None) -> pd.DataFrame:
    """One draw as a table, without the sampler's helper variables."""
    common = {"role": draws.model.role, "model": draws.model.name, "subject": "", "treatment": ""}
    parts = []
    for name, values in draws.data.isel(sample=0).items():
        if str(name).endswith(("_own", "_offset")):
            continue
        index = values.to_series().reset_index(drop=False) if values.dims else pd.DataFrame([{}])
        label: str | pd.Series = str(name)
        for option in set(values.dims) - {"subject", "treatment"}:
            label = label + "[" + index[option].astype(str) + "]"
        own = {dim: index[dim] for dim in ("subject", "treatment") if dim in values.dims}
        found = {"parameter": label, "value": values.to_numpy().reshape(-1)}
        parts.append(pd.DataFrame(common | own | found, columns=_COLUMNS))
    if levels is not None:
        kinds = np.array([float(label) for label in draws.model.types])
        people = {"subject": draws.cells.subjects, "parameter": "level", "value": kinds[levels]}
        parts.append(pd.DataFrame(common | people, columns=_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _laid_out(table: pd.DataFrame, game: FiniteGame) -> pd.DataFrame:
    """The columns in order, whole numbers as such, under the names that the game's files use."""
    order = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]
    table = table[[name for name in order if name in table]]
    for name in ("bias", "state", "message", "action"):
        if name in table and (table[name] % 1 == 0).all():
            table = table.assign(**{name: table[name].astype(int)})
    if "group" in game.layout.columns:
        table = table.assign(group="all")
    table = table.rename(columns=dict(game.layout.columns))
    unused = {name: "" for name in game.layout.exclude if name not in table}
    return table.assign(**unused)


def _treatments(
    game: FiniteGame, given: Mapping[str, float | Sequence[float]] | None
) -> dict[str, tuple[float, ...]]:
    chosen = game.treatments if given is None else given
    if not chosen:
        raise InputError(Fault("simulation, treatments", "", "treatments, the game having none"))
    listed = {
        str(name): tuple(map(float, np.unique(np.asarray(biases, dtype=float))))
        for name, biases in chosen.items()
    }
    known = listed if game.treatments is None else game.treatments
    faults = []
    for name, biases in listed.items():
        if name not in known:
            faults.append(Fault("simulation, treatments", name, suggestion(name, list(known))))
        elif not set(biases) <= set(known[name]):
            expected = f"biases of the game's treatment {name}: {listing(known[name])}"
            faults.append(Fault("simulation, treatments", listing(biases), expected))
    if faults:
        raise InputError(faults)
    return listed


def _check_roles(sender: Model, receiver: Model | None) -> None:
    faults = [
        Fault(f"simulation, {role}", f"a model of {model.role}s", f"a model of {role}s")
        for role, model in (("sender", sender), ("receiver", receiver))
        if model is not None and model.role != role
    ]
    if faults:
        raise InputError(faults)


def _check_numbers(subjects: int, rounds: int, seed: int, treatments: int) -> None:
    faults = [
        Fault(f"simulation, {name}", str(value), f"a whole number from {least}{why}")
        for name, value, least, why in (
            ("subjects", subjects, 2, ""),
            ("rounds", rounds, treatments, ", one for each treatment" if treatments > 1 else ""),
            ("seed", seed, 0, ""),
        )
        if not isinstance(value, int) or value < least
    ]
    if faults:
        raise InputError(faults)


def _evenly(choices: list[tuple[float, ...]], rng: np.random.Generator) -> np.ndarray:
    """One of each row's choices, each as likely as the others."""
    sizes = np.array([len(row) for row in choices])
    chosen = (rng.random(len(choices)) * sizes).astype(int)
    return np.array([row[i] for row, i in zip(choices, chosen, strict=True)])


def _labels(letter: str, count: int) -> np.ndarray:
    width = max(2, len(str(count)))
    return np.array([f"{letter}{i:0{width}d}" for i in range(1, count + 1)])
