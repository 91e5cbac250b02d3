r"""Simulation-based calibration: whether posterior intervals mean what they say.

Parameters are drawn from the prior, data from the parameters, and the model is fitted to the data.
If all is right, the rank of what was planted among posterior draws is uniform, for every parameter
and for every quantity that depends on parameters and data (Talts et al. 2018, arXiv 1804.06788;
Modrák et al. 2023, Bayesian Analysis). Among the latter is the log likelihood of the data: it shows
a likelihood that leaves data out, which the parameters alone do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.simulation.experiments import (
    Experiment,
    SimulatedFits,
    collected,
    total_seconds,
)
from trustbayes.simulation.ranks import COLUMNS, RANKS, ranks_of, ranks_of_both
from trustbayes.simulation.uniformity import uniformity_p_values

__all__ = ["CALIBRATION_SAMPLING", "Calibration", "calibrate", "calibration_rules"]

CALIBRATION_SAMPLING = Sampling(draws=250, tune=300, chains=2)
"""Enough for a hundred ranks."""

LEVEL = 0.05
"""Probability that a model in order fails, over all quantities tested."""

_TESTS = [
    *("quantity", "about", "simulations", "p_value", "threshold", "passed", "mean_rank", "ess"),
]
_MOST_LOST = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of what was planted, and what they say.

    Parameters
    ----------
    experiment : Experiment
    model : Model
        The one fitted; of people in both roles, that of receivers.
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
        The one fitted; default: the one that the experiment's subjects follow, and where the same
        people play both roles, both models and the correlation. Another one shows what a wrong
        model looks like.
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
        draws = f"{sampling.chains} chains of {sampling.draws}"
        raise InputError(Fault("sampling, draws", draws, f"at least {RANKS - 1} draws in all"))
    chosen = experiment.players if model is None else (model,)
    reduction = ranks_of_both if experiment.same_people and model is None else ranks_of
    tasks = [
        SimulatedFits(experiment, seed + number, chosen, sampling, reduction)
        for number in range(simulations)
    ]
    outcomes, failures = collected(tasks, folder, executor, progress)
    made = outcomes.values()
    nothing = pd.DataFrame(columns=[*COLUMNS, "seed"])
    tables = [outcome.table.assign(seed=outcome.seed) for outcome in made if outcome.usable]
    return Calibration(
        experiment,
        chosen[-1],
        sampling,
        pd.concat(tables, ignore_index=True) if tables else nothing,
        {outcome.seed: outcome.reason for outcome in made if not outcome.usable},
        failures,
        total_seconds(made),
    )


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
