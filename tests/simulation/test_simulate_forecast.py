"""Simulated forecast sharing: choices are points, and may differ between subjects only."""

import itertools

import numpy as np
import pandas as pd
import pytest
from loops import SEEN_AND_CHOSEN, best_choice
from scipy import stats

from trustbayes.errors import InputError
from trustbayes.games import ForecastGame, Market
from trustbayes.models import (
    Babbling,
    FullTrust,
    LevelK,
    Mixture,
    TrustEmbedded,
    model,
    model_names,
)
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import Simulation, simulate
from trustbayes.trials.table import trials_from_frame

ROLES = ("sender", "receiver")
MARKET = ForecastGame(largest_capacity=430)
PEOPLE, TURNS = 40, 24


def in_market(made, role, **settings):
    return made(role, MARKET, **settings)


@pytest.fixture(scope="module")
def shared_forecasts() -> dict[str, Simulation]:
    """Each model in both roles; one with outliers, one between subjects."""
    settings = {
        "full-trust": {"noise": "student-t"},
        "level-k": {"max_level": 2},
    }
    return {
        name: simulate(
            MARKET,
            sender=model(name, "sender", MARKET, **settings.get(name, {})),
            receiver=model(name, "receiver", MARKET, **settings.get(name, {})),
            subjects=PEOPLE,
            rounds=TURNS,
            seed=11,
            between=name == "hybrid",
        )
        for name in model_names("forecast-sharing")
    }


def planted_choices(name: str, role: str, simulation: Simulation):
    """Best choice and noise of every row, from the table of parameters and plain formulas."""
    settings = {"noise": "student-t"} if name == "full-trust" else {}
    chosen = model(name, role, MARKET, **settings)
    table = simulation.parameters.query("role == @role")
    planted: dict[str, dict] = {}
    for row in table.itertuples():
        planted.setdefault(row.parameter, {})[row.subject, row.treatment] = row.value
    types = {s: p[5:-1] for p, whose in planted.items() if p[:5] == "type[" for s, _ in whose}
    seen, choice = SEEN_AND_CHOSEN[role]
    best, sigma = [], []
    for row in simulation.trials.to_dict("records"):
        values = {}
        for parameter, whose in planted.items():
            for where in itertools.product((row[role], ""), (row["treatment"], "")):
                if where in whose:
                    values[parameter] = whose[where]
                    break
        part, level = chosen, values.get("level")
        if name == "mixture":
            word = types[row[role]]
            part = model("level-k" if word.startswith("level") else word, role, MARKET)
            level = float(word[6:]) if word.startswith("level") else None
        level = None if level is None else int(level)
        best.append(best_choice(part, MARKET, row["treatment"], row[seen], values, level))
        sigma.append(values["response_noise"] * 150)
    return simulation.trials[choice].to_numpy(float), np.array(best), np.array(sigma)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", model_names("forecast-sharing"))
def test_points_follow_the_model_of_the_planted_parameters(shared_forecasts, name, role):
    choice, best, sigma = planted_choices(name, role, shared_forecasts[name])
    noise = stats.t(4) if name == "full-trust" else stats.norm()
    low, high = MARKET.choice_range(role)
    below, above = (noise.cdf((end - best) / sigma) for end in (low, high))
    # Where a choice stands in its distribution is uniform; at an end, anywhere in the mass there.
    place, spread = noise.cdf((choice - best) / sigma), np.random.default_rng(1)
    place = np.where(choice == low, spread.uniform(0, below), place)
    place = np.where(choice == high, spread.uniform(above, 1), place)
    # Each fails once in a thousand seeds; the seed is fixed.
    assert stats.kstest(place, "uniform").pvalue > 0.001
    z = stats.norm.ppf(place)
    assert abs(z.mean()) < 3.3 / np.sqrt(z.size)
    assert stats.chi2.isf(0.9995, z.size) < (z**2).sum() < stats.chi2.isf(0.0005, z.size)
    # And for every subject by itself, so that no subject has another's parameters.
    own = pd.Series(z).groupby(shared_forecasts[name].trials[role].to_numpy())
    assert own.mean().abs().max() * np.sqrt(TURNS) < stats.norm.isf(0.0005 / PEOPLE)
    own_squares = (z**2).reshape(TURNS, PEOPLE) if role == "sender" else None
    if own_squares is not None:
        assert own_squares.sum(axis=0).max() < stats.chi2.isf(0.001 / PEOPLE, TURNS)
        assert own_squares.sum(axis=0).min() > stats.chi2.isf(1 - 0.001 / PEOPLE, TURNS)
    # As many choices at each end as there is mass.
    for end, mass in ((low, below), (high, 1 - above)):
        error = np.sqrt((mass * (1 - mass)).sum())
        assert abs((choice == end).sum() - mass.sum()) < 3.3 * error + 0.5
    if role == "sender":
        assert (choice == high).sum() > (5 if name == "full-trust" else 40)


