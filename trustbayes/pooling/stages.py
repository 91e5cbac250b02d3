"""What is made of each experiment alone, kept by content: scores, likelihoods, and predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from trustbayes.comparison import SubjectScores, leave_one_subject_out
from trustbayes.comparison.basis import Basis
from trustbayes.comparison.loso import log_score
from trustbayes.errors import Fault, InputError
from trustbayes.files import plain, write_whole
from trustbayes.inference.engines.population.elsewhere import Likelihoods
from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.tasks import FitTask, size_of
from trustbayes.inference.travel import check_travel
from trustbayes.models import Model, model_from_dict
from trustbayes.pooling.exact import Experiment
from trustbayes.trials.table import Trials

__all__ = ["LikelihoodTask", "ScoreTask", "Transfer", "TransferTask"]

_FORMAT = 3  # 2 placed nodes anew for every population
_ENOUGH = 1.0
"""Nats by which the integration of an experiment's people may be off where theories, which are tens
apart, are told apart by populations that differ by more."""
_EXACT = 0.02  # nats, where the likelihood itself is wanted
_BY_PERSON = ("elpd", "lppd", "pareto_k", "error")


@dataclass(frozen=True, eq=False)
class ScoreTask:
    """How a fit predicts new people of its own experiment.

    Parameters
    ----------
    fitting : FitTask
        Of the fit.
    fit : Fit
    folder : Path or None
        Where the fit's file lies, for workers.
    draws : int
        By no more draws than that, see `trustbayes.comparison.leave_one_subject_out`.
    """

    fitting: FitTask
    fit: Fit
    folder: Path | None
    draws: int

    @cached_property
    def key(self) -> str:
        """Content hash."""
        return _digest("scores", self.fitting.key, self.draws)

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"scores-{self.key[:16]}.json"

    @property
    def label(self) -> str:
        """What is done, for messages."""
        return f"{self.fitting.label}: scores of new people"

    @property
    def source(self) -> str:
        """What the trials are called."""
        return self.fitting.source

    @property
    def size(self) -> float:
        """About how long it takes, next to other scores."""
        return self.fitting.size

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker, see `trustbayes.inference.tasks.Task.job`."""
        if self.folder is None:
            return _write_scores, (self.make(None, False),)
        return _score_to_file, (self.folder / self.fitting.file, self.draws)

    def make(self, path: Path | None, progress: bool) -> SubjectScores:
        """Score here, and keep the scores if there is a path."""
        scores = leave_one_subject_out(self.fit, draws=self.draws)
        if path is not None:
            _write_scores(scores, path, 1)
        return scores

    def read(self, path: Path) -> SubjectScores:
        """The scores from their file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        form = _read(path, "scores of new people")
        return SubjectScores(
            basis=Basis.of_fit(self.fit),
            unit="subject",
            labels=tuple(form["labels"]),
            good_k=float(form["good_k"]),
            draws=int(form["draws"]),
            elpd=_floats(form["elpd"]),
            lppd=_floats(form["lppd"]),
            pareto_k=_floats(form["pareto_k"]),
            error=_floats(form["error"]),
        )

    def check_travel(self) -> None:
        """Refuse what other processes cannot be given."""
        self.fitting.check_travel()


@dataclass(frozen=True, eq=False)
class _InPopulations:
    """What is asked of an experiment's people in given populations.

    Parameters
    ----------
    model : Model
        As the experiment has it.
    trials : Trials
    values : mapping of str to array, shape (points,)
        Numbers of the populations on common scales, by label.
    """

    model: Model
    trials: Trials
    values: Mapping[str, np.ndarray]
    asked: ClassVar[str]

    @property
    def content(self) -> tuple[Any, ...]:
        """What is the same where the same is asked."""
        of = {name: np.asarray(value).round(12).tolist() for name, value in self.values.items()}
        return self.model.to_dict(), self.trials.game.checksum, self.trials.checksum, of

    @property
    def label(self) -> str:
        """What is done, for messages."""
        return f"{self.model.name}, {self.model.role}: {self.source} {self.asked}"

    @property
    def source(self) -> str:
        """What the trials are called."""
        return self.trials.source

    @property
    def size(self) -> float:
        """About how long it takes, next to other such tasks."""
        return size_of(self.model, self.trials)

    def check_travel(self) -> None:
        """Refuse what other processes cannot be given."""
        game = self.trials.game
        check_travel(game, [self.model], f"{self.source}, game {game.name}", self.label)

    def likelihoods(self, draws: int, seed: int, enough: float) -> Likelihoods:
        """Of each person, see `trustbayes.pooling.exact.Experiment.likelihoods`."""
        people = Experiment(self.model, self.trials.game, self.model.fold(self.trials))
        return people.likelihoods(self.values, draws, seed, enough)


@dataclass(frozen=True, eq=False)
class LikelihoodTask(_InPopulations):
    """Work out the likelihood of an experiment in given populations of its people.

    Parameters
    ----------
    model : Model
        As the experiment has it.
    trials : Trials
    values : mapping of str to array, shape (points,)
        Numbers of the populations on common scales, by label: all that the likelihood depends on.
    """

    asked: ClassVar[str] = "in populations that are pooled"

    @cached_property
    def key(self) -> str:
        """Content hash."""
        return _digest("likelihood", *self.content)

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"likelihood-{self.key[:16]}.json"

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker, see `trustbayes.inference.tasks.Task.job`."""
        return _likelihood_to_file, (self.model.to_dict(), self.trials, dict(self.values))

    def make(self, path: Path | None, progress: bool) -> np.ndarray:
        """Work it out here, and keep it if there is a path."""
        points = len(next(iter(self.values.values())))
        logs = self.likelihoods(points, 0, _EXACT).log_likelihood.sum(axis=1)
        if path is not None:
            form = {"format": _FORMAT, "log_likelihood": _texts(logs)}
            write_whole({path: json.dumps(plain(form))})
        return np.asarray(logs)

    def read(self, path: Path) -> np.ndarray:
        """It from its file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        return _floats(_read(path, "likelihoods of an experiment")["log_likelihood"])


@dataclass(frozen=True, eq=False)
class Transfer:
    """How the people of an experiment are predicted by other experiments.

    Parameters
    ----------
    labels : tuple of str
        The people.
    elpd : array, shape (people,)
        Log density of all trials of each, her own experiment being unseen, in nats.
    error : float
        Monte Carlo standard error of the sum, in nats.
    nats : float
        What errors of integration can make of the sum at most.
    """

    labels: tuple[str, ...]
    elpd: np.ndarray
    error: float
    nats: float


@dataclass(frozen=True, eq=False)
class TransferTask(_InPopulations):
    """Predict the people of an experiment from a population of experiments without it.

    Each person is integrated out, given a population of people; and populations are drawn from
    that of experiments. What that does not tell comes from the model's prior.

    Parameters
    ----------
    model : Model
        As the experiment has it.
    trials : Trials
    values : mapping of str to array, shape (draws,)
        Draws of the numbers of a new experiment, by label.
    draws : int
        Of the populations.
    seed : int
    """

    draws: int
    seed: int
    asked: ClassVar[str] = "predicted from the others"

    @cached_property
    def key(self) -> str:
        """Content hash."""
        return _digest("transfer", *self.content, self.draws, self.seed)

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"transfer-{self.key[:16]}.json"

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker, see `trustbayes.inference.tasks.Task.job`."""
        form = self.model.to_dict()
        return _transfer_to_file, (form, self.trials, dict(self.values), self.draws, self.seed)

    def make(self, path: Path | None, progress: bool) -> Transfer:
        """Predict here, and keep it if there is a path."""
        new = self.likelihoods(self.draws, self.seed, _ENOUGH)
        elpd = log_score(new.log_likelihood)
        weight = np.exp(new.log_likelihood - elpd)  # of a draw, relative to the mean of all
        error = weight.sum(axis=1).std() / np.sqrt(self.draws)
        transfer = Transfer(self.model.fold(self.trials).subjects, elpd, float(error), new.nats)
        if path is not None:
            form = {"format": _FORMAT, **vars(transfer), "elpd": _texts(elpd)}
            form |= {name: repr(getattr(transfer, name)) for name in ("error", "nats")}
            write_whole({path: json.dumps(plain(form))})
        return transfer

    def read(self, path: Path) -> Transfer:
        """The prediction from its file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        form = _read(path, "a prediction from other experiments")
        numbers = {name: float(form[name]) for name in ("error", "nats")}
        return Transfer(tuple(form["labels"]), _floats(form["elpd"]), **numbers)


def _score_to_file(fit: Path, draws: int, path: Path, cores: int) -> None:
    """What a worker does."""
    _write_scores(leave_one_subject_out(load_fit(fit), draws=draws), path, cores)


def _write_scores(scores: SubjectScores, path: Path, cores: int) -> None:
    form = {name: getattr(scores, name) for name in ("labels", "good_k", "draws")}
    form |= {name: _texts(getattr(scores, name)) for name in _BY_PERSON}
    write_whole({path: json.dumps(plain({"format": _FORMAT, **form}))})


def _transfer_to_file(
    form: Mapping[str, Any],
    trials: Trials,
    values: Mapping[str, np.ndarray],
    draws: int,
    seed: int,
    path: Path,
    cores: int,
) -> None:
    """What a worker does."""
    TransferTask(model_from_dict(form), trials, values, draws, seed).make(path, False)


def _likelihood_to_file(
    form: Mapping[str, Any],
    trials: Trials,
    values: Mapping[str, np.ndarray],
    path: Path,
    cores: int,
) -> None:
    """What a worker does."""
    LikelihoodTask(model_from_dict(form), trials, values).make(path, False)


def _texts(values: np.ndarray) -> list[str]:
    """Numbers as texts: JSON has none for infinities, of either sign, and for what is not known."""
    return [repr(float(value)) for value in values]


def _floats(values: Any) -> np.ndarray:
    return np.array([float(value) for value in values])


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if form["format"] != _FORMAT:
            raise ValueError("format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(Fault(str(path), "", f"{what}, as trustbayes wrote them")) from error
    return form


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, *parts], sort_keys=True).encode()).hexdigest()
