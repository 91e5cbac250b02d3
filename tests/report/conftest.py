"""Analyses made up for the report: no sampling, whatever size and labels a test asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from trustbayes.analysis import Analysis
from trustbayes.checking import predictive_check
from trustbayes.comparison import compare, verdict
from trustbayes.estimates import population_estimates, subject_estimates, type_estimates
from trustbayes.fitting import Fit, Sampling, versions
from trustbayes.games.finite import FiniteGame
from trustbayes.models import Model, model, model_names
from trustbayes.models.evaluate import Draws
from trustbayes.trials import Trials, trials_from_frame

CHAINS, DRAWS = 4, 500


def made_up_trials(
    game: FiniteGame, treatments: Mapping[str, float], subjects: int, rounds: int, seed: int
) -> Trials:
    """Trials in which messages exaggerate and actions discount, at random."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(subjects):
        for treatment, bias in treatments.items():
            for _ in range(rounds):
                state = rng.integers(game.states.size)
                message = min(state + rng.integers(2), game.messages.size - 1)
                action = max(message - rng.integers(2), 0)
                rows.append((f"s{person}", f"r{person}", len(rows), treatment, bias))
                rows[-1] += (game.states[state], game.messages[message], game.actions[action])
    names = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]
    return trials_from_frame(pd.DataFrame(rows, columns=names), game, "made-up.csv")


def made_up_posterior(one: Model, trials: Trials, rng: np.random.Generator) -> xr.Dataset:
    """Independent draws of everything the model estimates, near what its trials may say."""
    cells, game = trials.fold(one.role), trials.game
    coords: dict[str, Any] = {"subject": list(cells.subjects), "treatment": list(cells.treatments)}
    coords["message"] = [f"{value:g}" for value in game.messages]
    data: dict[str, Any] = {}

    def put(name: str, dims: Sequence[str], values: Callable[..., np.ndarray]) -> None:
        shape = (CHAINS, DRAWS, *(len(coords[dim]) for dim in dims))
        data[name] = (("chain", "draw", *dims), values(shape))

    for parameter in one.parameters:
        name, prior, over = parameter.name, one.priors[parameter.name], one.varies[parameter.name]
        if parameter.support == "simplex":
            coords["level"] = list(one.types)
            shares = rng.dirichlet(np.ones(len(one.types)), size=(CHAINS, DRAWS))
            data["level_share"] = (("chain", "draw", "level"), shares)
            continue
        extra = (parameter.option,) if parameter.option else ()
        draw = {
            "positive": lambda shape: rng.lognormal(0.5, 0.5, shape),
            "unit": lambda shape: rng.beta(3, 2, shape),
            "real": lambda shape: rng.normal(size=shape),
        }
        by_treatment = tuple(dim for dim in over if dim == "treatment")
        put(name, (*over, *extra), draw[parameter.support])
        for argument in prior.arguments:
            location = argument == prior.family.location
            natural = not location or argument == "mean"
            kind = draw["positive"] if natural else draw["real"]
            put(f"{name}_{argument}", (*by_treatment, *extra) if location else (), kind)
    return xr.Dataset(
        data, {k: v for k, v in coords.items() if any(k in d for d, _ in data.values())}
    )


def made_up_fit(one: Model, trials: Trials, rng: np.random.Generator) -> Fit:
    stats = {
        "diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), dtype=bool)),
        "energy": (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS))),
    }
    manifest = {
        "game_checksum": trials.game.checksum,
        "data": {"source": trials.source, "checksum": trials.checksum, "exclusions": []},
        "conventions": dict(one.settle(trials.game)),
        "parametrisation": {p.name: "centred" for p in one.parameters},
        "sampler": {"name": "made up", **vars(Sampling())},
        "versions": versions(),
        "created": "2026-01-01T00:00:00+00:00",
        "seconds": {"compile": 1.0, "sample": 2.0},
    }
    posterior = made_up_posterior(one, trials, rng)
    return Fit(one, trials.game, trials.fold(one.role), posterior, xr.Dataset(stats), manifest)


def made_up_analysis(
    states: Sequence[float] = (1, 2, 3),
    treatments: Mapping[str, float] | None = None,
    subjects: int = 4,
    rounds: int = 6,
    names: Sequence[str] = (),
) -> Analysis:
    game = FiniteGame(states, name="made-up game")
    trials = made_up_trials(game, treatments or {"Low": 0.5, "High": 1.0}, subjects, rounds, 1)
    rng = np.random.default_rng(2)
    names = names or model_names()
    fits = {
        (name, role): made_up_fit(model(name, role), trials, rng)
        for role in trials.roles
        for name in names
    }
    comparisons = {r: compare([fits[name, r] for name in names]) for r in trials.roles}
    population, posterior_checks, prior_checks = [], {}, {}
    for key, one in fits.items():
        before = Draws.of(
            one.model, game, one.units, made_up_posterior(one.model, trials, rng), most=100
        )
        population.append(population_estimates(one, before))
        posterior_checks[key] = predictive_check(one.draws(50), "posterior", 1)
        prior_checks[key] = predictive_check(before, "prior", 1)
    frame = pd.concat([subject_estimates(one) for one in fits.values()], ignore_index=True)
    recovery = frame.assign(planted=frame["mean"] * 1.1) if len(frame) else None
    if recovery is not None:
        held = recovery["planted"].between(recovery["lower"], recovery["upper"])
        recovery = recovery.assign(covered=held)
    kinds = [types for one in fits.values() if len(types := type_estimates(one))]
    variants = pd.DataFrame(
        {
            "role": "sender",
            "model": names[0],
            "conventions": ["belief: truncated", "belief: prior"],
            "elpd": [-10.0, -12.5],
            "se": [1.0, 1.5],
            "elpd_diff": [0.0, -2.5],
            "dse": [0.0, 0.5],
            "used": [True, False],
            "converged": [True, True],
        }
    )
    return Analysis(
        trials=trials,
        sampling=Sampling(),
        fits=fits,
        comparisons=comparisons,
        verdicts={
            r: verdict(comparisons[r], [fits[name, r] for name in names]) for r in trials.roles
        },
        population=pd.concat(population, ignore_index=True),
        subjects=frame,
        types=pd.concat(kinds, ignore_index=True) if kinds else pd.DataFrame(columns=["model"]),
        posterior_checks=posterior_checks,
        prior_checks=prior_checks,
        variants=variants,
        recovery=recovery,
        ci_prob=0.9,
    )


def unconverged(analysis: Analysis, key: tuple[str, str]) -> Analysis:
    """The same, but one fit has a chain that went elsewhere."""
    fits = dict(analysis.fits)
    posterior = fits[key].posterior.copy(deep=True)
    name = next(iter(posterior.data_vars))
    posterior[name][0] += 5.0
    fits[key] = replace(fits[key], posterior=posterior)
    roles = {
        role: verdict(one, [fit for (_, other), fit in fits.items() if other == role])
        for role, one in analysis.comparisons.items()
    }
    return replace(analysis, fits=fits, verdicts=roles)


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    return made_up_analysis()


@pytest.fixture(scope="session")
def make_analysis() -> Callable[..., Analysis]:
    return made_up_analysis


@pytest.fixture(scope="session")
def spoil() -> Callable[[Analysis, tuple[str, str]], Analysis]:
    return unconverged
