"""Simulated experiments: choices as the models say, states as the game says, fair matching."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, Layout, PayoffFunctions
from trustbayes.models import (
    LevelK,
    TrustEmbedded,
    model,
    model_names,
)
from trustbayes.models.draws import Draws
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import Simulation, simulate
from trustbayes.theories.responses.logit import LOGIT
from trustbayes.trials.table import Trials, trials_from_frame

GAME = FiniteGame(
    states=[1, 2, 4],
    messages=[1, 2, 3, 4],
    actions=[0.5, 2, 3.5],
    prior=[0.5, 0.2, 0.3],
    treatments={"High": [1, 2.5], "Low": -0.5, "None": 0},
)
SUBJECTS, ROUNDS = 60, 90
ROLES = ("sender", "receiver")


@pytest.fixture(scope="module")
def played() -> dict[str, Simulation]:
    return {
        name: simulate(
            GAME,
            sender=model(name, "sender"),
            receiver=model(name, "receiver"),
            subjects=SUBJECTS,
            rounds=ROUNDS,
            seed=8,
        )
        for name in model_names("finite")
    }


def planted_probabilities(name: str, role: str, simulation: Simulation, trials: Trials):
    """Choice probabilities of every cell, from the table of parameters alone."""
    chosen, cells = model(name, role), trials.fold(role)
    table = simulation.parameters.query("role == @role")
    labels = table["parameter"].str.split("[").str[0]
    options = [f"{value:g}" for value in GAME.options(role)]
    coords = {"subject": cells.subjects, "treatment": cells.treatments, "message": options}
    data = {}
    for parameter in chosen.parameters:
        if parameter.support == "simplex":
            continue
        own = table[labels == parameter.name]
        own = own.assign(message=own["parameter"].str.extract(r"\[(.*)\]", expand=False))
        over = chosen.varies[parameter.name]
        dims = [d for d in coords if d in over or d == parameter.option]
        if not dims:
            data[parameter.name] = (("sample",), own["value"].to_numpy())
            continue
        values = own.set_index(dims)["value"]
        every = pd.MultiIndex.from_product([coords[d] for d in dims], names=dims)
        shape = [len(coords[d]) for d in dims]
        found = values.reindex(every if len(dims) > 1 else coords[dims[0]]).to_numpy()
        data[parameter.name] = (("sample", *dims), found.reshape(1, *shape))
    [(_, answer, values)] = Draws(chosen, GAME, cells, xr.Dataset(data)).answers()
    chances = np.exp(LOGIT.logs(answer, values, bool(chosen.types))[0])
    if chosen.types:
        people = table[table["subject"] != ""].set_index("subject")
        if name == "mixture":
            people = people[people["parameter"].str.startswith("type[")]
            of_type = people["parameter"].str.extract(r"\[(.*)\]", expand=False)
            kinds = of_type.map(chosen.types.index)
        else:
            kinds = people.loc[people["parameter"] == "level", "value"].astype(int)
        kinds = kinds.loc[list(cells.subjects)].to_numpy()
        chances = chances[np.arange(len(cells.counts)), kinds[cells.unit_subject]]
    return chances, cells


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", model_names("finite"))
def test_choices_follow_the_model_of_the_planted_parameters(played, name, role):
    trials = trials_from_frame(played[name].trials, GAME)
    chances, cells = planted_probabilities(name, role, played[name], trials)
    seen = cells.counts.sum(axis=-1, keepdims=True)
    # Sums of independent choices over subjects, for every treatment, bias, seen and chosen.
    condition = cells.unit_treatment * len(cells.biases) + cells.unit_bias
    shape = (condition.max() + 1, *cells.counts.shape[1:])
    observed, expected, variance = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(observed, condition, cells.counts)
    np.add.at(expected, condition, seen * chances)
    np.add.at(variance, condition, seen * chances * (1 - chances))
    enough = variance > 5  # for the normal limit
    assert enough.sum() >= 15
    z = (observed - expected)[enough] / np.sqrt(variance[enough])
    # Beyond this bound once in 1,000 experiments for the worst of all cells, and for the mean
    # square (over-cautious in the first, as cells of a row are dependent).
    assert np.abs(z).max() < stats.norm.isf(0.0005 / z.size)
    assert (z**2).sum() < stats.chi2.isf(0.001, z.size)
    assert (observed[expected == 0] == 0).all()


@pytest.mark.parametrize("role", ROLES)
def test_every_subject_chooses_by_its_own_parameters(role):
    """One stranger's parameters would predict worse than the subject's own."""
    steady = {"response_precision": Prior("Gamma", mean=3.0, shape=1.0)}
    simulation = simulate(
        GAME,
        sender=model("full-trust", "sender", priors=steady),
        receiver=model("full-trust", "receiver", priors=steady),
        subjects=40,
        rounds=60,
        seed=3,
    )
    trials = trials_from_frame(simulation.trials, GAME)
    chances, cells = planted_probabilities("full-trust", role, simulation, trials)
    seen = cells.counts.sum(axis=-1, keepdims=True)
    surplus = (cells.counts - seen * chances) * np.log(chances)
    spread = seen * (
        (chances * np.log(chances) ** 2).sum(-1, keepdims=True)
        - (chances * np.log(chances)).sum(-1, keepdims=True) ** 2
    )
    z = np.zeros(40)
    np.add.at(z, cells.unit_subject, surplus.sum(axis=(1, 2)))
    variance = np.zeros(40)
    np.add.at(variance, cells.unit_subject, spread.sum(axis=(1, 2)))
    assert (z**2 / variance).sum() < stats.chi2.isf(0.001, 40)


def test_states_follow_the_prior_independently_of_treatments_and_rounds(played):
    trials = played["level-k"].trials
    counts = trials["state"].value_counts().reindex(GAME.states)
    assert stats.chisquare(counts, GAME.prior * len(trials)).pvalue > 0.001
    for column in ("treatment", "round"):
        table = pd.crosstab(trials["state"], trials[column])
        assert stats.chi2_contingency(table).pvalue > 0.001


def test_every_round_matches_every_sender_with_one_receiver(played):
    trials = played["babbling"].trials
    for _, pairs in trials.groupby("round"):
        assert pairs["sender"].nunique() == pairs["receiver"].nunique() == SUBJECTS == len(pairs)
    met = trials.groupby("sender")["receiver"].value_counts()
    assert met.max() < 12  # matched ROUNDS times with 60 others: 1.5 on average
    counts = pd.crosstab(trials["sender"], trials["receiver"]).to_numpy()
    # Each cell is Binomial(90, 1/60); rows and columns have fixed sums.
    statistic = ((counts - 1.5) ** 2).sum() / 1.5
    assert stats.chi2.isf(0.9995, 59**2) < statistic < stats.chi2.isf(0.0005, 59**2)


def test_treatments_are_blocks_of_nearly_equal_length_in_the_games_order():
    trials = few(rounds=11).trials
    by_round = trials.groupby("round")["treatment"].unique()
    assert (by_round.str.len() == 1).all()
    order = by_round.str[0].tolist()
    assert order == ["High"] * 4 + ["Low"] * 4 + ["None"] * 3
    several = trials[trials["treatment"] == "High"]["bias"]
    assert set(several) == {1.0, 2.5}
    assert set(trials[trials["treatment"] == "Low"]["bias"]) == {-0.5}


def test_biases_of_a_treatment_are_equally_likely(played):
    counts = played["full-trust"].trials.query("treatment == 'High'")["bias"].value_counts()
    assert stats.binomtest(int(counts[1.0]), int(counts.sum())).pvalue > 0.001


def few(seed: int = 1, **changes) -> Simulation:
    settings = {
        "sender": LevelK("sender"),
        "receiver": LevelK("receiver"),
        "subjects": 4,
        "rounds": 6,
    }
    return simulate(GAME, **settings | changes, seed=seed)


def test_the_seed_decides_everything():
    first, again, other = few(), few(), few(seed=2)
    pd.testing.assert_frame_equal(first.trials, again.trials)
    pd.testing.assert_frame_equal(first.parameters, again.parameters)
    assert not first.trials.equals(other.trials)
    assert not first.parameters.equals(other.parameters)


def test_senders_do_not_depend_on_receivers():
    both, alone = few(), few(receiver=None)
    assert list(alone.trials) == ["sender", "round", "treatment", "bias", "state", "message"]
    pd.testing.assert_frame_equal(both.trials[list(alone.trials)], alone.trials)
    assert trials_from_frame(alone.trials, GAME).roles == ("sender",)
    assert set(alone.parameters["role"]) == {"sender"}


@pytest.mark.parametrize("name", model_names("finite"))
def test_trials_read_back_and_parameters_are_complete(played, name):
    trials = trials_from_frame(played[name].trials, GAME)
    assert trials.roles == ROLES
    assert len(trials.table) == SUBJECTS * ROUNDS
    assert trials.treatments == ("Low", "None", "High")
    table = played[name].parameters
    columns = ["role", "subject", "model", "parameter", "treatment", "value"]
    assert list(table) == columns
    assert not table.isna().any(axis=None)
    assert not table.duplicated(columns[:-1]).any()
    for role in ROLES:
        of_role = table[table["role"] == role]
        assert set(of_role["subject"]) == {"", *trials.subjects(role)}
        chosen = model(name, role)
        for parameter in chosen.parameters:
            if parameter.support == "simplex" and name == "mixture":
                assert of_role["parameter"].str.startswith("type[").sum() == SUBJECTS
                continue
            rows = of_role[of_role["parameter"].str.split("[").str[0] == parameter.name]
            over = chosen.varies[parameter.name]
            size = SUBJECTS if "subject" in over else 1
            size *= 3 if "treatment" in over else 1
            size *= GAME.messages.size if parameter.option else 1
            assert len(rows) == size, parameter.name


def test_numbers_as_arguments_state_the_population():
    locations = (2.0, 0.0, -2.0)  # by bias: Low, None, High
    sender = TrustEmbedded(
        "sender",
        priors={
            "expected_trust": Prior("LogitNormal", mu=locations, sigma=1.0),
            "lying_aversion": Prior("LogNormal", mu=-1.0, sigma=0.5),
        },
    )
    receiver = TrustEmbedded(
        "receiver", priors={"trust": Prior("LogitNormal", mu=locations, sigma=0.5)}
    )
    table = few(sender=sender, receiver=receiver, subjects=200, rounds=3).parameters
    value = table.set_index(["parameter", "treatment"])["value"]
    logit = np.log(value / (1 - value.where(value < 1)))
    for treatment, location in zip(("Low", "None", "High"), locations, strict=True):
        assert np.isclose(logit["expected_trust", treatment], location).all()
        own = logit["trust", treatment]
        assert stats.ttest_1samp(own, location).pvalue > 0.001
        assert stats.chi2.isf(0.9995, 199) < 199 * own.var() / 0.25 < stats.chi2.isf(0.0005, 199)
    aversion = np.log(value["lying_aversion"])
    assert stats.kstest(aversion, stats.norm(-1.0, 0.5).cdf).pvalue > 0.001


def test_levels_follow_their_shares(played):
    table = played["level-k"].parameters
    for role in ROLES:
        of_role = table[table["role"] == role].set_index("parameter")["value"]
        shares = [of_role[f"level_share[{k}]"] for k in range(4)]
        counts = np.bincount(of_role["level"].astype(int), minlength=4)
        assert counts.sum() == SUBJECTS
        for count, share in zip(counts, shares, strict=True):
            assert stats.binomtest(int(count), SUBJECTS, share).pvalue > 0.0005


def test_the_games_own_column_names_are_used():
    game = FiniteGame(
        states=[1, 2, 3],
        treatments={"a": 1, "b": 2},
        layout=Layout(
            {"sender": "sender_id", "treatment": "bias", "bias": "b", "group": "set"},
            {"timeout": (1,)},
        ),
    )
    sender, receiver = LevelK("sender"), LevelK("receiver")
    played = simulate(game, sender=sender, receiver=receiver, subjects=3, rounds=4, seed=1)
    trials = trials_from_frame(played.trials, game)
    assert trials.table["treatment"].tolist() == ["a"] * 6 + ["b"] * 6
    assert trials.table["bias"].tolist() == [1.0] * 6 + [2.0] * 6
    assert [e.rows for e in trials.exclusions] == [0]


def test_treatments_of_a_game_without_any():
    game = FiniteGame(
        states=[1, 2, 3],
        payoffs=PayoffFunctions(
            sender=lambda state, action, bias: -((state + bias - action) ** 2),
            receiver=lambda state, action: -((state - action) ** 2),
        ),
    )
    settings = {"sender": TrustEmbedded("sender"), "receiver": None, "subjects": 2, "rounds": 3}
    with pytest.raises(InputError, match="treatments: expected treatments, the game having none"):
        simulate(game, **settings, seed=1)
    trials = simulate(game, **settings, seed=1, treatments={"x": 1.5}).trials
    assert set(trials["bias"]) == {1.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sender": None}, "sender: expected a model of senders: messages are theirs"),
        ({"sender": LevelK("receiver")}, "sender: found 'a model of receivers', expected"),
        ({"receiver": LevelK("sender")}, "receiver: found 'a model of senders', expected"),
        ({"subjects": 1}, "subjects: found '1', expected a whole number from 2"),
        ({"rounds": 2}, "rounds: found '2', expected a whole number from 3, one for each"),
        ({"seed": -1}, "seed: found '-1', expected a whole number from 0"),
        ({"treatments": {"Lov": -0.5}}, "found 'Lov', expected 'Low' .did you mean it"),
        ({"treatments": {"Low": 3}}, "found '3', expected biases of the game's treatment Low: "),
    ],
)
def test_bad_settings_are_reported(changes, message):
    with pytest.raises(InputError, match=message):
        few(**changes)


def test_models_of_forecast_sharing_do_not_play_the_finite_game():
    with pytest.raises(InputError, match="sender: found 'a model of the forecast-sharing game'"):
        few(sender=LevelK("sender", ForecastGame()))
    everything = {"sender": LevelK("receiver", ForecastGame()), "subjects": 1}
    with pytest.raises(InputError, match="a model of receivers") as caught:
        few(**everything)
    assert "a model of the forecast-sharing game" in str(caught.value)
