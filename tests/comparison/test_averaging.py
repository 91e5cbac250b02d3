"""Averaging over models, against sums written out."""

import dataclasses

import numpy as np
import pytest
from loops import TRIALS
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import averaged
from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.models import Babbling, FullTrust, LevelK

SMALL = small_trials()
FITS = [synthetic_fit(made("receiver"), SMALL, draws=100) for made in (LevelK, FullTrust, Babbling)]


def weighted(comparison, unit, weights):
    """The comparison with these weights, by model."""
    table = comparison.table.copy()
    here = table["unit"] == unit
    table.loc[here, "weight"] = [weights[name] for name in table.loc[here, "model"]]
    return dataclasses.replace(comparison, table=table)


@pytest.mark.parametrize("unit", ["subject", "trial", "subject-sum"])
def test_scores_are_those_of_the_averaged_density(unit):
    comparison = compare(FITS, ("subject", "trial"))
    found = averaged(comparison, FITS, unit, size=10, seed=1)
    assert found.unit == unit
    assert found.weights.to_dict() == comparison.rows(unit)["weight"].to_dict()
    scores = comparison.elpd_by_unit(unit)
    for label in scores.index:
        density = sum(found.weights[name] * np.exp(scores.loc[label, name]) for name in scores)
        assert found.elpd[label] == pytest.approx(np.log(density))
    assert found.elpd.sum() >= scores.sum().max() - 1e-3  # what stacking is for
    assert averaged(comparison, FITS, size=10, seed=1).unit == "subject"


def test_replications_are_shared_out_by_the_weights_and_probabilities_follow():
    comparison = compare(FITS, "subject")
    weights = {"level-k": 0.0, "full-trust": 0.25, "babbling": 0.75}
    found = averaged(weighted(comparison, "subject", weights), FITS, size=8000, seed=3)
    units = FITS[0].units
    assert found.replications.shape == (8000, *units.counts.shape)
    # Whoever sees what she has seen chooses something.
    seen = units.counts.sum(axis=-1)
    np.testing.assert_array_equal(found.replications.sum(axis=-1), np.tile(seen, (8000, 1, 1)))
    # One trial of each: choice probabilities of both models in closed form.
    u = SMALL.game.receiver_table / SMALL.game.scale  # states, actions
    credulous, babbling = u, np.tile(u.mean(axis=0), (3, 1))
    expected = np.zeros(units.counts.shape)
    for share, fit, utilities in ((0.25, FITS[1], credulous), (0.75, FITS[2], babbling)):
        precision = fit.draws().data["response_precision"].to_numpy()[:, units.unit_subject]
        logits = precision[..., None, None] * utilities
        p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        expected += share * p.mean(axis=0)
    there = seen > 0
    assert np.isnan(found.probabilities[~there]).all()
    np.testing.assert_allclose(found.probabilities[there], expected[there], atol=0.025)


def test_continuous_choices_are_replicated_too():
    trials = TRIALS["forecast"]
    fits = [synthetic_fit(made("sender", trials.game), trials, draws=30)
            for made in (FullTrust, Babbling)]  # fmt: skip
    comparison = compare(fits, "trial")
    weights = {"full-trust": 1.0, "babbling": 0.0}
    only = averaged(weighted(comparison, "trial", weights), fits, "trial", size=50, seed=2)
    assert only.replications.shape == (50, fits[0].units.n_trials)
    again = averaged(weighted(comparison, "trial", weights), fits, "trial", size=50, seed=2)
    np.testing.assert_array_equal(only.replications, again.replications)
    with pytest.raises(ValueError, match="continuous"):
        only.probabilities  # noqa: B018


def test_what_does_not_go_together_is_refused():
    comparison = compare(FITS, "trial")
    with pytest.raises(InputError, match="fits, models"):
        averaged(comparison, FITS[:2], seed=1)
    with pytest.raises(InputError, match="unit: found 'subject', expected a unit of the"):
        averaged(comparison, FITS, "subject", seed=1)
    with pytest.raises(InputError, match="size: found '0', expected a whole number from 1"):
        averaged(comparison, FITS, size=0, seed=1)
