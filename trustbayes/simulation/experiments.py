"""Experiments that are simulated, fitted and reduced to a small table, many of them.

What travels to a worker is who plays, how many, how long, and a seed; it simulates, fits and writes
one file. Nothing else is kept: a thousand simulations take a few megabytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.files import write_whole
from trustbayes.games import Game, Role, game_from_dict
from trustbayes.inference.fit import Fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import ENGINE, Sampling, versions
from trustbayes.inference.tasks import FitsFailed, iter_fits
from trustbayes.inference.travel import check_travel
from trustbayes.models import Model, model_from_dict
from trustbayes.simulation.enough import Unusable, attempts, short_of
from trustbayes.simulation.same_people import correlation_from_prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import Trials, trials_from_frame

__all__ = [
    "Experiment",
    "Outcome",
    "SimulatedFits",
    "SimulatedTrials",
    "collected",
    "total_seconds",
]

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class SimulatedTrials:
    """A simulated experiment with what is known of it.

    Parameters
    ----------
    trials : Trials
        Of one role, or of people in both.
    parameters : DataFrame
        Everything that was drawn, see `trustbayes.simulation.simulate.Simulation`.
    seed : int
    """

    trials: Trials
    parameters: pd.DataFrame
    seed: int


@dataclass(frozen=True, eq=False)
class Experiment:
    """An experiment to be simulated.

    Parameters
    ----------
    game : Game
    sender, receiver : Model or None
        Who plays. Populations are drawn from the models' priors.
    subjects, rounds : int
        Number of subjects in each role, and of rounds.
    treatments : tuple of str, optional
        Those played; default: all of the game.
    studied : "sender" or "receiver", optional
        Whose trials they are; default: the receiver's if there is one. Senders who learn need
        receivers who act.
    same_people : bool
        Whether the same people play both roles, the trials being those of both. The correlation of
        lying aversion and trust is drawn from its prior, see `trustbayes.both_roles`.

    Examples
    --------
    >>> import trustbayes as tb
    >>> game = tb.read_game(tb.bundled("simulated-finite").game)
    >>> one = Experiment(game, tb.FullTrust("sender"), None, subjects=4, rounds=6)
    >>> len(one.play(seed=1).trials.table)
    24
    """

    game: Game
    sender: Model | None
    receiver: Model | None
    subjects: int
    rounds: int
    treatments: tuple[str, ...] | None = None
    studied: Role | None = None
    same_people: bool = False

    @property
    def role(self) -> Role:
        """Whose trials they are."""
        return self.studied or ("sender" if self.receiver is None else "receiver")

    @property
    def player(self) -> Model:
        """How those behave whose trials they are."""
        player = self.sender if self.role == "sender" else self.receiver
        assert player is not None, "somebody plays"
        return player

    @property
    def players(self) -> tuple[Model, ...]:
        """The models to be fitted to the trials: that of the role, or both."""
        if not self.same_people:
            return (self.player,)
        return tuple(model for model in (self.sender, self.receiver) if model is not None)

    def play(self, seed: int) -> SimulatedTrials:
        """Simulate it once; experiments of the same design have the same pattern of trials.

        Parameters
        ----------
        seed : int

        Returns
        -------
        SimulatedTrials

        Raises
        ------
        InputError
            See `trustbayes.simulation.simulate.simulate`.
        """
        played = simulate(
            self.game,
            sender=self.sender,
            receiver=self.receiver,
            subjects=self.subjects,
            rounds=self.rounds,
            seed=seed,
            treatments=self._treatments,
            correlation=correlation_from_prior(seed) if self.same_people else None,
        )
        if self.role == "receiver" and not (self.player.learns or self.same_people):
            played = played.without_senders()
        names = played.game.layout.columns if played.game.layout.rows.per != "player" else {}
        order = [names.get(name, name) for name in ("round", self.role)]
        table = played.trials.sort_values(order, ignore_index=True)
        trials = trials_from_frame(table, played.game, f"simulation {seed}")
        known = played.parameters
        if not self.same_people:
            known = known[known["role"] == self.role].reset_index(drop=True)
        return SimulatedTrials(trials, known, seed)

    @property
    def _treatments(self) -> Any:
        if self.treatments is None:
            return None
        known = self.game.treatments or {}
        if set(self.treatments) <= set(known):
            return {name: known[name] for name in self.treatments}
        return self.treatments

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form that `from_dict` reads back."""
        return {
            "game": self.game.to_dict(),
            "sender": self.sender and self.sender.to_dict(),
            "receiver": self.receiver and self.receiver.to_dict(),
            "subjects": self.subjects,
            "rounds": self.rounds,
            "treatments": None if self.treatments is None else list(self.treatments),
            **({} if self.studied is None else {"studied": self.studied}),
            **({"same_people": True} if self.same_people else {}),
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Experiment:
        """The experiment of a form that `to_dict` gave."""
        sender, receiver, treatments = (form[n] for n in ("sender", "receiver", "treatments"))
        return cls(
            game_from_dict(form["game"]),
            None if sender is None else model_from_dict(sender),
            None if receiver is None else model_from_dict(receiver),
            form["subjects"],
            form["rounds"],
            None if treatments is None else tuple(treatments),
            form.get("studied"),
            form.get("same_people", False),
        )


Reduction = Callable[[SimulatedTrials, Sequence[Fit]], pd.DataFrame]
"""What is kept of the fits of a simulated experiment: a function at the top of a module."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is kept of one simulated experiment.

    Parameters
    ----------
    seed : int
    table : DataFrame
        As the reduction made it; empty if a fit was not usable.
    usable : bool
        Whether every fit sampled well enough, see `trustbayes.simulation.enough.usable`.
    reason : str
        What fell short, if a fit did not.
    attempts : int
        How many times the hardest model was sampled.
    seconds : mapping of str to float
        Spent on ``compile`` and ``sample`` in all attempts.
    """

    seed: int
    table: pd.DataFrame
    usable: bool
    reason: str
    attempts: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class SimulatedFits:
    """A `trustbayes.inference.tasks.Task`: simulate an experiment, fit models, keep a small table.

    A fit that did not sample well is sampled again, longer and with smaller steps, first as it was
    and then with all subjects in the non-centred form. Whether one is usable in the end depends on
    its data alone, so leaving it out leaves the rest calibrated (Modrák et al. 2023).

    Parameters
    ----------
    experiment : Experiment
    seed : int
        Of the simulation and of the sampler.
    models : tuple of Model
        Fitted to it.
    sampling : Sampling
        Its seed is not used.
    reduction : callable
        Function of `SimulatedTrials` and the fits, at the top of a module. Its name is part of
        the key.
    strict : bool
        Whether a usable fit must pass the convergence gate.

    Raises
    ------
    InputError
        If a model is of another role or kind of game.
    """

    experiment: Experiment
    seed: int
    models: tuple[Model, ...]
    sampling: Sampling
    reduction: Reduction
    strict: bool = False

    def __post_init__(self) -> None:
        for model in self.models:
            model.check_kind(self.experiment.game)
            if not self.experiment.same_people and model.role != self.experiment.role:
                place = f"model {model.name}, role"
                raise InputError(Fault(place, model.role, self.experiment.role))

    @cached_property
    def key(self) -> str:
        """Content hash: the same inputs have the same key."""
        content: dict[str, Any] = {
            "format": _FORMAT,
            "experiment": self.experiment.to_dict() | {"game": self.experiment.game.checksum},
            "seed": self.seed,
            "models": [model.to_dict() for model in self.models],
            "sampling": vars(self.sampling) | {"seed": self.seed},
            "reduction": f"{self.reduction.__module__}.{self.reduction.__qualname__}",
            "strict": self.strict,
            "versions": versions(),
        }
        if self.sampling.method != "nuts":  # some of the fits may be the engine's
            content["engine"] = ENGINE
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def file(self) -> str:
        """Name of its file."""
        names = "-".join(model.name for model in self.models)
        what = self.reduction.__name__.strip("_")
        role = "both" if self.experiment.same_people else self.experiment.role
        return f"{what}-{role}-{names}-{self.seed}-{self.key[:16]}.json"

    @property
    def label(self) -> str:
        """Models, role and size."""
        experiment = self.experiment
        names = ", ".join(model.name for model in self.models)
        role = "people in both roles" if experiment.same_people else experiment.role
        return f"{names}, {role}, {experiment.subjects} subjects, {experiment.rounds} rounds"

    @property
    def source(self) -> str:
        """Which simulation it is."""
        return f"simulation {self.seed}"

    @property
    def size(self) -> float:
        """All such tasks take as long as each other."""
        return 1.0

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker, see `trustbayes.inference.tasks.Task.job`."""
        forms = [model.to_dict() for model in self.models]
        how = self.sampling, self.reduction, self.strict
        return _make_file, (self.experiment.to_dict(), self.seed, forms, *how)

    def make(self, path: Path | None, progress: bool) -> Outcome:
        """Do it here, and write the file if there is a path; ``progress`` is not used."""
        outcome = self.outcome(None)
        if path is not None:
            self.write(outcome, path)
        return outcome

    def outcome(self, cores: int | None) -> Outcome:
        """Simulate, fit and reduce, on so many cores."""
        played = self.experiment.play(self.seed)
        fits, most = [], 1
        seconds = total_seconds([])
        for model in self.models:
            for attempt, (variant, how) in enumerate(attempts(model, self.sampling, self.seed), 1):
                fitted = fit(variant, played.trials, how, progress=False, cores=cores, alike=True)
                for part, spent in fitted.manifest["seconds"].items():
                    seconds["compile" if part == "compile" else "sample"] += spent
                most = max(most, attempt)
                reason = short_of(fitted.gate, self.strict)
                if not reason:
                    break
            if reason:
                why = f"{model.name}: {reason}"
                return Outcome(self.seed, pd.DataFrame(), False, why, most, seconds)
            fits.append(fitted)
        try:
            table = self.reduction(played, fits)
        except Unusable as error:
            return Outcome(self.seed, pd.DataFrame(), False, str(error), most, seconds)
        return Outcome(self.seed, table, True, "", most, seconds)

    def write(self, outcome: Outcome, path: Path) -> None:
        """Write the file, whole or not at all."""
        content = {**vars(outcome), "format": _FORMAT, "key": self.key}
        content["table"] = outcome.table.to_dict(orient="list")
        write_whole({path: json.dumps(content, default=_plain)})

    def read(self, path: Path) -> Outcome:
        """The outcome from its file.

        Raises
        ------
        InputError
            If it is none.
        """
        try:
            content = json.loads(path.read_text("utf-8"))
            if (content["format"], content["key"]) != (_FORMAT, self.key):
                raise ValueError
            parts = {part.name: content[part.name] for part in fields(Outcome)}
            return Outcome(**(parts | {"table": pd.DataFrame(parts["table"])}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(Fault(str(path), "", "an outcome that trustbayes wrote")) from error

    def check_travel(self) -> None:
        """See `trustbayes.inference.travel.check_travel`."""
        experiment = self.experiment
        models = [
            m for m in (experiment.sender, experiment.receiver, *self.models) if m is not None
        ]
        check_travel(experiment.game, models, f"game {experiment.game.name}", self.label)


def collected(
    tasks: Sequence[SimulatedFits],
    folder: Path | None,
    executor: Executor | None,
    progress: bool,
) -> tuple[dict[int, Outcome], tuple[str, ...]]:
    """Run simulated fits; see `trustbayes.inference.tasks.iter_fits` for the arguments.

    Returns
    -------
    outcomes : dict of int to Outcome
        By position of the task, in order.
    failures : tuple of str
        Simulations that stopped with an error of their own, and why.

    Raises
    ------
    FitsFailed
        If any was lost with its worker or could not be written: the next run can make it.
    """
    outcomes: dict[int, Outcome] = {}
    failures: tuple[str, ...] = ()
    try:
        for position, outcome in iter_fits(tasks, folder, executor, progress):
            outcomes[position] = outcome
    except FitsFailed as error:
        if any(failure.circumstantial for failure in error.failures):
            raise
        failures = tuple(map(str, error.failures))
    return dict(sorted(outcomes.items())), failures


def total_seconds(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Spent on each part in all."""
    parts = {"compile": 0.0, "sample": 0.0}
    for outcome in outcomes:
        parts = {name: spent + outcome.seconds[name] for name, spent in parts.items()}
    return parts


def _make_file(
    experiment: Mapping[str, Any],
    seed: int,
    models: Sequence[Mapping[str, Any]],
    sampling: Sampling,
    reduction: Reduction,
    strict: bool,
    path: Path,
    cores: int,
) -> None:
    """What a worker does."""
    design, chosen = Experiment.from_dict(experiment), tuple(map(model_from_dict, models))
    task = SimulatedFits(design, seed, chosen, sampling, reduction, strict)
    task.write(task.outcome(cores), path)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value)} is no JSON")
