r"""Simulation-based calibration: whether posterior intervals mean what they say.

Parameters are drawn from the prior, data from the parameters, and the model is fitted to the data.
If all is right, the rank of what was planted among posterior draws is uniform, for every parameter
and for every quantity that depends on parameters and data (Talts et al. 2018, arXiv 1804.06788;
Modrák et al. 2023, Bayesian Analysis). Among the latter is the log likelihood of the data: it shows
a likelihood that leaves data out, which the parameters alone do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.models.draws import Draws, subject_log_likelihood
from trustbayes.models.replications import draw_types
from trustbayes.simulation.experiments import (
    Experiment,
    SimulatedFits,
    SimulatedTrials,
    collected,
    total_seconds,
)
from trustbayes.simulation.planted import planted_draw
from trustbayes.simulation.uniformity import uniformity_p_values

__all__ = ["CALIBRATION_SAMPLING", "Calibration", "calibrate", "calibration_rules", "ranks_of"]

CALIBRATION_SAMPLING = Sampling(draws=250, tune=300, chains=2)
"""Enough for a hundred ranks."""

RANKS = 100
"""Possible ranks: that of a value among 99 draws."""

LEVEL = 0.05
"""Probability that a model in order fails, over all quantities tested."""

_COLUMNS = ["quantity", "about", "rank", "pit", "ess", "seed"]
_TESTS = [
    *("quantity", "about", "simulations", "p_value", "threshold", "passed", "mean_rank", "ess"),
]
_SUBJECTS = 2
_MOST_LOST = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of what was planted, and what they say.

    Parameters
    ----------
    experiment : Experiment
    model : Model
        The one fitted.
    sampling : Sampling
    ranks : DataFrame
        A row per simulation and quantity: seed, quantity, about ("population", "subject" or
        "data"), rank (0 to 99), pit (the rank as a number that is uniform on [0, 1] if all is
        right), ess (bulk effective sample size of the draws).
    lost : mapping of int to str
        Simulations whose fit was not usable, by seed, and what fell short.
    failures : tuple of str
        Simulations that stopped with an error.
    seconds : mapping of str to float
        Spent on ``compile`` and ``sample`` in all.
    """

    experiment: Experiment
    model: Model
    sampling: Sampling
    ranks: pd.DataFrame
    lost: Mapping[int, str]
    failures: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def simulations(self) -> int:
        """How many are tested."""
        return int(self.ranks["seed"].nunique())

    @property
    def tests(self) -> pd.DataFrame:
        """A row per quantity.

        Returns
        -------
        DataFrame
            Columns quantity, about, simulations, p_value, threshold, passed, mean_rank (as a share;
            one half if right), ess (median).
        """
        groups = list(self.ranks.groupby(["quantity", "about"], sort=False))
        rows = []
        for (quantity, about), here in groups:
            p = float(uniformity_p_values(here["pit"].to_numpy()))
            rows.append(
                {
                    "quantity": quantity,
                    "about": about,
                    "simulations": len(here),
                    "p_value": p,
                    "threshold": LEVEL / len(groups),
                    "passed": p >= LEVEL / len(groups),
                    "mean_rank": float(here["pit"].mean()),
                    "ess": float(here["ess"].median()),
                }
            )
        return pd.DataFrame(rows, columns=_TESTS)

    @property
    def complete(self) -> bool:
        """Whether at most a tenth of the simulations are missing."""
        missing = len(self.lost) + len(self.failures)
        return missing <= _MOST_LOST * (self.simulations + missing)

    @property
    def passed(self) -> bool:
        """Whether every quantity passed, and not too many simulations are missing."""
        return (
            self.complete and self.simulations > 0 and bool(self.tests["passed"].astype(bool).all())
        )


def calibrate(
    experiment: Experiment,
    model: Model | None = None,
    *,
    simulations: int = 200,
    seed: int = 1,
    sampling: Sampling = CALIBRATION_SAMPLING,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Calibration:
    """Calibrate a model by simulation.

    Parameters
    ----------
    experiment : Experiment
    model : Model, optional
        The one fitted; default: the one that the experiment's subjects follow. Another one shows
        what a wrong model looks like.
    simulations : int
        At least 20.
    seed : int
        Simulations have this seed and the following ones.
    sampling : Sampling
        Its seed is not used: each fit has that of its simulation.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If there are too few simulations, or fewer draws than the ranks need, or the model is of
        another role or kind of game.
    FitsFailed
        If any simulation was lost with its worker, or could not be written: the rest is not judged.

    Examples
    --------
    >>> import trustbayes as tb
    >>> game = tb.read_game(tb.bundled("simulated-finite").game)
    >>> sender = tb.LevelK("sender")
    >>> small = Experiment(game, sender, None, subjects=20, rounds=20)
    >>> calibrate(small, simulations=200).passed  # doctest: +SKIP
    True
    """
    if simulations < 20:
        raise InputError(Fault("simulations", str(simulations), "a whole number from 20"))
    if sampling.chains * sampling.draws < RANKS - 1:
        found = f"{sampling.chains} chains of {sampling.draws}"
        raise InputError(Fault("sampling, draws", found, f"at least {RANKS - 1} draws in all"))
    chosen = experiment.player if model is None else model
    tasks = [
        SimulatedFits(experiment, seed + number, (chosen,), sampling, ranks_of)
        for number in range(simulations)
    ]
    outcomes, failures = collected(tasks, folder, executor, progress)
    made = outcomes.values()
    tables = [one.table.assign(seed=one.seed) for one in made if one.usable]
    return Calibration(
        experiment,
        chosen,
        sampling,
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS),
        {one.seed: one.reason for one in made if not one.usable},
        failures,
        total_seconds(made),
    )


