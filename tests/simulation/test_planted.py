"""What is planted: which of it can be known, and whether the types were found."""

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import synthetic_fit

from trustbayes.games import FiniteGame, ForecastGame
from trustbayes.models import LevelK, Mixture, TrustEmbedded
from trustbayes.models.draws import type_probabilities
from trustbayes.simulation import identified, type_recovery
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

GAME = ForecastGame()


def played(sender, receiver, game=GAME, between=True):
    simulation = simulate(
        game, sender=sender, receiver=receiver, subjects=12, rounds=20, seed=3, between=between
    )
    return simulation.parameters, trials_from_frame(simulation.trials, game)


def plant(planted, role, parameter, values):
    """Put other values of a subject parameter into the table of planted ones."""
    here = (planted["role"] == role) & (planted["parameter"] == parameter)
    return planted.assign(value=planted["value"].mask(here, planted["subject"].map(values)))


def test_a_truthful_sender_tells_nothing_of_her_lying_aversion():
    sender = TrustEmbedded("sender", GAME, lying_cost="absolute")
    planted, trials = played(sender, TrustEmbedded("receiver", GAME))
    people = trials.subjects("sender")
    # From 1 on no lie pays; at 0.3 many do.
    values = {who: 3.0 if i % 2 else 0.3 for i, who in enumerate(people)}
    planted = plant(planted, "sender", "lying_aversion", values)
    planted.loc[planted["parameter"] == "response_noise", "value"] = 0.1
    found = identified(synthetic_fit(sender, trials), planted)
    own = found[found["parameter"] == "lying_aversion"].set_index("subject")["identified"]
    assert not own[[who for who in people if values[who] == 3.0]].any()
    assert own[[who for who in people if values[who] == 0.3]].mean() > 0.6
    # The noise of 20 choices: an information of 2 each about its logarithm.
    assert found[found["parameter"] == "response_noise"]["identified"].all()


def test_information_about_trust_is_the_squared_slope_over_the_variance():
    receiver = TrustEmbedded("receiver", GAME)
    planted, trials = played(TrustEmbedded("sender", GAME), receiver)
    units, fit = trials.fold("receiver"), synthetic_fit(receiver, trials)
    table = planted[planted["role"] == "receiver"].set_index(["parameter", "subject"])["value"]
    found = identified(fit, planted).set_index(["parameter", "subject"])["identified"]
    from trustbayes.theories.trust_embedded.forecast import capacity

    for who, subject in enumerate(units.subjects):
        rows = units.trial_subject == who
        name = units.treatments[units.unit_treatment[units.trial_unit[rows][0]]]
        terms = GAME.terms([name] * rows.sum())
        odds = math.log(table["trust", subject] / (1 - table["trust", subject]))
        high, low = (
            capacity(units.trial_seen[rows], np.array(1 / (1 + math.exp(-odds - s))), terms)
            for s in (1e-4, -1e-4)
        )
        slope = (high - low) / 2e-4 / (table["response_noise", subject] * GAME.scale)
        assert bool(found["trust", subject]) == bool((slope**2).sum() >= 1)


def test_types_that_coincide_are_named_as_corners():
    chosen = Mixture("receiver", GAME)
    planted, trials = played(Mixture("sender", GAME), chosen)
    own = planted["role"] == "receiver"
    planted = planted[~(own & planted["parameter"].str.startswith("type["))]
    people = trials.subjects("receiver")
    labels = ["level 0", "level 1", "trust-embedded", "babbling"]
    kinds = [labels[i % 4] for i in range(len(people))]
    rows = [
        ("receiver", who, "mixture", f"type[{kind}]", "", 1.0)
        for who, kind in zip(people, kinds, strict=True)
    ]
    planted = pd.concat([planted, pd.DataFrame(rows, columns=list(planted))])
    planted.loc[planted["parameter"] == "response_noise", "value"] = 0.05
    trusting = {who: 0.9999 if i < 6 else 0.4 for i, who in enumerate(people)}
    planted = plant(planted, "receiver", "trust", trusting)
    fit = synthetic_fit(chosen, trials)
    found = type_recovery(fit, planted).set_index("subject")
    treatments = trials.table
    assert list(found["planted"]) == kinds
    for i, who in enumerate(people):
        row = found.loc[who]
        if kinds[i] == "level 0":  # trust-embedded with full trust
            assert row["corner"]
            assert row["rival"] == "trust-embedded"
        if kinds[i] == "trust-embedded" and trusting[who] > 0.9:
            assert row["corner"]
            assert row["rival"] == "level 0"
        if kinds[i] == "trust-embedded" and trusting[who] < 0.9:
            assert not row["corner"]
        if kinds[i] == "babbling":  # to a level-3 receiver no report is news in CHUH
            [in_chuh] = {
                n == "CHUH" for n in treatments[treatments["receiver"] == who]["treatment"]
            }
            assert bool(row["corner"]) == in_chuh
            assert not in_chuh or row["rival"] == "level 3"
    chances = type_probabilities(fit.draws()).mean(axis=0)
    column = [fit.model.types.index(kind) for kind in kinds]
    np.testing.assert_allclose(found["probability"], chances[np.arange(12), column])
    assert list(found["found"]) == [fit.model.types[i] for i in chances.argmax(axis=1)]


def test_levels_of_the_finite_game_are_recovered_as_types():
    game = FiniteGame([1, 2, 3, 4], treatments={"Low": 0.5, "High": 1.5})
    planted, trials = played(LevelK("sender"), LevelK("receiver"), game, between=False)
    found = type_recovery(synthetic_fit(LevelK("sender"), trials), planted)
    levels = planted[(planted["role"] == "sender") & (planted["parameter"] == "level")]
    assert list(found["planted"]) == [f"{v:g}" for v in levels["value"]]
    assert found["probability"].between(0, 1).all()


def test_without_planted_types_there_is_nothing_to_recover():
    planted, trials = played(TrustEmbedded("sender", GAME), TrustEmbedded("receiver", GAME))
    assert type_recovery(synthetic_fit(Mixture("sender", GAME), trials), planted).empty
    assert identified(synthetic_fit(Mixture("sender", GAME), trials), planted).empty


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_the_divergence_is_the_expected_log_likelihood_ratio_of_the_finite_game(role):
    game = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
    chosen = LevelK(role)
    _, trials = played(LevelK("sender"), LevelK("receiver"), game, between=False)
    fit = synthetic_fit(chosen, trials)
    _, answer, values = next(fit.draws(1).answers())
    response, size = chosen.response(game), len(fit.units.subjects)
    first, second = (response.pick(fit.units, answer, np.full((1, size), kind)) for kind in (0, 1))
    found = response.divergence(fit.units, first, second, values)[0]
    precision = values.of_units("response_precision")[0]
    for unit in range(found.size):
        total = 0.0
        for seen, count in enumerate(fit.units.counts[unit].sum(axis=1)):
            chances = []
            for one in (first, second):
                weight = np.exp(precision[unit] * one[0, unit, seen])
                chances.append(weight / weight.sum())
            total += count * (chances[0] * np.log(chances[0] / chances[1])).sum()
        assert found[unit] == pytest.approx(total, rel=1e-9)
