"""People who play both roles, simulated: correlation, meetings, ranks in the joint posterior."""

from pathlib import Path

import both
import numpy as np
import pandas as pd
import pytest
from priorfit import prior_fit
from scipy.special import logit
from scipy.stats import kstest, norm

from trustbayes.comparison import BothRoles
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, read_game
from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.simulation import ranks, recovery
from trustbayes.simulation.enough import Unusable
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.same_people import met_by, planted_correlation
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

GAME = both.lying_game()
MANY = 3000


def linked(played, parameter):
    """Planted values on the scale of the link, by person."""
    rows = played.parameters[played.parameters["parameter"] == parameter]
    values = rows.drop_duplicates("subject").set_index("subject")["value"].sort_index()
    return (np.log(values) if parameter == "lying_aversion" else logit(values)).to_numpy()


def many(correlation):
    sender, receiver = (both.known(role, GAME) for role in ("sender", "receiver"))
    return simulate(
        GAME, sender=sender, receiver=receiver, subjects=MANY, rounds=2, seed=4,
        correlation=correlation,
    )  # fmt: skip


def test_aversion_and_trust_have_the_correlation_and_keep_their_distributions():
    played = many(-0.6)
    aversion, trust = linked(played, "lying_aversion"), linked(played, "trust")
    # Four standard errors of a correlation of 3,000 pairs.
    assert np.corrcoef(aversion, trust)[0, 1] == pytest.approx(-0.6, abs=4 * 0.64 / MANY**0.5)
    assert kstest(trust, norm(0.0, 1.2).cdf).pvalue > 0.001
    assert kstest(aversion, norm(-0.7, 0.8).cdf).pvalue > 0.001
    assert planted_correlation(played.parameters) == -0.6
    # Other people: the senders are the same, and know nothing of receivers.
    apart = many(None)
    np.testing.assert_array_equal(linked(apart, "lying_aversion"), aversion)
    assert abs(np.corrcoef(aversion, linked(apart, "trust"))[0, 1]) < 4 / MANY**0.5


def test_everybody_receives_once_a_round_from_another_of_her_group():
    people, groups = np.array(list("abcdefg")), np.array([0, 1, 0, 1, 0, 0, 1])
    met = met_by(people, groups, 50, np.random.default_rng(2))
    group_of = dict(zip(people, groups, strict=True))
    assert all(sorted(row) == sorted(people) for row in met)
    assert (met != people).all()
    assert all(group_of[b] == g for row in met for b, g in zip(row, groups, strict=True))
    # Round tables of four have 3! orders, of three 2!: all of them are met with.
    assert len({tuple(row) for row in met}) == 12


@pytest.fixture(scope="module")
def played():
    sender, receiver = (TrustEmbedded(role, GAME) for role in ("sender", "receiver"))
    one = Experiment(GAME, sender, receiver, subjects=6, rounds=8, same_people=True)
    assert Experiment.from_dict(one.to_dict()).to_dict() == one.to_dict()
    made = one.play(seed=3)
    return made, [prior_fit(model, made.trials, Sampling(seed=2)) for model in one.players]


def joined(pareto_k=0.1):
    """Two joined fits, made up: a few pairs of draws, of different weights."""
    rng = np.random.default_rng(7)
    line = np.linspace(-0.97, 0.97, 98)
    density = np.exp(-0.5 * ((line - 0.3) / 0.3) ** 2)
    people = pd.DataFrame({"subject": [f"p0{i}" for i in range(1, 7)]})
    for role in ("sender", "receiver"):
        people[role] = 0.5
        people[f"{role}_lower"], people[f"{role}_upper"] = rng.uniform(0.1, 0.4, 6), 0.9
    pairs = pd.DataFrame(rng.integers(200, size=(50, 2)), columns=["sender", "receiver"]).assign(
        weight=rng.dirichlet(np.ones(50))
    )
    return BothRoles(
        sender="lying_aversion", receiver="trust", models=("trust-embedded", "trust-embedded"),
        correlation=line, density=density / density.sum(), people=people, scores=pd.DataFrame(),
        bayes_factor=2.0, pareto_k=pareto_k, draws=150.0, good_k=0.7, ci_prob=0.9, pairs=pairs,
    )  # fmt: skip