@pytest.mark.parametrize("name", model_names("forecast-sharing"))
def test_points_are_in_their_ranges_and_read_back(shared_forecasts, name):
    table = shared_forecasts[name].trials
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    assert list(table) == columns
    assert table["state"].between(-150, 150).all()
    assert table["message"].between(-150, 150).all()
    assert table["action"].between(0, 430).all()
    for column in ("state", "message", "action"):
        np.testing.assert_array_equal(table[column].round(2), table[column])
    trials = trials_from_frame(table, MARKET)
    assert trials.roles == ROLES
    assert trials.treatments == tuple(MARKET.treatments)
    for role in ROLES:
        points = trials.fold(role)
        assert points.n_trials == PEOPLE * TURNS
        seen, choice = SEEN_AND_CHOSEN[role]
        np.testing.assert_array_equal(points.trial_seen, table[seen])
        np.testing.assert_array_equal(points.trial_choice, table[choice])


def test_forecasts_are_uniform_whatever_the_treatment(shared_forecasts):
    table = shared_forecasts["level-k"].trials
    for _, rows in table.groupby("treatment"):
        uniform = stats.uniform(-150, 300)
        assert stats.kstest(rows["state"], uniform.cdf).pvalue > 0.001


def test_a_limit_that_is_no_number_of_two_decimals_piles_up_choices():
    market = ForecastGame(forecast_range=33.3358, largest_capacity=260.3338)
    played = simulate(
        market,
        sender=LevelK("sender", market),
        receiver=FullTrust("receiver", market),
        subjects=30,
        rounds=8,
        seed=2,
    )
    trials = trials_from_frame(played.trials, market)  # none is beyond the range
    assert (trials.table["message"] == 33.3358).sum() > 20
    assert (trials.table["action"] == 260.3338).sum() > 20


def test_rounding_takes_nothing_beyond_its_limits():
    # Every sixth forecast is nearer to 0.03 than to 0.02, but none is above 0.0298.
    market = ForecastGame(forecast_range=0.0298, treatments={"A": Market(15.0, 0.01)})
    sender, receiver = FullTrust("sender", market), FullTrust("receiver", market)
    played = simulate(market, sender=sender, receiver=receiver, subjects=20, rounds=5, seed=1)
    trials_from_frame(played.trials, market)
    assert (played.trials["state"].abs() == 0.0298).sum() > 5


@pytest.mark.parametrize("name", model_names("forecast-sharing"))
def test_planted_parameters_of_points_are_complete(shared_forecasts, name):
    table = shared_forecasts[name].parameters
    columns = ["role", "subject", "model", "parameter", "treatment", "value"]
    assert list(table) == columns
    assert not table.isna().any(axis=None)
    assert not table.duplicated(columns[:-1]).any()
    between, levels = name == "hybrid", 3 if name == "level-k" else 4
    for role in ROLES:
        of_role = table[table["role"] == role]
        chosen = model(name, role, MARKET)
        people = set(shared_forecasts[name].trials[role])
        assert set(of_role["subject"]) == {"", *people}
        for parameter in chosen.parameters:
            rows = of_role[of_role["parameter"] == parameter.name]
            if parameter.support == "simplex":
                shares = of_role[of_role["parameter"].str.startswith(f"{parameter.name}_share[")]
                assert len(shares) == (3 if parameter.name == "theory" else levels)
                assert shares["value"].sum() == pytest.approx(1)
                continue
            over = chosen.varies[parameter.name]
            size = PEOPLE if "subject" in over else 1
            size *= 4 if "treatment" in over and not (between and "subject" in over) else 1
            assert len(rows) == size, parameter.name
        if name == "mixture":
            kinds = of_role[of_role["parameter"].str.startswith("type[")]
            assert set(kinds["subject"]) == people
            assert (kinds["value"] == 1).all()
            assert set(kinds["parameter"]) <= {f"type[{label}]" for label in chosen.types}
            assert kinds["parameter"].nunique() > 2
            assert not (of_role["parameter"] == "level").any()
        elif chosen.types:
            kinds = of_role[of_role["parameter"] == "level"]
            assert set(kinds["subject"]) == people
            assert set(kinds["value"]) <= {0.0, 1.0, 2.0, 3.0}


def test_within_subjects_markets_are_blocks_in_the_order_given():
    order = ["CHUH", "CLUL", "CHUL"]
    receiver = in_market(TrustEmbedded, "receiver")
    played = few_points(treatments=order, receiver=receiver)
    by_round = played.trials.groupby("round")["treatment"].unique()
    assert (by_round.str.len() == 1).all()
    assert by_round.str[0].tolist() == ["CHUH"] * 3 + ["CLUL"] * 3 + ["CHUL"] * 2
    assert set(played.parameters["treatment"]) == {"", *order}


