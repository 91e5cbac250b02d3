"""Analyses made up for the report: no sampling, whatever size and labels a test asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic import synthetic_fit

from trustbayes.analysis.analyse import Analysis
from trustbayes.comparison import by_person, shares, single_theories, verdict
from trustbayes.comparison.compare import compare
from trustbayes.estimates.coinciding import coinciding_shares
from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.subjects import subject_estimates, type_estimates
from trustbayes.estimates.traits import trait_effects
from trustbayes.games import FiniteGame, ForecastGame, IntervalGame, Market
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import model, model_names
from trustbayes.models.draws import Draws
from trustbayes.report.page import picture
from trustbayes.report.page.style import Encoded
from trustbayes.simulation import predictive_check
from trustbayes.trials.table import Trials, trials_from_frame

CHAINS, DRAWS = 4, 500


def finite_trials(
    states: Sequence[float] = (1, 2, 3),
    treatments: Mapping[str, float] | None = None,
    subjects: int = 4,
    rounds: int = 6,
) -> Trials:
    """Trials in which messages exaggerate and actions discount, at random."""
    rng, game = np.random.default_rng(1), FiniteGame(states, name="made-up game")
    rows = []
    for person in range(subjects):
        for treatment, bias in (treatments or {"Low": 0.5, "High": 1.0}).items():
            for _ in range(rounds):
                state = rng.integers(game.states.size)
                message = min(state + rng.integers(2), game.messages.size - 1)
                action = max(message - rng.integers(2), 0)
                rows.append((f"s{person}", f"r{person}", len(rows), treatment, bias))
                rows[-1] += (game.states[state], game.messages[message], game.actions[action])
    names = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]
    table = pd.DataFrame(rows, columns=names)
    table["group"] = np.where(table["sender"].isin(["s0", "s1"]), "one", "other")
    return trials_from_frame(table, game, "made-up.csv")


def forecast_trials(
    treatments: Mapping[str, Market] | None = None, subjects: int = 4, rounds: int = 6
) -> Trials:
    """Trials in which reports inflate and capacities discount, at random."""
    rng = np.random.default_rng(1)
    game = ForecastGame(treatments=treatments, name="made-up market")
    size = subjects * len(game.treatments) * rounds
    table = pd.DataFrame(
        {
            "sender": [f"s{i}" for i in np.arange(size) % subjects],
            "receiver": [f"r{i}" for i in np.arange(size) % subjects],
            "round": 1 + np.arange(size) // subjects,
            "treatment": np.repeat(list(game.treatments), subjects * rounds),
            "state": rng.uniform(-150, 150, size).round(1),
        }
    )
    table["message"] = np.minimum(table["state"] + rng.uniform(0, 80, size).round(1), 150)
    face = game.face_value("receiver", table["message"].to_numpy(), table["treatment"])
    table["action"] = np.maximum(face - rng.uniform(0, 60, size), 0)
    return trials_from_frame(table, game, "made-up.csv")


def interval_trials(
    treatments: Mapping[str, float] | None = None, subjects: int = 4, rounds: int = 6
) -> Trials:
    """Trials in which messages exaggerate and actions discount, at random."""
    rng = np.random.default_rng(1)
    biases = treatments or {"Up": 20.0, "Down": -10.0}
    game = IntervalGame(0, 100, biases, step=1, name="made-up slider")
    size = subjects * len(biases) * rounds
    table = pd.DataFrame(
        {
            "sender": [f"s{i}" for i in np.arange(size) % subjects],
            "receiver": [f"r{i}" for i in np.arange(size) % subjects],
            "round": 1 + np.arange(size) // subjects,
            "treatment": np.repeat(list(biases), subjects * rounds),
            "state": rng.uniform(0, 100, size).round(),
        }
    )
    way = game.directions(table["treatment"])
    exaggerated = table["state"] + way * rng.uniform(0, 40, size).round()
    table["message"] = exaggerated.clip(0, 100)
    table["action"] = (table["message"] - way * rng.uniform(0, 30, size)).clip(0, 100)
    return trials_from_frame(table, game, "made-up.csv")


TRIALS: dict[str, Callable[..., Trials]] = {
    "finite": finite_trials,
    "forecast-sharing": forecast_trials,
    "interval": interval_trials,
}


def made_up_fit(name: str, role: str, trials: Trials, seed: int = 1) -> Fit:
    one = model(name, role, trials.game)
    return synthetic_fit(one, trials, seed=seed, chains=CHAINS, draws=DRAWS)


def made_up_recovery(subjects: pd.DataFrame) -> pd.DataFrame:
    """Planted values near the estimates; every fifth is not identified."""
    found = subjects.assign(planted=subjects["mean"] * 1.1, identified=subjects.index % 5 > 0)
    return found.assign(covered=found["planted"].between(found["lower"], found["upper"]))


def made_up_type_recovery(types: pd.DataFrame) -> pd.DataFrame:
    """Types of the mixture: the first subject of a role is at a corner, the last is mistaken."""
    table = types[types["model"] == "mixture"]
    best = table.loc[table.groupby(["role", "subject"], sort=False)["probability"].idxmax()]
    first, last = ~best["role"].duplicated(), ~best["role"].duplicated(keep="last")
    found = best.rename(columns={"type": "found"}).drop(columns="model")
    planted = np.where(last & ~first, "level 3", found["found"])
    rival = np.where(first, "level 0", "")
    return found.assign(planted=planted, corner=first, rival=rival)


def made_up_worth(trials: Trials) -> pd.DataFrame:
    """Profits on the way from babbling to full trust, in some treatments beyond its ends."""
    rows = [
        (treatment, party, 100.0 * at, 100.0 * at - 5, 100.0 * at + 5, 50.0, 150.0)
        for at, treatment in enumerate(trials.treatments)
        for party in ("sender", "receiver", "both")
    ]
    names = ["treatment", "party", "profit", "lower", "upper", "babbling", "full_trust"]
    worth = pd.DataFrame(rows, columns=names)
    for share, profit in (("share", "profit"), ("share_lower", "lower"), ("share_upper", "upper")):
        worth[share] = (worth[profit] - worth["babbling"]) / 100.0
    return worth


def made_up_gap(trials: Trials) -> pd.DataFrame:
    """Senders expect surely more in the first treatment, surely less in the last."""
    treatments = list(trials.treatments)
    more = np.linspace(0.99, 0.01, len(treatments))
    rows = pd.DataFrame({"treatment": treatments, "expected": more, "given": 0.5})
    rows["gap"] = rows["expected"] - rows["given"]
    for name in ("expected", "given", "gap"):
        rows[f"{name}_lower"], rows[f"{name}_upper"] = rows[name] - 0.1, rows[name] + 0.1
    names = {"sender_model": "trust-embedded", "receiver_model": "trust-embedded"}
    return rows.assign(more=more, **names)


def made_up_sensitivity(population: pd.DataFrame) -> pd.DataFrame:
    """Every third quantity hangs on its prior, every sixth on the data, too."""
    names = ["model", "role", "parameter", "symbol", "statistic", "treatment", "option"]
    found = population[names].assign(prior=0.01, likelihood=0.02, diagnosis="")
    found.loc[::3, ["prior", "diagnosis"]] = [0.12, "prior outweighs data"]
    found.loc[::6, ["likelihood", "diagnosis"]] = [0.34, "prior and data pull apart"]
    return found.assign(strongest=found["parameter"])


def analysis_of(trials: Trials, names: Sequence[str] = ()) -> Analysis:
    game, names = trials.game, names or model_names(trials.game.kind)
    fits = {
        (name, role): made_up_fit(name, role, trials) for role in trials.roles for name in names
    }
    of_role = {r: [fits[name, r] for name in names] for r in trials.roles}
    groups = set(trials.table.get("group", []))
    units = ("subject", *(("group",) if len(groups) > 1 else ()), "trial")
    comparisons = {r: compare(group, units, 40) for r, group in of_role.items()}
    ranked = {r: single_theories(one) for r, one in comparisons.items()}
    people = {
        r: by_person(comparisons[r], of_role[r], one[0], one[1], one)
        for r, one in ranked.items()
        if len(one) > 1
    }
    population, posterior_checks, prior_checks = [], {}, {}
    for key, one in fits.items():
        other = made_up_fit(*key, trials, seed=2)
        before = Draws.of(one.model, game, one.units, other.posterior, most=100)
        population.append(population_estimates(one, before))
        posterior_checks[key] = predictive_check(one.draws(50), "posterior", 1)
        prior_checks[key] = predictive_check(before, "prior", 1)
    frame = pd.concat([subject_estimates(one) for one in fits.values()], ignore_index=True)
    kinds = [types for one in fits.values() if len(types := type_estimates(one))]
    types = pd.concat(kinds, ignore_index=True) if kinds else pd.DataFrame(columns=["model"])
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
    table = pd.concat(population, ignore_index=True)
    has_worth = game.kind != "finite" and len(trials.roles) == 2
    return Analysis(
        trials=trials,
        sampling=Sampling(),
        fits=fits,
        comparisons=comparisons,
        kfolds={},
        verdicts={r: verdict(comparisons[r], group) for r, group in of_role.items()},
        people=people,
        shares={r: shares(one, ranked[r]) for r, one in people.items()},
        population=table,
        sensitivity=made_up_sensitivity(table),
        subjects=frame,
        types=types,
        coinciding=coinciding_shares(next(iter(fits.values()))),
        traits=trait_effects(next(iter(fits.values()))),
        posterior_checks=posterior_checks,
        prior_checks=prior_checks,
        variants=variants,
        recovery=made_up_recovery(frame) if len(frame) else None,
        type_recovery=made_up_type_recovery(types) if "mixture" in names else None,
        worth=made_up_worth(trials) if has_worth else None,
        policies=None,
        gap=made_up_gap(trials) if len(trials.roles) == 2 else None,
        joint=None,
        both=None,
        persons=pd.DataFrame(),
        learning={},
        ci_prob=0.9,
    )


def made_up_analysis(
    *arguments: object, kind: str = "finite", names: Sequence[str] = (), **settings: object
) -> Analysis:
    return analysis_of(TRIALS[kind](*arguments, **settings), names)


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
def make_analysis() -> Callable[..., Analysis]:
    """Made once for every set of arguments, in all files: an analysis does not change."""
    made: dict[str, Analysis] = {}

    def once(*arguments: object, **settings: object) -> Analysis:
        asked = repr((arguments, sorted(settings.items())))
        if asked not in made:
            made[asked] = made_up_analysis(*arguments, **settings)
        return made[asked]

    return once


@pytest.fixture(scope="session", params=list(TRIALS))
def analysis(request: pytest.FixtureRequest, make_analysis: Callable[..., Analysis]) -> Analysis:
    """Of each kind of game."""
    return make_analysis(kind=request.param)


@pytest.fixture(scope="session")
def analyse_made_up() -> Callable[..., Analysis]:
    """From trials of a test's own."""
    return analysis_of


@pytest.fixture(scope="session")
def spoil() -> Callable[[Analysis, tuple[str, str]], Analysis]:
    return unconverged


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the drawing, for tests that are about words."""
    monkeypatch.setattr(picture, "encode", lambda draw: Encoded("data:,", 1, 1))
