"""Planted against estimated parameters over many simulated experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from trustbayes.comparison.both_roles import both_roles
from trustbayes.comparison.shared_people import personal
from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.simulation.enough import Unusable
from trustbayes.simulation.experiments import (
    Experiment,
    SimulatedFits,
    SimulatedTrials,
    collected,
    total_seconds,
)
from trustbayes.simulation.planted import estimable, planted_draw
from trustbayes.simulation.ranks import short_of_draws
from trustbayes.simulation.same_people import planted_correlation

__all__ = [
    "RECOVERY_SAMPLING",
    "RecoveryStudy",
    "estimates_of",
    "estimates_of_both",
    "recovery_study",
]

RECOVERY_SAMPLING = Sampling(draws=500, tune=300, chains=2)
_KEY = ["rounds", "parameter", "about", "scale"]
_COLUMNS = [
    *("rounds", "seed", "parameter", "about", "scale", "place", "planted", "estimate"),
    *("q05", "q25", "q75", "q95"),
]
_MEASURES = ["values", "bias", "rmse", "covered_50", "covered_90", "error_90", "correlation"]


@dataclass(frozen=True, eq=False)
class RecoveryStudy:
    """What was planted and what was estimated.

    Parameters
    ----------
    experiment : Experiment
        Its number of rounds is one of those tried.
    sampling : Sampling
    values : DataFrame
        A row per experiment and parameter value: rounds, seed, parameter, about ("population" or
        "subject"), scale ("log" for positive ones, else "natural": that of the numbers), place
        (subject, treatment, option), planted, estimate (posterior median), q05, q25, q75, q95.
    lost : mapping of (rounds, seed) to str
        Experiments whose fit was not usable, and what fell short.
    failures : tuple of str
        Those that stopped with an error.
    seconds : mapping of str to float
    """

    experiment: Experiment
    sampling: Sampling
    values: pd.DataFrame
    lost: Mapping[tuple[int, int], str]
    failures: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def table(self) -> pd.DataFrame:
        """A row per parameter and number of rounds.

        Returns
        -------
        DataFrame
            Columns rounds, parameter, about, scale, values (number), bias, rmse (on the scale
            named), covered_50, covered_90 (shares of intervals that hold what was planted),
            error_90 (standard error of the latter over experiments), correlation (of ranks).
        """
        rows = []
        for key, here in self.values.groupby(_KEY, sort=False):
            miss = here["estimate"] - here["planted"]
            held = here["planted"].between(here["q05"], here["q95"])
            rows.append(
                {
                    **dict(zip(_KEY, key, strict=True)),
                    "values": len(here),
                    "bias": miss.mean(),
                    "rmse": np.sqrt((miss**2).mean()),
                    "covered_50": here["planted"].between(here["q25"], here["q75"]).mean(),
                    "covered_90": held.mean(),
                    "error_90": _error_by(held, here["seed"]),
                    "correlation": spearmanr(here["planted"], here["estimate"]).statistic,
                }
            )
        return pd.DataFrame(rows, columns=[*_KEY, *_MEASURES])

    def coverage(self, about: str = "population") -> tuple[float, float]:
        """Share of 90 % intervals that hold what was planted, over all parameters.

        Parameters
        ----------
        about : "population" or "subject"

        Returns
        -------
        share, standard error
            The error allows for values of one experiment being alike.
        """
        here = self.values[self.values["about"] == about]
        held = here["planted"].between(here["q05"], here["q95"])
        return float(held.mean()), _error_by(held, here["seed"])


def recovery_study(
    experiment: Experiment,
    *,
    rounds: Sequence[int] | None = None,
    replications: int = 50,
    seed: int = 1,
    sampling: Sampling = RECOVERY_SAMPLING,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> RecoveryStudy:
    """Plant parameters drawn from the prior, and estimate them from simulated experiments.

    Parameters
    ----------
    experiment : Experiment
        Its subjects' model is fitted to them; where the same people play both roles, the models of
        both are, and joined.
    rounds : sequence of int, optional
        Numbers of rounds to try; default: the experiment's.
    replications : int
        Experiments for each number of rounds, at least 2. Populations are the same for each.
    seed : int
        Experiments have this seed and the following ones.
    sampling : Sampling
        Its seed is not used.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    RecoveryStudy

    Raises
    ------
    InputError
        If a number is too small.
    FitsFailed
        If any simulation was lost with its worker, or could not be written.

    Examples
    --------
    >>> import trustbayes as tb
    >>> game = tb.read_game(tb.bundled("simulated-finite").game)
    >>> one = Experiment(game, tb.LevelK("sender"), None, subjects=20, rounds=20)
    >>> recovery_study(one, rounds=[10, 40]).table  # doctest: +SKIP
    """
    if replications < 2:
        raise InputError(Fault("replications", str(replications), "a whole number from 2"))
    lengths = [experiment.rounds] if rounds is None else list(dict.fromkeys(rounds))
    tasks = [
        SimulatedFits(
            variant,
            seed + number,
            variant.players,
            sampling,
            estimates_of_both if variant.same_people else estimates_of,
        )
        for variant in (replace(experiment, rounds=length) for length in lengths)
        for number in range(replications)
    ]
    outcomes, failures = collected(tasks, folder, executor, progress)
    tables, lost = [], {}
    for position, outcome in outcomes.items():
        length = tasks[position].experiment.rounds
        if outcome.usable:
            tables.append(outcome.table.assign(rounds=length, seed=outcome.seed))
        else:
            lost[length, outcome.seed] = outcome.reason
    values = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)
    seconds = total_seconds(outcomes.values())
    return RecoveryStudy(experiment, sampling, values[_COLUMNS], lost, failures, seconds)


def estimates_of(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """What was planted and estimated, of the population and of every subject.

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of one Fit

    Returns
    -------
    DataFrame
        Columns parameter, about, scale, place, planted, estimate, q05, q25, q75, q95.
    """
    [fit] = fits
    return _estimates(played, fit)


def _estimates(played: SimulatedTrials, fit: Fit) -> pd.DataFrame:
    truth, draws = planted_draw(fit, played.parameters).data, fit.draws().data
    parts = []
    for name, of_subjects in estimable(fit, truth).items():
        planted = truth[name]
        dims = planted.dims[1:]
        log = _positive(fit.model, str(name))
        known = planted.to_numpy()[0]
        posterior = draws[name].transpose("sample", *dims).to_numpy()
        quantiles = np.quantile(posterior, [0.5, 0.05, 0.25, 0.75, 0.95], axis=0)
        if log:
            known, quantiles = np.log(known), np.log(quantiles)
        places = [
            ", ".join(str(planted[d].to_numpy()[i]) for d, i in zip(dims, index, strict=True))
            for index in np.ndindex(*known.shape)
        ]
        part = pd.DataFrame({"place": places, "planted": known.reshape(-1)})
        for label, values in zip(["estimate", "q05", "q25", "q75", "q95"], quantiles, strict=True):
            part[label] = values.reshape(-1)
        part["parameter"], part["scale"] = str(name), "log" if log else "natural"
        part["about"] = "subject" if of_subjects else "population"
        parts.append(part[part["planted"].notna()])
    return pd.concat(parts, ignore_index=True)


def estimates_of_both(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """What was planted and estimated of people in both roles.

    The populations of either role by its fit, and joined: the correlation, and everybody's lying
    aversion and trust (natural scale, posterior means).

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of Fit
        Of senders and of receivers.

    Returns
    -------
    DataFrame
        See `estimates_of`.

    Raises
    ------
    Unusable
        If the weights of the joint posterior cannot be relied on.
    """
    sender, receiver = fits
    wide, narrow = (both_roles(sender, receiver, ci_prob=share) for share in (0.9, 0.5))
    if reason := short_of_draws(wide):
        raise Unusable(reason)
    shares = {"estimate": 0.5, "q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}
    common = {"scale": "natural", "place": "", "about": "population"}
    row = {"parameter": "correlation", "planted": planted_correlation(played.parameters)}
    row |= {name: wide.quantile(share) for name, share in shares.items()}
    parts = [pd.DataFrame([common | row])]
    for fit, name in zip(fits, (wide.sender, wide.receiver), strict=True):
        role = fit.model.role
        separate = _estimates(played, fit)
        separate = separate[separate["about"] == "population"]
        parts.append(separate.assign(parameter=f"{role}: " + separate["parameter"]))
        planted = personal(planted_draw(fit, played.parameters), name).natural[0]
        at = [fit.units.subjects.index(who) for who in wide.people["subject"]]
        ends = {
            f"q{q:02d}": both.people[f"{role}_{end}"]
            for q, both, end in (
                *((5, wide, "lower"), (95, wide, "upper")),
                *((25, narrow, "lower"), (75, narrow, "upper")),
            )
        }
        people = {"place": wide.people["subject"], "planted": planted[at]}
        people |= {"estimate": wide.people[role], "parameter": f"{role}: {name}"}
        parts.append(pd.DataFrame(common | people | ends | {"about": "subject"}))
    return pd.concat(parts, ignore_index=True)


def _positive(model: Model, name: str) -> bool:
    """Whether a parameter, or an argument of a population, is best seen on a log scale."""
    for parameter in model.parameters:
        if name == parameter.name:
            return parameter.support == "positive"
        if name.startswith(f"{parameter.name}_"):
            argument = name.removeprefix(f"{parameter.name}_")
            return argument in ("mean", "shape", "sigma", "alpha", "beta", "tau", "lam")
    return False


def _error_by(held: pd.Series, seeds: pd.Series) -> float:
    """Standard error of a share of values that are alike within an experiment."""
    away = (held - held.mean()).groupby(seeds).sum()
    if len(away) < 2:
        return float("nan")
    return float(np.sqrt((away**2).sum() * len(away) / (len(away) - 1)) / len(held))