def test_an_experiment_of_the_same_people_has_trials_of_both_roles(played):
    made, _ = played
    assert made.trials.people_in_both_roles == tuple(f"p0{i}" for i in range(1, 7))
    assert len(made.trials.table) == 48
    assert set(made.parameters["role"]) == {"sender", "receiver", "both"}


def test_ranks_in_the_joint_posterior_are_weighted_shares_of_draws_below(played, monkeypatch):
    made, fits = played
    monkeypatch.setattr(ranks, "both_roles", lambda *fits, **asked: joined())
    found = ranks.ranks_of_both(made, fits).set_index("quantity")
    known = made.parameters.set_index(["role", "parameter", "subject", "treatment"])["value"]
    for role, quantity, key in (
        ("sender", "sender: lying aversion mu", ("sender", "lying_aversion_mu", "", "")),
        ("receiver", "receiver: trust mu, low", ("receiver", "trust_mu", "", "low")),
    ):
        values = fits[role == "receiver"].draws().data[key[1]]
        values = (values.sel(treatment=key[3]) if key[3] else values).to_numpy()
        below = sum(
            pair.weight
            for pair in joined().pairs.itertuples()
            if values[getattr(pair, role)] < known[key]
        )
        assert 0.01 < below < 0.99
        # A rank among so many draws is a number and a uniform part of one more.
        assert found.loc[quantity, "pit"] == pytest.approx(below, abs=1.01 / 150)
    low, high = (norm.cdf((end - 0.3) / 0.3) for end in (-0.98, 0.98))
    share = (norm.cdf((known["both", "correlation", "", ""] - 0.3) / 0.3) - low) / (high - low)
    assert found.loc["correlation", "pit"] == pytest.approx(share, abs=1.5 / 150)
    assert (found["about"] == "population").all()
    monkeypatch.setattr(ranks, "both_roles", lambda *fits, **asked: joined(pareto_k=1.2))
    with pytest.raises(Unusable, match=r"Pareto k 1\.20"):
        ranks.ranks_of_both(made, fits)


def test_what_was_planted_of_people_stands_beside_joined_estimates(played, monkeypatch):
    made, fits = played
    monkeypatch.setattr(recovery, "both_roles", lambda *fits, **asked: joined())
    table = recovery.estimates_of_both(made, fits)
    known = made.parameters[made.parameters["parameter"] == "lying_aversion"]
    people = table[table["parameter"] == "sender: lying_aversion"].set_index("place")
    for row in known.itertuples():
        assert people.loc[row.subject, "planted"] == row.value
    np.testing.assert_array_equal(people["q05"], joined().people["sender_lower"])
    [row] = table[table["parameter"] == "correlation"].itertuples()
    assert (row.q05, row.q95) == pytest.approx(joined().interval)
    assert {"sender: lying_aversion_mu", "receiver: trust_mu"} <= set(table["parameter"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"correlation": 1.0}, "expected a number above -1 and below 1"),
        ({"receiver": None}, "expected a model of both roles"),
        ({"receiver": LevelK("receiver")}, "a trust of each subject"),
        ({"sender": TrustEmbedded("sender", learning="shift")}, "without learning"),
    ],
)
def test_people_who_cannot_be_the_same_in_both_roles_are_refused(changed, message):
    game = FiniteGame([1, 2, 3], treatments={"Low": 0.5})
    given = {"sender": TrustEmbedded("sender"), "receiver": TrustEmbedded("receiver")}
    given |= {"correlation": 0.3} | changed
    with pytest.raises(InputError, match=message):
        simulate(game, subjects=4, rounds=2, seed=1, **given)


def test_trials_of_a_game_whose_files_have_rows_of_players_are_read_back():
    game = read_game(Path(__file__).parents[2] / "data/games/oey-vul-2022.toml")
    sender, receiver = LevelK("sender", game), LevelK("receiver", game)
    made = simulate(game, sender=sender, receiver=receiver, subjects=4, rounds=12, seed=1)
    trials = trials_from_frame(made.trials, game)
    assert len(trials.table) == 48
    assert trials.people_in_both_roles == ()
