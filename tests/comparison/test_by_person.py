"""Which theory for whom, against sums written out."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from loops import TRIALS as TRIALS_OF, row_logs
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import by_person, shares, single_theories, theory_of
from trustbayes.comparison.by_person import _divergence
from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.games import Feedback
from trustbayes.models import Babbling, FullTrust, LevelK, Mixture, TrustEmbedded
from trustbayes.models.draws import type_probabilities
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials(pairs=6)
FITS = [
    synthetic_fit(made("receiver"), TRIALS, draws=60)
    for made in (TrustEmbedded, LevelK, Babbling, Mixture)
]


@pytest.fixture(scope="module")
def comparison():
    return compare(FITS, "subject")


def test_differences_and_favourites_are_those_of_the_scores(comparison):
    people = by_person(comparison, FITS, "trust-embedded", "babbling")
    scores = {name: one.elpd for name, one in comparison.scores["subject"].items()}
    assert people["difference"].is_monotonic_decreasing
    assert sorted(people["subject"]) == sorted(TRIALS.subjects("receiver"))
    for row in people.itertuples():
        i = TRIALS.subjects("receiver").index(row.subject)
        gap = scores["trust-embedded"][i] - scores["babbling"][i]
        assert row.difference == pytest.approx(gap)
        assert row.favourite == max(scores, key=lambda name: scores[name][i])


def test_chances_of_theories_add_up_over_their_types(comparison):
    fit = FITS[3]
    assert fit.model.types == ("trust-embedded", *(f"level {k}" for k in range(4)), "babbling")
    chances = type_probabilities(fit.draws()).mean(axis=0)
    people = by_person(comparison, FITS, "level-k", "trust-embedded").set_index("subject")
    order = list(TRIALS.subjects("receiver"))
    np.testing.assert_allclose(people.loc[order, "probability_best"], chances[:, 1:5].sum(axis=1))
    np.testing.assert_allclose(people.loc[order, "probability_second"], chances[:, 0])
    people = by_person(comparison, FITS, "babbling", "mixture").set_index("subject")
    np.testing.assert_allclose(people.loc[order, "probability_best"], chances[:, 5])
    assert people["probability_second"].isna().all()  # the mixture is no part of itself
    without = by_person(compare(FITS[:2], "subject"), FITS[:2], "level-k", "trust-embedded")
    assert "probability_best" not in without


def test_types_belong_to_theories():
    assert theory_of(FITS[3].model) == {
        "trust-embedded": "trust-embedded",
        **{f"level {k}": "level-k" for k in range(4)},
        "babbling": "babbling",
    }


def test_models_that_combine_theories_are_not_set_against_them(comparison):
    """Whatever the mixture scores, the two best of the others are asked for, best first."""
    ranked = list(comparison.rows().index)
    assert list(single_theories(comparison)) == [name for name in ranked if name != "mixture"]
    scores = comparison.scores["subject"]
    ahead = dataclasses.replace(scores["mixture"], elpd=scores["mixture"].elpd + 1e3)
    first = comparison.with_scores({**scores, "mixture": ahead})
    assert first.rows().index[0] == "mixture"
    assert single_theories(first) == single_theories(comparison)
    pair = [FITS[0], FITS[3]]  # nothing else is left
    assert set(single_theories(compare(pair, "subject"))) == {"trust-embedded", "mixture"}


def test_favourites_are_found_among_those_named(comparison):
    scores = comparison.scores["subject"]
    ahead = dataclasses.replace(scores["mixture"], elpd=scores["mixture"].elpd + 1e3)
    found = comparison.with_scores({**scores, "mixture": ahead})
    assert set(by_person(found, FITS, "level-k", "babbling")["favourite"]) == {"mixture"}
    names = ["babbling", "level-k"]
    people = by_person(found, FITS, "level-k", "babbling", names)
    for row in people.itertuples():
        assert row.favourite == ("level-k" if row.difference > 0 else "babbling")
    assert shares(people, names)["subjects"].sum() == len(people)
    with pytest.raises(InputError, match="model: found 'babbling', expected one of those to"):
        by_person(found, FITS, "level-k", "babbling", ["level-k", "mixture"])
    with pytest.raises(InputError, match="model: found 'levelk', expected one of: "):
        by_person(found, FITS, "level-k", "babbling", [*names, "levelk"])


def log_predictive(fit, trials, row):
    """Log posterior predictive density of a row's choice in a model without types."""
    draws, density = fit.draws(), []
    for n in range(draws.size):
        values = {}
        for parameter in fit.model.parameters:
            one = draws.data[parameter.name].isel(sample=n)
            where = {"subject": row[fit.model.role], "treatment": row["treatment"]}
            one = one.sel({d: label for d, label in where.items() if d in one.dims})
            values[parameter.name] = one.to_numpy()[()]
        [log] = row_logs(fit.model, trials.game, row, values)
        density.append(math.exp(log))
    return math.log(sum(density) / len(density))


@pytest.mark.parametrize("kind", ["power", "forecast"])
def test_divergence_is_half_the_squares_of_log_ratios(kind):
    trials = TRIALS_OF[kind]
    fits = [synthetic_fit(made("receiver", trials.game), trials, draws=25)
            for made in (TrustEmbedded, FullTrust)]  # fmt: skip
    people = by_person(compare(fits, "subject"), fits, "trust-embedded", "full-trust")
    expected = dict.fromkeys(trials.subjects("receiver"), 0.0)
    for row in trials.table.to_dict("records"):
        one, other = (log_predictive(fit, trials, row) for fit in fits)
        expected[row["receiver"]] += 0.5 * (one - other) ** 2
    found = people.set_index("subject")["divergence"].to_dict()
    assert found == pytest.approx(expected, rel=1e-9)


