"""What the scripts in ``models/`` do with their models: fit, check, print the population."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from trustbayes.errors import InputError
from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.traits import trait_effects
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.models.draws import prior_draws
from trustbayes.trials.datasets import bundled
from trustbayes.trials.table import Trials, read_trials

__all__ = ["run_script"]


def run_script(
    models: Sequence[Model], description: str, dataset: str | Callable[[], Trials]
) -> None:
    """Run a model script: read its command line, fit each model, print what it estimates.

    The command line is ``[TRIALS --game GAME.toml] [--people PEOPLE.csv] [--draws N] [--tune N]``.
    Models whose role the trials lack are left out.

    Parameters
    ----------
    models : sequence of Model
    description : str
        Its first line is shown by ``--help``.
    dataset : str or callable
        What to run on without TRIALS: a bundled experiment, a key of
        `trustbayes.trials.datasets.BUNDLED`, or what a function makes.

    Raises
    ------
    SystemExit
        With code 2 and one message, if the input is bad.

    Examples
    --------
    >>> run_script([], "Nothing.", "simulated-finite")  # doctest: +SKIP
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    files = bundled(dataset) if isinstance(dataset, str) else None
    parser.add_argument("trials", type=Path, nargs="?", default=files and files.trials)
    parser.add_argument("--game", type=Path, default=files and files.game)
    parser.add_argument("--people", type=Path, help="covariates of the subjects")
    parser.add_argument("--draws", type=int, default=1000, help="of each of 4 chains")
    parser.add_argument("--tune", type=int, default=1000, help="warm-up steps of each chain")
    options = parser.parse_args()
    try:
        if options.trials is None and not isinstance(dataset, str):
            trials = dataset()
        elif options.game is None:
            parser.error(f"--game: expected the game file of {options.trials}")
        else:
            trials = read_trials(options.trials, options.game, options.people)
        sampling = Sampling(draws=options.draws, tune=options.tune)
        for model in models:
            model.check_kind(trials.game)
            if model.role in trials.roles:
                model.fixed_to(model.fold(trials))
    except InputError as error:
        parser.error(str(error))
    for model in models:
        if model.role not in trials.roles:
            continue
        result = fit(model, trials, sampling)
        print(f"\n{model.spec.title}, {model.role}s")
        for check in result.gate.checks:
            print(f"  {check.name}: {check.value:.4g} {'' if check.passed else 'NOT PASSED'}")
        prior = prior_draws(model, trials.game, result.units, 1000, sampling.seed)
        estimates = population_estimates(result, prior, ci_prob=0.9)
        print(estimates.drop(columns=["model", "role", "unit"]).round(2).to_string(index=False))
        if model.formulas:
            effects = trait_effects(result, ci_prob=0.9)
            print(effects.drop(columns=["model", "role", "symbol"]).round(2).to_string(index=False))