def ranks_of(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """Rank of what was planted among posterior draws, for every quantity.

    Those of the population, of two subjects (in one treatment each, where it matters), and the log
    likelihood of all data. Draws are thinned to 99; ties, as between levels, are broken at random.

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of one Fit

    Returns
    -------
    DataFrame
        Columns quantity, about, rank, pit, ess.
    """
    [fit] = fits
    truth = planted_draw(fit, played.parameters)
    rng = np.random.default_rng([played.seed, 20180418])
    draws = fit.draws(RANKS - 1)
    ess = az.ess(fit.posterior, method="bulk")
    rows = []

    def add(quantity: str, about: str, planted: Any, values: np.ndarray, size: float) -> None:
        ties = int((values == planted).sum())
        rank = int((values < planted).sum()) + int(rng.integers(ties + 1))
        pit = (rank + rng.random()) / (values.size + 1)
        row = {"quantity": quantity, "about": about, "rank": rank, "pit": pit, "ess": size}
        rows.append(row)

    for name, index, label, about in _quantities(fit, truth):
        values = np.moveaxis(draws.data[name].to_numpy(), 0, -1)[index]
        planted = truth.data[name].to_numpy()[0, *index]
        add(label, about, planted, values, float(ess[name].to_numpy()[index]))
    if any(fit.model.ignored.values()):
        return pd.DataFrame(rows)  # subjects' own draws are those of their type only
    levels = _levels(played, fit)
    kinds = draw_types(draws, rng)
    if kinds is not None and levels is not None:
        for number in range(_SUBJECTS):
            add(f"level, subject {number + 1}", "subject", levels[number], kinds[:, number], np.nan)
    [planted] = _log_likelihood(truth)
    add("log likelihood", "data", planted, _log_likelihood(draws), np.nan)
    return pd.DataFrame(rows)


def _quantities(fit: Fit, truth: Draws) -> list[tuple[str, tuple[int, ...], str, str]]:
    """Name, place, label and what it is about, of all that is planted and estimated."""
    found = []
    ignored = {name for names in fit.model.ignored.values() for name in names}
    for name, values in truth.data.data_vars.items():
        dims = values.dims[1:]
        own = "subject" in dims
        if own and name in ignored:
            continue
        seen = set()
        for index in np.ndindex(*values.shape[1:]):
            where = dict(zip(dims, index, strict=True))
            if own:
                number = where["subject"]
                treatments = values.sizes.get("treatment", 1)
                if number >= _SUBJECTS or where.get("treatment", 0) != number % treatments:
                    continue
                if number in seen:  # the first of its options
                    continue
                seen.add(number)
            if np.isnan(values.to_numpy()[0, *index]):
                continue
            labels = [
                f"subject {where[dim] + 1}" if dim == "subject" else str(values[dim].to_numpy()[i])
                for dim, i in zip(dims, index, strict=True)
            ]
            label = ", ".join([str(name).replace("_", " "), *map(str, labels)])
            found.append((str(name), index, label, "subject" if own else "population"))
    return found


def _levels(played: SimulatedTrials, fit: Fit) -> np.ndarray | None:
    """Position of each subject's planted level; None if the types are no levels."""
    known = played.parameters
    here = known[(known["parameter"] == "level") & (known["role"] == fit.model.role)]
    if here.empty:
        return None
    labels = here.set_index("subject")["value"].loc[list(fit.units.subjects)]
    return np.array([fit.model.types.index(f"{value:g}") for value in labels])


def _log_likelihood(draws: Draws) -> np.ndarray:
    return np.asarray(subject_log_likelihood(draws).sum(axis=1))


def calibration_rules() -> str:
    """How a calibration is judged, in words.

    Examples
    --------
    >>> print(calibration_rules().split(":")[0])
    Test
    """
    return (
        "Test: for each quantity, the empirical distribution of the ranks is held against the "
        "simultaneous band of a uniform one (Säilynoja, Bürkner and Vehtari 2022), at a level of "
        f"{100 * LEVEL:g} % over all quantities together (Bonferroni: {100 * LEVEL:g} % divided by "
        "their number for each). A model in order passes all in at least 95 of 100 calibrations. "
        "Simulations whose fit did not sample well, even when sampled longer, are left out and "
        "counted; that depends on their data alone, so it leaves the ranks of the rest uniform "
        f"(Modrák et al. 2023). More than {100 * _MOST_LOST:g} % missing is a failure of its own."
    )