def few_points(seed: int = 1, **changes) -> Simulation:
    settings = {
        "sender": LevelK("sender", MARKET),
        "receiver": LevelK("receiver", MARKET),
        "subjects": 8,
        "rounds": 8,
    }
    return simulate(MARKET, **settings | changes, seed=seed)


@pytest.mark.parametrize("between", [False, True])
def test_the_seed_decides_all_points(between):
    first, again, other = (few_points(seed, between=between) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.trials, again.trials)
    pd.testing.assert_frame_equal(first.parameters, again.parameters)
    assert not first.trials.equals(other.trials)
    assert not first.parameters.equals(other.parameters)


@pytest.mark.parametrize("between", [False, True])
def test_reports_do_not_depend_on_receivers(between):
    both, alone = few_points(between=between), few_points(between=between, receiver=None)
    assert list(alone.trials) == ["sender", "round", "treatment", "state", "message"]
    pd.testing.assert_frame_equal(both.trials[list(alone.trials)], alone.trials)
    assert trials_from_frame(alone.trials, MARKET).roles == ("sender",)
    assert set(alone.parameters["role"]) == {"sender"}
    other = few_points(between=between, receiver=in_market(Babbling, "receiver"))
    pd.testing.assert_frame_equal(other.trials[list(alone.trials)], alone.trials)


def test_numbers_by_treatment_are_in_the_order_of_the_market():
    # As models of the trials take them, in whatever order the treatments are played.
    locations = (2.0, 0.5, -0.5, -2.0)
    names = list(MARKET.treatments)
    steady = {
        "expected_trust": Prior("LogitNormal", mu=locations, sigma=1.0),
        "lying_aversion": Prior("LogNormal", mu=-1.0, sigma=0.5),
    }
    trust = {"trust": Prior("LogitNormal", mu=locations, sigma=0.5)}
    table = few_points(
        sender=in_market(TrustEmbedded, "sender", priors=steady),
        receiver=in_market(TrustEmbedded, "receiver", priors=trust),
        subjects=100,
        rounds=4,
        treatments=names[::-1],
    ).parameters
    value = table.set_index(["parameter", "treatment"])["value"]
    logit = value[["expected_trust", "trust"]].map(lambda share: np.log(share / (1 - share)))
    for treatment, location in zip(names, locations, strict=True):
        assert np.isclose(logit["expected_trust", treatment], location).all()
        assert stats.ttest_1samp(logit["trust", treatment], location).pvalue > 0.001
    aversion = np.log(value["lying_aversion"])
    assert stats.kstest(aversion, stats.norm(-1.0, 0.5).cdf).pvalue > 0.001


def test_types_of_the_mixture_follow_the_planted_shares():
    share = Prior("Dirichlet", a=[400.0, 300.0, 300.0])
    receiver = in_market(Mixture, "receiver", priors={"theory": share}, max_level=1)
    table = few_points(receiver=receiver, subjects=400, rounds=4).parameters
    table = table[table["role"] == "receiver"]
    value = table[table["subject"] == ""].set_index("parameter")["value"]
    counts = table["parameter"].value_counts()
    theory = {word: value[f"theory_share[{word}]"] for word in ("trust-embedded", "babbling")}
    for level in "01":
        theory[f"level {level}"] = value["theory_share[level-k]"] * value[f"level_share[{level}]"]
    assert sum(theory.values()) == pytest.approx(1)
    for word, chance in theory.items():
        count = int(counts.get(f"type[{word}]", 0))
        assert stats.binomtest(count, 400, chance).pvalue > 0.0005


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sender": None}, "sender: expected a model of senders: messages are theirs"),
        ({"sender": LevelK("sender")}, "sender: found 'a model of the finite game', expected"),
        ({"receiver": LevelK("receiver")}, "receiver: found 'a model of the finite game', expe"),
        ({"receiver": LevelK("sender", MARKET)}, "receiver: found 'a model of senders', expected"),
        ({"subjects": 1}, "subjects: found '1', expected a whole number from 2"),
        ({"subjects": 7, "between": True}, "found '7', expected a whole number from 8, two for"),
        ({"subjects": 8.0}, "subjects: found '8.0', expected a whole number"),
        ({"rounds": 3}, "rounds: found '3', expected a whole number from 4, one for each"),
        ({"rounds": 0, "between": True}, "rounds: found '0', expected a whole number from 1"),
        ({"seed": -1}, "seed: found '-1', expected a whole number from 0"),
        ({"treatments": ["CLUL", "CHLU"]}, "treatments: found 'CHLU', expected 'CLUL' .did you"),
    ],
)
def test_bad_settings_of_forecast_sharing_are_reported(changes, message):
    with pytest.raises(InputError, match=message):
        few_points(**changes)