def test_divergence_is_about_the_expected_log_likelihood_ratio():
    """Receivers who trust fully, under two models that differ a little in precision only."""
    rng = np.random.default_rng(8)
    base = small_trials(pairs=3, rounds=400)
    u = base.game.receiver_table / base.game.scale
    p = [np.exp(k * u) / np.exp(k * u).sum(axis=1, keepdims=True) for k in (0.9, 1.2)]
    table = base.table.rename_axis(None)
    seen = table["message"].to_numpy(int) - 1
    chosen = [1.0 + rng.choice(3, p=p[0][s]) for s in seen]
    trials = trials_from_frame(table.assign(action=chosen), base.game)
    fits = [synthetic_fit(made("receiver"), trials, draws=25)
            for made in (FullTrust, TrustEmbedded)]  # fmt: skip
    for fit, precision in zip(fits, (0.9, 1.2), strict=True):
        fit.posterior["response_precision"][:] = precision
    fits[1].posterior["trust"][:] = 1 - 1e-9
    people = by_person(compare(fits, "subject"), fits, "full-trust", "trust-embedded")
    expected = (p[0] * np.log(p[0] / p[1])).sum(axis=1)[seen].sum()
    assert people["divergence"].sum() == pytest.approx(expected, rel=0.15)


def at_the_corner(subjects):
    """A trust-embedded receiver who trusts fully is the full-trust one: some do, others do not."""
    fits = [
        synthetic_fit(made("receiver"), TRIALS, draws=60) for made in (FullTrust, TrustEmbedded)
    ]
    trust = fits[1].posterior["trust"]
    noise = fits[0].posterior["response_precision"]
    fits[1].posterior["response_precision"] = noise.copy()
    for i, name in enumerate(TRIALS.subjects("receiver")):
        trust[{"subject": i}] = 1 - 1e-6 if name in subjects else 0.02
        fits[1].posterior["response_precision"][{"subject": i}] = 3.0
        fits[0].posterior["response_precision"][{"subject": i}] = 3.0
    return fits


def test_subjects_where_the_theories_coincide_stand_at_a_corner():
    corner = {"r1", "r4"}
    fits = at_the_corner(corner)
    people = by_person(compare(fits, "subject"), fits, "full-trust", "trust-embedded")
    assert set(people.loc[people["corner"], "subject"]) == corner
    for row in people.itertuples():
        pair = {"full-trust", "trust-embedded"}
        assert row.rival == ((pair - {row.favourite}).pop() if row.corner else "")
        assert (row.divergence < 1) == row.corner
    counted = shares(people, ["full-trust", "trust-embedded"]).set_index("model")
    assert counted["subjects"].sum() == len(people)
    assert counted.loc["corner", "subjects"] == 2
    assert counted.loc["corner", "share"] == pytest.approx(2 / 6)
    # One whom a third model predicts best does not stand between these two.
    third = synthetic_fit(Babbling("receiver"), TRIALS, draws=60)
    three = [*fits, third]
    found = compare(three, "subject")
    scores = dict(found.scores["subject"])
    better = dataclasses.replace(scores["babbling"], elpd=scores["babbling"].elpd + 1e3)
    found = found.with_scores({**scores, "babbling": better})
    people = by_person(found, three, "full-trust", "trust-embedded")
    assert not people["corner"].any()
    counted = shares(people, found.models).set_index("model")["share"]
    assert counted["babbling"] == 1
    assert counted.sum() == 1


def test_shares_count_the_corner_apart():
    rows = [("a", False), ("a", True), ("b", False), ("c", False), ("b", True)]
    people = pd.DataFrame(rows, columns=["favourite", "corner"])
    found = shares(people, ["c", "b", "a", "d"])
    assert found["model"].tolist() == ["c", "b", "a", "d", "corner"]
    assert found["subjects"].tolist() == [1, 1, 1, 0, 2]
    assert found["share"].tolist() == [0.2, 0.2, 0.2, 0.0, 0.4]


def test_what_was_not_compared_is_refused(comparison):
    with pytest.raises(InputError, match="model: found 'levelk', expected one of: "):
        by_person(comparison, FITS, "levelk", "babbling")
    with pytest.raises(InputError, match="expected another one than the first"):
        by_person(comparison, FITS, "babbling", "babbling")
    with pytest.raises(InputError, match="unit: found 'subject', expected a unit of the"):
        by_person(compare(FITS[:2]), FITS[:2], "level-k", "trust-embedded")
    with pytest.raises(InputError, match="fits, models"):
        by_person(comparison, FITS[:2], "level-k", "trust-embedded")


def test_people_who_learn_nothing_are_those_who_do_not_learn():
    """Models of people who learn have a cell for each trial, others one for trials alike."""
    trials = small_trials(pairs=6, feedback=Feedback("state"))
    static = synthetic_fit(TrustEmbedded("receiver"), trials, draws=60)
    moves = synthetic_fit(TrustEmbedded("receiver", learning="shift"), trials, draws=60)
    still = {name: 0 * moves.posterior[name] for name in ("gain_good", "gain_bad")}
    same = {name: static.posterior[name] for name in ("trust", "response_precision")}
    moves = dataclasses.replace(moves, posterior=moves.posterior.assign(**same, **still))
    assert _divergence(static, moves).tolist() == pytest.approx([0.0] * 6, abs=1e-12)
    level_k = synthetic_fit(LevelK("receiver"), trials, draws=60)
    np.testing.assert_allclose(_divergence(moves, level_k), _divergence(static, level_k))
    assert _divergence(static, level_k).min() > 0
