"""What the scripts in ``models/`` do with their models: fit, check, print the population."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from trustbayes.datasets import bundled
from trustbayes.errors import InputError
from trustbayes.estimates import population_estimates
from trustbayes.fitting import fit
from trustbayes.models import Model
from trustbayes.models.evaluate import prior_draws
from trustbayes.sampling import Sampling
from trustbayes.trials import read_trials

__all__ = ["run_script"]


def run_script(models: Sequence[Model], description: str, dataset: str) -> None:
    """Run a model script: read its command line, fit each model, print what it estimates.

    The command line is ``[TRIALS --game GAME.toml] [--draws N] [--tune N]``. Models whose role the
    trials lack are left out.

    Parameters
    ----------
    models : sequence of Model
    description : str
        Its first line is shown by ``--help``.
    dataset : str
        The bundled experiment to run on without TRIALS, a key of `trustbayes.datasets.BUNDLED`.

    Raises
    ------
    SystemExit
        With code 2 and one message, if the input is bad.

    Examples
    --------
    >>> run_script([], "Nothing.", "simulated-finite")  # doctest: +SKIP
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    own = bundled(dataset)
    parser.add_argument("trials", type=Path, nargs="?", default=own.trials)
    parser.add_argument("--game", type=Path, default=own.game)
    parser.add_argument("--draws", type=int, default=1000, help="of each of 4 chains")
    parser.add_argument("--tune", type=int, default=1000, help="warm-up steps of each chain")
    options = parser.parse_args()
    try:
        trials = read_trials(options.trials, options.game)
        sampling = Sampling(draws=options.draws, tune=options.tune)
        for model in models:
            model.check_kind(trials.game)
    except InputError as error:
        parser.error(str(error))
    for model in models:
        if model.role not in trials.roles:
            continue
        found = fit(model, trials, sampling)
        print(f"\n{model.spec.title}, {model.role}s")
        for check in found.gate.checks:
            print(f"  {check.name}: {check.value:.4g} {'' if check.passed else 'NOT PASSED'}")
        prior = prior_draws(model, trials.game, found.units, 1000, sampling.seed)
        estimates = population_estimates(found, prior, ci_prob=0.9)
        print(estimates.drop(columns=["model", "role", "unit"]).round(2).to_string(index=False))
